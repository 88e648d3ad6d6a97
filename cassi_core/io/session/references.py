"""Where the files of a session lie: named with their hashes when it is saved, found again when it is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from cassi_core.inputs import CalibrationInputs, Source
from cassi_core.io.readers.select import sha256_of, split_spec
from cassi_core.io.session.document import FileReference, Session
from cassi_core.session import FileSelection

ROLES = {
    "mask": "mask",
    "dark": "dark frame",
    "flat": "flat field",
    "reference": "reference cube",
    "dispersion_csv": "dispersion table",
    "bad_pixels": "bad-pixel map",
    "wavelengths": "wavelengths",
}
"""Field of the selection and what a person calls it."""
MEASUREMENT = "measurement"


@dataclass(frozen=True)
class Lost:
    """A file that is not where it was: `changed` when something else lies there now."""

    reference: FileReference
    changed: bool

    @property
    def text(self) -> str:
        """What is wrong, in one sentence."""
        what = f"The {self.reference.role} {self.reference.path}"
        return f"{what} has changed since the session was saved." if self.changed else f"{what} is not there any more."


@dataclass(frozen=True)
class Located:
    """The selection with the paths as they are now, and the files that were not found."""

    files: FileSelection
    lost: tuple[Lost, ...] = ()


def references_of(session: Session) -> tuple[FileReference, ...]:
    """The files of a session with their hashes; those of measurement and mask are known already, the others are read."""
    if session.files.demo:
        return ()
    known = {} if session.inputs is None else _known_hashes(session.inputs)
    return tuple(_reference(role, spec, known) for role, spec in _specs(session.files))


def _specs(files: FileSelection) -> list[tuple[str, str]]:
    singles = [(name, getattr(files, field)) for field, name in ROLES.items()]
    return [*((MEASUREMENT, spec) for spec in files.measurements), *((name, spec) for name, spec in singles if spec)]


def _known_hashes(inputs: CalibrationInputs) -> dict[str, str]:
    sources: Sequence[Source] = [*(f.source for f in inputs.frames), inputs.mask_source]
    return {source.path: source.sha256 for source in sources if source.sha256}


def _reference(role: str, spec: str, known: Mapping[str, str]) -> FileReference:
    path = split_spec(spec)[0]
    return FileReference(role, spec, str(path.absolute()), known.get(str(path)) or hash_of(path))


def hash_of(path: Path) -> str:
    """SHA-256 of a file, remembered as long as its size and time stay; empty when it cannot be read."""
    try:
        stat = path.stat()
        return _hash_at(str(path.absolute()), stat.st_mtime_ns, stat.st_size)
    except OSError:
        return ""


@lru_cache(maxsize=64)
def _hash_at(path: str, mtime_ns: int, size: int) -> str:
    return sha256_of(Path(path))


def locate(files: FileSelection, references: Sequence[FileReference], folder: Path) -> Located:
    """Find the files of a session: where they were, or by name in the session's folder, always with the same content."""
    moved: dict[str, str] = {}
    lost = []
    for reference in references:
        place, changed = _find(reference, folder)
        if place is None:
            lost.append(Lost(reference, changed))
        elif str(place) != str(split_spec(reference.spec)[0]):
            moved[reference.spec] = with_path(reference.spec, place)
    return Located(relocated(files, moved), tuple(lost))


def _find(reference: FileReference, folder: Path) -> tuple[Path | None, bool]:
    """The place of a file, or None and whether another content lies where it was."""
    # The path as it was named comes first: a name relative to the present folder stays as the person wrote it.
    named = split_spec(reference.spec)[0]
    places = dict.fromkeys((named, Path(reference.path), folder / Path(reference.path).name))
    there = [place for place in places if place.is_file()]
    same = [place for place in there if not reference.sha256 or hash_of(place) == reference.sha256]
    return (same[0], False) if same else (None, bool(there))


def is_same(reference: FileReference, path: str | Path) -> bool:
    """True when a file has the content that a session was made from (or nobody knows what that was)."""
    return not reference.sha256 or hash_of(Path(path)) == reference.sha256


def with_path(spec: str, path: str | Path) -> str:
    """A `FILE::key` with another file."""
    key = split_spec(spec)[1]
    return f"{path}::{key}" if key else str(path)


def relocated(files: FileSelection, moved: Mapping[str, str]) -> FileSelection:
    """The selection with some of its entries replaced."""
    if not moved:
        return files
    changes = {field: moved.get(getattr(files, field), getattr(files, field)) for field in ROLES}
    return replace(files, measurements=tuple(moved.get(m, m) for m in files.measurements), **changes)
