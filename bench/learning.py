"""`python -m bench.learning`: every learning task with every loss, tuned and tested alike, a JSON a run."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from bench.core.losses import ROOT, compile_metrics
from bench.core.record import Run
from bench.core.sweep import COMPILED, DESCENT, LONGER, Plan, final_runs, losses_of, trainer, tune
from bench.core.unknown import UnknownName
from bench.tasks import groups

RUNS = ROOT / "bench" / "runs" / "learning"


@click.command()
@click.option("--task", "wanted", multiple=True, metavar="NAME", help="Only this one (repeatable).")
@click.option(
    "--quick", is_flag=True, help="One epoch and one seed at one rate, into build: to see that everything runs."
)
@click.option("--tune", "stage", flag_value="tune", help="Choose the learning rates only.")
@click.option(
    "--test", "stage", flag_value="test", help="The same as without: what is tuned already is not tuned again."
)
@click.option(
    "--again", default="", metavar="LOSS,...", help="Make the runs of these losses again, after a change of the engine."
)
@click.option("--compiled", default=",".join(COMPILED), show_default=True, metavar="NAME,...", help="Compiled losses.")
@click.option("--workers", default=None, type=int, help="Processes; one a core unless given.")
@click.option("--longer", is_flag=True, help=f"Train {LONGER.longer} times as long, with {', '.join(LONGER.compiled)}.")
@click.option("--sgd", is_flag=True, help=f"The tasks under SGD with momentum, with {', '.join(DESCENT.compiled)}.")
@click.option(
    "--out", default=None, type=click.Path(path_type=Path), help="Folder of the JSON; default: bench/runs/learning."
)
def main(
    wanted: tuple[str, ...],
    quick: bool,
    stage: str | None,
    again: str,
    compiled: str,
    workers: int | None,
    longer: bool,
    sgd: bool,
    out: Path | None,
) -> None:
    """Compare the compiled losses with hand-made ones. A killed sweep goes on where it was."""
    console = Console()
    if longer and sgd:
        raise click.UsageError("--longer and --sgd are two comparisons: one at a time")
    known = {task.key: task for task in groups()["descent" if sgd else "learning"]}
    for key in wanted:
        if key not in known:
            raise click.UsageError(str(UnknownName("learning task", key, list(known))))
    tasks = [known[key] for key in wanted] or list(known.values())
    compile_metrics(tasks)
    plan = LONGER if longer else DESCENT if sgd else Plan(tuple(filter(None, compiled.split(","))))
    folder = out or (RUNS.with_name("learning_longer") if longer else RUNS.with_name("descent") if sgd else RUNS)
    if quick:
        runs = [Run(task.key, loss, 1e-2, 0, epochs=1) for task in tasks for loss in losses_of(task, plan.compiled)]
        trainer(ROOT / "build" / "quick", console, workers, "learning")(runs)
        return
    for path in (
        p for task in tasks for loss in again.split(",") if loss for p in (folder / task.key / loss).glob("*")
    ):
        path.unlink()
    for task in tasks:
        chosen = tune(task, trainer(folder, console, workers, f"{task.key}: tuning"), plan)
        rates = ", ".join(f"{loss} {rate:g}" for loss, rate in chosen.rates.items())
        console.print(f"{task.key}: {rates}; best hand-made: {chosen.handmade}", highlight=False)
        if stage != "tune":
            train = trainer(folder, console, workers, f"{task.key}: {len(plan.seeds)} seeds")
            train(final_runs(task, chosen, plan))


if __name__ == "__main__":
    main()
