"""Pictures that move together: the same part of the scene in each, and the value under the cursor in all of them."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QObject, Slot

from cassi_gui.plots.image_panel import ImagePanel


class PanelLink(QObject):
    """Keeps zoom, position and cursor of several picture panels of the same frame together."""

    def __init__(self, panels: Sequence[ImagePanel], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels = tuple(panels)
        self._busy = False
        for panel in self._panels:
            panel.view.sigRangeChanged.connect(self._range_changed)
            panel.cursor_moved.connect(self._cursor_moved)

    @Slot(object, object)
    def _range_changed(self, view: pg.ViewBox, _range: object = None) -> None:
        if self._busy:
            return
        self._busy = True
        for panel in self._panels:
            if panel.view is not view and panel.image is not None:
                panel.view.setRange(view.viewRect(), padding=0.0)
        self._busy = False

    @Slot(object)
    def _cursor_moved(self, cursor: tuple[int, int, float] | None) -> None:
        if self._busy:
            return
        source = self.sender()
        self._busy = True
        for panel in self._panels:
            if panel is not source:
                panel.mark_cursor(None if cursor is None else (cursor[0], cursor[1]))
        self._busy = False
