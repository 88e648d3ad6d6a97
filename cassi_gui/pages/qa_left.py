"""The left column of QA: verdict, how far off, what to do, values, checks; below them, always in sight, the decision."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from cassi_core.quality.comparison import off_truth, since_entry
from cassi_core.quality.headline import headline
from cassi_core.quality.pictures import belongs_to
from cassi_core.result import CalibrationResult, Reason
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages.qa_offers import Case, offers_of, offers_of_all
from cassi_gui.session.state import RunRecord, Snapshot
from cassi_gui.style.theme import SPACE, Palette
from cassi_gui.widgets.checks_list import CheckItem, ChecksList
from cassi_gui.widgets.decision_card import DecisionCard
from cassi_gui.widgets.far_off_card import FarOffCard
from cassi_gui.widgets.found_values import Comparison, FoundValues
from cassi_gui.widgets.offer import Offer, TodoCard
from cassi_gui.widgets.verdict_card import VerdictCard

LEFT_PX, NARROW_LEFT_PX = 430, 372
NO_MASK = "mask found"
NO_VALUES = "<b>No values.</b> Nothing to measure without the mask."


def mask_lost(result: CalibrationResult) -> bool:
    """Whether the mask was not found, so that there is nothing to measure."""
    return any(r.check == NO_MASK and r.status == "fail" for r in result.verdict.reasons)


def comparison_of(record: RunRecord, shot: Snapshot, keeper: LogbookKeeper | None) -> Comparison | None:
    """The truth where one is known, else the entry before in the logbook of this rig."""
    truth: Mapping[str, float] | None = shot.truth
    if truth is not None and belongs_to(record.result, shot.inputs):
        return Comparison("off truth", off_truth(record.result.parameters, truth))
    if keeper is None:
        return None
    earlier = [e for e in keeper.view.contents.entries if e.rig == keeper.rig and e.in_force and e.run != record.uid]
    if not earlier:
        return None
    last = max(earlier, key=lambda e: e.calibrated)
    return Comparison(f"since entry {last.id}", since_entry(record.result.parameters, last.parameters))


class QaLeft(QWidget):
    """Emits `chosen` with an action that a person wants done."""

    chosen = Signal(str)

    def __init__(self, accept_tip: str, reject_tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.verdict = VerdictCard()
        self.far_off = FarOffCard()
        self.todo = TodoCard()
        self.found = FoundValues()
        self.checks = ChecksList()
        self.decision = DecisionCard(accept_tip, reject_tip)
        inside = QWidget()
        self._cards = QVBoxLayout(inside)
        self._cards.setContentsMargins(0, 0, 0, 0)
        self._cards.setSpacing(SPACE)
        for card in (self.far_off, self.todo, self.found, self.checks):
            self._cards.addWidget(card)
        self._cards.addStretch(1)
        self.scroll_area = QScrollArea()
        self.scroll_area.setObjectName("qa_scroll")
        self.scroll_area.setAccessibleName("Error, values and checks")
        self.scroll_area.setToolTip("How far off the mask may be, the found values, and every check")
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.verdict)
        column.addWidget(self.scroll_area, 1)
        column.addWidget(self.decision)
        self.todo.chosen.connect(self.chosen)
        self.checks.chosen.connect(self.chosen)
        self.checks.opened.connect(self._on_opened)

    def set_narrow(self, narrow: bool) -> None:
        """The width and the words for little room."""
        self.setFixedWidth(NARROW_LEFT_PX if narrow else LEFT_PX)
        self.scroll_area.setStyleSheet("QScrollBar:vertical { width: 8px; }" if narrow else "")
        for part in (self.far_off, self.todo, self.found, self.decision):
            part.set_narrow(narrow)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        for part in (self.verdict, self.far_off, self.todo, self.found, self.checks, self.decision):
            part.set_palette(palette)

    @property
    def first_action(self) -> QWidget | None:
        """The button that helps most likely, if any does."""
        buttons = (*self.todo.buttons, *(b for item in self.checks.items for b, _ in item.buttons))
        return next(iter(buttons), None)

    def show_findings(self, case: Case | None) -> None:
        """Verdict, what to do, and checks: after fail the actions come first, after warn the values make room for the open check."""
        result = None if case is None else case.result
        said = None if result is None else headline(result)
        standing = "" if said is None else said.standing
        self.verdict.set_headline(said)
        if result is None or mask_lost(result):
            self.far_off.set_error(None)
        else:
            self.far_off.set_error(result.registration, result.dispersion.direction)

        def offers(reason: Reason) -> list[Offer]:
            return [] if case is None else offers_of(case, reason)

        above = case is not None and standing in ("fail", "not_finished")
        self.todo.set_offers(offers_of_all(case) if case is not None and above else ())
        verdict = None if result is None else result.verdict
        self.checks.set_verdict(verdict, offers, unfinished=standing == "not_finished", said_above=standing == "fail")
        for index, card in enumerate((self.checks, self.found) if standing == "warn" else (self.found, self.checks)):
            self._cards.removeWidget(card)
            self._cards.insertWidget(2 + index, card)
        self.scroll_area.verticalScrollBar().setValue(0)

    def show_values(self, result: CalibrationResult | None, comparison: Comparison | None) -> None:
        """The found values; nothing to measure without the mask."""
        if result is None:
            self.found.set_values(None, None)
            return
        standing = headline(result).standing
        without = standing == "fail" and mask_lost(result)
        self.found.set_values(
            None if without else result.parameters,
            result.start,
            direction=result.dispersion.direction,
            unfinished=standing == "not_finished",
            steps=result.grid_steps,
            comparison=comparison,
            instead=NO_VALUES if without else "",
        )
        self.found.fold(foldable=standing in ("warn", "fail"))

    @Slot(object)
    def _on_opened(self, item: CheckItem) -> None:
        self.scroll_area.ensureWidgetVisible(item)
