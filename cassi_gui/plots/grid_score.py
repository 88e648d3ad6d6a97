"""Score map of a grid search: dx by dy with a slider for every further axis, bright where the mask fits best.

Finer grids are drawn inside the coarse one at their true places, each with its frame; the coarse one is pale then, because its scores
come from fewer iterations and have a scale of their own.
"""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QWidget

from cassi_core.run import GridScores
from cassi_gui.plots import export
from cassi_gui.plots.colour_bar import ColourBar
from cassi_gui.plots.grid_blocks import StageGrids, lowest, map_axes, same_points, slice_at, spacing
from cassi_gui.plots.grid_inset import Inset, cells_of, unit_of, worded
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import colour_map, label_axis, number, pen
from cassi_gui.style.theme import HALF_SPACE

WAITING = "The score map appears here while a grid stage runs: bright where the mask fits best."
WORDS = {"dx": "shift right dx", "dy": "shift down dy", "theta": "turn theta"}
PALE = 0.45
"""Opacity of the coarse grid behind finer ones."""


class GridScorePanel(PlotPanel):
    """Shows the grids of the stage that is chosen; the newest stage until one is."""

    cursor_text = Signal(str)
    """The grid point under the cursor in words."""

    def __init__(
        self, name: str = "grid_score", title: str = "How well each place fits", parent: QWidget | None = None
    ) -> None:
        super().__init__(name, title, parent)
        self._stages: dict[str, StageGrids] = {}
        self._shown = ""
        self._fitted: GridScores | None = None
        """The grid that the axes were last fitted to."""
        self._further: dict[str, float] = {}
        """Value of each axis beyond the map's two that is on show."""
        self._wants_log: bool | None = None
        """What a person chose; None: logarithmic for residuals, linear for the heights of a correlation."""
        self.plot = self._add_plot(0, 0, grid=False)
        self.view: pg.ViewBox = self.plot.getViewBox()
        self.view.setDefaultPadding(0.0)
        self.bar = ColourBar()
        self.graphics.addItem(self.bar, 0, 1)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._curve = pg.PlotDataItem(symbol="o", symbolSize=6)
        self._insets: list[Inset] = []
        self._halo = pg.ScatterPlotItem(symbol="o", size=18, brush=None)
        self._best = pg.ScatterPlotItem(symbol="o", size=18, brush=None)
        self._halo.setZValue(5)
        self._best.setZValue(6)
        for item in (self._image, self._curve, self._halo, self._best):
            self.plot.addItem(item, ignoreBounds=item in (self._halo, self._best))
        self._build_controls(name)
        self.graphics.scene().sigMouseMoved.connect(self._mouse_moved)
        self.graphics.setToolTip(
            "How well each place of the mask fits: the brightest is the best. The ring marks the best so far, and is seen only on "
            "the slice that holds it. Frames are finer grids; the coarse grid around them is pale and has a scale of its own"
        )
        self.set_palette(self._palette)
        self.set_empty(WAITING)

    def _build_controls(self, name: str) -> None:
        self.follow_box = QCheckBox("Follow best")
        self.follow_box.setObjectName(f"{name}_follow")
        self.follow_box.setToolTip("Always show the slice that holds the best point so far")
        self.follow_box.setChecked(True)
        self.follow_box.toggled.connect(self._follow_toggled)
        self.log_box = QCheckBox("Log scale")
        self.log_box.setObjectName(f"{name}_log")
        self.log_box.setToolTip("Colours by the logarithm of the score; correlations below the noise (1) then look alike")
        self.log_box.clicked.connect(self._log_clicked)
        self._slices = QHBoxLayout()
        self._slices.setSpacing(HALF_SPACE)
        self._slices_holder = QWidget()
        self._slices_holder.setLayout(self._slices)
        self._slices.setContentsMargins(0, 0, 0, 0)
        self._sliders: dict[str, tuple[QSlider, QLabel]] = {}
        self._slices.addStretch(1)
        self._slices.addWidget(self.log_box)
        self._slices.addWidget(self.follow_box)
        self.below.addWidget(self._slices_holder)
        self._slices_holder.hide()

    # -- data -----------------------------------------------------------------------------------------------------
    def clear(self) -> None:
        """Forget all grids."""
        self._stages.clear()
        self._shown, self._fitted = "", None
        self._further.clear()
        self._drop_insets()
        self.follow_box.setChecked(True)
        self._slices_holder.hide()
        self.set_detail("")
        self.set_empty(WAITING)

    def show_grid(self, grid: GridScores) -> None:
        """Take a new state of a grid; its stage is shown unless another one was chosen."""
        newest = not self._stages or self._shown == next(reversed(self._stages))
        self._stages.setdefault(grid.stage, StageGrids()).take(grid)
        if newest:
            self._shown = grid.stage
        if self._shown == grid.stage:
            self._show()

    def choose_stage(self, stage: str) -> None:
        """Show the grids of a stage, where there are any."""
        if stage in self._stages and stage != self._shown:
            self._shown = stage
            self._show()

    def stage_grids(self, stage: str) -> StageGrids | None:
        """The grids of a stage so far."""
        return self._stages.get(stage)

    @property
    def grid(self) -> GridScores | None:
        """The grid on show that holds the best point of its stage."""
        return self._stages[self._shown].best if self._shown in self._stages else None

    @property
    def ground(self) -> GridScores | None:
        """The grid that fills the map: a coarser one of an earlier stage, if the stage on show consists of parts of it."""
        best = self.grid
        if best is None:
            return None
        for name, stage in self._stages.items():
            if name == self._shown:
                break
            coarse = stage.grids[0]
            if coarse.names == best.names and not coarse.peak_heights and len(stage.grids) == 1 and _finer(best, coarse):
                return coarse
        return best

    @property
    def insets(self) -> tuple[QRectF, ...]:
        """Frames of the finer grids that are drawn, in the units of the axes."""
        return tuple(i.frame.boundingRect() for i in self._insets)

    def axes_shown(self) -> tuple[str, str | None]:
        """Names of the horizontal and the vertical axis (None for a search along one axis)."""
        return map_axes(self.grid.names if self.grid is not None else ("dx", "dy"))

    def slice_scores(self) -> NDArray[np.float32]:
        """Scores of the slice on show of the best grid, `[down, across]` (or `[across]`), NaN where not scored yet."""
        shown = None if self.grid is None else slice_at(self.grid, self._further)
        return np.zeros((0, 0), np.float32) if shown is None else shown.scores

    def set_slice(self, name: str, index: int) -> None:
        """Show another slice of a further axis."""
        if name in self._sliders:
            self.follow_box.setChecked(False)
            self._sliders[name][0].setValue(index)

    def table(self) -> export.Table:
        grids = self._stages[self._shown].grids if self._shown in self._stages else []
        if not grids:
            return export.Table((), ())
        header = tuple(f"{n} ({unit_of(n)})" if unit_of(n) else n for n in grids[0].names)
        # As they are shown: heights of a correlation upright.
        name, sign = ("correlation (noise = 1)", -1) if grids[0].peak_heights else ("score", 1)
        rows = [
            (*point, score)
            for grid in grids
            for point, score in zip(
                itertools.product(*(a.tolist() for a in grid.axes)), (sign * grid.scores).reshape(-1).tolist(), strict=True
            )
        ]
        return export.Table((*header, name), tuple(rows))

    @property
    def logarithmic(self) -> bool:
        """Whether the scores are drawn by their logarithm (maps only)."""
        if self.grid is None or self.axes_shown()[1] is None or not self._can_be_logarithmic(self.grid):
            return False
        return not self.grid.peak_heights if self._wants_log is None else self._wants_log

    @staticmethod
    def _can_be_logarithmic(grid: GridScores) -> bool:
        finite = grid.scores[np.isfinite(grid.scores)]
        return bool(finite.size) and (grid.peak_heights or float(finite.min()) > 0)

    def _drawn(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is drawn of scores: heights upright, then the logarithm if it is wanted."""
        heights = self.grid is not None and self.grid.peak_heights
        drawn = -scores if heights else scores
        if self.logarithmic:
            drawn = np.log10(np.maximum(drawn, 1.0) if heights else drawn)
        return np.asarray(drawn, np.float32)

    def _levels(self, grids: list[GridScores]) -> tuple[float, float]:
        """From the lowest to the highest of what is drawn of grids."""
        finite = self._drawn(np.concatenate([g.scores[np.isfinite(g.scores)] for g in grids]))
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.1, 1.0)
        return low, high if high > low else low + 1e-3

    def _words(self, score: float) -> str:
        """A score for a person."""
        if self.grid is not None and self.grid.peak_heights:
            return f"{number(-score)} times the noise"
        return number(score)

    # -- drawing --------------------------------------------------------------------------------------------------
    def _show(self) -> None:
        best, ground = self.grid, self.ground
        if best is None or ground is None:
            return
        fit = self._fitted is None or not same_points(self._fitted, ground)
        self._fitted = ground
        if self.follow_box.isChecked():
            for name, value in zip(best.names, best.best, strict=True):
                self._further[name] = value
        self._update_sliders()
        self.set_empty("")
        self._draw(fit=fit)

    def _further_values(self) -> dict[str, list[float]]:
        """For each axis beyond the map's two: the values of all grids on show, in order."""
        grids = self._stages[self._shown].grids + ([] if self.ground is None else [self.ground])
        values: dict[str, set[float]] = {}
        for grid in grids:
            for name, axis in zip(grid.names, grid.axes, strict=True):
                if name not in self.axes_shown():
                    values.setdefault(name, set()).update(round(float(v), 9) for v in axis)
        return {name: sorted(found) for name, found in values.items() if len(found) > 1}

    def _update_sliders(self) -> None:
        values = self._further_values()
        if set(values) != set(self._sliders):
            self._make_sliders(tuple(values))
        for name, found in values.items():
            slider, label = self._sliders[name]
            at = int(np.abs(np.array(found) - self._further.get(name, found[0])).argmin())
            slider.blockSignals(True)
            slider.setRange(0, len(found) - 1)
            slider.setValue(at)
            slider.blockSignals(False)
            label.setText(worded(name, self._further.get(name, found[0])))

    def _make_sliders(self, names: tuple[str, ...]) -> None:
        for slider, label in self._sliders.values():
            for widget in (slider, label):
                self._slices.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        self._sliders.clear()
        for name in names:
            slider, label = QSlider(Qt.Orientation.Horizontal), QLabel()
            slider.setPageStep(1)
            slider.setObjectName(f"{self.objectName()}_slice_{name}")
            slider.setAccessibleName(f"Slice of {name}")
            slider.setToolTip(f"Slice of the score map along {name} ({unit_of(name) or 'no unit'})")
            label.setObjectName(f"{self.objectName()}_slice_{name}_label")
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance(worded(name, -0.3333)))
            slider.valueChanged.connect(partial(self._slice_chosen, name))
            at = 2 * len(self._sliders)
            self._slices.insertWidget(at, label)
            self._slices.insertWidget(at + 1, slider, 4)
            self._sliders[name] = (slider, label)
        self.follow_box.setVisible(bool(self._sliders))
        self._slices_holder.show()

    def _draw(self, *, fit: bool) -> None:
        best, ground = self.grid, self.ground
        if best is None or ground is None:
            return
        across, down = self.axes_shown()
        self.log_box.setVisible(down is not None)
        self.log_box.setEnabled(self._can_be_logarithmic(best))
        self.log_box.setChecked(self.logarithmic)
        label_axis(self.plot, "bottom", WORDS.get(across, across), unit_of(across), self._palette)
        self._image.setVisible(down is not None)
        self._curve.setVisible(down is None)
        self.bar.set_shown(down is not None)
        if down is None:
            self._drop_insets()
            self._draw_curve(best)
        else:
            label_axis(self.plot, "left", WORDS.get(down, down), unit_of(down), self._palette)
            self._draw_map(best, ground)
        self.view.invertY(down is not None)
        self._best_text()
        if fit:
            self.view.autoRange(padding=0.0 if down is not None else 0.05)

    def _draw_map(self, best: GridScores, ground: GridScores) -> None:
        finer = [g for g in self._stages[self._shown].grids if not same_points(g, ground)]
        coarse = slice_at(ground, self._nearest(ground))
        if coarse is not None:
            self._image.setImage(self._drawn(coarse.scores), autoLevels=False, levels=self._levels([ground]))
            self._image.setRect(cells_of(coarse))
            self._image.setOpacity(PALE if finer else 1.0)
        levels = self._levels(finer or [ground])
        self._draw_insets(finer, levels)
        self.bar.set_scale(*levels, *self._scale_words(), logarithmic=self.logarithmic)
        self._colour()
        self._place_ring(best)

    def _nearest(self, grid: GridScores) -> dict[str, float]:
        """Values of the further axes, moved into a grid that they may lie beside."""
        axes = dict(zip(grid.names, grid.axes, strict=True))
        return {n: float(axes[n][np.abs(axes[n] - v).argmin()]) for n, v in self._further.items() if n in axes}

    def _draw_insets(self, finer: list[GridScores], levels: tuple[float, float]) -> None:
        self._drop_insets()
        # The best one comes last, on top of those that overlap it.
        for grid in sorted(finer, key=lowest, reverse=True):
            shown = slice_at(grid, self._further)
            if shown is None:
                continue
            inset = Inset(self.plot)
            inset.show(self._drawn(shown.scores), cells_of(shown), levels)
            self._insets.append(inset)
        self._colour_insets()

    def _drop_insets(self) -> None:
        for inset in self._insets:
            inset.remove()
        self._insets.clear()

    def _place_ring(self, best: GridScores) -> None:
        """The ring stands only on the slice that holds the best point."""
        across, down = self.axes_shown()
        at = dict(zip(best.names, best.best, strict=True))
        seen = all(abs(self._further.get(n, v) - v) < 1e-6 for n, v in at.items() if n not in (across, down))
        x, y = ([at[across]], [at[down or across]]) if seen else ([], [])
        self._halo.setData(x, y)
        self._best.setData(x, y)

    def _draw_curve(self, grid: GridScores) -> None:
        scores = self._drawn(self.slice_scores())
        done = np.isfinite(scores)
        self._curve.setData(grid.axes[0][done], scores[done].astype(np.float64))
        label_axis(self.plot, "left", *self._scale_words(), self._palette)
        if done.any():
            height = float(scores[done].max() if grid.peak_heights else scores[done].min())
            self._halo.setData([grid.best[0]], [height])
            self._best.setData([grid.best[0]], [height])

    def _scale_words(self) -> tuple[str, str]:
        """What the colours stand for, with the unit."""
        if self.grid is not None and self.grid.peak_heights:
            return "correlation", "noise = 1, log" if self.logarithmic else "noise = 1"
        return "residual", "log" if self.logarithmic else ""

    def _scale_colours(self) -> pg.ColorMap:
        # The best are the brightest, so that the eye finds them: high correlations, low residuals.
        colours = colour_map("sequential", self._palette)
        if self.grid is None or not self.grid.peak_heights:
            colours.reverse()
        return colours

    def _colour(self) -> None:
        colours = self._scale_colours()
        self._image.setColorMap(colours)
        self.bar.set_colours(colours, self._palette)

    def _colour_insets(self) -> None:
        colours = self._scale_colours()
        for inset in self._insets:
            inset.image.setColorMap(colours)
            inset.halo.setPen(pen("#ffffff", 4.0))
            inset.frame.setPen(pen("#1b2129", 1.6))

    def _repaint(self) -> None:
        self._colour()
        self._colour_insets()
        self._halo.setPen(pen("#ffffff", 5.0))
        self._best.setPen(pen(self._palette.series[1], 2.5))
        self._curve.setPen(pen(self._palette.series[0], 1.5))
        self._curve.setSymbolBrush(self._palette.series[0])
        self._curve.setSymbolPen(None)

    def _best_text(self) -> None:
        best = self.grid
        if best is None or not np.isfinite(lowest(best)):
            self.set_detail("")
            return
        self.set_detail(f"best {self._words(lowest(best))}")

    # -- intent -----------------------------------------------------------------------------------------------------
    @Slot(bool)
    def _follow_toggled(self, follow: bool) -> None:
        if follow:
            self._show()

    @Slot(bool)
    def _log_clicked(self, wanted: bool) -> None:
        self._wants_log = wanted
        self._draw(fit=False)

    def _slice_chosen(self, name: str, index: int) -> None:
        values = self._further_values().get(name, [])
        if self.grid is None or not 0 <= index < len(values):
            return
        # A person has touched it: from now on it stays where it is put.
        self.follow_box.setChecked(False)
        at = dict(zip(self.grid.names, self.grid.best, strict=True))
        self._further[name] = at[name] if abs(at[name] - values[index]) < 1e-6 else values[index]
        self._update_sliders()
        self._draw(fit=False)

    def value_at(self, point: QPointF) -> str:
        """The grid point nearest to a position (in axis units) in words, with its score: of the finest grid that lies there."""
        if self.grid is None or self.ground is None:
            return ""
        across, down = self.axes_shown()
        grids = sorted(self._stages[self._shown].grids, key=lowest)
        places = [s for s in (slice_at(g, self._further) for g in grids) if s is not None and cells_of(s).contains(point)]
        shown = places[0] if places else slice_at(self.ground, self._nearest(self.ground))
        if shown is None:
            return ""
        i = int(np.abs(shown.across - point.x()).argmin())
        words = worded(across, float(shown.across[i]))
        score = float(shown.scores[i]) if down is None else 0.0
        if down is not None:
            j = int(np.abs(shown.down - point.y()).argmin())
            score = float(shown.scores[j, i])
            words = f"{words}, {worded(down, float(shown.down[j]))}"
        return f"{words}: {self._words(score) if np.isfinite(score) else 'not scored yet'}"

    @Slot(object)
    def _mouse_moved(self, position: QPointF) -> None:
        if self.grid is None:
            return
        inside = self.view.sceneBoundingRect().contains(position)
        words = self.value_at(self.view.mapSceneToView(position)) if inside else ""
        self.cursor_text.emit(words)
        if inside:
            self.set_detail(words)
        else:
            self._best_text()


def _finer(grid: GridScores, coarse: GridScores) -> bool:
    """Whether a grid has finer steps than another one in both axes of the map."""
    fine, wide = (dict(zip(g.names, g.axes, strict=True)) for g in (grid, coarse))
    shown = [name for name in map_axes(grid.names) if name is not None]
    return len(shown) == 2 and all(spacing(fine[n]) < spacing(wide[n]) for n in shown)
