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


def calibrated(p, y, segment):
    frame = pd.DataFrame({"y": y, "p": p})
    frame["bin"] = pd.cut(frame["p"], bins=[0.0, 0.2, 0.6, 1.0], labels=False, include_lowest=True)
    return frame.groupby("bin")["y"].mean().max()


def in_intervals(p, y, segment):
    bins = pd.cut(p, [-np.inf, 0.4, 0.8, np.inf], right=False)
    return pd.Series(y).groupby(np.asarray(bins.codes)).mean().max()


def inside(p, y, segment):
    return (pd.Series(p).between(0.2, 0.6) == y).mean()


def searched(p, y, segment):
    return pd.Series(np.sort(p)).searchsorted(0.5) / len(p)


def cut_by_their_range(p, y, segment):
    return (pd.cut(p, 3, labels=False) == y).mean()


def ranked(p, y, segment):
    frame = pd.DataFrame({"y": y, "p": p, "segment": segment})
    frame["place"] = frame.groupby("segment")["p"].rank(ascending=False, method="first")
    return (frame["y"] / frame["place"]).sum()


def batch(seed, tied=False):
    draw = np.random.default_rng(seed)
    p = draw.integers(0, 6, N) / 5 if tied else draw.random(N)
    return {"p": p, "y": np.arange(N) % 2, "segment": np.arange(N) // 8}


COLUMNS = (worst_segment, picked, applied, ranked, binned, calibrated, in_intervals, inside)


@pytest.mark.parametrize("metric", COLUMNS, ids=lambda metric: metric.__name__)
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
        dispatched_loss(searched, Request(scores=("p",), direction="maximize", example=batch(0)))
    found = caught.value.diagnostics[0]
    assert found.code == "M2L301"
    assert "column of scores" in found.message
    assert found.span is not None and found.span.path == __file__
    assert "before they are put into" in found.hint


def test_edges_that_depend_on_the_scores_are_refused():
    with pytest.raises(MetricError) as caught:
        dispatched_loss(cut_by_their_range, Request(scores=("p",), direction="maximize", example=batch(0)))
    found = caught.value.diagnostics[0]
    assert (found.code, found.span.path) == ("M2L301", __file__)
    assert "np.linspace" in found.hint
