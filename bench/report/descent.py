"""The tasks under stochastic gradient descent to their part of the page: whether a learning rate carries over."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.sweep import DESCENT
from bench.core.tuning import grid_text
from bench.report.comparison import Comparison
from bench.report.learning import against, against_best, at_their_rate, count, named
from bench.report.tables import LIMIT, OURS, drop_in_table, listed, main_table

CONTROL = ("pull",)


def section(tasks: Sequence[Comparison]) -> str:
    """Tables of the tasks, each loss at its own rate and at the hand-made one's."""
    lost = named(tasks, at_their_rate, lambda e: e.mean < -LIMIT)
    controls = ", ".join(f"`{name}` {count(tasks, against(name))}" for name in CONTROL)
    return f"""### With stochastic gradient descent

    python -m bench.learning --sgd

Adam does not heed the scale of a gradient; SGD with momentum (0.9) does. {len(tasks)} of the tasks, those whose runs take few seconds, by the
same protocol from the grid {grid_text(DESCENT.grid)}. `{OURS}` against the best hand-made loss: {count(tasks, against_best)}; against {controls};
as a drop-in, at the hand-made loss's own rate, {count(tasks, at_their_rate)}. There it loses more than {LIMIT:g} on {len(lost)}: {listed(lost)}.

{main_table(tasks, CONTROL)}

{drop_in_table(tasks, CONTROL)}

The two factors that give the gradient the scale of cross entropy (see [interpolants](interpolants.md)) were set on other seeds of
`accuracy-*`, `ap-digit8` and `ap-linear`.
"""
