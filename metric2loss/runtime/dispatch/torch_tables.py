"""Which entries of a torch tensor are scores, where scores and other numbers stand in one: `torch.stack([scores, labels], 1)`.

Autograd knows tensors, not entries: a column of labels read out of such a table would be taken for scores, and comparing it
for a step.  The entries are marked where a table is made, the marks follow through what moves entries about, and a part
without any score is passive again.  Whatever else happens to a table makes all of it scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.batched import is_batched
from metric2loss.runtime.dispatch.reading import MARK as _MARK
from metric2loss.runtime.dispatch.reading import OVERWRITTEN, any_active, is_active
from metric2loss.runtime.indexing import deep

_JOINING = frozenset(
    [
        "stack",
        "cat",
        "concat",
        "concatenate",
        "hstack",
        "vstack",
        "dstack",
        "column_stack",
        "row_stack",
        "block_diag",
        "cartesian_prod",
    ]
)
_MOVING = frozenset(
    [
        "__getitem__",
        "__iter__",
        "index_select",
        "gather",
        "take_along_dim",
        "take",
        "select",
        "narrow",
        "masked_select",
        "t",
        "T",
        "mT",
        "H",
        "permute",
        "transpose",
        "swapaxes",
        "swapdims",
        "movedim",
        "moveaxis",
        "reshape",
        "reshape_as",
        "view",
        "view_as",
        "flatten",
        "ravel",
        "unflatten",
        "squeeze",
        "unsqueeze",
        "expand",
        "expand_as",
        "broadcast_to",
        "repeat",
        "tile",
        "flip",
        "fliplr",
        "flipud",
        "roll",
        "rot90",
        "unbind",
        "split",
        "chunk",
        "tensor_split",
        "hsplit",
        "vsplit",
        "clone",
        "contiguous",
        "diagonal",
        "float",
        "double",
        "half",
        "to",
        "type_as",
        "type",
        "cpu",
    ]
)
_ELEMENT_WISE = frozenset(
    [
        "neg",
        "negative",
        "abs",
        "exp",
        "log",
        "log1p",
        "sqrt",
        "square",
        "sigmoid",
        "tanh",
        "relu",
        "clamp",
        "clip",
        "positive",
        "__neg__",
        "__pos__",
        "add",
        "sub",
        "mul",
        "div",
        "true_divide",
        "multiply",
        "subtract",
        "divide",
        "__add__",
        "__radd__",
        "__sub__",
        "__rsub__",
        "__mul__",
        "__rmul__",
        "__truediv__",
        "__rtruediv__",
        "rsub",
        "pow",
        "__pow__",
    ]
)


def marked(name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """The result with its scores marked; its parts without any are passive."""
    name = name.rpartition(".")[2]
    if name not in _JOINING and name not in _MOVING and name not in _ELEMENT_WISE:
        return result
    given = [part for part in deep((args, kwargs)) if isinstance(part, Tensor)]
    if not (name in _JOINING and _unlike(given)) and not any(_mark(part) is not None for part in given):
        return result
    with torch._C.DisableTorchFunction(), torch.no_grad():
        if name in _ELEMENT_WISE:
            return _settled(result, _spread_over(result, given))
        if any(is_batched(part) for part in given[1:]):
            return _settled(result, _whole_columns(name, args, result))
        joins = name in _JOINING
        scores = func(*_scores_of(args, joins), **_scores_of(kwargs, joins))
    if isinstance(result, Tensor):
        return _settled(result, scores)
    return type(result)(_settled(part, score) for part, score in zip(result, scores))


def written(target: Tensor, before: Tensor | None, index: Any, value: Any) -> None:
    """Marks what a write of `value` at `index` made of a tensor; before: what `scores` said of it."""
    if is_batched(target) or any(is_batched(part) for part in deep((index, value)) if isinstance(part, Tensor)):
        return
    if before is None or not is_active(target):
        return
    scores = before.clone()
    with torch._C.DisableTorchFunction():
        scores[index] = _mask(value) if isinstance(value, Tensor) else False
    setattr(target, _MARK, None if bool(scores.all()) else scores)
    setattr(target, OVERWRITTEN, not bool(scores.any()))


def scores(x: Any) -> Tensor | None:
    """Which entries of a tensor are scores, before it is written to; None of anything else."""
    return _mask(x) if isinstance(x, Tensor) and not is_batched(x) else None


def gathered(x: Any) -> Tensor:
    """Nested lists of numbers and tensors, some of them scores, as one tensor with its scores marked."""
    if not isinstance(x, (list, tuple)):
        return x if isinstance(x, Tensor) else torch.as_tensor(x)
    if not any_active(x):
        return torch.tensor(x)
    parts = [gathered(part) for part in x]
    kind = parts[0].dtype
    for part in parts[1:]:
        kind = torch.promote_types(kind, part.dtype)
    parts = [_like(part, part.to(kind)) for part in parts]
    return marked("stack", torch.stack, (parts,), {}, torch.stack(parts))  # type: ignore[no-any-return]


def _like(x: Tensor, made: Tensor) -> Tensor:
    mark = _mark(x)
    if mark is not None and made is not x:
        setattr(made, _MARK, mark)
    return made


def _mark(x: Tensor) -> Tensor | None:
    return getattr(x, _MARK, None)


def _mask(x: Tensor) -> Tensor:
    """True where an entry is a score."""
    mark = _mark(x)
    return mark if mark is not None else torch.full(x.shape, is_active(x), device=x.device)


def _unlike(given: list[Tensor]) -> bool:
    """Whether scores and other numbers are joined."""
    return len({is_active(part) for part in given}) > 1


def _scores_of(value: Any, joins: bool) -> Any:
    """The arguments with masks for the tensors whose entries come out again; integers are places, unless they are joined."""
    if type(value) in (list, tuple):
        return type(value)(_scores_of(part, joins) for part in value)
    if type(value) is dict:
        return {name: _scores_of(part, joins) for name, part in value.items()}
    if isinstance(value, torch.dtype):
        return torch.bool
    return _mask(value) if isinstance(value, Tensor) and (joins or value.dtype.is_floating_point) else value


def _spread_over(result: Tensor, given: list[Tensor]) -> Tensor | None:
    """Of what is computed entry by entry: a score where any operand has one."""
    if not isinstance(result, Tensor) or any(is_batched(part) and _mark(part) is None for part in given):
        return None
    found = torch.zeros(result.shape, dtype=torch.bool, device=result.device)
    for part in given:
        found = found | _mask(part)
    return found if found.shape == result.shape else None


def _whole_columns(name: str, args: tuple[Any, ...], result: Any) -> Tensor | None:
    """Of rows that differ between configurations: the columns that are scores; None where that says it not all."""
    mark = _mark(args[0]) if isinstance(args[0], Tensor) else None
    rows = name == "__getitem__" and not isinstance(args[1], tuple)
    rows = rows or (name == "index_select" and args[1] == 0)
    if mark is None or not rows or not isinstance(result, Tensor) or result.ndim != mark.ndim:
        return None
    return mark[:1].expand(result.shape) if bool((mark == mark[:1]).all()) else None


def _settled(result: Any, found: Tensor | None) -> Any:
    if found is None or not isinstance(result, Tensor) or found.shape != result.shape:
        return result
    if not bool(found.any()):
        with torch._C.DisableTorchFunction():
            return result.detach()
    setattr(result, _MARK, None if bool(found.all()) else found.to(torch.bool))
    return result
