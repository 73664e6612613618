"""What saves time in a step changes nothing that can be seen: shared scores, quiet runs, gradients joined by torch alone."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from metric2loss.compiler import compile_text
from metric2loss.runtime import native
from metric2loss.runtime.interpolants import closed, margins, protocol
from metric2loss.runtime.kept import kept
from metric2loss.runtime.masks import counted_along
from metric2loss.runtime.quiet import Quiet
from metric2loss.runtime.recorded import Operand
from metric2loss.runtime.side import OneRow, Side
from tests.test_examples import generated

WRITING = {
    "an entry": "scores[0] = 3.0",
    "in place": "scores -= scores.mean()",
    "by a function": "np.nan_to_num(scores, copy=False)",
    "by out=": "np.clip(scores, -1.0, 1.0, out=scores)",
    "nowhere": "scores = scores - scores.mean()",
}
METRIC = """import numpy as np

def precision_at_2(scores, labels):
    {line}
    return labels[np.argsort(-scores)[:2]].mean()
"""


def loaded(text: str, folder: Path) -> Any:
    """The loss class of a metric given as text."""
    made = compile_text(text, "precision.py")
    file = folder / "precision_loss.py"
    file.write_text(made.text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("precision_loss", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, made.metrics[0].class_name)


@pytest.mark.parametrize("line", WRITING.values(), ids=WRITING.keys())
def test_a_metric_that_writes_into_its_scores_leaves_the_callers_alone(line: str, tmp_path: Path) -> None:
    criterion = loaded(METRIC.format(line=line), tmp_path)()
    names: dict[str, Any] = {}
    exec(METRIC.format(line=line), names)  # noqa: S102 (the text above)
    draw = torch.Generator().manual_seed(0)
    for _ in range(4):
        model = torch.randn(9, generator=draw, requires_grad=True)
        scores = 2 * model
        before, labels = scores.detach().clone(), np.arange(9) % 3 == 0
        criterion(scores, labels).backward()
        assert torch.equal(scores.detach(), before)
        assert model.grad is not None and bool((model.grad != 0).any())
        assert float(criterion.metric) == names["precision_at_2"](before.numpy().copy(), labels)


numbers = st.floats(-100, 100, width=32)


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, 7, elements=numbers), arrays(np.float32, 7, elements=numbers), numbers, numbers)
def test_a_joined_loss_is_the_same_in_torchs_own_operations(
    keys: np.ndarray, slopes: np.ndarray, value: float, factor: float
) -> None:
    found = []
    for few in (protocol._FEW, 0):
        x = torch.from_numpy(keys.copy()).requires_grad_()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(protocol, "_FEW", few)
            loss = protocol.joined(value, (x, torch.from_numpy(slopes)))
        (factor * loss).backward()
        assert x.grad is not None
        found.append((loss.detach(), x.grad))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("few", [protocol._FEW, 0])
@settings(max_examples=25, deadline=None)
@given(arrays(np.float32, (3, 4), elements=numbers), st.sets(st.integers(0, 11), min_size=1), st.integers(1, 3))
def test_a_few_entries_are_joined_as_the_gradient_that_is_zero_elsewhere(
    few: int, keys: np.ndarray, places: set[int], times: int
) -> None:
    at = torch.tensor(sorted(places))
    by = torch.arange(1.0, len(at) + 1)
    found = []
    for gradient in (protocol.Entries(at, by), torch.zeros(12).index_put((at,), by).reshape(3, 4)):
        x = torch.from_numpy(keys.copy()).requires_grad_()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(protocol, "_FEW", few)
            loss = protocol.joined(0.5, (x, gradient))
        for _ in range(times):
            loss.backward(retain_graph=True)
        found.append(x.grad)
    assert loss.item() == 0.5 and torch.equal(found[0], found[1])


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_gradient_that_is_handed_on_is_not_that_of_the_next_call(factor: float) -> None:
    keys, slopes = torch.zeros(protocol._FEW + 1, requires_grad=True), torch.ones(protocol._FEW + 1)
    loss = factor * protocol.joined(0.5, (keys, slopes))
    loss.backward(retain_graph=True)
    assert keys.grad is not None
    keys.grad.mul_(10)  # as clipping does
    loss.backward()
    assert keys.grad.unique().tolist() == [11 * factor]
    weight = torch.tensor(factor, requires_grad=True)
    (slope,) = torch.autograd.grad(weight * protocol.joined(0.5, (keys, slopes)), keys, create_graph=True)
    slope.sum().backward()
    assert weight.grad is not None and weight.grad.item() == len(slopes)


def test_an_array_that_may_not_be_written_to_is_searched_without_a_copy() -> None:
    scores = torch.randn(2, 3).numpy().view()
    scores.flags.writeable = False
    found = native._writable(scores)
    assert found.flags.writeable and np.shares_memory(found, scores) and not scores.flags.writeable
    fixed = np.frombuffer(scores.tobytes(), np.float32).reshape(2, 3)
    assert native._writable(fixed) is fixed
    assert np.array_equal(native.called("argmax", Operand.of(fixed), (), {"axis": 1}), scores.argmax(1))


def test_an_infinite_key_is_no_obstacle_to_a_joined_loss() -> None:
    keys = torch.tensor([1.0, -torch.inf], requires_grad=True)
    loss = protocol.joined(0.5, (keys, torch.tensor([2.0, 3.0])))
    loss.backward()
    assert loss.item() == 0.5 and keys.grad is not None and keys.grad.tolist() == [2.0, 3.0]


def test_a_quiet_run_leaves_warnings_and_modes_as_they_were() -> None:
    filters = list(warnings.filters)
    with pytest.raises(ZeroDivisionError), Quiet():
        assert not torch.is_grad_enabled() and np.geterr()["divide"] == "ignore"
        warnings.warn("nobody hears this", stacklevel=1)
        warnings.simplefilter("error")
        raise ZeroDivisionError
    assert torch.is_grad_enabled() and np.geterr()["divide"] != "ignore" and warnings.filters == filters
    with pytest.warns(UserWarning, match="somebody"):
        warnings.warn("somebody hears this", stacklevel=1)


def test_what_is_kept_is_made_once() -> None:
    class Counted:
        made = 0

        @kept
        def value(self) -> int:
            """A number."""
            self.made += 1
            return self.made

    counted = Counted()
    assert (counted.value, counted.value, counted.made, Counted.value.__doc__) == (1, 1, 1, "A number.")


@settings(max_examples=100, deadline=None)
@given(arrays(np.bool_, st.integers(1, 12)))
def test_items_of_the_only_row_are_those_of_any_row(told: np.ndarray) -> None:
    one, any_row = OneRow(told), Side.of(torch.from_numpy(told.copy()).unsqueeze(0))
    for side, other in ((one, any_row), (one.others, any_row.others)):
        assert (side.range, side.width, side.pairs, side.mixed) == (other.range, other.width, other.pairs, other.mixed)
        for name in ("items", "amounts", "places", "ordered", "first"):
            assert torch.equal(getattr(side, name), getattr(other, name)), name


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 13), (2, 300, 9), (2, 600, 16), (1, 3, 2100)])
def test_entries_are_counted_by_numpy_as_by_torch(shape: tuple[int, ...]) -> None:
    bits = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.9
    along, before = counted_along(bits)
    assert along.tolist() == bits.sum(-1).tolist() and before.tolist() == bits.sum(-2).tolist()


@pytest.mark.parametrize("encoding", ["pairs", "margin", "margin-lse"])
@settings(max_examples=25, deadline=None)
@given(arrays(np.int8, (6, 9), elements=st.integers(-6, 6)), arrays(np.int64, 6, elements=st.integers(0, 8)))
def test_rows_are_taught_alike_by_light_vectors_and_by_tensors(
    encoding: str, scores: np.ndarray, labels: np.ndarray
) -> None:
    found = []
    for light in (margins.light, lambda x: x):
        criterion = generated("accuracy")(encoding=encoding)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(margins, "light", light)
            patch.setattr(closed, "light", light)
            for _ in range(3):  # the first batches are searched for the best configuration, the third is not
                x = torch.from_numpy(scores / 2).requires_grad_()
                loss = criterion(x, labels)
            loss.backward()
        assert float(criterion.metric) == np.mean(scores.argmax(1) == labels) and x.grad is not None
        assert loss.item() == 1 - float(criterion.metric)
        found.append(x.grad)
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-15)
