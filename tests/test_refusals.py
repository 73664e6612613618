"""Every wrong input of tests/refusals is refused where its comment says, with a reason and a remedy."""

import os
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from metric2loss.cli import main
from metric2loss.compiler import compile_text
from metric2loss.diagnostics import MetricError

FILES = sorted(path for path in (Path(__file__).parent / "refusals").glob("*.py") if path.stem != "__init__")
_EXPECTED = re.compile(r"# E: (M2L\d+) (.+)$")


def expected(text):
    """(line, code, marked text) of every comment, in order."""
    found = ((number, _EXPECTED.search(line)) for number, line in enumerate(text.splitlines(), 1))
    return [(number, match[1], match[2]) for number, match in found if match]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_refused_where_the_comment_says(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(path, tmp_path)
    text = path.read_text(encoding="utf-8")
    result = CliRunner().invoke(main, ["compile", path.name])
    assert result.exit_code == 2, result.output
    assert os.listdir() == [path.name], "nothing is written"
    assert shown(result.output) == expected(text)
    assert result.output.count("= why: ") == result.output.count("= hint: ") == len(expected(text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_reasons_and_remedies_are_sentences(path):
    with pytest.raises(MetricError) as caught:
        compile_text(path.read_text(encoding="utf-8"), path.name)
    for found in caught.value.diagnostics:
        assert not found.message.endswith(".")
        for sentence in (found.why, found.hint):
            assert sentence.strip().endswith((".", "?", "`")), sentence
            assert sentence[0].isupper() or sentence.startswith("`"), sentence


def shown(output):
    """What the carets of the rendered diagnostics point at: (line, code, marked text)."""
    found = []
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if match := re.match(r"error\[(M2L\d+)\]", line):
            source, carets = lines[number + 3], lines[number + 4]
            start, end = carets.index("^"), carets.rindex("^") + 1
            marked = source[start:end].partition("  # E:")[0]  # to the end of the line, when it goes on below
            found.append((int(source.split("|")[0]), match[1], marked))
    return found
