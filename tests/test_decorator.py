"""Live functions become losses: decorated, given by name, partial, nested, in a notebook."""

import copy
import functools
import inspect
import linecache
import os
import pickle
import runpy
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest
import torch

from metric2loss import MetricError, SurrogateLoss, compile_metric, surrogate
from metric2loss.compiler import Options, compile_text
from metric2loss.live import live_source

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


@surrogate
def accuracy(scores, labels):
    """Share of right answers."""
    predicted = np.argmax(scores, axis=1)
    return np.mean(predicted == labels)


@surrogate(direction="minimize", scores=("values",))
def share(values, labels, threshold=0.0):
    return np.mean((values > threshold) != labels)


def both(scores, labels):
    above = scores > 0.0
    return np.mean(above == labels), np.mean(above)


def named(scores, labels):
    above = scores > 0.0
    return {"accuracy": np.mean(above == labels), "share": np.mean(above)}


def hits_at(scores, labels, k):
    order = np.argsort(-scores)
    return labels[order[:k]].sum() / k


class Model:
    def metric(self, scores, labels):
        return np.mean((scores > 0) == labels)

    @staticmethod
    def static(scores, labels):
        return np.mean((scores > 0) == labels)


def batch(n=8, p=3):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(n, p, generator=generator, dtype=torch.float64, requires_grad=True)
    return scores, torch.arange(n) % p


def items(n=10):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, generator=generator, dtype=torch.float64, requires_grad=True), torch.arange(n) % 2


def test_a_decorated_function_is_the_function_itself():
    assert inspect.isfunction(accuracy)
    assert accuracy.__doc__ == "Share of right answers."
    assert list(inspect.signature(accuracy).parameters) == ["scores", "labels"]
    assert accuracy(np.eye(3), np.array([0, 1, 1])) == pytest.approx(2 / 3)
    assert pickle.loads(pickle.dumps(accuracy)) is accuracy


def test_its_loss_is_a_module_with_the_exact_metric():
    scores, labels = batch()
    criterion = accuracy.loss()
    loss = criterion(scores, labels)
    loss.backward()
    assert isinstance(criterion, SurrogateLoss)
    assert isinstance(criterion, torch.nn.Module)
    assert float(criterion.metric) == accuracy(scores.detach().numpy(), labels.numpy())
    assert torch.isfinite(scores.grad).all()
    assert scores.grad.any()


def test_the_class_is_compiled_once_and_at_first_use():
    assert accuracy.loss.Loss is accuracy.loss.Loss
    assert type(accuracy.loss()) is accuracy.loss.Loss
    assert compile_metric(accuracy) is accuracy.loss.Loss


def test_the_source_is_what_the_command_would_write():
    path = Path(__file__)
    text = compile_text(path.read_text(encoding="utf-8"), str(path), Options(("accuracy",))).text
    assert accuracy.loss.source == text


def test_a_builtin_cannot_be_decorated():
    with pytest.raises(MetricError, match="M2L110"):
        surrogate(max)


def test_options_of_the_decorator_are_used():
    assert share.loss.Loss.direction == "minimize"
    assert share.loss.Loss.scores == ("values",)


def test_a_direction_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="maximise"):
        compile_metric(both, direction="maximise")


def test_a_metric_is_found_by_its_dotted_name():
    assert compile_metric("statistics_of_scores:hits", scores="scores").__name__ == "HitsLoss"


@pytest.fixture(autouse=True, scope="module")
def _importable(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    text = "import numpy as np\n\n\ndef hits(scores, labels):\n    return np.mean((scores > 0) == labels)\n"
    (folder / "statistics_of_scores.py").write_text(text)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


@pytest.mark.parametrize("name", ["statistics_of_scores", "no_such_module:hits", "statistics_of_scores:misses"])
def test_a_dotted_name_that_leads_nowhere_is_refused(name):
    with pytest.raises(MetricError, match="M2L109"):
        compile_metric(name)


@pytest.mark.parametrize(
    ("metric", "returns"),
    [(both, 0), (named, "accuracy"), (both, lambda result: result[0]), (named, lambda result: result["accuracy"])],
    ids=["index", "key", "callable on a tuple", "callable on a dict"],
)
def test_returns_picks_one_of_several_values(metric, returns):
    scores, labels = items()
    criterion = compile_metric(metric, returns=returns, direction="maximize")()
    criterion(scores, labels)
    assert float(criterion.metric) == np.mean((scores.detach().numpy() > 0) == labels.numpy())


def test_several_values_without_returns_are_refused():
    with pytest.raises(MetricError, match="M2L106"):
        compile_metric(both)


def test_partial_binds_constants():
    scores, labels = items()
    for partial in (functools.partial(hits_at, k=3), functools.partial(functools.partial(hits_at), k=3)):
        criterion = compile_metric(partial, direction="maximize")()
        criterion(scores, labels)
        assert float(criterion.metric) == hits_at(scores.detach().numpy(), labels.numpy(), 3)
    assert compile_metric(functools.partial(hits_at, k=2), direction="maximize").bound == {"k": 2}


def test_ideal_says_which_scores_are_perfect():
    scores, labels = items()
    criterion = compile_metric(hits_at, direction="maximize", ideal=lambda labels, k: labels.astype(float))()
    criterion(scores, labels, 3)
    assert float(criterion.best_value) == 1.0


def test_an_example_tells_which_parameter_is_the_score():
    def agreement(first, second):
        return np.mean((first > 0) == second)

    scores, labels = items()
    loss = compile_metric(agreement, direction="maximize", example=(scores.detach().numpy(), labels.numpy()))
    assert loss.scores == ("first",)


def test_an_example_that_does_not_fit_is_refused():
    with pytest.raises(MetricError, match="M2L111"):
        compile_metric(both, returns=0, example=(1, 2, 3))


def test_a_function_inside_a_function_keeps_what_it_closes_over():
    cut, table = 0.25, np.array([1.0, 2.0])

    def helper(values):
        return values > cut

    def closed(scores, labels):
        return np.mean(table[labels] * (helper(scores) == labels))

    scores, labels = items()
    criterion = compile_metric(closed, direction="maximize")()
    criterion(scores, labels)
    assert float(criterion.metric) == closed(scores.detach().numpy(), labels.numpy())


def test_lines_keep_their_numbers_when_a_function_is_moved_out():
    def inner(scores, labels):
        return np.mean((scores > 0) == labels)

    source = live_source(inner)
    assert source.text.splitlines()[inner.__code__.co_firstlineno - 1] == "def inner(scores, labels):"


def test_a_notebook_cell_is_completed_with_what_other_cells_define():
    cells = {
        "<cell 1>": "import numpy as np\nCUT = 0.5\n",
        "<cell 2>": "def helper(values):\n    return values > CUT\n",
        "<cell 3>": "def metric(scores, labels):\n    return np.mean(helper(scores) == labels)\n",
    }
    space = {"__name__": "__main__"}
    for name, text in cells.items():
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), space)  # noqa: S102 - as a notebook does
    scores, labels = items()
    criterion = compile_metric(space["metric"], direction="maximize")()
    criterion(scores, labels)
    assert float(criterion.metric) == space["metric"](scores.detach().numpy(), labels.numpy())


@pytest.mark.parametrize(
    ("metric", "code"),
    [
        (max, "M2L110"),
        (Model.metric, "M2L113"),
        (Model, "M2L113"),
    ],
    ids=["builtin", "function of a class", "class"],
)
def test_what_is_no_function_with_a_text_is_refused(metric, code):
    with pytest.raises(MetricError) as caught:
        compile_metric(metric)
    assert [found.code for found in caught.value.diagnostics] == [code]


class Threshold:
    def __call__(self, scores, labels):
        return np.mean((scores > 0) == labels)


@pytest.mark.parametrize(
    "metric",
    [lambda scores, labels: ((scores > 0) == labels).mean(), Model().metric, Threshold()],
    ids=["lambda", "bound method", "object"],
)
def test_what_has_no_text_of_its_own_is_run_as_it_is(metric):
    scores, labels = items()
    criterion = compile_metric(metric, direction="maximize", example=(scores.detach().numpy(), labels.numpy()))()
    criterion(scores, labels).backward()
    assert float(criterion.metric) == np.mean((scores.detach().numpy() > 0) == labels.numpy())
    assert scores.grad.abs().sum() > 0


def test_an_example_says_which_library_orders_ties():
    def tops(scores, kinds):
        return sum(int(kinds[(-row).argsort()[:3]].sum()) for row in scores)

    rng = np.random.default_rng(0)
    kinds, scores = rng.integers(0, 4, 40), rng.integers(0, 3, (6, 40)) / 2.0
    for example in ({"scores": rng.random((6, 40)), "kinds": kinds}, None):  # else its targets do
        criterion = compile_metric(tops, scores="scores", direction="maximize", example=example)()
        criterion(torch.tensor(scores, requires_grad=True), kinds)
        assert float(criterion.metric) == tops(scores, kinds)


class CalibrationError(torch.nn.Module):
    """A module that is no layer."""

    def forward(self, probs, labels):
        confidence, chosen = probs.max(1)
        sure = confidence > 0.5
        return (confidence[sure].sum() - (chosen == labels)[sure].float().sum()).abs() / len(labels)


def test_a_torch_module_is_its_forward():
    probs = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)).softmax(1)
    labels = torch.arange(20) % 3
    metric = CalibrationError()
    loss = compile_metric(metric, scores="probs", direction="minimize", example={"probs": probs, "labels": labels})
    criterion = loss()
    criterion(probs.clone().requires_grad_(), labels).backward()
    assert loss.__name__ == "CalibrationErrorLoss"
    assert float(criterion.metric) == pytest.approx(float(metric(probs, labels)))


def test_a_metric_that_fails_by_itself_is_told_apart():
    def first_two(scores, labels):
        return (scores.argsort()[:2].reshape(3) == labels).mean()

    with pytest.raises(MetricError) as caught:
        compile_metric(first_two, scores="scores", example={"scores": np.arange(4.0), "labels": np.zeros(2)})
    found = caught.value.diagnostics[0]
    assert found.code == "M2L111"
    assert "the metric itself fails on the example: ValueError" in found.message
    assert found.span is not None and found.span.path == __file__


def test_a_static_method_is_a_function():
    scores, labels = items()
    criterion = compile_metric(Model.static, direction="maximize")()
    criterion(scores, labels)
    assert float(criterion.metric) == Model.static(scores.detach().numpy(), labels.numpy())


def test_a_file_that_changed_since_its_import_is_refused(tmp_path):
    path = tmp_path / "changing.py"
    path.write_text("def metric(scores):\n    return (scores > 0).mean()\n")
    space = runpy.run_path(str(path))
    path.write_text("\n\n\n" + path.read_text())
    with pytest.raises(MetricError, match="M2L110"):
        compile_metric(space["metric"])


def test_instances_are_copied_and_pickled_with_their_state():
    scores, labels = batch()
    criterion = accuracy.loss(total_steps=7)
    criterion(scores, labels)
    for again in (copy.deepcopy(criterion), pickle.loads(pickle.dumps(criterion))):
        assert type(again) is type(criterion)
        again(scores, labels)
        assert again.metric == criterion.metric


def test_another_process_unpickles_a_loss_it_has_never_seen(tmp_path):
    (tmp_path / "loss.pickle").write_bytes(pickle.dumps(accuracy.loss()))
    code = (
        "import pickle, sys, torch; criterion = pickle.load(open(sys.argv[1], 'rb'))\n"
        "criterion(torch.eye(3, requires_grad=True), torch.tensor([0, 1, 1])); print(float(criterion.metric))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "loss.pickle")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.stdout == f"{2 / 3}\n", done.stderr


def test_tracebacks_show_the_generated_lines():
    criterion = accuracy.loss()
    with pytest.raises(Exception) as caught:
        criterion.g(None)
    shown = "".join(traceback.format_exception(caught.value))
    assert "np.mean(" in shown or "steps.choose" in shown


def test_importing_the_package_is_light():
    code = "import sys, metric2loss; print(sorted({'torch', 'numpy', 'libcst', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stdout.strip() == "[]"
