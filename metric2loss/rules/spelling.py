"""Describes the ways one step operation is written in user code, as data that the lowering and the runtime both read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Spelling:
    """One way to write a step operation.

    name: the key in `SPELLINGS`: "numpy.argsort", "torch.topk", "builtins.round", "math.floor", or ".argsort" for a
        method of an active value (the receiver counts as position 0).
    rule: the rule ("order", "choose", "compare", "rounding", "binning", "sign"), also the attribute of `steps`.
    using: the name handed to `steps.RULE.differences(..., using=...)`; it is left out when it is the rule's default.
    operand: position of the operand whose order, winner or value decides; `right` the second operand of a comparison.
    operator: for comparisons, the operator the call stands for; a missing right operand is `right_constant`.
    index: which part of what the call returns is the step's result: None the whole, else position and field name of the
        part, as (1, "indices") for torch.sort; the other part is a value and stays differentiable.
    needs: parameters without one of which the call is no step (torch.max without `dim` is a value).
    discrete_dtype: the call is a step only when the dtype it is given (or implies) is an integer or boolean type.
    parameters: names of the parameters after the operand, in order, for binding the user's own arguments.
    """

    name: str
    rule: str
    using: str
    operand: int = 0
    right: int | None = None
    operator: str | None = None
    right_constant: float | None = None
    index: tuple[int, str] | None = None
    needs: tuple[str, ...] = ()
    discrete_dtype: bool = False
    parameters: tuple[str, ...] = ()

    @property
    def library(self) -> str:
        """ "numpy", "torch", "builtins" or "math"; "" for a method."""
        return self.name.rpartition(".")[0]

    @property
    def is_method(self) -> bool:
        return self.name.startswith(".")

    @property
    def tail(self) -> str:
        return self.name.rpartition(".")[2]

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The user's arguments after the operand, by name."""
        if len(args) > len(self.parameters):
            raise TypeError(f"{self.name} takes {len(self.parameters)} arguments after its operand, {len(args)} given")
        return {**dict(zip(self.parameters, args)), **kwargs}


@dataclass(frozen=True)
class Example:
    """Arguments on which a spelling is compared with its identity: small integers, so that ties occur."""

    name: str
    operand: Any
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One step operation: the exact identity that rewrites it around `step`, its spellings, and examples.

    `identity(xp, native, operand, *args, **kwargs)` returns what `native(operand, *args, **kwargs)` returns, with every
    decision passed through `step`; `native` is asked for the ties only.  `xp` is numpy or torch.
    """

    name: str
    default: str
    says: str
    identity: Callable[..., Any]
    spellings: tuple[Spelling, ...]
    examples: tuple[Example, ...]


def spell(rule: str, using: str, *names: str, **facts: Any) -> tuple[Spelling, ...]:
    """The same facts for several names."""
    return tuple(Spelling(name, rule, using, **facts) for name in names)
