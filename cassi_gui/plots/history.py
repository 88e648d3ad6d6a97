"""The course of one parameter of a rig over its logbook entries, and where it is today."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from cassi_core.logbook.drift import Trend
from cassi_core.quality.names import NAMES
from cassi_gui.plots import export
from cassi_gui.plots.axes import ValueAxis
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import label_axis, pen

LATEST = 12
"""So many entries are shown: what happened lately is the question."""
AXIS_PX = 52


class HistoryPanel(PlotPanel):
    """Values of the latest entries in order, the limits of the rig, and today's value."""

    def __init__(self, name: str = "verify_history", parent: QWidget | None = None) -> None:
        super().__init__(name, "History", parent)
        self._trend: Trend | None = None
        self._parameter = ""
        self._today: tuple[float, float] = (0.0, 0.0)
        self._status = ""
        self._ticks = pg.AxisItem("bottom")
        self._plot = self._add_plot(0, 0, axes={"bottom": self._ticks, "left": ValueAxis()})
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.getAxis("left").setWidth(AXIS_PX)
        self._bars, self._points, self._now = pg.ErrorBarItem(beam=0.0), pg.ScatterPlotItem(size=7), pg.ScatterPlotItem(size=12)
        self._limits = [pg.InfiniteLine(angle=0), pg.InfiniteLine(angle=0)]
        for item in (self._bars, self._points, self._now):
            self._plot.addItem(item)
        for line in self._limits:
            self._plot.addItem(line, ignoreBounds=True)
        self.graphics.setToolTip(
            "A point an entry of the logbook, with one standard error to either side; the large one is today"
        )
        self.set_history(None, "dx", 0.0, 0.0, "")

    def set_history(self, trend: Trend | None, parameter: str, today: float, sigma: float, status: str) -> None:
        """Show the entries of a rig and today's value with its error; `trend` is None where the logbook has none of the parameter."""
        self._trend, self._parameter, self._status = trend, parameter, status
        name = NAMES[parameter]
        self._today = today * name.factor, sigma * name.factor
        if trend is None or not trend.points:
            self.set_title("History")
            self.set_empty("The logbook has no earlier values of this rig.")
            return
        self.set_empty("")
        self.set_title(f"{name.words} of {trend.rig}")
        shown = trend.points[-LATEST:]
        ids = [p.entry.id for p in shown]
        self.set_detail(f"entries {ids[0]} to {ids[-1]} and today" if len(ids) > 1 else f"entry {ids[0]} and today")
        self._draw()

    @property
    def values(self) -> tuple[float, ...]:
        """What is drawn, in the unit of the screen; today's value comes last."""
        if self._trend is None:
            return ()
        factor = NAMES[self._parameter].factor
        return (*(p.measured.value * factor for p in self._trend.points[-LATEST:]), self._today[0])

    def table(self) -> export.Table:
        labels = [] if self._trend is None else [str(p.entry.id) for p in self._trend.points[-LATEST:]]
        rows = tuple(zip((*labels, "today"), self.values, strict=True)) if labels else ()
        return export.Table(("entry", NAMES[self._parameter].words), rows)

    def _draw(self) -> None:
        if self._trend is None:
            return
        shown, name = self._trend.points[-LATEST:], NAMES[self._parameter]
        x = np.arange(len(shown), dtype=float)
        y = np.array([p.measured.value * name.factor for p in shown])
        sigma = np.array([(p.measured.sigma or 0.0) * name.factor for p in shown])
        now = float(len(shown))
        self._points.setData(x, y)
        self._now.setData([now], [self._today[0]])
        places, errors = np.append(y, self._today[0]), np.append(sigma, self._today[1])
        self._bars.setData(x=np.append(x, now), y=places, top=errors, bottom=errors)
        every = max(1, -(-len(shown) // 6))
        ticks = [(float(i), str(p.entry.id)) for i, p in enumerate(shown) if (len(shown) - 1 - i) % every == 0]
        self._ticks.setTicks([[*ticks, (now, "today")]])
        bounds = [v * name.factor for v in (self._trend.limit.lower, self._trend.limit.upper) if v is not None]
        for line, value in zip(self._limits, [*bounds, None, None], strict=False):
            line.setVisible(value is not None)
            if value is not None:
                line.setValue(value)
        reach = [*(places - errors), *(places + errors), *bounds]
        room = 0.15 * (max(reach) - min(reach)) or 0.1
        self._plot.setXRange(-0.4, now + 0.6, padding=0)
        self._plot.setYRange(min(reach) - room, max(reach) + room, padding=0)
        label_axis(self._plot, "left", name.unit, "", self._palette)
        self._colour()

    def _colour(self) -> None:
        p = self._palette
        self._points.setBrush(pg.mkBrush(p.series[0]))
        self._points.setPen(pen(p.series[0], 1.0))
        today = p.colour(self._status) if self._status else p.accent
        self._now.setBrush(pg.mkBrush(today))
        self._now.setPen(pen(today, 1.0))
        self._bars.setData(pen=pen(p.muted, 1.4))
        for line in self._limits:
            line.setPen(pen(p.warn, 1.3, Qt.PenStyle.DashLine))

    def _repaint(self) -> None:
        if self._trend is not None and not self.empty_text:
            self._draw()
