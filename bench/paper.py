"""`python -m bench.paper`: the papers' tasks on their stand-ins with every system of the papers, tuned and tested, a JSON a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from bench.core.losses import ROOT, compile_metrics
from bench.core.pool import train_all
from bench.core.record import Outcome, Run
from bench.core.sweep import TUNING_SEEDS
from bench.core.tuning import best, search
from bench.core.unknown import UnknownName
from bench.handmade.heatmaps import SIGMAS
from bench.tasks import groups

RUNS = ROOT / "bench" / "runs" / "paper"
SEEDS = (0, 1, 2, 3, 4)

OURS = ("integrated", "idw", "pull")
RANKED = ("bce", "pairwise", "smooth-ap", "smooth-ap-1", *OURS, "relational", "relational-value")
CLASSED = ("ce", "focal", "ce+el-equal", "ce+el-late", "ce+el-gradual", "ce+integrated-gradual", *OURS)
LISTED = ("lambdarank", "listwise", "pairwise", *OURS)

# task -> (learning rates to start from, losses): widened where the best is at an end
SWEEPS: Mapping[str, tuple[Sequence[float], Sequence[str]]] = {
    "ap-8": ((3e-4, 1e-3, 3e-3), RANKED),
    "accuracy": ((3e-3, 1e-2, 3e-2), CLASSED),
    "pose": ((1e-3, 3e-3, 1e-2), (*(f"mse-{sigma:g}" for sigma in SIGMAS), "softmax-region", *OURS)),
    "ap-8-noisy": ((3e-4, 1e-3, 3e-3), RANKED),
    "ltr": ((3e-3, 1e-2, 3e-2), LISTED),
    "ap": ((3e-4, 1e-3, 3e-3), RANKED),
    "ap-noisy": ((3e-4, 1e-3, 3e-3), RANKED),
    "pose-long": ((1e-3, 3e-3, 1e-2), ("mse-1", "mse-3", "softmax-region", "integrated", "pull")),
    "pose-64": ((1e-3, 3e-3, 1e-2), ("mse-1", "softmax-region", "integrated", "pull")),
}


@click.command()
@click.option("--task", "wanted", multiple=True, metavar="NAME", help="Only this one (repeatable).")
@click.option("--seeds", default=len(SEEDS), show_default=True, help="How many; each splits the data anew.")
@click.option("--quick", is_flag=True, help="One epoch and one seed at one rate, into build: to see that all runs.")
@click.option("--again", default="", metavar="LOSS,...", help="Make the runs of these losses again.")
@click.option("--workers", default=None, type=int, help="Processes; one a core unless given.")
@click.option("--out", default=RUNS, type=click.Path(path_type=Path), help="Folder of the JSON.")
def main(wanted: tuple[str, ...], seeds: int, quick: bool, again: str, workers: int | None, out: Path) -> None:
    """Tune every loss on seeds of its own, then run it at the best rate. A killed sweep goes on where it was."""
    console = Console()
    known = {task.key: task for task in groups()["paper"]}
    for key in wanted:
        if key not in SWEEPS:
            raise click.UsageError(str(UnknownName("paper task", key, list(SWEEPS))))
    keys = [key for key in SWEEPS if key in wanted or not wanted]
    compile_metrics([known[key] for key in keys])
    folder = ROOT / "build" / "quick" if quick else out

    def train(title: str) -> Callable[[list[Run]], list[Outcome]]:
        return lambda runs: train_all(runs, console, workers, title, folder)

    for key in keys:
        for loss in filter(None, again.split(",")):
            for path in (folder / key / loss).glob("*.json"):
                path.unlink()
        rates, losses = SWEEPS[key]
        if quick:
            train(f"{key}, one epoch")([Run(key, loss, rates[1], 0, epochs=1) for loss in losses])
            continue
        found = search([(key, loss) for loss in losses], rates, TUNING_SEEDS, train(f"{key}, tuning"))
        chosen = {loss: best(found[key, loss]) for loss in losses}
        console.print(f"{key}: {', '.join(f'{loss} {rate:g}' for loss, rate in chosen.items())}", highlight=False)
        train(key)([Run(key, loss, chosen[loss], seed) for seed in range(seeds) for loss in losses])


if __name__ == "__main__":
    main()
