"""Which entries of the logbook are shown: rig, days, verdict, withdrawn ones or not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from PySide6.QtCore import QDate, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QDateEdit, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.logbook.selection import Selection
from cassi_gui.style.boxes import ChoiceBox, DayBox
from cassi_gui.style.theme import SPACE

ALL_RIGS = "All rigs"
PERIODS: tuple[tuple[str, int | None], ...] = (
    ("Any time", None),
    ("Last 30 days", 30),
    ("Last 90 days", 90),
    ("Last year", 365),
    ("From \u2026 to", 0),
)
VERDICTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Any verdict", ()),
    ("Pass", ("pass",)),
    ("Warn", ("warn",)),
    ("Fail", ("fail",)),
    ("Pass or warn", ("pass", "warn")),
)


class LogbookFilter(QWidget):
    """One row of choices; emits `changed` after each."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("logbook_filter")
        self.rig = ChoiceBox()
        self.period = ChoiceBox()
        self.since, self.until = DayBox(), DayBox()
        self.verdict = ChoiceBox()
        self.withdrawn = QCheckBox("Withdrawn too")
        for widget, name, title, tip in (
            (self.rig, "rig", "Rig", "Show the entries of this rig; its trends are below"),
            (self.period, "period", "Time", "Show calibrations of this time"),
            (self.since, "since", "First day", "First day that is shown"),
            (self.until, "until", "Last day", "Last day that is shown"),
            (self.verdict, "verdict", "Verdict", "Show calibrations with this verdict"),
            (self.withdrawn, "withdrawn", "Withdrawn entries too", "Also list entries that were taken back"),
        ):
            widget.setObjectName(f"logbook_{name}")
            widget.setAccessibleName(title)
            widget.setToolTip(tip)
        self.rig.addItem(ALL_RIGS)
        self.rig.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.rig.setMinimumContentsLength(12)
        self.period.addItems([text for text, _ in PERIODS])
        self.verdict.addItems([text for text, _ in VERDICTS])
        self._between = QLabel("to")
        self.since.setDate(QDate.currentDate().addMonths(-1))
        self.until.setDate(QDate.currentDate())
        row, days = QHBoxLayout(), QHBoxLayout()
        for part in (self.rig, self.period, self.verdict, self.withdrawn):
            row.addWidget(part)
        # Days come below: beside the others they would push the buttons of the page out of a small window.
        for day in (self.since, self._between, self.until):
            days.addWidget(day)
        days.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE // 2)
        for line in (row, days):
            line.setSpacing(SPACE)
            layout.addLayout(line)
        self._show_days()
        self.rig.currentIndexChanged.connect(self._on_changed)
        self.period.currentIndexChanged.connect(self._on_changed)
        self.verdict.currentIndexChanged.connect(self._on_changed)
        self.since.dateChanged.connect(self._on_since)
        self.until.dateChanged.connect(self._on_until)
        self.withdrawn.toggled.connect(self._on_changed)

    def set_rigs(self, rigs: Sequence[str]) -> None:
        """Offer these rigs; the choice stays if its rig is still there."""
        wanted = [ALL_RIGS, *rigs]
        if [self.rig.itemText(i) for i in range(self.rig.count())] == wanted:
            return
        chosen = self.rig.currentText()
        self.rig.blockSignals(True)
        self.rig.clear()
        self.rig.addItems(wanted)
        self.rig.setCurrentIndex(max(0, wanted.index(chosen) if chosen in wanted else 0))
        self.rig.blockSignals(False)

    def show_everything(self) -> None:
        """Take all restrictions back."""
        for box in (self.rig, self.period, self.verdict):
            box.setCurrentIndex(0)

    @property
    def selection(self) -> Selection:
        """The choice as it stands."""
        rig = self.rig.currentText() if self.rig.currentIndex() > 0 else None
        days = PERIODS[self.period.currentIndex()][1]
        since, until = None, None
        if days == 0:
            since, until = _date(self.since), _date(self.until)
        elif days is not None:
            since = date.today() - timedelta(days=days)
        return Selection(rig, since, until, VERDICTS[self.verdict.currentIndex()][1], self.withdrawn.isChecked())

    def _show_days(self) -> None:
        for widget in (self.since, self._between, self.until):
            widget.setVisible(PERIODS[self.period.currentIndex()][1] == 0)

    @Slot()
    def _on_changed(self) -> None:
        self._show_days()
        self.changed.emit()

    @Slot(QDate)
    def _on_since(self, day: QDate) -> None:
        # The other end gives way: a range that ends before it begins has no meaning.
        if self.until.date() < day:
            self.until.setDate(day)
        self.changed.emit()

    @Slot(QDate)
    def _on_until(self, day: QDate) -> None:
        if self.since.date() > day:
            self.since.setDate(day)
        self.changed.emit()


def _date(edit: QDateEdit) -> date:
    day = edit.date()
    return date(day.year(), day.month(), day.day())
