"""Losses of other packages: what a system is told, what is skipped, and each loss where its package is installed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from bench.core.record import Run
from bench.core.task import System
from bench.core.training import start
from bench.core.training import train as train_run
from bench.rivals import __main__ as command
from bench.rivals.losses import RIVALS, Rival, correlation, rival
from bench.tasks import groups
from examples.metrics.spearman import spearman


class Told(System):
    """Squared distance of scores to labels, with an optimizer of its own; keeps what it was told."""

    def __init__(self, examples: int) -> None:
        self.examples, self.seen = examples, torch.zeros(examples, dtype=torch.long)

    def __call__(self, *given: Tensor) -> Tensor:
        self.seen[self.rows] += 1
        return (given[0] - given[1]).square().mean()

    def optimizer(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=learning_rate)


MADE = Rival("told", "torch", Told, "a system for this test")


@pytest.fixture
def one_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RIVALS, "ap-linear", (MADE, replace(MADE, name="lacking", package="no_such_package")))  # type: ignore[arg-type]


def test_every_rival_belongs_to_a_learning_task() -> None:
    assert RIVALS.keys() <= {task.key for task in groups()["learning"]}
    for key, found in RIVALS.items():
        assert len({one.name for one in found}) == len(found)
        assert rival(key, found[0].name) == found[0]
    assert rival("ap-linear", "bce") is None and rival("dice", "libauc-ap") is None


@pytest.mark.usefixtures("one_rival")
def test_a_system_is_told_the_rows_of_each_batch_and_brings_its_optimizer() -> None:
    training = start(Run("ap-linear", "told", 0.1, 0, epochs=1))
    assert isinstance(training.criterion, Told) and isinstance(training.optimizer, torch.optim.SGD)
    training.epoch()
    assert training.criterion.examples == len(training.data.train[0]) == 600
    assert bool((training.criterion.seen == 1).all())
    assert train_run(Run("ap-linear", "told", 0.1, 0, epochs=1)).settings["package"].startswith("torch ")


@pytest.mark.usefixtures("one_rival")
def test_a_package_that_is_not_installed_is_skipped_with_a_line(tmp_path: Path) -> None:
    told = CliRunner().invoke(
        command.main, ["--task", "ap-linear", "--quick", "--workers", "1"], catch_exceptions=False
    )
    assert told.exit_code == 0
    assert "no_such_package is not installed: its losses were skipped (pip install no_such_package)" in " ".join(
        told.output.split()
    )


def test_an_unknown_task_is_refused() -> None:
    told = CliRunner().invoke(command.main, ["--task", "ap-linea"])
    assert told.exit_code == 2 and "did you mean 'ap-linear'" in told.output


def test_the_correlation_of_hard_ranks_is_the_metric() -> None:
    torch.manual_seed(0)
    scores, targets = torch.randn(20), torch.randn(20)
    expected = float(spearman(scores.numpy(), targets.numpy()))
    assert float(correlation(scores.argsort().argsort().float(), targets)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.filterwarnings("ignore")  # other packages' own
@pytest.mark.parametrize(
    ("key", "name"), [(key, found.name) for key, all_of_it in RIVALS.items() for found in all_of_it]
)
def test_a_rival_learns_from_a_few_steps(key: str, name: str) -> None:
    found = rival(key, name)
    assert found is not None
    if not found.installed:
        pytest.skip(f"{found.package} is not installed")
    training = start(Run(key, name, 1e-2, 0))
    before = [parameter.clone() for parameter in training.network.parameters()]
    training.epoch()
    assert any(not torch.equal(a, b) for a, b in zip(before, training.network.parameters(), strict=True))
