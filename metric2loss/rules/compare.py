"""Compare: every comparison is a Boolean function of [left > right] and [left >= right]."""

from __future__ import annotations

from typing import Any

from metric2loss.rules.spelling import Example, Rule, spell
from metric2loss.step import step

# operator -> which of the two binaries it needs: "gt" is [difference > 0], "ge" is [difference >= 0]
NEEDS: dict[str, tuple[str, ...]] = {
    ">": ("gt",),
    "<=": ("gt",),
    ">=": ("ge",),
    "<": ("ge",),
    "==": ("gt", "ge"),
    "!=": ("gt", "ge"),
}


def identity(xp: Any, native: Any, left: Any, right: Any, operator: str) -> Any:
    """The comparison, rebuilt from one step where ties count as lost (gt) and one where they count as won (ge)."""
    found = {name: step(left - right, name == "ge") for name in NEEDS[operator]}
    return holds(operator, found.get("gt"), found.get("ge"))


def holds(operator: str, gt: Any, ge: Any) -> Any:
    """Whether the comparison holds.  `a == b` is `a >= b and not a > b`, right for every pair of binaries."""
    if operator == ">":
        return gt
    if operator == "<=":
        return _not(gt)
    if operator == ">=":
        return ge
    if operator == "<":
        return _not(ge)
    return ge & _not(gt) if operator == "==" else _not(ge) | gt


def _not(binary: Any) -> Any:
    return (not binary) if isinstance(binary, bool) else ~binary


_NAMES = {
    ">": ("greater", "gt"),
    ">=": ("greater_equal", "ge"),
    "<": ("less", "lt"),
    "<=": ("less_equal", "le"),
    "==": ("equal", "eq"),
    "!=": ("not_equal", "ne"),
}

SPELLINGS = (
    *(
        spelling
        for operator, (long, short) in _NAMES.items()
        for spelling in spell(
            "compare",
            operator,
            f"numpy.{long}",
            f"torch.{short}",
            f".{short}",
            *((f"torch.{long}", f".{long}") if operator not in ("==", "!=") else ()),
            *(("torch.not_equal", ".not_equal") if operator == "!=" else ()),
            operator=operator,
            right=1,
        )
    ),
    # truth of a number: x != 0
    *spell("compare", "!=", "builtins.bool", ".bool", operator="!=", right_constant=0.0),
    *spell(
        "compare", "!=", "numpy.logical_not", "torch.logical_not", ".logical_not", operator="==", right_constant=0.0
    ),
)

EXAMPLES = tuple(
    Example(name, (0, 1, 2, 2, 1), ((1, 1, 1, 2, 2),))
    for long, short in _NAMES.values()
    for name in (f"numpy.{long}", f"torch.{short}")
)

RULE = Rule("compare", ">", "a comparison is a Boolean function of [a > b] and [a >= b]", identity, SPELLINGS, EXAMPLES)
