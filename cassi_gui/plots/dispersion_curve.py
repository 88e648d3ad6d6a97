"""A measured dispersion: the travel over the wavelength with its curve, and below what is left over, with error bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from cassi_gui.plots import export
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import label_axis, pen

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CurveData:
    """Frames: wavelengths in nm, travel, standard errors, residuals along and across in pixels, each `(N,)`; the curve, finely `(M,)`."""

    wavelengths_nm: Values
    travel_px: Values
    sigma_px: Values
    residual_along_px: Values
    residual_across_px: Values
    curve_nm: Values
    curve_px: Values


class DispersionCurvePlot(PlotPanel):
    """Two plots over one axis of wavelengths."""

    def __init__(self, name: str = "dispersion_curve", title: str = "Dispersion", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self.upper, self.beneath = self._add_plot(0, 0), self._add_plot(1, 0)
        self.beneath.setXLink(self.upper)
        self.graphics.ci.layout.setRowStretchFactor(0, 3)
        self.graphics.ci.layout.setRowStretchFactor(1, 2)
        for plot in (self.upper, self.beneath):
            plot.getAxis("left").setWidth(64)
        self._curve = pg.PlotDataItem()
        self._points = pg.PlotDataItem(pen=None, symbol="o", symbolSize=7)
        self._along = pg.PlotDataItem(pen=None, symbol="o", symbolSize=7)
        self._across = pg.PlotDataItem(pen=None, symbol="t", symbolSize=7)
        self._bars = pg.ErrorBarItem(x=np.zeros(1), y=np.zeros(1), height=np.zeros(1))
        self._zero = pg.InfiniteLine(0, 0)
        for item in (self._curve, self._points):
            self.upper.addItem(item)
        for item in (self._zero, self._bars, self._along, self._across):
            self.beneath.addItem(item)
        self._data: CurveData | None = None
        self.graphics.setToolTip(
            "Above: travel of each frame in px over its wavelength in nm; below: what the curve leaves over, in px"
        )
        label_axis(self.upper, "left", "travel", "px", self._palette)
        label_axis(self.beneath, "left", "left over", "px", self._palette)
        label_axis(self.beneath, "bottom", "wavelength", "nm", self._palette)
        self.set_palette(self._palette)
        self.set_empty("The measured dispersion appears here.")

    def set_data(self, data: CurveData) -> None:
        """Show the frames and their curve."""
        self._data = data
        self._curve.setData(data.curve_nm, data.curve_px)
        self._points.setData(data.wavelengths_nm, data.travel_px)
        self._along.setData(data.wavelengths_nm, data.residual_along_px)
        self._across.setData(data.wavelengths_nm, data.residual_across_px)
        self._bars.setData(x=data.wavelengths_nm, y=data.residual_along_px, height=2 * data.sigma_px)
        self.set_detail("\u25cf along the axis with standard errors, \u25bc across")
        self.set_empty("")

    @property
    def data(self) -> CurveData | None:
        """What is shown."""
        return self._data

    def table(self) -> export.Table:
        if self._data is None:
            return export.Table((), ())
        d = self._data
        header = ("wavelength (nm)", "travel (px)", "sigma (px)", "residual along (px)", "residual across (px)")
        columns = (d.wavelengths_nm, d.travel_px, d.sigma_px, d.residual_along_px, d.residual_across_px)
        return export.Table(header, tuple(zip(*(c.tolist() for c in columns), strict=True)))

    def _repaint(self) -> None:
        first, second = self._palette.series[0], self._palette.series[1]
        self._curve.setPen(pen(first, 2.0))
        for item, colour in ((self._points, first), (self._along, first), (self._across, second)):
            item.setSymbolBrush(colour)
            item.setSymbolPen(None)
        self._bars.setData(pen=pen(first, 1.2))
        self._zero.setPen(pen(self._palette.muted, 1.0, Qt.PenStyle.DashLine))
