"""Turns what the compiler decided into the lines that `metric2loss compile` prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from metric2loss.describe import MetricReport, SiteReport


def written(source: Path, output: Path, *, unchanged: bool) -> str:
    """The headline of one file: `metrics.py → metrics_loss.py`."""
    note = click.style(" (unchanged)", dim=True) if unchanged else ""
    return f"{click.style(str(source), bold=True)} → {click.style(str(output), bold=True)}{note}"


def decisions(metric: MetricReport) -> Iterator[str]:
    """What was decided for one metric: direction, scores, every site, and what only a run can tell."""
    yield f"  {click.style(metric.class_name, fg='green', bold=True)}  from {metric.function}, line {metric.span.line}"
    yield _entry("scores", ", ".join(metric.scores))
    if metric.direction is not None:
        yield _entry("direction", metric.direction)
    for site in metric.sites:
        yield from _site(site)
    if metric.separable:
        yield _entry("separable", metric.separable)
    for note in metric.notes:
        yield _entry("note", note)


def _site(site: SiteReport) -> Iterator[str]:
    source = click.style(" ".join(site.source.split()), fg="cyan")
    yield _entry("step", f"line {site.span.line}: {source}  (rule {site.rule})")
    loops = f" for each {' and '.join(site.loops)}" if site.loops else ""
    yield _entry("binaries", f"{site.binaries}{loops}{': ' if site.why else ''}{site.why}")


def _entry(label: str, text: str) -> str:
    return f"    {click.style(label.ljust(10), dim=True)} {text}"
