"""A finer grid inside a score map, and the words for its points."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from cassi_core.formatting import format_number
from cassi_core.parameters import SPECS
from cassi_gui.plots.grid_blocks import GridSlice, spacing


def unit_of(name: str) -> str:
    """Unit of a parameter, empty for names that are none."""
    return SPECS[name].unit if name in SPECS else ""


def worded(name: str, value: float) -> str:
    """`dx +0.750 px`: fixed decimals, a true minus, never `-0` and no exponent."""
    digits = SPECS[name].digits if name in SPECS else 3
    return f"{name} {format_number(value, digits, signed=True)} {unit_of(name)}".rstrip()


class Inset:
    """A finer grid inside the map: its cells, and its frame in the colour of text with a halo of the ground."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self._plot = plot
        self.image = pg.ImageItem(axisOrder="row-major")
        self.halo, self.frame = pg.PlotCurveItem(), pg.PlotCurveItem()
        for item, z in ((self.image, 1), (self.halo, 2), (self.frame, 3)):
            item.setZValue(z)
            plot.addItem(item, ignoreBounds=True)

    def remove(self) -> None:
        for item in (self.image, self.halo, self.frame):
            self._plot.removeItem(item)

    def show(self, scores: NDArray[np.float32], rect: QRectF, levels: tuple[float, float]) -> None:
        self.image.setImage(scores, autoLevels=False, levels=levels)
        self.image.setRect(rect)
        x = [rect.left(), rect.right(), rect.right(), rect.left(), rect.left()]
        y = [rect.top(), rect.top(), rect.bottom(), rect.bottom(), rect.top()]
        self.halo.setData(x, y)
        self.frame.setData(x, y)


def cells_of(shown: GridSlice) -> QRectF:
    """The cells of a slice, in the units of the axes."""
    step_x, step_y = spacing(shown.across), spacing(shown.down)
    left, top = float(shown.across[0]) - step_x / 2, float(shown.down[0]) - step_y / 2
    return QRectF(left, top, step_x * len(shown.across), step_y * len(shown.down))
