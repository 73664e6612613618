"""All runs to docs/results.md, docs/development.md and the figures, as texts by file name."""

from __future__ import annotations

from pathlib import Path

from bench.core.record import every
from bench.core.sweep import DESCENT, DEVELOPED, LONGER, Plan
from bench.report import demo, descent, development, figures, full_runs, learning, paper, rivals, sigmas
from bench.report.comparison import Comparison, comparisons
from bench.report.remarks import REMARKS
from bench.tasks import groups

PAPERS = Plan(group="paper", folder="paper")


def build(runs: Path) -> dict[str, str]:
    """Name below docs -> text; the same runs give the same texts."""
    learned, longer, plain = (found(runs, plan) for plan in (Plan(), LONGER, DESCENT))
    papers, developed = found(runs, PAPERS), found(runs, DEVELOPED)
    texts = {"results.md": page(learned, longer, plain, papers, runs)}
    if developed:
        texts["development.md"] = development.page(developed)
    if learned:
        texts["figures/gains.svg"] = figures.svg(figures.forest(learned))
        texts["figures/learning_curves.svg"] = figures.svg(figures.curves(learned))
    if papers:
        texts["figures/paper_curves.svg"] = figures.svg(figures.curves(papers))
    widths = sigmas.task_of(papers)
    if widths is not None:
        texts["figures/sigmas.svg"] = figures.svg(sigmas.sensitivity(widths))
    return texts


def found(runs: Path, plan: Plan) -> list[Comparison]:
    folder = runs / plan.folder
    return comparisons(groups()[plan.group], every(folder), plan) if folder.exists() else []


def page(
    learned: list[Comparison],
    longer: list[Comparison],
    plain: list[Comparison],
    papers: list[Comparison],
    runs: Path,
) -> str:
    parts = ["# Results", learning.summary(learned), REMARKS] if learned else ["# Results"]
    if learned:
        parts.append(learning.section(learned))
    if longer:
        parts.append(learning.longer_section(longer))
    if plain:
        parts.append(descent.section(plain))
    if learned and (runs / "rivals").exists():
        parts.append(rivals.section(rivals.joined(learned, every(runs / "rivals"))))
    if (runs / "demo.txt").exists():
        parts.append(demo.section(runs / "demo.txt"))
    parts.append(paper.section(papers, runs))
    if sigmas.task_of(papers) is not None:
        parts.append("![PCKh by the width of the bump](figures/sigmas.svg)")
    if (runs / "estimate.json").exists():
        parts.append(full_runs.section(runs / "estimate.json"))
    return "\n\n".join(part.strip() for part in parts) + "\n"
