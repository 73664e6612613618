"""Small changes to libcst statements: bodies, branches, headers, comments, line width."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import libcst as cst

from metric2loss.frontend.resolve import Program
from metric2loss.lowering import enumerated

Suite = Sequence[cst.BaseStatement]
WIDTH = 120


def with_body(node: cst.CSTNode, body: Suite) -> cst.BaseStatement:
    """A compound statement with another body; the comment after its colon stays."""
    return node.with_changes(body=_block(node.body, body))  # type: ignore[return-value,attr-defined]


def _block(old: cst.CSTNode | None, body: Suite) -> cst.IndentedBlock:
    header = old.header if isinstance(old, cst.IndentedBlock) else cst.TrailingWhitespace()
    return cst.IndentedBlock(list(body) or [_PASS], header=header)


def with_branches(node: cst.If, body: Suite, other: Suite) -> cst.If:
    """An `if` with other branches; when only the second one has anything left, the condition is negated."""
    if not body and other:
        inverted = cst.UnaryOperation(
            cst.Not(), node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        )
        return node.with_changes(test=inverted, body=cst.IndentedBlock(list(other)), orelse=None)
    orelse: cst.If | cst.Else | None = None
    if other and isinstance(node.orelse, cst.If) and len(other) == 1 and isinstance(other[0], cst.If):
        orelse = other[0]
    elif other:
        orelse = cst.Else(_block(getattr(node.orelse, "body", None), other))
    return node.with_changes(body=_block(node.body, body), orelse=orelse)


def with_otherwise(node: cst.BaseStatement, other: Suite) -> cst.BaseStatement:
    """A loop with another `else`, or none."""
    old = getattr(node, "orelse", None)
    return node.with_changes(orelse=cst.Else(_block(getattr(old, "body", None), other)) if other else None)


def with_parts(node: cst.Try, suite: Callable[[cst.BaseSuite], list[cst.BaseStatement]]) -> cst.Try:
    """A `try` whose blocks keep what `suite` makes of them."""

    def kept(part: Any) -> Any:
        return None if part is None else part.with_changes(body=_block(part.body, suite(part.body)))

    final = None if node.finalbody is None or not suite(node.finalbody.body) else kept(node.finalbody)
    otherwise = None if node.orelse is None or not suite(node.orelse.body) else kept(node.orelse)
    handlers = [kept(h) for h in node.handlers]
    return node.with_changes(
        body=_block(node.body, suite(node.body)), handlers=handlers, orelse=otherwise, finalbody=final
    )


_PASS = cst.SimpleStatementLine([cst.Pass()])


def counted(node: cst.For, key: str) -> cst.For:
    target, iterable = enumerated(node, key)
    return node.with_changes(target=target, iter=iterable)


def stops_gradient(program: Program, node: cst.With) -> bool:
    return any("no_grad" in program.source.code(i) or "inference_mode" in program.source.code(i) for i in node.items)


def noted(node: cst.SimpleStatementLine, note: str) -> cst.SimpleStatementLine:
    own = node.trailing_whitespace.comment
    text = f"# {note}" + (f"  {own.value}" if own is not None else "")
    space = cst.SimpleWhitespace("  ")
    return node.with_changes(
        trailing_whitespace=node.trailing_whitespace.with_changes(comment=cst.Comment(text), whitespace=space)
    )


def indented(lines: Iterable[str]) -> list[str]:
    return ["    " + line if line else line for line in lines]


def jumps(node: cst.BaseStatement) -> bool:
    """Whether a statement leaves the block: return, continue, break."""
    return isinstance(node, cst.SimpleStatementLine) and isinstance(
        node.body[-1], (cst.Return, cst.Continue, cst.Break)
    )
