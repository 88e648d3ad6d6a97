"""The pictures that prove or disprove a calibration: before and after, leftover shifts, spectra at picked points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from cassi_core.quality.display import mean_spectrum, spectrum_at
from cassi_core.quality.pictures import ResultPictures
from cassi_core.result import CalibrationResult
from cassi_gui.plots.before_after import BeforeAfterPanel, Side
from cassi_gui.plots.shift_field import ShiftFieldPanel
from cassi_gui.plots.spectrum import WHOLE_SCENE, Spectrum, SpectrumPanel
from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.theme import SPACE, Palette

UNIT = "measurement units"
SUBJECTS = ("Residual", "Measurement fit", "Reconstruction")
HINTS = {
    "Residual": "What the model cannot explain: fainter after the fit is better (B flips). The rest at sharp edges of the "
    "scene comes from the smoothness of the reconstruction.",
    "Measurement fit": "What the model says the camera should have seen, beside what it saw.",
    "Reconstruction": "The scene as rebuilt, for orientation: it reacts little to the mask, the residual reacts much. "
    "Click a point for its spectrum.",
}
NO_RUN = "Run a calibration first (page 3): the proof appears here."
NO_MAPS = (
    "The pictures of this run are not in memory: they are kept for the latest runs and the accepted one, when the setting "
    "'quality, maps' is on. Run again to see them."
)
OTHER_INPUTS = "The measurement of this run is not loaded any more. Load it again to see the fit."

Point = tuple[int, int, str, int]


class ProofView(QWidget):
    """Signals: `point_picked` (row, col of the reconstruction), `export_requested`, `cursor_text`."""

    point_picked = Signal(object)
    export_requested = Signal(object)
    cursor_text = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("proof")
        self._result: CalibrationResult | None = None
        self._pictures: ResultPictures | None = None
        self._measured: NDArray[np.float32] | None = None
        self._reference: NDArray[np.float32] | None = None
        self._points: tuple[Point, ...] = ()
        self.subject_box = ChoiceBox()
        self.subject_box.addItems(list(SUBJECTS))
        self.subject_box.setObjectName("proof_subject")
        self.subject_box.setAccessibleName("What is compared")
        self.subject_box.setToolTip("What is compared before and after the fit")
        self.subject_box.currentIndexChanged.connect(self._draw_pictures)
        self.hint = QLabel()
        self.hint.setObjectName("proof_hint")
        self.hint.setProperty("role", "small")
        self.hint.setWordWrap(True)
        self.flip = BeforeAfterPanel("proof_flip", "Residual")
        self.shifts = ShiftFieldPanel("proof_shifts", "Leftover shifts")
        self.spectra = SpectrumPanel("proof_spectra", "Spectra")
        self.flip.side_changed.connect(self._draw_shifts)
        self.flip.point_picked.connect(self._on_point)
        self.flip.cursor_moved.connect(self._on_cursor)
        for panel in self.panels:
            panel.export_requested.connect(self.export_requested)
        self._build()
        self.set_result(None)

    @property
    def panels(self) -> tuple[Any, ...]:
        return (self.flip, self.shifts, self.spectra)

    def _build(self) -> None:
        chooser = QHBoxLayout()
        chooser.setSpacing(SPACE)
        chooser.addWidget(self.subject_box, 0, Qt.AlignmentFlag.AlignTop)
        chooser.addWidget(self.hint, 1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addLayout(chooser)
        column.addWidget(self.flip, 1)
        self._right = QSplitter(Qt.Orientation.Vertical)
        self._right.setObjectName("proof_right_splitter")
        self._right.setChildrenCollapsible(False)
        self._right.setHandleWidth(SPACE)
        self._right.addWidget(self.shifts)
        self._right.addWidget(self.spectra)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("proof_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(SPACE * 2)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self._right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.addWidget(self.splitter)
        self.reset_layout()

    # -- data -----------------------------------------------------------------------------------------------------
    def set_result(
        self,
        result: CalibrationResult | None,
        measured: NDArray[np.float32] | None = None,
        reference: NDArray[np.float32] | None = None,
    ) -> None:
        """Show a result; `measured` and `reference` only when they are those that it was computed from."""
        self._result, self._measured, self._reference = result, measured, reference
        self._pictures = None
        self._draw_pictures()
        self._draw_shifts()
        self._draw_spectra()

    def set_pictures(self, pictures: ResultPictures) -> None:
        """Bring the pictures that were computed in the background."""
        self._pictures = pictures
        self._draw_pictures()
        self._draw_spectra()

    def set_points(self, points: Sequence[Point]) -> None:
        """Points of the scene (row, col, label, colour index) whose spectra are shown."""
        self._points = tuple(points)
        self._mark_points()
        self._draw_spectra()

    def toggle_blink(self) -> None:
        """Flip between before and after once."""
        self.flip.flip()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        for panel in self.panels:
            panel.set_palette(palette)

    def reset_layout(self) -> None:
        """Sizes as at the first start."""
        self.splitter.setSizes([580, 420])
        self._right.setSizes([500, 500])

    @property
    def subject(self) -> str:
        return self.subject_box.currentText()

    # -- drawing ----------------------------------------------------------------------------------------------------
    @Slot()
    def _draw_pictures(self, _index: int = 0) -> None:
        self.hint.setText(HINTS[self.subject])
        maps = None if self._result is None else self._result.maps
        if maps is None:
            self.flip.set_sides(self.subject, (), empty=NO_RUN if self._result is None else NO_MAPS)
        elif self.subject == "Residual":
            sides = (Side("Before", maps.residual_before), Side("After", maps.residual_after))
            self.flip.set_sides(self._titled("Residual"), sides, unit=UNIT, colours="diverging")
        elif self._pictures is None:
            self.flip.set_sides(self.subject, (), empty="Computing the pictures ...")
        elif self.subject == "Measurement fit":
            self._draw_fit(self._pictures)
        else:
            self._draw_reconstruction(self._pictures)
        self._mark_points()

    def _draw_fit(self, pictures: ResultPictures) -> None:
        before, after = pictures.predicted_before, pictures.predicted_after
        if before is None or after is None or self._measured is None:
            self.flip.set_sides("Measurement fit", (), empty=OTHER_INPUTS)
            return
        sides = (Side("Model before", before), Side("Model after", after), Side("Measured", self._measured))
        self.flip.set_sides(self._titled("Measurement fit"), sides, unit=UNIT)

    def _draw_reconstruction(self, pictures: ResultPictures) -> None:
        named = (
            ("Before", pictures.colour_before),
            ("After", pictures.colour_after),
            ("Reference", pictures.colour_reference),
        )
        sides = tuple(Side(word, picture) for word, picture in named if picture is not None)
        self.flip.set_sides(self._titled("Reconstruction"), sides, empty=NO_MAPS)

    def _titled(self, subject: str) -> str:
        """Maps are kept of the first snapshot only: of several it is said."""
        count = len(self._result.inputs) if self._result is not None else 1
        return subject if count < 2 else f"{subject}, first of {count} snapshots"

    @Slot()
    def _draw_shifts(self, _index: int = 0) -> None:
        maps = None if self._result is None else self._result.maps
        if maps is None:
            self.shifts.set_title("Leftover shifts")
            self.shifts.set_shifts(
                (), (1, 1), empty="The shifts that are left over appear here." if self._result is None else NO_MAPS
            )
            return
        before = self.flip.side in ("Before", "Model before")
        self.shifts.set_title(f"Leftover shifts: {'before' if before else 'after'}")
        height, width = maps.residual_after.shape
        self.shifts.set_shifts(maps.shifts_before if before else maps.shifts_after, (height, width))

    def _mark_points(self) -> None:
        self.flip.set_points(self._points if self.subject == "Reconstruction" else ())

    def _draw_spectra(self) -> None:
        maps = None if self._result is None else self._result.maps
        if maps is None or self._result is None:
            self.spectra.set_spectra((), None, empty="Spectra appear here." if self._result is None else NO_MAPS)
            return
        _, height, width = maps.cube_after.shape
        scale = None if self._reference is None or self._pictures is None else self._pictures.reference_scale
        cubes = [("before", maps.cube_before, 1.0), ("after", maps.cube_after, 1.0)]
        if scale is not None and self._reference is not None:
            cubes.append(("scaled reference", self._reference, scale))
        curves = []
        for row, col, label, index in self._points:
            if 0 <= row < height and 0 <= col < width:
                curves += [Spectrum(label, index, kind, k * spectrum_at(cube, row, col)) for kind, cube, k in cubes]
        if not curves:
            curves = [Spectrum(WHOLE_SCENE, 0, kind, k * mean_spectrum(cube)) for kind, cube, k in cubes]
        self.spectra.set_spectra(curves, self._result.dispersion.wavelengths_nm)

    @Slot(object)
    def _on_point(self, pixel: tuple[int, int]) -> None:
        # Points belong to the scene; the other pictures are in the detector's frame, where bands overlap.
        if self.subject == "Reconstruction":
            self.point_picked.emit(pixel)

    @Slot(object)
    def _on_cursor(self, cursor: tuple[int, int, float] | None) -> None:
        self.cursor_text.emit("" if cursor is None else self.flip.value_text(cursor[0], cursor[1]))
