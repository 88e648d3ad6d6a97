"""Runs and other long work outside the GUI thread: one controller, two worker threads, a mailbox in between.

Life of a run (the phases of :class:`RunPhase`)::

    IDLE --start()--> RUNNING --pause()--> PAUSED --resume()--> RUNNING
    RUNNING or PAUSED --finish_early()--> FINISHING --> IDLE   (`finished` with the best so far)
    RUNNING, PAUSED or FINISHING --cancel()--> CANCELLING --> IDLE   (`cancelled`)
    any --> IDLE with `finished` (result) or `failed` (exception)

The run's events are put into a :class:`Mailbox` by the worker's thread and taken out by a 15 Hz timer of the GUI thread:
never one signal per iteration. Everything else that takes time (reading files, findings, exports) goes through
:meth:`RunController.submit`, whose callbacks run in the GUI thread.
"""

from __future__ import annotations

import enum
import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from cassi_core.config import CalibrationConfig
from cassi_core.errors import CassiError, RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.run import Event, GridScores, Preview, Progress, RunControl

logger = logging.getLogger(__name__)

DRAIN_INTERVAL_MS = 66
SHUTDOWN_WAIT_MS = 15_000
BEHIND_THE_WINDOW = 5
"""Niceness of a run's threads: they fill the cores, and the window must come in between at once."""


class RunPhase(enum.Enum):
    """Where the controller is."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHING = "finishing"
    CANCELLING = "cancelling"


@dataclass(frozen=True, eq=False)
class RunBatch:
    """What happened in a run since the last batch, in order; previews, grids and progress only in their latest form."""

    events: tuple[Event, ...]


class Mailbox:
    """Hand-over of events between two threads: rows and messages lossless, pictures and progress latest-wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lossless: list[Event] = []
        self._latest: dict[object, Event] = {}

    def put(self, event: Event) -> None:
        """Leave an event (worker's thread)."""
        with self._lock:
            if isinstance(event, (Preview, Progress)):
                self._latest[type(event)] = event
            elif isinstance(event, GridScores):
                # A stage may search several grids, one after the other: the end of each arrives.
                self._latest[(event.stage, event.scores.shape, *(float(axis[0]) for axis in event.axes))] = event
            else:
                self._lossless.append(event)

    def drain(self) -> tuple[Event, ...]:
        """Take everything that arrived since the last call (GUI thread)."""
        with self._lock:
            events = (*self._lossless, *self._latest.values())
            self._lossless, self._latest = [], {}
        return events


@dataclass(eq=False)
class Job:
    """One piece of work for a worker; `stale` jobs are skipped, stopped where they have a `control`, or their result is dropped."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    done: Callable[[Any], None] | None = None
    failed: Callable[[Exception], None] | None = None
    key: str = ""
    control: RunControl | None = None
    stale: bool = False
    result: Any = None
    error: Exception | None = field(default=None)

    def cancel(self) -> None:
        """Drop the job: skipped when it has not begun, stopped (or its result ignored) when it has."""
        self.stale = True
        if self.control is not None:
            self.control.cancel()


class _Worker(QObject):
    """Executes jobs one after the other in the thread that it was moved to."""

    completed = Signal(object)

    @Slot(object)
    def execute(self, job: Job) -> None:
        if not job.stale:
            try:
                job.result = job.function(*job.args)
            except Exception as error:  # whatever it is, the GUI thread shows it in words
                job.error = error
        self.completed.emit(job)


class Lane(QObject):
    """One thread with its worker; jobs are handed over by a queued signal."""

    request = Signal(object)

    def __init__(self, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self.thread_ = QThread(self)
        self.thread_.setObjectName(name)
        self.worker = _Worker()
        self.worker.moveToThread(self.thread_)
        self.request.connect(self.worker.execute, Qt.ConnectionType.QueuedConnection)
        self.thread_.start()

    def stop(self) -> bool:
        """End the thread after its present job; False when it did not end in time."""
        self.thread_.quit()
        return self.thread_.wait(SHUTDOWN_WAIT_MS)


Calibrate = Callable[..., Any]


def _core_calibrate(*args: Any, **kwargs: Any) -> Any:
    """The core's pipeline, imported in the worker's thread (it brings the compiled kernels with it).

    What the import and the first run leave is taken out of the sight of the garbage collector: looking through all of it
    held up every thread, the window's too, for 40 to 90 ms a time.
    """
    _let_the_window_go_first()
    first = gc.get_freeze_count() == 0
    from cassi_core.calibration.pipeline import calibrate

    if first:
        gc.freeze()
    try:
        return calibrate(*args, **kwargs)
    finally:
        if first:
            gc.freeze()


def _let_the_window_go_first() -> None:
    """Lower the priority of this thread and of those it starts, where the system can do that for a thread (Linux)."""
    if sys.platform.startswith("linux"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND_THE_WINDOW)


class RunController(QObject):
    """Owner of the worker threads; all signals are emitted in the GUI thread."""

    batch = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    state_changed = Signal(object)
    busy_changed = Signal(bool)
    """True while work handed over by :meth:`submit` is waiting or running."""

    def __init__(self, parent: QObject | None = None, *, calibrate: Calibrate | None = None) -> None:
        super().__init__(parent)
        self._calibrate = calibrate or _core_calibrate
        self._phase = RunPhase.IDLE
        self._control: RunControl | None = None
        self._mailbox = Mailbox()
        self._started_at = 0.0
        self._jobs: list[Job] = []
        self._stopped = False
        self._run_lane = Lane("run", self)
        self._task_lane = Lane("tasks", self)
        self._search_lane = Lane("searches", self)
        self._run_lane.worker.completed.connect(self._on_run_completed)
        for lane in (self._task_lane, self._search_lane):
            lane.worker.completed.connect(self._on_task_completed)
        self._timer = QTimer(self)
        self._timer.setInterval(DRAIN_INTERVAL_MS)
        self._timer.timeout.connect(self._drain)

    @property
    def phase(self) -> RunPhase:
        return self._phase

    @property
    def running(self) -> bool:
        """True from `start` until the run has ended in one of its ways."""
        return self._phase is not RunPhase.IDLE

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start of the present run without its pauses; 0 when idle."""
        if self._control is None:
            return 0.0
        return time.perf_counter() - self._started_at - self._control.paused_seconds

    def start(self, inputs: CalibrationInputs, config: CalibrationConfig, parameters: ParameterSet) -> bool:
        """Begin a run; False when one is going on already."""
        if self.running or self._stopped:
            return False
        self._control = control = RunControl()
        self._mailbox = mailbox = Mailbox()
        self._started_at = time.perf_counter()

        def work() -> Any:
            return self._calibrate(inputs, config, parameters, control=control, observe=mailbox.put)

        self._set_phase(RunPhase.RUNNING)
        self._timer.start()
        self._run_lane.request.emit(Job(work, ()))
        return True

    def pause(self) -> None:
        if self._phase is RunPhase.RUNNING and self._control is not None:
            self._control.pause()
            self._set_phase(RunPhase.PAUSED)

    def resume(self) -> None:
        if self._phase is RunPhase.PAUSED and self._control is not None:
            self._control.resume()
            self._set_phase(RunPhase.RUNNING)

    def finish_early(self) -> None:
        """Stop searching and keep the best so far."""
        if self._phase in (RunPhase.RUNNING, RunPhase.PAUSED) and self._control is not None:
            self._control.finish_early()
            self._set_phase(RunPhase.FINISHING)

    def cancel(self) -> None:
        """End the run without a result."""
        if self.running and self._phase is not RunPhase.CANCELLING and self._control is not None:
            self._control.cancel()
            self._set_phase(RunPhase.CANCELLING)

    def submit(
        self,
        function: Callable[..., Any],
        *args: Any,
        done: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        key: str = "",
        control: RunControl | None = None,
        search: bool = False,
    ) -> Job:
        """Call `function(*args)` in the task thread; `done(result)` or `failed(error)` follow in the GUI thread.

        A `search` takes seconds and has a thread of its own, so that short tasks need not wait for it.

        A new job makes an older one with the same `key` stale, so that only the latest answer arrives. `control` is what the
        function listens to: a job that became stale is cancelled with it.
        """
        job = Job(function, args, done, failed, key, control)
        for older in self._jobs:
            if key and older.key == key:
                older.cancel()
        if self._stopped:
            job.cancel()
            return job
        was_busy = self.busy
        self._jobs.append(job)
        if not was_busy:
            self.busy_changed.emit(True)
        (self._search_lane if search else self._task_lane).request.emit(job)
        return job

    def shutdown(self) -> bool:
        """Cancel everything and wait for the threads; False when a thread did not end in time."""
        if self._stopped:
            return True
        self._stopped = True
        self._timer.stop()
        for job in self._jobs:
            job.cancel()
        self._jobs.clear()
        if self._control is not None:
            self._control.cancel()
        ended = [lane.stop() for lane in (self._run_lane, self._task_lane, self._search_lane)]
        self._control, self._phase = None, RunPhase.IDLE
        return all(ended)

    def _set_phase(self, phase: RunPhase) -> None:
        self._phase = phase
        self.state_changed.emit(phase)

    @Slot()
    def _drain(self) -> None:
        events = self._mailbox.drain()
        if events:
            self.batch.emit(RunBatch(events))

    @Slot(object)
    def _on_run_completed(self, job: Job) -> None:
        if self._stopped:
            return
        self._timer.stop()
        self._drain()
        cancelled = self._phase is RunPhase.CANCELLING
        self._control = None
        self._set_phase(RunPhase.IDLE)
        if cancelled or isinstance(job.error, RunCancelled):
            self.cancelled.emit()
        elif job.error is not None:
            _keep_trace("the run failed", job.error)
            self.failed.emit(job.error)
        else:
            self.finished.emit(job.result)

    @Slot(object)
    def _on_task_completed(self, job: Job) -> None:
        if self._stopped:
            return
        self._jobs.remove(job)
        if not self.busy:
            self.busy_changed.emit(False)
        if job.stale:
            return
        if job.error is not None:
            if job.failed is None:
                raise job.error
            _keep_trace("a task failed", job.error)
            job.failed(job.error)
        elif job.done is not None:
            job.done(job.result)


def _keep_trace(what: str, error: Exception) -> None:
    """For the crash log, unless it is an error that the core explains in words."""
    if not isinstance(error, CassiError):
        logger.error("%s: %s", what, error, exc_info=error)
