"""Several orders in one metric: the credit of each is that of every single flip, the others left where they were drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from metric2loss import surrogate
from metric2loss.runtime.interpolants import orders
from metric2loss.runtime.interpolants.credit import SAMPLES
from metric2loss.runtime.interpolants.places import Places
from metric2loss.runtime.interpolants.swaps import Draws


def mean_of_classes(scores, labels):
    values = []
    for c in range(scores.shape[1]):
        y = (labels == c)[np.argsort(-scores[:, c])]
        if y.sum() == 0:
            continue
        values.append((np.cumsum(y) / np.arange(1, len(y) + 1) * y).sum() / y.sum())
    return np.mean(values)


def mean_of_classes_torch(scores, labels):
    values = []
    for c in range(scores.shape[1]):
        y = (labels == c)[torch.argsort(-scores[:, c])].double()
        if y.sum() == 0:
            continue
        values.append((torch.cumsum(y, 0) / torch.arange(1, len(y) + 1) * y).sum() / y.sum())
    return torch.stack(values).mean()


def mean_over_rows(scores, labels):
    values = []
    for c in range(scores.shape[1]):
        y = (labels == c)[np.argsort(-scores[:, c])]
        values.append((np.cumsum(y) / np.arange(1, len(y) + 1) * y).sum() / max(y.sum(), 1))
    return np.mean(values)


def product_of_classes(scores, labels):
    value = 1.0
    for c in range(scores.shape[1]):
        y = (labels == c)[np.argsort(-scores[:, c])]
        if y.sum() == 0:
            continue
        value = value * (np.cumsum(y) / np.arange(1, len(y) + 1) * y).sum() / y.sum()
    return value


def cubes_of_classes(scores, labels):
    total = 0.0
    for c in range(scores.shape[1]):
        y = (labels == c)[np.argsort(-scores[:, c])]
        if y.sum() == 0:
            continue
        total += ((np.cumsum(y) / np.arange(1, len(y) + 1) * y).sum() / y.sum()) ** 3
    return total / scores.shape[1]


def mean_of_queries(scores, relevant, query):
    total, count = 0.0, 0
    for q in np.unique(query):
        gains = relevant[query == q][np.argsort(-scores[query == q])]
        if gains.sum() == 0:
            continue
        total += (gains / np.log2(np.arange(2, len(gains) + 2))).sum()
        count += 1
    return total / count


def first_class_only(scores, labels):
    value = 0.0
    for c in range(scores.shape[1]):
        y = (labels == c)[np.argsort(-scores[:, c])]
        if y.sum() == 0:
            continue
        value += (c == 0) * (np.cumsum(y) / np.arange(1, len(y) + 1) * y).sum() / y.sum()
    return value


def batch(metric: Callable[..., Any], n: int = 9) -> tuple[Any, ...]:
    """Scores of three classes (or of one list of queries of 2, 3 and 4 documents), and what the metric compares them with."""
    draw = torch.Generator().manual_seed(3)
    if metric is mean_of_queries:
        scores = torch.randn(9, generator=draw, dtype=torch.double, requires_grad=True)
        return scores, np.array([0, 1, 0, 0, 1, 1, 0, 1, 0]), np.array([0, 0, 1, 1, 1, 2, 2, 2, 2])
    labels = np.arange(n) % 4 % 3
    scores = torch.randn(n, 3, generator=draw, dtype=torch.double, requires_grad=True)
    return scores, torch.from_numpy(labels) if metric is mean_of_classes_torch else labels


def taught(metric: Callable[..., Any], **options: Any) -> Any:
    """The loss after a batch."""
    criterion = surrogate(metric, direction="maximize").loss(generator=torch.Generator().manual_seed(0), **options)
    criterion(*batch(metric)).backward()
    return criterion


def drawn(metric: Callable[..., Any]) -> tuple[Any, list[orders.Order], list[Draws]]:
    """A problem, its orders, and four configurations of each."""
    problem = taught(metric).problem(*batch(metric))
    known = orders.read(problem)
    path = [0.1, 0.8, 0.3, 0.0]
    return problem, known, [Draws.on(problem, order.split, order.leaf.layout.low, path) for order in known]


def numbers(order: orders.Order) -> tuple[Tensor, bool]:
    """Of every pair its number among all binaries, and whether it is true when the winner leads."""
    layout, split = order.leaf.layout, order.split
    number = torch.full((layout.n, layout.n), -1)
    number[layout.ahead, layout.behind] = torch.arange(order.leaf.start, order.leaf.stop)
    forward, backward = number[split.good[0]][:, split.bad[0]], number[split.bad[0]][:, split.good[0]].T
    return torch.where(forward >= 0, forward, backward), bool((forward >= 0).all())


def by_flips(problem: Any, known: list[orders.Order], draws: list[Draws]) -> list[Tensor]:
    """g at every single flip of every drawn configuration of all orders."""
    total = [torch.zeros(mine.goods, mine.bads, dtype=torch.double) for mine in draws]
    flips = torch.cat([torch.tensor([[-1]]), torch.arange(problem.size).unsqueeze(1)])
    for place in range(SAMPLES):
        bits = torch.zeros(problem.size, dtype=torch.bool)
        agrees = [torch.cat(list(mine.agrees))[place] > 0 for mine in draws]
        for order, right in zip(known, agrees):
            number, true = numbers(order)
            bits[number] = right == true
        values = problem.sign * problem.values(bits, flips)
        for order, right, mine in zip(known, agrees, total):
            change = (values[1:] - values[0])[numbers(order)[0]]
            mine += torch.where(right, -change, change) / SAMPLES
    return total


@pytest.mark.parametrize("call", [2**15, 1, 40])
@pytest.mark.parametrize("metric", [mean_of_classes, mean_of_classes_torch, product_of_classes, mean_of_queries])
def test_the_swaps_of_each_order_give_every_single_flip(metric, call, monkeypatch):
    monkeypatch.setattr(orders, "_CALL", call)  # all orders in one call, or few at a time
    problem, known, draws = drawn(metric)
    assert len(known) == 3 and len({order.leaf.layout.size for order in known}) > 1
    found = orders.Swaps.of(problem, known, draws, 2**30)
    assert found.share == 1
    for number, expected in enumerate(by_flips(problem, known, draws)):
        assert torch.allclose(found.credit(number).double(), expected, atol=1e-7)


def test_a_random_share_of_the_swaps_gives_the_same_credit_on_average():
    problem, known, draws = drawn(mean_of_classes)
    whole = orders.Swaps.of(problem, known, draws, 2**30)
    problem.generator = torch.Generator().manual_seed(0)
    some = [orders.Swaps.of(problem, known, draws, 1) for _ in range(400)]
    assert 0.1 < some[0].share < 0.9
    for number in range(len(known)):
        expected = whole.credit(number)
        mean = sum(found.credit(number) for found in some) / len(some)
        assert torch.allclose(mean, expected, atol=0.2 * float(expected.abs().max()))


def test_the_spelling_makes_no_difference():
    gradients = []
    for metric in (mean_of_classes, mean_of_classes_torch):
        arguments = batch(metric)
        criterion = surrogate(metric, direction="maximize").loss(generator=torch.Generator().manual_seed(0))
        criterion(*arguments).backward()
        gradients.append(arguments[0].grad)
    assert gradients[0].abs().sum() > 0 and torch.allclose(*gradients, atol=1e-9)


def test_a_mean_over_classes_is_taught_alike_whether_it_is_seen_to_be_a_mean_over_rows_or_not():
    gradients = []
    for metric in (mean_of_classes, mean_over_rows):
        arguments = batch(metric)
        criterion = surrogate(metric).loss(generator=torch.Generator().manual_seed(0))
        criterion(*arguments).backward()
        assert (criterion.problem(*batch(metric)).row_of is None) is (metric is mean_of_classes)
        gradients.append(arguments[0].grad)
    assert torch.allclose(*gradients, atol=1e-9)


def test_rows_of_candidates_are_no_orders_over_the_batch():
    def mean_of_lists(scores, relevant):
        values = []
        for row, y in zip(scores, relevant):
            hits = y[np.argsort(-row)]
            values.append((np.cumsum(hits) / np.arange(1, len(hits) + 1) * hits).sum() / max(hits.sum(), 1))
        return np.mean(values)

    criterion = surrogate(mean_of_lists).loss(generator=torch.Generator().manual_seed(0))
    scores = torch.randn(5, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    criterion(scores, np.arange(30).reshape(5, 6) % 3 == 0).backward()
    assert criterion.report()["credit"].startswith("flips: single binaries, those of every row at once")


def test_a_mean_over_rows_of_several_comparisons_has_no_orders():
    def mean_of_hits(scores, labels):
        values = []
        for c in range(scores.shape[1]):
            said = scores[:, c] > 0
            values.append((said == labels[:, c]).mean())
        return np.mean(values)

    scores = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    criterion = surrogate(mean_of_hits, direction="maximize").loss(generator=torch.Generator().manual_seed(0))
    criterion(scores, np.arange(15).reshape(5, 3) % 2 == 0).backward()
    problem = criterion.problem(scores, np.arange(15).reshape(5, 3) % 2 == 0)
    assert problem.row_of is not None and len(problem.leaves) == 3 and orders.read(problem) == []
    assert scores.grad.abs().sum() > 0


def test_classes_that_are_missing_in_the_batch_have_no_order_to_be_pulled():
    scores = torch.randn(8, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    for metric in (mean_of_classes, cubes_of_classes):
        scores.grad = None
        criterion = surrogate(metric, direction="maximize").loss(generator=torch.Generator().manual_seed(0))
        criterion(scores, np.array([1, 3, 3, 1, 1, 3, 3, 3])).backward()
        assert (scores.grad.abs().sum(0) > 0).tolist() == [False, True, False, True]


def test_the_report_says_how_many_orders_there_are():
    said = taught(mean_of_classes).report()["credit"]
    assert said == "swaps: 3 orders of two classes, whose flips are sums of neighbouring swaps; all swaps evaluated"


def test_where_swaps_do_not_add_up_single_flips_are_evaluated():
    problem, known, _ = drawn(cubes_of_classes)
    assert orders.credit(problem, known, 2**30) is None
    assert taught(cubes_of_classes).report()["credit"].startswith("flips: ")


def test_an_order_that_the_metric_says_nothing_of_is_pulled_as_hard_as_others_are():
    problem, known, _ = drawn(first_class_only)
    worth = [torch.full((len(order.split.good[0]), len(order.split.bad[0])), 0.0) for order in known]
    worth[0][0, 0] = 1.0
    credit = orders.Credit(known, worth, 1.0)
    terms = credit.terms(problem, 1e-3, orders.links.Power(0.0), Places())
    sums = [float(gradient.abs().sum()) for _, gradient in terms]
    assert all(0 < part < 0.1 * sums[0] for part in sums[1:])
    assert math.isclose(credit.mean, 1 / sum(part.numel() for part in worth), rel_tol=1e-6)
