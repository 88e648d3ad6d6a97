"""The checks behind a verdict: those passed fold into one line; each opens into what it means, typical causes, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cassi_core.quality.headline import value_and_limit
from cassi_core.result import Reason, Verdict
from cassi_gui.style.theme import HALF_SPACE, LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.fold import FoldHeader
from cassi_gui.widgets.offer import Offer, offer_button, paint_offer

ICONS = {"pass": "ok", "warn": "warn", "fail": "bad"}
MOST_BUTTONS = 3
Offers = Callable[[Reason], Sequence[Offer]]


class CheckItem(QWidget):
    """One check: a line with its value and limit, and below it, when open, its words and buttons."""

    chosen = Signal(str)

    def __init__(self, reason: Reason, offers: Sequence[Offer], *, primary: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reason = reason
        slug = reason.check.replace(" ", "_")
        self.header = FoldHeader(f"check_{slug}")
        value, limit = value_and_limit(reason)
        self.header.set_words(reason.title, value, grey=limit, icon=ICONS[reason.status], status=reason.status)
        self._body = QWidget()
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, HALF_SPACE)
        column.setSpacing(6)
        self.buttons: list[tuple[QPushButton, Offer]] = []
        wanting = reason.status != "pass"
        self._say(column, "What it means.", reason.means)
        self._say(column, "What to do.", reason.advice if wanting else "")
        if offers:
            # Before the causes: what helps must be in sight as soon as the check is open.
            column.addLayout(self._buttons_of(slug, offers, primary=primary))
        self._say(column, "Typical causes.", reason.causes if wanting else "")
        self._say(column, "Found.", reason.text[:1].upper() + reason.text[1:])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self._body)
        self._body.hide()
        self.header.toggled.connect(self._body.setVisible)

    @staticmethod
    def _say(column: QVBoxLayout, head: str, words: str) -> None:
        if words:
            label = QLabel(f"<b>{head}</b> {words}")
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText)
            column.addWidget(label)

    def _buttons_of(self, slug: str, offers: Sequence[Offer], *, primary: bool) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(HALF_SPACE)
        grid.setColumnStretch(2, 1)
        for index, offer in enumerate(offers[:MOST_BUTTONS]):
            button = offer_button(offer, f"check_{slug}", self.chosen.emit, primary=primary and index == 0)
            grid.addWidget(button, index // 2, index % 2)
            self.buttons.append((button, offer))
        return grid

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.header.set_palette(palette)
        for button, offer in self.buttons:
            paint_offer(button, offer, palette)

    def words(self) -> str:
        """Everything that the open check says."""
        return "\n".join(label.text() for label in self._body.findChildren(QLabel))


class ChecksList(QWidget):
    """A card for each check that is not passed, then one card for all that are; one check is open at a time. Emits `chosen` (action)."""

    chosen = Signal(str)
    opened = Signal(object)
    """The check (a widget) that was opened, to be scrolled into view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("checks_list")
        self._palette: Palette = LIGHT
        self._items: list[CheckItem] = []
        self._cards: list[QFrame] = []
        self._groups: list[FoldHeader] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE)

    def set_verdict(
        self, verdict: Verdict | None, offers: Offers, *, unfinished: bool = False, said_above: bool = False
    ) -> None:
        """Show the checks of a verdict.

        `offers` says what can be done about a check. `said_above`: what failed has its actions in a card of its own, so that all checks
        fold into one line; else the worst check is open by itself. An `unfinished` search has no checks.
        """
        for card in self._cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._items, self._cards, self._groups = [], [], []
        if verdict is None:
            return
        order = {"fail": 0, "warn": 1, "pass": 2}
        reasons = sorted(verdict.reasons, key=lambda r: order[r.status])
        if unfinished:
            self._fold([], "No check made", "they wait for the end of the search", "info", "info")
        elif said_above:
            counts = {s: sum(r.status == s for r in reasons) for s in order}
            rest = [f"{counts[s]} {word}" for s, word in (("warn", "to look at"), ("pass", "passed")) if counts[s]]
            self._fold([(r, ()) for r in reasons], f"{counts['fail']} failed", ", ".join(rest), "bad", "bad")
        else:
            wanting = [r for r in reasons if r.status != "pass"]
            for index, reason in enumerate(wanting):
                self._card(reason.status).addWidget(self._item(reason, offers(reason), primary=index == 0))
            passed = [(r, ()) for r in reasons if r.status == "pass"]
            if passed:
                words = f"{len(passed)} check{'' if len(passed) == 1 else 's'} passed"
                self._fold(passed, words, "nothing to do", "ok", "ok")
            if wanting:
                self._items[0].header.setChecked(True)
        self.set_palette(self._palette)

    @property
    def items(self) -> tuple[CheckItem, ...]:
        """The checks, the worst first."""
        return tuple(self._items)

    def item(self, check: str) -> CheckItem:
        """The check of a name."""
        return next(i for i in self._items if i.reason.check == check)

    @property
    def group(self) -> FoldHeader | None:
        """The line that the passed checks (or all) fold into, if there is one."""
        return self._groups[0] if self._groups else None

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for header in self._groups:
            header.set_palette(palette)
        for item in self._items:
            item.set_palette(palette)
        for card in self._cards:
            status = card.property("check_status")
            card.setStyleSheet(f"QFrame#{card.objectName()} {{ border-color: {palette.colour(status)}; }}" if status else "")

    def _card(self, status: str = "") -> QVBoxLayout:
        """A new card's layout."""
        card = QFrame()
        card.setObjectName(f"checks_card_{len(self._cards)}")
        card.setProperty("role", "card")
        card.setProperty("check_status", status)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(MARGIN - 4, 1, MARGIN - 4, 1)
        layout.setSpacing(0)
        self._cards.append(card)
        self._column.addWidget(card)
        return layout

    def _item(self, reason: Reason, offers: Sequence[Offer], *, primary: bool) -> CheckItem:
        item = CheckItem(reason, offers, primary=primary)
        item.chosen.connect(self.chosen)
        item.header.toggled.connect(lambda down: self._on_opened(item) if down else None)
        self._items.append(item)
        return item

    def _fold(self, checks: Sequence[tuple[Reason, Sequence[Offer]]], words: str, grey: str, icon: str, status: str) -> None:
        card = self._card()
        header = FoldHeader("checks_fold")
        header.set_words(words, grey=grey, icon=icon, status=status)
        header.setEnabled(bool(checks))
        card.addWidget(header)
        self._groups.append(header)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(MARGIN, 0, 0, HALF_SPACE)
        column.setSpacing(0)
        for reason, offers in checks:
            column.addWidget(self._item(reason, offers, primary=False))
        card.addWidget(inside)
        inside.hide()
        header.toggled.connect(inside.setVisible)

    def _on_opened(self, opened: CheckItem) -> None:
        for item in self._items:
            if item is not opened:
                item.header.setChecked(False)
        self.opened.emit(opened)
