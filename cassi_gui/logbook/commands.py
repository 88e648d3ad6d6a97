"""Undoable changes of the logbook, made from its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtGui import QUndoCommand

from cassi_core.logbook.limits import RigLimits
from cassi_core.logbook.store import Logbook
from cassi_gui.logbook.keeper import Change, LogbookKeeper
from cassi_gui.session.state import AppState


class LogbookEdit(QUndoCommand):
    """A change of the logbook and the one that takes it back."""

    def __init__(self, keeper: LogbookKeeper, text: str, do: Change, undo: Change) -> None:
        super().__init__(text)
        self._keeper, self._do, self._undo = keeper, do, undo

    def redo(self) -> None:
        self._keeper.change(self._do)

    def undo(self) -> None:
        self._keeper.change(self._undo)


def withdraw_entries(state: AppState, keeper: LogbookKeeper, ids: Sequence[int]) -> None:
    """Take entries back: they stay in the file and count for nothing."""
    do, undo = partial(_change_many, "withdraw", tuple(ids)), partial(_change_many, "restore", tuple(ids))
    state.undo_stack.push(LogbookEdit(keeper, f"Withdraw {_named(ids)}", do, undo))


def restore_entries(state: AppState, keeper: LogbookKeeper, ids: Sequence[int]) -> None:
    """Let withdrawn entries count again."""
    do, undo = partial(_change_many, "restore", tuple(ids)), partial(_change_many, "withdraw", tuple(ids))
    state.undo_stack.push(LogbookEdit(keeper, f"Put back {_named(ids)}", do, undo))


def annotate_entry(state: AppState, keeper: LogbookKeeper, entry_id: int, note: str) -> None:
    """Replace the note of an entry."""
    before = keeper.view.contents.entry(entry_id).note
    do, undo = (partial(Logbook.annotate, entry_id=entry_id, note=text) for text in (note, before))
    state.undo_stack.push(LogbookEdit(keeper, f"Note on {_named([entry_id])}", do, undo))


def move_entry(state: AppState, keeper: LogbookKeeper, entry_id: int, rig: str) -> None:
    """Give an entry to another rig."""
    before = keeper.view.contents.entry(entry_id).rig
    do, undo = (partial(Logbook.move, entry_id=entry_id, rig=name) for name in (rig, before))
    state.undo_stack.push(LogbookEdit(keeper, f"Rig of {_named([entry_id])}", do, undo))


def set_limits(state: AppState, keeper: LogbookKeeper, limits: RigLimits) -> None:
    """Replace the limits of a rig."""
    before = replace(keeper.view.contents.limits_of(limits.rig), rig=limits.rig)
    do, undo = (partial(Logbook.set_limits, limits=bounds) for bounds in (limits, before))
    state.undo_stack.push(LogbookEdit(keeper, f"Limits of {limits.rig}", do, undo))


def _change_many(method: str, ids: tuple[int, ...], book: Logbook) -> None:
    getattr(book, method)(*ids)


def _named(ids: Sequence[int]) -> str:
    return f"logbook entry {ids[0]}" if len(ids) == 1 else f"{len(ids)} logbook entries"
