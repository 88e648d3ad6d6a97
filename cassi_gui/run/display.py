"""Between a run and what is seen of it everywhere: the strip, the badge of the Run step, the log."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from cassi_core.quality.check_text import verdict_words
from cassi_core.result import CalibrationResult
from cassi_core.run import Message, Progress, RunStarted, StageFinished, StageStarted
from cassi_gui.desktop.actions import Actions
from cassi_gui.run.controller import RunBatch, RunController, RunPhase
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import Palette
from cassi_gui.widgets.run_strip import RunStrip, format_seconds

NOTES = {RunPhase.PAUSED: "paused", RunPhase.FINISHING: "finishing …", RunPhase.CANCELLING: "cancelling …"}


class RunDisplay(QObject):
    """Listens to the controller and fills the strip; emits `badge(text, status)` and `logged(level, text)`."""

    badge = Signal(str, str)
    logged = Signal(str, str)

    def __init__(self, runner: RunController, strip: RunStrip, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner, self._strip = runner, strip
        self._stages = 0
        runner.batch.connect(self._on_batch)
        runner.state_changed.connect(self._on_phase)
        runner.finished.connect(self._on_finished)
        runner.failed.connect(self._on_failed)
        runner.cancelled.connect(self._on_cancelled)
        strip.tick.connect(self._on_tick)
        for name in ("start", "pause", "finish", "cancel"):
            strip.mirror_action(name, actions[f"run.{name}"])
        strip.start_requested.connect(actions["run.start"].trigger)
        strip.pause_requested.connect(actions["run.pause"].trigger)
        strip.finish_requested.connect(actions["run.finish"].trigger)
        strip.cancel_requested.connect(actions["run.cancel"].trigger)

    def set_palette(self, palette: Palette) -> None:
        self._strip.start.setIcon(make_icon("run", palette, palette.accent_text))

    @Slot(object)
    def _on_phase(self, phase: RunPhase) -> None:
        if phase is RunPhase.RUNNING and not self._strip.running:
            self._stages = 0
            self._strip.show_run()
            self.badge.emit("starting …", "busy")
        elif phase in NOTES:
            self._strip.set_note(NOTES[phase])
            self.badge.emit(NOTES[phase], "busy")

    @Slot()
    def _on_tick(self) -> None:
        if self._runner.phase is RunPhase.RUNNING:
            self._strip.set_elapsed(self._runner.elapsed_s)

    @Slot(object)
    def _on_batch(self, batch: RunBatch) -> None:
        for event in batch.events:
            if isinstance(event, RunStarted):
                self._stages = len(event.stages)
                self.logged.emit("info", f"run started: preset {event.preset} on {event.device}")
            elif isinstance(event, StageStarted):
                self._strip.set_stage(event.label, event.index, self._stages)
            elif isinstance(event, StageFinished):
                score = "" if event.score is None else f", residual {event.score:.5f}"
                self.logged.emit("info", f"{event.label}: {event.seconds:.2f} s{score}")
            elif isinstance(event, Message):
                self.logged.emit(event.level, event.text)
            elif isinstance(event, Progress):
                self._on_progress(event)

    def _on_progress(self, event: Progress) -> None:
        if self._runner.phase is RunPhase.RUNNING:
            self._strip.set_progress(event.fraction, event.elapsed_s, event.remaining_s)
            self.badge.emit(f"running, {100 * event.fraction:.0f} %", "busy")
        elif self._runner.running:
            self._strip.set_fraction(event.fraction)

    @Slot(object)
    def _on_finished(self, result: CalibrationResult) -> None:
        early = "" if result.outcome == "done" else " (stopped early, best kept)"
        status = {"pass": "ok", "warn": "warn", "fail": "bad"}[result.verdict.status]
        self._strip.show_idle(
            f"Done in {format_seconds(result.seconds_total)}{early}. Verdict: {verdict_words(result.verdict.status, result.outcome)}.",
            status,
        )

    @Slot(object)
    def _on_failed(self, error: Exception) -> None:
        self._strip.show_idle(f"Failed: {error}", "bad")
        self.badge.emit("failed", "bad")

    @Slot()
    def _on_cancelled(self) -> None:
        self._strip.show_idle("Cancelled; nothing was kept.")
        self.logged.emit("info", "the run was cancelled")
        self.badge.emit("cancelled", "")
