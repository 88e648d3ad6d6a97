"""The scale beside a picture: which colour is which value, with the unit, linear or logarithmic."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from cassi_gui.plots.axes import PowerAxis
from cassi_gui.plots.style import LABEL_PT, pen, plot_font, with_unit
from cassi_gui.style.theme import Palette

BAR_WIDTH = 14
AXIS_WIDTH = 62


class ColourBar(pg.PlotItem):  # type: ignore[misc]
    """A vertical colour scale; the pictures it stands for are coloured by their own owner."""

    def __init__(self) -> None:
        self._axis = PowerAxis("right")
        super().__init__(axisItems={"right": self._axis}, viewBox=pg.ViewBox(enableMenu=False), enableMenu=False)
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        for side in ("left", "bottom", "top"):
            self.hideAxis(side)
        self.showAxis("right")
        self._axis.enableAutoSIPrefix(False)
        self._axis.setWidth(AXIS_WIDTH)
        self._image = pg.ImageItem(np.linspace(0.0, 1.0, 256, dtype=np.float32)[:, None], levels=(0.0, 1.0))
        self.addItem(self._image)
        self.layout.setColumnFixedWidth(1, BAR_WIDTH)
        self.setFixedWidth(BAR_WIDTH + AXIS_WIDTH + 4)
        self.getViewBox().setDefaultPadding(0.0)

    def set_scale(self, low: float, high: float, label: str, unit: str, *, logarithmic: bool = False) -> None:
        """Show the range from `low` to `high`; for `logarithmic` scales both are exponents of ten."""
        self._axis.logarithmic = logarithmic
        self._image.setRect(0.0, low, 1.0, high - low)
        self.getViewBox().setRange(xRange=(0.0, 1.0), yRange=(low, high), padding=0.0)
        self._axis.setLabel(with_unit(label, unit) if label else unit)
        self._axis.resizeEvent()  # centres the new words
        self._axis.picture = None
        self._axis.update()

    def set_shown(self, shown: bool) -> None:
        """Show the scale, or give its room to the picture."""
        self.setVisible(shown)
        self.setFixedWidth(BAR_WIDTH + AXIS_WIDTH + 4 if shown else 0)

    def set_colours(self, colours: pg.ColorMap, palette: Palette) -> None:
        """The colour map of the pictures, and the palette of the axis."""
        self._image.setColorMap(colours)
        self._axis.setPen(pen(palette.muted, 1.0))
        self._axis.setTextPen(pen(palette.plot_foreground, 1.0))
        self._axis.setTickFont(plot_font())
        self._axis.setStyle(tickLength=-3)
        self._axis.setLabel(self._axis.labelText, **{"color": palette.plot_foreground, "font-size": f"{LABEL_PT}pt"})
