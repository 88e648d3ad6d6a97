"""What a session file holds, as values: the same on the way in and on the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.findings import Finding
from cassi_core.session import CutRun, FileSelection, PickedPoint, RunRecord

FORMAT = "cassi-session"
VERSION = 1
SUFFIX = ".cassi.h5"
EMBED_BYTES = 64 * 2**20
"""Inputs up to this size are kept in the file; larger ones are referred to by path and SHA-256."""

KEPT_MAPS = 2
"""With `maps="latest"`: those of this many latest runs, of the accepted one and of the one on show are read."""


@dataclass(frozen=True, eq=False)
class Session:
    """A person's work on one rig: inputs, settings, every run, which run is in force, notes and points.

    `inputs` is None while nothing is loaded, or when a file that was read refers to inputs that are too large to keep.
    `truth` is what is known to be true about simulated inputs, by parameter.
    """

    files: FileSelection = field(default_factory=FileSelection)
    inputs: CalibrationInputs | None = None
    truth: Mapping[str, float] | None = None
    config: CalibrationConfig = field(default_factory=CalibrationConfig)
    parameters: ParameterSet = field(default_factory=lambda: ParameterSet.default(DEFAULT_REFINE["auto"]))
    findings: tuple[Finding, ...] = ()
    runs: tuple[RunRecord, ...] = ()
    accepted_id: int | None = None
    current_id: int | None = None
    rejected_ids: frozenset[int] = frozenset()
    points: tuple[PickedPoint, ...] = ()
    cut: CutRun | None = None
    """The run that was going on; only in the copy that is kept for recovery."""

    def run(self, run_id: int | None) -> RunRecord | None:
        """The run with an id, or None."""
        return next((r for r in self.runs if r.id == run_id), None)

    @property
    def accepted_run(self) -> RunRecord | None:
        """The calibration in force."""
        return self.run(self.accepted_id)

    def decision(self, record: RunRecord) -> str:
        """accepted, rejected, or empty while nobody has decided."""
        if record.id == self.accepted_id:
            return "accepted"
        return "rejected" if record.id in self.rejected_ids else ""

    @property
    def words(self) -> str:
        """What is in it, in one sentence: files, runs, which one is in force, points."""
        files = self.files
        if files.demo:
            what = "The demo rig"
        elif files.measurements:
            first = Path(files.measurements[0].partition("::")[0]).name
            more = len(files.measurements) - 1
            what = f"Measurement {first}" + (f" and {more} more" if more else "")
        else:
            what = "No measurement"
        parts = [f"{len(self.runs)} run{'' if len(self.runs) == 1 else 's'}"]
        if self.runs:
            accepted = self.accepted_run
            parts.append("none accepted" if accepted is None else f"{accepted.name} accepted")
        if self.points:
            parts.append(f"{len(self.points)} picked point{'' if len(self.points) == 1 else 's'}")
        return f"{what}, {', '.join(parts)}."


@dataclass(frozen=True)
class FileReference:
    """A file that a session was made from: its role, as it was named (`FILE` or `FILE::key`), absolute path, SHA-256.

    The SHA-256 is empty when the file could not be read at the time of saving.
    """

    role: str
    spec: str
    path: str
    sha256: str


@dataclass(frozen=True, eq=False)
class StoredSession:
    """A session read from a file, and what the file says about itself.

    `document` is the saved path of the session that a recovery file belongs to (empty: never saved). `inputs_kept` says that
    the file holds the inputs; without them, and with `references`, they have to be read again from where they lie.
    """

    path: Path
    session: Session
    saved: datetime
    program: str
    version: int
    references: tuple[FileReference, ...] = ()
    inputs_kept: bool = False
    document: str = ""
