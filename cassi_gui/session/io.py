"""Reading and writing of sessions in a thread of its own, one after the other, with progress and a way to stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cassi_core.run import RunControl
from cassi_gui.run.controller import Job, Lane

PROGRESS_MS = 66


class _Work:
    """What is under way: its words, how to stop it, how far it is (written by the thread that works, read by the window's)."""

    def __init__(self, label: str) -> None:
        self.label, self.control, self.fraction = label, RunControl(), 0.0

    def report(self, fraction: float) -> None:
        self.fraction = fraction


class SessionIo(QObject):
    """Calls functions with the keywords `control` and `report`; work with a label is shown, work without is not."""

    progress = Signal(str, float)
    """Label and fraction of what is under way; an empty label when nothing is to be shown."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane: Lane | None = None
        self._queue: deque[tuple[Job, _Work]] = deque()
        self._stopped = False
        self._timer = QTimer(self)
        self._timer.setInterval(PROGRESS_MS)
        self._timer.timeout.connect(self._show)

    @property
    def idle(self) -> bool:
        return not self._queue

    def submit(
        self,
        label: str,
        function: Callable[..., Any],
        *args: Any,
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Call `function(*args, control=..., report=...)`; `done(result)` or `failed(error)` follow in the GUI thread."""
        if self._stopped:
            return
        if self._lane is None:
            # The thread is made for the first session: most tests and many windows never need it.
            self._lane = Lane("sessions", self)
            self._lane.worker.completed.connect(self._on_completed)
        work = _Work(label)

        def call() -> Any:
            work.control.checkpoint()
            return function(*args, control=work.control, report=work.report)

        job = Job(call, (), done, failed)
        self._queue.append((job, work))
        self._timer.start()
        self._lane.request.emit(job)

    def cancel(self) -> None:
        """Stop what is shown; it fails with RunCancelled. Work that is not shown goes on: nobody asked for its end."""
        for _, work in self._queue:
            if work.label:
                work.control.cancel()

    def shutdown(self) -> bool:
        """Stop everything and wait; False when the thread did not end in time."""
        if self._stopped:
            return True
        self._stopped = True
        self._timer.stop()
        for job, work in self._queue:
            job.cancel()
            work.control.cancel()
        self._queue.clear()
        return self._lane is None or self._lane.stop()

    @Slot()
    def _show(self) -> None:
        work = next((w for _, w in self._queue if w.label), None)
        self.progress.emit(*("", 1.0) if work is None else (work.label, work.fraction))

    @Slot(object)
    def _on_completed(self, job: Job) -> None:
        if self._stopped:
            return
        self._queue.popleft()
        if not self._queue:
            self._timer.stop()
        self._show()
        if job.error is not None:
            assert job.failed is not None
            job.failed(job.error)
        elif job.done is not None:
            job.done(job.result)
