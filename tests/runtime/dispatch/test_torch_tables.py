"""Tables of scores and labels in torch: the entries are told apart, so that labels are no scores and orders keep their gradient."""

from __future__ import annotations

import pytest
import torch

from metric2loss import compile_metric
from metric2loss.routes import Request, dispatched_loss

N = 14


def _precision(hits):
    return (hits.cumsum(0) / torch.arange(1, len(hits) + 1) * hits).sum() / hits.sum()


def stacked(scores, labels):
    table = torch.stack([scores, labels.to(scores.dtype)], 1)
    return _precision(table[table[:, 0].argsort(descending=True)][:, 1])


def compared_afterwards(scores, labels):
    table = torch.cat([scores[:, None], labels[:, None].to(scores.dtype)], dim=1)
    _, hits = table[torch.sort(table[:, 0], descending=True)[1]].unbind(1)
    return _precision((hits == 1).double())


def columns(scores, labels):
    table = torch.column_stack([scores, labels])
    return table[table[:, 0].topk(5).indices][:, 1].mean()


def horizontally(scores, labels):
    table = torch.hstack([labels[:, None].to(scores.dtype), scores.unsqueeze(-1)])
    ranked = torch.index_select(table, 0, torch.argsort(-table[:, 1]))
    return _precision(ranked[:, 0])


def written_into(scores, labels):
    table = torch.zeros(len(scores), 2, dtype=scores.dtype)
    table[:, 0] = scores
    table[:, 1] = labels
    ranked = table[(-table[:, 0]).argsort()]
    return (ranked[:, 1] / torch.arange(1, len(ranked) + 1)).sum()


def of_lists(scores, labels):
    table = torch.tensor([[score, label] for score, label in zip(scores, labels)])
    return table[torch.argsort(table[:, 0], descending=True)][:4, 1].sum()


def transposed(scores, labels):
    table = torch.stack((labels.double(), scores)).T.clone()
    ranked = table[table[:, 1].sort(descending=True).indices]
    return _precision(ranked[..., 0])


METRICS = (stacked, compared_afterwards, columns, horizontally, written_into, of_lists, transposed)


def arguments(seed, tied=False):
    draw = torch.Generator().manual_seed(seed)
    scores = torch.rand(N, generator=draw, dtype=torch.float64)
    scores = (scores * 4).round() / 4 if tied else scores
    labels = (torch.rand(N, generator=draw) < 0.4).long()
    labels[:4] = torch.tensor([0, 1, 1, 0])
    return {"scores": scores, "labels": labels}


def criterion_of(metric):
    return dispatched_loss(metric, Request(direction="maximize", example=arguments(0)))()


@pytest.mark.parametrize("tied", [False, True], ids=["distinct scores", "ties"])
@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_labels_in_a_table_are_no_scores(metric, tied):
    criterion = criterion_of(metric)
    for seed in range(3):
        given, order = arguments(seed, tied), torch.randperm(N, generator=torch.Generator().manual_seed(seed))
        configuration = criterion.record(**given)
        assert len(configuration.flat) == N * (N - 1) // 2
        assert float(criterion.replay(configuration, **given)) == pytest.approx(float(metric(**given)))
        there = {**given, "scores": given["scores"][order]}
        swapped = criterion.record(**there)
        swapped = swapped.with_flat(swapped.flat)
        assert float(criterion.replay(swapped, **given)) == pytest.approx(float(metric(**there)))
        assert not criterion.mixed


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_the_order_of_a_table_trains(metric):
    given = arguments(1)
    criterion = compile_metric(metric, direction="maximize", example=given)()
    scores = given["scores"].clone().requires_grad_()
    optimizer = torch.optim.Adam([scores], lr=0.05)
    before = float(metric(**given))
    for _ in range(60):
        optimizer.zero_grad()
        criterion(scores, given["labels"]).backward()
        optimizer.step()
    after = float(metric(scores.detach(), given["labels"]))
    assert after > before
    assert after == pytest.approx(criterion.best_value)


def test_what_is_computed_entry_by_entry_keeps_entries_apart():
    def of_negated(scores, labels):
        table = torch.stack([scores, labels.to(scores.dtype)], 1)
        table = -2 * table + 1.0
        ranked = table[table[:, 0].argsort()]
        return ((ranked[:, 1] == -1.0).double() / torch.arange(1, N + 1)).sum()

    criterion = criterion_of(of_negated)
    given = arguments(0)
    criterion(**given)
    assert criterion.binaries == N * (N - 1) // 2
    assert float(criterion.metric) == pytest.approx(float(of_negated(**given)))


def test_a_row_that_mixes_both_stays_a_score():
    def summed(scores, labels):
        table = torch.stack([scores, labels.to(scores.dtype)], 1)
        return (table.sum(1) > 0.8).double().mean()

    criterion = criterion_of(summed)
    given = arguments(0)
    scores = given["scores"].clone().requires_grad_()
    criterion(scores, given["labels"]).backward()
    assert criterion.binaries == N
    assert scores.grad.abs().sum() > 0


def rounded_in_place(scores, labels):
    return (scores.clone().round_() == labels).double().mean()


def compared_in_place(scores, labels):
    found = scores.clone()
    found.gt_(0.5)
    return (found == labels).double().mean()


def cut_in_place(scores, labels):
    return ((scores * 3).ceil_() * labels).sum() + (scores - 0.5).sign_()[:5].sum()


@pytest.mark.parametrize("metric", (rounded_in_place, compared_in_place, cut_in_place), ids=lambda m: m.__name__)
def test_a_step_that_takes_the_place_of_the_scores_is_one(metric):
    criterion, scores = criterion_of(metric), arguments(1)["scores"].requires_grad_()
    criterion(scores, arguments(1)["labels"]).backward()
    assert float(criterion.metric) == pytest.approx(float(metric(**arguments(1))))
    assert scores.grad.isfinite().all() and scores.grad.any()
    given = arguments(2, tied=True)
    there = {**given, "scores": given["scores"].flip(0)}
    swapped = criterion.record(**there)
    assert float(criterion.replay(swapped.with_flat(swapped.flat), **given)) == pytest.approx(float(metric(**there)))
