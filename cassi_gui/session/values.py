"""Between the window's snapshot and the core's session; what is imported here late brings HDF5 and SciPy with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cassi_core.result import QualityMaps
from cassi_core.run import RunControl
from cassi_gui.session.state import FileSelection, RunRecord, Snapshot

if TYPE_CHECKING:
    from cassi_core.io.session import FileReference, Located, Session, StoredSession

SAVED_FIELDS = (
    "files",
    "inputs",
    "truth",
    "config",
    "parameters",
    "findings",
    "runs",
    "accepted_id",
    "current_id",
    "rejected_ids",
    "points",
    "cut",
)
"""Fields of the snapshot that a session keeps; the others only say what the window is doing."""
SUFFIX = ".cassi.h5"

Report = Any


@dataclass(frozen=True, eq=False)
class Opened:
    """A session that was read, and where its files lie now."""

    stored: StoredSession
    located: Located


def is_session(path: str) -> bool:
    """Whether a file is a session, by its name."""
    return path.lower().endswith(SUFFIX)


def content_of(shot: Snapshot) -> tuple[Any, ...]:
    """What tells whether a session was changed: equal for equal work, whatever is in memory or on show."""
    runs = tuple((r.uid, r.name, r.note, r.accepted) for r in shot.runs)
    return shot.files, shot.config, shot.parameters, runs, shot.accepted_id, shot.rejected_ids, shot.points


def worth_keeping(shot: Snapshot) -> bool:
    """True when more was done than choosing files, which the list of recent files brings back."""
    return content_of(replace(shot, files=Snapshot().files)) != content_of(Snapshot())


def session_of(shot: Snapshot, maps: Mapping[str, QualityMaps]) -> Session:
    """The core's session of a snapshot, with maps that have left the memory of the pages (in the worker's thread)."""
    from cassi_core.io.session import Session

    fields = {name: getattr(shot, name) for name in SAVED_FIELDS}
    fields["runs"] = tuple(_with_maps(r, maps) for r in shot.runs)
    return Session(**fields)


def _with_maps(record: RunRecord, maps: Mapping[str, QualityMaps]) -> RunRecord:
    if record.result.maps is not None or record.uid not in maps:
        return record
    return replace(record, result=replace(record.result, maps=maps[record.uid]))


def snapshot_fields(session: Session) -> dict[str, Any]:
    """The fields of the window's snapshot for a session that was read."""
    return {name: getattr(session, name) for name in SAVED_FIELDS}


def write(
    shot: Snapshot,
    maps: Mapping[str, QualityMaps],
    path: Path,
    earlier: Sequence[Path],
    document: str,
    *,
    control: RunControl,
    report: Report,
) -> Path:
    """Write a snapshot as a session (in the worker's thread)."""
    from cassi_core.io.session import write_session

    session = session_of(shot, maps)
    return write_session(session, path, earlier=earlier, document=document, control=control, report=report)


def open_session(path: Path, *, control: RunControl, report: Report) -> Opened:
    """Read a session and look for its files, unless it brings the inputs with it (in the worker's thread)."""
    from cassi_core.io.session import Located, locate, read_session

    stored = read_session(path, maps="latest", control=control, report=report)
    files = stored.session.files
    if stored.inputs_kept:
        return Opened(stored, Located(files))
    folder = Path(stored.document or stored.path).absolute().parent
    return Opened(stored, locate(files, stored.references, folder))


def read_maps(paths: Sequence[Path], uid: str, *, control: RunControl, report: Report) -> QualityMaps | None:
    """The maps of one run (in the worker's thread)."""
    from cassi_core.io.session import read_maps as read

    return read(paths, uid)


def same_content(reference: FileReference, path: str, *, control: RunControl, report: Report) -> bool:
    """Whether a file is the one that a session was made from (in the worker's thread)."""
    from cassi_core.io.session import is_same

    return is_same(reference, path)


def with_moved(files: FileSelection, places: Mapping[str, str]) -> FileSelection:
    """The selection with other files in place of some entries."""
    from cassi_core.io.session import relocated, with_path

    return relocated(files, {spec: with_path(spec, path) for spec, path in places.items()}) if places else files
