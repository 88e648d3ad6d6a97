"""Tuning by hand: value - step, value, value + step of one parameter side by side; pick the best, halve the step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cassi_core.parameters import GEOMETRY_NAMES, SPECS, ParameterSet, format_value
from cassi_core.quality.display import symmetric_levels
from cassi_gui.plots.image_panel import ImagePanel
from cassi_gui.plots.linking import PanelLink
from cassi_gui.style.boxes import ChoiceBox, NumberBox
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, Palette

SIGNS = (-1, 0, 1)
WORDS = ("value - step", "value", "value + step")
FIRST_STEPS = 4.0
"""The first step is this many derivative steps of the parameter: wide enough to see a difference."""


@dataclass(frozen=True, eq=False)
class Look:
    """What is shown of a candidate: residual map, pseudo-colour picture, score (lower is better)."""

    residual: NDArray[np.float32]
    colour: NDArray[np.uint8]
    score: float


class CandidateTuner(QWidget):
    """Signals: `wanted` with the three ParameterSets to look at; `apply_requested` with the chosen set; `cursor_text`."""

    wanted = Signal(object)
    apply_requested = Signal(object)
    export_requested = Signal(object)
    cursor_text = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("candidate_tuner")
        self._parameters: ParameterSet | None = None
        self._looks: list[Look | None] = [None, None, None]
        self._palette: Palette = LIGHT
        self._unit = ""
        self._build_controls()
        self.panels: list[ImagePanel] = []
        self._link: PanelLink | None = None
        self._scores = [QLabel() for _ in SIGNS]
        self._picks = [QPushButton("Go on from here") for _ in SIGNS]
        self._grid = grid = QGridLayout()
        grid.setSpacing(SPACE)
        for i, (score, pick) in enumerate(zip(self._scores, self._picks, strict=True)):
            score.setObjectName(f"candidate_score_{i}")
            pick.setObjectName(f"candidate_pick_{i}")
            pick.setAccessibleName(f"Go on from {WORDS[i]}")
            pick.setToolTip(f"Make the {WORDS[i]} the new middle")
            pick.clicked.connect(partial(self._pick, i))
            row = QHBoxLayout()
            row.addWidget(score, 1)
            row.addWidget(pick)
            grid.addLayout(row, 1, i)
            grid.setColumnStretch(i, 1)
        grid.setRowStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(self._controls)
        layout.addLayout(grid, 1)
        layout.addLayout(self._below)
        self.set_start(None)

    def showEvent(self, event: QShowEvent) -> None:
        self._build_panels()
        super().showEvent(event)

    def _build_panels(self) -> None:
        """Make the three pictures when they are first needed: the window opens sooner without them."""
        if self.panels:
            return
        self.panels = [ImagePanel(f"candidate_{i}", WORDS[i], axes=False) for i in range(len(SIGNS))]
        self._link = PanelLink(self.panels, self)
        for i, panel in enumerate(self.panels):
            panel.export_requested.connect(self.export_requested)
            panel.cursor_moved.connect(partial(self._on_cursor, panel))
            panel.set_palette(self._palette)
            panel.share_scale()
            self._grid.addWidget(panel, 0, i)
        self._update_labels()
        self._draw()

    def _build_controls(self) -> None:
        self.name_box = ChoiceBox()
        self.name_box.addItems(list(GEOMETRY_NAMES))
        self.name_box.setObjectName("tuner_parameter")
        self.name_box.setAccessibleName("Parameter to tune")
        self.name_box.setToolTip("Which parameter differs between the three candidates")
        self.name_box.currentTextChanged.connect(self._name_chosen)
        self.value_label = QLabel()
        self.value_label.setObjectName("tuner_value")
        self.step_box = NumberBox()
        self.step_box.setRange(1e-6, 100.0)
        self.step_box.setObjectName("tuner_step")
        self.step_box.setAccessibleName("Step between the candidates")
        self.step_box.setToolTip("Difference between the candidates, in the unit of the parameter")
        self.step_box.setFixedWidth(130)
        self.step_box.valueChanged.connect(self._step_changed)
        self.halve_button = QPushButton("Halve the step")
        self.halve_button.setObjectName("tuner_halve")
        self.halve_button.setToolTip("Look closer: half the step between the candidates")
        self.halve_button.clicked.connect(self._halve)
        self.show_box = ChoiceBox()
        self.show_box.addItems(["Residual maps", "Reconstructions"])
        self.show_box.setObjectName("tuner_show")
        self.show_box.setAccessibleName("What is shown of the candidates")
        self.show_box.setToolTip("Compare what is left unexplained, or the reconstructed scene")
        self.show_box.currentIndexChanged.connect(self._draw)
        self.apply_button = QPushButton("Use as start of the next run")
        self.apply_button.setObjectName("tuner_apply")
        self.apply_button.setToolTip("Write the values of the middle candidate into the parameter table (can be undone)")
        self.apply_button.clicked.connect(self._apply)
        self.scale_label = QLabel()
        self.scale_label.setObjectName("tuner_scale")
        self.scale_label.setProperty("role", "small")
        self._controls = QHBoxLayout()
        self._controls.setSpacing(HALF_SPACE * 2)
        for text, widget in (("Parameter", self.name_box), ("", self.value_label), ("Step", self.step_box)):
            if text:
                label = QLabel(text)
                label.setBuddy(widget)
                self._controls.addWidget(label)
            self._controls.addWidget(widget)
        self._controls.addWidget(self.halve_button)
        self._controls.addStretch(1)
        self._below = QHBoxLayout()
        self._below.setSpacing(HALF_SPACE * 2)
        self._below.addWidget(self.show_box)
        self._below.addWidget(self.scale_label, 1)
        self._below.addWidget(self.apply_button)

    # -- data -----------------------------------------------------------------------------------------------------
    def set_start(self, parameters: ParameterSet | None, unit: str = "") -> None:
        """Take the parameters to start from (of the run on show); None: nothing to tune yet."""
        self._unit = unit
        self._parameters = parameters
        self._looks = [None, None, None]
        for widget in (self.name_box, self.step_box, self.halve_button, self.show_box, self.apply_button, *self._picks):
            widget.setEnabled(parameters is not None)
        if parameters is not None:
            self._name_chosen(self.name_box.currentText())
        else:
            self._update_labels()
            self._draw()

    @property
    def parameters(self) -> ParameterSet | None:
        """The parameters of the middle candidate."""
        return self._parameters

    @property
    def step(self) -> float:
        return self.step_box.value()

    def candidates(self) -> tuple[ParameterSet, ...]:
        """The three parameter sets, kept within the bounds."""
        if self._parameters is None:
            return ()
        name = self.name_box.currentText()
        p = self._parameters[name]
        values = (min(max(p.value + sign * self.step, p.lower), p.upper) for sign in SIGNS)
        return tuple(self._parameters.edit(name, value=v) for v in values)

    def ask(self) -> None:
        """Emit `wanted` for the present candidates, and show that their pictures are on the way."""
        self._looks = [None, None, None]
        self._update_labels()
        self._draw()
        if self._parameters is not None:
            self.wanted.emit(self.candidates())

    def set_look(self, index: int, look: Look) -> None:
        """Bring the pictures and the score of a candidate (0, 1, 2 from the left)."""
        self._looks[index] = look
        self._update_labels()
        self._draw()

    def best(self) -> int | None:
        """Index of the candidate with the lowest score once all three are known."""
        scores = [look.score for look in self._looks if look is not None]
        return int(np.argmin(scores)) if len(scores) == len(SIGNS) else None

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for panel in self.panels:
            panel.set_palette(palette)

    # -- drawing and intent ---------------------------------------------------------------------------------------
    def _update_labels(self) -> None:
        name = self.name_box.currentText()
        spec = SPECS[name]
        self.value_label.setText(
            "" if self._parameters is None else format_value(self._parameters[name].value, None, spec.unit, 4)
        )
        best = self.best()
        for i, (label, look) in enumerate(zip(self._scores, self._looks, strict=True)):
            if look is None:
                label.setText("computing ..." if self._parameters is not None else "")
            else:
                star = "\N{BLACK STAR} lowest: " if i == best else ""
                label.setText(f"{star}residual {look.score:.5f}")
        for panel, candidate in zip(self.panels, self.candidates(), strict=False):
            panel.set_title(format_value(candidate[name].value, None, spec.unit, 4))

    @Slot()
    def _draw(self, _index: int = 0) -> None:
        residuals = self.show_box.currentIndex() == 0
        middle = self._looks[1]
        levels = symmetric_levels(middle.residual) if middle is not None else None
        words = f"blue {levels[0]:.3g} to orange {levels[1]:+.3g} {self._unit}" if levels is not None and residuals else ""
        self.scale_label.setText(words)
        for panel, look in zip(self.panels, self._looks, strict=False):
            if look is None:
                panel.set_image(None, empty="Computing ..." if self._parameters is not None else "Run a calibration first.")
            elif residuals:
                panel.set_image(look.residual, unit=self._unit, colours="diverging", levels=levels)
            else:
                panel.set_image(look.colour)

    @Slot(str)
    def _name_chosen(self, name: str) -> None:
        self.step_box.blockSignals(True)
        self.step_box.setSuffix(f" {SPECS[name].unit}" if SPECS[name].unit else "")
        self.step_box.setToolTip(f"Difference between the candidates ({SPECS[name].unit or 'no unit'})")
        self.step_box.setValue(FIRST_STEPS * SPECS[name].step)
        self.step_box.blockSignals(False)
        self.ask()

    @Slot(float)
    def _step_changed(self, _value: float) -> None:
        self.ask()

    @Slot()
    def _halve(self) -> None:
        self.step_box.setValue(self.step_box.value() / 2)

    def _on_cursor(self, panel: ImagePanel, cursor: tuple[int, int, float] | None) -> None:
        self.cursor_text.emit("" if cursor is None else panel.value_text(cursor[0], cursor[1]))

    def _pick(self, index: int, _checked: bool = False) -> None:
        if self._parameters is not None:
            self._parameters = self.candidates()[index]
            self.ask()

    @Slot()
    def _apply(self) -> None:
        if self._parameters is not None:
            self.apply_requested.emit(self._parameters)
