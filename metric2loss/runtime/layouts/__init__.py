"""Each kind of step arranges its binaries in a layout, which turns configurations back into what the user's call returned."""

from __future__ import annotations

from metric2loss.runtime.layouts.base import Fixed, Layout
from metric2loss.runtime.layouts.choose import ChooseLayout
from metric2loss.runtime.layouts.compare import CompareLayout, SignLayout
from metric2loss.runtime.layouts.margin import MarginLayout
from metric2loss.runtime.layouts.order import OrderLayout
from metric2loss.runtime.layouts.thermometer import ThermometerLayout

__all__ = [
    "ChooseLayout",
    "CompareLayout",
    "Fixed",
    "Layout",
    "MarginLayout",
    "OrderLayout",
    "SignLayout",
    "ThermometerLayout",
]
