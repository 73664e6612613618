"""The ways to come by credit: which one the structure of a metric allows, in words for the report, and refusals of others."""

from __future__ import annotations

from metric2loss.diagnostics import MetricError
from metric2loss.runtime.failures import failure

BY_STRUCTURE = "structure"
ROWS, SWAPS, FLIPS, STRATA, ANCHORS, EVENLY = "rows", "swaps", "flips", "strata", "anchors", "evenly"
WAYS = (BY_STRUCTURE, ROWS, SWAPS, FLIPS, STRATA, ANCHORS, EVENLY)

_NEEDS = {
    ROWS: "a metric that is a mean over rows, each of them one choice between two outcomes (accuracy, PCK)",
    SWAPS: "one order of two classes over the whole batch, or several, whose changes by disjoint neighbouring swaps add up "
    "(average precision, AUC, recall at k)",
    STRATA: "a metric whose steps are all comparisons, and cheap enough to be run twice for each kind of them",
}


def known(way: str) -> str:
    """The way, if there is one of that name."""
    if way not in WAYS:
        raise ValueError(f"no way to credit is named {way!r}; there are {', '.join(WAYS)}")
    return way


def impossible(way: str) -> MetricError:
    """The error for a way that was asked for and does not fit the metric."""
    return failure(
        "M2L513",
        f"credit by {way} does not fit this metric",
        f"it needs {_NEEDS[way]}",
        f'leave credit_by at "{BY_STRUCTURE}", or ask for "{FLIPS}", which fits every metric',
    )


def rows() -> str:
    """Said when rows are decided in closed form."""
    return f"{ROWS}: every row is a choice between two outcomes, worth the same whatever the others are; 2 evaluations"


def some(share: float) -> tuple[str, ...]:
    """What a report notes where not all swaps are evaluated."""
    return () if share == 1 else (f"{share:.0%} of the swaps are evaluated, drawn by chance",)


def chance(part: float) -> tuple[str, ...]:
    """What a report notes where examples pull an order less than their full part."""
    said = "chance has a say in which pairs of the order count"
    return () if part == 1 else (f"{said}: examples pull {part:.0%} as hard as they do without",)


def swaps(share: float, orders: int = 1) -> str:
    """Said when neighbouring swaps stand for all flips."""
    some = "all" if share == 1 else f"{share:.0%}, drawn by chance, of the"
    what = "one order of two classes" if orders == 1 else f"{orders} orders of two classes"
    return f"{SWAPS}: {what}, whose flips are sums of neighbouring swaps; {some} swaps evaluated"


def flips(evaluations: int, units: str, share: float) -> str:
    """Said when single binaries, or rows of choices, are flipped in sampled configurations."""
    part = f"{share:.0%}" if share >= 0.01 else f"{100 * share:.1g}%"
    some = "" if share == 1 else f", {part} of them drawn by chance"
    return f"{FLIPS}: {units} turned in sampled configurations; {evaluations:,} evaluations{some}"


def candidates(evaluations: int, by_row: bool) -> str:
    """Said when rows of choices are put on each of their candidates."""
    each = ", every row at once" if by_row else ""
    return f"{FLIPS}: rows of choices put on each of their candidates{each}; {evaluations:,} evaluations"


def anchors(evaluations: int, why: str) -> str:
    """Said when the paper's anchors stand in for flips."""
    return f"{ANCHORS}: {why}; inverse distances to {evaluations:,} evaluations"


def strata(count: int, evaluations: int) -> str:
    """Said when comparisons of one kind share their credit."""
    return f"{STRATA}: {count} kinds of comparisons, parts of each turned together; {evaluations:,} evaluations"


def evenly(why: str) -> str:
    """Said when no binary is told from another."""
    return f"{EVENLY}: {why}; every binary counts alike"
