"""The log: time, level in words, text; filtered by level, copied or saved whole."""

from __future__ import annotations

import html
from collections import deque
from datetime import datetime

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.theme import HALF_SPACE, SPACE, TYPE_SMALL_PT, Palette, font

LEVELS = ("info", "warning", "error")
MAX_LINES = 5000
LEAST_LINES_PX = 32
"""Two lines: with the log on show the window still fits a screen of 720 px."""


class LogView(QWidget):
    """Lines of the log; `save_requested(text)` asks for a file."""

    save_requested = Signal(str)

    def __init__(self, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("log_view")
        self._palette = palette
        self._lines: deque[tuple[datetime, str, str]] = deque(maxlen=MAX_LINES)
        self.text = QPlainTextEdit()
        self.text.setObjectName("log_text")
        self.text.setToolTip("What the program did and met, newest last")
        self.text.setAccessibleName("Log")
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(MAX_LINES)
        self.text.setMinimumHeight(LEAST_LINES_PX)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(font(TYPE_SMALL_PT, fixed=True))
        self.text.setPlaceholderText("What the program does is written here: files read, stages, warnings, files written.")
        self.level = ChoiceBox()
        self.level.setObjectName("log_level")
        self.level.setAccessibleName("Least level shown")
        self.level.setToolTip("Show lines of this level and above")
        self.level.addItems(["Everything", "Warnings and errors", "Errors"])
        self.level.currentIndexChanged.connect(self._refill)
        copy = self._button("log_copy", "Copy", "Copy the whole log")
        copy.clicked.connect(self._copy)
        save = self._button("log_save", "Save …", "Write the whole log to a file")
        save.clicked.connect(self._save)
        clear = self._button("log_clear", "Clear", "Remove all lines")
        clear.clicked.connect(self.clear)
        row = QHBoxLayout()
        row.addWidget(QLabel("Show"))
        for widget in (self.level, copy, save, clear):
            row.addWidget(widget)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, HALF_SPACE, SPACE, HALF_SPACE)
        layout.addLayout(row)
        layout.addWidget(self.text)

    @staticmethod
    def _button(name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setToolTip(tip)
        return button

    def append(self, level: str, text: str) -> None:
        """Add a line; unknown levels count as info."""
        line = (datetime.now(), level if level in LEVELS else "info", text)
        self._lines.append(line)
        if LEVELS.index(line[1]) >= self.level.currentIndex():
            self.text.appendHtml(self._html(line))

    def plain(self) -> str:
        """All lines as text."""
        return "\n".join(f"{when:%H:%M:%S}  {level:<7}  {text}" for when, level, text in self._lines)

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self._refill()

    @Slot()
    def clear(self) -> None:
        self._lines.clear()
        self.text.clear()

    @Slot()
    def _refill(self) -> None:
        self.text.clear()
        for line in self._lines:
            if LEVELS.index(line[1]) >= self.level.currentIndex():
                self.text.appendHtml(self._html(line))

    def _html(self, line: tuple[datetime, str, str]) -> str:
        when, level, text = line
        colour = self._palette.text if level == "info" else self._palette.colour(level)
        body = html.escape(text).replace("\n", "<br>&nbsp;" * 1)
        stamp = f'<span style="color:{self._palette.muted}">{when:%H:%M:%S}&nbsp; {level:<7}</span>'.replace("       ", "")
        return f'{stamp}&nbsp; <span style="color:{colour}">{body}</span>'

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.plain())

    @Slot()
    def _save(self) -> None:
        self.save_requested.emit(self.plain())
