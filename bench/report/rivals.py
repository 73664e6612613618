"""Losses of other packages to their part of the page: the default, compiled from the metric, beside each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bench.core.record import Outcome
from bench.report.comparison import Comparison, verdict
from bench.report.tables import OURS, gain, listed, markdown, number
from bench.rivals.losses import rival

HEAD = ["task", "loss", "test metric", "rate", f"`{OURS}` against it", "ms a step", "broke down"]


def joined(tasks: Sequence[Comparison], others: Iterable[Outcome]) -> list[Comparison]:
    """Those learning tasks that rivals were run on, with the rivals' runs."""
    grouped: dict[str, list[Outcome]] = {}
    for outcome in others:
        grouped.setdefault(outcome.run.task, []).append(outcome)
    return [replace(t, outcomes=(*t.outcomes, *grouped[t.task.key])) for t in tasks if t.task.key in grouped]


def rivals_of(task: Comparison) -> list[str]:
    return [loss for loss in task.losses if rival(task.task.key, loss) is not None]


def against(tasks: Sequence[Comparison]) -> dict[str, list[str]]:
    """Verdict on the default -> 'task (rival)' of every comparison with that verdict."""
    found: dict[str, list[str]] = {"better": [], "tie": [], "worse": []}
    for task in tasks:
        for loss in rivals_of(task):
            difference = task.gain(OURS, loss)
            if difference is not None:
                found[verdict(difference)].append(f"{task.task.key} ({loss})")
    return found


def table(tasks: Sequence[Comparison]) -> str:
    rows = []
    for task in tasks:
        best = task.chosen.handmade
        for place, loss in enumerate([best, OURS, *rivals_of(task)]):
            rows.append(
                [
                    task.task.title if place == 0 else "",
                    f"{loss} (best hand-made)" if loss == best else loss,
                    number(task.value(loss), 4),
                    f"{task.chosen.rates[loss]:g}",
                    "" if loss == OURS else gain(task.gain(OURS, loss), 4),
                    f"{task.milliseconds(loss):.1f}",
                    str(task.broken(loss) or ""),
                ]
            )
    return markdown(HEAD, rows, left=2)


def meanings(tasks: Sequence[Comparison]) -> str:
    """A line a loss."""
    known = {found.name: found.what for t in tasks for name in rivals_of(t) if (found := rival(t.task.key, name))}
    return "\n".join(f"- `{name}`: {what}." for name, what in known.items())


def section(tasks: Sequence[Comparison]) -> str:
    found = against(tasks)
    packages = dict.fromkeys(str(o.settings["package"]) for t in tasks for o in t.outcomes if "package" in o.settings)
    return f"""## Other packages

    python -m bench.rivals        # with libauc, softtorch and torchsort installed beside; bench/runs/rivals

Losses that install, on the tasks they are made for, by the same protocol: same splits, initial weights and batches, a learning rate
each from the same grid. `{OURS}` against them: better on {len(found["better"])}, tied on {len(found["tie"])}, worse on {len(found["worse"])}.
Worse: {listed(found["worse"])}. Tied: {listed(found["tie"])}.

{table(tasks)}

{meanings(tasks)}

SoftTorch and torchsort know no metric: the metric is written anew with their operations, at their default softness of 0.1 (Adam, as all
hand-made losses). LibAUC recommends a sampler that fills batches with positives; here it gets the batches that all others get, and its own
optimizers. Its `NDCGLoss` wants lists with a fixed number of relevant documents and is not among these. Made with {listed(list(packages))}.
"""
