"""`python -m bench.report`: rebuild docs/results.md, docs/development.md and the figures from the JSON under bench/runs alone."""

from __future__ import annotations

from pathlib import Path

import click

from bench.core.losses import ROOT
from bench.report.page import build

DOCS = ROOT / "docs"
RUNS = ROOT / "bench" / "runs"


@click.command()
@click.option(
    "--runs", default=RUNS, type=click.Path(path_type=Path, exists=True), help="Folder with learning, paper, ..."
)
@click.option("--docs", default=DOCS, type=click.Path(path_type=Path), help="Where the pages and figures go.")
def main(runs: Path, docs: Path) -> None:
    """Write the page and its figures."""
    for name, text in build(runs).items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(f"{path} ({len(text):,} characters)")


if __name__ == "__main__":
    main()
