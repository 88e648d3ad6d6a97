"""Score map of a grid search: dx by dy with a slider for every further axis, bright where the mask fits best."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QWidget

from cassi_core.parameters import SPECS
from cassi_core.run import GridScores
from cassi_gui.plots import export
from cassi_gui.plots.colour_bar import ColourBar
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import colour_map, label_axis, number, pen
from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.theme import HALF_SPACE

WAITING = "The score map appears here while a grid stage runs: bright where the mask fits best."


def unit_of(name: str) -> str:
    """Unit of a parameter, empty for names that are none."""
    return SPECS[name].unit if name in SPECS else ""


def worded(name: str, value: float) -> str:
    """`dx +0.75 px`."""
    return f"{name} {value:+.4g} {unit_of(name)}".rstrip()


class GridScorePanel(PlotPanel):
    """Shows the latest state of each grid stage; follows the running stage until another one is chosen."""

    cursor_text = Signal(str)
    """The grid point under the cursor in words."""

    def __init__(self, name: str = "grid_score", title: str = "Score map", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._grids: dict[str, GridScores] = {}
        self._labels: dict[str, str] = {}
        self._grid: GridScores | None = None
        self._index: dict[str, int] = {}
        self._wants_log: bool | None = None
        """What a person chose; None: logarithmic for residuals, linear for the heights of a correlation."""
        self.plot = self._add_plot(0, 0, grid=False)
        self.view: pg.ViewBox = self.plot.getViewBox()
        self.bar = ColourBar()
        self.graphics.addItem(self.bar, 0, 1)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._curve = pg.PlotDataItem(symbol="o", symbolSize=6)
        self._best = pg.ScatterPlotItem(symbol="o", size=18, brush=None)
        self._best.setZValue(5)
        for item in (self._image, self._curve, self._best):
            self.plot.addItem(item)
        self._build_controls(name)
        self.graphics.scene().sigMouseMoved.connect(self._mouse_moved)
        self.graphics.setToolTip(
            "How well each place of the mask fits; the brightest is the best, the ring marks the best so far"
        )
        self.set_palette(self._palette)
        self.set_empty(WAITING)

    def _build_controls(self, name: str) -> None:
        self.stage_box = ChoiceBox()
        self.stage_box.setObjectName(f"{name}_stage")
        self.stage_box.setAccessibleName("Stage of the score map")
        self.stage_box.setToolTip("Which stage's score map is shown")
        self.stage_box.activated.connect(self._stage_chosen)
        self.stage_box.hide()
        self.stage_box.setMaximumWidth(170)
        self.header.insertWidget(1, self.stage_box)
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
        self._grids.clear()
        self._grid = None
        self.stage_box.clear()
        self.stage_box.hide()
        self._slices_holder.hide()
        self.set_detail("")
        self.set_empty(WAITING)

    def set_stage_labels(self, labels: dict[str, str]) -> None:
        """Words for the stages' names."""
        self._labels = dict(labels)

    def show_grid(self, grid: GridScores) -> None:
        """Take a new state of a stage's grid; it is shown unless another stage was chosen by hand."""
        new = grid.stage not in self._grids
        following = self._grid is None or self.stage_box.currentIndex() == self.stage_box.count() - 1
        self._grids[grid.stage] = grid
        if new:
            self.stage_box.addItem(self._labels.get(grid.stage, grid.stage), grid.stage)
            self.stage_box.setVisible(self.stage_box.count() > 1)
        if new and following:
            self.stage_box.setCurrentIndex(self.stage_box.count() - 1)
        if self.stage_box.currentData() == grid.stage:
            self._show(grid)

    @property
    def grid(self) -> GridScores | None:
        """The grid on show."""
        return self._grid

    def axes_shown(self) -> tuple[str, str | None]:
        """Names of the horizontal and the vertical axis (None for a search along one axis)."""
        names = self._grid.names if self._grid is not None else ("dx", "dy")
        across = "dx" if "dx" in names else names[0]
        rest = [n for n in names if n != across]
        down = "dy" if "dy" in rest else (rest[0] if rest else None)
        return across, down

    def slice_scores(self) -> NDArray[np.float32]:
        """Scores of the slice on show, `[down, across]` (or `[across]`), NaN where not scored yet."""
        if self._grid is None:
            return np.zeros((0, 0), np.float32)
        shown = self.axes_shown()
        chosen = tuple(slice(None) if n in shown else self._index[n] for n in self._grid.names)
        values = self._grid.scores[chosen]
        order = [n for n in self._grid.names if n in shown]
        return values.T if values.ndim == 2 and order[0] == shown[0] else values

    def set_slice(self, name: str, index: int) -> None:
        """Show another slice of a further axis."""
        if name in self._sliders:
            self.follow_box.setChecked(False)
            self._sliders[name][0].setValue(index)

    def table(self) -> export.Table:
        if self._grid is None:
            return export.Table((), ())
        grid = self._grid
        header = tuple(f"{n} ({unit_of(n)})" if unit_of(n) else n for n in grid.names)
        # As they are shown: heights of a correlation upright.
        name, scores = ("correlation (noise = 1)", -grid.scores) if grid.peak_heights else ("score", grid.scores)
        rows = zip(itertools.product(*(a.tolist() for a in grid.axes)), scores.reshape(-1).tolist(), strict=True)
        return export.Table((*header, name), tuple((*point, score) for point, score in rows))

    @property
    def logarithmic(self) -> bool:
        """Whether the scores are drawn by their logarithm (maps only)."""
        if self._grid is None or self.axes_shown()[1] is None or not self._can_be_logarithmic(self._grid):
            return False
        return not self._grid.peak_heights if self._wants_log is None else self._wants_log

    @staticmethod
    def _can_be_logarithmic(grid: GridScores) -> bool:
        finite = grid.scores[np.isfinite(grid.scores)]
        return bool(finite.size) and (grid.peak_heights or float(finite.min()) > 0)

    def _drawn(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is drawn of scores: heights upright, then the logarithm if it is wanted."""
        grid = self._grid
        if grid is not None and grid.peak_heights:
            scores = -scores
        if self.logarithmic:
            scores = np.log10(np.maximum(scores, 1.0) if grid is not None and grid.peak_heights else scores)
        return scores

    def _words(self, score: float) -> str:
        """A score for a person."""
        if self._grid is not None and self._grid.peak_heights:
            return f"{number(-score)} times the noise"
        return number(score)

    # -- drawing --------------------------------------------------------------------------------------------------
    def _show(self, grid: GridScores) -> None:
        same = self._grid is not None and self._grid.names == grid.names and self._grid.scores.shape == grid.scores.shape
        self._grid = grid
        if not same:
            self._index = dict.fromkeys(grid.names, 0)
            self._make_sliders()
        if self.follow_box.isChecked():
            for name, axis, best in zip(grid.names, grid.axes, grid.best, strict=True):
                self._index[name] = int(np.abs(axis - best).argmin())
        self._index = {n: min(i, len(a) - 1) for (n, i), a in zip(self._index.items(), grid.axes, strict=True)}
        self._update_sliders()
        self.set_empty("")
        self._draw(fit=not same)

    def _make_sliders(self) -> None:
        assert self._grid is not None
        for slider, label in self._sliders.values():
            for widget in (slider, label):
                self._slices.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        self._sliders.clear()
        for name, axis in zip(self._grid.names, self._grid.axes, strict=True):
            if name in self.axes_shown() or len(axis) < 2:
                continue
            slider, label = QSlider(Qt.Orientation.Horizontal), QLabel()
            slider.setRange(0, len(axis) - 1)
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

    def _update_sliders(self) -> None:
        assert self._grid is not None
        for name, axis in zip(self._grid.names, self._grid.axes, strict=True):
            if name in self._sliders:
                slider, label = self._sliders[name]
                slider.blockSignals(True)
                slider.setRange(0, len(axis) - 1)
                slider.setValue(self._index[name])
                slider.blockSignals(False)
                label.setText(worded(name, float(axis[self._index[name]])))

    def _draw(self, *, fit: bool) -> None:
        grid = self._grid
        if grid is None:
            return
        across, down = self.axes_shown()
        finite = self._drawn(grid.scores[np.isfinite(grid.scores)])
        self.log_box.setVisible(down is not None)
        self.log_box.setEnabled(self._can_be_logarithmic(grid))
        self.log_box.setChecked(self.logarithmic)
        axis = dict(zip(grid.names, grid.axes, strict=True))
        best = dict(zip(grid.names, grid.best, strict=True))
        label_axis(self.plot, "bottom", across, unit_of(across), self._palette)
        self._image.setVisible(down is not None)
        self._curve.setVisible(down is None)
        self.bar.set_shown(down is not None)
        if down is None:
            self._draw_curve(axis[across], best[across], finite)
        else:
            self._draw_map(axis[across], axis[down], finite)
            label_axis(self.plot, "left", down, f"{unit_of(down)}, down" if down == "dy" else unit_of(down), self._palette)
            self._best.setData([best[across]], [best[down]])
        self.view.invertY(down is not None)
        self._best_text()
        if fit:
            self.view.autoRange(padding=0.02)

    def _draw_map(self, x: NDArray[np.float64], y: NDArray[np.float64], finite: NDArray[np.float32]) -> None:
        scores = self._drawn(self.slice_scores())
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.1, 1.0)
        high = high if high > low else low + 1e-3
        self._image.setImage(scores, autoLevels=False, levels=(low, high))
        step_x = float(x[-1] - x[0]) / max(1, len(x) - 1) or 1.0
        step_y = float(y[-1] - y[0]) / max(1, len(y) - 1) or 1.0
        self._image.setRect(float(x[0]) - step_x / 2, float(y[0]) - step_y / 2, step_x * len(x), step_y * len(y))
        self.bar.set_scale(low, high, *self._scale_words(), logarithmic=self.logarithmic)
        self._colour()

    def _draw_curve(self, x: NDArray[np.float64], best: float, finite: NDArray[np.float32]) -> None:
        scores = self._drawn(self.slice_scores())
        done = np.isfinite(scores)
        self._curve.setData(x[done], scores[done].astype(np.float64))
        label_axis(self.plot, "left", *self._scale_words(), self._palette)
        if finite.size:
            heights = self._grid is not None and self._grid.peak_heights
            self._best.setData([best], [float(finite.max() if heights else finite.min())])

    def _scale_words(self) -> tuple[str, str]:
        """What the colours stand for, with the unit."""
        if self._grid is not None and self._grid.peak_heights:
            return "correlation", "noise = 1, log" if self.logarithmic else "noise = 1"
        return "score", "log" if self.logarithmic else "lower is better"

    def _colour(self) -> None:
        # The best are the brightest, so that the eye finds them: high correlations, low residuals.
        colours = colour_map("sequential", self._palette)
        if self._grid is None or not self._grid.peak_heights:
            colours.reverse()
        self._image.setColorMap(colours)
        self.bar.set_colours(colours, self._palette)

    def _repaint(self) -> None:
        self._colour()
        self._best.setPen(pen("#d02020", 2.0))
        self._curve.setPen(pen(self._palette.series[0], 1.5))
        self._curve.setSymbolBrush(self._palette.series[0])
        self._curve.setSymbolPen(None)

    def _best_text(self) -> None:
        if self._grid is None:
            return
        finite = self._grid.scores[np.isfinite(self._grid.scores)]
        words = ", ".join(worded(n, v) for n, v in zip(self._grid.names, self._grid.best, strict=True))
        self.set_detail(f"best {self._words(float(finite.min()))} at {words}" if finite.size else "")

    # -- intent -----------------------------------------------------------------------------------------------------
    @Slot(int)
    def _stage_chosen(self, index: int) -> None:
        grid = self._grids.get(self.stage_box.itemData(index))
        if grid is not None:
            self._show(grid)

    @Slot(bool)
    def _follow_toggled(self, follow: bool) -> None:
        if follow and self._grid is not None:
            self._show(self._grid)

    @Slot(bool)
    def _log_clicked(self, wanted: bool) -> None:
        self._wants_log = wanted
        self._draw(fit=False)

    def _slice_chosen(self, name: str, index: int) -> None:
        self._index[name] = index
        if self._grid is not None and self._grid.best:
            axis = self._grid.axes[self._grid.names.index(name)]
            best = self._grid.best[self._grid.names.index(name)]
            if index != int(np.abs(axis - best).argmin()):
                self.follow_box.setChecked(False)
        self._update_sliders()
        self._draw(fit=False)

    def value_at(self, point: QPointF) -> str:
        """The grid point nearest to a position (in axis units) in words, with its score."""
        if self._grid is None:
            return ""
        across, down = self.axes_shown()
        axis = dict(zip(self._grid.names, self._grid.axes, strict=True))
        i = int(np.abs(axis[across] - point.x()).argmin())
        if down is None:
            score = float(self.slice_scores()[i])
            words = worded(across, float(axis[across][i]))
        else:
            j = int(np.abs(axis[down] - point.y()).argmin())
            score = float(self.slice_scores()[j, i])
            words = f"{worded(across, float(axis[across][i]))}, {worded(down, float(axis[down][j]))}"
        return f"{words}: {self._words(score) if np.isfinite(score) else 'not scored yet'}"

    @Slot(object)
    def _mouse_moved(self, position: QPointF) -> None:
        if self._grid is None:
            return
        inside = self.view.sceneBoundingRect().contains(position)
        words = self.value_at(self.view.mapSceneToView(position)) if inside else ""
        self.cursor_text.emit(words)
        if inside:
            self.set_detail(words)
        else:
            self._best_text()
