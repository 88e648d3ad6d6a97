"""Findings about the inputs in words, each with a symbol; "Show me" where there is a place, "Apply" where there is a cure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from cassi_gui.style.icons import make_pixmap
from cassi_gui.style.theme import HALF_SPACE, SPACE, Palette

LEVEL_WORDS = {"ok": "OK", "info": "Note", "warn": "Warning", "bad": "Problem"}


@dataclass(frozen=True)
class FindingRow:
    """One line: level (ok, info, warn, bad), title, explanation, and which buttons it has."""

    key: str
    level: str
    title: str
    text: str
    can_show: bool = False
    apply_text: str = ""
    more: tuple[tuple[str, str], ...] = ()
    """Other ways out: identifier and words of a button each, likeliest first."""


class FindingsList(QScrollArea):
    """A list of findings; emits `show_requested(key)`, `apply_requested(key)` and `way_chosen(identifier)`."""

    show_requested = Signal(str)
    apply_requested = Signal(str)
    way_chosen = Signal(str)

    def __init__(self, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("findings")
        self.setAccessibleName("Findings")
        self.setToolTip("What was noticed about the inputs, the gravest first")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._palette = palette
        self._rows: tuple[FindingRow, ...] = ()
        self._empty = "Load a measurement and a mask first."
        self._rebuild()

    @property
    def rows(self) -> tuple[FindingRow, ...]:
        return self._rows

    def set_rows(self, rows: Sequence[FindingRow], empty: str = "") -> None:
        """Show findings; `empty` is what is said when there are none."""
        self._rows, self._empty = tuple(rows), empty or self._empty
        self._rebuild()

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self._rebuild()

    def _rebuild(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, SPACE, 0)
        layout.setSpacing(SPACE)
        if not self._rows:
            label = QLabel(self._empty)
            label.setObjectName("findings_empty")
            label.setProperty("role", "muted")
            label.setWordWrap(True)
            layout.addWidget(label)
        for row in self._rows:
            layout.addWidget(self._card(row))
        layout.addStretch(1)
        self.setWidget(content)

    def _card(self, row: FindingRow) -> QFrame:
        card = QFrame()
        card.setObjectName(f"finding.{row.key}")
        card.setProperty("role", "card")
        card.setAccessibleName(f"{LEVEL_WORDS.get(row.level, row.level)}: {row.title}. {row.text}")
        mark = QLabel()
        colour = self._palette.accent if row.level == "info" else self._palette.colour(row.level)
        mark.setPixmap(make_pixmap(row.level if row.level in LEVEL_WORDS else "info", self._palette, 18, colour))
        mark.setToolTip(LEVEL_WORDS.get(row.level, row.level))
        title = QLabel(row.title)
        title.setWordWrap(True)
        title.setProperty("role", "heading")
        word = QLabel(LEVEL_WORDS.get(row.level, row.level))
        word.setProperty("role", "small")
        word.setProperty("status", row.level if row.level in ("ok", "warn", "bad") else "")
        text = QLabel(row.text)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in (title, text):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(title, 1)
        head.addWidget(word, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(HALF_SPACE)
        layout.addLayout(head)
        layout.addWidget(text)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        if row.can_show:
            buttons.addWidget(self._button(row, "show", "Show me", "Zoom to the place in the picture"))
        if row.apply_text:
            buttons.addWidget(self._button(row, "apply", row.apply_text, "Can be undone"))
        if buttons.count() > 1:
            layout.addLayout(buttons)
        for i, (way, words) in enumerate(row.more):
            layout.addWidget(self._way(row, way, words, primary=i == 0))
        return card

    def _way(self, row: FindingRow, way: str, words: str, *, primary: bool) -> QPushButton:
        button = self._named(row, way, words)
        if primary:
            button.setProperty("role", "primary")
        button.clicked.connect(partial(self._on_way, way))
        return button

    def _on_way(self, way: str, _checked: bool = False) -> None:
        self.way_chosen.emit(way)

    def _button(self, row: FindingRow, what: str, text: str, tip: str) -> QPushButton:
        button = self._named(row, what, text)
        button.setToolTip(tip)
        button.setProperty("finding", row.key)
        button.clicked.connect(self._on_show if what == "show" else self._on_apply)
        return button

    @staticmethod
    def _named(row: FindingRow, what: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"finding.{row.key}.{what}")
        button.setAccessibleName(f"{text}: {row.title}")
        return button

    @Slot()
    def _on_show(self) -> None:
        self.show_requested.emit(str(self.sender().property("finding")))

    @Slot()
    def _on_apply(self) -> None:
        self.apply_requested.emit(str(self.sender().property("finding")))
