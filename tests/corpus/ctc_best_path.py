"""Handwriting: the share of words that the best path of a CTC network spells right."""

from itertools import groupby

import numpy as np


def best_path(mat: np.ndarray, chars: str) -> str:
    """The likeliest label of each time step, repetitions and blanks removed."""
    best = np.argmax(mat, axis=1)
    blank = len(chars)
    collapsed = [chars[k] for k, _ in groupby(best) if k != blank]
    return "".join(collapsed)


def word_accuracy(mats, words, chars="ab"):
    right = 0
    for mat, word in zip(mats, words):
        if best_path(mat, chars) == word:
            right += 1
    return right / len(words)
