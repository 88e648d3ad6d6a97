"""How the parameters of a rig move over the months: a small plot each, with error bars, limits, and marks where it drifts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from cassi_core.logbook.drift import Trend, TrendPoint
from cassi_core.parameters import SPECS, format_value
from cassi_gui.plots import export
from cassi_gui.plots.labels import NarrowLabel
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import LABEL_PT, pen, plot_font

MIN_COLUMN_PX = 220
"""Below this width of a plot, one more row is better."""
AXIS_WIDTH = 52
DAY_S = 86_400.0
STEADY, DRIFT, FAILED = "o", "t1", "x"
LEGEND = "\u25cf steady   \u25b2 drift   \u00d7 verdict fail   \u2013 \u2013 limit   \u00b7 \u00b7 \u00b7 reference"
NEAR_PX = 24
"""A click or the mouse this close to a point means it."""


class _Plot:
    """One parameter: points with error bars, the rig's limits, what the next calibration is held against."""

    def __init__(self, plot: pg.PlotItem, heading: NarrowLabel, name: str) -> None:
        self.plot, self.heading, self.name = plot, heading, name
        self.line = pg.PlotCurveItem()
        self.bars = pg.ErrorBarItem(beam=0.0)
        self.points = pg.ScatterPlotItem(pxMode=True)
        self.chosen = pg.InfiniteLine(angle=90)
        self.reference = pg.InfiniteLine(angle=0)
        self.lower, self.upper = _labelled_line(0.04), _labelled_line(0.04)
        for item in (self.line, self.bars, self.points):
            plot.addItem(item)
        for line in (self.chosen, self.reference, self.lower, self.upper):
            plot.addItem(line, ignoreBounds=True)
            # Below the points: a text must not hide a calibration.
            line.setZValue(-10)
        self.chosen.hide()


class TrendPanel(PlotPanel):
    """The trends of one rig; a click on a point emits `entry_picked` with the number of its entry."""

    entry_picked = Signal(int)

    def __init__(self, name: str = "trend", title: str = "Trends", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._trends: tuple[Trend, ...] = ()
        self._shown: dict[str, _Plot] = {}
        self._columns = 0
        self._chosen: int | None = None
        self.graphics.setToolTip("A point a calibration, with one standard error to either side; click one to see its entry")
        self.graphics.scene().sigMouseMoved.connect(self._mouse_moved)
        self.graphics.scene().sigMouseClicked.connect(self._mouse_clicked)
        self.set_palette(self._palette)
        self.set_empty("Nothing to show yet.")

    def set_trends(self, trends: Sequence[Trend], *, empty: str = "") -> None:
        """Show the courses of parameters; `empty` says why there are none."""
        names = tuple(trend.parameter for trend in trends if trend.points)
        self._trends = tuple(trend for trend in trends if trend.points)
        if not self._trends:
            self.set_empty(empty or "No calibration fits.")
            return
        self.set_empty("")
        if tuple(self._shown) != names or self._columns != self._wanted_columns():
            self._build(names)
        else:
            self._draw()

    def choose(self, entry_id: int | None) -> None:
        """Mark the time of an entry in all plots."""
        self._chosen = entry_id
        self._mark_chosen()

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters shown."""
        return () if self.empty_text else tuple(self._shown)

    def heading(self, name: str) -> str:
        """The line above the plot of a parameter, as text."""
        return str(self._shown[name].heading.item.toPlainText())

    def symbols(self, name: str) -> list[str]:
        """Symbol of each point of a parameter, the oldest first."""
        return [str(s) for s in self._shown[name].points.data["symbol"]]

    def line_labels(self, name: str) -> list[str]:
        """Texts at the horizontal lines that are drawn for a parameter."""
        plot = self._shown[name]
        return [line.label.format for line in (plot.lower, plot.upper) if line.isVisible()]

    def place(self, name: str, entry_id: int) -> QPointF:
        """Where the point of an entry is drawn, in the coordinates of the scene."""
        point = next(p for p in self._trend(name).points if p.entry.id == entry_id)
        view: pg.ViewBox = self._shown[name].plot.getViewBox()
        return QPointF(view.mapViewToScene(QPointF(point.when.timestamp(), point.measured.value)))

    def table(self) -> export.Table:
        header = ("rig", "parameter", "unit", "entry", "calibrated (UTC)", "value", "sigma", "lower limit", "upper limit")
        rows = [
            (
                *(t.rig, t.parameter, SPECS[t.parameter].unit, p.entry.id, p.when.astimezone(UTC).isoformat()),
                *(p.measured.value, p.measured.sigma, t.limit.lower, t.limit.upper, p.judgement.change, p.judgement.in_sigmas),
                *(p.entry.verdict.status, "; ".join(p.judgement.reasons)),
            )
            for t in self._trends
            for p in t.points
        ]
        return export.Table((*header, "change", "change in sigmas", "verdict", "drift"), tuple(rows))

    # -- drawing --------------------------------------------------------------------------------------------------
    def _wanted_columns(self) -> int:
        fitting = max(1, int(self.graphics.width()) // MIN_COLUMN_PX)
        rows = math.ceil(len(self._trends) / fitting)
        return math.ceil(len(self._trends) / rows)

    def _build(self, names: Sequence[str]) -> None:
        self.graphics.clear()
        self._plots.clear()
        self._shown.clear()
        before, self._columns = self._columns, self._wanted_columns()
        for index, name in enumerate(names):
            row, col = divmod(index, self._columns)
            # The plot first: a layout that for a moment holds nothing but a line of text shrinks to it, and stays small.
            plot = self._add_plot(2 * row + 1, col, axes={"bottom": pg.DateAxisItem("bottom")})
            plot.setMouseEnabled(x=False, y=True)
            plot.getAxis("left").setWidth(AXIS_WIDTH)
            plot.setPreferredWidth(10)
            # Small parameters (1e-4) are written as they are, never scaled by an unnamed power of ten.
            plot.getAxis("left").enableAutoSIPrefix(False)
            heading = NarrowLabel()
            self.graphics.addItem(heading, 2 * row, col)
            self._shown[name] = _Plot(plot, heading, name)
        for col in range(max(before, self._columns)):
            self.graphics.ci.layout.setColumnStretchFactor(col, 1 if col < self._columns else 0)
        self.set_palette(self._palette)

    def _draw(self) -> None:
        times = [p.when.timestamp() for t in self._trends for p in t.points]
        first, last = min(times), max(times)
        margin = max(DAY_S, 0.04 * (last - first))
        for trend in self._trends:
            shown = self._shown[trend.parameter]
            when = np.array([p.when.timestamp() for p in trend.points])
            values = np.array([p.measured.value for p in trend.points])
            sigmas = np.array([p.measured.sigma or 0.0 for p in trend.points])
            shown.line.setData(when, values)
            shown.bars.setData(x=when, y=values, top=sigmas, bottom=sigmas)
            shown.points.setData(when, values, symbol=[_symbol(p) for p in trend.points], size=[_size(p) for p in trend.points])
            self._place_lines(shown, trend)
            self._set_range(shown, trend, (first - margin, last + margin))
            self._write_heading(shown, trend)
        self._mark_chosen()
        self.set_detail(LEGEND)
        self._colour()

    def _place_lines(self, shown: _Plot, trend: Trend) -> None:
        unit = SPECS[trend.parameter].unit
        for line, value, word in (
            (shown.lower, trend.limit.lower, "lower limit"),
            (shown.upper, trend.limit.upper, "upper limit"),
        ):
            line.setVisible(value is not None)
            if value is not None:
                line.setValue(value)
                line.label.setFormat(f"{word} {value:g} {unit}".rstrip())
        shown.reference.setVisible(trend.reference is not None)
        if trend.reference is not None:
            shown.reference.setValue(trend.reference.value)

    @staticmethod
    def _set_range(shown: _Plot, trend: Trend, days: tuple[float, float]) -> None:
        """All points with their error bars, and the limits: how far it is to them is what the plot is for."""
        reach = [p.measured.value + sign * (p.measured.sigma or 0.0) for p in trend.points for sign in (-1, 1)]
        reach += [value for value in (trend.limit.lower, trend.limit.upper) if value is not None]
        reach += [] if trend.reference is None else [trend.reference.value]
        low, high = min(reach), max(reach)
        room = 0.14 * (high - low) or SPECS[trend.parameter].step
        shown.plot.setXRange(*days, padding=0)
        shown.plot.setYRange(low - room, high + room, padding=0)

    def _write_heading(self, shown: _Plot, trend: Trend) -> None:
        spec, latest = SPECS[trend.parameter], trend.points[-1]
        wide = self.graphics.width() / max(1, self._columns) >= MIN_COLUMN_PX
        value = format_value(latest.measured.value, latest.measured.sigma if wide else None, spec.unit, spec.digits)
        text = f"<b>{trend.parameter}</b> {value}"
        if latest.judgement.drifts:
            text += f" <span style='color:{self._palette.bad}'>\N{WARNING SIGN} drift</span>"
        if trend.reference is not None:
            # Here and not at its line, which runs through the points.
            against = format_value(trend.reference.value, None, spec.unit, spec.digits)
            text += (
                f"<br><span style='color:{self._palette.muted}'>\u00b7 \u00b7 \u00b7 {_reference_word(trend)} {against}</span>"
            )
        shown.heading.setText(text, color=self._palette.text, size=f"{LABEL_PT}pt")

    def _mark_chosen(self) -> None:
        when = next((p.when for t in self._trends for p in t.points if p.entry.id == self._chosen), None)
        for shown in self._shown.values():
            shown.chosen.setVisible(when is not None)
            if when is not None:
                shown.chosen.setValue(when.timestamp())

    def _repaint(self) -> None:
        if self._trends:
            self._draw()

    def _colour(self) -> None:
        p = self._palette
        for trend in self._trends:
            shown, colour = self._shown[trend.parameter], p.series[0]
            shown.line.setPen(pen(p.muted, 1.0, alpha=110))
            shown.bars.setData(pen=pen(colour, 1.4))
            shown.points.setBrush([pg.mkBrush(p.bad if point.judgement.drifts else colour) for point in trend.points])
            shown.points.setPen([pen(p.bad if point.judgement.drifts else colour, 1.4) for point in trend.points])
            shown.chosen.setPen(pen(p.accent, 1.4, alpha=150))
            for line in (shown.lower, shown.upper):
                line.setPen(pen(p.bad, 1.3, Qt.PenStyle.DashLine))
                line.label.setColor(p.bad)
            shown.reference.setPen(pen(p.muted, 1.2, Qt.PenStyle.DotLine))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._trends:
            self.set_trends(self._trends)

    # -- pointing -------------------------------------------------------------------------------------------------
    def _trend(self, name: str) -> Trend:
        return next(t for t in self._trends if t.parameter == name)

    def _point_at(self, position: QPointF) -> tuple[str, TrendPoint] | None:
        """The point nearest to a place of the scene, if it is near."""
        for name, shown in self._shown.items():
            view = shown.plot.getViewBox()
            if not view.sceneBoundingRect().contains(position):
                continue
            places = [(view.mapViewToScene(QPointF(p.when.timestamp(), p.measured.value)), p) for p in self._trend(name).points]
            place, point = min(places, key=lambda pair: math.dist(pair[0].toTuple(), position.toTuple()))
            if math.dist(place.toTuple(), position.toTuple()) <= NEAR_PX:
                return name, point
        return None

    @Slot(object)
    def _mouse_moved(self, position: QPointF) -> None:
        found = self._point_at(position) if self.names else None
        self.set_detail(LEGEND if found is None else _words(*found))

    @Slot(object)
    def _mouse_clicked(self, event: object) -> None:
        found = self._point_at(event.scenePos()) if self.names else None  # type: ignore[attr-defined]
        if found is not None:
            self.entry_picked.emit(found[1].entry.id)


def _labelled_line(position: float) -> pg.InfiniteLine:
    # Its text stands on the side of the line where there is more of the plot.
    line = pg.InfiniteLine(angle=0, label="", labelOpts={"position": position, "anchors": [(0.0, 0.0), (0.0, 1.0)]})
    line.label.setFont(plot_font())
    return line


def _reference_word(trend: Trend) -> str:
    text = "" if trend.reference is None else trend.reference.text
    return "median" if "median" in text else "reference" if "reference" in text else "first"


def _symbol(point: TrendPoint) -> str:
    if point.entry.verdict.status == "fail":
        return FAILED
    return DRIFT if point.judgement.drifts else STEADY


def _size(point: TrendPoint) -> int:
    return 7 if _symbol(point) == STEADY else 11


def _words(name: str, point: TrendPoint) -> str:
    spec = SPECS[name]
    value = format_value(point.measured.value, point.measured.sigma, spec.unit, spec.digits)
    said = "; ".join(point.judgement.reasons)
    return f"entry {point.entry.id}, {_day(point.when)}: {said or f'{name} {value}'}"


def _day(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d}"
