"""`python -m bench.correlation`: does a surrogate that is fitted to the metric's ranking follow the metric better than one fitted to its values?

ReLoss (ICLR 2022) says so of its losses. Here the network of `relational` is trained on 60 batches of a metric, by rank and
by value, and then asked, on batches that it has not seen, to rank configurations. "alone" is what the network starts from:
the mean agreement of the binaries with the best configuration.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import click
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import spearmanr, wilcoxon
from torch import Tensor

from bench.core.losses import ROOT
from bench.core.training import versions
from bench.values import Value, approximated
from metric2loss import compile_metric
from metric2loss.runtime.interpolants import Relational
from metric2loss.runtime.problem import Problem

RESULT = ROOT / "bench" / "runs" / "correlation.json"
TRAINING, UNSEEN, CONFIGURATIONS = 60, 20, 32

Batch = tuple[Tensor, ...]  # the metric's arguments, in its order


def ranked(n: int, quality: float) -> tuple[Tensor, Tensor]:
    """Scores of n items and which of them are relevant, one in five; the better, the higher the quality."""
    relevant = torch.rand(n) < 0.2
    relevant[:2] = torch.tensor([True, False])
    return torch.randn(n) + quality * relevant, relevant.long()


def classed(n: int, classes: int, quality: float) -> tuple[Tensor, Tensor]:
    labels = torch.arange(n) % classes
    scores = torch.randn(n, classes)
    scores[torch.arange(n), labels] += quality
    return scores, labels


def listed(quality: float) -> Batch:
    grades = torch.randint(0, 4, (6, 12))
    return torch.randn(6, 12) + quality * grades / 2, grades


def rated(quality: float) -> Batch:
    ratings = torch.arange(40) % 5
    return ratings, ratings + 2 * torch.randn(40) / (1 + quality)


def probable(quality: float) -> Batch:
    scores, labels = ranked(40, quality)
    return labels, torch.sigmoid(scores - quality / 2)


@dataclass(frozen=True)
class Case:
    """A metric file of examples/metrics, and its batches by quality of the scores."""

    metric: str
    batch: Callable[[float], Batch]
    scores: int = 0  # the place of the scores among the arguments


CASES = {
    "average precision": Case("average_precision:average_precision", lambda q: ranked(40, q)),
    "NDCG@10": Case("ndcg:ndcg_at_k", listed),
    "macro F1": Case("macro_f1:macro_f1", lambda q: classed(40, 4, q)),
    "F1": Case("f1_threshold:f1_score", probable, 1),
    "accuracy": Case("accuracy:accuracy", lambda q: classed(40, 4, q)),
    "ROC AUC": Case("roc_auc:roc_auc", lambda q: ranked(40, q)[::-1], 1),
    "quadratic kappa": Case("qwk:quadratic_weighted_kappa", rated, 1),
}


def agreement(problem: Problem) -> Tensor:
    """The share of the binaries that are not as in the best configuration, as a loss."""
    bits = problem.differences > 0
    return (bits != problem.best).double().mean() * problem.sign


def measure(case: Case, seed: int = 0) -> dict[str, list[float]]:
    """Rank correlation with the metric on every unseen batch, for each of the three."""
    torch.manual_seed(seed)
    criterion = compile_metric(f"examples.metrics.{case.metric}")(generator=torch.Generator().manual_seed(seed))
    fitted: dict[str, Relational] = {"rank": Relational(), "value": Relational(fit="value")}
    for _ in range(TRAINING):
        problem = problem_of(criterion, case)
        for network in fitted.values():
            network(problem)
    known: dict[str, Value] = {"alone": agreement}
    for name, network in fitted.items():
        known[name] = network.eval()
    found: dict[str, list[float]] = {name: [] for name in known}
    while len(found["alone"]) < UNSEEN:
        problem = problem_of(criterion, case)
        at = drawn(problem)
        true = problem.values_of(at)
        if float(true.max() - true.min()) < 1e-9:
            continue  # nothing to rank
        for name, system in known.items():
            guessed = approximated(system, problem, at)
            varies = max(guessed) - min(guessed) > 1e-12
            found[name].append(float(spearmanr(guessed, true.numpy()).statistic) if varies else 0.0)
    return found


def problem_of(criterion: Callable[..., Tensor], case: Case) -> Problem:
    """A new batch, of scores between chance and nearly perfect."""
    batch = list(case.batch(3 * float(torch.rand(()))))
    batch[case.scores] = batch[case.scores].float().requires_grad_()
    found: Problem = criterion.problem(*batch)  # type: ignore[attr-defined]
    return found


def drawn(problem: Problem) -> Tensor:
    """Configurations from the current one towards and away from the best: what a training meets, and its surroundings."""
    c = problem.differences.detach().double() / problem.temperature
    agrees = torch.sigmoid(torch.where(problem.best, c, -c))
    way = torch.rand(CONFIGURATIONS, 1, dtype=torch.double) * 2 - 1
    chance = torch.where(way > 0, agrees + way * (1 - agrees), agrees * (1 + way))
    return (torch.rand(CONFIGURATIONS, len(c), dtype=torch.double) < chance) == problem.best


def table(found: dict[str, dict[str, list[float]]]) -> Table:
    result = Table("rank correlation with the metric", *found)
    for name in ("alone", "rank", "value"):
        result.add_row(name, *(f"{mean(values[name]):.3f}" for values in found.values()))
    result.add_row("p, rank = value", *(f"{paired(values):.3f}" for values in found.values()))
    return result


def paired(values: dict[str, list[float]]) -> float:
    """Wilcoxon's test over the unseen batches; 1 where all are equal."""
    if values["rank"] == values["value"]:
        return 1.0
    return float(wilcoxon(values["rank"], values["value"]).pvalue)


@click.command()
@click.option("--out", default=RESULT, type=click.Path(path_type=Path), help="The JSON.")
def main(out: Path) -> None:
    """Train and ask both networks on seven metrics, write the JSON, print the table."""
    found = {name: measure(case) for name, case in track(CASES.items())}
    rounded = {
        metric: {name: [round(x, 4) for x in row] for name, row in rows.items()} for metric, rows in found.items()
    }
    body = {
        "training": TRAINING,
        "unseen": UNSEEN,
        "configurations": CONFIGURATIONS,
        "metrics": rounded,
        "versions": versions(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    Console().print(table(rounded))


if __name__ == "__main__":
    main()
