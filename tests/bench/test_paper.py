"""The papers' tasks: what their splits hold, how their rates fall, and a step of each on its real data's format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from bench.__main__ import main
from bench.core.losses import compile_metrics
from bench.core.names import parse
from bench.core.record import Run, every
from bench.core.sweep import TUNING_SEEDS, scores_of
from bench.core.training import start
from bench.core.tuning import best, beyond
from bench.data.checks import BadData
from bench.paper import RUNS, SEEDS, SWEEPS
from bench.tasks import _recipes as recipes
from bench.tasks import groups, named
from tests.bench.files import cifar_folder, letor_fold, mnist_folder, mpii_folder

KEYS = [task.key for task in groups()["paper"]]


@pytest.mark.parametrize("key", KEYS)
def test_splits_are_disjoint_new_for_every_seed_and_repeatable(key: str) -> None:
    first, again, other = (named(key).split(seed, "bundled") for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first.train, again.train))
    assert not torch.equal(first.train[0], other.train[0])
    rows = [{row.numpy().tobytes() for row in part[0]} for part in (first.train, first.validation, first.test)]
    assert not rows[0] & rows[1] and not rows[0] & rows[2] and not rows[1] & rows[2]
    assert len({len(array) for array in first.train}) == 1


@pytest.mark.parametrize("key", ["ap", "ap-8"])
def test_noise_is_in_the_training_labels_alone(key: str) -> None:
    clean, noisy = named(key).split(3, "bundled"), named(f"{key}-noisy").split(3, "bundled")
    assert torch.equal(clean.train[0], noisy.train[0])
    assert int((clean.train[1] != noisy.train[1]).sum()) == 60
    assert torch.equal(clean.validation[1], noisy.validation[1]) and torch.equal(clean.test[1], noisy.test[1])


@pytest.mark.parametrize(
    ("schedule", "epochs", "factors"),
    [
        (recipes.ACCURACY, 200, {0: 1, 139: 1, 140: 0.1, 159: 0.1, 160: 0.01, 199: 0.01}),
        (recipes.POSE, 50, {0: 1, 29: 1, 30: 1 / 4, 39: 1 / 4, 40: 1 / 16, 49: 1 / 16}),
    ],
)
def test_rates_fall_when_the_papers_say(
    schedule: Callable[..., torch.optim.lr_scheduler.LRScheduler], epochs: int, factors: dict[int, float]
) -> None:
    optimizer = recipes.sgd([torch.nn.Parameter(torch.zeros(1))], 2.0)
    scheduler = schedule(optimizer, epochs * 3)
    found = {}
    for step in range(epochs * 3):
        found[step // 3] = optimizer.param_groups[0]["lr"] / 2
        optimizer.step()
        scheduler.step()
    assert {epoch: found[epoch] for epoch in factors} == pytest.approx(factors)


def test_crops_shift_and_mirror_pictures_and_leave_targets_alone() -> None:
    pictures, labels = torch.rand(40, 3, 6, 5) + 1, torch.arange(40)
    generator = torch.Generator().manual_seed(0)
    moved, same = recipes.crops(2, mirror=True)((pictures, labels), generator)
    assert torch.equal(same, labels) and moved.shape == pictures.shape
    shifts = set()
    for before, after in zip(pictures, moved):
        wide = torch.nn.functional.pad(before, (2, 2, 2, 2))
        straight = {
            (down, right): wide[:, down : down + 6, right : right + 5] for down in range(5) for right in range(5)
        }
        ways = [(*way, False) for way, picture in straight.items() if torch.equal(picture, after)]
        ways += [(*way, True) for way, picture in straight.items() if torch.equal(picture.flip(-1), after)]
        assert len(ways) == 1
        shifts.update(ways)
    assert {turned for _, _, turned in shifts} == {False, True}
    assert {down for down, _, _ in shifts} == set(range(5)) == {right for _, right, _ in shifts}


def test_every_loss_of_the_sweeps_is_known_and_tuning_seeds_are_not_tested_with() -> None:
    for key, (rates, losses) in SWEEPS.items():
        assert key in KEYS and len(rates) >= 3
        for loss in losses:
            parse(named(key), loss)
    assert min(TUNING_SEEDS) > 50


@pytest.mark.parametrize(
    ("key", "write", "handmade", "shape"),
    [
        ("ap", lambda where: mnist_folder(where, 160), "bce", (144, 1, 28, 28)),
        ("ap-8-noisy", lambda where: mnist_folder(where, 160), "smooth-ap", (144, 1, 28, 28)),
        ("accuracy", lambda where: cifar_folder(where, 10, n=30), "ce", (135, 3, 32, 32)),
        ("accuracy", lambda where: cifar_folder(where, 100, n=150), "mixed-late", (135, 3, 32, 32)),
        ("pose", lambda where: mpii_folder(where, 24), "mse-1", (18, 3, 224, 224)),
        ("ltr", lambda where: letor_fold(where, 20), "listwise", (20, 6, 6)),
    ],
    ids=["mnist", "mnist-noisy", "cifar-10", "cifar-100", "mpii", "letor"],
)
def test_a_step_on_the_real_data_s_format(
    tmp_path: Path, key: str, write: Callable[[Path], Path], handmade: str, shape: tuple[int, ...]
) -> None:
    folder = str(write(tmp_path))
    compile_metrics([named(key)])
    few = 40 if key.startswith("ap") else 2  # with positives among them
    for loss in (handmade, "integrated"):
        training = start(Run(key, loss, 1e-3, 0, data=folder))
        assert training.data.train[0].shape == shape
        assert training.steps >= 1
        batch = tuple(array[:few] for array in training.data.train)
        before = [parameter.clone() for parameter in training.network.parameters()]
        training.step(batch)
        assert any(not torch.equal(a, b) for a, b in zip(before, training.network.parameters()))
        some = tuple(array[:few] for array in training.data.test)
        value = training.evaluate(some)
        assert value is None or 0 <= value <= 1


def test_the_command_trains_on_a_folder(tmp_path: Path) -> None:
    folder, out = tmp_path / "mnist", tmp_path / "out"
    folder.mkdir()
    mnist_folder(folder, 160)
    options = ["--loss", "bce,integrated", "--seeds", "1", "--epochs", "1", "--workers", "1", "--out", str(out)]
    answer = CliRunner().invoke(main, ["ap", "--data", str(folder), *options], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    outcomes = list(every(out))
    assert [outcome.run.loss for outcome in outcomes] == ["bce", "integrated"]
    assert all(outcome.run.data == "mnist" and outcome.settings["network"] == 543_101 for outcome in outcomes)


def test_the_command_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="put MNIST's"):
        start(Run("ap", "bce", 1e-3, 0, data=str(tmp_path)))
    answer = CliRunner().invoke(
        main, ["ap", "--data", str(tmp_path), "--loss", "bce", "--seeds", "1", "--workers", "1"]
    )
    assert answer.exit_code == 1
    assert "put MNIST's train-images-idx3-ubyte" in answer.output


@pytest.mark.skipif(not RUNS.exists(), reason="the runs are not part of this copy")
def test_committed_runs_are_whole_and_every_best_rate_lies_inside_what_was_searched() -> None:
    outcomes = list(every(RUNS))
    searched = scores_of(outcomes)
    for (key, loss), rates in searched.items():
        assert beyond(rates) == [], (key, loss)
        tested = [o for o in outcomes if (o.run.task, o.run.loss, o.run.learning_rate) == (key, loss, best(rates))]
        assert {o.run.seed for o in tested} >= {*SEEDS, *TUNING_SEEDS}, (key, loss)
