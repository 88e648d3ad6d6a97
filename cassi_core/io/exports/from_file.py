"""From a calibration file back to the mask that it was found with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError, MaskWantedError
from cassi_core.inputs import Source
from cassi_core.io.calibration_file import StoredCalibration, read_calibration, read_optics
from cassi_core.io.exports.rig_masks import CalibratedMask
from cassi_core.io.mask_from_files import read_mask
from cassi_core.io.readers import split_spec
from cassi_core.io.readers.select import joined_spec, sha256_of
from cassi_core.io.readers.selection import split_selection

DEMO_PREFIX = "demo:"


def load_calibrated_mask(path: str | Path, mask: str | Path | None = None) -> CalibratedMask:
    """Read a calibration file and the mask it names (or another place of that mask, `FILE` or `FILE::key`).

    Raises
    ------
    SessionError
        The calibration file cannot be used.
    InputError
        The mask is not found, is another file than the calibration was made with, or has another shape.
    """
    stored = read_calibration(path)
    optics = {term.name: term.value_px for term in read_optics(stored.document)}
    return CalibratedMask(mask_of(stored, mask), stored.parameters, stored.dispersion, optics)


def mask_of(stored: StoredCalibration, mask: str | Path | None = None) -> NDArray[np.float32]:
    """The nominal mask `(H, W)` float32 of a stored calibration, in the rig's frame; InputError where it is not found."""
    if mask is None and stored.mask is not None:
        return stored.mask
    source = stored.mask_source
    if mask is None and source.path.startswith(DEMO_PREFIX):
        from cassi_core.demo import load_demo

        return load_demo().inputs.mask
    spec = mask_spec(stored, mask)
    found = read_mask(spec, stored.dispersion.direction)
    wanted = tuple(stored.document["mask"]["shape"])
    # The shape is that of the picture in the file, of which a region may have been taken.
    whole = split_selection(split_spec(spec)[1])[1] is None
    if whole and len(wanted) == 2 and found.mask.shape != wanted:
        raise InputError(f"{spec}: the mask has shape {found.mask.shape} and the calibration was made with {wanted}")
    return found.mask


def mask_spec(stored: StoredCalibration, mask: str | Path | None = None) -> str:
    """Where the mask lies now, as `FILE::key`: where the calibration named it, or the place that is given instead.

    It is cut and turned as it was for the calibration, unless the given place says something else in brackets.

    Raises
    ------
    InputError
        See :func:`find_file`.
    """
    source = stored.mask_source
    if mask is None:
        return find_file(stored, source, "mask", "--mask")
    path, key = split_spec(mask)
    selection = split_selection(source.key)[1]
    if selection is None or split_selection(key)[1] is not None:
        return str(mask)
    return joined_spec(path, key, selection)


def find_file(stored: StoredCalibration, source: Source, what: str, option: str) -> str:
    """Where an input of a calibration lies now, as `FILE::key`: as it was named, or beside the calibration file.

    Raises
    ------
    InputError
        There is no such file (a mask: MaskWantedError), or its content has changed since the calibration.
    """
    folder = stored.path.absolute().parent
    places = dict.fromkeys((Path(source.path), folder / source.path, folder / Path(source.path).name))
    there = [place for place in places if place.is_file()]
    if not there:
        kind = MaskWantedError if what == "mask" else InputError
        raise kind(
            f"{stored.path}: its {what} {source.path} is not there any more, neither beside the calibration file; "
            f"name it with {option}"
        )
    same = [place for place in there if not source.sha256 or sha256_of(place) == source.sha256]
    if not same:
        raise InputError(
            f"{there[0]}: the {what} has changed since the calibration {stored.path.name} was made; name the right file with {option}"
        )
    key = source.key
    # A spec with a key: what split_spec takes apart again.
    spec = f"{same[0]}::{key}" if key else str(same[0])
    assert split_spec(spec)[0] == same[0]
    return spec
