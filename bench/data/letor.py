"""Reads queries from SVMlight / LETOR files (`grade qid:Q feature:value … # comment`), padded to lists of one length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_svmlight_files

from bench.data.checks import BadData, first, folder

PARTS = ("train", "vali", "test")
REMEDY = "put train.txt, vali.txt and test.txt of one fold in SVMlight form (grade qid:Q 1:value 2:value ...) there"
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
LINE = re.compile(rf"\s*(?P<grade>\d+)\s+qid:(?P<query>\d+)(?P<features>(?:\s+[1-9]\d*:{NUMBER})*)\s*(?:#.*)?")
EMPTY = re.compile(r"\s*(?:#.*)?")
HIGHEST = 31  # exponential gains of higher grades are no longer exact


@dataclass(frozen=True)
class Queries:
    """features (queries, documents, features), grades and presence (queries, documents); padding is at the end, 0 and absent."""

    features: NDArray[np.float32]
    grades: NDArray[np.int64]
    present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.grades)


def letor(path: str | Path) -> tuple[Queries, Queries, Queries]:
    """Training, validation and test queries of the folder of one fold."""
    where = folder(path, REMEDY)
    files = [first(where, (f"{part}.txt", f"{part}.svm", f"{part}.dat"), REMEDY) for part in PARTS]
    for file in files:
        check(file)
    loaded: list[Any] = load_svmlight_files([str(file) for file in files], query_id=True, zero_based=False)
    train, validation, test = (_queries(*loaded[k : k + 3]) for k in (0, 3, 6))
    return train, validation, test


def check(path: Path) -> None:
    """Every line has a grade, a query and features in ascending order; a query's documents stand together."""
    done: set[str] = set()
    current = None
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            if EMPTY.fullmatch(line.rstrip("\n")):
                continue
            found = LINE.fullmatch(line.rstrip("\n"))
            wrong = _wrong(found, current, done)
            if found is None or wrong:
                raise BadData(path, f"line {number}: {wrong} ({line.strip()[:40]!r})", REMEDY)
            if found["query"] != current and current is not None:
                done.add(current)
            current = found["query"]
    if current is None:
        raise BadData(path, "has no documents", REMEDY)


def _wrong(found: re.Match[str] | None, current: str | None, done: set[str]) -> str:
    if found is None:
        return "not `grade qid:Q feature:value ...`"
    if int(found["grade"]) > HIGHEST:
        return f"grade {found['grade']} is above {HIGHEST}"
    if found["query"] != current and found["query"] in done:
        return f"query {found['query']} goes on after another one began"
    indices = [int(entry.split(":")[0]) for entry in found["features"].split()]
    return "" if indices == sorted(set(indices)) else "features are not in ascending order"


def _queries(matrix: Any, grades: NDArray[Any], ids: NDArray[Any]) -> Queries:
    """Cut where the query changes, pad to the longest."""
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    lengths = np.diff(np.r_[starts, len(ids)])
    query = np.repeat(np.arange(len(starts)), lengths)
    place = np.arange(len(ids)) - np.repeat(starts, lengths)
    shape = len(starts), int(lengths.max())
    features = np.zeros((*shape, matrix.shape[1]), np.float32)
    features[query, place] = matrix.toarray()
    padded, present = np.zeros(shape, np.int64), np.zeros(shape, bool)
    padded[query, place], present[query, place] = grades.astype(np.int64), True
    return Queries(features, padded, present)
