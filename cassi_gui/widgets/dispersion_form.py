"""Bands, step, direction and fractions of the nominal dispersion: set by hand, or left to the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from cassi_gui.style.boxes import ChoiceBox, CountBox, DecimalBox
from cassi_gui.style.theme import MARGIN, SPACE

DIRECTIONS = ("right", "down", "left", "up")
MODES = (("interpolated", "Interpolated"), ("integer", "Whole pixels"))
AUTO = "auto"


@dataclass(frozen=True)
class DispersionValues:
    """What a person set; None: left to the file or the widths."""

    n_bands: int | None
    step_px: float | None
    direction: str
    mode: str


class DispersionForm(QFrame):
    """A card with four fields; emits `edited` with :class:`DispersionValues`."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dispersion_form")
        self.setProperty("role", "card")
        self.setAccessibleName("Dispersion")
        self._filling = False
        title = QLabel("Dispersion")
        title.setProperty("role", "heading")
        self.effective = QLabel()
        self.effective.setObjectName("dispersion_effective")
        self.effective.setProperty("role", "small")
        self.effective.setWordWrap(True)
        self.bands = CountBox()
        self.bands.setRange(0, 999)
        self.bands.setSpecialValueText(AUTO)
        self.step = DecimalBox()
        self.step.setRange(0.0, 100.0)
        self.step.setDecimals(4)
        self.step.setSingleStep(0.1)
        self.step.setSuffix(" px/band")
        self.step.setSpecialValueText(AUTO)
        self.direction = ChoiceBox()
        self.direction.addItems([d.capitalize() for d in DIRECTIONS])
        self.mode = ChoiceBox()
        for _, text in MODES:
            self.mode.addItem(text)
        fields = (
            ("bands", "Bands", self.bands, "Number of spectral bands; auto: from the file or from the widths"),
            ("step", "Step", self.step, "Travel from one band to the next in px/band; auto: from the file or the widths"),
            ("direction", "Direction", self.direction, "Where the later bands land on the sensor"),
            ("mode", "Fractions", self.mode, "How fractions of a pixel are treated: split between two pixels, or rounded"),
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(SPACE // 2)
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.effective, 0, 1, 1, 3)
        for column, (name, text, widget, tip) in enumerate(fields):
            label = QLabel(text)
            label.setBuddy(widget)
            label.setProperty("role", "small")
            label.setToolTip(tip)
            widget.setObjectName(f"dispersion.{name}")
            widget.setAccessibleName(text)
            widget.setToolTip(tip)
            grid.addWidget(label, 1, column)
            grid.addWidget(widget, 2, column)
            grid.setColumnStretch(column, 1)
        for spin in (self.bands, self.step):
            spin.valueChanged.connect(self._on_edited)
        for combo in (self.direction, self.mode):
            combo.currentIndexChanged.connect(self._on_edited)

    def values(self) -> DispersionValues:
        """What the fields say."""
        return DispersionValues(
            self.bands.value() or None,
            self.step.value() or None,
            DIRECTIONS[self.direction.currentIndex()],
            MODES[self.mode.currentIndex()][0],
        )

    def set_values(self, values: DispersionValues, effective: Any, *, from_table: bool = False, locked: bool = False) -> None:
        """Fill the fields and say what is in force (`effective` has n_bands, step_px, travel_px; None: nothing is loaded)."""
        self._filling = True
        self.bands.setValue(values.n_bands or 0)
        self.step.setValue(values.step_px or 0.0)
        self.direction.setCurrentIndex(DIRECTIONS.index(values.direction))
        self.mode.setCurrentIndex([m for m, _ in MODES].index(values.mode))
        self._filling = False
        self.step.setEnabled(not from_table and not locked)
        self.bands.setEnabled(not from_table and not locked)
        for combo in (self.direction, self.mode):
            combo.setEnabled(not locked)
        if effective is None:
            self.effective.setText("Leave a field on auto to take it from the file or from the widths.")
        else:
            origin = (
                "the table"
                if from_table
                else "the demo"
                if locked
                else "your settings"
                if self._by_hand(values)
                else "the file"
            )
            self.effective.setText(
                f"In force: {effective.n_bands} bands, {effective.step_px:.4g} px/band, "
                f"{effective.travel_px:.4g} px from the first to the last (from {origin})."
            )

    @staticmethod
    def _by_hand(values: DispersionValues) -> bool:
        return values.n_bands is not None or values.step_px is not None

    @Slot()
    def _on_edited(self) -> None:
        if not self._filling:
            self.edited.emit(self.values())
