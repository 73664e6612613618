"""Rounding: the result is the lowest integer of the range plus the number of thresholds passed (a thermometer)."""

from __future__ import annotations

from typing import Any

from metric2loss.rules.spelling import Example, Rule, spell
from metric2loss.step import step

_TO_NEAREST = ("round", "rint", "around", "round_")
_TOWARDS_ZERO = ("trunc", "fix", "int", "astype", "long", "short", "to", "type")


def identity(xp: Any, native: Any, x: Any, *args: Any, using: str = "round", **kwargs: Any) -> Any:
    """The user's call, rebuilt from `passed[k] = step(x - threshold(k))` for every integer k met by the data."""
    rounded = native(x, *args, **kwargs)
    low, high = int(rounded.min()), int(rounded.max())
    result = rounded * 0 + low
    for k in range(low + 1, high + 1):
        result = result + step(x - threshold(using, k), rounded >= k)
    return result


def threshold(using: str, k: int) -> float:
    """The score where the result becomes at least `k`."""
    if using in _TO_NEAREST:
        return k - 0.5
    if using == "ceil" or (using in _TOWARDS_ZERO and k <= 0):
        return float(k - 1)
    return float(k)


SPELLINGS = (
    *spell("rounding", "round", "numpy.round", "numpy.around", ".round", parameters=("decimals", "out")),
    *spell("rounding", "round", "torch.round", parameters=()),
    *spell("rounding", "round", "builtins.round", parameters=("ndigits",)),
    *spell("rounding", "rint", "numpy.rint"),
    *spell("rounding", "floor", "numpy.floor", "torch.floor", "math.floor", ".floor"),
    *spell("rounding", "ceil", "numpy.ceil", "torch.ceil", "math.ceil", ".ceil"),
    *spell("rounding", "trunc", "numpy.trunc", "torch.trunc", "math.trunc", ".trunc"),
    *spell("rounding", "fix", "numpy.fix", "torch.fix", ".fix"),
    *spell("rounding", "int", "builtins.int", ".int"),
    *spell("rounding", "long", ".long"),
    *spell("rounding", "short", ".short"),
    *spell("rounding", "astype", ".astype", discrete_dtype=True, parameters=("dtype",)),
    *spell("rounding", "to", ".to", discrete_dtype=True, parameters=("dtype",)),
    *spell("rounding", "type", ".type", discrete_dtype=True, parameters=("dtype",)),
    *spell(
        "rounding", "floor_divide", "numpy.floor_divide", "torch.floor_divide", ".floor_divide", parameters=("divisor",)
    ),
)

_HALVES = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.5)

EXAMPLES = tuple(
    Example(f"{library}.{name}", _HALVES)
    for library, names in (
        ("numpy", ("round", "rint", "floor", "ceil", "trunc", "fix")),
        ("torch", ("round", "floor", "ceil", "trunc")),
    )
    for name in names
)

RULE = Rule(
    "rounding", "round", "a rounded value is the number of thresholds it has passed", identity, SPELLINGS, EXAMPLES
)
