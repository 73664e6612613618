"""What a loss costs: forward and backward in one thread, beside hand-made losses of the same batch, in one run.

python -m bench.speed                          all rows, as a table
python -m bench.speed "AP default" --json bench/runs/speed.json --page docs/speed.md
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from metric2loss.compiler import compile_text

ROOT = Path(__file__).resolve().parents[1]
METRICS = ROOT / "examples" / "metrics"
Run = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One row: our loss, what it is measured against, and what was asked of it."""

    name: str
    ours: Callable[[], Run]
    rivals: dict[str, Callable[[], Run]] = field(default_factory=dict)
    target: str = ""
    rounds: int = 15


@dataclass(frozen=True)
class Row:
    """One measured row: medians in milliseconds of processor time of the one thread."""

    name: str
    ours: float
    rivals: dict[str, float]
    target: str

    def ratio(self, rival: str) -> float:
        """Ours over the rival's."""
        return self.ours / self.rivals[rival]


# --- losses and data


@cache
def compiled(stem: str) -> Any:
    """The loss class of an example metric, by the compiler."""
    path = METRICS / f"{stem}.py"
    made = compile_text(path.read_text(encoding="utf-8"), str(path))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{stem}_loss.py"
        file.write_text(made.text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"{stem}_loss", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    return getattr(module, made.metrics[0].class_name)


def metric(stem: str, name: str) -> Callable[..., Any]:
    """The user's function itself."""
    spec = importlib.util.spec_from_file_location(stem, METRICS / f"{stem}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)  # type: ignore[no-any-return]


def backward(loss: Callable[..., Tensor], scores: Tensor, *others: Any) -> Run:
    """One step of training without a model."""

    def run() -> None:
        scores.grad = None
        torch.autograd.backward(loss(scores, *others))

    return run


def ranking(n: int) -> tuple[Tensor, Tensor]:
    """Scores of n items, a quarter of them relevant."""
    torch.manual_seed(0)
    return torch.randn(n, requires_grad=True), (torch.arange(n) % 4 == 0).long()


def ours_ap(n: int, interpolant: str = "integrated") -> Run:
    scores, labels = ranking(n)
    return backward(compiled("average_precision")(interpolant), scores, labels.numpy())


# --- rivals; those that are not installed are said to be absent


def pairwise(n: int) -> Run:
    """The logistic loss of every pair of a relevant and another item: as many binaries as ours."""
    scores, labels = ranking(n)
    return backward(lambda x: functional.softplus(x[labels == 0] - x[labels == 1].unsqueeze(1)).mean(), scores)


def softtorch(n: int) -> Run:
    """Average precision from SoftTorch's soft comparison."""
    st = importlib.import_module("softtorch")
    scores, labels = ranking(n)
    good = labels == 1

    def loss(x: Tensor) -> Tensor:
        above = st.greater(x.unsqueeze(0), x[good].unsqueeze(1), softness=0.1)
        found: Tensor = 1 - (above[:, good].sum(1) / above.sum(1).clamp(min=1e-6)).mean()
        return found

    return backward(loss, scores)


def libauc(n: int) -> Run:
    """LibAUC's loss of average precision."""
    made = importlib.import_module("libauc.losses").APLoss(data_len=n)
    scores, labels = ranking(n)
    places = torch.arange(n)
    return backward(lambda x: made(torch.sigmoid(x)[:, None], labels[:, None].float(), places), scores)


def torchsort(n: int) -> Run:
    """Average precision from torchsort's soft ranks."""
    soft_rank = importlib.import_module("torchsort").soft_rank
    scores, labels = ranking(n)
    good = labels == 1

    def loss(x: Tensor) -> Tensor:
        rank = soft_rank(-x.unsqueeze(0), regularization_strength=0.1)[0][good]
        within = rank.detach().argsort().argsort() + 1
        found: Tensor = 1 - (within / rank).mean()
        return found

    return backward(loss, scores)


def accuracy(rows: int, classes: int, encoding: str = "pairs") -> Run:
    torch.manual_seed(0)
    scores, labels = torch.randn(rows, classes, requires_grad=True), torch.randint(classes, (rows,))
    return backward(compiled("accuracy")(encoding=encoding), scores, labels.numpy())


def cross_entropy(rows: int, classes: int) -> Run:
    torch.manual_seed(0)
    scores, labels = torch.randn(rows, classes, requires_grad=True), torch.randint(classes, (rows,))
    return backward(functional.cross_entropy, scores, labels)


def pck() -> Run:
    """16 heat maps of 64 × 64 pixels."""
    torch.manual_seed(0)
    maps, joints = torch.randn(2, 8, 64, 64, requires_grad=True), torch.randint(8, 56, (2, 8, 2))
    return backward(compiled("pckh")(), maps, joints.numpy(), np.full(2, 9.0))


def anchors_of_g(n: int) -> Run:
    """g of average precision at the 49 anchors."""
    from metric2loss.runtime.anchors import Anchors
    from metric2loss.runtime.groups import Rows

    scores, labels = ranking(n)
    problem = compiled("average_precision")("idw").problem(scores, labels.numpy())
    anchors = Anchors.drawn_for(problem, Rows(1, None), 16)
    return lambda: anchors.values(problem, Rows(1, None))


def plain_metric(n: int) -> Run:
    """The user's function, 49 times."""
    function, rng = metric("average_precision", "average_precision"), np.random.default_rng(0)
    draws, labels = rng.normal(size=(49, n)), (np.arange(n) % 4 == 0).astype(int)
    return lambda: [function(scores, labels) for scores in draws]


_MANY = 7304  # items: 1826 · 5478 = 10^7 pairs
_AP = {"SoftTorch pairs": softtorch, "LibAUC APLoss": libauc, "torchsort": torchsort, "pairwise logistic": pairwise}


def _of(n: int) -> dict[str, Callable[[], Run]]:
    return {name: (lambda make=make: make(n)) for name, make in _AP.items()}  # type: ignore[misc]


CASES = (
    Case("AP default, n = 128", lambda: ours_ap(128), _of(128), "≤ 3 ms, aim 3 × SoftTorch", 40),
    Case("AP default, n = 512", lambda: ours_ap(512), _of(512), "≤ 8 ms, aim 3 × SoftTorch", 30),
    Case("AP default, n = 2048", lambda: ours_ap(2048), _of(2048), "≤ 40 ms, aim 3 × SoftTorch"),
    Case(
        "AP pull, n = 128", lambda: ours_ap(128, "pull"), {"pairwise logistic": lambda: pairwise(128)}, "≤ 0.8 ms", 40
    ),
    Case("AP idw, 49 anchors, n = 128", lambda: ours_ap(128, "idw"), _of(128), "≤ 20 ms, aim 2 ms", 40),
    Case(
        "AP idw, 10^7 binaries",
        lambda: ours_ap(_MANY, "idw"),
        {"pairwise logistic": lambda: pairwise(_MANY)},
        "≤ 2 ×, aim 1.2 ×",
        5,
    ),
    Case(
        "AP pull, 10^7 binaries",
        lambda: ours_ap(_MANY, "pull"),
        {"pairwise logistic": lambda: pairwise(_MANY)},
        "≤ 2 ×, aim 1.2 ×",
        5,
    ),
    Case(
        "g at 49 anchors, AP, n = 512",
        lambda: anchors_of_g(512),
        {"49 runs of the metric": lambda: plain_metric(512)},
        "≤ 1 ×, aim 0.4 ×",
        40,
    ),
    Case("accuracy 128 × 10", lambda: accuracy(128, 10), {"CE": lambda: cross_entropy(128, 10)}, "≤ 1.5 ms", 40),
    Case(
        "accuracy 128 × 1000", lambda: accuracy(128, 1000), {"CE": lambda: cross_entropy(128, 1000)}, "≤ 12 ×, aim 5 ×"
    ),
    *(
        Case(
            f"accuracy 128 × 1000, {encoding}",
            lambda encoding=encoding: accuracy(128, 1000, encoding),  # type: ignore[misc]
            {"CE": lambda: cross_entropy(128, 1000)},
            "≤ 3 ×, aim 1.2 ×",
        )
        for encoding in ("margin", "margin-lse")
    ),
    Case("PCK, 16 heat maps 64 × 64", pck, {}, "≤ 100 ms, aim 10 ms", 8),
)
_WARM = 17  # the search for the best configuration is repeated at batches 1, 2, 4, 8, 16


def measured(case: Case) -> tuple[Row, list[str]]:
    """Ours and the rivals in turn, so that a busy machine slows all of them."""
    runs, absent = {"": case.ours()}, []
    for name, make in case.rivals.items():
        try:
            runs[name] = make()
            runs[name]()
        except ImportError as error:
            absent.append(f"{name} ({error.name})")
            runs.pop(name, None)
    for _ in range(_WARM):
        runs[""]()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(case.rounds):
        for name, run in runs.items():
            start = time.thread_time()
            run()
            times[name].append(1e3 * (time.thread_time() - start))
    medians = {name: median(found) for name, found in times.items()}
    return Row(case.name, medians.pop(""), medians, case.target), absent


# --- growth and memory, each size in a process of its own


def grown(interpolant: str, pairs: int) -> dict[str, float]:
    """Milliseconds and peak floats per binary (beyond the process before the first batch) of one step."""
    code = f"from bench.speed import in_child; in_child({interpolant!r}, {pairs})"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(made.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def in_child(interpolant: str, pairs: int) -> None:
    """Prints what `grown` returns."""
    torch.set_num_threads(1)
    n = max(4, round((pairs * 16 / 3) ** 0.5))
    n -= n % 4
    warm = pairwise if interpolant == "pairwise logistic" else (lambda k: ours_ap(k, interpolant))
    warm(16)()
    gc.collect()
    before = _resident()
    run = warm(n)
    run()
    first = _peak() - before
    rounds = 3 if pairs >= 10**6 else 8
    for _ in range(3 if pairs >= 10**6 else _WARM):
        run()
    _reset_peak()
    before_steps = min(before, _resident())
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        run()
        times.append(1e3 * (time.thread_time() - start))
    binaries = n // 4 * (n - n // 4)
    peak = max(_peak() - before_steps, 0)
    print(
        json.dumps(
            {"binaries": binaries, "ms": median(times), "floats": peak / 4 / binaries, "first": first / 4 / binaries}
        )
    )


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    """The largest resident size so far, in bytes."""
    import resource

    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        pass  # then the peak is that of the first batches, which is larger


def growth(most: int) -> dict[str, list[dict[str, float]]]:
    """Time and memory for 10^2 … 10^most binaries."""
    kinds = ("integrated", "idw", "pull", "pairwise logistic")
    return {kind: [grown(kind, 10**power) for power in range(2, most + 1)] for kind in kinds}


def drawn(found: dict[str, list[dict[str, float]]], file: Path) -> None:
    """Time and memory against the number of binaries."""
    from matplotlib import pyplot as plt

    plt.rcParams["svg.hashsalt"] = "speed"
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for kind, points in found.items():
        style = "--" if kind == "pairwise logistic" else "-"
        sizes = [point["binaries"] for point in points]
        left.loglog(sizes, [point["ms"] for point in points], style, marker=".", label=kind)
        large = [point for point in points if point["binaries"] >= 10**5]
        right.semilogx([p["binaries"] for p in large], [p["floats"] for p in large], style, marker=".", label=kind)
    left.set(xlabel="binaries", ylabel="forward and backward, ms")
    right.set(xlabel="binaries", ylabel="peak memory, floats a binary")
    left.legend(frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


# --- what is shown


def lines(rows: list[Row]) -> Iterator[tuple[str, str, str, str]]:
    """Name, ours, the rivals with ratios, target."""
    for row in rows:
        against = ", ".join(f"{name} {ms:.2f} ({row.ratio(name):.1f} ×)" for name, ms in row.rivals.items())
        yield row.name, f"{row.ours:.2f}", against, row.target


def page(rows: list[Row], absent: list[str], sizes: dict[str, list[dict[str, float]]], machine: str) -> str:
    """docs/speed.md."""
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines(rows))
    said = f"Not installed, so not measured: {', '.join(absent)}.\n\n" if absent else ""
    last = {kind: points[-1] for kind, points in sizes.items() if points}
    most = "\n".join(
        f"| {kind} | {p['binaries']:,.0f} | {p['ms']:.0f} | {p['floats']:.1f} | {p['first']:.1f} |"
        for kind, p in last.items()
    )
    return f"""# Speed

    python -m bench.speed --growth 7 --json bench/runs/speed.json --page docs/speed.md --figure docs/figures/speed.svg

Forward and backward, one thread, medians of processor time, ours and the others in turn in one process; a ratio above one
means that ours takes longer. Losses are compiled from `examples/metrics`. A quarter of the items is relevant. {machine}

| case | ours, ms | beside, ms (ours / theirs) | asked for |
| --- | --- | --- | --- |
{table}

{said}The largest batches of average precision, each in a process of its own; memory is the peak of a step beyond the process
before it, divided by the number of binaries (float32). The first batch also searches for the best configuration.

| interpolant | binaries | ms | floats a binary | first batch |
| --- | --- | --- | --- | --- |
{most}

![Time and memory grow linearly with the number of binaries](figures/speed.svg)
"""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--growth", "most", default=0, help="also measure 10^2 … 10^N binaries")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
@click.option("--page", "page_file", type=click.Path(path_type=Path))
@click.option("--figure", type=click.Path(path_type=Path))
def main(
    names: tuple[str, ...], most: int, json_file: Path | None, page_file: Path | None, figure: Path | None
) -> None:
    """Measure the cases whose names contain one of NAMES (all without)."""
    torch.set_num_threads(1)
    rows, absent = [], set()
    for case in CASES:
        if not names or any(name in case.name for name in names):
            row, missing = measured(case)
            rows.append(row)
            absent.update(missing)
    table = Table("case", "ours, ms", "beside", "asked for")
    for line in lines(rows):
        table.add_row(*line)
    Console(width=None if sys.stdout.isatty() else 160).print(table, *sorted(f"absent: {name}" for name in absent))
    sizes = growth(most) if most else {}
    machine = (
        f"Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()}, {os.cpu_count()} cores, "
        f"{os.getloadavg()[2]:.0f} programs running or waiting on average of a quarter of an hour: processor time does not "
        "count the waiting, but what others leave in the caches makes long rows slower than short ones."
    )
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        found = {"machine": machine, "rows": [asdict(row) for row in rows], "absent": sorted(absent), "growth": sizes}
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if page_file is not None:
        page_file.write_text(page(rows, sorted(absent), sizes, machine), encoding="utf-8")
    if figure is not None and sizes:
        drawn(sizes, figure)


if __name__ == "__main__":
    main()
