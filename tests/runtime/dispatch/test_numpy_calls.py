"""NumPy functions that call Python, combine neighbours or write into arrays, with scores inside: exact, SWAP, and a gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss import MetricError
from metric2loss.routes import Request, dispatched_loss

N = 14


def pieces(scores, labels):
    chosen = np.piecewise(scores, [scores < 0.3, scores >= 0.7], [0.0, 1.0, -1.0])
    return (chosen == labels).mean()


def pieces_otherwise(scores, labels):
    kept = np.piecewise(scores, [scores > 0.5], [lambda x: 2 * x, lambda x, by=0.0: x - by])
    return (np.argsort(-kept)[:4] < 7).mean() + (kept > 1.4).mean()


def sums_of_parts(scores, labels):
    return (np.add.reduceat(scores, [0, 4, 9]) > 2.0).mean()


def largest_of_parts(scores, labels):
    return (np.maximum.reduceat(scores, [0, 4, 2, 9]) > 0.8).mean()


def parts_of_a_table(scores, labels):
    return (np.multiply.reduceat(scores.reshape(2, 7), np.array([0, 3]), axis=1) > 0.1).mean()


def running_product(scores, labels):
    return (np.multiply.accumulate(scores + 0.5) > 1.0).mean()


def running_least(scores, labels):
    return (np.minimum.accumulate(scores)[labels == 1] > 0.4).mean()


def running_difference(scores, labels):
    return (np.subtract.accumulate(scores.reshape(7, 2), axis=1) > 0.0).mean()


def logs_of_sums(scores, labels):
    return float(np.logaddexp.reduce(scores[labels == 1]) > np.logaddexp.reduce(scores[labels == 0]))


def hypotenuse(scores, labels):
    return (np.hypot.reduce(scores.reshape(7, 2), axis=1, keepdims=True) > 0.6).mean()


def polynomial(scores, labels):
    return ((np.polyval([1.0, -2.0, 0.5], scores) > 0) == labels).mean()


def vectorized(scores, labels):
    right = np.vectorize(lambda score, label: 1.0 if (score > 0.5) == label else 0.0)
    return right(scores, labels).mean()


@np.vectorize
def halved(score):
    return score / 2


def vectorized_outside(scores, labels):
    return ((halved(scores) > 0.25) == labels).mean()


def vectorized_with_types(scores, labels):
    levels = np.vectorize(lambda score: score * 4, otypes=[int])(scores)
    return (levels >= 2 * labels).mean()


def several_results(scores, labels):
    above, below = np.vectorize(lambda score: (score > 0.6, score < 0.4))(scores)
    return (above & (labels == 1)).mean() + (below & (labels == 0)).mean()


def ufunc_of_python(scores, labels):
    return (np.frompyfunc(lambda score: int(score > 0.5), 1, 1)(scores).astype(int) == labels).mean()


def along_an_axis(scores, labels):
    return np.apply_along_axis(lambda row: row.argmax() == 1, 1, scores.reshape(7, 2)).mean()


def from_a_generator(scores, labels):
    return ((np.fromiter((score for score in scores), dtype=float) > 0.5) == labels).mean()


def from_so_many(scores, labels):
    return ((np.fromiter(iter(scores), float, 7) > 0.5) == labels[:7]).mean()


# --- written into


def filled_one_by_one(scores, labels):
    out = np.zeros(len(scores))
    for place, score in enumerate(scores):
        out[place] = score
    return ((out > 0.5) == labels).mean()


def sums_of_classes(scores, labels):
    sums, counts = np.zeros(2), np.zeros(2)
    for score, label in zip(scores, labels):
        sums[label] += score
        counts[label] += 1
    mean = sums / counts
    return float(mean[1] > mean[0])


def rows_of_a_buffer(scores, labels):
    table = np.zeros((2, len(scores)))
    table[0] = scores
    table[1] = 1 - scores
    return (table.argmax(0) != labels).mean()


def like_the_scores(scores, labels):
    out = np.empty_like(scores)
    out[::2] = scores[::2]
    out[1::2] = -scores[1::2]
    return (labels[np.argsort(out)] / np.arange(1, len(out) + 1)).sum()


def padded(scores, labels):
    pad = np.full((4, 5), -1.0)
    for place in range(len(scores)):
        pad[place // 5, place % 5] = scores[place]
    return (pad.max(axis=1) > 0.8).mean()


def added_at_places(scores, labels):
    sums = np.zeros(2)
    np.add.at(sums, labels, scores)
    return float(sums[1] > sums[0])


def largest_at_places(scores, labels):
    best = np.zeros(2)
    np.maximum.at(best, labels, scores)
    return float(best[1] > best[0])


def through_a_view(scores, labels):
    table = np.zeros((2, len(scores)))
    row = table[0]
    row[:] = scores
    return ((table[0] > 0.5) == labels).mean()


METRICS = (
    pieces,
    through_a_view,
    pieces_otherwise,
    sums_of_parts,
    largest_of_parts,
    parts_of_a_table,
    running_product,
    running_least,
    running_difference,
    logs_of_sums,
    hypotenuse,
    polynomial,
    vectorized,
    vectorized_outside,
    vectorized_with_types,
    several_results,
    ufunc_of_python,
    along_an_axis,
    from_a_generator,
    from_so_many,
    filled_one_by_one,
    sums_of_classes,
    rows_of_a_buffer,
    like_the_scores,
    padded,
    added_at_places,
    largest_at_places,
)


def arguments(seed, tied=False):
    draw = np.random.default_rng(seed)
    scores = draw.integers(1, 8, N) / 8 if tied else draw.permutation(N) / N + 0.03
    labels = (draw.random(N) < 0.5).astype(int)
    labels[:2] = 0, 1
    return {"scores": scores, "labels": labels}


def criterion_of(metric):
    return dispatched_loss(metric, Request(direction="maximize", example=arguments(0)))()


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_exact_and_follows_the_binaries_of_other_scores(metric):
    criterion = criterion_of(metric)
    assert criterion.plan.route == "dispatch"
    for seed, tied in ((0, False), (1, False), (2, True)):
        given = arguments(seed, tied)
        configuration = criterion.record(**given)
        assert len(configuration.flat)
        assert float(criterion.replay(configuration, **given)) == pytest.approx(float(metric(**given)))
        there = {**given, "scores": np.random.default_rng(seed).permutation(given["scores"])}
        swapped = criterion.record(**there)
        swapped = swapped.with_flat(swapped.flat)
        assert float(criterion.replay(swapped, **given)) == pytest.approx(float(metric(**there)))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_a_gradient_reaches_the_scores(metric):
    criterion = criterion_of(metric)
    reached = 0.0
    for seed in range(3):
        given = arguments(seed)
        leaf = torch.as_tensor(given["scores"]).requires_grad_()
        criterion(leaf, given["labels"]).backward()
        assert torch.isfinite(leaf.grad).all()
        reached += float(leaf.grad.abs().sum())
    assert reached > 0


WEIGHTS = np.zeros(2)


def into_an_array_of_the_module(scores, labels):
    np.add.at(WEIGHTS, labels, scores)
    return float(WEIGHTS[1] > WEIGHTS[0]) + (scores > 0.5).mean()


def combined_at_places(scores, labels):
    out = np.ones(2)
    np.power.at(out, labels, scores)
    return float(out[1] > out[0]) + (scores > 0.5).mean()


@pytest.mark.parametrize(
    "metric", [into_an_array_of_the_module, combined_at_places], ids=lambda metric: metric.__name__
)
def test_a_score_written_where_none_can_be_kept_is_refused_at_its_line(metric):
    with pytest.raises(MetricError) as caught:
        criterion_of(metric)
    found = caught.value.diagnostics[0]
    assert found.code == "M2L302"
    assert found.span is not None and found.span.path == __file__
    assert found.hint
