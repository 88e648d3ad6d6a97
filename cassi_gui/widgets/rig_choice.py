"""Which rig an accepted run belongs to, and what the logbook says about it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from cassi_core.logbook.entry import MAX_RIG_NAME
from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import HALF_SPACE, SPACE, Palette

SHOWN_REASONS = 1
"""More reasons would push the verdict out of sight; the tip and the logbook have all of them."""


class RigChoice(QWidget):
    """A combo box to type in, and a line about the entry; `rig_chosen` carries a name, `logbook_requested` leads to the page."""

    rig_chosen = Signal(str)
    logbook_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rig_choice")
        self.box = ChoiceBox()
        self.box.setObjectName("decision_rig")
        self.box.setAccessibleName("Rig of this run")
        self.box.setToolTip(
            "Accepting adds the run to the logbook under this rig; empty: not added. Type a new name for a new rig"
        )
        self.box.setEditable(True)
        self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        line = self._line
        line.setPlaceholderText("not kept in the logbook")
        line.setMaxLength(MAX_RIG_NAME)
        self.open = QToolButton()
        self.open.setObjectName("decision_logbook")
        self.open.setAccessibleName("Open the logbook")
        self.open.setToolTip("Open the logbook (Ctrl+5)")
        self.status = QLabel()
        self.status.setObjectName("decision_logbook_status")
        self.status.setWordWrap(True)
        self.status.hide()
        label = QLabel("Rig")
        label.setBuddy(self.box)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(label)
        row.addWidget(self.box, 1)
        row.addWidget(self.open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_SPACE)
        layout.addLayout(row)
        layout.addWidget(self.status)
        self.box.activated.connect(self._on_chosen)
        line.editingFinished.connect(self._on_chosen)
        self.open.clicked.connect(self.logbook_requested)

    @property
    def _line(self) -> QLineEdit:
        """The field in the box: it is editable."""
        line = self.box.lineEdit()
        assert line is not None
        return line

    def set_rigs(self, rigs: Sequence[str], current: str) -> None:
        """Offer rigs, with one of them (or a new name) in the box; what is being typed stays."""
        if self._line.hasFocus() and self._line.isModified():
            return
        blocked = self.box.blockSignals(True)
        self.box.clear()
        self.box.addItems(list(rigs))
        self.box.setCurrentIndex(self.box.findText(current))
        self.box.setEditText(current)
        self.box.blockSignals(blocked)

    def set_entry(self, words: str, reasons: Sequence[str] = (), *, bad: bool = False) -> None:
        """Say where the run is in the logbook, and why the rig drifts; empty words say nothing."""
        said = [f"\N{WARNING SIGN} Drift: {reason}." for reason in reasons[:SHOWN_REASONS]]
        if len(reasons) > SHOWN_REASONS:
            said.append(f"And {len(reasons) - SHOWN_REASONS} more: see the logbook.")
        self.status.setText("\n".join([words, *said]))
        self.status.setToolTip("\n".join(reasons))
        self.status.setProperty("status", "bad" if bad else "warn" if reasons else "")
        self.status.setProperty("role", "" if bad or reasons else "small")
        self.status.style().unpolish(self.status)
        self.status.style().polish(self.status)
        self.status.setVisible(bool(words))

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.open.setIcon(make_icon("logbook", palette))

    @property
    def rig(self) -> str:
        """The name in the box."""
        return " ".join(self.box.currentText().split())

    @Slot()
    def _on_chosen(self) -> None:
        self._line.setModified(False)
        self.rig_chosen.emit(self.rig)
