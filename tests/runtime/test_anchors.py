"""The paper's anchors: how many, how far from their base, and each row with flips of its own."""

from __future__ import annotations

import torch

from metric2loss.runtime import anchors as module
from metric2loss.runtime.anchors import Anchors
from metric2loss.runtime.groups import Rows
from tests.runtime import toy


def rows_of(problem: toy.Toy) -> Rows:
    return Rows(problem.n_rows, problem.row_of)


def ranking() -> toy.Toy:
    scores = torch.randn(10, generator=torch.Generator().manual_seed(0))
    return toy.average_precision(scores, torch.arange(10) % 3 == 0).seeded()


def heat_maps(rows: int = 3, candidates: int = 6, good: int = 2) -> toy.Toy:
    scores = torch.randn(rows, candidates, generator=torch.Generator().manual_seed(1))
    classes = (torch.arange(candidates) < good).long().expand(rows, candidates)
    return toy.choose(scores, classes).seeded()


def test_best_good_near_and_random():
    problem = ranking()
    anchors = Anchors.drawn_for(problem, rows_of(problem))
    dense = anchors.dense()
    assert len(anchors) == len(dense) == 49
    assert torch.equal(dense[0], problem.best)
    assert ((dense[1:17] != problem.best).sum(1) == 1).all()
    near = dense[17:33]
    assert ((near != problem.bits).sum(1) == 1).all()
    assert ((near != problem.best).sum(1) == (problem.bits != problem.best).sum() - 1).all()
    assert 0.3 < dense[33:].float().mean() < 0.7


def test_when_none_is_wrong_a_near_anchor_flips_any_binary():
    problem = ranking()
    problem = problem.towards(problem.bits)
    near = Anchors.drawn_for(problem, rows_of(problem)).dense()[17:33]
    assert ((near != problem.bits).sum(1) == 1).all()


def test_every_row_has_flips_of_its_own():
    problem = toy.choose(torch.zeros(7, 3), torch.eye(3, dtype=torch.long)[torch.arange(7) % 3]).seeded()
    dense = Anchors.drawn_for(problem, rows_of(problem)).dense()
    changed = torch.zeros(16, 7).index_add_(1, problem.row_of, (dense[1:17] != problem.best).float())
    assert (changed == 1).all()
    assert len({tuple(row.tolist()) for row in dense[1:17]}) > 8


def test_a_near_anchor_of_a_heat_map_sets_all_wrong_binaries_of_one_pixel_right():
    problem = heat_maps()
    near = Anchors.drawn_for(problem, rows_of(problem)).dense()[17:33]
    layout = problem.leaves[0].layout
    wrong = problem.bits != problem.best
    for anchor in near:
        for row in range(3):
            mine = layout.row_of == row
            pixels = layout.beats[mine & (anchor != problem.bits)].unique()
            assert len(pixels) == (1 if wrong[mine].any() else pixels.numel())
            assert (anchor == problem.best)[mine & (layout.beats == pixels[0])].all() or not wrong[mine].any()


def test_large_batches_are_evaluated_from_base_and_flips(monkeypatch):
    problem = ranking()
    anchors = Anchors.drawn_for(problem, rows_of(problem))
    together = anchors.values(problem, rows_of(problem))
    monkeypatch.setattr(module, "_DENSE", 0)
    assert torch.equal(anchors.values(problem, rows_of(problem)), together)


def test_the_generator_decides_and_the_global_one_is_left_alone():
    before = torch.random.get_rng_state()
    first, second = (Anchors.drawn_for(problem, rows_of(problem)).dense() for problem in (heat_maps(), heat_maps()))
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), before)
