"""The live half of the Run page: takes a run's events, draws one plot after the other, and only what is seen and has content."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent

from cassi_core.parameters import ParameterSet
from cassi_core.quality.display import mean_spectrum, spectrum_at
from cassi_core.result import CalibrationResult
from cassi_core.run import Event, GridScores, Preview
from cassi_gui.pages.run_layout import RunLayout
from cassi_gui.plots.grid_blocks import map_axes
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.spectrum import WHOLE_SCENE, Spectrum
from cassi_gui.run.stages import Stage, StageBook
from cassi_gui.style.theme import Palette

DRAW_INTERVAL_MS = 100
"""One plot a tick, and not more often: all of them in one tick kept the window from answering for 60 to 110 ms of processor time."""
DRAW_SHARE = 0.05
"""Share of the time that may go into preparing plots, painting them takes as much again: the run has the same cores."""
LONGEST_INTERVAL_MS = 600

Point = tuple[int, int, str, int]


class RunPlots(RunLayout):
    """Plots of the run that goes on, or of a finished one: of the stage that is chosen, the running one until a person chooses.

    Signals: `export_requested` (PlotExport), `point_picked` (row, col), `cursor_text`, `told` when the stages moved on, and
    `colour_wanted` with a cube whose pseudo-colour is to be computed and brought to :meth:`show_cube`.
    """

    point_picked = Signal(object)
    cursor_text = Signal(str)
    colour_wanted = Signal(object)
    told = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.book = StageBook()
        self._picked = ""
        self._drawn_stage, self._drawn_rows = "", 0
        self._grids: list[GridScores] = []
        self._preview: Preview | None = None
        self._result: ParameterSet | None = None
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
        self.view_changed.connect(self._draw_soon)

    # -- a run ------------------------------------------------------------------------------------------------------
    @property
    def wavelengths_nm(self) -> NDArray[np.float64] | None:
        """Those of the run on show."""
        return self._nm

    @property
    def stage(self) -> str:
        """Name of the stage whose plots are on show: the chosen one, else the running or the last that has any."""
        if self._picked and self.book.stage(self._picked) is not None:
            return self._picked
        # A single line of the table, as the proof has one, is no course.
        told = [s for s in self.book.stages if s.grid is not None or len(s.curve) > 1]
        running = self.book.stage(self.book.running)
        return running.name if running in told and running is not None else told[-1].name if told else ""

    @Slot(str)
    def choose_stage(self, name: str) -> None:
        """Show the plots of a stage; choosing the running one follows the run again."""
        self._picked = "" if name == self.book.running else name
        self._due.update({self.grid: None, self.convergence: None})
        self._arrange()
        self.flush()
        self.told.emit()

    def begin(self, parameters: ParameterSet, wavelengths_nm: NDArray[np.float64] | None, *, running: bool = False) -> None:
        """Forget the last run: nothing of it may be taken for the new one, which is `running` or still to come."""
        self._restart(StageBook(parameters), parameters, wavelengths_nm, running=running)
        self.convergence.set_parameters(parameters)
        if running:
            self.convergence.prepare()
        self.show_cube(None, None)
        self.flush()
        self.told.emit()

    def _restart(
        self, book: StageBook, parameters: ParameterSet, wavelengths_nm: NDArray[np.float64] | None, *, running: bool
    ) -> None:
        self.book, self._picked = book, ""
        self._due.clear()
        self._drawn_stage, self._drawn_rows = "", 0
        self._grids.clear()
        self._preview = self._result = None
        self._parameters, self._nm = parameters, wavelengths_nm
        self.grid.clear()
        self.set_running(running)

    def take(self, events: Sequence[Event]) -> None:
        """Take events of a run; they are drawn soon, if anybody looks."""
        self.book.take(events)
        for event in events:
            if isinstance(event, Preview):
                self._preview = event
            elif isinstance(event, GridScores):
                self._grids.append(event)
                self._due[self.grid] = None
        stage = self.book.stage(self.stage)
        if stage is not None and (stage.name != self._drawn_stage or len(stage.curve) != self._drawn_rows):
            self._due[self.convergence] = None
        self._arrange()
        self._draw_soon()
        self.told.emit()

    @Slot()
    def flush(self) -> None:
        """Draw everything that arrived."""
        self._ask_for_colour()
        while self._due:
            self._draw(next(iter(self._due)), whole=True)

    def show_result(self, result: CalibrationResult) -> None:
        """Show the record of a finished run; of one that was watched the plots stay, and say what the result says."""
        rows = [row for stage in self.book.stages for row in stage.rows]
        if tuple(rows) != result.table or self._parameters != result.start:
            self._restart(StageBook.of_result(result), result.start, result.dispersion.wavelengths_nm, running=False)
            self.convergence.set_parameters(result.start)
            self._grids = list(result.grids)
            self._due.update({self.grid: None, self.convergence: None})
            self.show_cube(None, None)
        self.set_running(False)
        if result.maps is not None:
            # Its own reconstruction comes next; the last preview must not come after it.
            self._preview = None
        self._result = result.parameters
        self.convergence.set_result(result.parameters)
        self._arrange()
        self._draw_soon()
        self.told.emit()

    def show_cube(self, cube: NDArray[np.float32] | None, colour: NDArray[np.uint8] | None) -> None:
        """Show a reconstruction with its pseudo-colour picture."""
        self._cube, self._colour = cube, colour
        self._due.update({self.cube: None, self.spectra: None})
        self._arrange()
        self._draw_soon()

    def set_points(self, points: Sequence[Point]) -> None:
        """Mark points (row, col, label, colour index) and show their spectra."""
        self._points = tuple(points)
        self.cube.set_points(self._points)
        self._draw_spectra()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        for panel in self.panels:
            panel.set_palette(palette)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.flush()

    # -- drawing --------------------------------------------------------------------------------------------------
    def _arrange(self) -> None:
        """Show the panels that have content: of a grid stage its map, of a fit one plot for each parameter."""
        stage = self.book.stage(self.stage)
        grid = stage is not None and stage.grid is not None
        # A single place is no curve.
        curves = stage is not None and len(stage.curve) > (1 if grid else 0)
        scene = self._cube is not None
        self.set_content({self.grid: grid, self.convergence: curves, self.cube: scene, self.spectra: scene})

    @Slot()
    def _draw_soon(self) -> None:
        if self.isVisible() and not self._timer.isActive() and (self._due or self._preview is not None):
            self._timer.start(self._interval_ms)

    @Slot()
    def _draw_next(self) -> None:
        """Draw the plot that has waited longest; plots that are not on show wait until they are."""
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
        if panel is self.convergence:
            unfinished = self._draw_curves()
            while unfinished and whole:
                unfinished = self.convergence.draw_part()
            if unfinished:
                self._due = {panel: None} | self._due
        elif panel is self.grid:
            grids, self._grids = self._grids, []
            for grid in grids:
                self.grid.show_grid(grid)
            self.grid.choose_stage(self.stage)
        elif panel is self.cube:
            self.cube.set_cube(self._cube, self._nm, self._colour)
        else:
            self._draw_spectra()
        panel.settle()

    def _draw_curves(self) -> bool:
        """Give the small plots what is new of the stage on show; True while some of them do not show it yet."""
        stage = self.book.stage(self.stage)
        if stage is None:
            return False
        if stage.name != self._drawn_stage:
            self._drawn_stage, self._drawn_rows = stage.name, 0
            self.convergence.show_only(None if stage.grid is None else _map_names(stage))
            self.convergence.clear_rows()
            self._name_curves(stage)
        rows = stage.curve[self._drawn_rows :]
        self._drawn_rows = len(stage.curve)
        if rows:
            self.convergence.take_rows(rows)
        return self.convergence.draw_part()

    def _name_curves(self, stage: Stage) -> None:
        number = self.book.number(stage.name)
        if stage.grid is None:
            self.convergence.set_title(f"Values in stage {number}")
            self.convergence.set_detail("over its steps")
        else:
            self.convergence.set_title(f"Best so far in stage {number}")
            self.convergence.set_detail("over the places tried")

    def _ask_for_colour(self) -> None:
        preview, self._preview = self._preview, None
        if preview is not None:
            self.colour_wanted.emit(preview.cube)

    def _draw_spectra(self) -> None:
        cube = self._cube
        if cube is None:
            self.spectra.set_spectra((), None, empty="Spectra appear here once there is a reconstruction.")
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


def _map_names(stage: Stage) -> tuple[str, ...]:
    """The parameters along the axes of a stage's map."""
    return () if stage.grid is None else tuple(name for name in map_axes(stage.grid.names) if name is not None)
