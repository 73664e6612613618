"""Names of losses, and the search for learning rates and the choice of the best hand-made loss."""

from __future__ import annotations

import pytest
import torch

from bench.core.losses import compile_metrics, criterion_of
from bench.core.names import Compiled, Mixture, parse
from bench.core.record import Outcome, Run
from bench.core.statistics import paired
from bench.core.sweep import LONGER, Plan, choose, final_runs, scores_of
from bench.core.tuning import search
from bench.core.unknown import UnknownName
from bench.tasks import named
from metric2loss.runtime.mixing import Mixed

ACCURACY = named("accuracy-mlp")


def test_names_of_compiled_losses() -> None:
    assert parse(ACCURACY, "ce") == "ce"
    assert parse(ACCURACY, "idw") == Compiled("idw", {"anchors": 16, "power": 1.0})
    assert parse(ACCURACY, "relational-value") == Compiled("relational", {"fit": "value"})
    assert parse(ACCURACY, "direct-margin-lse") == Compiled("direct", {"encoding": "margin-lse"})
    assert parse(ACCURACY, "integrated-margin") == Compiled("integrated", {"encoding": "margin"})


def test_a_mixture_names_its_parts_and_its_schedule() -> None:
    expectation = Compiled("direct", {"encoding": "margin-lse"})
    assert parse(ACCURACY, "ce+el-gradual") == Mixture("ce", expectation, "gradual")
    assert parse(ACCURACY, "pull+integrated-late") == Mixture("pull", Compiled("integrated"), "late")


@pytest.mark.parametrize("name", ["integrat", "bce", "ce+el", "ce+el-never", "integrated-edges", "bce+el-equal"])
def test_unknown_losses_are_refused(name: str) -> None:
    with pytest.raises(UnknownName, match="no loss for accuracy-mlp is called"):
        parse(ACCURACY, name)


def test_cross_entropy_with_the_compiled_expectation_loss_is_the_formula() -> None:
    compile_metrics([ACCURACY])
    scores, labels = torch.randn(8, 10, requires_grad=True), torch.arange(8)
    log_p = torch.log_softmax(scores, 1)[torch.arange(8), labels]
    wanted = (-log_p + 1 - log_p.exp()).mean()
    assert torch.allclose(criterion_of(ACCURACY, "ce+el-equal", 100, 0)(scores, labels), wanted)


def test_a_mixture_passes_named_arguments_to_both_losses() -> None:
    task = named("kappa")
    compile_metrics([task])
    criterion = criterion_of(task, "mse+integrated-equal", 100, 0)
    scores = torch.tensor([0.2, 1.4, 3.0], requires_grad=True)
    criterion(scores, torch.tensor([0, 2, 3])).backward()
    assert scores.grad is not None and bool((scores.grad != 0).any())
    assert issubclass(Mixed, torch.nn.Module)


def outcome(run: Run, value: float | None) -> Outcome:
    return Outcome(run, (), value, value, 1.0, 1.0, None, {}, {})


def test_the_grid_grows_and_the_best_hand_made_loss_is_chosen_by_validation() -> None:
    task = named("expected-cost")  # lower is better
    lowest = {"soft-cost": 0.01, "ce": 0.3, "weighted-ce": 0.03, "integrated": 0.0003}

    def train(runs: list[Run]) -> list[Outcome]:
        bottom = {"soft-cost": 0.5, "ce": 0.6, "weighted-ce": 0.7, "integrated": 0.4}
        return [outcome(run, bottom[run.loss] + abs(run.learning_rate - lowest[run.loss])) for run in runs]

    made: list[Outcome] = []
    scores = search(
        [(task.key, loss) for loss in lowest],
        (0.003, 0.01, 0.03),
        (100, 101),
        lambda runs: made.extend(train(runs)) or train(runs),
    )
    assert scores_of(made) == scores
    chosen = choose(task, scores)
    assert chosen.rates == {"soft-cost": 0.01, "ce": 0.3, "weighted-ce": 0.03, "integrated": 0.0003}
    assert chosen.handmade == "soft-cost"
    assert 1.0 in scores[task.key, "ce"] and 0.0001 in scores[task.key, "integrated"]
    tested = final_runs(task, chosen, Plan(seeds=(0,)))
    assert {run.epochs for run in final_runs(task, chosen, LONGER)} == {30}
    assert [(run.loss, run.learning_rate) for run in tested][-2:] == [("integrated", 0.0003), ("integrated", 0.01)]


def test_a_rate_at_which_the_training_breaks_down_is_not_chosen() -> None:
    task = named("accuracy-mlp")
    made = [outcome(Run(task.key, "ce", rate, seed), value) for rate, seed, value in (
        (0.01, 100, 0.5), (0.01, 101, 0.5), (0.1, 100, 0.9), (0.1, 101, None))]  # fmt: skip
    assert choose(task, scores_of(made)).rates == {"ce": 0.01}


def test_differences_are_paired_and_tested() -> None:
    ours, theirs = {0: 0.9, 1: 0.5, 2: 0.72, 9: 0.0}, {0: 0.8, 1: 0.4, 2: 0.6}
    found = paired(ours, theirs)
    assert found.count == 3
    assert found.mean == pytest.approx(0.32 / 3)
    assert found.p is not None and found.p < 0.01
    assert paired(theirs, theirs).p == 1.0
