"""How long the whole command `metric2loss compile FILE` takes on a warm machine, and which stage takes it.

python -m bench.compile_time                      all examples, as a table
python -m bench.compile_time accuracy ndcg --json build/compile_time.json
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
METRICS = ROOT / "examples" / "metrics"

# What `driver` wraps with a clock: the stages by the names under which the compiler calls them.
STAGES = {
    "parse": ("parse",),
    "resolve": ("resolve",),
    "analyse": ("analyse",),
    "factor": ("factor", "obstacles", "find_rows"),
    "generate": ("unit_of", "generate", "header_of", "library_of", "report_of"),
}
IMPORTS = "import of libcst and the compiler"
REST = "interpreter, command line, writing"

# Runs in a fresh interpreter, so that imports are paid for as in the command.
DRIVER = f"""
import json, sys, time
from pathlib import Path

start = time.perf_counter()
import metric2loss.compiler as compiler
seconds = {{{IMPORTS!r}: time.perf_counter() - start}}

def timed(stage, function):
    def run(*args, **kwargs):
        begin = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - begin
    return run

for stage, names in {STAGES!r}.items():
    for name in names:
        setattr(compiler, name, timed(stage, getattr(compiler, name)))
text = Path(sys.argv[1]).read_text(encoding="utf-8")
compiler.compile_text(text, sys.argv[1])
print(json.dumps(seconds))
"""


@dataclass(frozen=True)
class Timing:
    """Medians in milliseconds for one file."""

    file: str
    command: float
    stages: dict[str, float]


def command_seconds(path: Path, directory: str) -> float:
    """Wall time of the real command, from start to exit."""
    output = Path(directory) / f"{path.stem}_loss.py"
    arguments = [sys.executable, "-m", "metric2loss", "compile", str(path), "-o", str(output), "--force"]
    start = time.perf_counter()
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def stage_seconds(path: Path) -> dict[str, float]:
    """The same compilation with a clock around each stage."""
    arguments = [sys.executable, "-c", DRIVER, str(path)]
    answer = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(answer.stdout)
    return {stage: found[stage] for stage in (IMPORTS, *STAGES)}


def measure(path: Path, repeats: int) -> Timing:
    """Medians over `repeats` runs after one that warms the caches; what no stage accounts for is the rest."""
    with tempfile.TemporaryDirectory() as directory:
        command = 1000 * median([command_seconds(path, directory) for _ in range(repeats + 1)][1:])
    runs = [stage_seconds(path) for _ in range(repeats)]
    stages = {stage: 1000 * median(run[stage] for run in runs) for stage in runs[0]}
    stages[REST] = max(command - sum(stages.values()), 0.0)
    return Timing(path.stem, command, stages)


def table(timings: Sequence[Timing]) -> Table:
    """A row a file, a column a stage; the last row is the median over files."""
    result = Table(title="metric2loss compile, milliseconds (warm medians)", title_justify="left")
    names = list(timings[0].stages)
    for column in ("file", "command", *names):
        result.add_column(column, justify="left" if column == "file" else "right", overflow="fold")
    for timing in timings:
        result.add_row(timing.file, f"{timing.command:.0f}", *(f"{timing.stages[name]:.1f}" for name in names))
    total = median(timing.command for timing in timings)
    shares = [median(timing.stages[name] for timing in timings) for name in names]
    result.add_section()
    result.add_row("median", f"{total:.0f}", *(f"{share:.1f} ({100 * share / total:.0f} %)" for share in shares))
    return result


@click.command()
@click.argument("names", nargs=-1)
@click.option("--repeats", default=5, show_default=True)
@click.option("--json", "output", type=click.Path(path_type=Path), help="Also write the numbers to this file.")
def main(names: tuple[str, ...], repeats: int, output: Path | None) -> None:
    """Time the command on the example metrics, or on those named."""
    wanted = [METRICS / f"{name}.py" for name in names] or sorted(METRICS.glob("*.py"))
    timings = [measure(path, repeats) for path in wanted if not path.stem.endswith("_loss")]
    Console(width=140).print(table(timings))
    if output is not None:
        facts = {"python": platform.python_version(), "machine": platform.machine(), "repeats": repeats}
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(facts | {"timings": [asdict(timing) for timing in timings]}, indent=2) + "\n")


if __name__ == "__main__":
    main()
