"""The accepted run of a session as a calibration, for every command that takes one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cassi_core.errors import SessionError
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import StoredCalibration, calibration_document
from cassi_core.io.session.reading import read_session
from cassi_core.result import CalibrationResult
from cassi_core.session import RunRecord


def accepted_calibration(path: str | Path) -> StoredCalibration:
    """The calibration in force of a session, with its mask, and its snapshots where the session keeps them.

    Raises
    ------
    SessionError
        The file is no session, cannot be read, or no run in it is accepted.
    """
    stored = read_session(path, maps="none")
    record = accepted_of(Path(path), stored.session.accepted_run)
    made = calibration_of_run(record.result, Path(path))
    return replace(
        made,
        snapshots=snapshots_of(record.result, stored.session.inputs),
        calibrated=made.calibrated or record.when.astimezone(),
    )


def calibration_of_run(result: CalibrationResult, path: Path) -> StoredCalibration:
    """A finished run as if it had been read from a file of that name; its mask comes with it."""
    return StoredCalibration(
        path,
        result.parameters,
        result.start,
        result.dispersion,
        result.verdict,
        result.scores,
        result.inputs,
        result.mask_source,
        result.preset,
        calibration_document(result),
        result.mask,
        calibrated=result.calibrated,
    )


def accepted_of(path: Path, record: RunRecord | None) -> RunRecord:
    """The accepted run, or a SessionError that says what to do."""
    if record is None:
        raise SessionError(f"{path}: no run of this session is accepted; accept one on the QA page and save the session")
    return record


def snapshots_of(result: CalibrationResult, inputs: CalibrationInputs | None) -> CalibrationInputs | None:
    """The inputs of a session when a result was computed from them; other files may have been chosen since."""
    if inputs is None or tuple(frame.source for frame in inputs.frames) != result.inputs:
        return None
    return inputs
