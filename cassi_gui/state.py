"""What the session holds: one immutable snapshot, replaced as a whole, with one signal that names what changed.

Edits of a person go through :mod:`cassi_gui.commands`, so that they can be undone; :meth:`AppState.replace` is for
everything that is not an edit (a run arrived, files finished loading).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.result import CalibrationResult
from cassi_gui.paths import short_name

UNDO_LIMIT = 200
KEPT_MAPS = 2
"""Maps of this many latest runs stay in memory (and those of the accepted and the shown one): about 20 MB each."""


@dataclass(frozen=True)
class FileSelection:
    """What a person chose on the Load page: paths (as `FILE` or `FILE::key`) and the nominal dispersion.

    `n_bands`, `step_px` are None while the file or the widths decide. `mask_turn` is (flip left-right, quarter turns
    counter-clockwise) applied to the mask after reading.
    """

    measurements: tuple[str, ...] = ()
    mask: str = ""
    dark: str = ""
    flat: str = ""
    reference: str = ""
    dispersion_csv: str = ""
    n_bands: int | None = None
    step_px: float | None = None
    direction: str = "right"
    mode: str = "interpolated"
    mask_turn: tuple[bool, int] = (False, 0)
    demo: bool = False


def selection_title(files: FileSelection) -> str:
    """Names of the measurement and the mask."""
    first = short_name(files.measurements[0]) if files.measurements else "(no measurement)"
    more = f" and {len(files.measurements) - 1} more" if len(files.measurements) > 1 else ""
    return f"{first}{more}" + (f" with {short_name(files.mask)}" if files.mask else "")


@dataclass(frozen=True)
class PickedPoint:
    """A point of the scene whose spectrum is shown: mask pixel (row, col), a label, an index into the palette's series."""

    row: int
    col: int
    label: str
    colour: int


@dataclass(frozen=True, eq=False)
class RunRecord:
    """A finished run in the session's history."""

    id: int
    name: str
    result: CalibrationResult
    when: datetime
    note: str = ""
    accepted: bool = False


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything of the session at one moment."""

    files: FileSelection = FileSelection()
    inputs: CalibrationInputs | None = None
    loading: bool = False
    load_problem: str = ""
    """Why the chosen files could not be loaded, in words; empty when they could."""
    truth: Any = None
    """What is known to be true about the demo (parameters by name), or None."""
    config: CalibrationConfig = field(default_factory=CalibrationConfig)
    parameters: ParameterSet = field(default_factory=lambda: ParameterSet.default(DEFAULT_REFINE["auto"]))
    findings: tuple[Any, ...] = ()
    runs: tuple[RunRecord, ...] = ()
    accepted_id: int | None = None
    current_id: int | None = None
    points: tuple[PickedPoint, ...] = ()
    rejected_ids: frozenset[int] = frozenset()


FIELDS = frozenset(f.name for f in fields(Snapshot))


class AppState(QObject):
    """Holder of the present snapshot and of the undo history; emits `changed` with a frozenset of field names."""

    changed = Signal(object)

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
        keep = {record.id, self._snapshot.accepted_id}
        runs = (*self._snapshot.runs, record)
        keep |= {r.id for r in runs[-KEPT_MAPS:]}
        trimmed = tuple(r if r.id in keep or r.result.maps is None else _without_maps(r) for r in runs)
        self.replace(runs=trimmed, current_id=record.id)
        return record

    def edit_run(self, run_id: int, **changes: Any) -> None:
        """Change name, note or accepted of one run."""
        self.replace(runs=tuple(replace(r, **changes) if r.id == run_id else r for r in self._snapshot.runs))


def _without_maps(record: RunRecord) -> RunRecord:
    return replace(record, result=replace(record.result, maps=None))


def _equal(a: Any, b: Any) -> bool:
    """Equality that never compares arrays element by element: objects without `__eq__` compare by identity."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)
