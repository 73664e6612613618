"""Runs what README, tutorial and internals show; `python -m tests.test_docs` writes the output of their commands anew.

In a page, a ```python block whose first line is `# name.py` is that file, any other is run, all in one namespace.  In a
```console block the lines after `$ ` are run in a folder that holds the example metrics and the files so far; when
output is shown it must be what the command prints, up to numbers.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from metric2loss.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [
    name
    for name in ("README.md", "docs/tutorial.md", "docs/interpolants.md", "docs/internals.md")
    if (ROOT / name).exists()
]
_BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"[0-9a-f]{12,}|-?\d+(\.\d+)?(e[-+]?\d+)?")


@pytest.mark.parametrize("page", PAGES)
def test_the_page_runs_and_prints_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = (ROOT / page).read_text(encoding="utf-8")
    assert comparable(rerun(text, page)) == comparable(text)


def comparable(text: str) -> list[str]:
    """Lines without numbers and without the widths that depend on them."""
    return [re.sub(r"[\s─━]+", " ", _NUMBER.sub("#", line)).strip() for line in text.splitlines()]


def rerun(text: str, page: str) -> str:
    """The page with the output of its commands as it is now; its Python blocks have run."""
    for path in (ROOT / "examples" / "metrics").glob("*.py"):
        shutil.copy(path, ".")
    space: dict[str, object] = {"__name__": "page"}
    count = 0

    def replace(block: re.Match[str]) -> str:
        nonlocal count
        count += 1
        kind, body = block.groups()
        shown = console(body) if kind == "console" else body
        if kind == "python":
            python(body, f"{Path(page).stem}_{count}.py", space)
        return f"```{kind}\n{shown}```"

    return _BLOCK.sub(replace, text)


def python(body: str, name: str, space: dict[str, object]) -> None:
    if named := re.match(r"# (\w+\.py)\n", body):
        Path(named[1]).write_text(body.split("\n", 1)[1].lstrip("\n"), encoding="utf-8")
        return
    path = Path(name).resolve()
    path.write_text(body, encoding="utf-8")  # metrics are read from the file they were defined in
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(body, str(path), "exec"), space)  # noqa: S102 - the page's own code


def console(body: str) -> str:
    """The block with every shown output replaced by what its command prints now."""
    lines = []
    for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
        if part:
            command, _, shown = part.partition("\n")
            output = command_output(command.removeprefix("$ "))
            lines.append(f"{command}\n{output if shown.strip() else shown}")
    return "".join(lines)


def command_output(command: str) -> str:
    words = command.split()
    if words[0] == "metric2loss":
        result = CliRunner().invoke(main, words[1:], env={"COLUMNS": "110"})
        assert result.exit_code in (0, 1, 2), result.exception
        return strip(result.output)
    if words[0] == "cat":
        return Path(words[1]).read_text(encoding="utf-8")
    assert words[0] == "python", f"{command} is not a command this page may use"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *words[1:]], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return strip(done.stdout)


def strip(output: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in output.splitlines())


if __name__ == "__main__":
    for name in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            sys.path.insert(0, folder)
            path = ROOT / name
            path.write_text(rerun(path.read_text(encoding="utf-8"), name), encoding="utf-8")
