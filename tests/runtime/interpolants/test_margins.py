"""Short cuts for rows of few good items give what sums over both sides of each row give."""

import pytest
import torch

from metric2loss.runtime.interpolants import margins
from metric2loss.runtime.side import Side
from metric2loss.runtime.split import Split


def rows(few: int, kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(few)
    keys = torch.randn(6, 40, generator=draw, dtype=torch.double)
    keys = {"plain": keys, "ties": (2 * keys).round() / 2, "far": 60 * keys}[kind]
    good = torch.zeros(6, 40, dtype=torch.bool)
    for row in good:
        row[torch.randperm(40, generator=draw)[:few]] = True
    return keys, good


@pytest.mark.parametrize("temperature", [1.0, 0.3])
@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("few", [1, 3])
@pytest.mark.parametrize("kind", ["plain", "ties", "far"])
@pytest.mark.parametrize("encoding", ["pairs", "margin", "margin-lse"])
def test_short_cuts_equal_the_long_way(encoding, kind, few, sign, progress, temperature, monkeypatch):
    keys, good = rows(few, kind)
    worth = torch.linspace(sign, 1.0, 6, dtype=torch.double)
    found = margins.pulled(Split(keys.reshape(-1), Side.of(good), temperature, encoding), worth, progress)
    monkeypatch.setattr(margins, "_of_few", lambda *given: None)
    wanted = margins.pulled(Split(keys.reshape(-1), Side.of(good), temperature, encoding), worth, progress)
    assert wanted.abs().max() > 0
    assert torch.allclose(found, wanted, rtol=1e-9, atol=1e-12)
