"""A grey or false-colour picture with a scale, an overlay, a footprint, picked points and the value under the cursor.

Row 0 is at the top, pixel centres lie at integers, positions are (row, column) everywhere. With the keyboard: arrows move a
cross (Shift: ten pixels), Enter picks the point under it, + and - zoom, 0 shows everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from cassi_core.quality.display import robust_levels, symmetric_levels
from cassi_gui.plots import export
from cassi_gui.plots.colour_bar import ColourBar
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.picture import Picture
from cassi_gui.plots.style import SYMBOLS, colour_map, label_axis, number, pen, plot_font, translucent
from cassi_gui.style.theme import Palette

Rect = tuple[float, float, float, float]
"""A rectangle as (row, col, height, width) in pixels of the picture: its first pixel and its size."""


AXIS_WIDTH, AXIS_HEIGHT = 48, 36
EDGE = 4.0
"""Room around everything."""
MOST_FLAGS = 5000
"""Single pixels that are framed at most."""


class ImagePanel(PlotPanel):
    """Picture panel used on every page.

    Signals: `cursor_moved` with (row, col, value) or None when the cursor leaves; `point_picked` with (row, col);
    `footprint_moved` with the new (row, col) of the footprint's first pixel, fractions of a pixel included.
    """

    cursor_moved = Signal(object)
    point_picked = Signal(object)
    footprint_moved = Signal(object)

    def __init__(self, name: str = "image", title: str = "", parent: QWidget | None = None, *, axes: bool = True) -> None:
        super().__init__(name, title, parent)
        self._array: NDArray[np.generic] | None = None
        self._overlay_array: NDArray[np.generic] | None = None
        self._unit = ""
        self._colours = "grey"
        self._levels: tuple[float, float] | None = None
        self._footprint: Rect | None = None
        self._cross: tuple[int, int] | None = None
        self._shared_scale = False
        self._points: tuple[tuple[int, int, str, int], ...] = ()
        self.plot = self._add_plot(0, 0, grid=False)
        self.view: pg.ViewBox = self.plot.getViewBox()
        self.view.setAspectLocked(True)
        self.view.invertY(True)
        self.view.setDefaultPadding(0.0)
        self.plot.getAxis("left").setWidth(AXIS_WIDTH)
        self.plot.getAxis("bottom").setHeight(AXIS_HEIGHT)
        label_axis(self.plot, "bottom", "column", "px", self._palette)
        label_axis(self.plot, "left", "row", "px", self._palette)
        if not axes:
            self.plot.hideAxis("left")
            self.plot.hideAxis("bottom")
        self.bar = ColourBar()
        self.graphics.addItem(self.bar, 0, 1)
        self._picture = Picture(self.view, 0.0)
        self._overlay = Picture(self.view, 1.0)
        self._marks = pg.ScatterPlotItem(size=13)
        self._marks.setZValue(4)
        self._labels: list[pg.TextItem] = []
        self._flags = pg.ScatterPlotItem(symbol="s", size=1.0, pxMode=False, brush=None)
        self._flags.setZValue(3)
        self._cross_item = pg.ScatterPlotItem(symbol="+", size=17)
        self._cross_item.setZValue(5)
        self._roi: pg.RectROI | None = None
        self._fixed = pg.PlotCurveItem()
        self._fixed.setZValue(3)
        for item in (self._flags, self._marks, self._cross_item, self._fixed):
            self.view.addItem(item, ignoreBounds=True)
        self.view.sigTransformChanged.connect(self._choose_copies)
        self.graphics.sigDeviceRangeChanged.connect(self._hug)
        scene = self.graphics.scene()
        scene.sigMouseMoved.connect(self._mouse_moved)
        scene.sigMouseClicked.connect(self._mouse_clicked)
        self.graphics.installEventFilter(self)
        self.graphics.setToolTip("Drag: move, wheel: zoom, click: pick a point. Keys: arrows, Enter, + - 0")
        self.menu.addSeparator()
        self.menu.addAction("Show everything (0)").triggered.connect(self.fit)
        self.menu.addAction("Contrast: 1st to 99th percentile").triggered.connect(self.set_levels_auto)
        self.menu.addAction("Contrast: full range").triggered.connect(self.set_levels_full)
        self.set_palette(self._palette)
        self.set_empty("No picture")

    # -- data -----------------------------------------------------------------------------------------------------
    def set_image(
        self,
        array: NDArray[np.generic] | None,
        *,
        title: str = "",
        unit: str = "",
        colours: str = "grey",
        levels: tuple[float, float] | None = None,
        empty: str = "No picture",
    ) -> None:
        """Show a picture `(H, W)`, or `(H, W, 3)` uint8 in its own colours; None shows the `empty` words.

        `colours` is grey, sequential or diverging (levels then symmetric about zero). Without `levels` the contrast is set
        from the 1st to the 99th percentile. The zoom stays when the shape does.
        """
        if title:
            self.set_title(title)
        if array is None:
            self._array = None
            self._picture.clear()
            self.set_empty(empty)
            return
        fresh = self._array is None or self._array.shape[:2] != array.shape[:2]
        self._array, self._unit, self._colours = array, unit, colours
        coloured = array.ndim == 3
        self.bar.set_shown(not coloured and not self._shared_scale)
        self._levels = None if coloured else (levels or self._auto_levels())
        shown = array.astype(np.uint8) if array.dtype == np.bool_ else array
        self._picture.set_array(shown, self._pixel_rect(0, 0, *array.shape[:2]), self._levels, self._map())
        self._update_bar()
        self.set_empty("")
        if fresh:
            self.fit()
        self._hug()

    def share_scale(self) -> None:
        """Leave the colour scale to a neighbour that has the same one."""
        self._shared_scale = True
        self.bar.set_shown(False)

    @property
    def image(self) -> NDArray[np.generic] | None:
        """The array on show."""
        return self._array

    @property
    def levels(self) -> tuple[float, float] | None:
        """Contrast limits in the picture's unit; None for a picture in its own colours."""
        return self._levels

    def set_levels(self, low: float, high: float) -> None:
        """Set the contrast limits."""
        if self._levels is not None:
            self._levels = (low, high)
            self._picture.set_levels(self._levels)
            self._update_bar()

    @Slot()
    def set_levels_auto(self) -> None:
        """Contrast from the 1st to the 99th percentile of the finite values (symmetric about zero for signed maps)."""
        if self._levels is not None:
            self.set_levels(*self._auto_levels())

    @Slot()
    def set_levels_full(self) -> None:
        """Contrast over all finite values."""
        if self._array is not None and self._levels is not None:
            if self._colours == "diverging":
                self.set_levels(*symmetric_levels(self._array, 100.0))
            else:
                self.set_levels(*robust_levels(self._array, 0.0, 100.0))

    def set_overlay(self, array: NDArray[np.generic] | None, opacity: float = 0.5) -> None:
        """Lay a second picture over the first, in the accent colour, at the footprint (or at the origin without one)."""
        if array is None:
            self._overlay_array = None
            self._overlay.clear()
            return
        self._overlay.set_opacity(opacity)
        if array is self._overlay_array:
            return
        self._overlay_array = array
        shown = array.astype(np.uint8) if array.dtype == np.bool_ else array
        self._overlay.set_array(shown, self._overlay_rect(), robust_levels(shown, 0.0, 100.0), self._overlay_map())

    def set_footprint(self, rect: Rect | None, movable: bool = False) -> None:
        """Outline a rectangle (row, col, height, width); a movable one can be dragged and then emits `footprint_moved`."""
        self._footprint = rect
        if self._roi is not None and (rect is None or not movable):
            self.view.removeItem(self._roi)
            self._roi = None
        if rect is None:
            self._fixed.setData([], [])
            return
        row, col, height, width = rect
        if movable:
            self._fixed.setData([], [])
            self._place_roi(row, col, height, width)
        else:
            left, top, right, bottom = col - 0.5, row - 0.5, col + width - 0.5, row + height - 0.5
            self._fixed.setData([left, right, right, left, left], [top, top, bottom, bottom, top])
        self._overlay.set_rect(self._overlay_rect())

    def set_points(self, points: Sequence[tuple[int, int, str, int]]) -> None:
        """Mark points (row, col, label, index of their colour and symbol)."""
        self._points = tuple(points)
        self._draw_points()

    def flag_pixels(self, flags: NDArray[np.bool_] | None) -> None:
        """Frame single pixels, of an image of truth values like the picture; None takes the frames away."""
        rows, cols = np.nonzero(np.zeros((0, 0), bool) if flags is None else flags)
        # More would be slow to draw, and one colour to look at.
        self._flags.setData(cols[:MOST_FLAGS], rows[:MOST_FLAGS])

    @property
    def flagged(self) -> tuple[tuple[int, int], ...]:
        """The framed pixels (row, col)."""
        cols, rows = self._flags.getData()
        return tuple((int(row), int(col)) for row, col in zip(rows, cols, strict=True))

    @Slot()
    def fit(self) -> None:
        """Show the whole picture."""
        if self._array is not None:
            self.view.setRange(self._pixel_rect(0, 0, *self._array.shape[:2]), padding=0.0)

    @Slot()
    def _hug(self) -> None:
        """Give the picture's place the picture's shape: axes that go on beside it would number columns that do not exist."""
        layout = self.graphics.ci.layout
        if self._array is None or self.graphics.width() < 2 * AXIS_WIDTH:
            return
        layout.setContentsMargins(EDGE, EDGE, EDGE, EDGE)
        layout.activate()
        height, width = self._array.shape[:2]
        # What was asked for, whatever room there was: everything is still shown when the panel gets another size.
        (left, right), (top, bottom) = self.view.targetRange()
        whole = max(abs(left + 0.5), abs(right - width + 0.5), abs(top + 0.5), abs(bottom - height + 0.5)) < 1e-6
        room = self.view.size()
        scale = min(room.width() / width, room.height() / height)
        beside, above = max(0.0, room.width() - scale * width) / 2, max(0.0, room.height() - scale * height) / 2
        layout.setContentsMargins(EDGE + beside, EDGE + above, EDGE + beside, EDGE + above)
        layout.activate()
        if whole:
            self.fit()

    def mark_cursor(self, pixel: tuple[int, int] | None) -> None:
        """Show a cross at a pixel and its value, as if the cursor were there (for panels that are linked)."""
        if self._array is None or pixel is None or not all(0 <= v < n for v, n in zip(pixel, self._array.shape, strict=False)):
            self._cross_item.setData([], [])
            self.set_detail("")
            return
        self._cross_item.setData([pixel[1]], [pixel[0]])
        self.set_detail(self.value_text(*pixel))

    def table(self) -> export.Table:
        if self._array is None:
            return export.Table((), ())
        if self._array.ndim == 3:
            return export.Table(("row", "column", "red", "green", "blue"), export.PictureRows(self._array))
        header = tuple(f"column {c}" for c in range(self._array.shape[1]))
        return export.Table(header, export.PictureRows(self._array))

    # -- drawing --------------------------------------------------------------------------------------------------
    def _auto_levels(self) -> tuple[float, float]:
        if self._array is None:
            return 0.0, 1.0
        return symmetric_levels(self._array) if self._colours == "diverging" else robust_levels(self._array)

    def _map(self) -> pg.ColorMap:
        return colour_map(self._colours, self._palette)

    def _overlay_map(self) -> pg.ColorMap:
        return pg.ColorMap(
            [0.0, 1.0], [translucent(self._palette.series[1], 0).getRgb(), translucent(self._palette.series[1], 255).getRgb()]
        )

    @staticmethod
    def _pixel_rect(row: float, col: float, height: float, width: float) -> QRectF:
        return QRectF(col - 0.5, row - 0.5, width, height)

    def _overlay_rect(self) -> QRectF:
        if self._overlay_array is None:
            return QRectF()
        row, col = self._footprint[:2] if self._footprint is not None else (0.0, 0.0)
        height, width = self._overlay_array.shape[:2] if self._footprint is None else self._footprint[2:]
        return self._pixel_rect(row, col, height, width)

    def _update_bar(self) -> None:
        if self._levels is not None:
            self.bar.set_colours(self._map(), self._palette)
            self.bar.set_scale(*self._levels, "", self._unit)

    def _repaint(self) -> None:
        palette: Palette = self._palette
        self._picture.set_colours(self._map())
        if self._overlay.shown:
            self._overlay.set_colours(self._overlay_map())
        self._update_bar()
        self._fixed.setPen(pen(palette.accent, 2.0))
        self._cross_item.setPen(pen(palette.accent, 2.0))
        self._flags.setPen(pen(palette.bad, 2.0))
        if self._roi is not None:
            self._roi.setPen(pen(palette.accent, 2.0))
        self._draw_points()

    def _draw_points(self) -> None:
        for label in self._labels:
            self.view.removeItem(label)
        self._labels.clear()
        series = self._palette.series
        spots = []
        for row, col, text, index in self._points:
            colour = series[index % len(series)]
            spots.append(
                {"pos": (col, row), "symbol": SYMBOLS[index % len(SYMBOLS)], "brush": colour, "pen": pen("#ffffff", 1.5)}
            )
            mark = pg.TextItem(text, color="#ffffff", anchor=(-0.2, 1.0), fill=translucent("#000000", 150))
            mark.setFont(plot_font())
            mark.setPos(col, row)
            mark.setZValue(4)
            self.view.addItem(mark, ignoreBounds=True)
            self._labels.append(mark)
        self._marks.setData(spots)

    def _place_roi(self, row: float, col: float, height: float, width: float) -> None:
        if self._roi is None:
            self._roi = pg.ROI((col - 0.5, row - 0.5), (width, height), pen=pen(self._palette.accent, 2.0), movable=True)
            self._roi.setZValue(3)
            self._roi.sigRegionChanged.connect(self._roi_moved)
            self.view.addItem(self._roi, ignoreBounds=True)
        blocked = self._roi.blockSignals(True)
        self._roi.setPos((col - 0.5, row - 0.5), update=False)
        self._roi.setSize((width, height))
        self._roi.blockSignals(blocked)

    @Slot(object)
    def _roi_moved(self, roi: pg.ROI) -> None:
        position, size = roi.pos(), roi.size()
        row, col = float(position.y()) + 0.5, float(position.x()) + 0.5
        self._footprint = (row, col, float(size.y()), float(size.x()))
        self._overlay.set_rect(self._overlay_rect())
        self.footprint_moved.emit((row, col))

    def _nudge(self, down: int, right: int, far: float) -> bool:
        """Move the footprint by keys as a drag would; False when it cannot be moved."""
        if self._roi is None or not self._roi.isVisible():
            return False
        self._roi.setPos(self._roi.pos() + pg.Point(right * far, down * far))
        return True

    @Slot()
    def _choose_copies(self) -> None:
        self._picture.choose()
        self._overlay.choose()

    # -- cursor and keys --------------------------------------------------------------------------------------------
    def pixel_at(self, scene_position: QPointF) -> tuple[int, int] | None:
        """The (row, col) under a position of the scene, or None outside the picture."""
        if self._array is None or not self.view.sceneBoundingRect().contains(scene_position):
            return None
        point = self.view.mapSceneToView(scene_position)
        row, col = int(np.floor(point.y() + 0.5)), int(np.floor(point.x() + 0.5))
        height, width = self._array.shape[:2]
        return (row, col) if 0 <= row < height and 0 <= col < width else None

    def value_text(self, row: int, col: int) -> str:
        """The pixel in words: `row 12, column 40: 0.532 unit`."""
        value = self._array[row, col] if self._array is not None else 0
        if np.ndim(value):
            return f"row {row}, column {col}: RGB {', '.join(str(int(v)) for v in np.asarray(value))}"
        return f"row {row}, column {col}: {number(float(value))} {self._unit}".rstrip()

    @Slot(object)
    def _mouse_moved(self, position: QPointF) -> None:
        self._show_cursor(self.pixel_at(position))

    def _show_cursor(self, pixel: tuple[int, int] | None) -> None:
        if pixel is None or self._array is None:
            self.set_detail("")
            self.cursor_moved.emit(None)
            return
        row, col = pixel
        self.set_detail(self.value_text(row, col))
        value = self._array[row, col]
        self.cursor_moved.emit((row, col, tuple(int(v) for v in value) if np.ndim(value) else float(value)))

    @Slot(object)
    def _mouse_clicked(self, event: object) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not event.double():  # type: ignore[attr-defined]
            pixel = self.pixel_at(event.scenePos())  # type: ignore[attr-defined]
            if pixel is not None:
                self.point_picked.emit(pixel)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.graphics and self._array is not None:
            if event.type() == QEvent.Type.Leave:
                self._show_cursor(None)
            elif event.type() == QEvent.Type.FocusOut:
                self._cross_item.setData([], [])
            elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        moves = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
        key = Qt.Key(event.key())
        held = event.modifiers()
        if key in moves and held & Qt.KeyboardModifier.ControlModifier:
            return self._nudge(*moves[key], 0.1 if held & Qt.KeyboardModifier.ShiftModifier else 1.0)
        if key in moves and self._array is not None:
            height, width = self._array.shape[:2]
            row, col = self._cross or (height // 2, width // 2)
            far = 10 if held & Qt.KeyboardModifier.ShiftModifier else 1
            row = min(max(row + far * moves[key][0], 0), height - 1)
            col = min(max(col + far * moves[key][1], 0), width - 1)
            self._cross = (row, col)
            self._cross_item.setData([col], [row])
            self._show_cursor(self._cross)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._cross is not None:
            self.point_picked.emit(self._cross)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            factor = 1.25 if key == Qt.Key.Key_Minus else 0.8
            self.view.scaleBy((factor, factor))
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            return False
        return True
