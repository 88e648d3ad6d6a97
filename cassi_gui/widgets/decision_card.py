"""The decision about a run, always in sight: a note, Reject, Accept."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.rig_choice import RigChoice

NOTE_TIP = "Note on this run, for instance: after the lens was changed. Kept with the run and in the logbook"


class DecisionCard(QFrame):
    """Signals: `accepted`, `rejected`, `noted` (the note was changed)."""

    accepted = Signal()
    rejected = Signal()
    noted = Signal()

    def __init__(self, accept_tip: str, reject_tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("decision")
        self.setProperty("role", "card")
        self._palette: Palette = LIGHT
        self._decision = ""
        self.rig = RigChoice()
        self.said = QLabel()
        self.said.setObjectName("decision_label")
        self.said.setProperty("role", "small")
        self.note = QLineEdit()
        self.note.setObjectName("decision_note")
        self.note.setAccessibleName("Note on this run")
        self.note.setToolTip(NOTE_TIP)
        self.accept_button = QPushButton("Accept")
        self.accept_button.setObjectName("decision_accept")
        self.accept_button.setToolTip(accept_tip)
        self.reject_button = QPushButton("Reject")
        self.reject_button.setObjectName("decision_reject")
        self.reject_button.setAccessibleName("Reject this run")
        self.reject_button.setToolTip(reject_tip)
        self.accept_button.setAutoDefault(True)
        self.reject_button.setAutoDefault(True)
        self._row = QHBoxLayout()
        self._row.setSpacing(SPACE)
        self._row.addWidget(self.note, 1)
        self._row.addWidget(self.reject_button)
        self._row.addWidget(self.accept_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN - 2, SPACE, MARGIN - 2, SPACE)
        layout.setSpacing(6)
        layout.addWidget(self.said)
        layout.addWidget(self.rig)
        layout.addLayout(self._row)
        self.accept_button.clicked.connect(self.accepted)
        self.reject_button.clicked.connect(self.rejected)
        self.note.editingFinished.connect(self.noted)
        self.set_decision("", standing="", there=False)

    def set_decision(self, decision: str, *, standing: str, there: bool) -> None:
        """What was decided (accepted, rejected or empty) about a run that stands at pass, warn, fail or not_finished.

        After fail and a stopped search accepting is flat words behind Reject; after warn a plain button, for the action comes first.
        """
        self._decision = decision
        doubtful = standing in ("fail", "not_finished")
        self.accept_button.setText("Accept anyway …" if doubtful else "Accept")
        self.accept_button.setAccessibleName(
            f"{self.accept_button.text()} this run" if not doubtful else "Accept this run anyway"
        )
        role = "flat" if doubtful else "primary" if standing == "pass" else "plain"
        if self.accept_button.property("role") != role:
            self.accept_button.setProperty("role", role)
            self.accept_button.style().unpolish(self.accept_button)
            self.accept_button.style().polish(self.accept_button)
        first, second = (self.accept_button, self.reject_button) if doubtful else (self.reject_button, self.accept_button)
        for button in (first, second):
            self._row.removeWidget(button)
            self._row.addWidget(button)
        QWidget.setTabOrder(self.note, first)
        QWidget.setTabOrder(first, second)
        words = {"accepted": "Accepted: this is the calibration in force.", "rejected": "Rejected."}
        self.said.setText(words.get(decision, ""))
        self.said.setVisible(decision in words)
        self.note.setEnabled(there)
        self.accept_button.setEnabled(there and decision != "accepted")
        self.reject_button.setEnabled(there and decision != "rejected")
        self._paint()

    def set_entry(self, words: str, reasons: Sequence[str] = (), *, bad: bool = False) -> None:
        """What the logbook says about the run; it stands in for the words that the run was accepted."""
        self.rig.set_entry(words, reasons, bad=bad)
        self.said.setVisible(bool(self.said.text()) and not words)

    def set_narrow(self, narrow: bool) -> None:
        """A shorter word in the empty field."""
        self.note.setPlaceholderText("Note" if narrow else "Note for the logbook")

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.rig.set_palette(palette)
        self._paint()

    def _paint(self) -> None:
        p = self._palette
        role = self.accept_button.property("role")
        icon = make_icon("accept", p, p.accent_text if role == "primary" else "")
        self.accept_button.setIcon(QIcon() if role == "flat" else icon)
        self.reject_button.setIcon(make_icon("reject", p))
