"""A region of a picture, drawn over it or typed: the part of a sensor that the rig uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cassi_gui.plots.image_panel import ImagePanel
from cassi_gui.plots.style import pen
from cassi_gui.style.boxes import CountBox
from cassi_gui.style.theme import MARGIN, SPACE, Palette
from cassi_gui.widgets.naming import name_controls

SMALLEST_PX = 8
Region = tuple[int, int, int, int]
"""First row, end row, first column, end column; the ends are excluded."""


class RegionDialog(QDialog):
    """Shows a picture with a rectangle that can be moved and resized; boxes say its rows and columns.

    `request` is called once with a function that takes the picture `(H, W)`, or a text that says why there is none.
    """

    def __init__(
        self,
        title: str,
        request: Callable[[Callable[[Any], None]], None],
        current: Region | None,
        palette: Palette,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setObjectName("region_dialog")
        self.resize(860, 680)
        self._current, self._palette = current, palette
        self._filling = False
        self._box: pg.RectROI | None = None
        self.panel = ImagePanel("region_picture", title)
        self.panel.set_palette(palette)
        self.panel.set_image(None, empty="Reading …")
        self.edges = tuple(CountBox() for _ in range(4))
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        names = ("First row", "End row", "First column", "End column")
        for name, box in zip(names, self.edges, strict=True):
            box.setObjectName(f"region.{name.lower().replace(' ', '_')}")
            box.setAccessibleName(name)
            box.setToolTip(f"{name} of the region in px (ends are excluded)")
            box.setEnabled(False)
            box.valueChanged.connect(self._on_typed)
            label = QLabel(name)
            label.setBuddy(box)
            row.addWidget(label)
            row.addWidget(box)
        row.addStretch(1)
        self.all = QPushButton("Whole picture")
        self.all.setObjectName("region.all")
        self.all.setToolTip("Use the whole picture again")
        self.all.setEnabled(False)
        self.all.clicked.connect(self._on_all)
        row.addWidget(self.all)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._ok.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACE)
        layout.addWidget(self.panel, 1)
        layout.addLayout(row)
        layout.addWidget(buttons)
        name_controls(self)
        request(self.set_picture)

    def region(self) -> Region:
        """The region as it stands."""
        top, bottom, left, right = (box.value() for box in self.edges)
        return top, bottom, left, right

    def set_picture(self, picture: Any) -> None:
        """Show the picture, or why there is none."""
        if isinstance(picture, str):
            self.panel.set_image(None, empty=picture)
            return
        self.panel.set_image(picture)
        rows, cols = picture.shape
        first = self._current if self._current is not None and self._fits(self._current, rows, cols) else (0, rows, 0, cols)
        self._filling = True
        for box, most in zip(self.edges, (rows, rows, cols, cols), strict=True):
            box.setRange(0, most)
            box.setEnabled(True)
        self._filling = False
        self._box = pg.RectROI((0, 0), (1, 1), pen=pen(self._palette.accent, 2.0), sideScalers=True)
        self._box.addScaleHandle((0, 0), (1, 1))
        self._box.setZValue(6)
        self._box.sigRegionChanged.connect(self._on_drawn)
        self.panel.view.addItem(self._box, ignoreBounds=True)
        self.all.setEnabled(True)
        self._ok.setEnabled(True)
        self._set(first)

    @staticmethod
    def _fits(region: Region, rows: int, cols: int) -> bool:
        return 0 <= region[0] < region[1] <= rows and 0 <= region[2] < region[3] <= cols

    def _set(self, region: Region, *, draw: bool = True) -> None:
        self._filling = True
        for box, value in zip(self.edges, region, strict=True):
            box.setValue(value)
        if draw and self._box is not None:
            top, bottom, left, right = region
            self._box.setPos((left - 0.5, top - 0.5), update=False)
            self._box.setSize((right - left, bottom - top))
        self._filling = False

    @Slot()
    def _on_all(self) -> None:
        self._set((0, self.edges[1].maximum(), 0, self.edges[3].maximum()))

    @Slot()
    def _on_typed(self) -> None:
        """Keep the ends behind the beginnings, however they are typed."""
        if self._filling:
            return
        top, bottom, left, right = self.region()
        rows, cols = self.edges[1].maximum(), self.edges[3].maximum()
        top, left = min(top, rows - SMALLEST_PX), min(left, cols - SMALLEST_PX)
        self._set((top, max(bottom, top + SMALLEST_PX), left, max(right, left + SMALLEST_PX)))

    @Slot()
    def _on_drawn(self) -> None:
        if self._filling or self._box is None:
            return
        position, size = self._box.pos(), self._box.size()
        rows, cols = self.edges[1].maximum(), self.edges[3].maximum()
        top = min(max(0, round(position.y() + 0.5)), rows - SMALLEST_PX)
        left = min(max(0, round(position.x() + 0.5)), cols - SMALLEST_PX)
        bottom = min(rows, max(top + SMALLEST_PX, round(position.y() + size.y() + 0.5)))
        right = min(cols, max(left + SMALLEST_PX, round(position.x() + size.x() + 0.5)))
        # The rectangle itself stays where the hand has it: it would fight against being rounded.
        self._set((top, bottom, left, right), draw=False)
