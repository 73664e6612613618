"""Turns a function that returns several values into one that returns the picked one, so that only its steps are found."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from metric2loss.frontend.resolve import Function, Metric, Program
from metric2loss.source import Renewing


def pick_return(program: Program, metric: Metric) -> tuple[Program, Metric]:
    """`return a, b` → `return a` for returns=0; a value that is not a literal is left for the runtime to pick from."""
    picker = _Picker(metric.returns)
    if metric.returns is None:
        return program, metric
    node = metric.function.node.visit(picker)
    if not picker.picked or not picker.all_literal or not isinstance(node, cst.FunctionDef):
        return program, metric
    function = Function(metric.function.name, node)
    source = replace(program.source, positions=picker.positions(program.source.positions))
    changed = replace(program, source=source, functions={**program.functions, function.name: function})
    return changed, replace(metric, function=function, alone=True)


class _Picker(Renewing):
    """Exchanges literal tuples, lists and dicts in `return` for one of their entries; remembers what became what."""

    def __init__(self, key: str | int | None) -> None:
        super().__init__()
        self.key, self.picked, self.all_literal = key, 0, True
        self.depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.depth += 1
        return self.depth == 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.depth -= 1
        return updated_node

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        if original_node.value is None:
            return updated_node
        value = entry(original_node.value, self.key)
        if value is None:
            self.all_literal = False
            return updated_node
        self.picked += 1
        return original_node.with_changes(value=value)


def entry(value: cst.BaseExpression, key: str | int | None) -> cst.BaseExpression | None:
    """The entry of a literal tuple, list or dict, or None."""
    if (
        isinstance(value, (cst.Tuple, cst.List))
        and isinstance(key, int)
        and -len(value.elements) <= key < len(value.elements)
    ):
        found = value.elements[key].value
        return None if isinstance(value.elements[key], cst.StarredElement) else found
    if isinstance(value, cst.Dict):
        for element in value.elements:
            if (
                isinstance(element, cst.DictElement)
                and isinstance(element.key, cst.SimpleString)
                and element.key.evaluated_value == key
            ):
                return element.value
    return None


def several(value: cst.BaseExpression | None) -> str | None:
    """What a returned literal holds, as a hint for --returns: "0, 1" or "'precision', 'recall'"; None for one value."""
    if isinstance(value, (cst.Tuple, cst.List)) and len(value.elements) > 1:
        return ", ".join(map(str, range(len(value.elements))))
    if isinstance(value, cst.Dict):
        keys = [
            e.key.evaluated_value
            for e in value.elements
            if isinstance(e, cst.DictElement) and isinstance(e.key, cst.SimpleString)
        ]
        return ", ".join(str(k) for k in keys) or None
    return None
