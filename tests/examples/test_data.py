"""The examples are what they are said to be: every file has inputs, perfect scores are perfect, ties occur."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.examples.data import METRICS, SCORE_CHANGES, Example, examples, named

ALL = [pytest.param(example, id=example.name) for example in examples()]


def value(example: Example, inputs: dict) -> float:
    return float(example.metric(**inputs))


def test_every_file_has_inputs() -> None:
    files = {path.stem for path in METRICS.glob("*.py") if not path.stem.endswith("_loss")}
    assert files == {example.name for example in examples()}


@pytest.mark.parametrize("example", ALL)
@pytest.mark.parametrize("seed", range(3))
def test_perfect_scores_are_perfect(example: Example, seed: int) -> None:
    assert value(example, example.perfect(seed)) == pytest.approx(example.best, abs=1e-4)


@pytest.mark.parametrize("example", ALL)
def test_random_scores_are_not_perfect(example: Example) -> None:
    found = value(example, example.batch())
    assert found < example.best if example.direction == "maximize" else found > example.best


@pytest.mark.parametrize("example", ALL)
def test_the_same_seed_gives_the_same_batch(example: Example) -> None:
    first, second = example.batch(seed=5), example.batch(seed=5)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("example", ALL)
def test_coarse_scores_tie(example: Example) -> None:
    scores = np.asarray(example.batch("ties")[example.scores])
    assert len(np.unique(scores)) < scores.size


@pytest.mark.parametrize("example", ALL)
def test_every_kind_of_batch_has_its_full_set_of_arguments(example: Example) -> None:
    names = set(example.batch())
    for kind in example.kinds():
        batch = example.batch(kind)
        assert set(batch) == names
        if kind in SCORE_CHANGES:
            assert np.shape(batch[example.scores]) == np.shape(example.batch()[example.scores])


@pytest.mark.parametrize("example", ALL)
def test_metrics_run_on_every_batch_that_is_not_empty(example: Example) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 0/0 is the metric's own answer where it is undefined
        for kind in example.kinds():
            if kind not in ("empty", "nan"):
                value(example, example.batch(kind))


def test_counts_of_binaries_follow_the_formulas() -> None:
    counts = {name: named(name).binaries for name in ("accuracy", "average_precision", "f1_threshold")}
    sizes = {name: count(named(name).batch()) for name, count in counts.items() if count}
    positives = int(named("average_precision").batch()["labels"].sum())
    assert sizes == {"accuracy": 12 * 3, "average_precision": positives * (20 - positives), "f1_threshold": 20}
