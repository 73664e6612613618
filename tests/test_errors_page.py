"""docs/errors.md and the table of codes say the same, and its examples show what they say they show."""

import re
import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

from metric2loss.cli import main
from metric2loss.diagnostics import CODES, MetricError

PAGE = (Path(__file__).parents[1] / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (M2L\d+): (.*?)$(?=(?s:.*))", PAGE, re.MULTILINE))
BODIES = {
    code: body for code, body in re.findall(r"^## (M2L\d+):.*?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
SHOWN = {code: re.findall(r"^```(\w+)\n(.*?)^```", body, re.MULTILINE | re.DOTALL) for code, body in BODIES.items()}
PARTS = ["**What it means.**", "**Example.**", "**What to do.**"]


def test_the_page_has_one_section_for_every_code_under_its_title():
    assert SECTIONS == dict(CODES)
    assert list(SECTIONS) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_section_has_the_same_parts(code):
    assert re.findall(r"^\*\*[^*]*\.\*\*", BODIES[code], re.MULTILINE) == PARTS


@pytest.mark.parametrize("code", [code for code in CODES if code < "M2L5"])
def test_every_code_of_compiling_has_an_example_to_run(code):
    assert SHOWN[code] or code == "M2L401", "needs a batch no test can afford"


@pytest.mark.parametrize("code", [code for code, shown in SHOWN.items() if shown])
def test_the_example_triggers_its_code(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = dict(SHOWN[code])
    source = blocks.get("python", "")
    Path("my_metric.py").write_text(source, encoding="utf-8")
    if "from metric2loss" in source:
        with pytest.raises(MetricError) as caught:
            runpy.run_path("my_metric.py")
        assert [found.code for found in caught.value.diagnostics] == [code]
        return
    for line in blocks.get("console", "$ metric2loss compile my_metric.py").splitlines():
        result = CliRunner().invoke(main, line.removeprefix("$ metric2loss ").split())
    assert f"error[{code}]" in result.output
    assert result.exit_code == (1 if code == "M2L108" else 2)
