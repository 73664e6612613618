"""`python -m bench.table1`: how well interpolants know the metric away from where they were made (the UniLoss supplement's table 1).

At every step of a training, binaries of the current configuration are turned at random, a share of them; each interpolant
made for that batch says what the metric is there, and is compared with the exact value. The control says that nothing has
changed: it predicts the metric of the current configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import spearmanr

from bench.core.losses import ROOT, compile_metrics, surrogate_of
from bench.core.names import Compiled
from bench.core.task import Task
from bench.core.training import versions
from bench.tasks import named
from bench.values import Value, approximated, turned
from metric2loss.runtime.interpolants import Idw, Multilinear, Relational
from metric2loss.runtime.problem import Problem

RESULT = ROOT / "bench" / "runs" / "table1.json"
DISTANCES = {"0": 0.0, "1/512": 1 / 512, "1/128": 1 / 128, "1/32": 1 / 32, "1/8": 1 / 8, "1/2": 1 / 2}
TASKS = {"ap-8": 3e-3, "accuracy": 1e-2}  # learning rates of the training that configurations are met in
CONTROL = "current value (control)"
BATCH = 128


@dataclass(frozen=True)
class Pairs:
    """Approximated and true values, [steps, samples], at one distance."""

    approximated: np.ndarray
    true: np.ndarray

    def error(self) -> float:
        """Root mean square, in units of the metric."""
        return float(np.sqrt(np.mean((self.approximated - self.true) ** 2)))

    def rank(self) -> float | None:
        """Spearman's correlation over all pairs, whatever step they are of."""
        return correlation(self.approximated.reshape(-1), self.true.reshape(-1))

    def within(self) -> float | None:
        """Its mean over steps, each by itself; a step whose values are all equal says nothing."""
        found = [correlation(a, t) for a, t in zip(self.approximated, self.true) if np.ptp(t) > 0]
        known = [0.0 if rho is None else rho for rho in found]
        return float(np.mean(known)) if known else None


def correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """None where one of the two does not vary."""
    if np.ptp(a) < 1e-12 or np.ptp(b) < 1e-12:
        return None
    return float(spearmanr(a, b).statistic)


def systems() -> dict[str, Value]:
    """Every interpolant whose value depends on the configuration; that of the others is exact where they are made, and only there."""
    return {
        "idw": Idw(),
        "idw, power 2": Idw(power=2.0),
        "idw, power 4": Idw(power=4.0),
        "relational": Relational(),
        "relational, by value": Relational(fit="value"),
        "multilinear": Multilinear(samples=1, budget=1),  # a configuration is a corner, where one sample is exact
        CONTROL: current,
    }


def current(problem: Problem) -> torch.Tensor:
    """The loss of a configuration where nothing has changed: what `integrated` and `pull` have for a value."""
    return torch.tensor(abs(problem.best_value - problem.metric))


def measure(task: Task, rate: float, steps: int, samples: int, seed: int = 0) -> dict[str, object]:
    """Train with `idw`; at every step compare every system at every distance."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    data = task.split(seed, "bundled")
    network = task.network()
    generator = torch.Generator().manual_seed(seed)
    criterion = surrogate_of(task, Compiled("idw"), steps, seed)
    optimizer = task.optimizer(network.parameters(), rate)
    known = systems()
    kept: dict[str, dict[str, list[list[float]]]] = {name: {key: [] for key in DISTANCES} for name in (*known, "true")}
    binaries = 0
    for _ in track(range(steps), description=task.key):
        rows = torch.randperm(len(data.train[0]), generator=generator)[:BATCH]
        inputs, *targets = (array[rows] for array in data.train)
        scores = network(inputs)
        problem = criterion.problem(scores, *targets)
        binaries = problem.size
        learn(known, problem)
        for key, share in DISTANCES.items():
            at = turned(problem.bits, round(share * problem.size), samples, generator)
            kept["true"][key].append(problem.values_of(at).tolist())
            for name, system in known.items():
                kept[name][key].append(approximated(system, problem, at))
        loss = criterion(scores, *targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"binaries": binaries, "batch": BATCH, "systems": {name: row(kept[name], kept["true"]) for name in known}}


def learn(known: Mapping[str, Value], problem: Problem) -> None:
    """Those that are learned get their steps at this batch, as in a training."""
    for system in known.values():
        if isinstance(system, Relational):
            system.train()
            system(problem)
            system.eval()


def row(
    values: Mapping[str, list[list[float]]], true: Mapping[str, list[list[float]]]
) -> dict[str, list[float | None]]:
    pairs = [Pairs(np.array(values[key]), np.array(true[key])) for key in DISTANCES]
    return {
        "error": [short(p.error()) for p in pairs],
        "rank": [short(p.rank()) for p in pairs],
        "rank_within": [short(p.within()) for p in pairs],
    }


def short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def table(title: str, systems: Mapping[str, Mapping[str, Sequence[float | None]]], measured: str) -> Table:
    result = Table("share of binaries turned", *DISTANCES, title=title, title_justify="left")
    for name, found in systems.items():
        result.add_row(name, *("–" if value is None else f"{value:.3f}" for value in found[measured]))
    return result


@click.command()
@click.option("--steps", default=40, show_default=True, help="Of the training, each with its own configurations.")
@click.option("--samples", default=8, show_default=True, help="Configurations at each distance of a step.")
@click.option("--out", default=RESULT, type=click.Path(path_type=Path), help="The JSON.")
def main(steps: int, samples: int, out: Path) -> None:
    """Measure on average precision and accuracy, write the JSON, print the tables."""
    console = Console()
    tasks = {key: replace(named(key), augment=None) for key in TASKS}
    compile_metrics(list(tasks.values()))
    found = {key: measure(task, TASKS[key], steps, samples) for key, task in tasks.items()}
    body = {"steps": steps, "samples": samples, "distances": list(DISTANCES), "tasks": found, "versions": versions()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    for key, measured in body["tasks"].items():  # type: ignore[attr-defined]
        for kind, what in (
            ("error", "root mean square error"),
            ("rank", "rank correlation"),
            ("rank_within", "the same within a batch"),
        ):
            console.print(table(f"{named(key).title}: {what}", measured["systems"], kind))


if __name__ == "__main__":
    main()
