"""The papers' full runs to their part of the page: what they would take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.report.tables import markdown


def section(file: Path) -> str:
    """A row a full run and loss."""
    body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    rows = [
        [name, f"{run['steps']:,}", loss, f"{seconds:.3f}", f"{run['hours'][loss]:.1f}"]
        for name, run in body["runs"].items()
        for loss, seconds in run["seconds_a_step"].items()
    ]
    return f"""### The full runs: not made, estimated

    python -m bench.estimate      # bench/runs/estimate.json

Processor time of {body["steps"]} steps each at the papers' sizes, on random data of the true shapes ({body["device"]}), times the number of
steps. [How to make them](experiments.md) with the data sets at hand.

{markdown(["run", "steps", "loss", "seconds a step", "hours"], rows)}"""
