"""The fitted scene in small, with the points whose spectra are shown; a click moves the nearest one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from cassi_gui.style.theme import LIGHT, TYPE_SMALL_PT, Palette, font

Point = tuple[int, int, str, int]
"""Row, column, label, index of the colour."""
STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
FAR_PX = 10


class ScenePoints(QWidget):
    """Emits `moved` with the index of a point and its new row and column."""

    moved = Signal(int, int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scene_points")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Scene with the points whose spectra are shown")
        self.setToolTip("Click to move the nearest point. Keys: a number chooses a point, arrows move it (Shift: 10 pixels)")
        self._palette: Palette = LIGHT
        self._picture: NDArray[np.uint8] | None = None
        self._image = QImage()
        self._points: tuple[Point, ...] = ()
        self._chosen = 0

    def set_scene(self, picture: NDArray[np.uint8] | None) -> None:
        """Show a scene `(H, W, 3)` uint8."""
        self._picture = None if picture is None else np.ascontiguousarray(picture)
        if self._picture is not None:
            height, width, _ = self._picture.shape
            self._image = QImage(self._picture.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.setVisible(picture is not None)
        self.update()

    def set_points(self, points: Sequence[Point]) -> None:
        """Mark the points."""
        self._points = tuple(points)
        self._chosen = min(self._chosen, max(0, len(self._points) - 1))
        self.update()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.update()

    def place_of(self, row: int, col: int) -> QPointF:
        """Where a pixel of the scene lies on the widget."""
        box, scale = self._box()
        return QPointF(box.left() + (col + 0.5) * scale, box.top() + (row + 0.5) * scale)

    def sizeHint(self) -> QSize:
        return QSize(130, 130)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 80)

    def _box(self) -> tuple[QRectF, float]:
        height, width = (1, 1) if self._picture is None else self._picture.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        return QRectF(0, 0, width * scale, height * scale), scale

    def _pixel(self, position: QPointF) -> tuple[int, int] | None:
        if self._picture is None:
            return None
        box, scale = self._box()
        row, col = int((position.y() - box.top()) / scale), int((position.x() - box.left()) / scale)
        height, width = self._picture.shape[:2]
        return (row, col) if 0 <= row < height and 0 <= col < width else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        pixel = self._pixel(event.position())
        if pixel is None or not self._points:
            return
        away = [abs(r - pixel[0]) + abs(c - pixel[1]) for r, c, _, _ in self._points]
        self._chosen = int(np.argmin(away))
        self.moved.emit(self._chosen, *pixel)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEPS.get(Qt.Key(event.key()))
        if event.text().isdigit() and 0 < int(event.text()) <= len(self._points):
            self._chosen = int(event.text()) - 1
            self.update()
        elif step is not None and self._points and self._picture is not None:
            far = FAR_PX if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            row, col, _, _ = self._points[self._chosen]
            height, width = self._picture.shape[:2]
            row = min(max(row + far * step[0], 0), height - 1)
            self.moved.emit(self._chosen, row, min(max(col + far * step[1], 0), width - 1))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            return
        p = self._palette
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        box, _ = self._box()
        painter.drawImage(box, self._image)
        painter.setFont(font(TYPE_SMALL_PT, bold=True))
        for index, (row, col, label, colour) in enumerate(self._points):
            centre = self.place_of(row, col)
            painter.setBrush(QColor(p.series[colour % len(p.series)]))
            strong = self.hasFocus() and index == self._chosen
            painter.setPen(QPen(QColor("#ffffff"), 2.5 if strong else 1.5))
            painter.drawEllipse(centre, 5.5, 5.5)
            side = QRectF(centre.x() + 7, centre.y() - 8, 30, 16)
            if side.left() + 14 > box.right():
                side.moveRight(centre.x() - 7)
            align = Qt.AlignmentFlag.AlignVCenter | (
                Qt.AlignmentFlag.AlignLeft if side.left() > centre.x() else Qt.AlignmentFlag.AlignRight
            )
            painter.setPen(QColor("#000000"))
            painter.drawText(side.translated(1, 1), align, label)
            painter.setPen(QColor("#ffffff"))
            painter.drawText(side, align, label)
        painter.end()
