"""The demo's own tables, as it printed them: what the README quotes."""

from __future__ import annotations

from pathlib import Path


def section(run: Path) -> str:
    """The committed output of one run."""
    first, _, tables = run.read_text(encoding="utf-8").partition("\n")
    shown = "\n".join(line.rstrip() for line in tables.strip().splitlines())
    return f"""## The demo

    make demo        # bench/runs/demo.txt

Five seeds of four tasks, each loss at the rate that is best on the validation data of other seeds ({first.removeprefix("make demo, ")}).

```
{shown}
```"""
