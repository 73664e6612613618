"""Turns the files of this folder into the registry of step operations: one rule a file, found by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from metric2loss.rules.spelling import Example, Rule, Spelling

__all__ = ["RULES", "SPELLINGS", "Example", "Rule", "Spelling"]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        name: import_module(f"{__name__}.{name}").RULE
        for name in sorted(found.name for found in iter_modules(__path__))
        if name != "spelling"
    }
)

SPELLINGS: Mapping[str, Spelling] = MappingProxyType(
    {spelling.name: spelling for rule in RULES.values() for spelling in rule.spellings}
)
