"""A spectral cube as a picture: pseudo-colour, or one band chosen with a slider; points can be picked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from cassi_gui.plots.image_panel import ImagePanel
from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.theme import HALF_SPACE


class CubeView(ImagePanel):
    """Shows `(L, H, W)` cubes. The pseudo-colour picture is computed elsewhere and handed in with the cube."""

    band_changed = Signal(object)

    def __init__(self, name: str = "cube", title: str = "Reconstruction", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._cube: NDArray[np.float32] | None = None
        self._colour: NDArray[np.uint8] | None = None
        self._nm: NDArray[np.float64] | None = None
        self._waiting = "The reconstruction appears here while a run goes on."
        self.mode_box = ChoiceBox()
        self.mode_box.addItems(["Pseudo-colour", "Single band"])
        self.mode_box.setObjectName(f"{name}_mode")
        self.mode_box.setAccessibleName(f"{title}: how it is shown")
        self.mode_box.setToolTip("Pseudo-colour from the wavelengths, or one band in grey")
        self.mode_box.currentIndexChanged.connect(self._mode_chosen)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName(f"{name}_band")
        self.slider.setAccessibleName(f"{title}: band")
        self.slider.setToolTip("Band (wavelength in nm where it is known)")
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(self._band_chosen)
        self.band_label = QLabel()
        self.band_label.setObjectName(f"{name}_band_label")
        self.band_label.setMinimumWidth(self.band_label.fontMetrics().horizontalAdvance("band 28 of 28, 650.5 nm"))
        row = QHBoxLayout()
        row.setSpacing(HALF_SPACE)
        row.addWidget(self.mode_box)
        row.addWidget(self.slider, 1)
        row.addWidget(self.band_label)
        self.below.addLayout(row)
        self.set_cube(None, None, None)

    def set_waiting(self, text: str) -> None:
        """Words shown while there is no cube."""
        self._waiting = text
        if self._cube is None:
            self.set_empty(text)

    def set_cube(
        self,
        cube: NDArray[np.float32] | None,
        wavelengths_nm: NDArray[np.float64] | None,
        colour: NDArray[np.uint8] | None,
    ) -> None:
        """Show a cube, its wavelengths in nm and its pseudo-colour picture `(H, W, 3)`; None shows words instead."""
        self._cube, self._nm, self._colour = cube, wavelengths_nm, colour
        n = 0 if cube is None else cube.shape[0]
        self.slider.blockSignals(True)
        if n and self.slider.maximum() != n - 1:
            self.slider.setRange(0, n - 1)
            self.slider.setValue(n // 2)
        self.slider.blockSignals(False)
        for widget in (self.mode_box, self.slider):
            widget.setEnabled(n > 0)
        self._draw()

    @property
    def band(self) -> int | None:
        """Index of the band on show; None in pseudo-colour."""
        return self.slider.value() if self._cube is not None and self.mode_box.currentIndex() == 1 else None

    def _draw(self) -> None:
        band = self.band
        self.slider.setEnabled(band is not None)
        if self._cube is None:
            self.band_label.setText("")
            self.set_image(None, empty=self._waiting)
            return
        n = self._cube.shape[0]
        if band is None:
            reach = f", {self._nm[0]:.0f} to {self._nm[-1]:.0f} nm" if self._nm is not None else ""
            self.band_label.setText(f"{n} bands{reach}")
            picture = self._colour if self._colour is not None else self._cube[n // 2]
        else:
            nm = f", {self._nm[band]:.1f} nm" if self._nm is not None else ""
            self.band_label.setText(f"band {band + 1} of {n}{nm}")
            picture = self._cube[band]
        self.set_image(picture, unit="relative")

    @Slot(int)
    def _mode_chosen(self, _index: int) -> None:
        self._draw()
        self.band_changed.emit(self.band)

    @Slot(int)
    def _band_chosen(self, _value: int) -> None:
        self._draw()
        self.band_changed.emit(self.band)
