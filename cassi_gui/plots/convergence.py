"""How one stage of a run closes in: every parameter over its steps with its uncertainty and bounds, and the residual.

Stages work with other iterations, priors and scales: what they reach is never drawn as one curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QGraphicsSimpleTextItem, QWidget

from cassi_core.parameters import PARAMETER_NAMES, SPECS, Parameter, ParameterSet
from cassi_core.quality.names import NAMES, screen_value
from cassi_core.run import IterationRow
from cassi_gui.plots import export
from cassi_gui.plots.axes import StepAxis, ValueAxis
from cassi_gui.plots.labels import NarrowLabel
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import LABEL_PT, number, pen, plot_font, translucent

WAITING = "Start a run to see how the parameters settle."
RUNNING = "The first step is on its way."
NOTHING_REFINED = "No parameter is refined: tick at least one."
RESIDUAL = "residual"
PLUS_MINUS = " \N{PLUS-MINUS SIGN}"
AXIS_WIDTH = 52
COLUMN_PX = 140
"""The narrowest column that has room for the ticks and a value with its error."""
MAX_COLUMNS = 4
WIDE_TITLE_PX = 200
"""Columns narrower than this have room for the value but not for its error, which the band shows anyway."""
WIDE_PLOT_PX, HIGH_PLOT_PX = 150, 90
"""Plots smaller than this have no room for words inside."""
MAX_POINTS = 2000
"""Longer tables are thinned on the screen (never in the CSV): more points than pixels only cost time."""
SHORT_UNIT = 3
"""Longer units (px/band) are left out of the heading of a narrow column; the tip and the table have them."""
PLOTS_AT_ONCE = 2
"""Small plots that one part of a drawing brings up to date."""
MANY_POINTS = 200
"""Beyond this the symbols touch each other and cost most of the drawing time."""

Values = NDArray[np.float64]


class _Trace:
    """One small plot: value, band of one sigma to either side, bounds, and the value that the whole run ended with."""

    def __init__(self, plot: pg.PlotItem, heading: NarrowLabel, name: str) -> None:
        self.plot, self.heading, self.name = plot, heading, name
        self.low, self.high = pg.PlotCurveItem(), pg.PlotCurveItem()
        self.band = pg.FillBetweenItem(self.low, self.high)
        self.line = pg.PlotDataItem(symbol="o", symbolSize=4)
        self.bounds = [pg.InfiniteLine(angle=0) for _ in range(2)]
        self.result = pg.InfiniteLine(angle=0)
        # Bounds are mostly far outside of what is shown: their numbers stand in the corner where there is room, and in the tip.
        self.bounds_text = QGraphicsSimpleTextItem(plot.getViewBox())
        plot.getViewBox().sigResized.connect(self._place_text)
        for item in (self.low, self.high, self.line):
            plot.addItem(item)
        # An empty band would pull zero into the range of the axis.
        for item in (self.band, *self.bounds, self.result):
            plot.addItem(item, ignoreBounds=True)
        self.low.setPen(None)
        self.high.setPen(None)
        self.result.hide()
        for line in self.bounds:
            line.setVisible(name != RESIDUAL)
        if name == RESIDUAL:
            plot.setToolTip("What this stage leaves unexplained over its steps; other stages measure it in another way")

    def _place_text(self) -> None:
        box = self.plot.getViewBox()
        self.bounds_text.setVisible(box.width() > WIDE_PLOT_PX and box.height() > HIGH_PLOT_PX)
        self.bounds_text.setPos(3, box.height() - self.bounds_text.boundingRect().height() - 1)

    def set_bounds(self, p: Parameter) -> None:
        factor, unit = NAMES[self.name].factor, NAMES[self.name].unit
        lower, upper = factor * p.lower, factor * p.upper
        for line, value in zip(self.bounds, (lower, upper), strict=True):
            line.setValue(value)
        words = f"\N{PLUS-MINUS SIGN}{upper:g}" if lower == -upper else f"{lower:g} \N{HORIZONTAL ELLIPSIS} {upper:g}"
        self.bounds_text.setText(f"bounds {words}")
        self.plot.setToolTip(
            f"{NAMES[self.name].words} ({self.name}) over the steps, bounds {words} {unit}".rstrip()
            + "; shaded: plus and minus one sigma"
        )
        self._place_text()

    def set_data(self, steps: Values, values: Values, sigmas: Values) -> None:
        self.line.setData(steps, values, symbol="o" if steps.size <= MANY_POINTS else None)
        known = np.isfinite(sigmas)
        self.low.setData(steps[known], (values - sigmas)[known])
        self.high.setData(steps[known], (values + sigmas)[known])


class ConvergencePanel(PlotPanel):
    """One small plot for each refined parameter and one for the residual, over the steps of one stage."""

    def __init__(
        self, name: str = "convergence", title: str = "Parameters over the steps", parent: QWidget | None = None
    ) -> None:
        super().__init__(name, title, parent)
        self._rows: list[IterationRow] = []
        self._parameters: ParameterSet | None = None
        self._only: tuple[str, ...] | None = None
        self._result: ParameterSet | None = None
        self._traces: dict[str, _Trace] = {}
        self._behind: list[str] = []
        """Plots that do not show the last rows yet, the one that has waited longest first."""
        self._of_another_stage: set[str] = set()
        """Plots that still hold nothing, or what another stage or run left there."""
        self._columns = 1
        self._waiting = WAITING
        self.graphics.setToolTip("Values over the steps of this stage; shaded: plus and minus one sigma")
        self.set_palette(self._palette)
        self.set_empty(WAITING)

    # -- data -----------------------------------------------------------------------------------------------------
    def set_parameters(self, parameters: ParameterSet, only: Sequence[str] | None = None) -> None:
        """Say which parameters are refined between which bounds (and that `only` these are shown); clears the rows."""
        self._waiting = WAITING
        self._parameters, self._result = parameters, None
        self._only = None if only is None else tuple(only)
        self.clear_rows()

    def clear_rows(self) -> None:
        """Forget the rows: another stage comes."""
        self._rows.clear()
        self._behind.clear()
        self._of_another_stage = set(self._shown)
        self._draw()

    def show_only(self, only: Sequence[str] | None) -> None:
        """Show these of the refined parameters only (None: all of them)."""
        self._only = None if only is None else tuple(only)

    def set_result(self, parameters: ParameterSet | None) -> None:
        """What the run ended with: headings then say that, and not where this stage stood."""
        self._result = parameters
        if self._rows:
            self._draw()

    def prepare(self) -> None:
        """Build the small plots when a run begins, instead of with its first rows (0.1 s)."""
        self._waiting = RUNNING
        self._draw()
        self._ensure_built()

    def add_rows(self, rows: Sequence[IterationRow]) -> None:
        """Append lines of the iteration table and redraw once."""
        if rows:
            self.take_rows(rows)
            self._draw()

    def take_rows(self, rows: Sequence[IterationRow]) -> None:
        """Append lines of the iteration table; :meth:`draw_part` shows them."""
        self._rows.extend(rows)
        # Those that wait keep their turn: rows that arrive faster than they are drawn must not keep the last plots from it.
        self._behind += [name for name in self._shown if name not in self._behind]

    def draw_part(self) -> bool:
        """Bring the next few small plots up to date, and say whether others are still behind: all at once take 60 ms."""
        if not self._rows or not self._behind:
            return False
        self._ensure_built()
        part, self._behind = self._behind[:PLOTS_AT_ONCE], self._behind[PLOTS_AT_ONCE:]
        self._draw_traces(part)
        if self.empty_text and not self._of_another_stage:
            self.set_empty("")
        return bool(self._behind)

    def set_rows(self, rows: Sequence[IterationRow]) -> None:
        """Replace the iteration table."""
        self._rows = list(rows)
        self._draw()

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters shown."""
        refined = () if self._parameters is None else self._parameters.refined
        return refined if self._only is None else tuple(n for n in refined if n in self._only)

    @property
    def _shown(self) -> tuple[str, ...]:
        return (*self.names, RESIDUAL) if self.names else ()

    def trace(self, name: str) -> tuple[Values, Values]:
        """Steps and values drawn for a parameter, or for the `residual`."""
        steps, values = self._traces[name].line.getData() if name in self._traces else (None, None)
        return (np.empty(0), np.empty(0)) if steps is None else (np.asarray(steps, float), np.asarray(values, float))

    def band(self, name: str) -> tuple[Values, Values]:
        """Lower and upper edge of the uncertainty band drawn for a parameter."""
        trace = self._traces[name]
        return np.asarray(trace.low.getData()[1], float), np.asarray(trace.high.getData()[1], float)

    def heading(self, name: str) -> str:
        """The line above a small plot, as text."""
        return str(self._traces[name].heading.item.toPlainText())

    def table(self) -> export.Table:
        header = ["stage", "step", "elapsed (s)", "score"]
        for name in PARAMETER_NAMES:
            unit = f" ({SPECS[name].unit})" if SPECS[name].unit else ""
            header += [f"{name}{unit}", f"sigma {name}{unit}"]
        return export.Table(tuple(header), tuple(_cells(row) for row in self._rows))

    # -- drawing --------------------------------------------------------------------------------------------------
    def _wanted_columns(self) -> int:
        count = max(1, len(self._shown))
        fitting = min(MAX_COLUMNS, max(1, int(self.graphics.width()) // COLUMN_PX))
        return math.ceil(count / math.ceil(count / fitting))

    def _ensure_built(self) -> None:
        if tuple(self._traces) != self._shown or self._columns != self._wanted_columns():
            self._build(self._shown)

    def _build(self, names: Sequence[str]) -> None:
        self.graphics.clear()
        self._plots.clear()
        self._traces.clear()
        columns = self._columns = self._wanted_columns()
        layout = self.graphics.ci.layout
        for row in range(layout.rowCount()):
            layout.setRowStretchFactor(row, 0)
        for index, name in enumerate(names):
            row, col = divmod(index, columns)
            # The plot first: a layout that for a moment holds nothing but a line of text shrinks to it, and stays small.
            plot = self._add_plot(2 * row + 1, col, axes={"bottom": StepAxis(), "left": ValueAxis()})
            plot.setMouseEnabled(x=False, y=True)
            plot.getAxis("left").setWidth(AXIS_WIDTH)
            plot.getAxis("left").enableAutoSIPrefix(False)
            # The steps are the same everywhere: they stand below the last row, and leave their room to the others.
            plot.getAxis("bottom").setStyle(showValues=index + columns >= len(names))
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
        self._draw_traces(self._shown)
        self.set_empty("")

    def _draw_traces(self, names: Sequence[str]) -> None:
        stride = max(1, len(self._rows) // MAX_POINTS)
        # The last row is always drawn: it is where the search stands.
        chosen = [self._rows[i] for i in (*range(0, len(self._rows) - 1, stride), len(self._rows) - 1)]
        steps = np.array([row.step for row in chosen], float)
        for name in names:
            trace = self._traces[name]
            trace.plot.setXRange(0, max(1.0, float(steps[-1])), padding=0.03)
            if name == RESIDUAL:
                trace.set_data(steps, np.array([row.score for row in chosen]), np.full(len(chosen), np.nan))
                text = f"<b>{RESIDUAL}</b> {number(self._rows[-1].score)}"
                trace.heading.setText(text, color=self._palette.text, size=f"{LABEL_PT}pt")
                continue
            column, factor = PARAMETER_NAMES.index(name), NAMES[name].factor
            values = factor * np.array([row.values[column] for row in chosen])
            sigmas = factor * np.array([_sigma(row, column) for row in chosen])
            if self._parameters is not None:
                trace.set_bounds(self._parameters[name])
            trace.set_data(steps, values, sigmas)
            trace.result.setVisible(self._result is not None)
            if self._result is not None:
                trace.result.setValue(factor * self._result[name].value)
            self._write_heading(trace, self._rows[-1].values[column], _sigma(self._rows[-1], column))
        self._of_another_stage.difference_update(names)

    def _write_heading(self, trace: _Trace, value: float, sigma: float) -> None:
        """Where the stage stands; of a run that has ended what it found, so that one value has one answer everywhere."""
        error: float | None = sigma if math.isfinite(sigma) else None
        if self._result is not None:
            value, error = self._result[trace.name].value, self._result[trace.name].sigma
        wide = self._column_width() > WIDE_TITLE_PX
        unit = NAMES[trace.name].unit
        words = screen_value(Parameter(trace.name, value, value, value, sigma=error))
        # A narrow column leaves the error to the band, but keeps the decimals that it gives the value.
        text = f"<b>{trace.name}</b> {words if wide else words.partition(PLUS_MINUS)[0]}"
        if wide or len(unit) <= SHORT_UNIT:
            text = f"{text} {unit}"
        if self._parameters is not None and replace(self._parameters[trace.name], value=value).at_bound:
            text += f" <span style='color:{self._palette.bad}'>\N{WARNING SIGN} bound</span>"
        trace.heading.setText(text, color=self._palette.text, size=f"{LABEL_PT}pt")

    def _column_width(self) -> float:
        return float(self.graphics.width()) / max(1, self._columns)

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
            index = PARAMETER_NAMES.index(name) if name in PARAMETER_NAMES else 3
            colour = p.series[index % len(p.series)]
            trace.line.setPen(pen(colour, 1.8))
            trace.line.setSymbolBrush(colour)
            trace.line.setSymbolPen(None)
            trace.band.setBrush(translucent(colour, 60))
            trace.result.setPen(pen(p.text, 1.2, Qt.PenStyle.DotLine))
            for line in trace.bounds:
                line.setPen(pen(p.bad, 1.2, Qt.PenStyle.DashLine))
            trace.bounds_text.setFont(plot_font())
            trace.bounds_text.setBrush(QColor(p.muted))


def _sigma(row: IterationRow, column: int) -> float:
    if row.sigmas is None or column >= len(row.sigmas):
        return math.nan
    sigma = row.sigmas[column]
    return math.nan if sigma is None else float(sigma)


def _cells(row: IterationRow) -> tuple[object, ...]:
    cells: list[object] = [row.stage, row.step, row.elapsed_s, row.score]
    for column, value in enumerate(row.values):
        sigma = _sigma(row, column)
        cells += [value, None if math.isnan(sigma) else sigma]
    return tuple(cells)
