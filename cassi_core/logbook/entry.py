"""One line of the logbook: an accepted calibration of a rig, with everything that is needed to judge it later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cassi_core import __version__
from cassi_core.errors import ConfigError, SessionError
from cassi_core.io.calibration_file import calibration_bytes, read_calibration
from cassi_core.parameters import GEOMETRY_NAMES, ParameterSet
from cassi_core.result import CalibrationResult, Scores, Verdict

MAX_RIG_NAME = 80


@dataclass(frozen=True)
class Measured:
    """A parameter as it was found: value and standard error in the parameter's unit (None: not known), refined or held."""

    value: float
    sigma: float | None
    refined: bool
    at_bound: bool = False


@dataclass(frozen=True)
class LogEntry:
    """An accepted calibration; times carry their zone, `withdrawn` is when it was taken back (None: it counts).

    `id` is 0 until the entry is in a logbook. `path` is the calibration file as an absolute path (empty: none was written yet),
    `sha256` the checksum of that file's content, `run` the name of the window's run that was accepted (empty: none).
    """

    rig: str
    calibrated: datetime
    added: datetime
    parameters: Mapping[str, Measured]
    verdict: Verdict
    scores: Scores
    preset: str
    path: str = ""
    sha256: str = ""
    run: str = ""
    note: str = ""
    program: str = ""
    withdrawn: datetime | None = None
    id: int = 0

    @property
    def in_force(self) -> bool:
        """Whether the entry counts, that is, was not withdrawn."""
        return self.withdrawn is None

    def refined(self, name: str) -> Measured | None:
        """A parameter that this calibration measured, or None for one that was held."""
        found = self.parameters.get(name)
        return found if found is not None and found.refined else None


class Calibration(Protocol):
    """What a finished run and a calibration file have in common."""

    @property
    def parameters(self) -> ParameterSet: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def scores(self) -> Scores: ...
    @property
    def preset(self) -> str: ...


def entry_of(calibration: Calibration, rig: str, calibrated: datetime, *, note: str = "") -> LogEntry:
    """An entry for a calibration that has no file; ConfigError for an empty or overlong rig name."""
    measured = {
        p.name: Measured(p.value, p.sigma, p.refine, p.at_bound)
        for p in calibration.parameters
        if p.name in GEOMETRY_NAMES or p.refine or p.value != 0
    }
    return LogEntry(
        rig_name(rig),
        utc(calibrated),
        datetime.now(UTC),
        measured,
        calibration.verdict,
        calibration.scores,
        calibration.preset,
        note=note.strip(),
        program=__version__,
    )


def entry_of_result(result: CalibrationResult, rig: str, calibrated: datetime, *, run: str = "", note: str = "") -> LogEntry:
    """An entry for a finished run; the checksum is that of the calibration file that is, or would be, written for it."""
    digest = hashlib.sha256(calibration_bytes(result)).hexdigest()
    return replace(entry_of(result, rig, calibrated, note=note), run=run, sha256=digest)


def entry_of_file(path: str | Path, rig: str, calibrated: datetime | None = None, *, note: str = "") -> LogEntry:
    """An entry for a calibration file, dated by `calibrated`, else by the file's own date, else by its last change.

    Raises
    ------
    SessionError
        The file cannot be read or is no calibration.
    ConfigError
        The rig name is empty or too long.
    """
    path = Path(path).absolute()
    stored = read_calibration(path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        when = calibrated or stored.calibrated or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise SessionError(f"{path}: the file cannot be read ({error.strerror or error})") from None
    program = str((stored.document.get("software") or {}).get("cassi-calibration", __version__))
    return replace(entry_of(stored, rig, when, note=note), path=str(path), sha256=digest, program=program)


def rig_name(text: str) -> str:
    """The name of a rig without blanks around it; ConfigError when nothing is left or it does not fit a line."""
    name = " ".join(text.split())
    if not name:
        raise ConfigError("the rig has no name; say which rig this is, for instance --rig 'left bench'")
    if len(name) > MAX_RIG_NAME:
        raise ConfigError(f"the rig's name has {len(name)} characters; {MAX_RIG_NAME} are the most")
    return name


def utc(when: datetime) -> datetime:
    """A time in universal time; one without a zone is taken as local."""
    return when.astimezone(UTC)


def local_day(when: datetime) -> str:
    """Day and minute in the zone of this computer, as people read it."""
    return f"{when.astimezone():%Y-%m-%d %H:%M}"
