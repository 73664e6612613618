"""Turns the facts of a function into its dependence graph, and cuts the f-, h- and g-graph out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import libcst as cst
import networkx as nx

from metric2loss.analysis.facts import ENTRY, FunctionFacts, Site, Statement, small_of, walk

Graph: TypeAlias = nx.DiGraph

RETURN = "return"


@dataclass(frozen=True, eq=False)
class Cut:
    """A place where the program is cut in two: g starts from `result`, f ends with the operands of `site`.

    Usually `result` is the step itself; where the code that consumes the step only maps outcomes to outcomes
    (`predicted == labels`), it is that code, and `region` holds the statements between.
    """

    site: Site
    result: cst.BaseExpression
    statement: int
    region: tuple[int, ...] = ()
    number: int = 0  # of the site among the function's

    @property
    def node(self) -> str:
        return f"{self.site.rule} {self.number}"


def dependence_graph(
    facts: FunctionFacts,
    cuts: Iterable[Cut],
    passed: Mapping[cst.CSTNode, Iterable[cst.CSTNode]] = MappingProxyType({}),
) -> Graph:
    """Statements and cuts as nodes; an edge says the target needs the source (`kind` data or control).

    `passed` holds the arguments that the second half of a helper needs beside the binaries.
    """
    graph = Graph()
    for statement in facts.statements:
        graph.add_node(statement.id, statement=statement)
    graph.add_node(ENTRY)
    graph.add_node(RETURN)
    cuts = tuple(cuts)
    for cut in cuts:
        graph.add_node(cut.node, cut=cut)
        graph.add_edge(cut.node, cut.statement, kind="data", name=cut.site.rule)
        for guard, _ in cut.site.guards:
            _depend(graph, facts, guard, cut.node)
        keys = () if cut.site.key is None else (cut.site.key,)
        for operand in (*cut.site.operands, *keys, *(a.value for a in cut.site.rest)):
            _depend(graph, facts, operand, cut.node)
        for argument in passed.get(cut.site.node, ()):
            _depend(graph, facts, argument, cut.statement)
        if cut.site.key is not None:  # g arranges the items themselves: `steps.arranged(pairs, …)`
            _depend(graph, facts, cut.site.operands[0], cut.statement)
        if values_read(facts, cuts, cut):
            _depend(graph, facts, cut.site.node, cut.statement)
        for number in facts.statements[cut.site.statement].control:
            graph.add_edge(number, cut.node, kind="control")
        for loop in cut.site.loops:
            _depend(graph, facts, loop.node.iter, cut.node)
    for statement in facts.statements:
        covered = frozenset(c.result for c in cuts if c.statement == statement.id)
        for part in header(statement.node):
            _depend(graph, facts, part, statement.id, covered)
        for number in statement.control:
            graph.add_edge(number, statement.id, kind="control")
    for number in facts.returns:
        graph.add_edge(number, RETURN, kind="data")
    _leave_loops(graph, facts)
    _interrupt(graph, facts)
    return graph


def values_read(facts: FunctionFacts, cuts: Iterable[Cut], cut: Cut) -> bool:
    """Whether the first name of `values, indices = x.max(1)` is read by more than steps: then g has to make it again."""
    small = small_of(facts.statements[cut.site.statement].node)
    if not cut.site.pair or not isinstance(small, cst.Assign) or small.value is not cut.result:
        return False
    target = small.targets[0].target
    name = target.elements[0].value if isinstance(target, cst.Tuple) else None
    if not isinstance(name, cst.Name):
        return False
    of_steps = {node for other in cuts for operand in other.site.operands for node in walk(operand)}
    return any(
        cut.site.statement in seen and isinstance(read, cst.Name) and read.value == name.value and read not in of_steps
        for read, seen in facts.reach.items()
    )


def _leave_loops(graph: Graph, facts: FunctionFacts) -> None:
    """`break` and `return` decide whether the loops they leave go on: these, and everything in them, depend on them."""
    for jump in facts.statements:
        small = small_of(jump.node)
        around = list(_loops_around(facts, jump))
        left = around[:1] if isinstance(small, cst.Break) else around if isinstance(small, cst.Return) else []
        for loop in left:
            for statement in facts.statements:
                if statement is not jump and (statement is loop or loop in enclosing(facts, statement.id)):
                    graph.add_edge(jump.id, statement.id, kind="control")


def _interrupt(graph: Graph, facts: FunctionFacts) -> None:
    """What stands in a `try` may raise: what follows there, and the handlers, depend on it."""
    for attempt in facts.statements:
        if not isinstance(attempt.node, (cst.Try, cst.TryStar)):
            continue
        final = set() if attempt.node.finalbody is None else set(walk(attempt.node.finalbody))
        inside = [s for s in facts.statements if attempt in enclosing(facts, s.id) and s.node not in final]
        body = set(walk(attempt.node.body))
        for number, statement in enumerate(inside):
            if statement.node in body:
                for later in inside[number + 1 :]:
                    graph.add_edge(statement.id, later.id, kind="control")


def _loops_around(facts: FunctionFacts, jump: Statement) -> Iterator[Statement]:
    """The loops that a statement can leave, innermost first: not those whose `else` it stands in."""
    inside: cst.CSTNode = jump.node
    for statement in enclosing(facts, jump.id):
        loop = statement.node
        if isinstance(loop, (cst.For, cst.While)) and (loop.orelse is None or inside not in set(walk(loop.orelse))):
            yield statement


def _depend(
    graph: Graph, facts: FunctionFacts, node: cst.CSTNode, target: object, cut: frozenset[cst.CSTNode] = frozenset()
) -> None:
    for inner in walk(node, cut):
        for definition in facts.reach.get(inner, ()):
            if definition != target:
                graph.add_edge(definition, target, kind="data", name=getattr(inner, "value", ""))


def header(node: cst.BaseStatement) -> Iterator[cst.CSTNode]:
    """What a statement itself evaluates, without the statements inside it."""
    if isinstance(node, (cst.If, cst.While)):
        yield node.test
    elif isinstance(node, cst.For):
        yield node.iter
    elif isinstance(node, cst.With):
        yield from node.items
    elif isinstance(node, cst.Match):
        yield node.subject
        yield from (case.pattern for case in node.cases)
    elif isinstance(node, cst.SimpleStatementLine):
        yield from node.body
    elif isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        yield node


def given_results(graph: Graph) -> Graph:
    """The graph in which the results of the cuts are given: nothing is needed to compute them."""
    given = [n for n, data in graph.nodes(data=True) if "cut" in data]
    pruned = graph.copy()
    pruned.remove_edges_from([(source, n) for n in given for source in graph.predecessors(n)])
    return pruned


def needed_for_result(graph: Graph) -> frozenset[object]:
    """g: everything the returned value needs, when the results of the cuts are given."""
    return frozenset(nx.ancestors(given_results(graph), RETURN))


def needed_for_steps(graph: Graph, cuts: Iterable[Cut], extra: Iterable[int] = ()) -> frozenset[object]:
    """f: everything the operands of the cuts need; earlier steps keep their hard value there."""
    found: set[object] = set()
    for root in [*(c.node for c in cuts), *extra]:
        found |= nx.ancestors(graph, root)
    return frozenset(found | set(extra))


def render(graph: Graph, name: str, nodes: frozenset[object], describe: object) -> str:
    """A graph as text: one node a line with what it needs."""
    lines = [f"{name}-graph"]
    for node in sorted(nodes, key=lambda n: (not isinstance(n, int), str(n))):
        needs = sorted({describe(s) for s in graph.predecessors(node) if s in nodes})  # type: ignore[operator]
        lines.append(f"  {describe(node)}" + (f"  <-  {', '.join(needs)}" if needs else ""))  # type: ignore[operator]
    return "\n".join(lines)


def block_of(facts: FunctionFacts, number: int) -> tuple[int, ...]:
    return facts.statements[number].block


def enclosing(facts: FunctionFacts, number: int) -> Iterator[Statement]:
    """The compound statements around a statement, innermost first."""
    parent = facts.statements[number].parent
    while parent != ENTRY:
        yield facts.statements[parent]
        parent = facts.statements[parent].parent
