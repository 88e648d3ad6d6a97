"""A picture that stays quick when it is large: copies reduced by 2, 4, 8 ... of which the one that fits the zoom is shown.

Painting a 2048 x 2048 picture into a small window would touch four million pixels a frame and turn a mask of one-pixel dots
into moiré. Each copy is coloured once and kept, so that panning and zooming only move finished images.
"""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from cassi_core.quality.display import reduced_copies


class Picture:
    """One array in a view box: an image item per reduced copy, exactly one of them visible."""

    def __init__(self, view: pg.ViewBox, z: float = 0.0) -> None:
        self._view, self._z = view, z
        self._items: list[pg.ImageItem] = [self._new_item()]
        self._opacity = 1.0
        self._rect = QRectF()
        self._colours: pg.ColorMap | None = None
        self._levels: tuple[float, float] | None = None
        self._shown = False

    def _new_item(self) -> pg.ImageItem:
        item = pg.ImageItem(axisOrder="row-major")
        item.setZValue(self._z)
        item.hide()
        self._view.addItem(item, ignoreBounds=True)
        return item

    @property
    def shown(self) -> bool:
        return self._shown

    def clear(self) -> None:
        """Show nothing and free the pixels."""
        self._shown = False
        for item in self._items:
            item.clear()
            item.hide()

    def set_array(
        self, array: NDArray[np.generic], rect: QRectF, levels: tuple[float, float] | None, colours: pg.ColorMap | None
    ) -> None:
        """Show an image `(H, W)`, or `(H, W, 3)` uint8 as it is (`levels` None), in a rectangle of the view."""
        copies = reduced_copies(array) if array.ndim == 2 else [array]
        while len(self._items) < len(copies):
            self._items.append(self._new_item())
        for item in self._items[len(copies) :]:
            item.clear()
            item.hide()
        self._rect, self._levels, self._colours, self._shown = rect, levels, colours, True
        for item, copy in zip(self._items, copies, strict=False):
            item.setImage(copy, autoLevels=False, levels=levels if levels is not None else (0, 255))
            item.setRect(rect)
            item.setOpacity(self._opacity)
            if levels is not None and colours is not None:
                item.setColorMap(colours)
            else:
                item.setLookupTable(None)
        self._copies = len(copies)
        self.choose()

    def set_levels(self, levels: tuple[float, float]) -> None:
        """Change the contrast limits."""
        self._levels = levels
        for item in self._items:
            if item.image is not None:
                item.setLevels(levels)

    def set_colours(self, colours: pg.ColorMap) -> None:
        """Change the colour map."""
        self._colours = colours
        if self._levels is not None:
            for item in self._items:
                item.setColorMap(colours)

    def set_rect(self, rect: QRectF) -> None:
        """Move the picture in the view."""
        self._rect = rect
        for item in self._items:
            if item.image is not None:
                item.setRect(rect)

    def set_opacity(self, opacity: float) -> None:
        """Transparency from 0 (not seen) to 1."""
        self._opacity = opacity
        for item in self._items:
            item.setOpacity(opacity)

    def choose(self) -> None:
        """Show the copy whose pixels are about as large as the screen's; called when the view changes."""
        if not self._shown:
            return
        wide, high = self._view.viewPixelSize()
        array_cols = self._items[0].image.shape[1]
        pixel = max(wide, high) * array_cols / max(self._rect.width(), 1e-9)
        wanted = math.floor(math.log2(pixel) + 0.25) if pixel > 1 else 0
        wanted = min(max(wanted, 0), self._copies - 1)
        for index, item in enumerate(self._items):
            item.setVisible(index == wanted)
