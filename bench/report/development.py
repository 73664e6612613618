"""The development tasks to a page of their own: where the engine's defaults are set, and a change of it is judged."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.sweep import DEVELOPED
from bench.report.comparison import Comparison, beyond_one_error, verdict
from bench.report.learning import against, against_best, at_their_rate, count, made_with, named, protocol
from bench.report.tables import LIMIT, OURS, gain, listed, loss_table, markdown, number

CONTROL = "pull"


def page(tasks: Sequence[Comparison]) -> str:
    """docs/development.md."""
    runs = sum(len(task.outcomes) for task in tasks)
    return f"""# Development tasks

The defaults of `{OURS}` were last set on these {len(tasks)} tasks (tables of what was tried are in [interpolants](interpolants.md)), so they prove nothing
of it: that is what [results](results.md) are for, whose tasks have other metrics, data, networks or labels, and always other splits. This is where
a change of the engine is judged before those are run. The metrics are in `bench/metrics` and `examples/metrics`, the tasks in `bench/tasks/development.py`.

    python -m bench.learning --development      # the {runs} runs behind this page, bench/runs/development
    python -m bench.report
    python -m bench.compare FOLDER FOLDER       # of two engines' runs, the differences at the same rate and seed

{summary(tasks)}

{protocol(DEVELOPED)}

{table(tasks)}

## Every loss

The best hand-made loss in bold. *ms a step* is processor time of network, loss, backward and optimizer, median.

{loss_table(tasks)}

{made_with(tasks)}
"""


def summary(tasks: Sequence[Comparison]) -> str:
    """The lines at the top."""
    lost = named(tasks, at_their_rate, lambda e: e.mean < -LIMIT)
    lines = [
        f"`{OURS}` against the best hand-made loss: {count(tasks, against_best)}.",
        f"Better: {listed(named(tasks, against_best, lambda e: verdict(e) == 'better'))}.",
        f"Worse: {listed(named(tasks, against_best, lambda e: verdict(e) == 'worse'))}.",
        f"Behind by more than one standard error: {listed(named(tasks, against_best, beyond_one_error))}.",
        f"Against `{CONTROL}`: {count(tasks, against(CONTROL))}.",
        f"As a drop-in, at the hand-made loss's own rate: {count(tasks, at_their_rate)}.",
        f"As a drop-in it loses more than {LIMIT:g} on {len(lost)}: {listed(lost)}.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def table(tasks: Sequence[Comparison]) -> str:
    """A row a task; all differences are to the best hand-made loss."""
    rows = []
    for task in tasks:
        best = task.chosen.handmade
        rows.append(
            [
                f"{task.task.title} (`{task.task.key}`)",
                f"{best} {number(task.value(best))}",
                number(task.value(OURS)),
                gain(task.gain(OURS, best)),
                gain(task.gain(CONTROL, best)),
                gain(task.gain(OURS, best, task.rate)),
            ]
        )
    return markdown(["task", "best hand-made", OURS, "difference", f"`{CONTROL}`'s", "as a drop-in"], rows)
