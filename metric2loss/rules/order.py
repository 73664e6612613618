"""Order: an item's place is the number of items ranked before it, and the order is the argsort of the places."""

from __future__ import annotations

from typing import Any

from metric2loss.rules.spelling import Example, Rule, spell
from metric2loss.step import step

_NUMPY = ("axis", "kind", "order", "stable")
_TORCH = ("dim", "descending", "stable")
_TOPK = ("k", "dim", "largest", "sorted")


def identity(xp: Any, native: Any, x: Any, *args: Any, using: str = "argsort", **kwargs: Any) -> Any:
    """The user's call, rebuilt from `ahead[i, j] = step(key_i - key_j)`; keys are turned so that larger comes first."""
    chosen = native(x, *args, **kwargs)
    indices = chosen[1] if isinstance(chosen, tuple) else chosen
    facts = _facts(using, xp.__name__, args, kwargs)
    axis = facts.get("axis", facts.get("dim", -1))
    keys = x if descends(using, facts) else -x
    keys, indices = (xp.reshape(keys, (-1,)), indices) if axis is None else (_last(keys, axis), _last(indices, axis))
    places = _places(xp, keys, indices)
    ahead = step(keys[..., :, None] - keys[..., None, :], places[..., :, None] < places[..., None, :])
    order = xp.argsort((ahead * (1 - _eye(xp, keys.shape[-1]))).sum(-2), -1)[..., : indices.shape[-1]]
    return order if axis is None else xp.moveaxis(order, -1, axis)


def descends(using: str, facts: dict[str, Any]) -> bool:
    """Whether the largest comes first."""
    if using in ("sorted", "nlargest"):
        return using == "nlargest" or bool(facts.get("reverse", False))
    return bool(facts.get("largest", True)) if using == "topk" else bool(facts.get("descending", False))


def _facts(using: str, library: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    names = _TOPK if using == "topk" else _TORCH if library == "torch" else _NUMPY
    return {**dict(zip(names, args)), **kwargs}


def _last(x: Any, axis: int) -> Any:
    return x.swapaxes(axis, -1)


def _eye(xp: Any, n: int) -> Any:
    return xp.eye(n, dtype=xp.int64)


def _places(xp: Any, keys: Any, indices: Any) -> Any:
    """Place of every item in the user's own result; items it does not list (topk) come after, in order of their keys."""
    n = keys.shape[-1]
    listed = (indices[..., :, None] == xp.arange(n)).sum(-2)
    place = ((indices[..., :, None] == xp.arange(n)) * xp.arange(indices.shape[-1])[:, None]).sum(-2)
    ahead = (keys[..., :, None] > keys[..., None, :]).sum(-2)
    return listed * place + (1 - listed) * (n + ahead)


SPELLINGS = (
    *spell("order", "argsort", "numpy.argsort", parameters=_NUMPY),
    *spell("order", "argsort", "torch.argsort", parameters=_TORCH),
    *spell("order", "argsort", ".argsort", parameters=()),
    *spell("order", "sort", "torch.sort", ".sort", index=(1, "indices"), parameters=_TORCH),
    *spell("order", "topk", "torch.topk", ".topk", index=(1, "indices"), parameters=_TOPK),
    *spell("order", "argpartition", "numpy.argpartition", ".argpartition", parameters=("kth", "axis", "kind", "order")),
    *spell("order", "sorted", "builtins.sorted", parameters=("reverse", "then")),
    *spell("order", "nlargest", "heapq.nlargest", parameters=("n", "then")),
    *spell("order", "nsmallest", "heapq.nsmallest", parameters=("n", "then")),
)

EXAMPLES = (
    Example("numpy.argsort", (2, 0, 1, 1, 3)),
    Example("numpy.argsort", ((1, 1, 0), (0, 2, 2)), (1,), {"kind": "stable"}),
    Example("numpy.argsort", ((1, 3, 0), (0, 2, 2)), kwargs={"axis": 0}),
    Example("numpy.argsort", ((1, 1, 0), (0, 2, 2)), kwargs={"axis": None}),
    Example("torch.argsort", (2, 0, 1, 1, 3), kwargs={"descending": True}),
    Example("torch.argsort", ((1, 1, 0), (0, 2, 2)), (0,)),
    Example("torch.sort", ((1, 1, 0), (0, 2, 2)), (-1, True)),
    Example("torch.topk", (2, 0, 1, 1, 3), (3,)),
    Example("torch.topk", ((1, 1, 0), (0, 2, 2)), (2,), {"dim": 1, "largest": False}),
)

RULE = Rule(
    "order", "argsort", "the place of an item is the number of items ranked before it", identity, SPELLINGS, EXAMPLES
)
