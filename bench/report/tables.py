"""Comparisons to tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.core.statistics import Estimate
from bench.report.comparison import Comparison, verdict

OURS = "integrated"
CONTROLS = ("idw", "pull")
LIMIT = 0.02  # how much a drop-in may lose
MARKS = {"better": " **+**", "worse": " **−**", "tie": ""}


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table whose first columns are aligned left and all others right."""
    lines = [head, [":--" if number < left else "--:" for number in range(len(head))], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(found: Estimate | None, digits: int = 3) -> str:
    return "–" if found is None else found.text(digits=digits)


def gain(found: Estimate | None, digits: int = 3) -> str:
    """Difference ± SE with its p-value, marked where it is significant."""
    if found is None:
        return "–"
    shown = found.text("+", digits).replace("-", "−")
    return shown if found.p is None else f"{shown} (p {p_value(found.p)}){MARKS[verdict(found)]}"


def p_value(p: float) -> str:
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0")


def main_table(tasks: Sequence[Comparison], controls: Sequence[str] = CONTROLS) -> str:
    """A row a task: the default, and what it gains on the best hand-made loss and on the controls."""
    rows = []
    for task in tasks:
        best = task.chosen.handmade
        row = [task.task.title, f"{best} {number(task.value(best))}", number(task.value(OURS))]
        rows.append([*row, *(gain(task.gain(OURS, other)) for other in (best, *controls))])
    head = ["task", "best hand-made", OURS, "against it", *(f"against `{name}`" for name in controls)]
    return markdown(head, rows)


def drop_in_table(tasks: Sequence[Comparison], controls: Sequence[str] = CONTROLS) -> str:
    """The same with every compiled loss at the hand-made loss's learning rate."""
    rows = []
    for task in tasks:
        best, rate = task.chosen.handmade, task.rate
        own = task.gain(OURS, best, rate)
        row = [task.task.title, f"{best} {number(task.value(best))}", f"{rate:g}", number(task.value(OURS, rate))]
        held = "–" if own is None else "yes" if own.mean >= -LIMIT else "no"
        rows.append([*row, gain(own), held, *(gain(task.gain(name, best, rate)) for name in controls)])
    head = ["task", "best hand-made", "rate", OURS, "against it", f"loses ≤ {LIMIT:g}", *(f"`{n}`" for n in controls)]
    return markdown(head, rows)


def loss_table(tasks: Sequence[Comparison]) -> str:
    """A row a task and loss: everything."""
    rows = []
    for task in tasks:
        for place, loss in enumerate(task.losses):
            best = task.chosen.handmade
            rows.append(
                [
                    task.task.title if place == 0 else "",
                    f"**{loss}**" if loss == best else loss,
                    number(task.value(loss), 4),
                    f"{task.chosen.rates[loss]:g}",
                    "" if loss == best else gain(task.gain(loss, best), 4),
                    f"{task.milliseconds(loss):.1f}",
                    str(task.broken(loss) or ""),
                ]
            )
    head = ["task", "loss", "test metric", "rate", "against the best hand-made", "ms a step", "broke down"]
    return markdown(head, rows, left=2)


def listed(names: Sequence[str]) -> str:
    return "; ".join(names) if names else "none"
