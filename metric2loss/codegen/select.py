"""Turns an `if` that only sets one name into a selection, so that g runs for many anchors at once."""

from __future__ import annotations

import libcst as cst

from metric2loss.analysis.facts import walk


def select(node: cst.If, steps: str) -> cst.BaseStatement | None:
    """`if c: x += 1` → `x = steps.select(c, x + 1, x)`, when all branches only set one plain name to something harmless."""
    name = _assigned_name(node)
    if name is None:
        return None
    module = cst.Module([])
    text = _select_text(node, name, module, steps)
    if text is None:
        return None
    statement = cst.parse_statement(f"{name} = {text}")
    return statement.with_changes(leading_lines=node.leading_lines)


def _select_text(node: cst.If | cst.Else | None, name: str, module: cst.Module, steps: str) -> str | None:
    if node is None:
        return name
    value = _new_value(node.body, name, module)
    if value is None or isinstance(node, cst.Else):
        return value
    other = _select_text(node.orelse, name, module, steps)
    return None if other is None else f"{steps}.select({module.code_for_node(node.test)}, {value}, {other})"


def _assigned_name(node: cst.If) -> str | None:
    small = node.body.body[0].body[0] if isinstance(node.body.body[0], cst.SimpleStatementLine) else None
    target = (
        small.target
        if isinstance(small, cst.AugAssign)
        else small.targets[0].target
        if isinstance(small, cst.Assign)
        else None
    )
    return target.value if isinstance(target, cst.Name) else None


def _new_value(suite: cst.BaseSuite, name: str, module: cst.Module) -> str | None:
    if len(suite.body) != 1 or not isinstance(suite.body[0], cst.SimpleStatementLine) or len(suite.body[0].body) != 1:
        return None
    small = suite.body[0].body[0]
    if not isinstance(small, (cst.Assign, cst.AugAssign)) or any(
        isinstance(n, (cst.Call, cst.Subscript, cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power))
        for n in walk(small.value)
    ):
        return None
    target = small.target if isinstance(small, cst.AugAssign) else small.targets[0].target
    if not isinstance(target, cst.Name) or target.value != name:
        return None
    value = module.code_for_node(small.value)
    if isinstance(small, cst.Assign):
        return value
    operator = {cst.AddAssign: "+", cst.SubtractAssign: "-", cst.MultiplyAssign: "*"}.get(type(small.operator))
    return (
        None
        if operator is None
        else f"{name} {operator} {value if value.isalnum() or _is_number(value) else f'({value})'}"
    )


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
