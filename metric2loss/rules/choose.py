"""Choose: the winner is the entry that beats the most others."""

from __future__ import annotations

from typing import Any

from metric2loss.rules.spelling import Example, Rule, spell
from metric2loss.step import step

_NUMPY = ("axis", "out", "keepdims")
_TORCH = ("dim", "keepdim")


def identity(xp: Any, native: Any, x: Any, *args: Any, using: str = "argmax", **kwargs: Any) -> Any:
    """The user's call, rebuilt from `beats[i, j] = step(x_i - x_j)` (minima: x_j - x_i)."""
    chosen = native(x, *args, **kwargs)
    index = chosen[1] if isinstance(chosen, tuple) else chosen
    facts = {**dict(zip(_TORCH if xp.__name__ == "torch" else _NUMPY, args)), **kwargs}
    axis = facts.get("axis", facts.get("dim"))
    x = -x if smallest(using) else x
    keys = xp.reshape(x, (-1,)) if axis is None else x.swapaxes(axis, -1)
    flat = index.reshape(keys.shape[:-1])
    wins = xp.arange(keys.shape[-1]) == flat[..., None]
    beats = step(keys[..., :, None] - keys[..., None, :], wins[..., :, None])
    return xp.argmax(beats.sum(-1), -1).reshape(index.shape)


def smallest(using: str) -> bool:
    return "min" in using


SPELLINGS = (
    *spell("choose", "argmax", "numpy.argmax", parameters=_NUMPY),
    *spell("choose", "argmin", "numpy.argmin", parameters=_NUMPY),
    *spell("choose", "nanargmax", "numpy.nanargmax", parameters=_NUMPY),
    *spell("choose", "nanargmin", "numpy.nanargmin", parameters=_NUMPY),
    *spell("choose", "argmax", "torch.argmax", parameters=_TORCH),
    *spell("choose", "argmin", "torch.argmin", parameters=_TORCH),
    *spell("choose", "argmax", ".argmax", parameters=()),
    *spell("choose", "argmin", ".argmin", parameters=()),
    *spell("choose", "max", "torch.max", ".max", index=(1, "indices"), needs=("dim",), parameters=_TORCH),
    *spell("choose", "min", "torch.min", ".min", index=(1, "indices"), needs=("dim",), parameters=_TORCH),
    *spell("choose", "first_argmax", "builtins.max", parameters=("then",)),
    *spell("choose", "first_argmin", "builtins.min", parameters=("then",)),
)

EXAMPLES = (
    Example("numpy.argmax", (1, 3, 3, 0)),
    Example("numpy.argmax", ((1, 1, 0), (0, 2, 2)), (1,)),
    Example("numpy.argmax", ((1, 1, 0), (0, 2, 2))),
    Example("numpy.argmin", ((1, 1, 0), (0, 2, 0)), kwargs={"axis": 0, "keepdims": True}),
    Example("torch.argmax", ((1, 1, 0), (0, 2, 2)), kwargs={"dim": 1}),
    Example("torch.argmin", ((1, 1, 0), (0, 2, 0)), (-1, True)),
    Example("torch.max", ((1, 1, 0), (0, 2, 2)), (1,)),
    Example("torch.min", ((1, 1, 0), (0, 2, 2)), (0,)),
)

RULE = Rule("choose", "argmax", "the winner is the entry that beats the most others", identity, SPELLINGS, EXAMPLES)
