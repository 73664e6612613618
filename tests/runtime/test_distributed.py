"""Two processes on one machine: the joint batch's value everywhere, its gradient in parts, as one process has it."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from metric2loss.runtime.distributed import Peers
from tests.runtime.distributed_ranks import LOSSES, SIZES, batch, loss_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What each of two ranks found."""
    if not (dist.is_available() and dist.is_gloo_available()):
        pytest.skip("this build of torch has no gloo")
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-m", "tests.runtime.distributed_ranks"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo"}
    started = [
        subprocess.Popen(
            [*command, str(rank), str(len(SIZES)), str(folder / "meet"), str(folder / "found")],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(len(SIZES))
    ]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    return [torch.load(folder / f"found.{rank}") for rank in range(len(SIZES))]


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_are_those_of_the_joint_batch(ranks, name):
    scores, labels = batch()
    scores.requires_grad_()
    criterion = loss_of(name)
    value = criterion(scores, labels.long())
    value.backward()
    for rank in ranks:
        _, there, metric, binaries = rank[name]
        assert (there, metric, binaries) == (float(value.detach()), float(criterion.metric), criterion.binaries)
    assert torch.allclose(torch.cat([rank[name][0] for rank in ranks]), scores.grad, atol=1e-12)


def test_without_a_generator_the_ranks_agree_on_a_seed(ranks):
    assert ranks[0]["seed"] == ranks[1]["seed"]


def test_copies_mean_the_same_group():
    peers = Peers("the group")
    assert copy.deepcopy(peers).group == "the group"
    assert pickle.loads(pickle.dumps(peers)).group is None
