"""Exact values of g at many configurations: once under vmap where that agrees with the plain loop, else by the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.diagnostics import MetricError
from metric2loss.runtime import effort
from metric2loss.runtime.arrays import Array, everywhere
from metric2loss.runtime.batched import Split, Unbatchable, vmapped
from metric2loss.runtime.failures import failure
from metric2loss.runtime.layouts.base import turned
from metric2loss.runtime.lenient import Lenient
from metric2loss.runtime.quiet import Quiet
from metric2loss.runtime.recorded import Outcomes
from metric2loss.runtime.tape import Path
from metric2loss.runtime.torch_batch import TorchBatch

_NUMBERS = 2**22  # numbers in the outcomes of one chunk of configurations
_CHECKED = 4  # configurations compared with the loop at first use
_FEW = 2**18  # binaries in all configurations that are listed rather than flipped leaf by leaf
_SMALL = 4  # so few configurations are looped over


@dataclass
class Batching:
    """What a loss knows about evaluating its g: "undecided", "vmap" or "loop", and why; kept from batch to batch."""

    way: str = "undecided"
    why: str = "no configurations were evaluated yet"
    failures: int = 0
    run_cost: int = 0  # of one configuration, in numbers handed to a batched g; 0: not measured
    own_cost: int = 0  # the part of it that is not for making outcomes of binaries

    def __str__(self) -> str:
        return f"{self.way}: {self.why}"

    def settle(self, way: str, why: str) -> None:
        """The decision stands from now on."""
        self.way, self.why, self.run_cost, self.own_cost = way, why, 0, 0

    def fall_back(self, refusal: Exception) -> None:
        """At first use, or after several batches, the loop it is."""
        self.failures += 1
        if self.way == "undecided" or self.failures > 2:
            text = str(refusal).strip().splitlines()
            self.settle("loop", f"{type(refusal).__name__}: {text[0] if text else ''}")


@dataclass(frozen=True)
class Leaf:
    """One step at one place of the run, and where its binaries stand among all."""

    key: Path
    layout: Any
    start: int
    stop: int


@dataclass
class Program:
    """g with everything but the binaries: the loss, the tree g reads, the passive arguments by name."""

    owner: Any
    tree: Any
    source: Outcomes
    arguments: dict[str, Any]

    def run(self, method: str, extra: dict[str, Any] | None = None, owner: Any = None) -> Any:
        """One plain run at the current outcomes; of `owner`'s methods, where the arguments are no plain values."""
        arguments = self._arguments(method)
        if extra:
            arguments.update({name: value for name, value in extra.items() if name in self.arguments})
        return getattr(owner or self.owner, method)(self.tree, **arguments)

    def run_batched(self, method: str) -> Any:
        """One run for many outcomes, under vmap."""
        arguments = {name: everywhere(value) for name, value in self._arguments(method).items()}
        return getattr(Lenient(self.owner), method)(self.tree, **arguments)

    def _arguments(self, method: str) -> dict[str, Any]:
        wanted = self.owner.parameters_of(method)
        return {name: self.arguments[name] for name in wanted}


class Watched:
    """Stands for `self` in g, and keeps what `rows` returned."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.met: Any = None

    def g(self, *args: Any, **kwargs: Any) -> Any:
        """The owner's."""
        return type(self.owner).g(self, *args, **kwargs)

    def rows(self, *args: Any, **kwargs: Any) -> Any:
        """The owner's; the last ones are kept."""
        self.met = self.owner.rows(*args, **kwargs)
        return self.met

    def __getattr__(self, name: str) -> Any:
        return getattr(self.owner, name)


@dataclass
class Evaluator:
    """Evaluates one batch's g (or its rows) at configurations."""

    program: Program
    leaves: tuple[Leaf, ...]
    batching: Mapping[str, Batching]
    device: torch.device
    row_keys: tuple[Any, ...] | None = None
    separable: bool = False  # g is the mean of rows
    forgiving: bool = False  # a plain run that raises counts as nan: library code at configurations it has never seen

    def at_flips(self, base: Tensor, flips: Tensor, method: str = "g") -> Tensor:
        """float64 [A] (rows: [A, R]) at `base` with each line of `flips` turned."""
        step = self._chunk()
        chunks = (flips[start : start + step] for start in range(0, len(flips), step))
        return self._joined(self.evaluated(*self._flipped(base, chunk), len(chunk), method) for chunk in chunks)

    def at(self, bits: Tensor, method: str = "g") -> Tensor:
        """The same for dense configurations BoolTensor[A, L]."""
        step = self._chunk(dense=True)
        chunks = (bits[start : start + step] for start in range(0, len(bits), step))
        return self._joined(self.evaluated(*self._dense(chunk), len(chunk), method) for chunk in chunks)

    def at_outcomes(self, outcomes: Tensor, method: str = "g") -> Tensor:
        """The same for outcomes [A, ...] of a program's only step."""
        step = self._chunk()
        chunks = (outcomes[start : start + step] for start in range(0, len(outcomes), step))
        return self._joined(self.evaluated([chunk], [True], len(chunk), method) for chunk in chunks)

    def at_leaves(self, outcomes: list[Tensor], many: list[bool], amount: int, method: str = "g") -> Tensor:
        """g, or its rows, at outcomes of every step: [amount, ...] where `many` says so, else one for all."""
        numbers = sum(leaf.layout.numel for leaf, m in zip(self.leaves, many) if m)
        step = max(1, _NUMBERS // max(4 * numbers, 1))
        parts = ([x[a : a + step] if m else x for x, m in zip(outcomes, many)] for a in range(0, amount, step))
        sizes = (min(step, amount - start) for start in range(0, amount, step))
        return self._joined(self.evaluated(part, many, size, method) for part, size in zip(parts, sizes))

    def at_native(self, outcomes: list[Tensor], method: str = "g") -> Tensor:
        """g, or its rows, at one outcome of every step."""
        found: Tensor = self._plain(outcomes, method)
        return found

    def with_rows(self, outcomes: list[Tensor]) -> tuple[float, Tensor | None]:
        """g at one outcome of every step, and the rows that it took the mean of, if it did."""
        watched = Watched(self.program.owner) if self.separable else None
        value = float(self._plain(outcomes, "g", watched, self._single))
        return value, None if watched is None or watched.met is None else self._rows(watched.met)

    def _joined(self, values: Iterable[Tensor]) -> Tensor:
        parts = list(values)
        if not parts:
            return torch.zeros(0, dtype=torch.float64, device=self.device)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _chunk(self, dense: bool = False) -> int:
        numbers: int = sum(leaf.layout.numel for leaf in self.leaves)
        if dense:
            numbers += sum(leaf.stop - leaf.start for leaf in self.leaves)
        return max(1, _NUMBERS // max(4 * numbers, 1))

    def _flipped(self, base: Tensor, flips: Tensor) -> tuple[list[Tensor], list[bool]]:
        """Outcomes of every leaf; a leaf that no flip touches has one outcome for all."""
        if len(self.leaves) == 1:
            return [self.leaves[0].layout.flipped(base, flips)], [True]
        if len(flips) * len(base) <= _FEW:
            return self._turned(base, flips)
        outcomes, many = [], []
        touched = self._touched(flips)
        for number, leaf in enumerate(self.leaves):
            mine = base[leaf.start : leaf.stop]
            if number in touched:
                local = torch.where((flips >= leaf.start) & (flips < leaf.stop), flips - leaf.start, -1)
                outcomes.append(leaf.layout.flipped(mine, local))
            else:
                outcomes.append(leaf.layout.result(mine.unsqueeze(0))[0])
            many.append(number in touched)
        return outcomes, many

    def _turned(self, base: Tensor, flips: Tensor) -> tuple[list[Tensor], list[bool]]:
        """The same by listing all binaries: many small leaves cost calls rather than numbers."""
        bits = turned(base, flips)
        changed = (bits != base).any(0).tolist()
        many = [any(changed[leaf.start : leaf.stop]) for leaf in self.leaves]
        parts = [(bits if m else bits[:1])[:, leaf.start : leaf.stop] for leaf, m in zip(self.leaves, many)]
        outcomes = [leaf.layout.result(part) for leaf, part in zip(self.leaves, parts)]
        return [x if m else x[0] for x, m in zip(outcomes, many)], many

    def _touched(self, flips: Tensor) -> set[int]:
        starts = torch.tensor([leaf.start for leaf in self.leaves], device=flips.device)
        known = flips[flips >= 0]
        # leaves without binaries share their start with the next one: take the last that starts there
        return set(torch.unique(torch.searchsorted(starts, known, right=True) - 1).tolist())

    def _dense(self, bits: Tensor) -> tuple[list[Tensor], list[bool]]:
        many = [leaf.layout.size > 0 for leaf in self.leaves]
        outcomes = [leaf.layout.result(bits[:, leaf.start : leaf.stop]) for leaf in self.leaves]
        return [x if m else x[0] for x, m in zip(outcomes, many)], many

    def decide(self, bits: Tensor) -> None:
        """Finds out, before work is planned, whether g runs batched."""
        batching = self.batching["g"]
        amount = min(2 * _CHECKED, self._chunk(dense=True))
        if batching.way != "undecided" or not len(bits) or amount <= _SMALL:
            return
        draw = torch.Generator().manual_seed(0)
        random = torch.rand(amount, len(bits), generator=draw).to(bits.device) < 0.1
        outcomes, many = self._dense(torch.where(random, ~bits, bits))
        try:
            self._compare(self._vmapped(outcomes, many, amount, "g"), outcomes, many, "g")
        except _REFUSALS as refusal:
            batching.fall_back(refusal)

    def run_cost(self, now: Callable[[], Tensor]) -> int:
        """What one configuration costs beside the numbers handed to g, in such numbers; measured once, at the binaries `now`."""
        batching = self.batching["g"]
        if batching.run_cost:
            return batching.run_cost
        bits = now()
        if batching.way == "vmap":
            flips = torch.arange(min(2 * _SMALL, len(bits)), device=bits.device).unsqueeze(1)
            with effort.Handled() as handled:
                self.at_flips(bits, flips)
            with effort.Handled() as making:
                self._flipped(bits, flips)
            batching.run_cost = max(1, handled.numbers // effort.PASSES)
            batching.own_cost = max(1, (handled.numbers - making.numbers) // effort.PASSES)
        else:
            batching.run_cost = batching.own_cost = effort.NUMBERS * effort.calls(lambda: self.at(bits.unsqueeze(0)))
        return batching.run_cost

    def own_cost(self, now: Callable[[], Tensor]) -> int:
        """The same where outcomes are given, not binaries."""
        self.run_cost(now)
        return self.batching["g"].own_cost

    # --- one chunk

    def evaluated(self, outcomes: list[Tensor], many: list[bool], amount: int, method: str = "g") -> Tensor:
        """float64 [A] (rows: [A, R]) from the outcomes of every leaf: [A, ...] where `many` says so, else one for all."""
        batching = self.batching[method]
        if amount <= _SMALL or batching.way == "loop":
            return self._loop(outcomes, many, range(amount), method)
        try:
            values = self._vmapped(outcomes, many, amount, method)
            if batching.way == "undecided":
                self._compare(values, outcomes, many, method)
        except _REFUSALS as refusal:
            batching.fall_back(refusal)
            return self._loop(outcomes, many, range(amount), method)
        return values

    def _compare(self, values: Tensor, outcomes: list[Tensor], many: list[bool], method: str) -> None:
        chosen = sorted({round(x) for x in np.linspace(0, len(values) - 1, _CHECKED)})
        plain = self._loop(outcomes, many, chosen, method)
        if not torch.allclose(values[chosen], plain, rtol=1e-5, atol=1e-6, equal_nan=True):
            raise Unbatchable("the batched values differ from those of the plain loop")
        self.batching[method].settle("vmap", "equal to the plain loop")

    def _vmapped(self, outcomes: list[Tensor], many: list[bool], amount: int, method: str) -> Tensor:
        """All configurations by vmap; groups that disagree on a plain value run apart."""
        try:
            return self._vmap(outcomes, many, amount, method)
        except Split as split:
            groups = split.group
        waiting = [(groups == group).nonzero().flatten() for group in range(int(groups.max()) + 1)]
        found: Tensor | None = None
        runs, limit = 1, max(8, amount // 8)
        while waiting:
            chosen = waiting.pop()
            runs += 1
            if runs > limit:
                raise Unbatchable("the configurations disagree on too many plain values")
            some = [x[chosen] if m and len(chosen) < amount else x for x, m in zip(outcomes, many)]
            try:
                values = self._vmap(some, many, len(chosen), method)
            except Split as split:
                waiting.extend(chosen[split.group == group] for group in range(int(split.group.max()) + 1))
                continue
            found = values.new_zeros(amount, *values.shape[1:]) if found is None else found
            found[chosen] = values
        assert found is not None
        return found

    def _vmap(self, outcomes: list[Tensor], many: list[bool], amount: int, method: str) -> Tensor:
        source = self.program.source

        def one(*mine: Tensor) -> Tensor:
            source.current = mine
            return self._value(self.program.run_batched(method), method)

        # Arrays do for NumPy's lines what the mode does for torch's
        mode = nullcontext() if self.program.owner.library == "numpy" else TorchBatch()
        with mode, Quiet():
            values = vmapped(one, outcomes, many, amount)
        return values.reshape(amount, -1) if method == "rows" else values

    def _loop(self, outcomes: list[Tensor], many: list[bool], chosen: Any, method: str) -> Tensor:
        values = [self._plain([x[a] if m else x for x, m in zip(outcomes, many)], method) for a in chosen]
        if len({x.shape for x in values}) > 1:
            raise Unbatchable("the rows are not the same for all configurations")
        return torch.stack(values) if values else torch.zeros(0, dtype=torch.float64, device=self.device)

    def _plain(
        self, outcomes: list[Tensor], method: str, owner: Any = None, read: Callable[[Any, str], Any] | None = None
    ) -> Any:
        """What `read` makes of one run, `_value` unless another is given."""
        self.program.source.current = outcomes
        with Quiet():
            try:
                return (read or self._value)(self.program.run(method, owner=owner), method)
            except Exception:  # whatever library code raises
                if not self.forgiving:
                    raise
                return torch.tensor(torch.nan, dtype=torch.float64, device=self.device)

    def _value(self, result: Any, method: str) -> Tensor:
        """float64: 0-d for g, [R] for rows."""
        if method == "rows":
            return self._rows(result)
        value = number(self.program.owner.value_of(result), self.device).detach()
        return value.mean() if value.ndim else value

    def _single(self, result: Any, method: str) -> Any:
        """The value of g as a number, or a tensor of one."""
        value = self.program.owner.value_of(result)
        return value if isinstance(value, float) else self._value(result, method)

    def _rows(self, result: Any) -> Tensor:
        if not isinstance(result, dict):
            found = number(result, self.device)
            return found if found.ndim == 1 else found.reshape(-1)
        if self.row_keys is None:
            self.row_keys = tuple(result)
        if tuple(result) != self.row_keys:
            raise Unbatchable("the rows are not the same for all configurations")
        return torch.stack([number(result[key], self.device) for key in self.row_keys])


_REFUSALS: tuple[type[Exception], ...] = (
    RuntimeError,
    TypeError,
    ValueError,
    IndexError,
    KeyError,
    AttributeError,
    NotImplementedError,
    ZeroDivisionError,
    AssertionError,
    OverflowError,
    Split,
    Unbatchable,
    MetricError,
)


def number(result: Any, device: torch.device) -> Tensor:
    """The metric's result as a float64 tensor."""
    if type(result) is np.ndarray and result.dtype.kind in "biuf":
        return torch.from_numpy(result.astype(np.float64)).to(device)
    if isinstance(result, Array):
        return result.tensor.double().to(device)
    if isinstance(result, Tensor):
        return result.double().to(device)
    if isinstance(result, (list, tuple)) and any(isinstance(part, (Array, Tensor)) for part in result):
        return torch.stack([number(part, device) for part in result])
    try:
        return torch.from_numpy(np.asarray(result, dtype=np.float64)).to(device)
    except (TypeError, ValueError):
        raise failure(
            "M2L503",
            f"the metric returned {type(result).__name__}, which is no number",
            hint="choose one value of it with returns=",
        ) from None
