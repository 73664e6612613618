"""Turns the factors of one function into a unit to write: names that do not clash, keys, and what each step reads as in g."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType

import libcst as cst

from metric2loss.analysis.facts import ENTRY, FunctionFacts, walk
from metric2loss.factor import Factors, Step
from metric2loss.frontend.resolve import Program
from metric2loss.lowering import bare, replaced, results


@dataclass(frozen=True)
class Unit:
    """One function to write: a metric (a class) or a helper (a pair of functions), with its own helpers."""

    program: Program
    factors: Factors
    calls: Mapping[str, Unit] = field(default_factory=dict)  # step name → the rewritten helper it calls
    suffix: str = ""
    needs: tuple[str, ...] = ()  # the parameters g needs beside the binaries

    @property
    def facts(self) -> FunctionFacts:
        return self.factors.facts

    @property
    def name(self) -> str:
        return self.facts.function.name + self.suffix

    @cached_property
    def taken(self) -> frozenset[str]:
        return frozenset(n.value for n in walk(self.facts.function.node) if isinstance(n, cst.Name))

    def fresh(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        return name

    @property
    def owner(self) -> str:
        """`self` of the methods."""
        return self.fresh("self")

    @property
    def tape(self) -> str:
        return self.fresh("tape")

    @property
    def binaries(self) -> str:
        return self.fresh("binaries")

    @cached_property
    def bare(self) -> bool:
        """One step, met exactly once: f returns its differences and g gets its binaries, without a tape."""
        steps = self.factors.steps
        if len(steps) != 1 or steps[0].site.loops or steps[0].site.guards:
            return False
        early = any(
            isinstance(s.node, cst.SimpleStatementLine) and isinstance(s.node.body[-1], cst.Return)
            for s in self.facts.statements
            if s.id in self.factors.f
        )
        return not early and not any(
            isinstance(self.facts.statements[n].node, (cst.If, cst.For, cst.While, cst.With, cst.Try))
            and self.facts.statements[n].block != ()
            for n in self.facts.statements[steps[0].emission].control
        )

    @cached_property
    def numbers(self) -> Mapping[cst.CSTNode, int]:
        """Statement node → its number."""
        return {s.node: s.id for s in self.facts.statements}

    def below(self, number: int, ancestor: int) -> bool:
        """Whether a statement stands inside another (or is it)."""
        while number != ENTRY and number != ancestor:
            number = self.facts.statements[number].parent
        return number == ancestor

    def key(self, step: Step) -> tuple[str, ...]:
        return tuple(self.factors.keys[loop.node][0] for loop in step.site.loops)

    def at(self, root: str, step: Step) -> str:
        """`tape.order[i]`, `binaries.above[i, j]`; the root alone for a bare unit."""
        if self.bare:
            return root
        keys = self.key(step)
        return f"{root}.{step.name}" + (f"[{', '.join(keys)}]" if keys else "")

    @cached_property
    def results(self) -> dict[cst.CSTNode, cst.BaseExpression]:
        """What stands in g where the user wrote a step; arguments of rewritten helpers hold other steps' results."""
        steps = self.factors.steps
        found = results(self.program, [s for s in steps if s.site.rule != "call"], self.read, self.call)
        for step in (s for s in steps if s.site.rule == "call"):
            inner = {k: v for k, v in found.items() if k is not step.site.node}
            found.update(results(self.program, [step], self.read, partial(self.call, inner=inner)))
        return found

    def read(self, step: Step) -> str:
        return self.at(self.binaries, step)

    def call(
        self, step: Step, binaries: str, inner: Mapping[cst.CSTNode, cst.BaseExpression] = MappingProxyType({})
    ) -> str:
        """`dcg_g(binaries.dcg[i], gains[i], k)`: only what the helper's g needs."""
        unit = self.calls[step.name]
        arguments, place, gap = [binaries], 0, False
        for arg in step.site.node.args:  # type: ignore[attr-defined]
            name = arg.keyword.value if arg.keyword else unit.facts.function.positional[place]
            place += not arg.keyword
            if name in unit.needs:
                text = self.program.source.code(replaced(arg.value, inner))
                gap = gap or bool(arg.keyword) or unit.needs.index(name) != len(arguments) - 1
                arguments.append(f"{name}={text}" if gap else text)
        return f"{unit.name}_g({', '.join(arguments)})"


def comment(unit: Unit, step: Step, statement: int | None = None) -> str:
    """`line 10: np.argsort(-scores)`, or `lines 5-6: predicted == labels` for what a region came to."""
    source = unit.program.source
    cuts = [c for c in step.cuts if c.statement == statement] or list(step.cuts)
    first = source.line(step.site.node)
    shown = [source.code(c.result) for c in cuts]
    if step.fold is not None and not step.fold.returns_index:
        last = source.line(step.cuts[0].result)
        where = f"lines {first}-{last}" if last != first else f"line {first}"
    else:
        lines = sorted({source.line(c.site.node) for c in cuts})
        where = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"
    text = "; ".join(dict.fromkeys(map(bare, shown)))
    return f"{where}: {text if len(text) <= 60 else text[:57] + '...'}"
