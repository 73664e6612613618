"""SurrogateLoss behaves as any torch loss does: state, copies, dtypes, errors that say what is wrong."""

from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import numpy as np
import pytest
import torch

from metric2loss.diagnostics import MetricError, MetricWarning
from metric2loss.runtime import SurrogateLoss, steps
from tests.runtime.hand_written import CASES, AccuracyLoss, AccuracyTorchLoss, AveragePrecisionLoss, F1Loss


def ap_batch(seed=0, n=20):
    rng = np.random.default_rng(seed)
    scores = torch.tensor(rng.normal(size=n), requires_grad=True)
    return scores, torch.tensor(np.concatenate([[0, 1], rng.integers(0, 2, n - 2)]))


def code_of(error):
    return error.value.diagnostics[0].code


def test_the_gradient_reaches_a_model_and_training_improves_the_metric():
    rng = np.random.default_rng(0)
    features = torch.tensor(rng.normal(size=(64, 5)), dtype=torch.float32)
    labels = (features @ torch.tensor([1.0, -1.0, 0.5, 0.0, 0.0]) > 0.5).long()
    model = torch.nn.Linear(5, 1)
    torch.nn.init.zeros_(model.weight)
    criterion = AveragePrecisionLoss(generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(15):
        optimiser.zero_grad()
        criterion(model(features).squeeze(1), labels).backward()
        optimiser.step()
    assert float(criterion.metric) > 0.9
    assert criterion.metric.shape == () and not criterion.metric.requires_grad


def test_the_loss_is_zero_at_the_best_configuration():
    labels = torch.tensor([0, 1, 1, 0, 1])
    loss = AveragePrecisionLoss()
    assert float(loss(labels.double(), labels).detach()) == pytest.approx(0.0)
    assert loss.best_value == pytest.approx(1.0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [AccuracyLoss, AccuracyTorchLoss])
def test_loss_and_gradient_have_the_dtype_of_the_scores(kind, dtype):
    scores = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)).to(dtype).requires_grad_()
    kind()(scores, torch.tensor([0, 1, 2, 0, 1, 2])).backward()
    assert scores.grad.dtype == dtype and bool(torch.isfinite(scores.grad).all())


def test_scores_may_be_lists_arrays_or_integers():
    values = {
        float(AveragePrecisionLoss()(scores, np.array([1, 0, 1])).detach())
        for scores in ([3, 1, 2], np.array([3, 1, 2]), torch.tensor([3, 1, 2]), torch.tensor([3.0, 1.0, 2.0]))
    }
    assert values == {0.0}


def test_evaluation_without_gradients_works():
    scores, labels = ap_batch()
    expected = float(AveragePrecisionLoss()(scores, labels).detach())
    for off in (torch.no_grad(), torch.inference_mode()):
        with off:
            assert float(AveragePrecisionLoss()(scores.detach(), labels)) == pytest.approx(expected)
    with torch.inference_mode():
        made_inside = torch.randn(6, 3)
        assert float(AccuracyTorchLoss()(made_inside, torch.tensor([0, 1, 2, 0, 1, 2]))) >= 0


def test_autocast_does_not_change_the_metric():
    scores, labels = ap_batch()
    loss = AveragePrecisionLoss()
    loss(scores, labels)
    expected = float(loss.metric)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss(scores, labels)
    assert float(loss.metric) == expected


def test_the_callers_scores_are_not_written_to():
    class Clipped(AveragePrecisionLoss):
        def f(self, scores, labels):
            scores[scores < 0] = 0.0
            return steps.order.differences(-scores, told_apart_by=(labels,))

    for scores in (torch.tensor([-1.0, 2.0, 3.0], requires_grad=True), np.array([-1.0, 2.0, 3.0])):
        Clipped()(scores, np.array([1, 0, 1]))
        assert scores.tolist() == [-1.0, 2.0, 3.0]


def test_same_generator_same_gradient():
    def gradient():
        scores, labels = ap_batch()
        AveragePrecisionLoss(generator=torch.Generator().manual_seed(3))(scores, labels).backward()
        return scores.grad

    assert torch.equal(gradient(), gradient())


def test_deepcopy_and_pickle_continue_from_the_same_state():
    scores, labels = ap_batch()
    loss = AveragePrecisionLoss(generator=torch.Generator().manual_seed(3), total_steps=10)
    loss(scores, labels).backward()
    for again in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert float(again.progress) == float(loss.progress) and int(again.taken) == int(loss.taken) == 1
        one, other = scores.detach().clone().requires_grad_(), scores.detach().clone().requires_grad_()
        copy.deepcopy(loss)(one, labels).backward()
        again(other, labels).backward()
        assert torch.equal(one.grad, other.grad)
        assert float(again.metric) == float(loss.metric)


def test_progress_is_a_buffer_that_steps_move():
    scores, labels = ap_batch()
    loss = AveragePrecisionLoss(total_steps=4)
    seen = []
    for _ in range(6):
        loss(scores, labels)
        seen.append(float(loss.progress))
    assert seen == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    other = AveragePrecisionLoss(total_steps=4)
    other.load_state_dict(loss.state_dict())
    assert float(other.progress) == 1.0
    other.eval()
    other(scores, labels)
    assert int(other.taken) == 6
    unset = AveragePrecisionLoss()
    assert float(unset.progress) == 0.5
    unset.progress = 0.25
    assert float(unset.progress) == 0.25


def test_configurations_convert_to_flat_arrays_and_back():
    scores, labels = ap_batch()
    loss = AveragePrecisionLoss()
    configuration = loss.record(scores, labels)
    turned = configuration.with_flat(~configuration.flat)
    assert np.array_equal(turned.flat, ~configuration.flat)
    assert float(loss.replay(turned, scores, labels)) != float(loss.replay(configuration, scores, labels))
    with pytest.raises(ValueError, match="binaries"):
        configuration.with_flat([True])


@pytest.mark.parametrize("name", ["ndcg", "pairwise_accuracy"])
def test_sites_in_loops_keep_their_keys(name):
    case = CASES[name]
    configuration = case.loss().record(*case.arguments(np.random.default_rng(0), "random"))
    assert all(len(key) >= 2 for key, _ in configuration.sites)


class TestErrors:
    def test_nan_scores(self):
        scores, labels = ap_batch()
        with pytest.raises(MetricError, match="nan or infinite") as error:
            AveragePrecisionLoss()(torch.where(scores > 0, float("nan"), scores), labels)
        assert code_of(error) == "M2L501"

    def test_empty_batch(self):
        with pytest.raises(MetricError) as error:
            AveragePrecisionLoss()(torch.zeros(0), torch.zeros(0))
        assert code_of(error) == "M2L502"

    def test_arguments_that_do_not_bind(self):
        with pytest.raises(MetricError) as error:
            AveragePrecisionLoss()(torch.zeros(3))
        assert code_of(error) == "M2L503"

    def test_shapes_that_do_not_fit(self):
        with pytest.raises(MetricError) as error:
            AccuracyLoss()(torch.zeros(4, 3), torch.zeros(5))
        assert code_of(error) in ("M2L503", "M2L505")

    def test_ragged_scores(self):
        with pytest.raises(MetricError) as error:
            AveragePrecisionLoss()([[1.0], [1.0, 2.0]], [0, 1])
        assert code_of(error) == "M2L503"

    @pytest.mark.parametrize("name", ["metric", "binaries", "best_value"])
    def test_asked_before_the_first_batch(self, name):
        with pytest.raises(MetricError) as error:
            getattr(AveragePrecisionLoss(), name)
        assert code_of(error) == "M2L504"

    def test_several_values_without_returns(self):
        class Several(AveragePrecisionLoss):
            def g(self, binaries, labels):
                return super().g(binaries, labels), 1.0

        with pytest.raises(MetricError) as error:
            Several()(*ap_batch())
        assert code_of(error) == "M2L106"
        Several.returns = 0
        Several()(*ap_batch())

    def test_a_score_made_plain_says_where(self):
        class Leaking(AveragePrecisionLoss):
            def f(self, scores, labels):
                if scores[0] > 0 or scores.sum() + 1:  # a truth value of a score
                    scores = scores * 2
                return steps.order.differences(-scores)

        with pytest.raises(MetricError, match="truth value") as error:
            Leaking()(-torch.ones(3), torch.tensor([0, 1, 1]))
        assert code_of(error) == "M2L302"
        assert error.value.diagnostics[0].span.path == __file__

    def test_a_g_that_fails(self):
        class Failing(AveragePrecisionLoss):
            def g(self, binaries, labels):
                raise KeyError("lost")

        with pytest.raises(MetricError, match="lost") as error:
            Failing()(*ap_batch())
        assert code_of(error) == "M2L505"


class TestDegenerate:
    @pytest.mark.parametrize("labels", [torch.zeros(6), torch.ones(6)])
    def test_one_class_teaches_nothing(self, labels):
        scores = torch.randn(6, requires_grad=True)
        value = AveragePrecisionLoss()(scores, labels.long())
        value.backward()
        assert bool(torch.isfinite(value)) and not bool(scores.grad.any())

    def test_one_row(self):
        scores = torch.randn(1, 3, requires_grad=True)
        AccuracyLoss()(scores, torch.tensor([2])).backward()
        assert bool(torch.isfinite(scores.grad).all()) and bool(scores.grad.any())

    def test_saturated_probabilities(self):
        scores = torch.tensor([0.0, 1.0, 1.0, 0.0], requires_grad=True)
        F1Loss()(scores, torch.tensor([1, 0, 1, 0])).backward()
        assert bool(torch.isfinite(scores.grad).all())

    def test_a_batch_without_positives_after_a_good_one(self):
        loss = AveragePrecisionLoss()
        loss(*ap_batch())
        scores = torch.randn(6, requires_grad=True)
        loss(scores, torch.zeros(6).long()).backward()
        assert not bool(scores.grad.any())
        loss(*ap_batch(1))
        assert loss.best_value == pytest.approx(1.0)


def test_a_wrong_pruning_is_found_and_dropped():
    class Wrong(SurrogateLoss):
        direction, scores, library = "maximize", ("scores",), "numpy"

        def f(self, scores, labels, weights):
            return steps.order.differences(-scores, told_apart_by=(labels,))  # but g gathers weights too

        def g(self, binaries, labels, weights):
            order = steps.order.result(binaries)
            return np.sum((labels * weights)[order] / np.arange(1, len(order) + 1))

    scores, labels = ap_batch()
    weights = torch.arange(20.0)
    loss = Wrong()
    with pytest.warns(MetricWarning, match="M2L506"):
        loss(scores, labels, weights)
    assert loss.binaries == 190
    loss(scores, labels, weights)  # remembered, no second warning
    assert loss.binaries == 190 and loss.report()["pruned"] is False


def test_rows_that_depend_on_each_other_are_ignored():
    class Coupled(AccuracyLoss):
        def rows(self, binaries, labels):
            correct = steps.choose.result(binaries)
            return correct * np.mean(correct)

    loss = Coupled()
    loss(torch.randn(12, 5), CASES["accuracy"].others(np.random.default_rng(0))[0])
    assert loss.report()["separable"] is False
    assert "row" in loss.report()["not separable because"]


def test_mixed_metrics_add_the_gradient_of_the_remainder():
    class Weighted(SurrogateLoss):
        direction, scores, library, mixed = "maximize", ("scores",), "numpy", True

        def f(self, scores, labels):
            return steps.compare.differences(scores, ">", 0.0)

        def g(self, binaries, scores, labels):
            right = steps.compare.result(binaries) == labels
            return np.mean(right * np.tanh(np.abs(scores)))

    scores = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([True, False, True])
    loss = Weighted()
    loss(scores, labels).backward()
    # all decisions are right: only the smooth part moves the scores
    expected = -(1 - torch.tanh(scores.detach()) ** 2) * torch.sign(scores.detach()) / 3
    assert torch.allclose(scores.grad, expected, atol=0.2)
    assert float(loss.metric) == pytest.approx(float(torch.tanh(scores.detach().abs()).mean()))


def test_constants_bound_beforehand_fill_in_for_arguments():
    class Bound(F1Loss):
        bound: ClassVar = {"threshold": 0.25}

    scores = torch.tensor([0.3, 0.6, 0.1, 0.4])
    loss = Bound()
    loss(scores, torch.tensor([1, 1, 0, 0]))
    by_hand = F1Loss()
    by_hand(scores, torch.tensor([1, 1, 0, 0]), 0.25)
    assert float(loss.metric) == float(by_hand.metric)


def test_rounding_ranges_grow_until_the_targets_are_met():
    case = CASES["quadratic_kappa"]
    loss = case.loss()
    loss(torch.zeros(14), *case.others(np.random.default_rng(0)))
    assert loss.best_value == pytest.approx(1.0)
