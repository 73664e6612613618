"""Turns lines that are too long into shorter ones: the comment goes above, the arguments of a call below each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

WIDTH = 120


def wrapped(lines: Iterable[str], steps: str, margin: int = 0) -> Iterator[str]:
    """Lines that codegen wrote or changed (they speak of `steps`), none wider than WIDTH less the margin where possible."""
    for line in lines:
        if len(line) + margin <= WIDTH or f"{steps}." not in line:
            yield line
            continue
        code, mark, note = line.rpartition("  # line")
        if mark and len(code) and not _in_text(code):
            yield f"{_indent(code)}# line{note}"
            line = code
        yield from _call(line, margin) if len(line) + margin > WIDTH else [line]


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _in_text(code: str) -> bool:
    return code.count('"') % 2 == 1 or code.count("'") % 2 == 1


def _call(line: str, margin: int) -> Iterator[str]:
    """`x = f(a, b)` with an argument a line; a line that ends otherwise stays as it is."""
    start = _opening(line)
    if start is None:
        yield line
        return
    head, inner, tail = line[: start + 1], line[start + 1 : _closing(line, start)], line[_closing(line, start) :]
    yield head
    for part in _arguments(inner):
        text = f"{_indent(line)}    {part},"
        yield from _call(text, margin) if len(text) + margin > WIDTH else [text]
    yield f"{_indent(line)}{tail}"


def _opening(line: str) -> int | None:
    """The first bracket of a call that is closed only at the end of the line."""
    for place, character in enumerate(line):
        called = place > 0 and (line[place - 1].isalnum() or line[place - 1] in "_)]")
        if character == "(" and called and line[_closing(line, place) :] in (")", "),", "):"):
            inside = line[place + 1 : _closing(line, place)]
            return place if inside and not _is_generator(inside) else None
    return None


def _is_generator(inner: str) -> bool:
    """`x for x in xs`: no list of arguments."""
    return any(" for " in part for part in _bare(inner))


def _bare(inner: str) -> Iterator[str]:
    """What of a text stands outside of all brackets."""
    place = start = 0
    while place < len(inner):
        if inner[place] in "([{":
            yield inner[start:place]
            place = start = _closing(inner, place)
        place += 1
    yield inner[start:]


def _closing(line: str, start: int) -> int:
    depth, quote = 0, ""
    for place in range(start, len(line)):
        character = line[place]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in "([{") - (character in ")]}")
            if depth == 0:
                return place
    return len(line)


def _arguments(inner: str) -> list[str]:
    """The arguments between the brackets of a call."""
    found, depth, quote, last = [], 0, "", 0
    for place, character in enumerate(inner):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "," and depth == 0:
            found.append(inner[last:place].strip())
            last = place + 1
        else:
            depth += (character in "([{") - (character in ")]}")
    found.append(inner[last:].strip())
    return [part for part in found if part]
