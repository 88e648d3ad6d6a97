"""Axes that write what they stand for: the values of a logarithmic scale, whole steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg

from cassi_gui.plots.style import number

LINE_PX = 15
"""Height of a line of tick text."""


class PowerAxis(pg.AxisItem):
    """An axis over exponents of ten that writes the values themselves, evenly spaced and never on top of each other."""

    def __init__(self, side: str, *, logarithmic: bool = False) -> None:
        super().__init__(side)
        self.logarithmic = logarithmic

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if not self.logarithmic:
            return [number(v * scale) for v in values]
        # As many digits as it takes to tell two neighbours apart.
        apart = 10.0 ** (spacing * scale) - 1.0
        digits = max(3, math.ceil(-math.log10(apart)) + 1) if apart > 0 else 3
        return [f"{10.0 ** (v * scale):.{min(digits, 9)}g}" for v in values]


class StepAxis(pg.AxisItem):
    """A horizontal axis of whole steps: there is no step 1.5."""

    def __init__(self) -> None:
        super().__init__("bottom")

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        levels = [(spacing, values) for spacing, values in super().tickValues(minVal, maxVal, size) if spacing >= 1]
        # A few steps in a wide plot: every spacing that it finds fit is finer than a step.
        return levels or [(1.0, [float(step) for step in range(math.ceil(minVal), math.floor(maxVal) + 1)])]


class ValueAxis(pg.AxisItem):
    """A vertical axis of a small plot: only as many values as can stand above each other."""

    def __init__(self) -> None:
        super().__init__("left")

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        levels = super().tickValues(minVal, maxVal, size)[:1]
        if not levels or maxVal <= minVal or size <= 0:
            return levels
        spacing, values = levels[0]
        every = max(1, math.ceil(LINE_PX * (maxVal - minVal) / (spacing * size)))
        return [(spacing * every, list(values[::every]))]
