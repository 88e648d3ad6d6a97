"""The earlier calibration as a person names it (a file, a session, the number of a logbook entry, a run), and today's pictures with its mask."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from cassi_core.errors import InputError, SessionError
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import StoredCalibration, read_calibration
from cassi_core.io.camera import CameraReading, read_frames
from cassi_core.io.readers import ReadMeter
from cassi_core.io.rig_inputs import inputs_of
from cassi_core.logbook.entry import LogEntry
from cassi_core.logbook.location import logbook_path
from cassi_core.logbook.store import Logbook


def open_earlier(name: str | Path, logbook: str | Path | None = None) -> StoredCalibration:
    """The calibration that a file, or a number of the logbook (None: the one in use), names.

    Raises
    ------
    InputError
        The logbook has no such entry.
    SessionError
        The file, or that of the entry, cannot be used.
    """
    text = str(name)
    if text.isdigit() and not Path(text).exists():
        return calibration_of_entry(Logbook(logbook or logbook_path()).read().entry(int(text)))
    return read_calibration(name)


def calibration_of_entry(entry: LogEntry) -> StoredCalibration:
    """The calibration file of a logbook entry, as it was when it was added.

    Raises
    ------
    InputError
        No file was ever written for the entry, or it is not there any more or has changed since.
    SessionError
        The file cannot be used.
    """
    if not entry.path:
        raise InputError(
            f"entry {entry.id} of the logbook has no calibration file, which holds its mask and dispersion; write one on the Export page"
        )
    path = Path(entry.path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(
            f"{path}: the calibration file of entry {entry.id} cannot be read ({error.strerror or error}); name it where it is now"
        ) from None
    if entry.sha256 and digest != entry.sha256:
        raise SessionError(
            f"{path}: the file has changed since entry {entry.id} was added to the logbook; name the file itself to use it all the same"
        )
    return read_calibration(path)


def pictures_of_today(
    stored: StoredCalibration,
    measurements: Sequence[str | Path],
    *,
    mask: str | Path | None = None,
    dark: str | Path | None = None,
    flat: str | Path | None = None,
    camera: CameraReading | None = None,
    meter: ReadMeter | None = None,
) -> CalibrationInputs:
    """Today's snapshots with the mask and the dispersion of the earlier calibration.

    Raises
    ------
    InputError
        A file cannot be used, the mask is not found, or sizes do not fit.
    """
    if mask is None and stored.mask is not None:
        frames = read_frames(measurements, camera or CameraReading(), dark=dark, flat=flat, meter=meter)
        return CalibrationInputs(frames, stored.mask, stored.dispersion, stored.mask_source)
    return inputs_of(stored, measurements, mask=mask, dark=dark, flat=flat, camera=camera, meter=meter)
