"""Axes that end where the picture ends: the plot is given the size of its picture instead of filling its window."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QRectF

from cassi_gui.plots.panel import PlotPanel

LEFT_PX, BOTTOM_PX, TOP_PX, RIGHT_PX = 44, 34, 4, 10
"""Room for ticks and labels; half of the last tick's number stands over the end of its axis."""


class HuggedPicture(QObject):
    """Keeps a plot of a panel at the shape of a picture, upper left in its window, with room for its two axes."""

    def __init__(self, panel: PlotPanel, plot: pg.PlotItem) -> None:
        super().__init__(panel)
        self._panel, self._plot = panel, plot
        self._size = (1.0, 1.0)
        plot.getAxis("left").setWidth(LEFT_PX)
        plot.getAxis("bottom").setHeight(BOTTOM_PX)
        panel.graphics.installEventFilter(self)

    def set_size(self, width: float, height: float) -> None:
        """The picture has so many columns and rows."""
        self._size = (width, height)
        self._fit()

    @property
    def screen_px_per_px(self) -> float:
        """Pixels of the screen for one of the picture."""
        room = self._panel.graphics.size()
        wide, high = room.width() - LEFT_PX - RIGHT_PX, room.height() - BOTTOM_PX - TOP_PX
        return float(max(1e-3, min(wide / self._size[0], high / self._size[1])))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        scale = self.screen_px_per_px
        width, height = self._size
        layout = self._panel.graphics.ci.layout
        layout.setContentsMargins(0, TOP_PX, RIGHT_PX, 0)
        self._plot.setMaximumSize(width * scale + LEFT_PX, height * scale + BOTTOM_PX)
        self._plot.setMinimumSize(width * scale + LEFT_PX, height * scale + BOTTOM_PX)
        room = self._panel.graphics.size()
        layout.setContentsMargins(
            0,
            TOP_PX,
            max(RIGHT_PX, room.width() - width * scale - LEFT_PX),
            max(0, room.height() - TOP_PX - height * scale - BOTTOM_PX),
        )
        self._plot.getViewBox().setRange(QRectF(-0.5, -0.5, width, height), padding=0.0)
