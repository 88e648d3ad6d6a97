"""Undoable edits: everything that a person changes goes through one of the functions below.

A command stores the fields of the snapshot before and after; runs are edited by id, so that undoing the acceptance of
one run never loses a run that finished since.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

from PySide6.QtGui import QUndoCommand

from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.parameters import ParameterSet
from cassi_gui.session.state import AppState, PickedPoint, RunRecord

MAX_POINTS = 8
MERGE_S = 1.0
"""Edits of one thing that follow each other this fast are one edit: an arrow that is held down, a slider that is dragged."""


class RunLogbook(Protocol):
    """What is told about accepted runs: :class:`cassi_gui.logbook.keeper.LogbookKeeper`."""

    @property
    def rig(self) -> str:
        """The rig that accepted runs belong to; empty: they are not kept."""

    def rig_of(self, uid: str) -> str:
        """The rig under which a run counts in the logbook; empty when it does not."""

    def tell(self, record: RunRecord, rig: str) -> None:
        """Let a run count under a rig, or (empty name) under none."""


class EditFields(QUndoCommand):
    """Set fields of the snapshot; edits with the same `merge` key that follow each other within MERGE_S become one step."""

    def __init__(self, state: AppState, text: str, after: dict[str, Any], merge: str = "") -> None:
        super().__init__(text)
        self._state, self._after, self._merge = state, after, merge
        self._before = {name: getattr(state.snapshot, name) for name in after}
        self._made_at = time.monotonic()

    def redo(self) -> None:
        self._state.replace(**self._after)

    def undo(self) -> None:
        self._state.replace(**self._before)

    def id(self) -> int:
        return hash(self._merge) % 2**31 if self._merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, EditFields) or other._merge != self._merge or other._made_at - self._made_at > MERGE_S:
            return False
        self._after = {**self._after, **other._after}
        self._made_at = other._made_at
        # There and back again within the second: no step of undo that changes nothing.
        self.setObsolete(self._after == self._before)
        return True


class EditRun(QUndoCommand):
    """Change fields of one run and, with them, which run is accepted."""

    def __init__(self, state: AppState, text: str, run_id: int, changes: dict[str, Any]) -> None:
        super().__init__(text)
        self._state, self._run_id, self._changes = state, run_id, changes
        record = state.run(run_id)
        self._before = {name: getattr(record, name) for name in changes}

    def redo(self) -> None:
        self._state.edit_run(self._run_id, **self._changes)

    def undo(self) -> None:
        self._state.edit_run(self._run_id, **self._before)


class AcceptRun(QUndoCommand):
    """Make a run the calibration in force (or none), with a note; undo gives the earlier one back.

    The logbook, if there is one, follows: an accepted run is added to it, a rejected one or an undone acceptance is withdrawn.
    """

    def __init__(
        self, state: AppState, text: str, run_id: int, note: str, *, accept: bool, logbook: RunLogbook | None = None
    ) -> None:
        super().__init__(text)
        self._state, self._run_id, self._note, self._accept = state, run_id, note, accept
        self._logbook = logbook
        record = state.run(run_id)
        self._note_before = record.note if record is not None else ""
        self._accepted_before = state.snapshot.accepted_id
        self._rejected_before = state.snapshot.rejected_ids
        self._rig_before = logbook.rig_of(record.uid) if logbook is not None and record is not None else ""
        self._rig_after = logbook.rig if logbook is not None and accept else ""

    def redo(self) -> None:
        state = self._state
        state.edit_run(self._run_id, note=self._note)
        if self._accept:
            self._apply(self._run_id, self._rejected_before - {self._run_id})
        else:
            kept = None if self._accepted_before == self._run_id else self._accepted_before
            self._apply(kept, self._rejected_before | {self._run_id})
        self._tell(self._rig_before, self._rig_after)

    def undo(self) -> None:
        self._state.edit_run(self._run_id, note=self._note_before)
        self._apply(self._accepted_before, self._rejected_before)
        self._tell(self._rig_after, self._rig_before)

    def _tell(self, before: str, after: str) -> None:
        record = self._state.run(self._run_id)
        if self._logbook is not None and record is not None and before != after:
            self._logbook.tell(record, after)

    def _apply(self, accepted_id: int | None, rejected_ids: frozenset[int]) -> None:
        state = self._state
        for record in state.runs:
            if record.accepted != (record.id == accepted_id):
                state.edit_run(record.id, accepted=record.id == accepted_id)
        state.replace(accepted_id=accepted_id, rejected_ids=rejected_ids)


def edit(state: AppState, text: str, merge: str = "", **after: Any) -> bool:
    """Set any fields of the snapshot as one undoable step; False when nothing differs."""
    current = state.snapshot
    if all(getattr(current, name) is value or getattr(current, name) == value for name, value in after.items()):
        return False
    state.undo_stack.push(EditFields(state, text, after, merge))
    return True


def set_parameters(state: AppState, parameters: ParameterSet, text: str = "Change parameters", merge: str = "") -> bool:
    """Replace the whole parameter set."""
    return edit(state, text, merge, parameters=parameters)


def edit_parameter(state: AppState, name: str, **changes: Any) -> bool:
    """Change value, lower, upper or refine of one parameter; ConfigError from the core when they do not fit."""
    # A tick is an edit by itself; numbers may come from an arrow that is held down.
    merge = "" if "refine" in changes else f"parameter {name} {sorted(changes)}"
    return edit(state, f"Change {name}", merge, parameters=state.parameters.edit(name, **changes))


def set_config(state: AppState, config: CalibrationConfig, text: str = "Change settings") -> bool:
    """Replace the configuration; a change of preset also refines what that preset refines by default."""
    if config.preset != state.config.preset:
        names = config.refine if config.refine is not None else DEFAULT_REFINE[config.preset]
        return edit(state, text, config=config, parameters=state.parameters.refining(names))
    return edit(state, text, f"config {config.preset}", config=config)


def add_point(state: AppState, row: int, col: int) -> bool:
    """Pick a point of the scene; the oldest goes when there are more than eight."""
    used = {p.colour for p in state.points}
    colour = next((i for i in range(MAX_POINTS) if i not in used), 0)
    number = 1 + max((int(p.label[1:]) for p in state.points if p.label[1:].isdigit()), default=0)
    points = (*state.points, PickedPoint(row, col, f"P{number}", colour))[-MAX_POINTS:]
    return edit(state, f"Pick point P{number}", points=points)


def remove_point(state: AppState, label: str) -> bool:
    """Remove a picked point by its label."""
    return edit(state, f"Remove point {label}", points=tuple(p for p in state.points if p.label != label))


def move_point(state: AppState, label: str, row: int, col: int) -> bool:
    """Move a picked point; one step of undo for a whole drag."""
    points = tuple(PickedPoint(row, col, p.label, p.colour) if p.label == label else p for p in state.points)
    return edit(state, f"Move point {label}", f"move {label}", points=points)


def clear_points(state: AppState) -> bool:
    """Remove all picked points."""
    return edit(state, "Remove all points", points=())


def accept_run(state: AppState, run_id: int, note: str = "", logbook: RunLogbook | None = None) -> None:
    """Make a run the calibration in force, and add it to the logbook."""
    record = state.run(run_id)
    if record is not None:
        command = AcceptRun(state, f"Accept {record.name}", run_id, note or record.note, accept=True, logbook=logbook)
        state.undo_stack.push(command)


def reject_run(state: AppState, run_id: int, note: str = "", logbook: RunLogbook | None = None) -> None:
    """Mark a run as rejected; when it was in force, none is, and the logbook no longer counts it."""
    record = state.run(run_id)
    if record is not None:
        command = AcceptRun(state, f"Reject {record.name}", run_id, note or record.note, accept=False, logbook=logbook)
        state.undo_stack.push(command)


def edit_run(state: AppState, run_id: int, **changes: Any) -> None:
    """Change the name or the note of a run."""
    record = state.run(run_id)
    if record is not None and any(getattr(record, n) != v for n, v in changes.items()):
        state.undo_stack.push(EditRun(state, f"Edit {record.name}", run_id, changes))
