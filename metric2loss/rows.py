"""Recognises a metric that is an affine function of a mean over rows, and cuts g where the values of the rows stand."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
import networkx as nx

from metric2loss.analysis.facts import FunctionFacts, Level, small_of, walk
from metric2loss.analysis.graphs import RETURN, given_results, header
from metric2loss.factor import Factors
from metric2loss.frontend.resolve import Program


@dataclass(frozen=True)
class Rows:
    """g = mean (or sum, scaled and shifted by passive numbers) of `values`.

    `values` is an expression with one entry a row of the step, or a list with one entry a turn of `loop`. `inside` are the
    statements that compute it, `outside` those that turn it into the result.
    """

    statement: int
    values: tuple[cst.BaseExpression, ...]
    inside: frozenset[object]
    outside: frozenset[object]
    loop: cst.For | cst.CompFor | None = None
    start: int | None = None  # `values = []`
    appends: tuple[int, ...] = ()
    name: str = ""
    summed: bool = False  # the user adds them up one by one: `total += value`


_MEANS = frozenset({"numpy.mean", "torch.mean", "numpy.average", "numpy.sum", "torch.sum", "statistics.mean"})
_REDUCTIONS = frozenset({"mean", "sum"})
_TRANSPARENT = frozenset({"item", "float", "double", "cpu", "detach"})


def find_rows(program: Program, factors: Factors) -> Rows | None:
    """The rows of a separable metric, when its text shows them; the runtime checks that they are local."""
    facts = factors.facts
    returns = [n for n in facts.returns if n in factors.g]
    if len(returns) != 1 or len(factors.steps) != 1 or facts.statements[returns[0]].control:
        return None
    node = facts.statements[returns[0]].node
    small = small_of(node)
    if not isinstance(small, cst.Return) or small.value is None:
        return None
    found = _source(program, facts, small.value, returns[0])
    if found is None or facts.level(found[0][0]) is not Level.DISCRETE:
        return None
    return _cut(factors, *found)


def _source(
    program: Program,
    facts: FunctionFacts,
    node: cst.BaseExpression,
    at: int,
) -> tuple[tuple[cst.BaseExpression, ...], int] | None:
    """The averaged or summed values behind an affine expression, and the statement they stand in."""
    values = _reduced(program, node)
    if values is not None:
        return values, at
    if isinstance(node, cst.BinaryOperation) and isinstance(
        node.operator, (cst.Multiply, cst.Divide, cst.Add, cst.Subtract)
    ):
        if facts.level(node.right) is Level.PASSIVE:
            return _source(program, facts, node.left, at)
        if facts.level(node.left) is Level.PASSIVE and not isinstance(node.operator, cst.Divide):
            return _source(program, facts, node.right, at)
    if (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value in _TRANSPARENT
        and not node.args
    ):
        return _source(program, facts, node.func.value, at)
    if (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value == "float"
        and len(node.args) == 1
    ):
        return _source(program, facts, node.args[0].value, at)
    if isinstance(node, cst.Name) and _accumulation(facts, node) is not None:
        return (node,), at
    if isinstance(node, cst.Name) and len(facts.reach.get(node, ())) == 1:
        (number,) = facts.reach[node]
        if number >= 0 and not facts.statements[number].control:
            definition = facts.statements[number].node
            small = (
                definition.body[0]
                if isinstance(definition, cst.SimpleStatementLine) and len(definition.body) == 1
                else None
            )
            if isinstance(small, cst.Assign) and isinstance(small.targets[0].target, cst.Name):
                return _source(program, facts, small.value, number)
    return None


def _reduced(program: Program, node: cst.BaseExpression) -> tuple[cst.BaseExpression, ...] | None:
    """`np.mean(x)`, `x.mean()`, `x.sum(0)`, `sum(x) / len(x)` → x."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide):
        left, right = _builtin(node.left, "sum"), _builtin(node.right, "len")
        return (left, right) if left is not None and right is not None and left.deep_equals(right) else None
    if not isinstance(node, cst.Call):
        return None
    if program.qualified(node.func) in _MEANS:
        return (node.args[0].value,) if len(node.args) == 1 and node.args[0].keyword is None else None
    if (
        isinstance(node.func, cst.Attribute)
        and node.func.attr.value in _REDUCTIONS
        and program.qualified(node.func) is None
    ):
        first = (
            not node.args
            or len(node.args) == 1
            and isinstance(node.args[0].value, cst.Integer)
            and node.args[0].value.value == "0"
        )
        return (node.func.value,) if first else None
    summed = _builtin(node, "sum")
    return None if summed is None else (summed,)


def _builtin(node: cst.BaseExpression, name: str) -> cst.BaseExpression | None:
    if (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value == name
        and len(node.args) == 1
    ):
        return node.args[0].value
    return None


def _cut(factors: Factors, values: tuple[cst.BaseExpression, ...], statement: int) -> Rows | None:
    facts, loops = factors.facts, factors.steps[0].site.loops
    if facts.statements[statement].block != ():
        return None
    inside, outside = _slices(factors, values, statement)
    if not loops:
        return Rows(statement, values, inside, outside) if len(values) == 1 and _is_array(factors, values[0]) else None
    if len(loops) != 1:
        return None
    shown = values[0]
    if (
        isinstance(shown, (cst.ListComp, cst.GeneratorExp))
        and shown.for_in is loops[0].node
        and shown.for_in.inner_for_in is None
        and all(facts.level(clause.test) is Level.PASSIVE for clause in shown.for_in.ifs)
    ):
        return Rows(statement, values, inside, outside, shown.for_in)
    found = _accumulation(facts, shown) if isinstance(shown, cst.Name) else None
    if isinstance(shown, cst.Name) and found is not None:
        start, added = found
        rows = Rows(statement, values, inside, outside, loops[0].node, start, (added,), shown.value, summed=True)
        once = [l.node for l in facts.statements[added].loops] == [rows.loop] and not _decided(facts, added)
        return rows if once and not _read_elsewhere(factors, rows, (start, added)) else None
    if isinstance(shown, cst.Name):
        return _listed(factors, Rows(statement, values, inside, outside, loops[0].node, name=shown.value), shown)
    return None


def _slices(
    factors: Factors, values: tuple[cst.BaseExpression, ...], statement: int
) -> tuple[frozenset[object], frozenset[object]]:
    """What computes the values, and what turns them into the result."""
    facts, graph = factors.facts, given_results(factors.graph)
    given = frozenset(c.result for s in factors.steps for c in s.cuts)
    inside: set[object] = set()
    for node in walk(values[0], given):
        for number in facts.reach.get(node, frozenset()) - {statement}:
            inside |= {number, *nx.ancestors(graph, number)}
    graph.remove_edges_from([(source, statement) for source in list(graph.predecessors(statement))])
    for part in header(facts.statements[statement].node):
        for node in walk(part, frozenset(values)):
            graph.add_edges_from((number, statement) for number in facts.reach.get(node, ()))
    return frozenset(inside), frozenset(nx.ancestors(graph, RETURN))


def _is_array(factors: Factors, values: cst.BaseExpression) -> bool:
    """Not a list that a loop fills, and not one order over the whole batch."""
    facts, step = factors.facts, factors.steps[0]
    if step.site.rule == "order" and not step.site.rest:
        return False
    if any(isinstance(n, cst.Subscript) and _picks(factors, n) for n in walk(values)):
        return False
    if isinstance(values, (cst.List, cst.ListComp, cst.GeneratorExp)):
        return False
    defined = [
        n
        for name in walk(values)
        for n in facts.reach.get(name, ())
        if n >= 0 and facts.level(name) is not Level.PASSIVE
    ]
    return all(not facts.statements[n].loops and not isinstance(facts.statements[n].node, cst.For) for n in defined)


def _picks(factors: Factors, node: cst.Subscript) -> bool:
    """`labels[scores > 0.5]`: how many entries there are depends on the configuration."""
    facts, rule = factors.facts, factors.steps[0].site.rule
    return rule not in ("choose", "order") and any(facts.level(e) is Level.DISCRETE for e in node.slice)


def _listed(factors: Factors, rows: Rows, values: cst.Name) -> Rows | None:
    """`values = []`, one append a turn of the loop, or a comprehension; read nowhere else."""
    facts = factors.facts
    appends, starts = [], []
    for number in facts.reach.get(values, frozenset()):
        node = facts.statements[number].node if number >= 0 else None
        small = small_of(node)
        if isinstance(small, cst.Assign) and isinstance(small.value, cst.List) and not small.value.elements:
            starts.append(number)
        elif _decided(facts, number):
            return None
        elif _is_append(small, values.value) and [l.node for l in facts.statements[number].loops] == [rows.loop]:
            appends.append(number)
        else:
            return None
    if len(starts) != 1 or not appends or _read_elsewhere(factors, rows, (*starts, *appends)):
        return None
    return Rows(
        rows.statement, rows.values, rows.inside, rows.outside, rows.loop, starts[0], tuple(sorted(appends)), rows.name
    )


def _accumulation(facts: FunctionFacts, name: cst.Name) -> tuple[int, int] | None:
    """`total = 0` and the one `total += value` in a loop; None when the name is made in another way."""
    starts, added = [], []
    for number in facts.reach.get(name, frozenset()):
        small = small_of(facts.statements[number].node) if number >= 0 else None
        if isinstance(small, cst.Assign) and isinstance(small.value, (cst.Integer, cst.Float)):
            starts += [number] if float(small.value.value) == 0 and len(small.targets) == 1 else []
        elif isinstance(small, cst.AugAssign) and isinstance(small.operator, cst.AddAssign):
            added.append(number)
    return (starts[0], added[0]) if len(starts) == len(added) == 1 == len(facts.reach[name]) - 1 else None


def _decided(facts: FunctionFacts, number: int) -> bool:
    """Whether a step decides if a statement runs: then the number of values depends on the configuration."""
    tests = [facts.statements[n].node for n in facts.statements[number].control] if number >= 0 else []
    return any(facts.level(t.test) is not Level.PASSIVE for t in tests if isinstance(t, (cst.If, cst.While)))


def _is_append(small: object, name: str) -> bool:
    return (
        isinstance(small, cst.Expr)
        and isinstance(small.value, cst.Call)
        and isinstance(small.value.func, cst.Attribute)
        and small.value.func.attr.value == "append"
        and isinstance(small.value.func.value, cst.Name)
        and small.value.func.value.value == name
        and len(small.value.args) == 1
    )


def _read_elsewhere(factors: Factors, rows: Rows, own: tuple[int, ...]) -> bool:
    facts = factors.facts
    mine = {n for k in (*own, rows.statement) for n in walk(facts.statements[k].node)}
    return any(isinstance(n, cst.Name) and n.value == rows.name and n not in mine for n in facts.reach)


def append_to_key(node: cst.SimpleStatementLine, name: str, key: str) -> cst.BaseStatement:
    """`values.append(x)`, `total += x` → `values[i] = x`."""
    added = node.body[0]
    if isinstance(added, cst.AugAssign):
        entry = cst.Subscript(cst.Name(name), [cst.SubscriptElement(cst.Index(cst.Name(key)))])
        return node.with_changes(body=[cst.Assign([cst.AssignTarget(entry)], added.value)])
    assert isinstance(added, cst.Expr) and isinstance(added.value, cst.Call)
    target = cst.Subscript(cst.Name(name), [cst.SubscriptElement(cst.Index(cst.Name(key)))])
    return node.with_changes(body=[cst.Assign([cst.AssignTarget(target)], added.value.args[0].value)])
