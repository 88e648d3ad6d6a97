"""The live half of the Run page: takes a run's events, draws a few times a second, and only while it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from cassi_core.parameters import ParameterSet
from cassi_core.quality.display import mean_spectrum, spectrum_at
from cassi_core.result import CalibrationResult
from cassi_core.run import Event, GridScores, IterationRow, Preview, RunStarted
from cassi_gui.plots.convergence import ConvergencePanel, ResidualPanel
from cassi_gui.plots.cube_view import CubeView
from cassi_gui.plots.grid_score import GridScorePanel
from cassi_gui.plots.spectrum import WHOLE_SCENE, Spectrum, SpectrumPanel
from cassi_gui.theme import Palette
from cassi_gui.widgets.plot_mosaic import PlotMosaic

DRAW_INTERVAL_MS = 200
"""Drawing at 5 Hz is read as live and leaves the cores to the run."""

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
        self.curves.addTab(self.residual, "Residual")
        self.curves.addTab(self.spectra, "Spectra")
        self.mosaic = PlotMosaic("run_mosaic", ((self.convergence, self.cube), (self.grid, self.curves)))
        for panel in self.panels:
            self.mosaic.watch(panel, self.curves if panel in (self.residual, self.spectra) else None)
            panel.export_requested.connect(self.export_requested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.mosaic)
        self._rows: list[IterationRow] = []
        self._grids: dict[str, GridScores] = {}
        self._preview: Preview | None = None
        self._cube: NDArray[np.float32] | None = None
        self._nm: NDArray[np.float64] | None = None
        self._points: tuple[Point, ...] = ()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DRAW_INTERVAL_MS)
        self._timer.timeout.connect(self.flush)
        self.cube.point_picked.connect(self.point_picked)
        self.cube.cursor_moved.connect(self._on_cursor)
        self.cube.band_changed.connect(self.spectra.set_band)

    @property
    def panels(self) -> tuple[Any, ...]:
        return (self.convergence, self.cube, self.grid, self.residual, self.spectra)

    # -- a run ------------------------------------------------------------------------------------------------------
    def begin(self, parameters: ParameterSet, wavelengths_nm: NDArray[np.float64] | None, *, running: bool = False) -> None:
        """Forget the last run: nothing of it may be taken for the new one, which is `running` or still to come."""
        self._rows.clear()
        self._grids.clear()
        self._preview = None
        self._nm = wavelengths_nm
        self.grid.clear()
        self.residual.clear(running=running)
        self.convergence.set_parameters(parameters)
        if running:
            self.convergence.prepare()
        self.show_cube(None, None)
        self.cube.set_waiting("The first reconstruction is on its way ...")

    def take(self, events: Sequence[Event]) -> None:
        """Take events of a run; they are drawn soon, if anybody looks."""
        for event in events:
            if isinstance(event, IterationRow):
                self._rows.append(event)
            elif isinstance(event, GridScores):
                self._grids[event.stage] = event
            elif isinstance(event, Preview):
                self._preview = event
            elif isinstance(event, RunStarted):
                labels = dict(event.stages)
                self.grid.set_stage_labels(labels)
                self.residual.set_stage_labels(labels)
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def flush(self) -> None:
        """Draw everything that arrived."""
        rows, self._rows = self._rows, []
        grids, self._grids = self._grids, {}
        preview, self._preview = self._preview, None
        self.convergence.add_rows(rows)
        self.residual.add_rows(rows)
        for grid in grids.values():
            self.grid.show_grid(grid)
        if preview is not None:
            self.colour_wanted.emit(preview.cube)

    def show_result(self, result: CalibrationResult) -> None:
        """Show the record of a finished run."""
        self.begin(result.start, result.dispersion.wavelengths_nm)
        labels = {s.name: s.label for s in result.stages}
        self.grid.set_stage_labels(labels)
        self.residual.set_stage_labels(labels)
        self.take((*result.table, *result.grids))
        self.flush()
        self.cube.set_waiting("The reconstruction of this run was not kept; run again to see it.")

    def show_cube(self, cube: NDArray[np.float32] | None, colour: NDArray[np.uint8] | None) -> None:
        """Show a reconstruction with its pseudo-colour picture."""
        self._cube = cube
        self.cube.set_cube(cube, self._nm, colour)
        self._draw_spectra()

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
