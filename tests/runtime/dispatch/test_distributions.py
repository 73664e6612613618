"""Distributions of scipy.stats take scores as values, locations and scales, and are SciPy's to the last digit."""

import numpy as np
import pytest
import torch

stats = pytest.importorskip("scipy.stats")
norm, logistic = stats.norm, stats.logistic

from metric2loss.routes import Request, dispatched_loss

N = 12


def interval_hits(scores, labels):
    low, high = norm.ppf(0.3, loc=scores, scale=0.2), norm.ppf(0.7, scores, 0.2)
    return ((low <= labels) & (labels <= high)).mean()


def spread_by_the_score(scores, labels):
    return ((stats.norm.isf(0.1, scores, np.abs(scores) + 0.1) > 1.0) == labels).mean()


def chances(scores, labels):
    return ((norm.cdf(scores) > 0.6) == labels).mean() + (norm.sf(scores, 0.5) > 0.5).mean()


def frozen(scores, labels):
    given = stats.norm(scores, 0.3)
    return ((given.cdf(0.6) > 0.5) == labels).mean() + (given.logsf(0.1) > -0.2).mean()


def densities(scores, labels):
    likely = logistic.logpdf(scores, loc=0.5, scale=0.1) > 0.5
    return (likely == labels).mean() + (norm.pdf(scores) > 0.3).mean() + (logistic.logcdf(scores) > -0.5).mean()


def quantiles(scores, labels):
    return ((logistic.ppf(scores) > 0.2) == labels).mean() + (norm.ppf(scores) > 0.2).mean() + norm(0, 1).mean()


METRICS = (interval_hits, spread_by_the_score, chances, frozen, densities, quantiles)


def arguments(seed):
    draw = np.random.default_rng(seed)
    return {"scores": draw.permutation(N) / N + 0.03, "labels": (draw.random(N) < 0.5).astype(int)}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_the_loss_is_the_metric_follows_its_binaries_and_moves_the_scores(metric):
    criterion = dispatched_loss(metric, Request(direction="maximize", example=arguments(0)))()
    reached = 0.0
    for seed in range(3):
        given, there = arguments(seed), {**arguments(seed), "scores": arguments(seed + 9)["scores"]}
        configuration, elsewhere = criterion.record(**given), criterion.record(**there)
        assert float(criterion.replay(configuration, **given)) == float(metric(**given))
        assert float(criterion.replay(elsewhere, **given)) == float(metric(**there))
        scores, differences = criterion.differences(**given)
        (differences * torch.arange(len(differences))).sum().backward()
        reached += float(scores["scores"].grad.abs().sum())
    assert np.isfinite(reached)
    assert reached > 0


def test_differences_are_those_of_scipys_values():
    criterion = dispatched_loss(chances, Request(direction="maximize", example=arguments(0)))()
    given = arguments(1)
    first = criterion.record(**given).differences[0]
    logit = np.log(norm.cdf(given["scores"]) / norm.sf(given["scores"])) - np.log(0.6 / 0.4)
    assert np.allclose(first, logit)
