"""Turns what the compiler decided, and the registry of rules, into coloured tables for the terminal."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from metric2loss.diagnostics import Diagnostic, MetricError
from metric2loss.rules import RULES
from metric2loss.rules.compare import NEEDS as OPERATORS

if TYPE_CHECKING:
    from metric2loss.describe import MetricReport, SiteReport
    from metric2loss.rules import Rule

_COLOURS = {"f": "blue", "h": "bold magenta", "g": "green"}


def explain(path: Path, text: str, metrics: Sequence[MetricReport]) -> None:
    """Prints the user's source, metric by metric, with the decisions beside and under its lines."""
    console = Console()
    for number, metric in enumerate(metrics):
        if number:
            console.print()
        console.print(_headline(path, metric))
        console.print(_source(text, metric))
        console.print(Padding(_facts(metric), (1, 0, 0, 2)))


def show_rules(name: str | None) -> None:
    """Prints every rule, or one in full with the code of its identity."""
    console = Console()
    if name is None:
        console.print(_rule_table())
        return
    if name not in RULES:
        why = "A rule is a file of metric2loss/rules."
        hint = f"One of {', '.join(RULES)}."
        raise MetricError(Diagnostic("M2L109", None, f"there is no rule `{name}`", why, hint))
    rule = RULES[name]
    console.print(Text(f"{name}: {_sentence(name)}", style="bold"))
    console.print(Syntax(inspect.getsource(rule.identity), "python", theme="ansi_dark", background_color="default"))
    console.print(Text("spellings: ", style="dim") + Text(", ".join(_spellings(rule))))


def _headline(path: Path, metric: MetricReport) -> Text:
    title = Text.assemble(
        (metric.function, "bold green"), f"  {path}:{metric.span.line}  →  ", (metric.class_name, "bold")
    )
    legend = Text.assemble(
        ("  f ", _COLOURS["f"]), "differences ", (" h ", _COLOURS["h"]), "step ", (" g ", _COLOURS["g"])
    )
    return Text("\n").join((title, legend + Text("the rest")))


def _source(text: str, metric: MetricReport) -> Table:
    """The lines of the function: number, marks, code; under a line with steps, what each step becomes."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="dim")
    grid.add_column()
    grid.add_column(overflow="fold")
    lines = text.splitlines()
    coloured = _highlighted(text)
    for number in _lines_of(metric, lines):
        grid.add_row(str(number), _marks(metric.roles.get(number, "")), coloured[number - 1])
        indent = len(lines[number - 1]) - len(lines[number - 1].lstrip())
        for site in metric.sites:
            if _last_line(site) == number:
                grid.add_row("", "", Padding(_site(site), (0, 0, 0, indent)))
    return grid


def _lines_of(metric: MetricReport, lines: Sequence[str]) -> range:
    """From the definition to its last line, and as far as any marked line."""
    last: int = max((metric.span.end_line, metric.span.line, *metric.roles, *map(_last_line, metric.sites)))
    return range(metric.span.line, min(last, len(lines)) + 1)


def _last_line(site: SiteReport) -> int:
    return max(site.span.line, site.span.end_line)


def _highlighted(text: str) -> list[Text]:
    syntax = Syntax("", "python", theme="ansi_dark", background_color="default")
    found = syntax.highlight(text)
    lines = list(found.split("\n", allow_blank=True))
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return lines


def _marks(roles: str) -> Text:
    """`fg` as three columns, so that the letters stand under each other."""
    return Text.assemble(*((letter if letter in roles else " ", _COLOURS[letter]) for letter in "fhg"))


def _site(site: SiteReport) -> Text:
    loops = f" for each {' and '.join(site.loops)}" if site.loops else ""
    return Text.assemble(
        ("╰─ ", _COLOURS["h"]),
        (" ".join(site.source.split()), "cyan"),
        f"  rule {site.rule}; binaries: ",
        (f"{site.binaries}{loops}", "bold"),
        f": {site.why}" if site.why else "",
    )


def _facts(metric: MetricReport) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for label, value in _fact_rows(metric):
        grid.add_row(label, value)
    return grid


def _fact_rows(metric: MetricReport) -> Iterator[tuple[str, str]]:
    yield "scores", ", ".join(metric.scores)
    yield "targets", ", ".join(metric.targets) or "none"
    if metric.direction is not None:
        yield "direction", metric.direction
    yield "library", metric.library or "as given"
    if metric.separable:
        yield "separable", metric.separable
    yield from (("note", note) for note in metric.notes)


def _rule_table() -> Table:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("rule", style="bold magenta")
    table.add_column("identity", ratio=1)
    table.add_column("spellings", ratio=1, style="cyan")
    for name, rule in RULES.items():
        table.add_row(name, Text(_sentence(name)), Text(", ".join(_spellings(rule))))
        table.add_section()
    return table


def _sentence(name: str) -> str:
    """The first sentence of the rule's module, without its title."""
    lines = (import_module(f"metric2loss.rules.{name}").__doc__ or "").strip().split("\n\n")[0]
    sentence = " ".join(lines.split())
    return sentence.partition(": ")[2] or sentence


def _spellings(rule: Rule) -> list[str]:
    """`argsort (numpy, torch, method)`: each name once, with where it is found."""
    homes: dict[str, list[str]] = {}
    for spelling in rule.spellings:
        homes.setdefault(spelling.tail, []).append(spelling.library or "method")
    operators = ["  ".join(OPERATORS)] if rule is RULES["compare"] else []
    return operators + [f"{tail} ({', '.join(dict.fromkeys(found))})" for tail, found in homes.items()]
