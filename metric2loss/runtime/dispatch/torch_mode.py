"""Torch operations of live code, met as they are called: steps by their rules, everything else untouched."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name

from metric2loss.rules import SPELLINGS, Spelling
from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch import torch_composed, torch_tables
from metric2loss.runtime.dispatch.reading import PLAIN, Dispatch, any_active, is_active, rewrapped
from metric2loss.runtime.dispatch.spelled import NOT_A_STEP, applied, discrete
from metric2loss.runtime.indexing import deep

Handler = Callable[[Dispatch, Any, tuple[Any, ...], dict[str, Any]], Any]


class TorchDispatch(TorchFunctionMode):
    """While it is in force, no torch function loses a score."""

    def __init__(self, reading: Dispatch) -> None:
        super().__init__()
        self.reading = reading

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = _name(func)
        if name in _UNTOUCHED or self.reading.asleep:
            return func(*args, **kwargs)
        handler = _handler(name)
        if handler is _GRAD_MODE:
            return None
        if _has_arrays(args) or (kwargs and _has_arrays(kwargs.values())):
            args, kwargs = _as_tensors(args), dict(zip(kwargs, _as_tensors(tuple(kwargs.values()))))
        if not any_active(args, kwargs):
            return func(*args, **kwargs)
        if handler is not None:
            found = handler(self.reading, func, tuple(args), kwargs)
            if found is not NOT_A_STEP:
                return found
        result = _kept(self.reading, name, args, func(*args, **kwargs))
        if self.reading.recording and name.rpartition(".")[2] in _NEEDED:
            result = result.clone()  # it may be written into, and its gradient needs it as it is
        return torch_tables.marked(name, func, tuple(args), kwargs, result)


_NEEDED = frozenset(
    ("sigmoid", "softmax", "log_softmax", "tanh", "exp", "sqrt", "expit", "relu", "reciprocal", "rsqrt")
)
_DTYPE_METHODS = (".byte", ".char")
_OPERATORS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "__eq__": "==", "__ne__": "!=", "eq": "==", "ne": "!="}


@cache
def _name(func: Any) -> str:
    """ "torch.sort", ".sort" for a method, ".data" for a property."""
    full = resolve_name(func)
    if full is None:
        return str(getattr(func, "__name__", func))
    full = full.removesuffix(".__get__").replace("torch.functional.", "torch.").replace("torch._C.TensorBase.", ".")
    full = full.replace("torch._C._VariableFunctions.", "torch.").replace("torch.special.", "torch.")
    return str(full[len("torch.Tensor") :] if full.startswith("torch.Tensor.") else full)


@cache
def _handler(name: str) -> Handler | None:
    if name in _TABLE:
        return _TABLE[name]
    tail = name.rpartition(".")[2]
    spelling = SPELLINGS.get(name) or SPELLINGS.get(f"torch.{tail}")
    if name in ("torch.bool", ".bool"):
        spelling = None
    if spelling is not None:
        return _by_rule(spelling)
    operator = _OPERATORS.get(tail)
    if operator is not None:
        return _by_rule(SPELLINGS[{"==": "torch.eq", "!=": "torch.ne"}.get(operator, f"torch.{tail}")])
    if name in _IN_PLACE:
        return _in_place(_by_rule(SPELLINGS[_IN_PLACE[name]]))
    return torch_composed.TABLE.get(tail)


_IN_PLACE = {
    **{f".{name}_": f"torch.{name}" for name in ("round", "floor", "ceil", "trunc", "fix", "sign")},
    **{f".{name}_": f"torch.{name}" for name in ("gt", "ge", "lt", "le", "eq", "ne")},
}


def _in_place(step: Handler) -> Handler:
    """A step whose result takes the place of the scores: `probabilities.round_()`."""

    def call(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = step(reading, func, args, kwargs)
        return found if found is NOT_A_STEP else _written(reading, Tensor.copy_, (args[0], found), {})

    return call


def _by_rule(spelling: Spelling) -> Handler:
    def call(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return applied(reading, spelling, args, kwargs)

    return call


def _kept(reading: Dispatch, name: str, args: Any, result: Any) -> Any:
    """The result of an operation that is no step, unless the scores went in and did not come out."""
    if name in _PASSIVE or name.rpartition(".")[2] in _PASSIVE:
        return result
    tensors = [
        part for part in deep((result,) if not isinstance(result, tuple) else tuple(result)) if isinstance(part, Tensor)
    ]
    if tensors and not any(is_active(x) for x in tensors) and all(x.numel() for x in tensors):
        raise reading.lost(name.lstrip("."))
    return result


def _has_arrays(args: Any) -> bool:
    for part in args:  # of every torch call of the metric
        kind = type(part)
        if kind is Tensor or kind in PLAIN:
            continue
        if isinstance(part, Array) or ((kind is list or kind is tuple) and _has_arrays(part)):
            return True
    return False


def _as_tensors(args: Any) -> tuple[Any, ...]:
    return tuple(
        part.tensor
        if isinstance(part, Array)
        else type(part)(_as_tensors(part))
        if type(part) in (list, tuple)
        else part
        for part in args
    )


# --- what is no step, but where a score leaves torch


def _same(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0]


def _numpy(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return rewrapped(args[0])


def _item(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return rewrapped(args[0].reshape(()))


def _list(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return rewrapped(args[0]).tolist()


def _truth(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return bool(reading.meet(steps.compare, args[0].reshape(()), "!=", 0.0))


def _integer(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return int(reading.meet(steps.rounding, args[0].reshape(()), using="long"))


def _needs(what: str) -> Handler:
    def call(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise reading.leak(
            "M2L302",
            f"a score is used where {what} is needed",
            "the gradient ends where a score becomes a plain number",
            "compute with torch or NumPy functions on the scores instead of converting them",
        )

    return call


def _made(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """torch.tensor and its kin of scores: the scores, in the dtype asked for."""
    x = args[0]
    x = torch_tables.gathered(x)
    dtype = kwargs.get("dtype")
    if dtype is None:
        return x
    if not dtype.is_floating_point:
        return reading.meet(steps.rounding, x, dtype, using="to")
    return x.to(dtype)


def _converted(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`.to`, `.type`, `.type_as`: a step when the dtype is an integer or Boolean one."""
    if not is_active(args[0]) or not discrete(args[1:], kwargs):
        return NOT_A_STEP
    dtype = func(args[0].detach(), *args[1:], **kwargs).dtype
    return reading.meet(steps.rounding, args[0], dtype, using="to")


def _small(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return reading.meet(steps.rounding, args[0], func(args[0].detach()).dtype, using="to")


def _written(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A score written into integers is rounded; a mask is read as one."""
    target, *rest = args
    before = torch_tables.scores(target)
    if isinstance(target, Tensor) and not target.dtype.is_floating_point and is_active(rest[-1]):
        rest[-1] = reading.meet(steps.rounding, rest[-1], target.dtype, using="to")
    found = func(target, *rest, **kwargs)
    torch_tables.written(target, before, rest[0] if len(rest) == 2 else ..., rest[-1])
    return found


def _GRAD_MODE(*_: Any) -> None:
    """Gradients stay on: activity is read from them."""


_TABLE: dict[str, Handler] = {
    "_set_grad_enabled": _GRAD_MODE,
    "torch._C._set_grad_enabled": _GRAD_MODE,
    **{name: _same for name in (".detach", ".detach_", "torch.detach", ".data", ".requires_grad_")},
    ".numpy": _numpy,
    ".item": _item,
    ".tolist": _list,
    ".__bool__": _truth,
    "torch.is_nonzero": _truth,
    ".is_nonzero": _truth,
    ".__int__": _integer,
    ".__float__": _needs("a plain float"),
    ".__complex__": _needs("a plain number"),
    ".__index__": _needs("an index"),
    ".__array__": _needs("an array of plain numbers"),
    ".__dlpack__": _needs("plain memory"),
    **{name: _made for name in ("torch.tensor", "torch.as_tensor", "torch.asarray", "torch.scalar_tensor")},
    **{name: _converted for name in (".to", ".type", ".type_as")},
    **{name: _small for name in (*_DTYPE_METHODS, ".bool", ".int", ".long", ".short")},
    **{name: _written for name in (".__setitem__", ".copy_", ".fill_")},
}

# asks about form, not about values
_UNTOUCHED = frozenset(
    f".{name}"
    for name in [
        "shape",
        "size",
        "dim",
        "ndim",
        "ndimension",
        "dtype",
        "device",
        "numel",
        "nelement",
        "is_floating_point",
        "is_complex",
        "is_cuda",
        "is_sparse",
        "requires_grad",
        "layout",
        "stride",
        "storage_offset",
        "element_size",
        "is_contiguous",
        "__len__",
        "get_device",
        "names",
        "is_leaf",
        "grad_fn",
        "grad",
        "is_quantized",
        "is_nested",
        "itemsize",
        "nbytes",
        "__repr__",
        "__str__",
        "__hash__",
        "__format__",
        "is_same_size",
        "is_signed",
        "is_inference",
        "is_meta",
        "is_mps",
        "is_mkldnn",
        "is_xla",
        "retains_grad",
        "_version",
        "data_ptr",
    ]
) | {"torch.is_tensor", "torch.is_floating_point", "torch.numel", "torch.is_complex", "torch.typename"}

# new values that owe nothing to the scores
_PASSIVE = frozenset(
    [
        "zeros_like",
        "ones_like",
        "empty_like",
        "full_like",
        "rand_like",
        "randn_like",
        "randint_like",
        "new_zeros",
        "new_ones",
        "new_empty",
        "new_full",
        "new_tensor",
        "isnan",
        "isinf",
        "isfinite",
        "isposinf",
        "isneginf",
        "isreal",
        "result_type",
        "can_cast",
        "zero_",
        "zeros",
        "ones",
        "full",
        "arange",
        "broadcast_shapes",
        "is_tensor",
        "finfo",
        "iinfo",
        "retain_grad",
        "backward",
        "register_hook",
        "promote_types",
        "fill_",
        "__delitem__",
    ]
)


def exact_of(x: Tensor) -> np.ndarray:
    """The values of a tensor as an ndarray."""
    return x.detach().cpu().numpy()
