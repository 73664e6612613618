"""The same metric gives the same bytes, whatever the hash seed and the order in which files are compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.examples.data import METRICS

ROOT = METRICS.parents[1]

DUMP = """
import sys
from pathlib import Path
from metric2loss.compiler import STAGES, compile_text

for name in sys.argv[1:]:
    compiled = compile_text(Path(name).read_text(encoding="utf-8"), name)
    print(name, compiled.text, compiled.metrics, *(compiled.dump(stage) for stage in STAGES), sep="\\n")
"""


def files() -> list[str]:
    found = sorted(METRICS.glob("*.py"))
    return [path.relative_to(ROOT).as_posix() for path in found if not path.stem.endswith("_loss")]


def compiled(names: list[str], seed: str) -> str:
    """Text, report and every stage of each file, from an interpreter with the given hash seed."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", DUMP, *names]
    answer = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_two_hash_seeds_give_the_same_bytes_of_every_stage() -> None:
    assert compiled(files(), "1") == compiled(files(), "2")


def test_a_file_compiles_to_the_same_text_alone_and_after_others() -> None:
    last = files()[-1]
    assert compiled(files(), "1").endswith(compiled([last], "1"))


def test_where_the_file_lies_does_not_change_its_loss(tmp_path: Path) -> None:
    """Only the name of the file is kept, so that a checkout elsewhere is not stale."""
    from metric2loss.compiler import compile_text

    here = METRICS / "accuracy.py"
    there = tmp_path / "accuracy.py"
    text = here.read_text(encoding="utf-8")
    assert compile_text(text, str(here)).text == compile_text(text, str(there)).text
