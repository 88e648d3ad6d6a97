"""The strip below every page while something runs: stage, bar, time gone, time left, and the buttons that end it."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, QTimer, Signal, SignalInstance, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from cassi_core.formatting import format_duration, format_remaining
from cassi_gui.style.elided import ElidedLabel
from cassi_gui.style.theme import HALF_SPACE, MARGIN, SPACE

HEIGHT = 48

TICK_MS = 250
BAR_STEPS = 1000
SMOOTHING = 0.35
"""Share of a new estimate of the remaining time that is taken over at once: jumps are worse than a second's lag."""
KNOWN_FRACTION, KNOWN_S = 0.05, 3.0
"""An estimate is shown once this share of the run is done or this many seconds are gone: earlier ones are guesses."""
STEP_S = 5
"""Time left is told in steps of so many seconds."""
MARGIN_S = 1
"""A shown time goes down only when the estimate is so far below the next step: it must not go to and fro."""
ESTIMATING = "estimating …"


class RemainingTime:
    """Countdown between estimates: falls with the clock, moves towards each new estimate, and is shown in steps of 5 s."""

    def __init__(self) -> None:
        self._at_s: float | None = None
        self._remaining_s = 0.0
        self._shown_s: int | None = None

    def clear(self) -> None:
        """Nothing is known any more."""
        self._at_s = self._shown_s = None

    def update(self, elapsed_s: float, remaining_s: float | None) -> None:
        """Take over a new estimate made at `elapsed_s` of the run."""
        if remaining_s is None:
            return
        now = self.at(elapsed_s)
        self._remaining_s = remaining_s if now is None else now + SMOOTHING * (remaining_s - now)
        self._at_s = elapsed_s

    def at(self, elapsed_s: float) -> float | None:
        """Seconds that remain at a moment of the run, or None when nothing is known yet."""
        if self._at_s is None:
            return None
        return max(0.0, self._remaining_s - (elapsed_s - self._at_s))

    def shown_at(self, elapsed_s: float) -> int | None:
        """The multiple of 5 s that is shown at a moment of the run: at least what is known to be left."""
        left = self.at(elapsed_s)
        if left is None:
            return None
        wanted = max(STEP_S, STEP_S * math.ceil(left / STEP_S))
        if self._shown_s is None or wanted > self._shown_s or left <= self._shown_s - STEP_S - MARGIN_S:
            self._shown_s = wanted
        return self._shown_s


class RunStrip(QFrame):
    """Shows a run and offers its buttons; the clock between the events is asked for through `tick`."""

    pause_requested = Signal()
    finish_requested = Signal()
    cancel_requested = Signal()
    tick = Signal()
    """Four times a second while a run is shown: answer with `set_elapsed`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_strip")
        self.setProperty("role", "bar")
        self.setAccessibleName("Run")
        self._remaining = RemainingTime()
        self._actions: dict[QPushButton, QAction] = {}
        self._fraction = 0.0
        self.stage = ElidedLabel()
        self.stage.setObjectName("run_stage")
        self.stage.setStyleSheet("font-weight: 600;")
        self.bar = QProgressBar()
        self.bar.setObjectName("run_progress")
        self.bar.setAccessibleName("Progress of the run")
        self.bar.setRange(0, BAR_STEPS)
        self.bar.setFixedHeight(8)
        self.bar.setStyleSheet("min-height: 6px; max-height: 6px;")
        self.bar.setTextVisible(False)
        self.elapsed = self._label("run_elapsed", "Time spent without pauses")
        self.elapsed.setProperty("role", "muted")
        self.remaining = self._label("run_remaining", "Estimated from the pace so far; never less than is known to be left")
        self.remaining.setStyleSheet("font-weight: 600;")
        self.pause = self._button("run.pause", self.pause_requested)
        self.finish = self._button("run.finish", self.finish_requested)
        self.cancel = self._button("run.cancel", self.cancel_requested)
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)
        self.setFixedHeight(HEIGHT)
        self.hide()

    def _lay_out(self) -> None:
        words = QHBoxLayout()
        words.setSpacing(SPACE)
        words.addWidget(self.stage, 1)
        words.addWidget(self.elapsed)
        words.addWidget(self.remaining)
        left = QVBoxLayout()
        left.setSpacing(HALF_SPACE)
        left.addStretch(1)
        left.addLayout(words)
        left.addWidget(self.bar)
        left.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(left, 1)
        layout.addSpacing(HALF_SPACE)
        for button in (self.pause, self.finish, self.cancel):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)

    def _label(self, name: str, tip: str) -> QLabel:
        label = QLabel()
        label.setObjectName(name)
        label.setToolTip(tip)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return label

    def _button(self, name: str, signal: SignalInstance) -> QPushButton:
        button = QPushButton()
        button.setObjectName(f"strip.{name}")
        button.clicked.connect(signal)
        return button

    def mirror_action(self, name: str, action: QAction) -> None:
        """Give one of the buttons the text, icon, tip and enabled state of an action, now and whenever it changes."""
        button = {"pause": self.pause, "finish": self.finish, "cancel": self.cancel}[name]
        action.changed.connect(self._mirror)
        self._actions[button] = action
        self._copy(button, action)

    @Slot()
    def _mirror(self) -> None:
        for button, action in self._actions.items():
            self._copy(button, action)

    @staticmethod
    def _copy(button: QPushButton, action: QAction) -> None:
        button.setText(action.text())
        button.setIcon(action.icon())
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())
        button.setAccessibleName(action.text())

    def end_run(self) -> None:
        """The run is over: the strip leaves its place to the page."""
        self._timer.stop()
        self._remaining.clear()
        self.hide()

    def show_run(self) -> None:
        """A run begins."""
        self._remaining.clear()
        self._fraction = 0.0
        self.set_stage("Starting …", 0, 0)
        self.bar.setValue(0)
        self.remaining.setText(ESTIMATING)
        self.elapsed.setText("0 s gone")
        self.show()
        self._timer.start()

    @property
    def running(self) -> bool:
        """True while a run is shown."""
        return self._timer.isActive()

    def set_stage(self, label: str, index: int, count: int) -> None:
        """The stage that runs now: `Stage 2 of 5: ...`."""
        self.stage.set_full_text(f"Stage {index + 1} of {count}: {label}" if count > 1 else label)

    def set_progress(self, fraction: float, elapsed_s: float, remaining_s: float | None) -> None:
        """Progress of the whole run, 0..1; the bar never goes back."""
        self.set_fraction(fraction)
        self._remaining.update(elapsed_s, remaining_s)
        self.set_elapsed(elapsed_s)

    def set_fraction(self, fraction: float) -> None:
        """Move the bar alone."""
        self._fraction = max(self._fraction, min(1.0, fraction))
        self.bar.setValue(round(BAR_STEPS * self._fraction))

    def set_elapsed(self, elapsed_s: float) -> None:
        """Move the clock on between two events."""
        self.elapsed.setText(f"{format_duration(elapsed_s)} gone")
        left = self._remaining.shown_at(elapsed_s)
        known = self._fraction >= KNOWN_FRACTION or elapsed_s >= KNOWN_S
        self.remaining.setText(f"about {format_remaining(left)} left" if known and left is not None else ESTIMATING)

    def set_note(self, text: str) -> None:
        """Replace the estimate by a word (paused, finishing, cancelling)."""
        self.remaining.setText(text)
