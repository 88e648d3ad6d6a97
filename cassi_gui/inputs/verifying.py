"""What the Verify page has done in the worker's thread: open the earlier calibration, read today's pictures, verify, lay the loupe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import StoredCalibration, read_calibration
from cassi_core.io.session.calibration import calibration_of_run
from cassi_core.logbook.entry import LogEntry
from cassi_core.run import Event, RunControl
from cassi_core.session import FileSelection, RunRecord
from cassi_core.verification.opening import calibration_of_entry
from cassi_core.verification.result import Verification
from cassi_gui.inputs.loading import camera_of
from cassi_gui.style.paths import short_name

if TYPE_CHECKING:
    from cassi_core.quality.loupe import Loupe


@dataclass(frozen=True, eq=False)
class EarlierChoice:
    """The earlier calibration that was chosen: `title` and `detail` for the slot, how it is opened, and its logbook entry if it has one.

    `short` is what a column or a sentence calls it, such as `29 Nov`.
    """

    title: str
    detail: str
    short: str
    open: Callable[[], StoredCalibration]
    entry: LogEntry | None = None


@dataclass(frozen=True, eq=False)
class Verified:
    """A verification with what it was made of."""

    stored: StoredCalibration
    inputs: CalibrationInputs
    found: Verification


def choice_of_file(path: str) -> EarlierChoice:
    """A calibration file."""
    return EarlierChoice(short_name(path), str(Path(path).parent), "earlier", lambda: read_calibration(path))


def choice_of_entry(entry: LogEntry) -> EarlierChoice:
    """An entry of the logbook."""
    day = short_day(entry.calibrated)
    title = f"Entry {entry.id} of {entry.rig}"
    detail = f"{entry.calibrated.astimezone():%d %b %Y, %H:%M}, {entry.verdict.status}"
    return EarlierChoice(title, detail, day, lambda: calibration_of_entry(entry), entry)


def choice_of_run(record: RunRecord, entry: LogEntry | None) -> EarlierChoice:
    """A run of the session, with the logbook entry that was made of it."""
    when = record.result.calibrated or record.when.astimezone()
    detail = f"{when.astimezone():%d %b %Y, %H:%M}, {record.result.verdict.status}"
    return EarlierChoice(
        record.name,
        detail,
        short_day(when),
        lambda: calibration_of_run(record.result, Path(f"{record.name}.cassi.json")),
        entry,
    )


def short_day(when: datetime) -> str:
    """`29 Nov`; the time of a calibration of today."""
    local, now = when.astimezone(), datetime.now().astimezone()
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}" if local.year == now.year else f"{local.day} {local:%b %Y}"


def verify_files(
    choice: EarlierChoice, files: FileSelection, control: RunControl, observe: Callable[[Event], None]
) -> Verified:
    """Read both and verify (in the worker's thread); a mask of the selection stands for that of the calibration.

    Raises
    ------
    CassiError
        One of them cannot be used; RunCancelled after ``control.cancel()``.
    """
    from cassi_core.io.readers import ReadMeter
    from cassi_core.verification.earlier import EarlierCalibration
    from cassi_core.verification.opening import pictures_of_today
    from cassi_core.verification.verify import verify

    stored = choice.open()
    earlier = EarlierCalibration.of_stored(stored)
    inputs = pictures_of_today(
        stored,
        files.measurements,
        mask=files.mask or None,
        dark=files.dark or None,
        flat=files.flat or None,
        camera=camera_of(files),
        meter=ReadMeter(control, lambda text, fraction: None),
    )
    return Verified(stored, inputs, verify(inputs, earlier, control=control, observe=observe))


def lay_loupe(verified: Verified, control: RunControl) -> Loupe:
    """The mask's edges in today's picture with the earlier and with today's values (in the worker's thread)."""
    from cassi_core.quality.loupe import lay_loupe as lay

    return lay(verified.inputs, verified.found.earlier, verified.found.parameters, control=control)
