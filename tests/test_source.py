"""Text becomes a tree in which every statement stands alone and has a place."""

import pytest

from metric2loss.diagnostics import MetricError
from metric2loss.source import parse, read

TEXT = """\
def f(x):
    if x: y = 1; z = 2
    a = 1; b = 2  # both
    return a
"""


def test_several_statements_on_a_line_are_unfolded():
    source = parse(TEXT, "m.py")
    assert source.tree.code.splitlines() == [
        "def f(x):", "    if x:", "        y = 1", "        z = 2", "    a = 1", "    b = 2  # both", "    return a",
    ]  # fmt: skip


def test_unfolded_statements_keep_their_places():
    source = parse(TEXT, "m.py")
    body = source.tree.body[0].body.body
    assert [source.line(s) for s in body] == [2, 3, 3, 4]
    assert source.span(body[2]).column == 12


def test_the_text_stays_as_it_is():
    assert parse(TEXT, "m.py").text == TEXT


def test_a_syntax_error_is_located():
    with pytest.raises(MetricError) as caught:
        parse("def f(:\n    pass\n", "m.py")
    assert caught.value.diagnostics[0].code == "M2L101"
    assert caught.value.diagnostics[0].span.line == 1


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(MetricError) as caught:
        read(tmp_path / "none.py")
    assert caught.value.diagnostics[0].code == "M2L102"
