"""Scores that are no array are flattened with their graphs, and put back where they stood."""

import math

import numpy as np
import pytest
import torch

from metric2loss import compile_metric
from metric2loss.diagnostics import MetricError
from metric2loss.runtime import forms

RUN = {"q1": {"a": 0.25, "b": 0.5}, "q2": {"a": 0.75}}


@pytest.mark.parametrize(
    "scores",
    [RUN, {1: 0.5, 2: 0.25}, [[0.25, 0.5], [0.75]], [{"a": 0.25}, {"b": 0.5}], {"q": (0.25, 0.5)}],
    ids=["a run", "one dict", "rows of different lengths", "a list of dicts", "tuples inside"],
)
def test_nested_scores_are_flattened_and_put_back(scores):
    flat, form = forms.flattened(scores)
    assert forms.is_nested(scores)
    assert form.filled(flat.numpy(), float) == scores
    assert not forms.of_torch(scores)


def test_the_graph_of_every_number_is_kept():
    x = torch.tensor([0.25, 0.5], requires_grad=True)
    flat, _ = forms.flattened({"a": x[0], "b": {"c": x[1]}})
    (flat * torch.tensor([1.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [1.0, 3.0]


def test_arrays_are_not_nested_and_dicts_of_tensors_are_of_torch():
    assert not forms.is_nested([[1.0, 2.0], [3.0, 4.0]])
    assert not forms.is_nested(np.zeros((2, 3)))
    assert forms.of_torch({"start": torch.zeros(3), "end": torch.zeros(3)})
    assert not forms.of_torch({"a": torch.tensor(0.5)})


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"q1": {"b": 2}, "q2": {}}, [0.0, 2.0, 0.0]),
        ({"q1": ["a"], "q2": {"a"}}, [1.0, 0.0, 1.0]),
        ([1, 0, 1], None),
        ({"q1": "text"}, None),
    ],
    ids=["grades", "relevant ones", "another form", "no numbers"],
)
def test_targets_are_aligned_by_key(target, expected):
    _, form = forms.flattened(RUN)
    found = form.aligned(target)
    assert found is None if expected is None else found.tolist() == expected


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="str"):
        forms.flattened({"a": "text"})


def heads(outputs, answers):
    right = outputs["start"].argmax(1) == answers[:, 0]
    return (right & (outputs["end"].argmax(1) == answers[:, 1])).float().mean()


def test_a_dict_of_tensors_trains():
    answers = torch.tensor([[0, 1], [2, 2], [1, 3]])
    draw = torch.Generator().manual_seed(0)
    outputs = {name: torch.randn(3, 4, generator=draw) for name in ("start", "end")}
    criterion = compile_metric(heads, scores="outputs", direction="maximize", example=(outputs, answers))()
    asking = {name: x.clone().requires_grad_() for name, x in outputs.items()}
    criterion(asking, answers).backward()
    assert float(criterion.metric) == float(heads(outputs, answers))
    assert all(math.isfinite(float(x.grad.abs().max())) for x in asking.values())
    assert max(float(x.grad.abs().max()) for x in asking.values()) > 0


def recall(run, wanted):
    best = sorted(run, key=run.get, reverse=True)[:2]
    return len(set(best) & set(wanted)) / len(wanted)


def test_score_memory_needs_arrays():
    run = {name: k / 7 for k, name in enumerate("abcd")}
    criterion = compile_metric(recall, scores="run", direction="maximize", example=(run, ["a"]))(memory=8)
    with pytest.raises(MetricError, match="no array"):
        criterion(run, ["a"])


def test_an_empty_dict_is_an_empty_batch():
    run = {name: k / 7 for k, name in enumerate("abcd")}
    criterion = compile_metric(recall, scores="run", direction="maximize", example=(run, ["a"]))()
    with pytest.raises(MetricError, match="M2L502"):
        criterion({}, ["a"])


def column_rank(frame, relevant):
    ranks = frame["score"].rank(ascending=False)
    return (1 / ranks[frame["item"].isin(relevant)]).mean()


def test_a_column_of_a_frame_stands_for_its_scores():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"item": list("abcd"), "score": [0.3, 0.1, 0.9, 0.5]})
    criterion = compile_metric(column_rank, scores="frame", direction="maximize", example=(frame, ["a", "d"]))()
    x = torch.tensor([0.3, 0.1, 0.9, 0.5], requires_grad=True)
    criterion(frame.assign(score=list(x)), ["a", "d"]).backward()
    assert float(criterion.metric) == pytest.approx(column_rank(frame, ["a", "d"]))
    assert float(x.grad.abs().max()) > 0
