"""Sign: sign(x) = [x > 0] + [x >= 0] - 1."""

from __future__ import annotations

from typing import Any

from metric2loss.rules.spelling import Example, Rule, spell
from metric2loss.step import step


def identity(xp: Any, native: Any, x: Any, *args: Any, using: str = "sign") -> Any:
    """The user's call, rebuilt from the two binaries of a comparison with zero."""
    return signs(using, step(x, False), step(x, True), *args)


def signs(using: str, gt: Any, ge: Any, at_zero: Any = 0.5) -> Any:
    """The result of sign, signbit or heaviside (`at_zero` is heaviside's second argument)."""
    if using == "signbit":
        return ~ge
    if using == "heaviside":
        return gt * 1.0 + (ge & ~gt) * at_zero
    return gt * 1.0 + ge * 1.0 - 1.0


SPELLINGS = (
    *spell("sign", "sign", "numpy.sign", "torch.sign", "torch.sgn", ".sign", ".sgn"),
    *spell("sign", "signbit", "numpy.signbit", "torch.signbit", ".signbit"),
    *spell("sign", "heaviside", "numpy.heaviside", "torch.heaviside", ".heaviside", parameters=("values",)),
)

EXAMPLES = (
    Example("numpy.sign", (-2, 0, 1)),
    Example("torch.sign", (-2, 0, 1)),
    Example("numpy.signbit", (-2, 0, 1)),
    Example("numpy.heaviside", (-2, 0, 1), (0.5,)),
)

RULE = Rule("sign", "sign", "sign(x) = [x > 0] + [x >= 0] - 1", identity, SPELLINGS, EXAMPLES)
