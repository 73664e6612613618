"""A diagnostic shows its place, its reason and its remedy, and stays data."""

import pickle

import pytest

from metric2loss.diagnostics import CODES, Diagnostic, MetricError, Span, warning_text

TEXT = "import numpy as np\n\ndef f(scores):\n\tpeaks = find(scores)\n    名前 = find(scores)\n"


def diagnostic(line=4, column=10, end_line=4, end_column=22):
    span = Span("metric.py", line, column, end_line, end_column)
    return Diagnostic("M2L301", span, "no rule for `find`", "it takes a score", "write it out")


def test_rendering_shows_code_place_line_caret_reason_and_remedy():
    assert diagnostic().render(TEXT) == (
        "error[M2L301]: no rule for `find`\n"
        " --> metric.py:4:10\n"
        "  |\n"
        "4 | \tpeaks = find(scores)\n"
        "  | \t        ^^^^^^^^^^^^\n"
        "  = why: it takes a score\n"
        "  = hint: write it out"
    )


def test_the_caret_stands_under_its_character_after_wide_ones():
    line, caret = diagnostic(5, 10, 5, 22).render(TEXT).splitlines()[3:5]
    assert line.index("find") + 2 == caret.index("^")  # each of the two wide characters takes two columns


def test_a_span_of_several_lines_is_underlined_to_the_end_of_its_first():
    assert diagnostic(4, 10, 5, 3).render(TEXT).splitlines()[4].endswith("^" * len("find(scores)"))


@pytest.mark.parametrize("line", [0, 99])
def test_a_place_outside_the_text_is_named_without_an_excerpt(line):
    assert diagnostic(line, 1, line, 2).render(TEXT).count("|") == 0


def test_an_error_shows_all_its_diagnostics_with_the_texts_it_was_given():
    error = MetricError([diagnostic(), Diagnostic("M2L103", None, "nothing here")], {"metric.py": TEXT})
    assert "peaks = find(scores)" in str(error)
    assert "error[M2L103]: nothing here" in str(error)


def test_an_error_reads_the_file_when_no_text_is_given(tmp_path):
    path = tmp_path / "metric.py"
    path.write_text("value = 1\n")
    error = MetricError(Diagnostic("M2L101", Span(str(path), 1, 1, 1, 6), "no"))
    assert "1 | value = 1\n  | ^^^^^" in str(error)


def test_an_error_survives_pickling():
    error = MetricError([diagnostic()], {"metric.py": TEXT})
    again = pickle.loads(pickle.dumps(error))
    assert again.diagnostics == error.diagnostics
    assert str(again) == str(error)


def test_a_code_outside_the_table_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="M2L999"):
        Diagnostic("M2L999", None, "unheard of")


def test_a_warning_reads_like_an_error_of_another_level():
    assert warning_text(diagnostic(), TEXT).startswith("warning[M2L301]: no rule")


def test_codes_are_sorted_and_titled():
    assert list(CODES) == sorted(CODES)
    assert all(title and not title.endswith(".") for title in CODES.values())
