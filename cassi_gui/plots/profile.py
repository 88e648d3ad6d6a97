"""Light along the dispersion axis, with the places where the train of bands should begin and end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from cassi_gui.plots import export
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import label_axis, number, pen, plot_font, translucent

Mark = tuple[float, str, bool]
"""Position in pixels, label, and whether it was found (solid) or is nominal (dashed)."""


class ProfilePlot(PlotPanel):
    """One curve over the pixels of the dispersion axis, with labelled vertical lines."""

    def __init__(self, name: str = "profile", title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self.plot = self._add_plot(0, 0)
        self._curve = pg.PlotDataItem()
        self.plot.addItem(self._curve)
        self._marks: tuple[Mark, ...] = ()
        self._lines: list[pg.InfiniteLine] = []
        self._level: NDArray[np.floating] | None = None
        label_axis(self.plot, "bottom", "pixel along the dispersion", "px", self._palette)
        label_axis(self.plot, "left", "light", "", self._palette)
        self.graphics.scene().sigMouseMoved.connect(self._moved)
        self.set_palette(self._palette)
        self.set_empty("The light along the dispersion axis appears here.")

    def set_profile(
        self, level: NDArray[np.floating] | None, marks: Sequence[Mark] = (), empty: str = "No measurement"
    ) -> None:
        """Show `level[i]` at pixel `i`, and marks (position, label, found)."""
        self._level, self._marks = level, tuple(marks)
        if level is None:
            self.set_empty(empty)
            return
        self._curve.setData(np.arange(len(level)), level)
        self._draw_marks()
        self.set_empty("")

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self._marks

    def table(self) -> export.Table:
        if self._level is None:
            return export.Table((), ())
        return export.Table(("pixel", "light"), tuple((i, float(v)) for i, v in enumerate(self._level)))

    def _repaint(self) -> None:
        self._curve.setPen(pen(self._palette.series[0], 1.5))
        self._draw_marks()

    def _draw_marks(self) -> None:
        from PySide6.QtCore import Qt

        for line in self._lines:
            self.plot.removeItem(line)
        self._lines.clear()
        for position, text, found in self._marks:
            colour = self._palette.series[1] if found else self._palette.muted
            style = Qt.PenStyle.SolidLine if found else Qt.PenStyle.DashLine
            options = {
                "position": 0.9,
                "color": self._palette.plot_foreground,
                "fill": translucent(self._palette.plot_background, 200),
            }
            line = pg.InfiniteLine(position, 90, pen=pen(colour, 1.5, style), label=text, labelOpts=options)
            line.label.setFont(plot_font())
            self.plot.addItem(line, ignoreBounds=True)
            self._lines.append(line)

    def _moved(self, position: object) -> None:
        if self._level is None:
            return
        x = round(self.plot.getViewBox().mapSceneToView(position).x())
        inside = 0 <= x < len(self._level)
        self.set_detail(f"pixel {x}: {number(float(self._level[x]))}" if inside else "")
