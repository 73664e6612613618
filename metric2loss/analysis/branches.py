"""Turns compound statements into the state after them: branches meet, loops run to a fixpoint, jumps decide what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import libcst as cst

from metric2loss.analysis.expressions import Context, Env, Expressions, Recorder, element
from metric2loss.analysis.facts import ENTRY, Level, Loop, Statement, Value, at_least, top
from metric2loss.analysis.flow import Flow, leaves, meet
from metric2loss.frontend.resolve import target_names


class Branches:
    """The compound statements of an interpreter, which says what a block and a value are."""

    recorder: Recorder
    expressions: Expressions
    numbers: dict[cst.CSTNode, int]
    statements: dict[int, Statement]
    before: dict[int, dict[str, frozenset[int]]]
    returns: dict[int, Value]

    def block(
        self,
        suite: cst.BaseSuite,
        flow: Flow,
        parent: int,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        raise NotImplementedError

    def value(self, node: cst.CSTNode, env: Env, at: Context) -> Value:
        raise NotImplementedError

    def define(self, number: int, *names: str) -> None:
        raise NotImplementedError

    def if_(
        self,
        node: cst.If,
        number: int,
        flow: Flow,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        test = top(self.value(node.test, flow.env, Context(number, loops)))
        if test is Level.ACTIVE:
            self.expressions.problem(
                "M2L302",
                node.test,
                "a score is used as a condition",
                "Python asks whether a real number is zero.",
                "Write the comparison: `!= 0`.",
            )
        inner = replace(flow, control=max(flow.control, min(test, Level.DISCRETE)), jumps=())
        then = self.block(node.body, inner, number, (*path, number, 0), control, loops)
        if isinstance(node.orelse, cst.If):
            other = self.elif_(node.orelse, inner, number, (*path, number, 1), control, loops)
        elif node.orelse is not None:
            other = self.block(node.orelse.body, inner, number, (*path, number, 1), control, loops)
        else:
            other = inner
        return self.joined(
            flow, number, test, then, other, leaves(node.body), node.orelse is not None and leaves(node.orelse.body)
        )

    def elif_(
        self,
        node: cst.If,
        flow: Flow,
        parent: int,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        number = self.numbers.setdefault(node, len(self.numbers))
        self.statements[number] = Statement(number, node, parent, path, control, loops)
        self.before[number] = {k: d for k, (_, d) in flow.env.items()}
        return self.if_(node, number, replace(flow, env=dict(flow.env)), path, (*control, number), loops)

    def joined(
        self, flow: Flow, number: int, test: Level, then: Flow, other: Flow, then_leaves: bool, other_leaves: bool
    ) -> Flow:
        """Branches join; one that always leaves contributes nothing but the fact that what follows depends on it."""
        jumps = bool(then.jumps or other.jumps)
        if then_leaves and not other_leaves:
            env = other.env
        elif other_leaves and not then_leaves:
            env = then.env
        else:
            env = meet(then.env, other.env)
        raised = max(flow.control, min(test, Level.DISCRETE), then.control, other.control) if jumps else flow.control
        inner = then.jumps + other.jumps
        return Flow(env, raised, (*flow.jumps, *((number, *inner) if jumps else ())))

    def for_(
        self,
        node: cst.For,
        number: int,
        flow: Flow,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        at = Context(number, loops)
        values = self.value(node.iter, flow.env, at)
        items = element(values)
        inner_loops = (*loops, Loop(node, number))
        level = max(
            flow.control,
            Level.DISCRETE if top(values) is Level.DISCRETE else Level.PASSIVE,
        )
        env = flow.env
        for _ in range(8):
            inside: Env = dict(env)
            self.expressions.bind(node.target, at_least(items, level), inside, number)
            self.define(number, *target_names(node.target))
            after = self.block(node.body, Flow(inside, level), number, (*path, number, 0), control, inner_loops)
            merged = meet(env, after.env)
            level = max(level, after.control) if self._cuts_short(after.jumps) else level
            if merged == env:
                break
            env = merged
        returns = tuple(j for j in after.jumps if j in self.returns or any(r in self.returns for r in after.jumps))
        leaving = Flow(env, max(flow.control, after.control if returns else Level.PASSIVE), (*flow.jumps, *returns))
        if node.orelse is not None:
            otherwise = replace(leaving, env=dict(env), control=max(leaving.control, after.control), jumps=())
            decided = (*control, *after.jumps)
            other = self.block(node.orelse.body, otherwise, number, (*path, number, 1), decided, loops)
            return replace(leaving, env=meet(env, other.env), jumps=(*leaving.jumps, *other.jumps))
        return leaving

    def while_(
        self,
        node: cst.While,
        number: int,
        flow: Flow,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        env = flow.env
        for _ in range(8):
            inside = dict(env)
            test = top(self.value(node.test, inside, Context(number, loops)))
            level = max(flow.control, min(test, Level.DISCRETE))
            after = self.block(node.body, Flow(inside, level), number, (*path, number, 0), control, loops)
            merged = meet(env, after.env)
            if merged == env:
                break
            env = merged
        if any(self._inside(s.statement, number) for s in self.recorder.sites.values()):
            if test is Level.PASSIVE and max(level, after.control) is Level.PASSIVE or test is Level.PASSIVE:
                self.recorder.unshaped[node] = None
            self.expressions.problem(
                "M2L203",
                node.test,
                "a step inside `while`",
                "How often the step runs is not known before the loop has run.",
                "Use a `for` loop over a range, or arrays.",
            )
        return Flow(env, max(flow.control, after.control), flow.jumps)

    def with_(
        self,
        node: cst.With,
        number: int,
        flow: Flow,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        for item in node.items:
            value = self.value(item.item, flow.env, Context(number, loops))
            if item.asname is not None:
                self.expressions.bind(item.asname.name, value, flow.env, number)
                self.define(number, *target_names(item.asname.name))
        return self.block(node.body, flow, number, (*path, number, 0), control, loops)

    def try_(
        self,
        node: cst.Try,
        number: int,
        flow: Flow,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        after = self.block(node.body, flow, number, (*path, number, 0), control, loops)
        ends = [after]
        start = replace(flow, env=meet(flow.env, after.env))
        for place, handler in enumerate(node.handlers, start=1):
            ends.append(self.block(handler.body, start, number, (*path, number, place), control, loops))
        if node.orelse is not None:
            ends[0] = self.block(node.orelse.body, ends[0], number, (*path, number, 90), control, loops)
        merged = ends[0]
        for end in ends[1:]:
            merged = Flow(meet(merged.env, end.env), max(merged.control, end.control), (*merged.jumps, *end.jumps))
        if node.finalbody is not None:
            merged = self.block(node.finalbody.body, merged, number, (*path, number, 91), control, loops)
        tried = (number, 0)
        for site in self.recorder.sites.values():
            if not self._inside(site.statement, number):
                continue
            path = self.statements[site.statement].block
            if path[len(path_of := self.statements[number].block) :][:2] != tried or len(path) < len(path_of):
                self.expressions.problem(
                    "M2L203",
                    site.node,
                    "a step in the `except`, `else` or `finally` of a `try`",
                    "Whether the step runs may depend on an exception raised by another configuration.",
                    "Move the comparison, sort or argmax out of the `try` statement.",
                )
        return merged

    def _cuts_short(self, jumps: tuple[int, ...]) -> bool:
        """Whether one of the jumps decides if later turns of the loop run: any but `continue`."""
        lines = (self.statements[jump].node for jump in jumps)
        smalls = (small for line in lines if isinstance(line, cst.SimpleStatementLine) for small in line.body)
        return any(isinstance(small, (cst.Break, cst.Return)) for small in smalls)

    def _inside(self, statement: int, ancestor: int) -> bool:
        while statement != ENTRY:
            if statement == ancestor:
                return True
            statement = self.statements[statement].parent
        return False

    def match_(
        self,
        node: cst.Match,
        number: int,
        flow: Flow,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        test = top(self.value(node.subject, flow.env, Context(number, loops)))
        inner = replace(flow, control=max(flow.control, min(test, Level.DISCRETE)), jumps=())
        ends = [self.block(c.body, inner, number, (*path, number, k), control, loops) for k, c in enumerate(node.cases)]
        env, jumps = flow.env, flow.jumps
        for end in ends:
            env, jumps = meet(env, end.env), (*jumps, *end.jumps)
        return Flow(
            env, max([flow.control, *(e.control for e in ends)]) if jumps != flow.jumps else flow.control, jumps
        )


COMPOUND: Mapping[type[cst.CSTNode], Callable[..., Flow]] = {
    cst.If: Branches.if_, cst.For: Branches.for_, cst.While: Branches.while_, cst.With: Branches.with_,
    cst.Try: Branches.try_, cst.Match: Branches.match_,
}  # fmt: skip
