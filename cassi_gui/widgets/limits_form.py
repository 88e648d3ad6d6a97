"""The limits of a rig as a form: bounds of each parameter, how large a change may be, what it is counted from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QLocale, Qt, Signal, Slot
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from cassi_core.errors import CassiError
from cassi_core.logbook.entry import LogEntry, local_day
from cassi_core.logbook.limits import DEFAULT_SIGMAS, Limit, RigLimits
from cassi_core.parameters import PARAMETER_NAMES, SPECS
from cassi_gui.style.boxes import ChoiceBox, DecimalBox
from cassi_gui.style.theme import GAP, SPACE

FIELD_WIDTH = 68
COLUMNS = 3
"""Parameters stand in this many columns: nine rows would not fit below the table."""
MEDIAN = "the median of the earlier entries"


class LimitsForm(QWidget):
    """Shows a :class:`RigLimits`; an edit that makes sense is reported by `edited`, another one is explained."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("limits_form")
        self._limits: RigLimits | None = None
        self.fields: dict[str, tuple[QLineEdit, QLineEdit]] = {}
        self.judge = QCheckBox("A change is a drift beyond")
        self.judge.setObjectName("limits_judge")
        self.judge.setToolTip("Compare each calibration with what was measured before, in units of its standard error")
        self.sigmas = DecimalBox()
        self.sigmas.setObjectName("limits_sigmas")
        self.sigmas.setAccessibleName("Standard errors that a change may have")
        self.sigmas.setToolTip("How many standard errors of the difference a change may have")
        self.sigmas.setRange(0.5, 1000.0)
        self.sigmas.setDecimals(1)
        self.sigmas.setSuffix(" standard errors")
        self.reference = ChoiceBox()
        self.reference.setObjectName("limits_reference")
        self.reference.setAccessibleName("What changes are counted from")
        self.reference.setToolTip(
            "What changes are counted from: the median of the entries before, or one entry that you trust"
        )
        self.message = QLabel()
        self.message.setObjectName("limits_message")
        self.message.setWordWrap(True)
        self.message.setProperty("status", "bad")
        self._build()
        for low, high in self.fields.values():
            low.editingFinished.connect(self._on_edited)
            high.editingFinished.connect(self._on_edited)
        self.judge.toggled.connect(self._on_edited)
        self.sigmas.valueChanged.connect(self._on_edited)
        self.reference.currentIndexChanged.connect(self._on_edited)

    def _build(self) -> None:
        changes = QHBoxLayout()
        changes.setSpacing(SPACE)
        for widget in (self.judge, self.sigmas, QLabel("counted from"), self.reference):
            changes.addWidget(widget)
        changes.addStretch(1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(SPACE // 2)
        rows = -(-len(PARAMETER_NAMES) // COLUMNS)
        for index, name in enumerate(PARAMETER_NAMES):
            column, row = divmod(index, rows)
            self._add_row(grid, name, row, 6 * column)
        for column in range(1, COLUMNS):
            grid.setColumnMinimumWidth(6 * column - 1, GAP)
        grid.setColumnStretch(6 * COLUMNS, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        hint = QLabel("A value outside its limits is a drift. Leave a field empty for no limit on that side.")
        hint.setProperty("role", "small")
        layout.addWidget(hint)
        layout.addLayout(grid)
        layout.addLayout(changes)
        layout.addWidget(self.message)
        layout.addStretch(1)

    def _add_row(self, grid: QGridLayout, name: str, row: int, column: int) -> None:
        spec = SPECS[name]
        label = QLabel(name)
        label.setToolTip(spec.description)
        grid.addWidget(label, row, column)
        pair = (QLineEdit(), QLineEdit())
        for field, side, offset in zip(pair, ("lower", "upper"), (1, 3), strict=True):
            field.setObjectName(f"limits_{name}_{side}")
            field.setAccessibleName(f"{side.capitalize()} limit of {name}")
            field.setToolTip(f"{side.capitalize()} limit of {name}{f' in {spec.unit}' if spec.unit else ''}; empty: none")
            field.setPlaceholderText("none")
            field.setFixedWidth(FIELD_WIDTH)
            validator = QDoubleValidator(field)
            validator.setLocale(QLocale.c())
            field.setValidator(validator)
            grid.addWidget(field, row, column + offset)
        grid.addWidget(QLabel("\N{HORIZONTAL ELLIPSIS}"), row, column + 2, Qt.AlignmentFlag.AlignCenter)
        unit = QLabel(spec.unit)
        unit.setProperty("role", "small")
        grid.addWidget(unit, row, column + 4)
        self.fields[name] = pair

    def set_limits(self, limits: RigLimits | None, entries: Sequence[LogEntry] = ()) -> None:
        """Show the limits of a rig and offer its entries as references; None: no rig is chosen."""
        # What is being typed is not taken away by an answer that arrives meanwhile.
        if limits == self._limits and self._offered(entries) == self._references():
            return
        self._limits = None
        self.setEnabled(limits is not None)
        shown = limits or RigLimits("-")
        for name, (low, high) in self.fields.items():
            bounds = shown.limit(name)
            low.setText(_text(bounds.lower))
            high.setText(_text(bounds.upper))
        self.judge.setChecked(shown.sigmas is not None)
        self.sigmas.setValue(shown.sigmas or DEFAULT_SIGMAS)
        self.sigmas.setEnabled(shown.sigmas is not None)
        self.reference.clear()
        for text, entry_id in self._offered(entries):
            self.reference.addItem(text, entry_id)
        self.reference.setCurrentIndex(max(0, self.reference.findData(shown.reference)))
        self.message.clear()
        self._limits = limits

    @staticmethod
    def _offered(entries: Sequence[LogEntry]) -> list[tuple[str, int | None]]:
        newest_first = reversed([e for e in entries if e.in_force])
        return [(MEDIAN, None), *((f"entry {e.id}, {local_day(e.calibrated)}", e.id) for e in newest_first)]

    def _references(self) -> list[tuple[str, int | None]]:
        return [(self.reference.itemText(i), self.reference.itemData(i)) for i in range(self.reference.count())]

    @Slot()
    def _on_edited(self) -> None:
        if self._limits is None:
            return
        self.sigmas.setEnabled(self.judge.isChecked())
        try:
            wanted = self._wanted(self._limits)
        except CassiError as error:
            self.message.setText(f"Not kept: {error}.")
            return
        self.message.clear()
        if wanted != self._limits:
            self._limits = wanted
            self.edited.emit(wanted)

    def _wanted(self, limits: RigLimits) -> RigLimits:
        sigmas = self.sigmas.value() if self.judge.isChecked() else None
        wanted = replace(limits, sigmas=sigmas, reference=self.reference.currentData())
        for name, (low, high) in self.fields.items():
            try:
                wanted = wanted.with_limit(name, Limit(_number(low.text()), _number(high.text())))
            except CassiError as error:
                raise type(error)(f"{name}: {error}") from None
        return wanted


def _text(value: float | None) -> str:
    return "" if value is None else repr(value)


def _number(text: str) -> float | None:
    return float(text.strip()) if text.strip() else None
