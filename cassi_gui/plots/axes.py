"""Axes that write what they stand for: the values of a logarithmic scale, whole steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import pyqtgraph as pg

from cassi_core.formatting import MINUS
from cassi_gui.plots.style import number

Levels = list[tuple[float, list[float]]]
"""Ticks as (spacing, values), the most important first."""
LINE_PX = 15
"""Height of a line of tick text."""


class NumberAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis that writes negative numbers with a true minus."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [str(text).replace("-", MINUS) for text in super().tickStrings(values, scale, spacing)]


class PowerAxis(pg.AxisItem):  # type: ignore[misc]
    """A vertical axis over exponents of ten that writes the values themselves: round ones, never on top of each other."""

    def __init__(self, side: str, *, logarithmic: bool = False) -> None:
        super().__init__(side)
        self.logarithmic = logarithmic

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Levels:
        usual: Levels = super().tickValues(minVal, maxVal, size)
        # Without a height yet, or over more decades than there are floating-point numbers: nothing to place.
        if not self.logarithmic or size <= 0 or not -300 < minVal < maxVal < 300:
            return usual
        exponents = max(_round_exponents(minVal, maxVal, size), key=len)
        gap = min((b - a for a, b in itertools.pairwise(exponents)), default=maxVal - minVal)
        return [(gap, exponents)] if exponents else usual

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if not self.logarithmic:
            return [number(v * scale) for v in values]
        return [_shortest(10.0 ** (v * scale)) for v in values]


def _round_exponents(lowest: float, highest: float, size_px: float) -> Iterator[list[float]]:
    """Logarithms of round values between two exponents, in every way that keeps them two lines of text apart."""
    room = 2 * LINE_PX * (highest - lowest) / size_px
    yield []
    for digits in ((1, 2, 5), (1, 3), (1,)):
        decades = range(math.floor(lowest), math.ceil(highest) + 1)
        # Of many decades only every second, third, ...
        every = max(1, math.ceil(room))
        marks = [d + math.log10(m) for d in decades if len(digits) > 1 or d % every == 0 for m in digits]
        yield from _if_apart(marks, lowest, highest, room)
    # Within a decade: even steps of the value, as on a plain axis.
    low, high = 10.0**lowest, 10.0**highest
    if highest - lowest < 1.0:
        finest = math.floor(math.log10((high - low) / max(1.0, size_px / LINE_PX)))
        for step in (m * 10.0**k for k in range(finest, finest + 4) for m in (1, 2, 5)):
            marks = [math.log10(i * step) for i in range(max(1, math.ceil(low / step)), math.floor(high / step) + 1)]
            yield from _if_apart(marks, lowest, highest, room)


def _if_apart(marks: list[float], lowest: float, highest: float, room: float) -> Iterator[list[float]]:
    marks = [m for m in marks if lowest <= m <= highest]
    if all(b - a >= room for a, b in itertools.pairwise(marks)):
        yield marks


def _shortest(value: float) -> str:
    """As few digits as tell the value."""
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if math.isclose(float(text), value, rel_tol=1e-9):
            return text if "e" not in text else number(float(text))
    return f"{value:.9g}"


class StepAxis(pg.AxisItem):  # type: ignore[misc]
    """A horizontal axis of whole steps: there is no step 1.5, and none below 0."""

    def __init__(self) -> None:
        super().__init__("bottom")

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Levels:
        found = [(spacing, [v for v in values if v >= 0]) for spacing, values in super().tickValues(minVal, maxVal, size)]
        levels = [(spacing, values) for spacing, values in found if spacing >= 1 and values]
        # A few steps in a wide plot: every spacing that it finds fit is finer than a step.
        return levels or [(1.0, [float(step) for step in range(max(0, math.ceil(minVal)), math.floor(maxVal) + 1)])]


class ValueAxis(NumberAxis):
    """A vertical axis of a small plot: only as many values as can stand above each other."""

    def __init__(self) -> None:
        super().__init__("left")

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Levels:
        levels: Levels = super().tickValues(minVal, maxVal, size)[:1]
        if not levels or maxVal <= minVal or size <= 0:
            return levels
        spacing, values = levels[0]
        every = max(1, math.ceil(LINE_PX * (maxVal - minVal) / (spacing * size)))
        return [(spacing * every, list(values[::every]))]
