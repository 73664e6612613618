"""The learning tasks to their part of the page: who wins, by how much, and what a drop-in loses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scipy import stats

from bench.core.statistics import Estimate
from bench.core.sweep import LONGER, Plan
from bench.core.tuning import grid_text
from bench.report.comparison import Comparison, beyond_one_error, verdict
from bench.report.tables import CONTROLS, LIMIT, OURS, drop_in_table, listed, loss_table, main_table, p_value

Gain = Callable[[Comparison], Estimate | None]


def against_best(task: Comparison) -> Estimate | None:
    return task.gain(OURS, task.chosen.handmade)


def in_hindsight(task: Comparison) -> Estimate | None:
    return task.gain(OURS, task.hindsight)


def at_their_rate(task: Comparison) -> Estimate | None:
    return task.gain(OURS, task.chosen.handmade, task.rate)


def against(name: str) -> Gain:
    return lambda task: task.gain(OURS, name)


def named(tasks: Sequence[Comparison], gain: Gain, wanted: Callable[[Estimate], bool]) -> list[str]:
    """Keys of the tasks whose gain is of the wanted kind."""
    found = ((task.task.key, gain(task)) for task in tasks)
    return [key for key, estimate in found if estimate is not None and wanted(estimate)]


def count(tasks: Sequence[Comparison], gain: Gain) -> str:
    """`tally` of the tasks' gains."""
    return tally([found for task in tasks if (found := gain(task)) is not None])


def tally(gains: Sequence[Estimate]) -> str:
    """Better, tied, worse; and whether the tasks' gains as a whole are off zero."""
    kinds = [verdict(found) for found in gains]
    scaled = [found.mean / found.error for found in gains if found.error]
    whole = f"; over all tasks p {p_value(float(stats.wilcoxon(scaled).pvalue))}" if len(scaled) > 5 else ""
    better, ties, worse = (kinds.count(kind) for kind in ("better", "tie", "worse"))
    return f"better on {better}, tied on {ties}, worse on {worse}{whole}"


def by_kind(tasks: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    """What the engine knew of the tasks -> those tasks."""
    return {
        "Tasks the engine was developed on": [t for t in tasks if t.task.development],
        "Tasks fixed before the first run": [t for t in tasks if not t.task.development and not t.task.fresh],
        "Fresh tasks, which no change of the engine was tried on": [t for t in tasks if t.task.fresh],
    }


def summary(tasks: Sequence[Comparison]) -> str:
    """The top of the page."""
    split = [f"- {title} ({len(part)}): {count(part, against_best)}." for title, part in by_kind(tasks).items() if part]
    lost = named(tasks, at_their_rate, lambda e: e.mean < -LIMIT)
    behind = listed(named(tasks, against_best, beyond_one_error))
    lines = [
        f"`{OURS}`, the default, compiled from the plain metric, against the best hand-made loss of each of {len(tasks)}",
        "tasks, each loss at its own learning rate, paired t-test over seeds at 5 %:",
        "",
        *split,
        f"- Better: {listed(named(tasks, against_best, lambda e: verdict(e) == 'better'))}.",
        f"- Worse: {listed(named(tasks, against_best, lambda e: verdict(e) == 'worse'))}.",
        f"- Behind by more than one standard error, significant or not: {behind}.",
        f"- Against the hand-made loss that turns out best on the test data: {count(tasks, in_hindsight)}. Better: "
        + listed(named(tasks, in_hindsight, lambda e: verdict(e) == "better"))
        + ".",
        *(f"- Against `{name}`: {count(tasks, against(name))}." for name in CONTROLS),
        f"- As a drop-in, at the hand-made loss's own learning rate: {count(tasks, at_their_rate)}.",
        f"- As a drop-in it loses more than {LIMIT:g} on {len(lost)}: {listed(lost)}.",
        *fresh_lines([t for t in tasks if t.task.fresh]),
    ]
    return "\n".join(lines)


def fresh_lines(tasks: Sequence[Comparison]) -> list[str]:
    """More of the tasks that no change was tried on."""
    parts = [against_best, in_hindsight, *map(against, CONTROLS), at_their_rate]
    if not tasks or not all(part(task) for task in tasks for part in parts):
        return []
    controls = ", ".join(f"`{name}` {count(tasks, against(name))}" for name in CONTROLS)
    hindsight = f"against the hand-made loss that turns out best on the test data: {count(tasks, in_hindsight)}"
    return [f"- On the fresh tasks, {hindsight}; against {controls}; as a drop-in {count(tasks, at_their_rate)}."]


def tables_by_kind(tasks: Sequence[Comparison]) -> str:
    return "\n\n".join(f"**{title}**\n\n{main_table(part)}" for title, part in by_kind(tasks).items() if part)


def protocol(plan: Plan) -> str:
    """How rates and the best hand-made loss were chosen, and what the numbers are."""
    return f"""Every loss searches the same grid of learning rates ({grid_text(plan.grid)}), widened by half decades until the best rate lies
inside, on the validation data of seeds {in_words(plan.tuning)}. Seeds {plan.seeds[0]} to {plan.seeds[-1]} then split the data anew; all losses of
a seed share the split, the initial weights and the batches. The best hand-made loss is the one with the best validation
metric in the search, not the one that happens to be best on the test data. Wrong labels are in the training data alone. Numbers are
mean ± standard error over seeds; *against* is the paired difference, positive where `{OURS}` is better also where a low metric is good; marked **+** or **−** where a
paired t-test gives p < 0.05 (no correction for the number of tasks). Adam throughout, one CPU thread."""


def in_words(seeds: Sequence[int]) -> str:
    *first, last = map(str, seeds)
    return f"{', '.join(first)} and {last}" if first else last


def made_with(tasks: Sequence[Comparison]) -> str:
    """Versions, and the engine's commit."""
    versions = dict.fromkeys(
        f"Python {v['python']}, torch {v['torch']}, NumPy {v['numpy']}"
        for t in tasks
        for o in t.outcomes
        for v in [o.versions]
    )
    commits = dict.fromkeys(o.versions["commit"] for t in tasks for o in t.outcomes if o.run.loss == OURS)
    return f"Made with {listed(list(versions))}; `{OURS}` at commit {listed(list(commits))}."


def section(tasks: Sequence[Comparison]) -> str:
    """Tables and figures of the learning tasks."""
    runs = sum(len(task.outcomes) for task in tasks)
    return f"""## Learning: {len(tasks)} small tasks

    python -m bench.learning      # the {runs} runs behind this section, bench/runs/learning
    python -m bench.report

{protocol(Plan())}

{tables_by_kind(tasks)}

![Paired gains with 95 % intervals](figures/gains.svg)

### As a drop-in

Every loss at the learning rate that is best for the hand-made one.

{drop_in_table(tasks)}

### Every loss

The best hand-made loss in bold. *ms a step* is processor time of network, loss, backward and optimizer, median.

{loss_table(tasks)}

### Over the training

Training data dashed, validation data solid.

![Metric by epoch](figures/learning_curves.svg)

{made_with(tasks)}
"""


def longer_section(tasks: Sequence[Comparison]) -> str:
    """The same tasks with more steps."""
    worse = named(tasks, against_best, lambda e: verdict(e) == "worse")
    better = named(tasks, against_best, lambda e: verdict(e) == "better")
    return f"""### {LONGER.longer} times as long

    python -m bench.learning --longer

The tasks above take about a hundred steps. Whether that is why a loss is behind was asked after their results were known: here are the first
{len(tasks)} with {LONGER.longer} times as many steps, the same protocol from the grid {grid_text(LONGER.grid)}, {len(LONGER.seeds)} seeds. `{OURS}` against the best hand-made loss:
{count(tasks, against_best)}. Better: {listed(better)}. Worse: {listed(worse)}.

{main_table(tasks, ("pull",))}
"""
