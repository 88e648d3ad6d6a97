"""Light along the dispersion axis, with the places where the train of bands should begin and end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Slot
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
        self._positions: NDArray[np.floating] = np.zeros(0)
        self.set_axes("pixel along the dispersion", "px", "light")
        self.graphics.scene().sigMouseMoved.connect(self._moved)
        self.graphics.setToolTip(
            "Light, or match of the mask, over the dispersion axis in px; lines mark where the band train begins and ends"
        )
        self.set_palette(self._palette)
        self.set_empty("The light along the dispersion axis appears here.")

    def set_axes(self, along: str, unit: str, level: str) -> None:
        """Name the axes."""
        self._names = (along, unit, level)
        label_axis(self.plot, "bottom", along, unit, self._palette)
        label_axis(self.plot, "left", level, "", self._palette)

    def set_profile(
        self,
        level: NDArray[np.floating] | None,
        marks: Sequence[Mark] = (),
        *,
        positions: NDArray[np.floating] | None = None,
        empty: str = "No measurement",
    ) -> None:
        """Show `level[i]` at `positions[i]` (pixel `i` by default), and marks (position, label, found)."""
        self._level, self._marks = level, tuple(marks)
        if level is None:
            self.set_empty(empty)
            return
        self._positions = np.arange(len(level), dtype=float) if positions is None else positions
        self._curve.setData(self._positions, level)
        self._draw_marks()
        self.set_empty("")

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self._marks

    def table(self) -> export.Table:
        if self._level is None:
            return export.Table((), ())
        along, unit, level = self._names
        rows = tuple((float(x), float(v)) for x, v in zip(self._positions, self._level, strict=True))
        return export.Table((f"{along} ({unit})", level), rows)

    def _repaint(self) -> None:
        self._curve.setPen(pen(self._palette.series[0], 1.5))
        self._draw_marks()

    def _draw_marks(self) -> None:
        for line in self._lines:
            self.plot.removeItem(line)
        self._lines.clear()
        for index, (position, text, found) in enumerate(self._marks):
            lower = index % 4 > 1
            colour = self._palette.series[1] if found else self._palette.muted
            style = Qt.PenStyle.SolidLine if found else Qt.PenStyle.DashLine
            options = {
                # Two heights, so that the words of neighbouring lines do not cover each other.
                "position": 0.5 if found or lower else 0.9,
                "color": self._palette.plot_foreground,
                "fill": translucent(self._palette.plot_background, 110),
            }
            line = pg.InfiniteLine(position, 90, pen=pen(colour, 1.5, style), label=text, labelOpts=options)
            line.label.setFont(plot_font())
            self.plot.addItem(line, ignoreBounds=True)
            self._lines.append(line)

    @Slot(object)
    def _moved(self, position: QPointF) -> None:
        if self._level is None:
            return
        x = self.plot.getViewBox().mapSceneToView(position).x()
        nearest = int(np.argmin(np.abs(self._positions - x)))
        inside = abs(float(self._positions[nearest]) - x) <= 1
        here, value = number(float(self._positions[nearest])), number(float(self._level[nearest]))
        self.set_detail(f"{here} {self._names[1]}: {value}" if inside else "")
