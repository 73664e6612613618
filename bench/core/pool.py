"""Many training runs at once: one process a core, one thread a process, a progress bar over all, each kept as soon as it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.core.record import Outcome, Run, present, write
from bench.core.training import train

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


def train_all(
    runs: Iterable[Run],
    console: Console,
    workers: int | None = None,
    title: str = "training",
    folder: Path | None = None,
) -> list[Outcome]:
    """Every run's outcome, in the order of `runs`. With a folder, what lies there is not run again."""
    wanted = list(dict.fromkeys(runs))
    outcomes = {} if folder is None else present(folder, wanted)
    missing = [run for run in wanted if run not in outcomes]
    failed: list[str] = []
    with Progress(*COLUMNS, console=console) as progress:
        bar = progress.add_task(title, total=len(wanted), completed=len(outcomes))
        for run, result in results(missing, min(workers or os.cpu_count() or 1, len(missing))):
            if isinstance(result, Outcome):
                outcomes[run] = result
                if folder is not None:
                    write(result, folder)
            else:
                failed.append(f"{run.task}, {run.loss}, lr {run.learning_rate:g}, seed {run.seed}: {result}")
            progress.advance(bar)
    if failed:
        raise click.ClickException("\n".join([f"{len(failed)} of {len(wanted)} runs failed", *failed]))
    return [outcomes[run] for run in wanted]


def results(runs: list[Run], workers: int) -> Iterator[tuple[Run, Outcome | str]]:
    """Runs with what came of them, or with the error, as they end; a single worker is this process itself."""
    if workers <= 1:
        threads = torch.get_num_threads()
        for run in runs:
            yield run, attempt(run)
        torch.set_num_threads(threads)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        futures = {pool.submit(attempt, run): run for run in runs}
        for future in as_completed(futures):
            yield futures[future], future.result()


def attempt(run: Run) -> Outcome | str:
    """The outcome, or what went wrong: one bad run must not take the others with it."""
    try:
        return train(run)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is shown at the end, with the run)
        return f"{type(error).__name__}: {error}"


def end_with_parent() -> None:
    """A worker whose parent was killed ends too, instead of waiting for work for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
