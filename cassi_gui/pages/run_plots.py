"""The live half of the Run page: takes a run's events, draws one plot after the other, and only what is seen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from cassi_core.parameters import ParameterSet
from cassi_core.quality.display import mean_spectrum, spectrum_at
from cassi_core.result import CalibrationResult
from cassi_core.run import Event, GridScores, IterationRow, Preview, RunStarted
from cassi_gui.plots.convergence import ConvergencePanel, ResidualPanel
from cassi_gui.plots.cube_view import CubeView
from cassi_gui.plots.grid_score import GridScorePanel
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.spectrum import WHOLE_SCENE, Spectrum, SpectrumPanel
from cassi_gui.style.theme import Palette
from cassi_gui.widgets.naming import tip_tabs
from cassi_gui.widgets.plot_mosaic import PlotMosaic

DRAW_INTERVAL_MS = 100
"""One plot a tick, and not more often: all of them in one tick kept the window from answering for 60 to 110 ms of processor time."""
DRAW_SHARE = 0.05
"""Share of the time that may go into preparing plots, painting them takes as much again: the run has the same cores."""
LONGEST_INTERVAL_MS = 600

Point = tuple[int, int, str, int]


class RunPlots(QWidget):
    """Score map, reconstruction, parameters, residual and spectra of the run that goes on (or of a finished one).

    Signals: `export_requested` (PlotExport), `point_picked` (row, col), `cursor_text`, and `colour_wanted` with a cube
    whose pseudo-colour is to be computed and brought to :meth:`set_colour`.
    """

    export_requested = Signal(object)
    point_picked = Signal(object)
    cursor_text = Signal(str)
    colour_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_plots")
        self.grid = GridScorePanel("run_grid", "Score map")
        self.cube = CubeView("run_cube", "Reconstruction")
        self.convergence = ConvergencePanel("run_convergence")
        self.residual = ResidualPanel("run_residual", "Residual")
        self.spectra = SpectrumPanel("run_spectra", "Spectra")
        self.curves = QTabWidget()
        self.curves.setObjectName("run_curves")
        self.curves.setAccessibleName("Residual and spectra")
        self.curves.setToolTip("The residual over the steps, and spectra at picked points")
        self.curves.addTab(self.residual, "Residual")
        self.curves.addTab(self.spectra, "Spectra")
        tip_tabs(self.curves, ("What the model does not explain, over the steps", "Spectra at the picked points"))
        self.mosaic = PlotMosaic("run_mosaic", ((self.convergence, self.cube), (self.grid, self.curves)))
        for panel in self.panels:
            self.mosaic.watch(panel, self.curves if panel in (self.residual, self.spectra) else None)
            panel.export_requested.connect(self.export_requested)
            panel.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.mosaic)
        self._rows: list[IterationRow] = []
        self._drawn = {self.convergence: 0, self.residual: 0}
        """How many of the rows each of them has got."""
        self._grids: dict[str, GridScores] = {}
        self._shown_grids: dict[str, GridScores] = {}
        self._preview: Preview | None = None
        self._parameters: ParameterSet | None = None
        self._due: dict[PlotPanel, None] = {}
        """Plots with something new, the one that has waited longest first."""
        self._cube: NDArray[np.float32] | None = None
        self._colour: NDArray[np.uint8] | None = None
        self._nm: NDArray[np.float64] | None = None
        self._points: tuple[Point, ...] = ()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._interval_ms = DRAW_INTERVAL_MS
        self._timer.timeout.connect(self._draw_next)
        self.cube.point_picked.connect(self.point_picked)
        self.cube.cursor_moved.connect(self._on_cursor)
        self.grid.cursor_text.connect(self.cursor_text)
        self.cube.band_changed.connect(self.spectra.set_band)

    @property
    def panels(self) -> tuple[Any, ...]:
        return (self.convergence, self.cube, self.grid, self.residual, self.spectra)

    # -- a run ------------------------------------------------------------------------------------------------------
    @property
    def wavelengths_nm(self) -> NDArray[np.float64] | None:
        """Those of the run on show."""
        return self._nm

    def begin(self, parameters: ParameterSet, wavelengths_nm: NDArray[np.float64] | None, *, running: bool = False) -> None:
        """Forget the last run: nothing of it may be taken for the new one, which is `running` or still to come."""
        self._rows.clear()
        self._due.clear()
        self._drawn = dict.fromkeys(self._drawn, 0)
        self._grids.clear()
        self._shown_grids.clear()
        self._preview = None
        self._parameters = parameters
        self._nm = wavelengths_nm
        self.grid.clear()
        self.residual.clear(running=running)
        self.convergence.set_parameters(parameters)
        if running:
            self.convergence.prepare()
        self.show_cube(None, None)
        self.flush()
        self.cube.set_waiting("The first reconstruction is on its way ...")

    def take(self, events: Sequence[Event]) -> None:
        """Take events of a run; they are drawn soon, if anybody looks."""
        for event in events:
            if isinstance(event, IterationRow):
                self._rows.append(event)
                self._due.update({self.convergence: None, self.residual: None})
            elif isinstance(event, GridScores):
                self._grids[event.stage] = event
                self._due[self.grid] = None
            elif isinstance(event, Preview):
                self._preview = event
            elif isinstance(event, RunStarted):
                self._label_stages(dict(event.stages))
        self._draw_soon()

    @Slot()
    def flush(self) -> None:
        """Draw everything that arrived."""
        self._ask_for_colour()
        while self._due:
            self._draw(next(iter(self._due)), whole=True)

    def show_result(self, result: CalibrationResult) -> None:
        """Show the record of a finished run; what has been drawn of it while it went on is left as it is."""
        if tuple(self._rows) != result.table or self._parameters != result.start:
            self.begin(result.start, result.dispersion.wavelengths_nm)
            self.take(result.table)
        if result.maps is not None:
            # Its own reconstruction comes next; the last preview must not come after it.
            self._preview = None
        self._label_stages({s.name: s.label for s in result.stages})
        self.take([g for g in result.grids if self._grids.get(g.stage, self._shown_grids.get(g.stage)) is not g])
        self.cube.set_waiting("The reconstruction of this run was not kept; run again to see it.")

    def show_cube(self, cube: NDArray[np.float32] | None, colour: NDArray[np.uint8] | None) -> None:
        """Show a reconstruction with its pseudo-colour picture."""
        self._cube, self._colour = cube, colour
        self._due.update({self.cube: None, self.spectra: None})
        self._draw_soon()

    def set_points(self, points: Sequence[Point]) -> None:
        """Mark points (row, col, label, colour index) and show their spectra."""
        self._points = tuple(points)
        self.cube.set_points(self._points)
        self._draw_spectra()

    def reset_layout(self) -> None:
        """All plots, evenly."""
        if self.mosaic.alone is not None:
            self.mosaic.toggle_alone(self.mosaic.alone)
        self.mosaic.even_out()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        for panel in self.panels:
            panel.set_palette(palette)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.flush()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and watched in self._due:
            self._draw_soon()
        return super().eventFilter(watched, event)

    # -- drawing --------------------------------------------------------------------------------------------------
    def _draw_soon(self) -> None:
        if self.isVisible() and not self._timer.isActive() and (self._due or self._preview is not None):
            self._timer.start(self._interval_ms)

    @Slot()
    def _draw_next(self) -> None:
        """Draw the plot that has waited longest; plots behind a tab or hidden by an enlarged one wait until they are shown."""
        self._ask_for_colour()
        seen = [panel for panel in self._due if panel.isVisible()]
        if seen:
            begin = time.perf_counter()
            self._draw(seen[0])
            took_ms = 1000 * (time.perf_counter() - begin)
            self._interval_ms = round(min(max(took_ms / DRAW_SHARE, DRAW_INTERVAL_MS), LONGEST_INTERVAL_MS))
        if len(seen) > 1 or (seen and seen[0] in self._due):
            self._timer.start(self._interval_ms)

    def _draw(self, panel: PlotPanel, *, whole: bool = False) -> None:
        """Draw a plot, or the next part of one that has many, which stays first in the queue until it is complete."""
        self._due.pop(panel, None)
        rows = self._new_rows(panel)
        if panel is self.convergence:
            if rows:
                self.convergence.take_rows(rows)
            unfinished = self.convergence.draw_part()
            while unfinished and whole:
                unfinished = self.convergence.draw_part()
            if unfinished:
                self._due = {panel: None} | self._due
        elif panel is self.residual:
            self.residual.add_rows(rows)
        elif panel is self.grid:
            grids, self._grids = self._grids, {}
            self._shown_grids.update(grids)
            for grid in grids.values():
                self.grid.show_grid(grid)
        elif panel is self.cube:
            self.cube.set_cube(self._cube, self._nm, self._colour)
        else:
            self._draw_spectra()
        panel.settle()

    def _new_rows(self, panel: PlotPanel) -> list[IterationRow]:
        drawn = self._drawn.get(panel)
        if drawn is None:
            return []
        self._drawn[panel] = len(self._rows)
        return self._rows[drawn:]

    def _ask_for_colour(self) -> None:
        preview, self._preview = self._preview, None
        if preview is not None:
            self.colour_wanted.emit(preview.cube)

    def _label_stages(self, labels: dict[str, str]) -> None:
        self.grid.set_stage_labels(labels)
        self.residual.set_stage_labels(labels)

    def _draw_spectra(self) -> None:
        cube = self._cube
        if cube is None:
            words = "Spectra appear here once there is a reconstruction."
            self.spectra.set_spectra((), None, empty=words)
            return
        _, height, width = cube.shape
        inside = [p for p in self._points if 0 <= p[0] < height and 0 <= p[1] < width]
        curves = [Spectrum(label, index, "after", spectrum_at(cube, row, col)) for row, col, label, index in inside]
        if not curves:
            curves = [Spectrum(WHOLE_SCENE, 0, "after", mean_spectrum(cube))]
        self.spectra.set_spectra(curves, self._nm)
        self.spectra.set_band(self.cube.band)

    @Slot(object)
    def _on_cursor(self, cursor: tuple[int, int, float] | None) -> None:
        self.cursor_text.emit("" if cursor is None else self.cube.value_text(cursor[0], cursor[1]))
