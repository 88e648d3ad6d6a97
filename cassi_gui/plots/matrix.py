"""Correlation matrix of the refined parameters: the number in every cell, colour only repeats it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from cassi_gui.plots import export
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import colour_map, plot_font

MANY = 6
"""From so many parameters on there is room for one decimal only; the table of the plot has all of them."""
STRONG = 0.9
"""Pairs beyond this cannot be told apart by the data; they are named in words."""


class CorrelationPanel(PlotPanel):
    """Correlations between -1 and 1 with the parameters' names on both sides."""

    def __init__(self, name: str = "correlation", title: str = "Correlations", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._names: tuple[str, ...] = ()
        self._matrix: NDArray[np.float64] = np.zeros((0, 0))
        self._cells: list[pg.TextItem] = []
        self.plot = self._add_plot(0, 0, grid=False)
        self.plot.setMouseEnabled(x=False, y=False)
        self.view = self.plot.getViewBox()
        self.view.invertY(True)
        self._image = pg.ImageItem(axisOrder="row-major")
        self.plot.addItem(self._image)
        self.graphics.setToolTip("Correlation of the errors of two parameters: near 1 or -1, one can stand in for the other")
        self.set_palette(self._palette)
        self.set_correlation((), None)

    def set_correlation(self, names: Sequence[str], matrix: NDArray[np.float64] | None) -> None:
        """Show a matrix `(n, n)` in the order of `names`."""
        self._names = tuple(names)
        self._matrix = np.zeros((0, 0)) if matrix is None else np.asarray(matrix, float)
        for cell in self._cells:
            self.plot.removeItem(cell)
        self._cells.clear()
        n = self._matrix.shape[0]
        if n == 0:
            self.set_detail("")
            self.set_empty("This algorithm gives no uncertainties, so there are no correlations to show.")
            return
        self.set_empty("")
        self._image.setImage(self._matrix, autoLevels=False, levels=(-1.0, 1.0))
        self._image.setRect(-0.5, -0.5, n, n)
        ticks = [list(enumerate(self._names))]
        self.plot.getAxis("bottom").setTicks(ticks)
        self.plot.getAxis("left").setTicks(ticks)
        for row in range(n):
            for col in range(n):
                cell = pg.TextItem(f"{self._matrix[row, col]:+.{1 if n > MANY else 2}f}", anchor=(0.5, 0.5))
                cell.setFont(plot_font(8 if n > MANY else 9))
                cell.setPos(col, row)
                self.plot.addItem(cell, ignoreBounds=True)
                self._cells.append(cell)
        self.view.setRange(xRange=(-0.5, n - 0.5), yRange=(-0.5, n - 0.5), padding=0.0)
        self.set_detail(self.strong_pairs())
        self._repaint()

    def strong_pairs(self) -> str:
        """The pairs that the data can hardly tell apart, in words."""
        n = self._matrix.shape[0]
        pairs = [
            f"{self._names[i]} and {self._names[j]} ({self._matrix[i, j]:+.2f})"
            for i in range(n)
            for j in range(i + 1, n)
            if abs(self._matrix[i, j]) >= STRONG
        ]
        return "hard to tell apart: " + ", ".join(pairs) if pairs else "no pair is hard to tell apart"

    def table(self) -> export.Table:
        return export.Table(("", *self._names), tuple((n, *r) for n, r in zip(self._names, self._matrix.tolist(), strict=True)))

    def _repaint(self) -> None:
        colours = colour_map("diverging", self._palette)
        self._image.setColorMap(colours)
        values = self._matrix.reshape(-1)
        for cell, value in zip(self._cells, values, strict=True):
            strong_text = "#10151b" if self._palette.dark else "#ffffff"
            cell.setColor(strong_text if abs(value) > 0.7 else self._palette.text)
