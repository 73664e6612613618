"""What was verified, of what, where and with which result: as data, as JSON, as Markdown and as lines on a terminal."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from rich.table import Table
from rich.text import Text

from metric2loss._version import VERSION
from metric2loss.diagnostics import Diagnostic
from metric2loss.runtime.selfcheck import Finding

_MARKS = {True: ("passed", "green"), False: ("FAILED", "bold red"), None: ("–", "dim")}


@dataclass(frozen=True)
class Checked:
    """One batch: what it is, and what every check found on it."""

    batch: str
    scores: Mapping[str, tuple[int, ...]]  # shapes
    binaries: int
    other_scores: int
    configurations: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return all(found.passed is not False for found in self.findings)


@dataclass(frozen=True)
class Certificate:
    """One loss.  digest: SHA-256 of the metric's file as it is now; fresh: it is the one the module was made from."""

    loss: str
    metric: str
    source: str
    digest: str
    fresh: bool
    seed: int
    environment: Mapping[str, str]
    checked: tuple[Checked, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def passed(self) -> bool:
        return self.fresh and bool(self.checked) and all(one.passed for one in self.checked)

    @property
    def verdict(self) -> str:
        """One line."""
        asked = [found.passed for one in self.checked for found in one.findings]
        bad = sum(passed is False for passed in asked)
        on = f"{len(self.checked)} {'batch' if len(self.checked) == 1 else 'batches'}"
        if not self.fresh:
            return f"FAILED: {self.source} has changed since it was compiled"
        if bad:
            return f"FAILED: {bad} of {len(asked)} checks on {on}"
        return f"passed: {sum(passed is True for passed in asked)} checks on {on}"


def environment() -> dict[str, str]:
    """The versions that a value may depend on."""
    found = {"metric2loss": VERSION, "python": platform.python_version()}
    found.update({"torch": torch.__version__, "numpy": np.__version__})
    return {**found, "machine": f"{platform.system()} {platform.machine()}"}


def table(findings: tuple[Finding, ...]) -> Table:
    """The findings of one batch for a terminal."""
    grid = Table.grid(padding=(0, 2))
    for found in findings:
        mark, style = _MARKS[found.passed]
        grid.add_row(Text(f"  {mark}", style=style), Text(found.check), Text(found.detail))
    return grid


def closing(certificate: Certificate) -> Iterator[tuple[str, str]]:
    """The lines below the findings: of what, where, with which result."""
    yield "metric", certificate.metric
    yield "digest", f"sha256:{certificate.digest}"
    versions = {name: found.partition("+")[0] for name, found in certificate.environment.items() if name != "machine"}
    yield "environment", ", ".join(f"{name} {found}" for name, found in versions.items())
    yield "verdict", certificate.verdict


def as_json(certificates: tuple[Certificate, ...]) -> str:
    """All certificates of a module, one object each."""
    return json.dumps([_plain(one) for one in certificates], indent=2) + "\n"


def _plain(certificate: Certificate) -> dict[str, Any]:
    found = asdict(certificate)
    found["diagnostics"] = [asdict(one) for one in certificate.diagnostics]
    return {**found, "passed": certificate.passed, "verdict": certificate.verdict}


def as_markdown(certificates: tuple[Certificate, ...]) -> str:
    """The same for people."""
    return "\n".join(line for one in certificates for line in _page(one)) + "\n"


def _page(certificate: Certificate) -> Iterator[str]:
    yield f"# {certificate.loss}\n"
    yield f"**{certificate.verdict}**\n"
    yield from (f"- {name}: {text}" for name, text in closing(certificate) if name != "verdict")
    yield f"- machine: {certificate.environment['machine']}, torch {certificate.environment['torch']}"
    yield f"- seed: {certificate.seed}\n"
    for one in certificate.checked:
        shapes = ", ".join(f"{name} {tuple(shape)}" for name, shape in one.scores.items())
        yield f"## On {one.batch}\n"
        yield (
            f"Scores: {shapes}; {one.binaries:,} binary variables; {one.other_scores} other sets of scores, "
            f"{one.configurations} configurations.\n"
        )
        yield "| | check | result |\n|---|---|---|"
        yield from (f"| {_MARKS[f.passed][0]} | {_cell(f.check)} | {_cell(f.detail)} |" for f in one.findings)
        yield ""
    for found in certificate.diagnostics:
        yield f"```text\n{found.render()}\n```\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
