"""Where the bands of a calibrated rig lie, as a table for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from cassi_core.io.atomic import atomic_write
from cassi_core.io.exports.rig_masks import CalibratedMask

HEADER = ("band", "wavelength [nm]", "offset right [px]", "offset down [px]", "whole-pixel offset [px]")


def bands_csv(rig: CalibratedMask) -> str:
    """The calibrated offsets of the bands, one a line, in the frame that masks are written in (bands to the right).

    The wavelength is empty where it is not known; the whole-pixel offset is where mask files put the band.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADER)
    nm = rig.dispersion.wavelengths_nm
    right, down = rig.exact_offsets()
    for band, (x, y, whole) in enumerate(zip(right, down, rig.whole_offsets, strict=True)):
        wavelength = "" if nm is None else repr(float(nm[band]))
        writer.writerow([band, wavelength, repr(float(x)), repr(float(y)), int(whole)])
    return stream.getvalue()


def write_bands(rig: CalibratedMask, path: str | Path) -> Path:
    """Write :func:`bands_csv` in one step and return the absolute path; OutputError where that cannot be done."""
    return atomic_write(path, bands_csv(rig).encode("utf-8"))
