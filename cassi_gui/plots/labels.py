"""A line of text in a plot's layout that never makes the layout wider than its window."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsSceneResizeEvent


class NarrowLabel(pg.LabelItem):  # type: ignore[misc]
    """A label that takes the width it is given: long text is broken into lines (`wrap`) or runs out at the right."""

    def __init__(self, *, wrap: bool = False) -> None:
        self._wrap = wrap
        super().__init__(justify="left")

    def updateMin(self) -> None:
        height = self.item.boundingRect().height()
        self.setMinimumSize(0.0, height)
        hints = (Qt.SizeHint.MinimumSize, Qt.SizeHint.PreferredSize, Qt.SizeHint.MinimumDescent)
        self._sizeHint = dict.fromkeys(hints, (0.0, height)) | {Qt.SizeHint.MaximumSize: (-1, height)}
        self.setMaximumHeight(height)
        self.updateGeometry()

    def resizeEvent(self, event: QGraphicsSceneResizeEvent | None) -> None:
        if self._wrap and self.item.textWidth() != self.width():
            self.item.setTextWidth(max(40.0, self.width()))
            self.updateMin()
        super().resizeEvent(event)
