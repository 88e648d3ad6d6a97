"""Sentences of the Load page, and which slot a problem belongs to: pure functions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cassi_core.inputs import CalibrationInputs
from cassi_gui.inputs.recent import RecentEntry
from cassi_gui.session.state import FileSelection
from cassi_gui.style.paths import short_name
from cassi_gui.widgets.recent_card import RecentRow

if TYPE_CHECKING:
    from cassi_core.io.overview import Overview

ANY_ORDER = "You may drop everything at once, in any order: a mask in the wrong slot is recognised."
MASK_WORDS = ("Mask slot", "field Mask", "the mask")
"""What a problem says that is mended in the mask's slot."""


def summary_text(inputs: CalibrationInputs, demo: bool) -> str:
    """What will be calibrated, in two sentences."""
    rows, cols = inputs.frames[0].image.shape
    d = inputs.dispersion
    count = f"{len(inputs.frames)} snapshots" if len(inputs.frames) > 1 else "One snapshot"
    nm = d.wavelengths_nm
    waves = f", {nm[0]:.0f} … {nm[-1]:.0f} nm" if nm is not None else ""
    text = f"{count} of {rows} × {cols} px with a mask of {inputs.mask.shape[0]} × {inputs.mask.shape[1]} px. "
    text += f"{d.n_bands} bands{waves}, {d.step_px:.4g} px per band to the {d.direction}."
    return text + (" The demo's true misalignment is known, so the result can be checked against it." if demo else "")


def role_of_problem(text: str, files: FileSelection, fields: dict[str, str]) -> str:
    """The slot that a problem belongs to: the mask's where both pictures do not go together, else that of the file it names.

    `fields` has the field of the selection for every slot that holds one file.
    """
    if files.mask and any(word in text for word in MASK_WORDS):
        return "mask"
    entries = {role: str(vars(files)[name]).partition("::")[0] for role, name in fields.items()}
    return next((role for role, path in entries.items() if path and path in text), "measurement")


def recent_row(entry: RecentEntry, today: datetime) -> RecentRow:
    """How an entry is listed."""
    files = entry.files
    count = len(files.measurements)
    first = short_name(files.measurements[0]) if files.measurements else "(no measurement)"
    title = first if count < 2 else f"{count} snapshots: {first} …"
    details = ", ".join(part for part in (entry.size, f"with {short_name(files.mask)}" if files.mask else "") if part)
    tip = "\n".join((*files.measurements, files.mask)).strip()
    return RecentRow(title, details, entry.verdict, day_words(entry.opened, today), tip, entry.png, entry.lost)


def day_words(text: str, today: datetime) -> str:
    """A moment (ISO) as people say it: `09:12`, `yesterday 09:12`, `Friday`, `24 Nov`, `24 Nov 2025`; empty for no moment."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    days = (today.date() - moment.date()).days
    if days <= 0:
        return f"{moment:%H:%M}"
    if days == 1:
        return f"yesterday {moment:%H:%M}"
    if days < 7:
        return f"{moment:%A}"
    return f"{moment.day} {moment:%b}" + ("" if moment.year == today.year else f" {moment.year}")


def calibration_words(path: str, calibrated: datetime | None, today: datetime) -> str:
    """What a calibration in a slot for pictures is, and what can be done with it."""
    when = f" of {day_words(calibrated.isoformat(), today)}" if calibrated is not None else ""
    return f"{Path(path).name} is a calibration{when}. To see whether it still holds, open it under Verify."


def demo_overviews(inputs: CalibrationInputs) -> dict[str, Overview]:
    """Facts and thumbnails of arrays in memory (in the worker's thread)."""
    from cassi_core.io.overview import describe

    found = {"measurement": describe(inputs.frames[0].image, "", "measurement"), "mask": describe(inputs.mask, "", "mask")}
    if inputs.reference is not None:
        found["cube"] = describe(inputs.reference, "", "cube")
    return found
