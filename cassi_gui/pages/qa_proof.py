"""Third glance: four proofs that the eye can judge. Mask edges, what the fit cannot explain, shifts left over, spectra."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QFontMetrics, QHideEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.display import spectrum_at
from cassi_core.quality.pictures import ResultPictures, belongs_to
from cassi_core.result import CalibrationResult, QualityMaps
from cassi_gui.plots.loupe import LoupePanel
from cassi_gui.plots.pair import ViewMode
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.residual_pair import ResidualPanel, ResidualView
from cassi_gui.plots.shift_field import ShiftFieldPanel
from cassi_gui.plots.spectrum import Spectrum, SpectrumPanel
from cassi_gui.style.theme import SPACE, TYPE_SMALL_PT, Palette, font
from cassi_gui.widgets.scene_points import Point, ScenePoints

BLINK_MS = 250
"""Two times to and fro a second."""
NO_RUN = "Run a calibration first: the proof appears here."
NO_MAPS = "The pictures of this run were not kept (setting: quality, maps). Run again to see them."
OTHER_INPUTS = "The picture of this run is not loaded any more. Load it again to see the mask's edges in it."
COMPUTING = "Calculating the mask's edges …"
LATER = "Measured when the search is finished."
MODES = (
    (ViewMode.BOTH, "Before and after", "Both"),
    (ViewMode.BLINK, "Blink  B", "Blink  B"),
    (ViewMode.DIFFERENCE, "Difference", "Difference"),
)
MODE_TIPS = {
    ViewMode.BOTH: "Before and after side by side",
    ViewMode.BLINK: "Before and after in turn, in one place (B)",
    ViewMode.DIFFERENCE: "What is different",
}


def card_of(*parts: QWidget) -> QFrame:
    """A card that holds widgets side by side."""
    card = QFrame()
    card.setProperty("role", "card")
    # The rows share the page evenly, whatever stands on the cards.
    card.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
    layout = QHBoxLayout(card)
    layout.setContentsMargins(SPACE + 4, SPACE - 2, SPACE + 4, SPACE)
    layout.setSpacing(SPACE)
    for part in parts:
        layout.addWidget(part)
    return card


class ViewSwitch(QWidget):
    """Before and after, Blink, or Difference; emits `chosen` with a :class:`ViewMode`."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self.buttons: dict[ViewMode, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for mode, words, _ in MODES:
            button = QPushButton(words)
            button.setObjectName(f"view_{mode.value}")
            button.setToolTip(MODE_TIPS[mode])
            button.setCheckable(True)
            button.setProperty("role", "segment")
            self._group.addButton(button)
            button.clicked.connect(self._on_clicked)
            row.addWidget(button)
            self.buttons[mode] = button
        self.buttons[ViewMode.BOTH].setChecked(True)
        self.set_words(narrow=False, so_far=False)

    @property
    def mode(self) -> ViewMode:
        return next(mode for mode, button in self.buttons.items() if button.isChecked())

    def choose(self, mode: ViewMode) -> None:
        """Press the button of a mode."""
        self.buttons[mode].setChecked(True)
        self.chosen.emit(mode)

    def set_words(self, *, narrow: bool, so_far: bool) -> None:
        """Short words where there is little room; `so_far` of a search that was not finished."""
        for mode, words, short in MODES:
            shown = "Before and so far" if so_far and mode is ViewMode.BOTH else words
            button = self.buttons[mode]
            button.setText(short if narrow else shown)
            # Bold while it is down: the width is that of the bold words.
            button.setFixedWidth(QFontMetrics(font(TYPE_SMALL_PT, bold=True)).horizontalAdvance(button.text()) + 24)

    @Slot()
    def _on_clicked(self) -> None:
        self.chosen.emit(self.mode)


class ProofView(QWidget):
    """Signals: `point_moved` (index, row, column), `export_requested`, `cursor_text`."""

    point_moved = Signal(int, int, int)
    export_requested = Signal(object)
    cursor_text = Signal(str)

    def __init__(self, switch: ViewSwitch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("proof")
        self._result: CalibrationResult | None = None
        self._inputs: CalibrationInputs | None = None
        self._pictures: ResultPictures | None = None
        self._picked: tuple[Point, ...] = ()
        self._narrow = False
        self.switch = switch
        self.loupe = LoupePanel("proof_loupe")
        self.residual = ResidualPanel("proof_residual")
        self.shifts = ShiftFieldPanel("proof_shifts", "Shifts left over")
        self.spectra = SpectrumPanel("proof_spectra", "Spectra")
        self.scene = ScenePoints()
        self._timer = QTimer(self)
        self._timer.setInterval(BLINK_MS)
        self._timer.timeout.connect(self._flip)
        self._build()
        self.switch.chosen.connect(self._on_mode)
        self.scene.moved.connect(self.point_moved)
        for pair in (self.loupe, self.residual):
            pair.cursor_text.connect(self.cursor_text)
        for panel in self.panels:
            panel.export_requested.connect(self.export_requested)
        self.set_result(None, None)

    @property
    def panels(self) -> tuple[PlotPanel, ...]:
        return (self.loupe, self.residual, self.shifts, self.spectra)

    def _build(self) -> None:
        self._above, self._below = QHBoxLayout(), QHBoxLayout()
        for row in (self._above, self._below):
            row.setSpacing(SPACE + 2)
        self._above.addWidget(card_of(self.loupe), 53)
        self._above.addWidget(card_of(self.residual), 47)
        self._shift_card = card_of(self.shifts)
        self._spectra_card = card_of(self.spectra, self.scene)
        self.spectra.setMinimumWidth(150)
        self._below.addWidget(self._shift_card, 40)
        self._below.addWidget(self._spectra_card, 60)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE + 2)
        layout.addLayout(self._above, 51)
        layout.addLayout(self._below, 49)

    # -- data -----------------------------------------------------------------------------------------------------
    def set_result(self, result: CalibrationResult | None, inputs: CalibrationInputs | None) -> None:
        """Show a result; `inputs` are those that are loaded now."""
        self._result = result
        self._inputs = inputs if result is not None and belongs_to(result, inputs) else None
        self._pictures = None
        self._on_mode(ViewMode.BOTH)
        self.switch.choose(ViewMode.BOTH)
        self.switch.set_words(narrow=self._narrow, so_far=self._so_far)
        self._draw()

    def set_pictures(self, pictures: ResultPictures) -> None:
        """Bring what was computed in the background."""
        self._pictures = pictures
        self._draw()

    def set_points(self, points: Sequence[Point]) -> None:
        """Points of the scene (row, col, label, colour index) that a person picked; without any, some are chosen."""
        self._picked = tuple(points)
        self._draw_spectra()

    @property
    def points(self) -> tuple[Point, ...]:
        """The points on show, picked or chosen."""
        if self._picked or self._pictures is None:
            return self._picked
        return tuple((r, c, str(k + 1), k) for k, (r, c) in enumerate(self._pictures.points))

    def toggle_blink(self) -> None:
        """Begin to blink, or stop."""
        blinking = self.switch.mode is ViewMode.BLINK
        self.switch.choose(ViewMode.BOTH if blinking else ViewMode.BLINK)

    @property
    def blinking(self) -> bool:
        return self._timer.isActive()

    def set_narrow(self, narrow: bool) -> None:
        """Short words, one residual, and the spectra at the left where there is little room."""
        self._narrow = narrow
        self.switch.set_words(narrow=narrow, so_far=self._so_far)
        self.loupe.set_narrow(narrow)
        self.residual.set_narrow(narrow)
        for index, card in enumerate(
            (self._spectra_card, self._shift_card) if narrow else (self._shift_card, self._spectra_card)
        ):
            self._below.removeWidget(card)
            self._below.insertWidget(index, card, 58 if card is self._spectra_card else 42)
        self.scene.setVisible(not narrow and self._pictures is not None)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        for panel in self.panels:
            panel.set_palette(palette)
        self.scene.set_palette(palette)

    # -- drawing ----------------------------------------------------------------------------------------------------
    @property
    def _so_far(self) -> bool:
        return self._result is not None and self._result.outcome == "not_finished"

    @property
    def _maps(self) -> QualityMaps | None:
        return None if self._result is None else self._result.maps

    @property
    def _after_word(self) -> str:
        return "So far" if self._so_far else "After"

    def _draw(self) -> None:
        nothing = NO_RUN if self._result is None else NO_MAPS
        loupe = None if self._pictures is None else self._pictures.loupe
        why = nothing if self._maps is None else OTHER_INPUTS if self._inputs is None else COMPUTING
        self.loupe.set_loupe(loupe, empty=why, after=self._after_word)
        self.residual.set_view(self._residual_view(), empty=nothing)
        if self._maps is None or self._so_far:
            self.shifts.set_shifts((), (1, 1), empty=LATER if self._so_far else nothing)
        else:
            height, width = self._maps.residual_after.shape
            self.shifts.set_shifts(self._maps.shifts_after, (height, width))
        self._draw_spectra()

    def _residual_view(self) -> ResidualView | None:
        maps, result = self._maps, self._result
        if maps is None or result is None:
            return None
        noise = None if self._pictures is None else self._pictures.noise_share
        scale, unit = 1.0, "units of the picture"
        if self._pictures is not None and self._pictures.full_scale is not None:
            scale, unit = self._pictures.full_scale, "share of full scale"
        many = len(result.inputs)
        parts = [f"First of {many} pictures."] if many > 1 else []
        parts += [
            "No stripes, no pattern." if r.status == "pass" else f"{r.text[:1].upper()}{r.text[1:].split(':')[0]}."
            for r in result.verdict.reasons
            if r.check == "pattern in what is left"
        ]
        shares = [np.asarray(m / np.float32(scale), np.float32) for m in (maps.residual_before, maps.residual_after)]
        return ResidualView(shares[0], shares[1], result.scores, noise, unit, " ".join(parts), self._after_word)

    def _draw_spectra(self) -> None:
        maps, result = self._maps, self._result
        self.scene.set_scene(None if self._pictures is None or maps is None else self._pictures.colour)
        self.scene.setVisible(self.scene.isVisibleTo(self) and not self._narrow)
        if maps is None or result is None:
            self.spectra.set_title("Spectra")
            self.spectra.set_spectra((), None, empty=NO_RUN if result is None else NO_MAPS)
            return
        self.scene.set_points(self.points)
        curves = self._curves(maps)
        count = len({s.label for s in curves})
        self.spectra.set_title(
            f"Spectra at {('no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight')[min(count, 8)]} point{'' if count == 1 else 's'}"
        )
        self.spectra.set_spectra(curves, result.dispersion.wavelengths_nm, empty="Choosing points …")

    def _curves(self, maps: QualityMaps) -> list[Spectrum]:
        reference: NDArray[np.float32] | None = None if self._inputs is None else self._inputs.reference
        scale = 1.0 if self._pictures is None else self._pictures.reference_scale
        _, height, width = maps.cube_after.shape
        cubes = [("before", maps.cube_before, 1.0), ("after", maps.cube_after, 1.0)]
        if reference is not None and self._pictures is not None:
            cubes.append(("reference", reference, scale))
        return [
            Spectrum(label, index, kind, k * spectrum_at(cube, row, col))
            for row, col, label, index in self.points
            if 0 <= row < height and 0 <= col < width
            for kind, cube, k in cubes
        ]

    # -- comparing --------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_mode(self, mode: ViewMode) -> None:
        for pair in (self.loupe, self.residual):
            pair.set_mode(mode)
        if mode is ViewMode.BLINK and self._maps is not None:
            self._timer.start()
        else:
            self._timer.stop()

    @Slot()
    def _flip(self) -> None:
        for pair in (self.loupe, self.residual):
            pair.flip()

    def hideEvent(self, event: QHideEvent) -> None:
        # A picture that nobody sees must not keep the processor busy.
        if self.blinking:
            self.switch.choose(ViewMode.BOTH)
        super().hideEvent(event)
