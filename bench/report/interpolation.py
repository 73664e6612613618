"""What interpolants know of the metric, without any training: the supplement's table 1 and ReLoss's claim, from their JSON."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

from scipy import stats

from bench.report.comparison import LEVEL
from bench.report.tables import listed, markdown, p_value

PUBLISHED = {
    "error": "the paper's L2, in hundredths, on its data: 0.19 0.19 0.57 2.83 8.49 12.25",
    "rank": "the paper's, on its data: 0.98 0.97 0.92 0.70 0.35 0.15",
}
MEASURED = {
    "error": "Root mean square error",
    "rank": "Rank correlation over all pairs, as published",
    "rank_within": "Rank correlation within a batch",
}
FITS = {"alone": "mean agreement with the best configuration", "rank": "fitted by rank", "value": "fitted by value"}


def loaded(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def approximation(file: Path) -> str:
    """Table 1 of the supplement, for every interpolant that has a value away from where it was made."""
    body = loaded(file)
    shown = [
        """### How well the interpolants know the metric (table 1 of the UniLoss supplement)

    python -m bench.table1

Binaries of the current configuration are turned at random, and the interpolant made for that batch says what the metric is
there. The protocol is weak: over all pairs of a training the rank correlation is high for whatever follows the current value. The
control says that nothing has changed; within a batch it knows nothing, and there the systems can be told apart."""
    ]
    for key, found in body["tasks"].items():
        for kind, title in MEASURED.items():
            rows = [[name, *map(number, values[kind])] for name, values in found["systems"].items()]
            beside = f" ({PUBLISHED[kind]})" if kind in PUBLISHED else ""
            shown.append(f"**{title}, {key}, {found['binaries']:,} binaries**{beside}")
            shown.append(markdown(["share of binaries turned", *body["distances"]], rows))
    return "\n\n".join(shown)


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("-", "−")


def ranking(file: Path) -> str:
    """ReLoss's claim on every metric that was measured."""
    metrics: dict[str, dict[str, list[float]]] = loaded(file)["metrics"]
    rows = [[title, *(number(mean(found[kind])) for found in metrics.values())] for kind, title in FITS.items()]
    tests = {metric: difference(found["rank"], found["value"]) for metric, found in metrics.items()}
    rows.append(["p, rank = value", *(p_value(p) for p in tests.values())])
    better = [m for m, p in tests.items() if p < LEVEL and mean(metrics[m]["rank"]) > mean(metrics[m]["value"])]
    worse = [m for m, p in tests.items() if p < LEVEL and mean(metrics[m]["rank"]) < mean(metrics[m]["value"])]
    return f"""### Fitted to the ranking or to the values (the claim of ReLoss)

    python -m bench.correlation

The network of `relational`, trained on batches of a metric by rank and by value, ranks configurations of batches it has not seen: mean
correlation with the metric's own ranking, Wilcoxon's test over those batches. Fitting the rank is better for {listed(better)}; fitting
the values is better for {listed(worse)}; elsewhere there is no difference to be seen.

{markdown(["", *metrics], rows)}"""


def difference(first: list[float], second: list[float]) -> float:
    """p of Wilcoxon's paired test; 1 where all pairs are equal."""
    return 1.0 if first == second else float(stats.wilcoxon(first, second).pvalue)
