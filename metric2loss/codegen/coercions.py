"""Undoes what would turn a score into a plain value: f keeps it differentiable."""

from __future__ import annotations

import libcst as cst

from metric2loss.analysis import tables
from metric2loss.analysis.facts import Level
from metric2loss.codegen.unit import Unit
from metric2loss.lowering import replaced

_OF_LISTS = frozenset({"torch.tensor", "torch.as_tensor", "torch.asarray"})


def coercions(unit: Unit, node: cst.CSTNode) -> dict[cst.CSTNode, cst.CSTNode]:
    """`np.asarray(scores)`, `scores.detach().cpu()`, `float(s)`: in f the score itself, still differentiable."""
    found: dict[cst.CSTNode, cst.CSTNode] = {}
    outer: list[cst.CSTNode] = [node]
    while outer:
        at = outer.pop()
        inner = _coerced(unit, at)
        if inner is None:
            outer.extend(at.children)
        else:
            changed = inner
            found[at] = replaced(changed, coercions(unit, changed))
    return found


def _coerced(unit: Unit, node: cst.CSTNode) -> cst.BaseExpression | None:
    if not isinstance(node, cst.Call):
        return None
    levels = unit.facts.level
    qualified = unit.program.qualified(node.func) or (node.func.value if isinstance(node.func, cst.Name) else None)
    if str(qualified).startswith("numpy.") and isinstance(node.func, cst.Attribute):
        return None  # `np.asarray` keeps gradients in f
    shown = isinstance(node.args[0].value, (cst.List, cst.ListComp, cst.GeneratorExp)) if node.args else False
    if shown and levels(node.args[0].value) is Level.ACTIVE and str(qualified) in _OF_LISTS:
        return cst.Call(cst.Attribute(cst.Name("torch"), cst.Name("stack")), [cst.Arg(node.args[0].value)])
    if qualified in tables.COERCIONS and node.args and levels(node.args[0].value) is Level.ACTIVE:
        inner = node.args[0].value
        dtype = next((a.value for a in node.args if a.keyword is not None and a.keyword.value == "dtype"), None)
        method = "to" if str(qualified).startswith("torch") else "astype"
        if qualified == "float":
            return cst.Call(cst.parse_expression(f"{unit.program.steps}.real"), [cst.Arg(inner)])
        return inner if dtype is None else cst.Call(cst.Attribute(inner, cst.Name(method)), [cst.Arg(dtype)])
    if (
        isinstance(node.func, cst.Attribute)
        and node.func.attr.value in tables.COERCING_METHODS
        and levels(node.func.value) is Level.ACTIVE
        and unit.program.qualified(node.func) is None
    ):
        inner = node.func.value
        name = {"numpy": "numpy", "tolist": "numbers", "item": "numbers"}.get(node.func.attr.value)
        if name is not None:
            return cst.Call(cst.parse_expression(f"{unit.program.steps}.{name}"), [cst.Arg(inner)])
        return inner
    return None
