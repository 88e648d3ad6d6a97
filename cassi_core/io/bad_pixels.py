"""Pixels of the camera that are known to be bad: from a picture or a list, and what stands in their place.

They are left out of the fit. Their values are replaced by the median of their good neighbours all the same, for everything that
looks at pictures without weights.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.inputs import BoolImage, Float32Image
from cassi_core.io.readers import ReadMeter, Roi, opened, split_spec
from cassi_core.io.text_tables import read_text_table
from cassi_core.io.wavelengths import TEXT_SUFFIXES

MOST_BAD = 0.2
"""A map that marks a larger share of the pixels has good and bad the wrong way round."""
WIDEST_WINDOW = 4
"""Neighbours up to this many pixels away are asked; only clusters larger than that take the median of the picture."""


def read_bad_pixels(
    spec: str | Path, picture_shape: tuple[int, int], roi: Roi | None = None, meter: ReadMeter | None = None
) -> BoolImage:
    """Which pixels of the region `roi` of a camera picture `(H, W)` are bad.

    Parameters
    ----------
    spec
        A picture in any format in which bad pixels are not zero (or NaN), of the size of the whole camera picture or of the
        region; or a text table with `row, column` of one bad pixel a line, counted from 0 in the whole picture (a heading may
        name the columns in the other order).
    picture_shape
        Rows and columns of the whole camera picture.

    Raises
    ------
    InputError
        The file cannot be read, has another size, or marks more than a fifth of the pixels.
    """
    path = split_spec(spec)[0]
    if path.suffix.lower() in TEXT_SUFFIXES:
        bad = _cut(_listed(path, picture_shape), roi)
    else:
        with opened(spec, "bad-pixel map", meter=meter) as chosen:
            values = np.asarray(chosen.read())
        if values.ndim != 2:
            raise InputError(f"{path}: the bad-pixel map is a stack of pictures; one picture is needed")
        bad = np.isnan(values) | (values != 0) if values.dtype.kind == "f" else values != 0
        if bad.shape == tuple(picture_shape):
            bad = _cut(bad, roi)
        elif roi is None or bad.shape != roi.shape:
            raise InputError(
                f"{path}: the bad-pixel map has shape {bad.shape} and the camera's picture {tuple(picture_shape)}; both must be equal"
            )
    if np.count_nonzero(bad) > MOST_BAD * bad.size:
        share = 100 * np.count_nonzero(bad) / bad.size
        raise InputError(f"{path}: the map marks {share:.0f} % of the pixels as bad; bad pixels are those that are not 0")
    return np.ascontiguousarray(bad)


def _cut(bad: BoolImage, roi: Roi | None) -> BoolImage:
    return bad if roi is None else bad[slice(*roi.rows), slice(*roi.cols)]


def _listed(path: Path, shape: tuple[int, int]) -> BoolImage:
    table = read_text_table(path, "list of bad pixels")
    row, col = table.column("row", "y"), table.column("col", "x")
    if row is None or col is None or row == col:
        row, col = 0, 1
    bad = np.zeros(shape, bool)
    for entry in table.rows:
        if len(entry.values) < 2 or any(v != int(v) for v in entry.values[:2]):
            raise InputError(f"{path}: line {entry.line} is {entry.text!r}; row and column of a bad pixel are needed")
        at = int(entry.values[row]), int(entry.values[col])
        if not (0 <= at[0] < shape[0] and 0 <= at[1] < shape[1]):
            raise InputError(
                f"{path}: line {entry.line}: row {at[0]}, column {at[1]} lies outside the picture of {shape[0]} x {shape[1]} pixels"
            )
        bad[at] = True
    return bad


def repair(image: Float32Image, bad: BoolImage) -> Float32Image:
    """The picture with the median of the good neighbours in place of each bad pixel: of 8, or of 24, 48, 80 where those are bad."""
    good = np.where(bad | ~np.isfinite(image), np.nan, image)
    result = np.where(bad, np.float32(np.nanmedian(good)) if np.isfinite(good).any() else 0, image).astype(np.float32)
    rows, cols = np.nonzero(bad)
    for reach in range(1, WIDEST_WINDOW + 1):
        if rows.size == 0:
            break
        padded = np.pad(good, reach, constant_values=np.nan)
        span = np.arange(2 * reach + 1)
        near = padded[(rows[:, None] + np.repeat(span, span.size)), (cols[:, None] + np.tile(span, span.size))]
        found = np.isfinite(near).any(axis=1)
        result[rows[found], cols[found]] = _median(near[found])
        rows, cols = rows[~found], cols[~found]
    return result


def _median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.nanmedian(values, axis=1), np.float32)
