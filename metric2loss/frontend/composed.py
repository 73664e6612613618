"""Turns a call that is several steps into a call of a function that writes them out: `np.unique(scores)`.

The function joins the program as if the user had written it, under a name that is not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import libcst as cst

from metric2loss.frontend.resolve import Function, Program
from metric2loss.source import Renewing

# of `first`, the entries that are greater than the one before them, every part of the result is made
_NUMPY = {
    "head": "flat = {np}.ravel(x)",
    "order": '{np}.argsort(flat, kind="stable")',
    "sort": "values = {np}.sort(flat)",
    "first": "first = {np}.concatenate([{np}.ones(min(1, len(values)), dtype=bool), values[1:] > values[:-1]])",
    "number": "number = {np}.cumsum(first) - 1",
    "return_index": "order[first]",
    "inverse": "inverse = {np}.zeros(len(flat), dtype=int)",
    "return_inverse": "inverse.reshape({np}.shape(x))",
    "return_counts": "{np}.bincount(number)",
}
_TORCH = {
    "head": "flat = x.reshape(-1)",
    "order": "{np}.argsort(flat, stable=True)",
    "sort": "values = {np}.sort(flat).values",
    "first": "first = {np}.cat([{np}.ones_like(flat[:1], dtype={np}.bool), values[1:] > values[:-1]])",
    "number": "number = {np}.cumsum(first, 0) - 1",
    "inverse": "inverse = {np}.zeros_like(flat, dtype={np}.long)",
    "return_inverse": "inverse.reshape(x.shape)",
    "return_counts": "{np}.bincount(number)",
}
_LIBRARIES: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "numpy": (_NUMPY, ("return_index", "return_inverse", "return_counts")),
    "torch": (_TORCH, ("return_inverse", "return_counts")),
}
_IGNORED = ("sorted", "equal_nan")  # the values are always sorted, and scores are never NaN


@dataclass(frozen=True)
class Unique:
    """A call of `unique` that can be written out: its operand, its library's name in the file, what it returns beside values."""

    operand: cst.BaseExpression
    library: str
    alias: str
    parts: tuple[str, ...]

    @classmethod
    def read(cls, program: Program, node: cst.Call) -> Unique | None:
        """From `np.unique(x, return_counts=True)`, `torch.unique(x)` or `x.unique()`; None where it is another call."""
        func, arguments = node.func, list(node.args)
        if not isinstance(func, cst.Attribute) or func.attr.value != "unique":
            return None
        library = (program.qualified(func) or "").rpartition(".")[0]
        if library in _LIBRARIES:
            if not arguments or arguments[0].keyword is not None or arguments[0].star:
                return None
            operand, alias = arguments.pop(0).value, program.source.code(func.value)
        else:
            operand, library = func.value, "torch"
            alias = next((name for name, full in program.imports.items() if full == "torch"), "")
        parts = _parts(arguments)
        if not alias or parts is None or not set(parts) <= set(_LIBRARIES[library][1]):
            return None
        return cls(operand, library, alias, tuple(part for part in _LIBRARIES[library][1] if part in parts))

    def text(self, name: str) -> str:
        """The function that does the same."""
        told = _LIBRARIES[self.library][0]
        placed = bool({"return_index", "return_inverse"} & set(self.parts))
        lines = [told["head"]]
        lines += [f"order = {told['order']}", "values = flat[order]"] if placed else [told["sort"]]
        lines.append(told["first"])
        if {"return_inverse", "return_counts"} & set(self.parts):
            lines.append(told["number"])
        if "return_inverse" in self.parts:
            lines += [told["inverse"], "inverse[order] = number"]
        lines.append(f"return {', '.join(['values[first]', *(told[part] for part in self.parts)])}")
        body = "\n    ".join(line.format(np=self.alias) for line in lines)
        return f"def {name}(x):\n    {body}\n"


def _parts(arguments: list[cst.Arg]) -> list[str] | None:
    """The keywords that are true; None where an argument is no such constant."""
    found = []
    for arg in arguments:
        if arg.keyword is None or not isinstance(arg.value, cst.Name) or arg.value.value not in ("True", "False"):
            return None
        if arg.value.value == "True" and arg.keyword.value not in _IGNORED:
            found.append(arg.keyword.value)
    return found


def written_out(program: Program, call: Unique, fresh: Callable[[str], str]) -> Function:
    """The function of a call, one for all calls of a kind."""
    name = "distinct" + "".join(part.removeprefix("return") for part in call.parts)
    text = call.text(name)
    known = program.functions.get(name)
    if known is None or program.source.tree.code_for_node(known.node).strip() != text.strip():
        name = fresh(name)
        text = call.text(name)
        known = None
    if known is not None:
        return known
    definition = cst.parse_module(text).body[0]
    assert isinstance(definition, cst.FunctionDef)
    return Function(name, definition)


class Calling(Renewing):
    """Puts the call of the function in the place of the call that it writes out."""

    def __init__(self, node: cst.Call, name: str, operand: cst.BaseExpression) -> None:
        super().__init__()
        self.node, self.name, self.operand = node, name, operand

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if original_node is not self.node:
            return updated_node
        return cst.Call(cst.Name(self.name), [cst.Arg(self.operand)])
