"""Turns steps into calls of the runtime: the text of `steps.RULE.differences(...)`, `.result(...)` and the one-function form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import libcst as cst

from metric2loss.analysis.facts import FunctionFacts, Site, walk
from metric2loss.factor import Factors, Step
from metric2loss.frontend.resolve import Program
from metric2loss.rules import RULES

Code = Callable[[cst.CSTNode], str]

COMPARING = {">": ">", ">=": ">=", "<": "<", "<=": "<=", "==": "==", "!=": "!="}


class Replace(cst.CSTTransformer):
    """Puts expressions in the place of nodes, found by identity."""

    def __init__(self, replacements: Mapping[cst.CSTNode, cst.CSTNode]) -> None:
        super().__init__()
        self.replacements = replacements

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self.replacements

    def on_leave(self, original: cst.CSTNodeT, updated: cst.CSTNodeT) -> cst.CSTNodeT:
        return self.replacements.get(original, updated)  # type: ignore[return-value]


def replaced(node: cst.CSTNode, replacements: Mapping[cst.CSTNode, cst.CSTNode]) -> cst.CSTNode:
    """A node with parts exchanged; without parts to exchange, the node itself."""
    return node.visit(Replace(replacements)) if replacements else node  # type: ignore[return-value]


def differences(program: Program, step: Step, active: Code) -> str:
    """`steps.order.differences(-scores, told_apart_by=(labels,))`: what f records for a step.

    `active` renders an operand as f needs it (coercions of scores undone).
    """
    site, code = step.site, program.source.code
    if site.rule == "call":
        return f"{site.using}_f({', '.join(_argument(a, active) for a in site.node.args)})"  # type: ignore[attr-defined]
    if site.rule == "compare":
        left, right = map(active, site.operands)
        operators = step.operators
        shown = (
            f'"{operators[0]}"'
            if len(operators) == 1
            else f"({', '.join(f'{chr(34)}{o}{chr(34)}' for o in operators)})"
        )
        return f"{program.steps}.compare.differences({bare(left)}, {shown}, {bare(right)})"
    operands = [keyed(program, site, active)] if site.key is not None else [bare(active(o)) for o in site.operands]
    arguments = operands + [code(a) for a in site.rest]
    if site.using != RULES[site.rule].default:
        arguments.append(f'using="{site.using}"')
    arguments += pruning(program, step)
    return f"{program.steps}.{site.rule}.differences({', '.join(arguments)})"


def keyed(program: Program, site: Site, active: Code) -> str:
    """The keys by which Python's `sorted`, `max` … compare the items, as a list."""
    items, key = active(site.operands[0]), site.key
    if isinstance(key, cst.Lambda):
        return f"[{active(key.body)} for {key.params.params[0].name.value} in {items}]"
    if isinstance(key, cst.Name) and key.value == "sorted":
        return f"[key for key, *_ in {items}], then=[rest for _, *rest in {items}]"
    assert key is not None
    return f"[{bare(active(key))}(item) for item in {items}]"


def _argument(arg: cst.Arg, active: Code) -> str:
    keyword = f"{arg.keyword.value}=" if arg.keyword else ""
    return f"{keyword}{active(arg.value)}"


def bare(text: str) -> str:
    """An expression without the parentheses around all of it, where it means the same without them."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth, outside = 0, ""  # what stands inside of the outer brackets only
    for place, character in enumerate(text):
        depth -= character in ")]}"
        if depth == 0 and place < len(text) - 1 and place > 0:
            return text
        outside += character if depth == 1 else ""
        depth += character in "([{"
    inner = text[1:-1]
    return text if "," in outside or ":=" in outside or " for " in outside or not inner.strip() else inner


def pruning(program: Program, step: Step) -> list[str]:
    """The `outcome=`, `classes=` or `told_apart_by=` of a step; `outcome` names a nested function when there is one."""
    if step.gathered is not None:
        arrays = ", ".join(step.gathered.arrays)
        promise = "supposed_apart_by" if step.gathered.supposed else "told_apart_by"
        return [f"{promise}=({arrays}{',' if len(step.gathered.arrays) == 1 else ''})"]
    if step.fold is None:
        return []
    promise = "classes" if step.fold.returns_index else "outcome"
    if needs_function(step):
        return [f"{promise}={outcome_name(step)}"]
    name = step.fold.index or "choice"
    return [f"{promise}=lambda {name}: {outcome_text(program, step, name)}"]


def needs_function(step: Step) -> bool:
    return step.fold is not None and bool(step.fold.region)


def outcome_name(step: Step) -> str:
    return "outcome" if step.fold is not None and not step.fold.returns_index else "classes"


def outcome_text(program: Program, step: Step, name: str) -> str:
    """The results of a fold as an expression of the index `name`."""
    assert step.fold is not None
    site = step.site.node
    shown = [bare(program.source.code(replaced(r, {site: cst.Name(name)}))) for r in step.fold.results]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"


def result(program: Program, step: Step, site: Site, binaries: str) -> str:
    """`steps.order.result(binaries)`: what g has in the place of a step."""
    if site.rule == "compare":
        op = f', "{site.op}"' if len(step.operators) > 1 else ""
        return f"{program.steps}.compare.result({binaries}{op})"
    read = f"{program.steps}.{site.rule}.result({binaries})"
    if site.key is None:
        return read
    return f"{program.steps}.{'arranged' if site.rule == 'order' else 'picked'}({program.source.code(site.operands[0])}, {read})"


def results(
    program: Program,
    steps: Iterable[Step],
    binaries: Callable[[Step], str],
    call: Callable[[Step, str], str],
) -> dict[cst.CSTNode, cst.BaseExpression]:
    """What stands in g (or in the one-function form) where the user wrote a step."""
    parts: dict[cst.CSTNode, list[tuple[int, str]]] = {}
    for step in steps:
        for cut in step.cuts:
            read = binaries(step)
            text = call(step, read) if cut.site.rule == "call" else result(program, step, cut.site, read)
            parts.setdefault(cut.result, []).append((cut.site.part, text))
    return {node: cst.parse_expression(_chained(program, node, found)) for node, found in parts.items()}


def _chained(program: Program, node: cst.CSTNode, found: list[tuple[int, str]]) -> str:
    """`a <= x <= b` → both results joined by `and`; passive links keep their text."""
    if not isinstance(node, cst.Comparison) or len(node.comparisons) == 1:
        return found[0][1]
    given, texts, left = dict(found), [], node.left
    for part, target in enumerate(node.comparisons):
        plain = program.source.code(cst.Comparison(left, [target]))
        texts.append(given.get(part, plain))
        left = target.comparator
    return f"({' and '.join(texts)})"


def lowered(
    program: Program,
    factors: Factors,
    key: Callable[[Step], tuple[str, ...]],
    calls: Mapping[str, str],
    name: str,
) -> str:
    """The user's function with one token changed per step: every reading of `step` runs this text.

    `calls` names the lowered helper that a step calls, `name` is what this function is called.
    """
    at: dict[cst.CSTNode, list[tuple[int, str]]] = {}
    for step in factors.steps:
        for place, cut in enumerate(step.cuts):
            site, shown = cut.site, step.name if place == 0 else f"{step.name}_{place + 1}"
            keys = f"at=({', '.join([chr(34) + shown + chr(34), *key(step)])},)"
            keys = keys.replace(",)", ")") if key(step) else keys
            at.setdefault(site.node, []).append((site.part, _marked(program, site, keys, calls.get(step.name, ""))))
    found: dict[cst.CSTNode, cst.CSTNode] = {
        node: cst.parse_expression(_chained(program, node, texts)) for node, texts in at.items()
    }
    function = factors.facts.function.node
    found.update(factors.facts.aliases)
    found.update(_enumerations(factors, function, found))
    node = replaced(function, found)
    return program.source.tree.code_for_node(node.with_changes(name=cst.Name(name)))


def _marked(program: Program, site: Site, keys: str, helper: str) -> str:
    code = program.source.code
    steps = program.steps
    if site.rule == "call":
        arguments = [helper or site.using, *(code(a).rstrip(", ") for a in site.node.args), keys]  # type: ignore[attr-defined]
        return f"{steps}.call({', '.join(arguments)})"
    if site.rule == "compare":
        left, right = map(code, site.operands)
        return f'{steps}.compare({bare(left)}, "{site.op}", {bare(right)}, {keys})'
    operands = [keyed(program, site, code)] if site.key is not None else [bare(code(o)) for o in site.operands]
    arguments = operands + [code(a) for a in site.rest]
    if site.using != RULES[site.rule].default:
        arguments.append(f'using="{site.using}"')
    read = f"{steps}.{site.rule}({', '.join([*arguments, keys])})"
    if site.pair:
        return f"({code(site.node)}[0], {read})"
    if site.key is None:
        return read
    return f"{steps}.{'arranged' if site.rule == 'order' else 'picked'}({code(site.operands[0])}, {read})"


def _enumerations(
    factors: Factors, function: cst.CSTNode, found: Mapping[cst.CSTNode, cst.CSTNode]
) -> dict[cst.CSTNode, cst.CSTNode]:
    """Loops that have no counter of their own are enumerated, so that their steps have keys."""
    changed: dict[cst.CSTNode, cst.CSTNode] = {}
    for node in walk(function):
        key = factors.keys.get(node)
        if isinstance(node, (cst.For, cst.CompFor)) and key is not None and key[1]:
            target, iterable = enumerated(node, key[0])
            changed[node.target], changed[node.iter] = target, replaced(iterable, found)
    return changed


def enumerated(loop: cst.For | cst.CompFor, key: str) -> tuple[cst.BaseAssignTargetExpression, cst.BaseExpression]:
    """`for x in xs` → `for k, x in enumerate(xs)`."""
    target = loop.target
    if isinstance(target, cst.Tuple) and not target.lpar:
        target = target.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    pair = cst.Tuple([cst.Element(cst.Name(key)), cst.Element(target)], lpar=[], rpar=[])
    return pair, cst.Call(cst.Name("enumerate"), [cst.Arg(loop.iter)])


def loads(node: cst.CSTNode) -> frozenset[str]:
    """The names an expression or statement mentions (attributes and keywords left out)."""
    found: set[str] = set()
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, cst.Name):
            found.add(at.value)
        elif isinstance(at, (cst.Attribute, cst.Arg)):
            stack.append(at.value)
        else:
            stack.extend(at.children)
    return frozenset(found)


def sites_by_statement(facts: FunctionFacts) -> Mapping[int, tuple[Site, ...]]:
    found: dict[int, tuple[Site, ...]] = {}
    for site in facts.sites:
        found[site.statement] = (*found.get(site.statement, ()), site)
    return found


__all__ = [
    "differences",
    "enumerated",
    "loads",
    "lowered",
    "outcome_text",
    "pruning",
    "replaced",
    "result",
    "results",
    "walk",
]
