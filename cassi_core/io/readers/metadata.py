"""What a file says about its rig beside the pictures: `step_px`, `n_bands`, `wavelengths_nm`, `scale`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.io.readers.container import Format
from cassi_core.io.readers.formats import format_of
from cassi_core.io.readers.stored import read_region

NAMES = ("step_px", "n_bands", "wavelengths_nm", "scale")


@dataclass(frozen=True, eq=False)
class Metadata:
    """Dispersion step in pixels per band, number of bands, wavelengths `(L,)` in nm, scale of a cube; None: not said."""

    step_px: float | None = None
    n_bands: int | None = None
    wavelengths_nm: NDArray[np.float64] | None = None
    scale: float | None = None


def read_metadata(path: Path, key: str = "") -> Metadata:
    """The metadata of a file: arrays, attributes of an HDF5 file or fields of an ENVI header, named as in :class:`Metadata`.

    `key` tells a raw file, which has no metadata, from the others.

    Raises
    ------
    InputError
        A value is there but makes no sense (no number, not positive, a fractional number of bands).
    """
    form = format_of(path, key)
    found: dict[str, Any] = {k: v for k, v in form.attributes(path).items() if k in NAMES}
    for entry in form.list_arrays(path):
        name = entry.key.rpartition("/")[2]
        if name in NAMES and entry.usable and np.prod(entry.shape) <= 4096:
            found[name] = _value(form, path, entry.key)
    step, bands, scale = (_number(found, name, path) for name in ("step_px", "n_bands", "scale"))
    if bands is not None and bands != round(bands):
        raise InputError(f"{path}: n_bands is {bands:g}; a whole number is needed (or give --bands)")
    return Metadata(step, None if bands is None else round(bands), _wavelengths(found, path), scale)


def _value(form: Format, path: Path, key: str) -> NDArray[np.generic]:
    with form.open(path, key) as stored:
        return read_region(stored)


def _number(found: dict[str, Any], name: str, path: Path) -> float | None:
    if name not in found:
        return None
    values = np.asarray(found[name]).squeeze()
    if values.ndim != 0 or values.dtype.kind not in "fiub" or not np.isfinite(values).all() or values.item() <= 0:
        raise InputError(f"{path}: the metadata value {name} is {values.tolist()!r}; one positive number is needed")
    return float(values.item())


def _wavelengths(found: dict[str, Any], path: Path) -> NDArray[np.float64] | None:
    if "wavelengths_nm" not in found:
        return None
    values = np.asarray(found["wavelengths_nm"])
    if values.size < 1 or values.dtype.kind not in "fiu" or not (np.isfinite(values).all() and (values > 0).all()):
        raise InputError(f"{path}: the metadata wavelengths_nm must be positive numbers, one per band")
    return np.asarray(values, np.float64).reshape(-1)
