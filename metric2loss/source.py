"""Turns the text of a Python file into a tree with positions: the one place where source is parsed."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from metric2loss.diagnostics import Diagnostic, MetricError, Span


@dataclass(frozen=True)
class ModuleSource:
    """A parsed module: its text, its libcst tree and where every node stands."""

    path: str
    text: str
    tree: cst.Module
    positions: Mapping[cst.CSTNode, CodeRange]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text, as 64 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def filename(self) -> str:
        return Path(self.path).name

    def span(self, node: cst.CSTNode) -> Span:
        """The place of a node; libcst counts columns from 0, a Span from 1."""
        at = self.positions[node]
        return Span(self.path, at.start.line, at.start.column + 1, at.end.line, at.end.column + 1)

    def line(self, node: cst.CSTNode) -> int:
        return self.positions[node].start.line

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node on one line, as the user wrote it otherwise."""
        return " ".join(part.strip() for part in self.tree.code_for_node(node).splitlines())

    def diagnostic(self, code: str, node: cst.CSTNode | None, message: str, why: str, hint: str) -> Diagnostic:
        return Diagnostic(code, None if node is None else self.span(node), message, why, hint)

    def error(self, *diagnostics: Diagnostic) -> MetricError:
        return MetricError(diagnostics, {self.path: self.text})


def read(path: str | Path) -> str:
    """The text of a file, or a located refusal."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise MetricError(
            (
                Diagnostic(
                    "M2L102",
                    Span(str(path), 1, 1, 1, 1),
                    f"cannot read {path}",
                    f"{reason}.",
                    "Give the path of a Python file in UTF-8.",
                ),
            ),
            {str(path): ""},
        ) from None


def parse(text: str, path: str) -> ModuleSource:
    """text ─parse→ ModuleSource; a syntax error becomes a diagnostic at the offending character."""
    try:
        tree = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        line, column, reason = _located(text, error)
        raise MetricError(
            (
                Diagnostic(
                    "M2L101",
                    Span(path, line, column, line, column + 1),
                    "the file is not valid Python",
                    reason,
                    "Fix the syntax; `python -m py_compile` shows the same place.",
                ),
            ),
            {path: text},
        ) from None
    wrapper = MetadataWrapper(tree, unsafe_skip_copy=True)
    unfold = _Unfold()
    places = wrapper.resolve(PositionProvider)
    unfolded = tree.visit(unfold)
    return ModuleSource(path, text, unfolded, unfold.positions(places))


def _located(text: str, error: cst.ParserSyntaxError) -> tuple[int, int, str]:
    """Line, column and reason of a syntax error: Python's own where it has one, it knows better where things went wrong."""
    try:
        ast.parse(text)
    except SyntaxError as found:
        reason = f"{found.msg[:1].upper()}{found.msg[1:]}."
        return found.lineno or error.raw_line, max(found.offset or 1, 1), reason
    except ValueError:
        pass
    return error.raw_line, error.raw_column + 1, error.message.strip()


class Renewing(cst.CSTTransformer):
    """A change of the tree that remembers which new node stands where which old one stood."""

    def __init__(self) -> None:
        super().__init__()
        self.renewed: dict[cst.CSTNode, cst.CSTNode] = {}

    def on_leave(self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT) -> Any:
        changed: Any = super().on_leave(original_node, updated_node)
        if isinstance(changed, cst.CSTNode) and changed is not original_node:
            self.renewed.setdefault(changed, original_node)
        return changed

    def positions(self, known: Mapping[cst.CSTNode, CodeRange]) -> Mapping[cst.CSTNode, CodeRange]:
        """The known places, and those of the new nodes."""
        found = dict(known)
        for new, old in self.renewed.items():
            while old not in known and old in self.renewed:
                old = self.renewed[old]
            if old in known:
                found[new] = known[old]
        return found


class _Unfold(Renewing):
    """One statement a line: `if x: y = 1` and `a = 1; b = 2` are unfolded, so that every statement stands alone."""

    def leave_SimpleStatementSuite(
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.BaseSuite:
        return cst.IndentedBlock(self.lines(updated_node.body, updated_node.trailing_whitespace))

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        if len(updated_node.body) == 1:
            return updated_node
        lines = self.lines(updated_node.body, updated_node.trailing_whitespace)
        lines[0] = lines[0].with_changes(leading_lines=updated_node.leading_lines)
        self.renewed[lines[0]] = original_node.body[0]
        return cst.FlattenSentinel(lines)

    def lines(
        self, body: Sequence[cst.BaseSmallStatement], trailing: cst.TrailingWhitespace
    ) -> list[cst.SimpleStatementLine]:
        found = []
        for place, small in enumerate(body):
            alone = small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
            self.renewed[alone] = small
            line = cst.SimpleStatementLine([alone])
            if place == len(body) - 1:
                line = line.with_changes(trailing_whitespace=trailing)
            self.renewed[line] = small
            found.append(line)
        return found
