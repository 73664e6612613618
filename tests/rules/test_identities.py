"""Every rule of the registry against the real numpy, torch or builtin function, on small integers so that ties occur."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss.rules import RULES, SPELLINGS
from metric2loss.step import Record, Replay, reading

LIBRARIES = {"numpy": np, "torch": torch}
CASES = [
    pytest.param(rule, example, id=f"{example.name}-{number}")
    for rule in RULES.values()
    for number, example in enumerate(rule.examples)
]


def called(rule, example, operand):
    """The user's call and its identity, on one operand."""
    spelling = SPELLINGS[example.name]
    xp = LIBRARIES[spelling.library]
    make = np.array if xp is np else torch.tensor
    native = getattr(xp, spelling.tail)
    args = tuple(make(a) if isinstance(a, tuple) else a for a in example.args)
    kwargs = dict(example.kwargs)
    x = make(operand)
    if rule.name == "compare":
        return native(x, *args), lambda: rule.identity(xp, native, x, *args, spelling.operator)
    if spelling.operand == 1:

        def native_turned(values, edges, **keywords):
            return native(edges, values, **keywords)

        return native(args[0], x, **kwargs), lambda: rule.identity(
            xp, native_turned, x, *args, using=spelling.using, **kwargs
        )
    expected = native(x, *args, **kwargs)
    expected = expected[1] if spelling.index else expected
    return expected, lambda: rule.identity(xp, native, x, *args, using=spelling.using, **kwargs)


def equal(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b)) and np.shape(a) == np.shape(b)


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_identity_equals_the_call_it_rewrites(rule, example):
    expected, identity = called(rule, example, example.operand)
    assert equal(identity(), expected)


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_binaries_of_other_scores_give_the_result_of_those_scores(rule, example):
    turned = tuple(tuple(reversed(row)) if isinstance(row, tuple) else row for row in example.operand)[::-1]
    expected, identity = called(rule, example, turned)
    with reading(Record()) as record:
        assert equal(identity(), expected)
    _, original = called(rule, example, example.operand)
    with reading(Replay(record.binaries)) as replay:
        assert equal(original(), expected)
    assert replay.read == len(record.binaries) > 0


def test_every_spelling_belongs_to_a_rule_and_is_listed_once():
    assert all(spelling.rule in RULES for spelling in SPELLINGS.values())
    assert len(SPELLINGS) == sum(len(rule.spellings) for rule in RULES.values())


@pytest.mark.parametrize("name", [name for name, s in SPELLINGS.items() if s.library in LIBRARIES])
def test_every_library_spelling_exists(name):
    spelling = SPELLINGS[name]
    assert callable(getattr(LIBRARIES[spelling.library], spelling.tail))
