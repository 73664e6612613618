"""Options of the test run, and the chance that tests see: the same in every run, another one with `--seed`."""

from __future__ import annotations

import random

import hypothesis
import numpy as np
import pytest
import torch


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew; read the difference")
    parser.addoption("--seed", type=int, default=0, help="of what tests draw without a generator of their own")


def pytest_configure(config: pytest.Config) -> None:
    repeated = config.getoption("--seed") == 0
    hypothesis.settings.register_profile("metric2loss", derandomize=repeated, database=None)
    hypothesis.settings.load_profile("metric2loss")


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """Losses without a generator draw from torch's own, whichever tests ran before in the same process."""
    seed = request.config.getoption("--seed")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
