"""Imports of the user's file that generated code needs, however they are written."""

from metric2loss.compiler import Options, compile_text

TEXT = """\
import math, os, numpy as np
from collections import Counter, OrderedDict


def weighted_accuracy(scores, labels):
    counts = Counter(labels.tolist())
    right = np.argmax(scores, axis=1) == labels
    return math.sqrt(len(counts)) * right.mean()
"""


def test_several_names_in_one_import_are_kept_as_far_as_they_are_used():
    text = compile_text(TEXT, "weighted.py", Options(("weighted_accuracy",), ("scores",), direction="maximize")).text
    compile(text, "weighted_loss.py", "exec")
    assert "math" in text
    assert "import numpy as np" in text or "numpy as np" in text
