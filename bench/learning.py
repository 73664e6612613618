"""`python -m bench.learning`: every learning task (or, by switches, others) with every loss, tuned and tested alike, a JSON a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from bench.core.losses import ROOT, compile_metrics
from bench.core.record import Run
from bench.core.sweep import COMPILED, DESCENT, DEVELOPED, LONGER, Plan, final_runs, losses_of, trainer, tune
from bench.core.task import Task
from bench.core.unknown import UnknownName
from bench.tasks import groups

RUNS = ROOT / "bench" / "runs"


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
@click.option("--compiled", default="", metavar="NAME,...", help=f"Compiled losses; default: {','.join(COMPILED)}.")
@click.option("--workers", default=None, type=int, help="Processes; one a core unless given.")
@click.option("--longer", is_flag=True, help=f"Train {LONGER.longer} times as long, with {', '.join(LONGER.compiled)}.")
@click.option("--sgd", is_flag=True, help=f"The tasks under SGD with momentum, with {', '.join(DESCENT.compiled)}.")
@click.option(
    "--development",
    is_flag=True,
    help=f"The tasks that the defaults are set on, with {', '.join(DEVELOPED.compiled)} and seeds of their own.",
)
@click.option(
    "--out", default=None, type=click.Path(path_type=Path), help="Folder of the JSON; default: below bench/runs."
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
    development: bool,
    out: Path | None,
) -> None:
    """Compare the compiled losses with hand-made ones. A killed sweep goes on where it was."""
    console = Console()
    switches = {LONGER: longer, DESCENT: sgd, DEVELOPED: development}
    asked = [plan for plan, given in switches.items() if given]
    if len(asked) > 1:
        raise click.UsageError("--longer, --sgd and --development are comparisons of their own: one at a time")
    plan = asked[0] if asked else Plan()
    if compiled:
        plan = replace(plan, compiled=tuple(filter(None, compiled.split(","))))
    tasks = chosen_tasks(plan, wanted)
    compile_metrics(tasks)
    folder = out or RUNS / plan.folder
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


def chosen_tasks(plan: Plan, wanted: Sequence[str]) -> list[Task]:
    """Of the plan's group, those named, or all."""
    known = {task.key: task for task in groups()[plan.group]}
    for key in wanted:
        if key not in known:
            raise click.UsageError(str(UnknownName(f"{plan.group} task", key, list(known))))
    return [known[key] for key in wanted] or list(known.values())


if __name__ == "__main__":
    main()
