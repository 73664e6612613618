"""Counting calls leaves a profiler as it was, and compiling a NumPy metric loads nothing it does not need."""

import cProfile
import pstats
import subprocess
import sys

from metric2loss.runtime import effort


def work():
    return sum(abs(x) for x in range(10))


def test_the_same_number_of_calls_with_and_without_a_profiler():
    alone = effort.calls(work)
    profile = cProfile.Profile()
    profile.enable()
    beside = effort.calls(work)
    sorted([3, 2, 1])
    profile.disable()
    assert alone == beside > 10
    assert any("sorted" in str(key) for key in pstats.Stats(profile).stats)


def test_a_function_that_profiles_is_put_back():
    seen = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: seen.append(event))
    try:
        effort.calls(work)
        seen.clear()
        work()
    finally:
        sys.setprofile(before)
    assert "call" in seen


def test_numpy_metrics_do_not_load_the_compiler_of_torch(tmp_path):
    text = """
import sys
import numpy as np
from metric2loss import compile_metric

def kappa(scores, labels):
    chosen = np.clip(np.rint(scores), 0, 4).astype(int)
    return 1 - np.mean((chosen - labels) ** 2) / np.mean((chosen[:, None] - labels) ** 2)

example = {"scores": np.random.default_rng(0).random(30) * 4, "labels": np.arange(30) % 5}
loss = compile_metric(kappa, direction="maximize", example=example)()
assert loss(**example) >= 0 and loss.batching.startswith("vmap"), loss.batching
assert "torch._dynamo" not in sys.modules
"""
    path = tmp_path / "kappa.py"
    path.write_text(text)
    subprocess.run([sys.executable, "-W", "ignore", str(path)], check=True)
