"""What the session holds: one immutable snapshot, replaced as a whole, with one signal that names what changed.

Edits of a person go through :mod:`cassi_gui.session.commands`, so that they can be undone; :meth:`AppState.replace` is for
everything that is not an edit (a run arrived, files finished loading).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.result import CalibrationResult, QualityMaps
from cassi_core.session import CutRun, FileSelection, PickedPoint, RunRecord
from cassi_gui.style.paths import short_name

if TYPE_CHECKING:
    from cassi_core.quality.detection import MaskDetection

__all__ = ["AppState", "FileSelection", "PickedPoint", "RunRecord", "Snapshot", "selection_title"]

UNDO_LIMIT = 200
KEPT_MAPS = 2
"""Maps of this many latest runs stay in memory (and those of the accepted and the shown one): about 20 MB each.

The others are in the session's files (:mod:`cassi_gui.session.run_maps`)."""


def selection_title(files: FileSelection) -> str:
    """Names of the measurement and the mask."""
    first = short_name(files.measurements[0]) if files.measurements else "(no measurement)"
    more = f" and {len(files.measurements) - 1} more" if len(files.measurements) > 1 else ""
    return f"{first}{more}" + (f" with {short_name(files.mask)}" if files.mask else "")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything of the session at one moment."""

    files: FileSelection = field(default_factory=FileSelection)
    inputs: CalibrationInputs | None = None
    loading: bool = False
    load_problem: str = ""
    """Why the chosen files could not be loaded, in words; empty when they could."""
    truth: Any = None
    """What is known to be true about the demo (parameters by name), or None."""
    config: CalibrationConfig = field(default_factory=CalibrationConfig)
    parameters: ParameterSet = field(default_factory=lambda: ParameterSet.default(DEFAULT_REFINE["auto"]))
    findings: tuple[Any, ...] = ()
    detection: MaskDetection | None = None
    """Whether the mask is in the picture; belongs to `inputs` and goes with them."""
    detecting: bool = False
    runs: tuple[RunRecord, ...] = ()
    accepted_id: int | None = None
    current_id: int | None = None
    points: tuple[PickedPoint, ...] = ()
    rejected_ids: frozenset[int] = frozenset()
    cut: CutRun | None = None
    """The run that is going on, as far as it has come."""


FIELDS = frozenset(f.name for f in fields(Snapshot))


class AppState(QObject):
    """Holder of the present snapshot and of the undo history; emits `changed` with a frozenset of field names."""

    changed = Signal(object)
    restored = Signal()
    """Another session is in place: whatever is on show about something that happened in the old one goes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._snapshot = Snapshot()
        self._next_id = 1
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(UNDO_LIMIT)

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    @property
    def inputs(self) -> CalibrationInputs | None:
        return self._snapshot.inputs

    @property
    def config(self) -> CalibrationConfig:
        return self._snapshot.config

    @property
    def parameters(self) -> ParameterSet:
        return self._snapshot.parameters

    @property
    def findings(self) -> tuple[Any, ...]:
        return self._snapshot.findings

    @property
    def runs(self) -> tuple[RunRecord, ...]:
        return self._snapshot.runs

    @property
    def points(self) -> tuple[PickedPoint, ...]:
        return self._snapshot.points

    @property
    def current_run(self) -> RunRecord | None:
        """The run that the QA page shows."""
        return self.run(self._snapshot.current_id)

    @property
    def accepted_run(self) -> RunRecord | None:
        """The calibration in force."""
        return self.run(self._snapshot.accepted_id)

    def run(self, run_id: int | None) -> RunRecord | None:
        """The run with an id, or None."""
        return next((r for r in self._snapshot.runs if r.id == run_id), None)

    def replace(self, **changes: Any) -> frozenset[str]:
        """Set fields of the snapshot and emit `changed` once for those that really differ; returns their names."""
        names = frozenset(n for n, v in changes.items() if getattr(self._snapshot, n) is not v)
        names = frozenset(n for n in names if not _equal(getattr(self._snapshot, n), changes[n]))
        if names:
            self._snapshot = replace(self._snapshot, **{n: changes[n] for n in names})
            self.changed.emit(names)
        return names

    def add_run(self, result: CalibrationResult, name: str = "") -> RunRecord:
        """Append a finished run, show it, and drop the maps of old ones."""
        record = RunRecord(self._next_id, name or f"Run {self._next_id} ({result.preset})", result, datetime.now())
        self._next_id += 1
        runs = _trimmed((*self._snapshot.runs, record), {record.id, self._snapshot.accepted_id})
        self.replace(runs=runs, current_id=record.id)
        return record

    def put_maps(self, uid: str, maps: QualityMaps) -> None:
        """Give a run its maps back (read from a session file), and drop those of runs that nobody looks at."""
        shot = self._snapshot
        runs = tuple(replace(r, result=replace(r.result, maps=maps)) if r.uid == uid else r for r in shot.runs)
        self.replace(runs=_trimmed(runs, {shot.accepted_id, shot.current_id}))

    def restore(self, **fields: Any) -> None:
        """Put another session in place of this one: nothing of the old one is left on show, and nothing of it can be undone."""
        empty = Snapshot()
        self.replace(**{name: getattr(empty, name) for name in FIELDS})
        self.undo_stack.clear()
        self._next_id = 1 + max((r.id for r in fields.get("runs", ())), default=0)
        self.restored.emit()
        self.replace(**fields)

    def edit_run(self, run_id: int, **changes: Any) -> None:
        """Change name, note or accepted of one run."""
        self.replace(runs=tuple(replace(r, **changes) if r.id == run_id else r for r in self._snapshot.runs))


def _trimmed(runs: tuple[RunRecord, ...], keep: set[int | None]) -> tuple[RunRecord, ...]:
    """The runs without the maps of all but the latest and the ones to keep."""
    kept = keep | {r.id for r in runs[-KEPT_MAPS:]}
    return tuple(r if r.id in kept or r.result.maps is None else _without_maps(r) for r in runs)


def _without_maps(record: RunRecord) -> RunRecord:
    return replace(record, result=replace(record.result, maps=None))


def _equal(a: Any, b: Any) -> bool:
    """Equality that never compares arrays element by element: objects without `__eq__` compare by identity."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)
