"""Scores in a column of a pandas table: compared entry by entry, moved about, and refused where pandas computes with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss import MetricError
from metric2loss.routes import Request, dispatched_loss

pd = pytest.importorskip("pandas")

N = 16


def worst_segment(p, y, segment):
    frame = pd.DataFrame({"y": y, "p": p, "segment": segment})
    frame["hat"] = (frame["p"] > 0.5).astype(int)
    frame["right"] = frame["hat"] == frame["y"]
    return frame.groupby("segment")["right"].mean().min()


def picked(p, y, segment):
    frame = pd.DataFrame({"y": y, "p": p})
    found = frame[frame["p"] > 0.6]
    return found["y"].mean() * np.sqrt(len(found)) if len(found) else 0.0


def applied(p, y, segment):
    frame = pd.DataFrame({"y": y, "p": p})
    return (frame["p"].apply(lambda v: 1 if v > 0.5 else 0) == frame["y"]).mean()


def binned(p, y, segment):
    places = pd.cut(pd.Series(p), [-0.1, 0.3, 0.6, 1.1], labels=False)
    return y[places.to_numpy() == 2].sum() / y.sum()


def ranked(p, y, segment):
    frame = pd.DataFrame({"y": y, "p": p, "segment": segment})
    frame["place"] = frame.groupby("segment")["p"].rank(ascending=False, method="first")
    return (frame["y"] / frame["place"]).sum()


def batch(seed, tied=False):
    draw = np.random.default_rng(seed)
    p = draw.integers(0, 6, N) / 5 if tied else draw.random(N)
    return {"p": p, "y": np.arange(N) % 2, "segment": np.arange(N) // 8}


@pytest.mark.parametrize("metric", [worst_segment, picked, applied, ranked], ids=lambda metric: metric.__name__)
def test_entries_of_a_column_are_compared(metric):
    criterion = dispatched_loss(metric, Request(scores=("p",), direction="maximize", example=batch(0)))()
    for tied in (False, True):
        here, there = batch(1, tied), batch(2, tied)
        given = here | {"p": torch.tensor(here["p"], requires_grad=True)}
        criterion(**given).backward()
        assert float(criterion.metric) == pytest.approx(metric(**here))
        assert given["p"].grad.abs().max() > 0
        configuration = criterion.record(**there)
        swapped = criterion.replay(configuration.with_flat(configuration.flat), **here)
        assert float(swapped) == pytest.approx(metric(**there))


def test_what_pandas_computes_is_refused_with_a_remedy():
    with pytest.raises(MetricError) as caught:
        dispatched_loss(binned, Request(scores=("p",), direction="maximize", example=batch(0)))
    found = caught.value.diagnostics[0]
    assert found.code == "M2L301"
    assert "column of scores" in found.message
    assert found.span is not None and found.span.path == __file__
    assert "before they are put into" in found.hint
