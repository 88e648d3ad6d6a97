"""The picture of the Check page with the mask laid over it, and the light or the match along the dispersion axis below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_gui.plots.image_panel import MOST_FLAGS, ImagePanel
from cassi_gui.plots.profile import ProfilePlot
from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.theme import SPACE, Palette
from cassi_gui.widgets.overlay_controls import OverlayControls

if TYPE_CHECKING:
    from cassi_core.quality.orientation import BandTrain
    from cassi_core.quality.placement import AxisProfile

PLACE_MARGIN = 0.3
"""Share of its size that is shown on every side of the place of a finding."""
LIGHT_KIND, MATCH_KIND = "Light", "Match of the mask"
REST_MS = 150
"""A drag is over when the hand rests this long: one edit, which undo takes back as a whole."""
Place = tuple[int, int, int, int]


class CheckView(QSplitter):
    """Shows inputs and start values; says where the mask was dragged to, and which snapshot is looked at."""

    mask_moved = Signal(float, float)
    """Row and column of the first pixel of the mask's footprint, fractions included."""
    frame_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.setObjectName("check_splitter")
        self.setChildrenCollapsible(False)
        self._inputs: CalibrationInputs | None = None
        self._values: dict[str, float] = {}
        self._light: AxisProfile | None = None
        self._train: BandTrain | None = None
        self._travel_px = 0.0
        self._moved_to = (0.0, 0.0)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._on_rest)
        self._build()

    def _build(self) -> None:
        self.picture = ImagePanel("check_picture", "Measurement and mask")
        self.picture.footprint_moved.connect(self._on_footprint_moved)
        self.profile = ProfilePlot("check_profile", "Along the dispersion axis")
        self.controls = OverlayControls()
        self.controls.frame_chosen.connect(self._show_frame)
        self.controls.changed.connect(self.draw_mask)
        self.axis_kind = ChoiceBox()
        self.axis_kind.addItems([LIGHT_KIND, MATCH_KIND])
        self.axis_kind.setObjectName("check.axis_kind")
        self.axis_kind.setAccessibleName("Shown along the axis")
        self.axis_kind.setToolTip("The light, or how well the mask matches at each shift")
        self.axis_kind.currentIndexChanged.connect(self._draw_axis)
        self.profile.header.insertWidget(1, self.axis_kind)
        self.profile.setMinimumHeight(140)
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.picture, 1)
        column.addWidget(self.controls)
        self.addWidget(top)
        self.addWidget(self.profile)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        self.reset_layout()

    def reset_layout(self) -> None:
        """Sizes as at the first start: the picture gets most of the page."""
        self.setSizes([450, 150])

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.picture.set_palette(palette)
        self.profile.set_palette(palette)
        self.controls.set_palette(palette)

    # -- data -----------------------------------------------------------------------------------------------------
    def set_inputs(self, inputs: CalibrationInputs | None, parameters: ParameterSet) -> None:
        """Show other inputs from their first snapshot on; None empties everything."""
        self._inputs, self._values = inputs, parameters.values()
        self._light = self._train = None
        self.axis_kind.setCurrentIndex(0)
        self.controls.setEnabled(inputs is not None)
        if inputs is None:
            self.picture.set_overlay(None)
            self.picture.set_footprint(None)
            self.picture.flag_pixels(None)
            self.picture.set_image(None, empty="Load a measurement and a mask: they appear here, one over the other.")
            self.profile.set_profile(None, empty="The light along the dispersion axis appears here.")
            self.controls.place.clear()
            self.controls.set_choices((), 1)
            return
        self._travel_px = inputs.dispersion.travel_px
        self.controls.set_choices([Path(f.source.path).name for f in inputs.frames], inputs.dispersion.n_bands)
        self._show_frame()

    def set_parameters(self, parameters: ParameterSet) -> None:
        """Lay the mask where the start values put it."""
        self._values = parameters.values()
        self.draw_mask()

    def set_light(self, light: AxisProfile | None) -> None:
        """The light along the axis of the snapshot on show."""
        self._light = light
        self._draw_axis()

    def set_train(self, train: BandTrain | None) -> None:
        """The match of the mask along the axis, where the mask was found."""
        self._train = train
        self._draw_axis()

    def zoom_to(self, place: Place) -> None:
        """Show a box (row, col, end row, end col) with some of what is around it."""
        row0, col0, row1, col1 = place
        beside = max(row1 - row0, col1 - col0) * PLACE_MARGIN
        where = QRectF(col0 - 0.5 - beside, row0 - 0.5 - beside, col1 - col0 + 2 * beside, row1 - row0 + 2 * beside)
        self.picture.view.setRange(where, padding=0)

    def flag_pixels(self, flags: NDArray[np.bool_] | None, place: Place | None) -> None:
        """Frame single pixels; only those of a place when there are too many."""
        if flags is not None and place is not None and np.count_nonzero(flags) > MOST_FLAGS:
            row0, col0, row1, col1 = place
            inside = np.zeros_like(flags)
            inside[row0:row1, col0:col1] = flags[row0:row1, col0:col1]
            flags = inside
        self.picture.flag_pixels(flags)

    # -- drawing --------------------------------------------------------------------------------------------------
    @Slot()
    def _show_frame(self) -> None:
        if self._inputs is None:
            return
        self.picture.set_image(self._inputs.frames[self.controls.frame_index].image)
        self.picture.flag_pixels(None)
        self.picture.set_overlay(None)
        self.draw_mask()
        self.frame_chosen.emit()

    @Slot()
    def draw_mask(self) -> None:
        """The mask where the chosen band's light should land with the present start values."""
        if self._inputs is None:
            return
        from cassi_core.quality.placement import footprint

        controls = self.controls
        rect = footprint(self._inputs, self._values, controls.band_index)
        self.picture.set_footprint(rect, movable=controls.movable.isChecked())
        self.picture.set_overlay(self._inputs.mask, controls.strength)
        dx, dy = (f"{self._values[n]:+.2f}".replace("-", "−") for n in ("dx", "dy"))
        controls.place.setText(f"start dx {dx} px, dy {dy} px")

    @Slot()
    def _draw_axis(self) -> None:
        if self._inputs is None:
            return
        if self.axis_kind.currentText() == MATCH_KIND:
            self._draw_match()
        elif self._light is not None:
            light = self._light
            marks = [(light.begin, "first band begins", False), (light.end, "last band ends", False)]
            if light.full_begin < light.full_end:
                marks += [(light.full_begin, "all bands", False), (light.full_end, "all bands end", False)]
            self.profile.set_axes("pixel along the dispersion", "px", "light")
            self.profile.set_profile(light.level, marks)

    def _draw_match(self) -> None:
        train = self._train
        if train is None:
            self.profile.set_profile(None, empty="When the mask is found, its match at each shift appears here.")
            return
        marks = [(0.0, "first band expected", False), (self._travel_px, "last band expected", False)]
        marks += [(p, t, True) for p, t in ((train.begin_px, "begins"), (train.end_px, "ends")) if p is not None]
        self.profile.set_axes("shift of the mask along the dispersion", "px", "match (noise = 1)")
        self.profile.set_profile(train.z, marks, positions=train.shifts_px)

    @Slot(object)
    def _on_footprint_moved(self, position: tuple[float, float]) -> None:
        self._moved_to = position
        self._rest.start()

    @Slot()
    def _on_rest(self) -> None:
        self.mask_moved.emit(*self._moved_to)
