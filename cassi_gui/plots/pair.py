"""Two states of one picture: side by side, flipped in place, or subtracted; one scale for both."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from cassi_gui.plots import export
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.picture import Picture
from cassi_gui.plots.style import colour_map, number


class ViewMode(enum.Enum):
    """How before and after are compared."""

    BOTH = "both"
    BLINK = "blink"
    DIFFERENCE = "difference"


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture `(H, W)` with its words below; `origin` is the row and column of its first pixel on the detector."""

    array: NDArray[np.floating]
    caption: str
    levels: tuple[float, float]
    colours: str = "grey"
    origin: tuple[int, int] = (0, 0)
    divided: str = ""
    """A line through the middle: "standing", "lying" or none."""


class PairPanel(PlotPanel):
    """Base of the proofs that compare before and after; emits `cursor_text` for the pixel under the cursor."""

    cursor_text = Signal(str)

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self.mode = ViewMode.BOTH
        self._after_on_show = True
        self._single = False
        self._tiles: tuple[Tile, ...] = ()
        self._unit = ""
        self._views = [pg.ViewBox(enableMenu=False) for _ in range(2)]
        self._pictures = [Picture(view) for view in self._views]
        self._lines = [pg.PlotCurveItem() for _ in self._views]
        for view, line in zip(self._views, self._lines, strict=True):
            view.setAspectLocked(True)
            view.invertY(True)
            view.setDefaultPadding(0.0)
            view.addItem(line, ignoreBounds=True)
            view.sigTransformChanged.connect(self._choose_copies)
        self.graphics.addItem(self._views[1], 0, 1)
        self._first_shown = False
        self._captions = [QLabel(), QLabel()]
        row = QHBoxLayout()
        row.setSpacing(8)
        for k, label in enumerate(self._captions):
            label.setObjectName(f"{name}_caption_{k}")
            label.setTextFormat(Qt.TextFormat.RichText)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            row.addWidget(label, 1)
        self.below.addLayout(row)
        self.graphics.ci.layout.setContentsMargins(3, 3, 3, 3)
        self.graphics.ci.layout.setSpacing(8)
        self.graphics.scene().sigMouseMoved.connect(self._mouse_moved)

    # -- what pages call ------------------------------------------------------------------------------------------
    def set_mode(self, mode: ViewMode) -> None:
        """Side by side, flipped in place, or the difference."""
        self.mode = mode
        self._after_on_show = True
        self._draw()

    def set_single(self, single: bool) -> None:
        """Room for one picture only: side by side then shows the one after."""
        if single != self._single:
            self._single = single
            self._draw()

    def flip(self) -> None:
        """The other state, while they are flipped in place."""
        self._after_on_show = not self._after_on_show
        self._draw()

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The pictures on show, from left to right."""
        return self._tiles

    @property
    def captions(self) -> tuple[str, ...]:
        """The words below the pictures on show."""
        return tuple(tile.caption for tile in self._tiles)

    def table(self) -> export.Table:
        if not self._tiles:
            return export.Table((), ())
        array = self._tiles[-1].array
        return export.Table(
            tuple(f"column {self._tiles[-1].origin[1] + k}" for k in range(array.shape[1])), export.PictureRows(array)
        )

    # -- for subclasses -------------------------------------------------------------------------------------------
    def _states(self) -> tuple[Tile, Tile] | None:
        """Before and after, None where there is nothing."""
        raise NotImplementedError

    def _difference(self) -> tuple[Tile, ...]:
        """What is shown as the difference."""
        raise NotImplementedError

    def _draw(self) -> None:
        states = self._states()
        if states is None:
            self._tiles = ()
        elif self.mode is ViewMode.DIFFERENCE:
            self._tiles = self._difference()
        elif self.mode is ViewMode.BLINK:
            self._tiles = (states[int(self._after_on_show)],)
        else:
            self._tiles = states[1:] if self._single else states
        self._arrange()

    def _arrange(self) -> None:
        two = len(self._tiles) == 2
        if two != self._first_shown:
            if two:
                self.graphics.addItem(self._views[0], 0, 0)
            else:
                self.graphics.removeItem(self._views[0])
            # Zoomed together while both are there; a view that is not laid out would shape the other one.
            self._views[1].linkView(pg.ViewBox.XAxis, self._views[0] if two else None)
            self._views[1].linkView(pg.ViewBox.YAxis, self._views[0] if two else None)
            self._first_shown = two
        self._captions[0].setVisible(two)
        slots = (0, 1) if two else (1,)
        for slot, tile in zip(slots, self._tiles, strict=False):
            height, width = tile.array.shape
            view = self._views[slot]
            self._pictures[slot].set_array(
                tile.array, QRectF(-0.5, -0.5, width, height), tile.levels, colour_map(tile.colours, self._palette)
            )
            view.setRange(QRectF(-0.5, -0.5, width, height), padding=0.0)
            self._captions[slot].setText(tile.caption)
            x, y = {
                "standing": ([width / 2 - 0.5] * 2, [-0.5, height - 0.5]),
                "lying": ([-0.5, width - 0.5], [height / 2 - 0.5] * 2),
            }.get(tile.divided, ([], []))
            self._lines[slot].setData(x, y)
        self._repaint()

    def _repaint(self) -> None:
        for view, line in zip(self._views, self._lines, strict=True):
            view.setBackgroundColor(self._palette.plot_background)
            line.setPen(pg.mkPen(self._palette.series[1], width=2))
        for picture, tile in zip(self._pictures[-len(self._tiles) :] if self._tiles else (), self._tiles, strict=False):
            picture.set_colours(colour_map(tile.colours, self._palette))

    @Slot()
    def _choose_copies(self) -> None:
        for picture in self._pictures:
            picture.choose()

    @Slot(object)
    def _mouse_moved(self, position: QPointF) -> None:
        self.cursor_text.emit(self._under(position))

    def _under(self, position: QPointF) -> str:
        for view, tile in zip(self._views[-len(self._tiles) :] if self._tiles else (), self._tiles, strict=False):
            if view.sceneBoundingRect().contains(position):
                point = view.mapSceneToView(position)
                row, col = int(np.floor(point.y() + 0.5)), int(np.floor(point.x() + 0.5))
                if 0 <= row < tile.array.shape[0] and 0 <= col < tile.array.shape[1]:
                    value = number(float(tile.array[row, col]))
                    return f"column {col + tile.origin[1]}, row {row + tile.origin[0]}: {value} {self._unit}".rstrip()
        return ""
