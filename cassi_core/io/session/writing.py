"""Writing a session in one step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import h5py

from cassi_core import __version__
from cassi_core.errors import CassiError, OutputError
from cassi_core.io.atomic import atomic_path
from cassi_core.io.session.codec import bytes_of, write, write_fields
from cassi_core.io.session.document import EMBED_BYTES, FORMAT, VERSION, FileReference, Session
from cassi_core.io.session.hints import fields_of
from cassi_core.io.session.leaves import write_attribute
from cassi_core.io.session.meter import Meter, Report
from cassi_core.io.session.references import references_of
from cassi_core.run import RunControl
from cassi_core.session import RunRecord

DESCRIPTION = (
    "Session of a CASSI calibration: inputs, settings, every run with its tables and maps, the run in force, notes. "
    "Arrays are [row, column], cubes [band, row, column]; see the attributes units and axes."
)
RESULT, MAPS = "result", "maps"


def write_session(
    session: Session,
    path: str | Path,
    *,
    earlier: Sequence[Path] = (),
    document: str = "",
    embed_bytes: int = EMBED_BYTES,
    control: RunControl | None = None,
    report: Report | None = None,
) -> Path:
    """Write a session file in one step and return its absolute path: a reader finds the old file or the new one, whole.

    Parameters
    ----------
    earlier
        Session files of the same work: results that they hold are copied as they are, and with them the maps of runs that are
        not in memory any more.
    document
        For a recovery file: where the session itself is saved.
    embed_bytes
        Inputs up to this size are kept in the file, larger ones are referred to.
    control, report
        Cancels the writing (the old file stays); hears the fraction that is done.

    Raises
    ------
    OutputError
        The folder is missing, may not be written, or the disk is full; the old file is untouched.
    RunCancelled
        After ``control.cancel()``.
    """
    path = Path(path)
    embedded = session.inputs if bytes_of(session.inputs) <= embed_bytes else None
    maps = sum(bytes_of(record.result.maps) for record in session.runs)
    meter = Meter(bytes_of(embedded) + maps, control, report)
    references = references_of(session)
    with atomic_path(path) as temporary, _told_as_output(path):
        with ExitStack() as stack:
            # Nobody else knows the temporary file, and locks fail on some network drives.
            file = stack.enter_context(h5py.File(temporary, "w", locking=False))
            stored = [stack.enter_context(opened) for opened in map(_opened, earlier) if opened is not None]
            for name, value in (("format", FORMAT), ("program", __version__), ("saved", _now()), ("document", document)):
                write_attribute(file, name, value, str)
            write_attribute(file, "version", VERSION, int)
            write_attribute(file, "description", DESCRIPTION, str)
            write(file, "references", references, tuple[FileReference, ...], meter)
            write_fields(file, session, meter, leave_out=("inputs", "runs"))
            write(file, "inputs", embedded, fields_of(Session)["inputs"], meter)
            runs = file.create_group("runs")
            for record in session.runs:
                _write_run(runs.create_group(f"run_{record.id:03d}"), record, stored, meter)
        meter.advance(0)
    return path.absolute()


def _now() -> str:
    return datetime.now().isoformat(timespec="seconds")


@contextmanager
def _told_as_output(path: Path) -> Iterator[None]:
    """HDF5 tells a full disk by several exceptions; none of them is a fault of the program."""
    try:
        yield
    except (CassiError, OSError):
        raise
    except RuntimeError as error:
        raise OutputError(f"{path}: the file could not be written ({error}); nothing was changed") from error


def _opened(path: Path) -> h5py.File | None:
    """An earlier file, or None when it is gone or cannot be read: then there is nothing to copy from."""
    try:
        return h5py.File(path, "r", locking=False)
    except OSError:
        return None


def _write_run(group: h5py.Group, record: RunRecord, earlier: Sequence[h5py.File], meter: Meter) -> None:
    """A result never changes: what an earlier file holds of it is copied, which costs a tenth of writing it again."""
    write_fields(group, record, meter, leave_out=(RESULT,))
    stored = [found for found in (find_result(file, record.uid) for file in earlier) if found is not None]
    whole = next((found for found in stored if MAPS in found), None)
    if whole is None and record.result.maps is None and stored:
        whole = stored[0]
    if whole is None:
        write(group, RESULT, record.result, fields_of(RunRecord)[RESULT], meter)
    else:
        group.file.copy(whole, group, RESULT)
        meter.advance(bytes_of(record.result.maps))


def find_result(file: h5py.File, uid: str) -> h5py.Group | None:
    """The result of a run in a session file of the present version."""
    if file.attrs.get("version") != VERSION:
        return None
    return next((run[RESULT] for run in file["runs"].values() if run.attrs.get("uid") == uid), None)
