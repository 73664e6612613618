"""Metrics as people write them: each is the user's own function, exactly and at other scores, or is refused by name."""

from __future__ import annotations

import pytest

from metric2loss.diagnostics import MetricError
from tests.stress.oracle import Case, cases, check, check_lowered

RETURNS = {
    "pair_of_results": 1,
    "dictionary_of_results": "recall",
    "dictionary_built_up": "hit@3",
    "result_in_a_variable": 1,
}
# what is refused, and why: the code and the text that the caret points at
REFUSED = {
    "lexsorted": ("M2L301", "np.lexsort((scores,))"),
    "generator_function": ("M2L203", "hits"),
    "recursion_with_scores": ("M2L203", "wins"),
    "step_in_a_discrete_loop": ("M2L202", "scores[k] > 0.25"),
    "a_meter_given_scores": ("M2L301", "meter.add(s, y)"),
    "truth_of_a_score": ("M2L302", "scores"),
    "threshold_search_by_bisection": ("M2L203", "low < high"),
    "helper_given_as_a_value": ("M2L301", "map(_above_half, scores)"),
    "two_parts_in_one_name": ("M2L203", "logits.max(1)"),
    "looked_up": ("M2L301", '{"share": lambda s, y'),
    "unique_rows": ("M2L301", "np.unique(logits, axis=0)"),
    "step_with_out": ("M2L203", "np.greater(scores, 0.5, out=out)"),
}
EVERY = cases()


@pytest.mark.parametrize("case", [c for c in EVERY if c.name not in REFUSED], ids=lambda c: c.id)
def test_the_loss_is_the_metric_and_follows_its_binaries(case: Case) -> None:
    returns = RETURNS.get(case.name)
    compiled = check(case, returns)
    check_lowered(case, compiled, returns)


@pytest.mark.parametrize("case", [c for c in EVERY if c.name in REFUSED], ids=lambda c: c.id)
def test_what_cannot_be_compiled_is_refused_where_it_stands(case: Case) -> None:
    with pytest.raises(MetricError) as caught:
        case.compiled()
    code, text = REFUSED[case.name]
    found = caught.value.diagnostics[0]
    assert found.code == code
    assert found.span is not None
    line = case.path.read_text().splitlines()[found.span.line - 1]
    assert line[found.span.column - 1 :].startswith(text)
    assert found.hint.endswith((".", "`"))


def test_every_refusal_is_a_metric_of_these_files() -> None:
    assert set(REFUSED) <= {c.name for c in EVERY}
