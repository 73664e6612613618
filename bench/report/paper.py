"""The papers' tasks to their part of the page: our numbers on stand-in data beside the papers' own on theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.core.sweep import TUNING_SEEDS
from bench.report.comparison import Comparison
from bench.report.interpolation import approximation, ranking
from bench.report.tables import OURS, gain, listed, markdown, number

# task -> loss -> what the paper has, on its data
PUBLISHED: Mapping[str, Mapping[str, str]] = {
    "ap": {"bce": "0.9989 (CE, MNIST)", "idw": "0.9988 (MNIST)"},
    "accuracy": {
        "ce": "91.49 %, 65.90 %; 68.25 % (CIFAR-10, -100; -100 of Battash et al.)",
        "idw": "91.64 %, 65.92 % (CIFAR-10, -100)",
        "ce+el-gradual": "68.58 % (best of the three, CIFAR-100)",
    },
    "pose": {
        "mse-0.1": "91.31",
        "mse-0.5": "95.13",
        "mse-0.7": "93.06",
        "mse-1": "95.71",
        "mse-3": "95.74",
        "mse-5": "94.99",
        "mse-10": "92.25",
        "idw": "95.77",
    },
}
HEADINGS = {
    "ap": "Average precision (section 4.1 of UniLoss: on MNIST, 0 against the rest, it has 0.9988, cross entropy 0.9989)",
    "pose": "PCKh (table 1 of UniLoss: MPII heads, MSE at seven σ)",
    "accuracy": "Accuracy (table 2 of UniLoss: CIFAR; the schedules of Battash et al.)",
    "ltr": "NDCG@10 (LETOR files; no table of the papers)",
}


def table(task: Comparison) -> str:
    """A row a loss."""
    best = task.chosen.handmade
    published = PUBLISHED.get(task.task.key, {})
    rows = []
    for loss in task.losses:
        row = [
            f"**{loss}**" if loss == best else loss,
            number(task.value(loss), 4),
            f"{task.chosen.rates[loss]:g}",
            "" if loss == best else gain(task.gain(loss, best), 4),
            "" if loss == "idw" or "idw" not in task.losses else gain(task.gain(loss, "idw"), 4),
            f"{task.milliseconds(loss):.1f}",
        ]
        rows.append([*row, published.get(loss, "")] if published else row)
    head = ["loss", "test metric", "rate", "against the best hand-made", "against `idw`", "ms a step"]
    return markdown([*head, "the paper's, on its data"] if published else head, rows)


def parts(tasks: Sequence[Comparison]) -> str:
    """Every task under its heading; variants of one follow it."""
    shown, headed = [], set()
    for task in tasks:
        family = task.task.key.partition("-")[0]
        if family not in headed:
            headed.add(family)
            shown.append(f"### {HEADINGS.get(family, family)}")
        note = f" {task.task.note[:1].upper()}{task.task.note[1:]}." if task.task.note else ""
        seeds = len(task.tested(OURS)) if OURS in task.losses else 0
        shown.append(f"**{task.task.title}.**{note} {seeds} seeds.")
        shown.append(table(task))
    return "\n\n".join(shown)


def section(tasks: Sequence[Comparison], runs: Path) -> str:
    """All of it, as far as it was run."""
    what = f"seeds {' and '.join(map(str, TUNING_SEEDS))} tune, the others test"
    found = [
        f"""## The papers' tasks, on stand-in data

    python -m bench.paper         # bench/runs/paper
    python -m bench ap --data FOLDER_OF_MNIST --loss bce,idw,integrated --seeds 5

The networks and the data are small ones of the same kind, so our numbers and the papers' are not comparable with each other;
comparable is who is ahead of whom. Learning rates as above: {what}."""
    ]
    if tasks:
        found.append(parts(tasks))
        found.append("![Metric by epoch](figures/paper_curves.svg)")
    found += [
        shown(runs / name)
        for name, shown in (("table1.json", approximation), ("correlation.json", ranking))
        if (runs / name).exists()
    ]
    absent = [key for key in HEADINGS if all(task.task.key.partition("-")[0] != key for task in tasks)]
    if absent:
        found.append(f"Not run: {listed(absent)}.")
    return "\n\n".join(found) + "\n"
