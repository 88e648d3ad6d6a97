"""How a run closes in: every refined parameter over the steps with its uncertainty and bounds, and the residual."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QGraphicsSimpleTextItem, QWidget

from cassi_core.parameters import PARAMETER_NAMES, SPECS, ParameterSet, format_value
from cassi_core.run import IterationRow
from cassi_gui.plots import export
from cassi_gui.plots.axes import PowerAxis, StepAxis, ValueAxis
from cassi_gui.plots.labels import NarrowLabel
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import LABEL_PT, SYMBOLS, label_axis, pen, plot_font, translucent

WAITING = "Start a run to see how the parameters settle."
RUNNING = "The first step of the fit is on its way; a grid search shows in the score map meanwhile."
NOTHING_REFINED = "No parameter is refined: tick at least one."
AXIS_WIDTH = 48
MAX_COLUMNS = 3
WIDE_TITLE_PX = 225
"""Columns narrower than this have room for the value but not for its error, which the band shows anyway."""
WIDE_PLOT_PX, HIGH_PLOT_PX = 150, 90
"""Plots smaller than this have no room for words inside."""
MAX_POINTS = 2000
"""Longer tables are thinned on the screen (never in the CSV): more points than pixels only cost time."""


SHORT_UNIT = 3
"""Longer units (px/band) are left out of the heading of a narrow column; the tip and the table have them."""
PLOTS_AT_ONCE = 2
"""Small plots that one part of a drawing brings up to date."""
MANY_BREAKS = 30
"""More borders between stages than this are a pattern, not a mark."""
MANY_POINTS = 200
"""Beyond this the symbols touch each other and cost most of the drawing time."""


class _Trace:
    """One small plot: value, band of one sigma to either side, bounds."""

    def __init__(self, plot: pg.PlotItem, heading: NarrowLabel, name: str) -> None:
        self.plot, self.heading, self.name = plot, heading, name
        self.low, self.high = pg.PlotCurveItem(), pg.PlotCurveItem()
        self.band = pg.FillBetweenItem(self.low, self.high)
        self.line = pg.PlotDataItem(symbol="o", symbolSize=4)
        self.bounds = [pg.InfiniteLine(angle=0) for _ in range(2)]
        # Bounds are mostly far outside of what is shown: their numbers stand in the corner where there is room, and in the tip.
        self.bounds_text = QGraphicsSimpleTextItem(plot.getViewBox())
        plot.getViewBox().sigResized.connect(self._place_text)
        self.breaks: list[pg.InfiniteLine] = []
        for item in (self.low, self.high, self.line):
            plot.addItem(item)
        # An empty band would pull zero into the range of the axis.
        plot.addItem(self.band, ignoreBounds=True)
        for bound in self.bounds:
            plot.addItem(bound, ignoreBounds=True)
        self.low.setPen(None)
        self.high.setPen(None)

    def _place_text(self) -> None:
        box = self.plot.getViewBox()
        self.bounds_text.setVisible(box.width() > WIDE_PLOT_PX and box.height() > HIGH_PLOT_PX)
        self.bounds_text.setPos(3, box.height() - self.bounds_text.boundingRect().height() - 1)

    def set_bounds(self, lower: float, upper: float) -> None:
        for line, value in zip(self.bounds, (lower, upper), strict=True):
            line.setValue(value)
        words = f"\N{PLUS-MINUS SIGN}{upper:g}" if lower == -upper else f"{lower:g} \N{HORIZONTAL ELLIPSIS} {upper:g}"
        unit = SPECS[self.name].unit
        self.bounds_text.setText(f"bounds {words}")
        self.plot.setToolTip(
            f"{self.name} over the steps, bounds {words} {unit}".rstrip() + "; shaded: plus and minus one sigma"
        )
        self._place_text()

    def set_data(self, steps: np.ndarray, values: np.ndarray, sigmas: np.ndarray) -> None:
        self.line.setData(steps, values, symbol="o" if steps.size <= MANY_POINTS else None)
        known = np.isfinite(sigmas)
        self.low.setData(steps[known], (values - sigmas)[known])
        self.high.setData(steps[known], (values + sigmas)[known])


class ConvergencePanel(PlotPanel):
    """One small plot for each refined parameter."""

    def __init__(
        self, name: str = "convergence", title: str = "Parameters over the steps", parent: QWidget | None = None
    ) -> None:
        super().__init__(name, title, parent)
        self._rows: list[IterationRow] = []
        self._parameters: ParameterSet | None = None
        self._traces: dict[str, _Trace] = {}
        self._behind: list[str] = []
        """Parameters whose plots do not show the last rows yet, the one that has waited longest first."""
        self._of_another_run: set[str] = set()
        """Parameters whose plots still hold nothing, or what the run before left there."""
        self._columns = 1
        self._waiting = WAITING
        self.graphics.setToolTip("Value of each refined parameter over the steps; shaded: plus and minus one sigma")
        self.set_palette(self._palette)
        self.set_empty(WAITING)

    def set_parameters(self, parameters: ParameterSet) -> None:
        """Say which parameters are refined and between which bounds; clears the rows."""
        self._rows.clear()
        self._behind.clear()
        self._waiting = WAITING
        self._parameters = parameters
        self._of_another_run = set(self.names)
        self._draw()

    def prepare(self) -> None:
        """Build the small plots when a run begins, instead of with its first rows (0.1 s)."""
        self._waiting = RUNNING
        self._draw()
        self._ensure_built()

    def _ensure_built(self) -> None:
        if tuple(self._traces) != self.names:
            self._build(self.names)

    def add_rows(self, rows: Sequence[IterationRow]) -> None:
        """Append lines of the iteration table and redraw once."""
        if rows:
            self.take_rows(rows)
            self._draw()

    def take_rows(self, rows: Sequence[IterationRow]) -> None:
        """Append lines of the iteration table; :meth:`draw_part` shows them."""
        self._rows.extend(rows)
        # Those that wait keep their turn: rows that arrive faster than they are drawn must not keep the last plots from it.
        self._behind += [name for name in self.names if name not in self._behind]

    def draw_part(self) -> bool:
        """Bring the next few small plots up to date, and say whether others are still behind: all at once take 60 ms."""
        if not self._rows or not self._behind:
            return False
        self._ensure_built()
        part, self._behind = self._behind[:PLOTS_AT_ONCE], self._behind[PLOTS_AT_ONCE:]
        self._draw_traces(part)
        if self.empty_text and not self._of_another_run:
            self.set_empty("")
        return bool(self._behind)

    def set_rows(self, rows: Sequence[IterationRow]) -> None:
        """Replace the iteration table."""
        self._rows = list(rows)
        self._draw()

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters shown."""
        return () if self._parameters is None else self._parameters.refined

    def trace(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values drawn for a parameter."""
        steps, values = self._traces[name].line.getData() if name in self._traces else (None, None)
        return (np.empty(0), np.empty(0)) if steps is None else (steps, values)

    def band(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper edge of the uncertainty band drawn for a parameter."""
        return self._traces[name].low.getData()[1], self._traces[name].high.getData()[1]

    def table(self) -> export.Table:
        header = ["stage", "step", "elapsed (s)", "score"]
        for name in PARAMETER_NAMES:
            unit = f" ({SPECS[name].unit})" if SPECS[name].unit else ""
            header += [f"{name}{unit}", f"sigma {name}{unit}"]
        return export.Table(tuple(header), tuple(_cells(row) for row in self._rows))

    # -- drawing --------------------------------------------------------------------------------------------------
    def _build(self, names: Sequence[str]) -> None:
        self.graphics.clear()
        self._plots.clear()
        self._traces.clear()
        columns = self._columns = 1 if len(names) < 2 else 2 if len(names) in (2, 4) else MAX_COLUMNS
        layout = self.graphics.ci.layout
        for index, name in enumerate(names):
            row, col = divmod(index, columns)
            # The plot first: a layout that for a moment holds nothing but a line of text shrinks to it, and stays small.
            plot = self._add_plot(2 * row + 1, col, axes={"bottom": StepAxis(), "left": ValueAxis()})
            plot.setMouseEnabled(x=False, y=True)
            plot.getAxis("left").setWidth(AXIS_WIDTH)
            # The steps are the same everywhere: they stand below the last row, and leave their room to the others.
            plot.getAxis("bottom").setStyle(showValues=row == (len(names) - 1) // columns)
            heading = NarrowLabel()
            self.graphics.addItem(heading, 2 * row, col)
            self._traces[name] = _Trace(plot, heading, name)
            plot.getViewBox().setDefaultPadding(0.06)
            # Equal columns and rows whatever the titles say: a long number must not push its neighbour out of the window.
            plot.setPreferredSize(10, 10)
            layout.setRowStretchFactor(2 * row + 1, 1)
        layout.setVerticalSpacing(2)
        for col in range(MAX_COLUMNS):
            layout.setColumnStretchFactor(col, 1 if col < columns else 0)
        self._colour_traces()

    def _draw(self) -> None:
        if not self._rows or not self.names:
            self.set_empty(self._waiting if self.names or self._parameters is None else NOTHING_REFINED)
            return
        self._ensure_built()
        self._behind.clear()
        self._draw_traces(self.names)
        self.set_empty("")

    def _draw_traces(self, names: Sequence[str]) -> None:
        stride = max(1, len(self._rows) // MAX_POINTS)
        # The last row is always drawn: it is where the search stands.
        chosen = [*range(0, len(self._rows) - 1, stride), len(self._rows) - 1]
        steps = np.array(chosen, float)
        breaks = [i for i in range(1, len(self._rows)) if self._rows[i].stage != self._rows[i - 1].stage][:MANY_BREAKS]
        for name in names:
            trace, column = self._traces[name], PARAMETER_NAMES.index(name)
            values = np.array([self._rows[i].values[column] for i in chosen])
            sigmas = np.array([_sigma(self._rows[i], column) for i in chosen])
            trace.plot.setXRange(0, max(1, len(self._rows) - 1), padding=0.04)
            if self._parameters is not None:
                trace.set_bounds(self._parameters[name].lower, self._parameters[name].upper)
            trace.set_data(steps, values, sigmas)
            self._mark_breaks(trace, breaks)
            self._title_of(trace, float(values[-1]), _sigma(self._rows[-1], column))
        self._of_another_run.difference_update(names)

    def _mark_breaks(self, trace: _Trace, breaks: Sequence[int]) -> None:
        while len(trace.breaks) < len(breaks):
            line = pg.InfiniteLine(angle=90, pen=pen(self._palette.muted, 1.0, Qt.PenStyle.DotLine))
            trace.plot.addItem(line, ignoreBounds=True)
            trace.breaks.append(line)
        for line, at in itertools.zip_longest(trace.breaks, breaks):
            line.setVisible(at is not None)
            if at is not None:
                line.setValue(at - 0.5)

    def _title_of(self, trace: _Trace, value: float, sigma: float) -> None:
        spec = SPECS[trace.name]
        wide = self._column_width() > WIDE_TITLE_PX
        known = sigma if math.isfinite(sigma) and wide else None
        unit = spec.unit if wide or len(spec.unit) <= SHORT_UNIT else ""
        text = f"<b>{trace.name}</b> {format_value(value, known, unit, spec.digits)}"
        if self._parameters is not None and replace(self._parameters[trace.name], value=value).at_bound:
            text += f" <span style='color:{self._palette.bad}'>\N{WARNING SIGN} bound</span>"
        trace.heading.setText(text, color=self._palette.text, size=f"{LABEL_PT}pt")

    def _column_width(self) -> float:
        return self.graphics.width() / max(1, self._columns)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._rows and self._traces:
            self._draw()

    def _repaint(self) -> None:
        self._colour_traces()
        if self._rows and self._traces:
            self._draw()

    def _colour_traces(self) -> None:
        p = self._palette
        for name, trace in self._traces.items():
            colour = p.series[PARAMETER_NAMES.index(name) % len(p.series)]
            trace.line.setPen(pen(colour, 1.8))
            trace.line.setSymbolBrush(colour)
            trace.line.setSymbolPen(None)
            trace.band.setBrush(translucent(colour, 60))
            for line in trace.bounds:
                line.setPen(pen(p.bad, 1.2, Qt.PenStyle.DashLine))
            trace.bounds_text.setFont(plot_font())
            trace.bounds_text.setBrush(QColor(p.muted))
            for line in trace.breaks:
                line.setPen(pen(p.muted, 1.0, Qt.PenStyle.DotLine))


class ResidualPanel(PlotPanel):
    """Score over the steps, one curve a stage: stages score with different priors, so only the course within one counts."""

    def __init__(self, name: str = "residual", title: str = "Residual", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._rows: list[IterationRow] = []
        self._labels: dict[str, str] = {}
        self._curves: dict[str, tuple[pg.PlotDataItem, pg.TextItem]] = {}
        self.plot = self._add_plot(0, 0, axes={"left": PowerAxis("left", logarithmic=True), "bottom": StepAxis()})
        label_axis(self.plot, "bottom", "step", "", self._palette)
        label_axis(self.plot, "left", "unexplained share", "log", self._palette)
        self.plot.getViewBox().setDefaultPadding(0.18)
        self.plot.getViewBox().sigTransformChanged.connect(self._keep_names_inside)
        self.graphics.setToolTip(
            "What the model does not explain of the picture over the steps, logarithmic, one curve a stage: the relative data residual of searches, "
            "the error with which a fit by likelihood predicts pixels. Curves of different stages are not comparable"
        )
        self.set_palette(self._palette)
        self.set_empty("Start a run to see the residual fall.")

    def set_stage_labels(self, labels: dict[str, str]) -> None:
        """Words for the stages' names."""
        self._labels = dict(labels)

    def clear(self, *, running: bool = False) -> None:
        """Forget the rows; `running` says that new ones are on their way."""
        self._rows.clear()
        for curve, text in self._curves.values():
            self.plot.removeItem(curve)
            self.plot.removeItem(text)
        self._curves.clear()
        self.set_empty(RUNNING if running else "Start a run to see the residual fall.")

    def add_rows(self, rows: Sequence[IterationRow]) -> None:
        """Append lines of the iteration table and redraw once."""
        if rows:
            self._rows.extend(rows)
            self._draw()

    def table(self) -> export.Table:
        return export.Table(
            ("stage", "step", "elapsed (s)", "score"), tuple((r.stage, r.step, r.elapsed_s, r.score) for r in self._rows)
        )

    def curve(self, stage: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps and scores drawn for a stage."""
        steps, exponents = self._curves[stage][0].getData()
        return steps, 10.0**exponents

    def name_of(self, stage: str) -> QRectF:
        """Where the name of a stage stands, in pixels of the plot."""
        text = self._curves[stage][1]
        return text.mapRectToScene(text.boundingRect())

    def _draw(self) -> None:
        self.set_empty("")
        for stage in dict.fromkeys(r.stage for r in self._rows):
            points = [(i, r.score) for i, r in enumerate(self._rows) if r.stage == stage and r.score > 0]
            points = points[:: max(1, len(points) // MAX_POINTS)]
            if not points:
                continue
            if stage not in self._curves:
                self._add_curve(stage)
            curve, text = self._curves[stage]
            steps, scores = np.array(points, float).T
            curve.setData(steps, np.log10(scores))
            text.setPos(float(steps[0]), math.log10(float(scores[0])))
        self._keep_names_inside()
        self.set_detail(f"now {self._rows[-1].score:.4g}")

    def _keep_names_inside(self) -> None:
        """A stage's name starts above its first point, and is moved to the left as far as it would leave the plot."""
        box = self.plot.getViewBox()
        box.updateAutoRange()
        for _, text in self._curves.values():
            width = text.boundingRect().width()
            over = box.mapViewToScene(text.pos()).x() + width - box.sceneBoundingRect().right()
            text.setAnchor((min(max(over / width, 0.0), 1.0), 1.1))

    def _add_curve(self, stage: str) -> None:
        index = len(self._curves)
        curve = pg.PlotDataItem(symbol=SYMBOLS[index % len(SYMBOLS)], symbolSize=6)
        text = pg.TextItem(self._labels.get(stage, stage), anchor=(0.0, 1.1))
        text.setFont(plot_font())
        self.plot.addItem(curve)
        self.plot.addItem(text, ignoreBounds=True)
        self._curves[stage] = (curve, text)
        self._repaint()

    def _repaint(self) -> None:
        series = self._palette.series
        for index, (curve, text) in enumerate(self._curves.values()):
            colour = series[index % len(series)]
            curve.setPen(pen(colour, 1.8))
            curve.setSymbolBrush(colour)
            curve.setSymbolPen(None)
            text.setColor(colour)


def _sigma(row: IterationRow, column: int) -> float:
    if row.sigmas is None or column >= len(row.sigmas) or row.sigmas[column] is None:
        return math.nan
    return float(row.sigmas[column] or 0.0)


def _cells(row: IterationRow) -> tuple[object, ...]:
    cells: list[object] = [row.stage, row.step, row.elapsed_s, row.score]
    for column, value in enumerate(row.values):
        sigma = _sigma(row, column)
        cells += [value, None if math.isnan(sigma) else sigma]
    return tuple(cells)
