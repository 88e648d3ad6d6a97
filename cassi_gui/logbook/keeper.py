"""The window's side of the logbook: what it holds, and changes that are made one after the other in the task thread.

The keeper owns no numbers: everything that is shown was computed by :mod:`cassi_core.logbook` in that thread. Changes wait in a queue, so
that none is lost when the window is closed at once after it was made.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cassi_core.errors import CassiError
from cassi_core.logbook.drift import Judgement, Trend, drift_reasons, judge_all, trends
from cassi_core.logbook.entry import LogEntry, entry_of_result
from cassi_core.logbook.location import choose_path, logbook_path
from cassi_core.logbook.store import Added, Contents, Logbook
from cassi_core.session import RunRecord
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.run.controller import RunController
from cassi_gui.session.state import AppState

logger = logging.getLogger(__name__)

DEMO_RIG = "Demo rig"
"""Runs of the demo go here, so that they never mix with those of a real rig."""
FIRST_RIG = "My rig"

Change = Callable[[Logbook], Any]


@dataclass(frozen=True)
class LogbookView:
    """The logbook as it is shown: its contents, what is said about each entry, and the trends of each rig."""

    contents: Contents = field(default_factory=Contents)
    judged: Mapping[int, tuple[Judgement, ...]] = field(default_factory=dict)
    trends: Mapping[str, tuple[Trend, ...]] = field(default_factory=dict)

    def reasons(self, entry: LogEntry) -> tuple[str, ...]:
        """Why an entry drifts, in words; empty when it does not."""
        return drift_reasons(self.judged.get(entry.id, ()))


@dataclass(frozen=True)
class _Outcome:
    """What the task thread did: results of the changes, problems in words, the view afterwards (None: it cannot be read)."""

    results: tuple[Any, ...]
    problems: tuple[str, ...]
    view: LogbookView | None
    path: Path


class LogbookKeeper(QObject):
    """Holds the present view of the logbook; emits `changed` when it, its path, a problem or the rig's name is another."""

    changed = Signal()
    logged = Signal(str, str)

    def __init__(self, state: AppState, runner: RunController, settings: UiSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._runner, self._settings = state, runner, settings
        self.view = LogbookView()
        self.problem = ""
        """Why the logbook cannot be read or the last change was not made, in words; empty when all is well."""
        self.path = logbook_path()
        self._queue: deque[Change] = deque()
        self._told: dict[str, str] = {}
        """Rigs of runs whose change is still on its way."""
        self._notes: Mapping[str, str] = {}
        self._waiting = 0
        self._demo_rig = DEMO_RIG
        self._read_once = False
        state.changed.connect(self._on_state)

    # -- the rig ----------------------------------------------------------------------------------------------------
    @property
    def rig(self) -> str:
        """Name of the rig that accepted runs are added to; empty: they are not added."""
        if self._state.snapshot.files.demo:
            return self._demo_rig
        named = self._settings.rig
        if named is not None:
            return named
        return next((rig for rig in self.view.contents.rigs if rig != DEMO_RIG), FIRST_RIG)

    def set_rig(self, name: str) -> None:
        """Use and remember another rig; the demo's is remembered until the window closes."""
        name = " ".join(name.split())
        if name == self.rig:
            return
        if self._state.snapshot.files.demo:
            self._demo_rig = name
        else:
            self._settings.rig = name
        self.changed.emit()

    # -- runs -------------------------------------------------------------------------------------------------------
    def rig_of(self, uid: str) -> str:
        """The rig under which a run is in the logbook and counts; empty when it is not."""
        if uid in self._told:
            return self._told[uid]
        entry = self.entry_of(uid)
        return "" if entry is None else entry.rig

    def entry_of(self, uid: str) -> LogEntry | None:
        """The entry of a run that counts, as far as the logbook has been read."""
        return next((e for e in self.view.contents.entries if e.run == uid and e.in_force), None)

    def tell(self, record: RunRecord, rig: str) -> None:
        """Let a run be in the logbook under a rig and no other, or (empty name) under none."""
        self._told[record.uid] = rig
        if rig:
            self.change(partial(_add_run, record=record, rig=rig))
        else:
            self.change(partial(Logbook.withdraw_run, run=record.uid))

    def name_file(self, uid: str, path: Path) -> None:
        """A calibration file was written for a run: its entry gets path and checksum."""
        if self.rig_of(uid):
            self.change(partial(_name_file, uid=uid, path=path))

    # -- reading and changing ---------------------------------------------------------------------------------------
    def read_soon(self) -> None:
        """Read the logbook if that has not been done yet."""
        if not self._read_once:
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Read the logbook again: another program may have added to it."""
        self._read_once = True
        self._submit()

    def change(self, change: Change) -> None:
        """Make a change of the logbook, then read it."""
        self._read_once = True
        self._queue.append(change)
        self._submit()

    def use_file(self, path: Path | None) -> None:
        """Use another logbook from now on (None: the default one); CassiError when the choice cannot be kept."""
        self.path = choose_path(path)
        self.view, self._told = LogbookView(), {}
        self.refresh()

    def finish(self) -> None:
        """Make what still waits, when the task thread has ended."""
        if self._queue:
            for problem in _work(self.path, self._queue).problems:
                logger.error("the logbook was not changed: %s", problem)

    def _submit(self) -> None:
        # A problem stays on show until the next thing is begun, whatever else was still on its way.
        if not self._waiting:
            self.problem = ""
        self._waiting += 1
        self._runner.submit(_work, self.path, self._queue, done=self._on_done, failed=self._on_failed)

    def _on_done(self, outcome: _Outcome) -> None:
        self._waiting -= 1
        if outcome.path != self.path:
            return
        for problem in outcome.problems:
            self.logged.emit("error", f"logbook: {problem}")
        if outcome.problems:
            self.problem = outcome.problems[-1]
        if outcome.view is not None:
            self.view = outcome.view
        if not self._waiting:
            self._told.clear()
        self.changed.emit()
        for result in outcome.results:
            if isinstance(result, Added):
                self._report(result)

    def _on_failed(self, error: Exception) -> None:
        self._waiting -= 1
        self.problem = f"{type(error).__name__}: {error}"
        self.logged.emit("error", f"logbook: {self.problem}")
        self.changed.emit()

    def _report(self, added: Added) -> None:
        entry = added.entry
        words = {"new": "added", "restored": "put back", "known": "already there"}[added.outcome]
        self.logged.emit("info", f"logbook: entry {entry.id} of {entry.rig} {words} ({self.path})")
        for reason in self.view.reasons(entry):
            self.logged.emit("warning", f"drift of {entry.rig}: {reason}")

    @Slot(object)
    def _on_state(self, names: frozenset[str]) -> None:
        """The demo has a rig of its own; notes of runs that are in the logbook follow those of the session."""
        if "files" in names:
            self.changed.emit()
        if "runs" in names:
            before, self._notes = self._notes, {record.uid: record.note for record in self._state.runs}
            for uid, note in self._notes.items():
                if before.get(uid, note) != note and self.rig_of(uid):
                    self.change(partial(Logbook.annotate_run, run=uid, note=note))


def _work(path: Path, queue: deque[Change]) -> _Outcome:
    """Make all changes that wait, each as a whole, then read (in the task thread)."""
    book = Logbook(path)
    results, problems = [], []
    while queue:
        try:
            results.append(queue.popleft()(book))
        except (CassiError, OSError) as error:
            problems.append(str(error))
    try:
        contents = book.read()
    except CassiError as error:
        return _Outcome(tuple(results), (*problems, str(error)), None, path)
    view = LogbookView(contents, judge_all(contents), {rig: trends(contents, rig) for rig in contents.rigs})
    return _Outcome(tuple(results), tuple(problems), view, path)


def _add_run(book: Logbook, record: RunRecord, rig: str) -> Added:
    entry = entry_of_result(record.result, rig, record.result.calibrated or record.when, run=record.uid, note=record.note)
    book.withdraw_run(record.uid, but=entry.rig)
    return book.add(entry)


def _name_file(book: Logbook, uid: str, path: Path) -> None:
    book.name_file(uid, path, sha256(path.read_bytes()).hexdigest())
