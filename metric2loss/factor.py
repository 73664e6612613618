"""Turns the facts of a function into its factors: the live steps with their names and prunings, and the f- and g-slices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import libcst as cst

from metric2loss.analysis.choices import Fold, fold_choice
from metric2loss.analysis.facts import ENTRY, FunctionFacts, Level, Loop, Site, small_of, top, walk
from metric2loss.analysis.gathers import Gathered, gathered_by, supposed_classes
from metric2loss.analysis.graphs import (
    RETURN,
    Cut,
    Graph,
    dependence_graph,
    header,
    needed_for_result,
    needed_for_steps,
)
from metric2loss.diagnostics import Diagnostic
from metric2loss.frontend.resolve import Program, target_names


@dataclass(frozen=True, eq=False)
class Step:
    """A live step: what f records under `name`, keyed by its loops, and what g reads back.

    Comparisons of the same operands are one step with several `cuts`; they share their binaries.
    """

    name: str
    cuts: tuple[Cut, ...]
    emission: int  # f records the differences right before this statement
    fold: Fold | None = None
    gathered: Gathered | None = None

    @property
    def site(self) -> Site:
        return self.cuts[0].site

    @property
    def operators(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c.site.op for c in self.cuts if c.site.op is not None))


@dataclass(frozen=True, eq=False)
class Factors:
    """A function cut in two: `f` and `g` hold the numbers of the statements each side keeps."""

    facts: FunctionFacts
    steps: tuple[Step, ...]
    graph: Graph
    f: frozenset[object]
    g: frozenset[object]
    keys: Mapping[cst.CSTNode, tuple[str, bool]]  # loop node → (key, whether the loop must be enumerated for it)

    @property
    def mixed(self) -> bool:
        """Whether scores reach the result as real numbers, too."""
        return top(self.facts.result) is Level.ACTIVE


def factor(program: Program, facts: FunctionFacts, helper: bool = False) -> Factors:
    """FunctionFacts ─factor→ Factors. Steps that only decide how scores are prepared are not live: they stay in f as written.

    A helper's result is what it returns and what it writes into its arguments.
    """
    every = tuple(Cut(site, site.node, site.statement, number=k) for k, site in enumerate(facts.sites))
    passed: dict[cst.CSTNode, tuple[cst.CSTNode, ...]] = {
        s.node: _passed_on(program, s) for s in facts.sites if s.callee is not None
    }

    def depends(cuts: Iterable[Cut]) -> Graph:
        graph = dependence_graph(facts, cuts, passed)
        writes = facts.writes if helper else {}
        graph.add_edges_from(
            [(number, RETURN, {"kind": "data"}) for number, names in facts.defines.items() if names & set(writes)]
        )
        return graph

    graph = depends(every)
    reached = needed_for_result(_without_preparation(facts, graph))
    live = [c for c in every if c.node in reached]
    steps = _group(facts, [_prune(program, facts, cut) for cut in live])
    cuts = [c for s in steps for c in s.cuts]
    graph = depends(cuts)
    g = needed_for_result(graph)
    steps = tuple(s for s in steps if any(c.node in g for c in s.cuts))
    cuts = [c for s in steps for c in s.cuts]
    extra = [a for s in steps for a in _needed_by_prunings(facts, s)]
    f = needed_for_steps(graph, cuts, (*extra, *_validation(facts)))
    return Factors(facts, _named(program, facts, steps), graph, f, g, _keys(facts, steps))


_ELEMENTWISE = frozenset(
    """
    exp log log1p expm1 sqrt abs absolute tanh sigmoid softmax log_softmax expit logit negative clip clamp float double astype
    asarray array copy clone detach cpu
""".split()  # noqa: SIM905 (a table of words)
)


def _without_preparation(facts: FunctionFacts, graph: Graph) -> Graph:
    """`if scores.min() < 0: scores = sigmoid(scores)`: where scores reach the result only through steps, g can at most see
    their shape, and that stays. So g does not need to know whether they were prepared.
    """
    if top(facts.result) is Level.ACTIVE:
        return graph
    pruned = graph.copy()
    for statement in facts.statements:
        if _keeps_shape(facts, small_of(statement.node)):
            edges = list(pruned.in_edges(statement.id, data=True))
            pruned.remove_edges_from([(a, b) for a, b, data in edges if data["kind"] == "control"])
    return pruned


def _keeps_shape(facts: FunctionFacts, small: cst.BaseSmallStatement | None) -> bool:
    """`scores = f(scores)` for an active name, entry by entry."""
    if not isinstance(small, cst.Assign) or not isinstance(small.targets[0].target, cst.Name):
        return False
    name = small.targets[0].target
    if facts.level(name) is not Level.ACTIVE or name.value not in {
        n.value for n in walk(small.value) if isinstance(n, cst.Name)
    }:
        return False
    plain = (cst.Subscript, cst.Comparison, cst.IfExp, cst.Lambda, cst.NamedExpr, cst.BaseComp, cst.BooleanOperation)
    calls = [n.func for n in walk(small.value) if isinstance(n, cst.Call)]
    tails = {f.attr.value if isinstance(f, cst.Attribute) else getattr(f, "value", "") for f in calls}
    return tails <= _ELEMENTWISE and not any(isinstance(n, plain) for n in walk(small.value))


def _passed_on(program: Program, site: Site) -> tuple[cst.CSTNode, ...]:
    """The arguments of a call that the helper's g reads."""
    assert site.callee is not None
    needed = _read_by_g(program, site.callee)
    found, place = [], 0
    for arg in site.node.args:  # type: ignore[attr-defined]
        name = arg.keyword.value if arg.keyword else site.callee.function.positional[place]
        place += not arg.keyword
        if name in needed:
            found.append(arg.value)
    return tuple(found)


def _read_by_g(program: Program, facts: FunctionFacts) -> set[str]:
    """The parameters that the second half of a helper reads."""
    factors = factor(program, facts, helper=True)
    given = frozenset(c.result for s in factors.steps for c in s.cuts)
    parts = [p for s in facts.statements if s.id in factors.g for p in header(s.node)]
    arguments = [a for s in factors.steps if s.site.callee is not None for a in _passed_on(program, s.site)]
    arguments += [s.site.operands[0] for s in factors.steps if s.site.key is not None]
    reading = [n for p in parts for n in walk(p, given)] + [n for a in arguments for n in walk(a)]
    return {n.value for n in reading if isinstance(n, cst.Name) and ENTRY in facts.reach.get(n, ())}


def _prune(program: Program, facts: FunctionFacts, cut: Cut) -> Step:
    site = cut.site
    if site.rule == "choose":
        fold = fold_choice(program, facts, site)
        if fold is not None and not fold.returns_index:
            return Step(
                "",
                (replace(cut, result=fold.results[0], statement=fold.statement, region=fold.region),),
                fold.statement,
                fold,
            )
        if fold is not None:
            return Step("", (cut,), fold.statement, fold)
    if site.rule == "order":
        gathered = gathered_by(program, facts, site) or supposed_classes(program, facts, site)
        if gathered is not None:
            return Step("", (cut,), gathered.statement, gathered=gathered)
    return Step("", (cut,), site.statement)


def _needed_by_prunings(facts: FunctionFacts, step: Step) -> Iterator[int]:
    """Statements that define what `outcome=` and `told_apart_by=` mention."""
    nodes: list[cst.CSTNode] = []
    inside: set[int] = set()
    if step.fold is not None:
        nodes = list(step.fold.results)
        inside = {*step.fold.region, step.site.statement}
        for number in step.fold.region:
            nodes.append(facts.statements[number].node)
    elif step.gathered is not None:
        nodes = list(step.gathered.nodes)
    for node in nodes:
        for inner in walk(node):
            for d in facts.reach.get(inner, ()):
                if (
                    d != ENTRY
                    and d not in inside
                    and d not in {l.statement for l in step.site.loops}
                    and d < step.emission
                ):
                    yield d


def _validation(facts: FunctionFacts) -> Iterator[int]:
    """`raise` and `assert` on what no step decides: f checks the arguments as the user does."""
    for statement in facts.statements:
        small = small_of(statement.node)
        if not isinstance(small, (cst.Raise, cst.Assert)):
            continue
        tests = [facts.statements[n].node for n in statement.control]
        levels = [facts.level(t.test) for t in tests if isinstance(t, (cst.If, cst.While))]
        if isinstance(small, cst.Assert):
            levels.append(facts.level(small.test))
        if max(levels, default=Level.PASSIVE) is Level.PASSIVE:
            yield statement.id


def _group(facts: FunctionFacts, steps: list[Step]) -> tuple[Step, ...]:
    """Comparisons of the same operands, met under the same loops, share one difference."""
    found: list[Step] = []
    for step in steps:
        place = next((k for k, s in enumerate(found) if _same_difference(facts, s.site, step.site)), None)
        if place is None:
            found.append(step)
        else:
            found[place] = replace(found[place], cuts=(*found[place].cuts, *step.cuts))
    return tuple(found)


def _same_difference(facts: FunctionFacts, first: Site, second: Site) -> bool:
    if first.rule != "compare" or second.rule != "compare" or first.loops != second.loops or first.guards:
        return False
    a, b = facts.statements[first.statement], facts.statements[second.statement]
    if b.block[: len(a.block)] != a.block:
        return False
    return all(x.deep_equals(y) and _seen(facts, x) == _seen(facts, y) for x, y in zip(first.operands, second.operands))


def _seen(facts: FunctionFacts, node: cst.CSTNode) -> frozenset[tuple[str, frozenset[int]]]:
    return frozenset((n.value, facts.reach[n]) for n in walk(node) if isinstance(n, cst.Name) and n in facts.reach)


def _named(program: Program, facts: FunctionFacts, steps: Iterable[Step]) -> tuple[Step, ...]:
    taken: set[str] = set()
    found = []
    for step in steps:
        base = _name(facts, step)
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        found.append(replace(step, name=name))
    return tuple(found)


def _name(facts: FunctionFacts, step: Step) -> str:
    """The user's own name for the result, else the rule's."""
    if step.site.rule == "call":
        return step.site.using.lstrip("_") or step.site.using
    for cut in step.cuts:
        node = facts.statements[cut.statement].node
        small = small_of(node)
        if isinstance(small, cst.Assign) and small.value is cut.result:
            names = target_names(small.targets[0].target)
            if names and not names[-1].startswith("_"):
                return names[-1]
    return step.site.rule


def _keys(facts: FunctionFacts, steps: Iterable[Step]) -> Mapping[cst.CSTNode, tuple[str, bool]]:
    """A key for every loop around a live step: its own counter where it has one, else an enumeration."""
    taken = {n.value for n in walk(facts.function.node) if isinstance(n, cst.Name)}
    keys: dict[cst.CSTNode, tuple[str, bool]] = {}
    for loop in (loop for step in steps for loop in step.site.loops):
        if loop.node in keys:
            continue
        own = _counter(facts, loop)
        if own is not None:
            keys[loop.node] = (own, False)
            continue
        name = next(n for n in ("k", *(f"k{i}" for i in range(2, 99))) if n not in taken)
        taken.add(name)
        keys[loop.node] = (name, True)
    return keys


def _counter(facts: FunctionFacts, loop: Loop) -> str | None:
    """The loop variable, when it counts: `for i in range(n)`, `for i, x in enumerate(xs)`."""
    iterable = loop.node.iter
    target: cst.BaseExpression = loop.node.target
    if not isinstance(iterable, cst.Call):
        return None
    if (
        isinstance(iterable.func, cst.Attribute)
        and iterable.func.attr.value == "turns"
        and isinstance(target, cst.Name)
    ):
        return target.value
    if not isinstance(iterable.func, cst.Name):
        return None
    if iterable.func.value == "enumerate" and isinstance(target, cst.Tuple):
        target = target.elements[0].value
    elif iterable.func.value != "range":
        return None
    if not isinstance(target, cst.Name):
        return None
    written = [
        s
        for s, names in facts.defines.items()
        if target.value in names
        and s != loop.statement
        and isinstance(loop.node, cst.For)
        and any(l.node is loop.node for l in facts.statements[s].loops)
    ]
    return None if written else target.value


def obstacles(program: Program, factors: Factors) -> tuple[Diagnostic, ...]:
    """Why a function cannot be factored: a step whose own execution a step decides, in a way f cannot undo."""
    facts, source = factors.facts, program.source
    found: list[Diagnostic] = []
    for step in factors.steps:
        for loop in step.site.loops:
            if _length_depends(factors, loop):
                found.append(
                    source.diagnostic(
                        "M2L202",
                        step.site.node,
                        "how often this step runs depends on another step",
                        f"The loop over `{source.code(loop.node.iter)}` has as many turns as that step decides.",
                        "Loop over all items and use the condition as a weight of 0 or 1.",
                    )
                )
        for cut in step.cuts:
            for number in facts.statements[cut.site.statement].control:
                node = facts.statements[number].node
                if (
                    isinstance(node, cst.If)
                    and facts.level(node.test) is Level.DISCRETE
                    and _defines_operand(factors, step, number)
                ):
                    found.append(
                        source.diagnostic(
                            "M2L202",
                            cut.site.node,
                            "whether this step runs depends on another step",
                            f"Its operands are made under the condition on line {source.line(node.test)}, and are used after it as well.",
                            "Compute the operands before the condition.",
                        )
                    )
    return tuple(found)


def _length_depends(factors: Factors, loop: Loop) -> bool:
    """Whether comparisons or roundings decide over how many items a loop goes; orders and choices keep the number."""
    facts, graph = factors.facts, factors.graph
    cuts = [c for s in factors.steps for c in s.cuts if c.site.rule not in ("order", "choose", "call")]
    results, inside = {c.result for c in cuts}, set(walk(loop.node.iter))
    if results & inside:
        return True
    needed: set[object] = set()
    for node in inside:
        for number in facts.reach.get(node, ()):
            needed |= _data_ancestors(graph, number)
    return any(c.node in needed for c in cuts)


def _data_ancestors(graph: Graph, number: object) -> set[object]:
    found: set[object] = set()
    stack = [number]
    while stack:
        for source, _, data in graph.in_edges(stack.pop(), data=True):
            if data["kind"] == "data" and source not in found:
                found.add(source)
                stack.append(source)
    return found


def _defines_operand(factors: Factors, step: Step, number: int) -> bool:
    """Whether statements below a discrete condition feed the step's operands and also steps outside of it."""
    facts, graph = factors.facts, factors.graph
    inside = {
        s.id
        for s in facts.statements
        if number in s.control
        and s.block[: len(facts.statements[number].block)] == facts.statements[number].block
        and s.block != facts.statements[number].block
    }
    cuts = {c.node for s in factors.steps for c in s.cuts}
    return any(
        graph.edges[kept, user]["kind"] == "data"
        and user not in inside
        and (user in factors.f or user in cuts)
        and not (user in cuts and _cut_inside(factors, user, inside))
        for kept in inside & factors.f
        for user in graph.successors(kept)
    )


def _cut_inside(factors: Factors, node: object, inside: set[int]) -> bool:
    return any(c.node == node and c.site.statement in inside for s in factors.steps for c in s.cuts)
