"""Many training runs at once: one process a core, one thread a process, a progress bar over all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.demo.training import Outcome, Run, train

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


def train_all(
    runs: Iterable[Run], console: Console, workers: int | None = None, title: str = "training"
) -> list[Outcome]:
    """Every run's outcome, in the order of `runs`."""
    wanted = list(runs)
    outcomes: dict[Run, Outcome] = {}
    count = min(workers or os.cpu_count() or 1, len(wanted)) or 1
    with (
        Progress(*COLUMNS, console=console) as progress,
        ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool,
    ):
        bar = progress.add_task(title, total=len(wanted))
        for future in as_completed([pool.submit(train, run) for run in wanted]):
            outcome = future.result()
            outcomes[outcome.run] = outcome
            progress.advance(bar)
    return [outcomes[run] for run in wanted]
