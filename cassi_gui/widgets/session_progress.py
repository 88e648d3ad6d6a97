"""A small bar in the status bar while a session is read or written, shown only when that takes its time."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QWidget

from cassi_gui.style.theme import SPACE

PATIENCE_MS = 300


class SessionProgress(QWidget):
    """Label, bar and a button that stops; emits `cancel_requested`."""

    cancel_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("session_progress")
        # No wider than its parts: the label stays beside the bar.
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.label = QLabel()
        self.label.setObjectName("session_progress_label")
        self.bar = QProgressBar()
        self.bar.setObjectName("session_progress_bar")
        self.bar.setAccessibleName("Progress of reading or writing the session")
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(120, 2 * SPACE)
        self.stop = QToolButton()
        self.stop.setObjectName("session_progress_stop")
        self.stop.setText("Stop")
        self.stop.setToolTip("Stop reading or writing the session; files stay as they were")
        self.stop.setAutoRaise(True)
        self.stop.clicked.connect(self.cancel_requested)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        for part in (self.label, self.bar, self.stop):
            layout.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        self._since = QElapsedTimer()
        self.hide()

    @Slot(str, float)
    def show_progress(self, label: str, fraction: float) -> None:
        """What is under way and how far; an empty label when nothing is."""
        if not label:
            self._since.invalidate()
            self.hide()
            return
        if not self._since.isValid():
            self._since.start()
        self.label.setText(f"{label} …")
        self.bar.setValue(round(100 * fraction))
        self.setVisible(self._since.hasExpired(PATIENCE_MS))
