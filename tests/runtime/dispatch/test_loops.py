"""Loops over scores that add up run for all iterations at once, and come to what they come to one by one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from metric2loss import MetricError, compile_metric
from metric2loss.diagnostics import MetricWarning
from metric2loss.routes import Request, dispatched_loss
from metric2loss.runtime.dispatch import lanes

N = 12


def pairs(scores, labels):
    right = total = 0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if labels[i] > labels[j]:
                total += 1
                right += bool(scores[i] > scores[j])
    return right / total


def concordance(scores, labels):
    found, pairs = 0.0, 0
    for i in range(len(labels)):
        for j in range(i + 1, len(labels)):
            if labels[i] == labels[j]:
                continue
            pairs += 1
            apart = scores[i] - scores[j]
            if apart == 0:
                found += 0.5
            elif (apart > 0 and labels[i] > labels[j]) or (apart < 0 and labels[i] < labels[j]):
                found += 1
    return found / pairs


def inside(scores, labels):
    count = 0
    for score in scores:
        if 0.2 <= score <= 0.6:
            count += 1.0
    return count / len(scores)


def confusion(scores, labels):
    tp = fp = fn = 0
    for place, (score, label) in enumerate(zip(scores, labels)):
        if score > 0.5:
            if label == 1:
                tp += 1
            else:
                fp += 1
        elif label == 1:
            fn += 1
    return 2 * tp / (2 * tp + fp + fn)


def guarded_division(scores, labels):
    tp = fp = 0
    for score, label in zip(scores, labels):
        if score > 2.0 and label == 1:
            tp += 1
        elif score > 2.0:
            fp += 1
        if score > 0.4:
            fp -= label - 1
    try:
        return tp / (tp + fp)
    except ZeroDivisionError:
        return 0.0


def weighted(scores, labels):
    total = 0.0
    for score, label in zip(scores, labels):
        gain = 2.0 if label else 0.5
        total += gain * (score > 0.5) if label else gain * (not score > 0.5)
    return total


def counted_ranks(scores, labels):
    total = 0.0
    for i in range(len(scores)):
        rank = 1
        for j in range(len(scores)):
            if scores[j] > scores[i] or (scores[j] == scores[i] and j < i):
                rank += 1
        if labels[i] == 1 and rank <= 5:
            total += 1
    return total / 5


def looked_up_by_row(scores, labels):
    table, hits = scores.reshape(N // 2, 2), 0
    for i in range(N // 2):
        if table[i][0] > table[i, 1]:
            hits += 1
    for row in table:
        for entry in row:
            if entry > 0.7:
                hits += 1
    return hits


def lists(scores, labels):
    scores, labels, right = scores.tolist(), list(labels), 0
    for score, label in zip(scores, labels):
        right += (score > 0.5) == (label == 1)
    return right / len(labels)


def backwards(scores, labels):
    found = 0
    for i in range(len(scores) - 1, 0, -1):
        found += scores[i] > scores[i - 1]
    return found


def conditional_weight(scores, labels):
    total = 0.0
    for i in range(len(scores)):
        if scores[i] > 0.6:
            weight = 2.0
        elif labels[i] == 1:
            weight = 1.0
        else:
            weight = 0.0
        total += weight
    return total


def triples(scores, labels):
    found = 0
    for i in range(4):
        for j in range(4, 8):
            for k in range(8, 10):
                if scores[i] > scores[j] and scores[j] > scores[k]:
                    found += 1
    return -found


def empty(scores, labels):
    total = 1
    for i in range(len(scores)):
        for j in range(i, i):
            if scores[i] > scores[j]:
                total += 1
        total += scores[i] > 0.3
    return total


AT_ONCE = (
    pairs,
    concordance,
    inside,
    confusion,
    guarded_division,
    weighted,
    counted_ranks,
    looked_up_by_row,
    lists,
    backwards,
    conditional_weight,
    triples,
    empty,
)


def stops(scores, labels):
    found = 0
    for score, label in zip(scores, labels):
        if score > 0.9:
            break
        found += score > 0.3
    return found


def carried_along(scores, labels):
    last, rises = 0.5, 0
    for score in scores:
        rises += score > last
        last = score
    return rises


def running_total(scores, labels):
    hits, total = 0, 0.0
    for place, score in enumerate(scores):
        hits += score > 0.5
        total += hits / (place + 1)
    return total


def needed_later(scores, labels):
    found = 0
    for score in scores:
        found += score > 0.4
    return found + (score > 0.5)


def collected(scores, labels):
    kept = []
    for score, label in zip(scores, labels):
        kept.append(1 if score > 0.5 else 0)
    return np.mean(np.array(kept) == labels)


def one_by_one(scores, labels):
    total = 0.0
    for score in scores:
        total += labels.sum() / (1 + (score > 0.5))
    return total


AS_IT_IS = (carried_along, running_total, needed_later, collected, one_by_one)


def arguments(seed, tied=False):
    draw = np.random.default_rng(seed)
    scores = draw.integers(1, 8, N) / 8 if tied else draw.permutation(N) / N + 0.03
    labels = (draw.random(N) < 0.5).astype(int)
    labels[:2] = 0, 1
    return {"scores": scores, "labels": labels}


def criterion_of(metric):
    return dispatched_loss(metric, Request(direction="maximize", example=arguments(0)))()


def ran_at_once(monkeypatch):
    """The loops that were run for all iterations at once, by their line."""
    found, real = [], lanes._Lanes.result

    def result(self, name):
        found.append(self.loop_.node.lineno)
        return real(self, name)

    monkeypatch.setattr(lanes._Lanes, "result", result)
    return found


def agrees(criterion, metric):
    for seed, tied in ((0, False), (1, True), (2, False), (3, True)):
        given = arguments(seed, tied)
        configuration = criterion.record(**given)
        assert len(configuration.flat)
        assert float(criterion.replay(configuration, **given)) == pytest.approx(float(metric(**given)), abs=1e-12)
        there = {**given, "scores": np.random.default_rng(seed).permutation(given["scores"])}
        swapped = criterion.record(**there)
        swapped = swapped.with_flat(swapped.flat)
        assert float(criterion.replay(swapped, **given)) == pytest.approx(float(metric(**there)), abs=1e-12)


@pytest.mark.parametrize("metric", AT_ONCE, ids=lambda metric: metric.__name__)
def test_a_loop_that_adds_up_runs_at_once_and_is_exact(metric, monkeypatch):
    found = ran_at_once(monkeypatch)
    criterion = criterion_of(metric)
    agrees(criterion, metric)
    assert found
    given = arguments(1)
    leaf = torch.as_tensor(given["scores"]).requires_grad_()
    criterion(leaf, given["labels"]).backward()
    assert torch.isfinite(leaf.grad).all()
    assert criterion.batching.startswith("vmap"), criterion.batching


@pytest.mark.parametrize("metric", AS_IT_IS, ids=lambda metric: metric.__name__)
def test_a_loop_that_carries_more_runs_as_it_is(metric, monkeypatch):
    found = ran_at_once(monkeypatch)
    criterion = criterion_of(metric)
    agrees(criterion, metric)
    assert not found


def smooth(scores, labels):
    total = 0.0
    for score, label in zip(scores, labels):
        if score > 0.5:
            total -= (score - label) * (score - label)
    return total


def test_what_is_added_has_its_own_gradient(monkeypatch):
    found = ran_at_once(monkeypatch)
    criterion, given = criterion_of(smooth), arguments(0)
    leaf = torch.as_tensor(given["scores"]).requires_grad_()
    criterion(leaf, given["labels"])
    assert found and criterion.mixed
    assert float(criterion.metric) == pytest.approx(smooth(**given))


def of_tensors(scores, labels):
    right = 0
    for score, label in zip(scores, labels):
        if (score > 0.5) == (label == 1):
            right += 1
    return right / len(labels)


def test_numbers_counted_over_tensors_are_pythons_own(monkeypatch):
    found = ran_at_once(monkeypatch)
    given = {name: torch.tensor(value) for name, value in arguments(0).items()}
    criterion = dispatched_loss(of_tensors, Request(direction="maximize", example=given))()
    criterion(**given)
    assert found
    assert float(criterion.metric) == pytest.approx(of_tensors(**given))


def test_so_many_pairs_are_refused_in_time():
    scores, labels = np.random.default_rng(0).random(3000), np.arange(3000) % 2
    criterion = dispatched_loss(pairs, Request(direction="maximize", example=None))()
    with pytest.raises(MetricError) as caught:
        criterion(scores, labels)
    assert caught.value.diagnostics[0].code == "M2L401"
    assert "smaller batches" in caught.value.diagnostics[0].hint


def of(n):
    draw = np.random.default_rng(0)
    return {"scores": draw.random(n), "labels": np.arange(n) % 2}


def test_own_code_with_a_loop_over_pairs_is_run_at_once_where_an_example_is_given():
    given = of(40)
    criterion = compile_metric(concordance, direction="maximize", example=given)()
    assert criterion.dispatched and criterion.executed(**given) <= 10
    criterion(**given)
    assert float(criterion.metric) == pytest.approx(concordance(**given))
    few = {name: value[:4] for name, value in given.items()}
    assert not compile_metric(concordance, direction="maximize", example=few)().dispatched


def test_a_loop_that_makes_a_step_slow_is_told_of_once():
    criterion, given = compile_metric(pairs, direction="maximize")(), of(80)
    assert not criterion.dispatched and criterion.executed(**given) == 1600
    with pytest.warns(MetricWarning, match="M2L401.*1,600 steps are executed one by one"):
        criterion(**given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        criterion(**given)
