"""Reading sessions, of this version and of earlier ones."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import h5py

from cassi_core.errors import CassiError, RunCancelled, SessionError
from cassi_core.io.session.codec import read, read_fields
from cassi_core.io.session.document import FORMAT, KEPT_MAPS, SUFFIX, VERSION, FileReference, Session, StoredSession
from cassi_core.io.session.leaves import to_text
from cassi_core.io.session.meter import Meter, Report
from cassi_core.io.session.migrations import MIGRATIONS
from cassi_core.io.session.writing import MAPS, RESULT, find_result
from cassi_core.result import CalibrationResult, QualityMaps
from cassi_core.run import RunControl
from cassi_core.session import RunRecord

WhichMaps = Literal["all", "latest", "none"]


def read_session(
    path: str | Path,
    *,
    maps: WhichMaps = "all",
    inputs: bool = True,
    control: RunControl | None = None,
    report: Report | None = None,
) -> StoredSession:
    """Read a session file; what was saved comes back bit by bit.

    Parameters
    ----------
    maps
        Residual maps, reconstructions and shift fields of all runs, of the latest (and the accepted and the shown one), or of
        none. The others can be read later with :func:`read_maps`.
    inputs
        False: leave the pictures out.
    control, report
        Cancels the reading; hears the fraction that is done.

    Raises
    ------
    SessionError
        No such file, no session, written by a newer program, or damaged.
    RunCancelled
        After ``control.cancel()``.
    """
    path = Path(path)
    with _opened(path) as file:
        meter = Meter(_array_bytes(file), control, report)
        runs = sorted(file["runs"].values(), key=lambda group: int(group.attrs["id"]))
        wanted = _with_maps([int(g.attrs["id"]) for g in runs], file.attrs, maps)
        records = tuple(_read_run(group, meter, int(group.attrs["id"]) in wanted) for group in runs)
        known: dict[str, Any] = {"runs": records}
        if not inputs:
            known["inputs"] = None
        return StoredSession(
            path=path,
            session=read_fields(file, Session, meter, **known),
            saved=datetime.fromisoformat(to_text(file.attrs["saved"])),
            program=to_text(file.attrs["program"]),
            version=int(file.attrs["version"]),
            references=read(file, "references", tuple[FileReference, ...], meter, ()),
            inputs_kept="inputs" in file,
            document=to_text(file.attrs.get("document", "")),
        )


def read_maps(paths: Sequence[Path], uid: str) -> QualityMaps | None:
    """The maps of one run out of the first of several session files that has them; files that are gone are passed over."""
    for path in paths:
        if not path.is_file():
            continue
        with _opened(path) as file:
            stored = find_result(file, uid)
            if stored is not None and MAPS in stored:
                maps: QualityMaps = read_fields(stored[MAPS], QualityMaps, Meter(0))
                return maps
    return None


def _with_maps(ids: Sequence[int], attributes: Any, maps: WhichMaps) -> set[int]:
    if maps == "all":
        return set(ids)
    if maps == "none":
        return set()
    chosen = {int(attributes[name]) for name in ("accepted_id", "current_id") if name in attributes}
    return chosen | set(ids[-KEPT_MAPS:])


def _read_run(group: h5py.Group, meter: Meter, with_maps: bool) -> RunRecord:
    stored = group[RESULT]
    known: dict[str, Any] = {} if with_maps else {MAPS: None}
    result: CalibrationResult = read_fields(stored, CalibrationResult, meter, **known)
    record: RunRecord = read_fields(group, RunRecord, meter, result=result)
    return record


def _array_bytes(file: h5py.File) -> int:
    """Bytes of everything in the file: parts that are not wanted only make the reading end early."""
    total = 0

    def visit(_name: str, item: object) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf":
            total += int(item.nbytes)

    file.visititems(visit)
    return total


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The file as one of the present version; whatever a damaged file makes HDF5 say becomes one sentence."""
    if not path.is_file():
        what = (
            "this is a folder; name a file in it" if path.is_dir() else "there is no such file; check the name and the folder"
        )
        raise SessionError(f"{path}: {what}")
    if not h5py.is_hdf5(path):
        raise SessionError(f"{path}: the file is no CASSI session; a *{SUFFIX} file written by this program is needed")
    try:
        with h5py.File(path, "r", locking=False) as file:
            version = _version(file, path)
            if version == VERSION:
                yield file
            else:
                with _migrated(path, version) as newer:
                    yield newer
    except RunCancelled:
        raise
    except CassiError as error:
        # What an array or a value lacks is told by those who check it, who do not know the file.
        told = isinstance(error, SessionError) and str(error).startswith(str(path))
        raise error if told else _damaged(path, error) from None
    except PermissionError:
        raise SessionError(f"{path}: the file may not be read; check its permissions") from None
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> SessionError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return SessionError(f"{path}: the session is damaged or was changed by another program ({reason})")


def _version(file: h5py.File, path: Path) -> int:
    if to_text(file.attrs.get("format", "")) != FORMAT:
        raise SessionError(f"{path}: the file is no CASSI session; a *{SUFFIX} file written by this program is needed")
    version = int(file.attrs["version"])
    if version > VERSION:
        raise SessionError(
            f"{path}: the session was written by a newer program (format {version}, this one knows up to {VERSION}); "
            "update the program"
        )
    if version < min(MIGRATIONS, default=VERSION):
        raise SessionError(f"{path}: the session has the format {version}, which no program knows")
    return version


@contextmanager
def _migrated(path: Path, version: int) -> Iterator[h5py.File]:
    """A copy in memory, brought to the present version step by step; the file itself stays as it is."""
    with h5py.File(io.BytesIO(path.read_bytes()), "r+") as copy:
        for step in range(version, VERSION):
            MIGRATIONS[step](copy)
            copy.attrs["version"] = step + 1
        yield copy
