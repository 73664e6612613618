"""Keeps gradients on inside of metrics: activity is read from them, so `no_grad` and `inference_mode` must not end it.

`torch.no_grad` and `torch.set_grad_enabled` go through the torch function mode, which swallows them; `inference_mode` does not
and is made to do nothing while live code runs.  Everything is as before when it returns or raises.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from metric2loss.runtime.dispatch.reading import current

_lock = threading.Lock()
_inside = 0
_real: tuple[Any, Any] | None = None


def _entered(self: Any) -> None:
    if current() is None and _real is not None:
        _real[0](self)
        self._metric2loss_entered = True


def _left(self: Any, *raised: Any) -> None:
    if getattr(self, "_metric2loss_entered", False) and _real is not None:
        self._metric2loss_entered = False
        _real[1](self, *raised)


@contextmanager
def kept_on() -> Iterator[None]:
    """Inside, gradients are on and stay on."""
    global _inside, _real
    mode: Any = torch.inference_mode
    with _lock:
        _inside += 1
        if _inside == 1:
            _real = (mode.__enter__, mode.__exit__)
            mode.__enter__, mode.__exit__ = _entered, _left
    try:
        with torch.enable_grad():
            yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _real is not None:
                mode.__enter__, mode.__exit__ = _real
