"""The answer of a verification: icon, headline and sentences on a card with a coloured edge; progress while it is worked out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from cassi_gui.style.icons import make_pixmap
from cassi_gui.style.theme import HALF_SPACE, LIGHT, MARGIN, SPACE, Palette

ICON_PX = 28
ICONS = {"ok": "ok", "warn": "warn", "bad": "bad", "busy": "verify", "": "verify"}


class AnswerCard(QFrame):
    """Emits `cancel_requested` while a verification is going on."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("answer_card")
        self.setProperty("role", "card")
        self._palette: Palette = LIGHT
        self._status = ""
        self._icon = QLabel()
        self._icon.setFixedSize(ICON_PX, ICON_PX)
        self._title = QLabel()
        self._title.setObjectName("answer_headline")
        self._title.setProperty("role", "title")
        self._title.setWordWrap(True)
        self._sentences = QLabel()
        self._sentences.setObjectName("answer_sentences")
        self._sentences.setWordWrap(True)
        self._sentences.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setObjectName("answer_progress")
        self.bar.setAccessibleName("Verified so far")
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("answer_cancel")
        self.cancel.setToolTip("Stop verifying; nothing is changed")
        self.cancel.clicked.connect(self.cancel_requested)
        # In a widget of its own: an empty line in the column would keep the words from growing.
        self._progress = QWidget()
        progress = QHBoxLayout(self._progress)
        progress.setContentsMargins(0, 0, 0, 0)
        progress.setSpacing(SPACE)
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.cancel)
        words = QVBoxLayout()
        words.setSpacing(HALF_SPACE)
        words.addWidget(self._title)
        words.addWidget(self._sentences)
        words.addWidget(self._progress)
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        row.setSpacing(SPACE + HALF_SPACE)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(words, 1)
        self.say("", "", ())

    def say(self, status: str, title: str, sentences: tuple[str, ...]) -> None:
        """Show an answer (status ok, warn, bad) or what is missing for one (empty)."""
        self._status = status
        self._title.setText(title)
        self._sentences.setText(" ".join(sentences))
        self._sentences.setVisible(bool(sentences))
        self._progress.setVisible(status == "busy")
        self.setAccessibleName(f"{title}. {' '.join(sentences)}")
        self._paint()

    def show_progress(self, fraction: float, what: str) -> None:
        """How far the work has come, 0..1."""
        if self._status != "busy":
            self.say("busy", "Verifying \N{HORIZONTAL ELLIPSIS}", ())
        self._sentences.setText(what)
        self._sentences.setVisible(bool(what))
        self.bar.setValue(round(1000 * fraction))

    @property
    def title(self) -> str:
        return self._title.text()

    @property
    def sentences(self) -> str:
        return self._sentences.text()

    @property
    def status(self) -> str:
        return self._status

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self._paint()

    def _paint(self) -> None:
        p = self._palette
        colour = {"ok": p.ok, "warn": p.warn, "bad": p.bad, "busy": p.accent}.get(self._status, p.border)
        self.setStyleSheet(f"QFrame#answer_card {{ border-left: 4px solid {colour}; }}")
        self._icon.setPixmap(make_pixmap(ICONS[self._status], p, ICON_PX, colour if self._status else p.muted))
