"""The strip below every page while something runs: stage, bar, time gone, time left, and the buttons that end it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QToolButton, QWidget

from cassi_gui.style.theme import MARGIN, SPACE

HEIGHT = 48

TICK_MS = 250
BAR_STEPS = 1000
SMOOTHING = 0.35
"""Share of a new estimate of the remaining time that is taken over at once: jumps are worse than a second's lag."""


def format_seconds(seconds: float) -> str:
    """Seconds as a person says them: `4 s`, `1 min 20 s`, `1 h 5 min`."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def format_remaining(seconds: float) -> str:
    """An estimate with the precision that it deserves: to 1 s below 10 s, 5 s below a minute, 10 s above, minutes above 10."""
    if seconds < 1:
        return "almost done"
    if seconds < 10:
        return f"about {round(seconds)} s left"
    if seconds < 60:
        return f"about {5 * round(seconds / 5)} s left"
    if seconds < 600:
        return f"about {format_seconds(10 * round(seconds / 10))} left"
    return f"about {round(seconds / 60)} min left"


class RemainingTime:
    """Countdown between estimates: falls with the clock, and moves towards each new estimate without jumping."""

    def __init__(self) -> None:
        self._at_s: float | None = None
        self._remaining_s = 0.0

    def clear(self) -> None:
        self._at_s = None

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
        self.stage = QLabel()
        self.stage.setObjectName("run_stage")
        self.stage.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar()
        self.bar.setObjectName("run_progress")
        self.bar.setAccessibleName("Progress of the run")
        self.bar.setRange(0, BAR_STEPS)
        self.bar.setFixedWidth(200)
        self.bar.setTextVisible(False)
        self.elapsed = self._label("run_elapsed", "Time spent without pauses", 76)
        self.remaining = self._label("run_remaining", "Estimated from the pace so far", 150)
        self.pause = self._button("run.pause", self.pause_requested)
        self.finish = self._button("run.finish", self.finish_requested)
        self.cancel = self._button("run.cancel", self.cancel_requested)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 6, MARGIN, 6)
        layout.setSpacing(SPACE)
        layout.addWidget(self.stage, 1)
        for widget in (self.bar, self.elapsed, self.remaining, self.pause, self.finish, self.cancel):
            layout.addWidget(widget, 0)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)
        self.setFixedHeight(HEIGHT)
        self.hide()

    def _label(self, name: str, tip: str, width: int) -> QLabel:
        label = QLabel()
        label.setObjectName(name)
        label.setToolTip(tip)
        label.setMinimumWidth(width)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return label

    def _button(self, name: str, signal: Signal) -> QPushButton:
        button = QPushButton()
        button.setObjectName(f"strip.{name}")
        button.clicked.connect(signal)
        return button

    def mirror_action(self, name: str, action: QAction) -> None:
        """Give one of the buttons the text, icon, tip and enabled state of an action, now and whenever it changes."""
        button = {"pause": self.pause, "finish": self.finish, "cancel": self.cancel}[name]
        action.changed.connect(self._mirror)
        button.setProperty("mirrored", action)
        self._copy(button, action)

    @Slot()
    def _mirror(self) -> None:
        for button in (self.pause, self.finish, self.cancel):
            action = button.property("mirrored")
            if isinstance(action, QAction):
                self._copy(button, action)

    @staticmethod
    def _copy(button: QPushButton | QToolButton, action: QAction) -> None:
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
        self.set_stage("Starting …", 0, 0)
        self.bar.setValue(0)
        self.remaining.setText("estimating …")
        self.elapsed.setText("0 s")
        self.show()
        self._timer.start()

    @property
    def running(self) -> bool:
        """True while a run is shown."""
        return self._timer.isActive()

    def set_stage(self, label: str, index: int, count: int) -> None:
        """The stage that runs now: `Stage 2 of 5: ...`."""
        text = f"Stage {index + 1} of {count}: {label}" if count > 1 else label
        self.stage.setText(text)
        self.stage.setToolTip(text)

    def set_progress(self, fraction: float, elapsed_s: float, remaining_s: float | None) -> None:
        """Progress of the whole run, 0..1; the bar never goes back."""
        self.set_fraction(fraction)
        self._remaining.update(elapsed_s, remaining_s)
        self.set_elapsed(elapsed_s)

    def set_fraction(self, fraction: float) -> None:
        """Move the bar alone."""
        self.bar.setValue(max(self.bar.value(), round(BAR_STEPS * min(1.0, fraction))))

    def set_elapsed(self, elapsed_s: float) -> None:
        """Move the clock on between two events."""
        self.elapsed.setText(format_seconds(elapsed_s))
        left = self._remaining.at(elapsed_s)
        self.remaining.setText("estimating …" if left is None else format_remaining(left))

    def set_note(self, text: str) -> None:
        """Replace the estimate by a word (paused, finishing, cancelling)."""
        self.remaining.setText(text)
