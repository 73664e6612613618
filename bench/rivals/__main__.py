"""`python -m bench.rivals`: losses of other packages on the learning tasks they are made for, a JSON a run."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from bench.core.losses import ROOT
from bench.core.record import Run
from bench.core.sweep import GRID, TEST_SEEDS, TUNING_SEEDS, trainer
from bench.core.tuning import best, search
from bench.core.unknown import UnknownName
from bench.rivals.losses import RIVALS, Rival

RUNS = ROOT / "bench" / "runs" / "rivals"


@click.command()
@click.option("--task", "wanted", multiple=True, metavar="NAME", help="Only this one (repeatable).")
@click.option("--quick", is_flag=True, help="One epoch and one seed at one rate, into build: to see that all runs.")
@click.option("--workers", default=None, type=int, help="Processes; one a core unless given.")
@click.option("--out", default=RUNS, type=click.Path(path_type=Path), help="Folder of the JSON.")
def main(wanted: tuple[str, ...], quick: bool, workers: int | None, out: Path) -> None:
    """Tune each on its seeds, then test it, as bench.learning does. A package that is not installed is skipped."""
    console = Console()
    for key in wanted:
        if key not in RIVALS:
            raise click.UsageError(str(UnknownName("task with rivals", key, list(RIVALS))))
    absent: set[str] = set()
    for key in RIVALS:
        if key in wanted or not wanted:
            here = [found for found in RIVALS[key] if found.installed]
            absent |= {found.package for found in RIVALS[key]} - {found.package for found in here}
            if quick:
                runs = [Run(key, found.name, 1e-2, 0, epochs=1) for found in here]
                trainer(ROOT / "build" / "quick", console, workers, key)(runs)
            else:
                compare(key, here, console, workers, out)
    for package in sorted(absent):
        console.print(f"{package} is not installed: its losses were skipped (pip install {package})", highlight=False)


def compare(key: str, rivals: list[Rival], console: Console, workers: int | None, out: Path) -> None:
    """One task: the rates, then the test seeds."""
    names = [found.name for found in rivals]
    scores = search(
        [(key, name) for name in names], GRID, TUNING_SEEDS, trainer(out, console, workers, f"{key}: tuning")
    )
    chosen = {name: best(scores[key, name]) for name in names}
    console.print(f"{key}: {', '.join(f'{name} {rate:g}' for name, rate in chosen.items())}", highlight=False)
    runs = [Run(key, name, rate, seed) for seed in TEST_SEEDS for name, rate in chosen.items()]
    trainer(out, console, workers, f"{key}: {len(TEST_SEEDS)} seeds")(runs)


if __name__ == "__main__":
    main()
