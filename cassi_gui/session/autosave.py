"""Keeps a copy of the session in the user's folder, a few seconds after each change, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cassi_core.errors import RunCancelled
from cassi_gui.session.io import SessionIo
from cassi_gui.session.recovery import RecoveryFile, RecoveryFolder
from cassi_gui.session.run_maps import RunStore
from cassi_gui.session.state import AppState, Snapshot
from cassi_gui.session.values import content_of, worth_keeping, write

DELAY_MS = 3000
"""From the first change after an autosave to the next autosave."""
RETRY_MS = 30_000
"""After a failure (a full disk)."""
CONTENT_FIELDS = frozenset(("files", "config", "parameters", "runs", "accepted_id", "rejected_ids", "points", "cut"))


class Autosave(QObject):
    """Writes the recovery file of one window while its session has changes that are not saved."""

    logged = Signal(str, str)
    written = Signal(object)
    """Path of the recovery file that was just written."""

    def __init__(
        self,
        state: AppState,
        io: SessionIo,
        store: RunStore,
        folder: RecoveryFolder,
        modified: Callable[[], bool],
        document: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._io, self._store, self._folder = state, io, store, folder
        self._modified, self._document = modified, document
        self._file: RecoveryFile | None = None
        self._content: tuple[Any, ...] | None = None
        """What the recovery file holds."""
        self._under_way = False
        self._complained = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.save_now)
        state.changed.connect(self._on_changed)

    @property
    def path(self) -> Path | None:
        """The recovery file, or None while nothing has needed one."""
        return None if self._file is None else self._file.path

    def take_over(self, file: RecoveryFile) -> None:
        """Go on with the recovery file of a window that died: it stays in place until something newer is in it."""
        self.drop()
        self._file, self._content = file, _kept(self._state.snapshot)

    def drop(self) -> None:
        """Remove the recovery file: everything in it is saved, or nobody wants it."""
        self._timer.stop()
        if self._file is not None:
            self._store.forget(self._file.path)
            self._file.release(remove=True)
        self._file = self._content = None

    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        # Not started anew by later changes: whoever works without a pause is saved all the same.
        if names & CONTENT_FIELDS and not 0 <= self._timer.remainingTime() <= DELAY_MS:
            self._timer.start(DELAY_MS)

    @Slot()
    def save_now(self) -> None:
        """Write the recovery file when there is something new that is not saved."""
        shot = self._state.snapshot
        content = _kept(shot)
        if self._under_way:
            self._timer.start(DELAY_MS)
            return
        if shot.cut is None and not worth_keeping(shot):
            # The run that made a copy worth while has ended without a result.
            self.drop()
            return
        if content == self._content or (shot.cut is None and not self._modified()):
            return
        if self._file is None:
            self._file = self._folder.claim()
        if self._file is None:
            return
        self._under_way = True
        arguments = (shot, self._store.unsaved, self._file.path, self._store.files, self._document())
        done = partial(self._on_written, shot, content, self._file)
        self._io.submit("", write, *arguments, done=done, failed=self._on_failed)

    def _on_written(self, shot: Snapshot, content: tuple[Any, ...], file: RecoveryFile, path: Path) -> None:
        self._under_way = False
        if file is not self._file:
            # It was dropped while it was being written: the session was saved, or another one was opened.
            path.unlink(missing_ok=True)
            return
        self._content, self._complained = content, False
        self._store.note_written(shot, path)
        self.written.emit(path)

    def _on_failed(self, error: Exception) -> None:
        self._under_way = False
        if not isinstance(error, RunCancelled) and not self._complained:
            self._complained = True
            self.logged.emit("warning", f"the session could not be kept for recovery: {error}")
        self._timer.start(RETRY_MS)


def _kept(shot: Snapshot) -> tuple[Any, ...]:
    """What the recovery file has to hold."""
    return (*content_of(shot), shot.cut)
