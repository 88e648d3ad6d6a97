"""Spectral cubes from files, `[H, W, L]` or `[L, H, W]`, brought to `(L, H, W)`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.inputs import Source
from cassi_core.io.readers import ReadMeter, opened, read_metadata, source_of


def read_cube(
    spec: str | Path,
    *,
    n_bands: int | None = None,
    image_shape: tuple[int, int] | None = None,
    meter: ReadMeter | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float64] | None, Source]:
    """A cube `(L, H, W)` float32, times the file's `scale` if it has one, with its wavelengths `(L,)` in nm (None: not said).

    An ENVI header says which axis counts the bands. In other files `n_bands` and `image_shape` `(H, W)`, where known, tell the axes
    apart; otherwise the shorter one of the first and the last axis counts the bands. The values are converted while they are
    read, so that memory holds the cube once.

    Raises
    ------
    InputError
        See :func:`cassi_core.io.readers.read_array`; or the cube has another size than asked for.
    """
    with opened(spec, "cube", meter=meter) as chosen:
        if len(chosen.axes) != 3:
            raise InputError(f"{chosen.path}: shape {chosen.stored.shape}; a cube of 3 dimensions is needed")
        if chosen.selection.turn or chosen.selection.picture is not None:
            raise InputError(f"{chosen.name}: a cube is read whole or by a region of rows and columns, never turned")
        shape = tuple(chosen.stored.shape[a] for a in chosen.axes)
        known = chosen.selection.axis if chosen.selection.axis is not None else chosen.entry.picture_axis
        said = None if known is None else chosen.axes.index(known)
        # The size that is wanted is that of the region, not of the pictures in the file.
        wanted = image_shape if chosen.selection.roi is None else None
        cube = chosen.read_stack(chosen.axes[_band_axis(shape, n_bands, wanted, str(chosen.path), said)], np.float32)
        if image_shape is not None and cube.shape[1:] != tuple(image_shape):
            raise InputError(f"{chosen.name}: the region has shape {cube.shape[1:]}; {tuple(image_shape)} is needed")
        source = source_of(chosen)
        metadata = read_metadata(chosen.path, chosen.entry.key)
    if not all(np.isfinite(band).all() for band in cube):
        raise InputError(f"{source.path}: the cube holds NaN or infinite values; mend them first")
    if metadata.scale is not None:
        cube *= np.float32(metadata.scale)
    wavelengths = metadata.wavelengths_nm
    return cube, wavelengths if wavelengths is not None and len(wavelengths) == len(cube) else None, source


def bands_first(
    array: NDArray[np.generic],
    *,
    n_bands: int | None = None,
    image_shape: tuple[int, int] | None = None,
    name: str = "cube",
) -> NDArray[np.generic]:
    """A view `(L, H, W)` of a cube `[H, W, L]` or `[L, H, W]`; on a tie the bands are last, as the field stores them."""
    return np.moveaxis(array, _band_axis(array.shape, n_bands, image_shape, name), 0)


def _band_axis(
    shape: Sequence[int],
    n_bands: int | None,
    image_shape: tuple[int, int] | None,
    name: str,
    said: int | None = None,
) -> int:
    """Which axis counts the bands: the one that the file `said`, otherwise the last or the first."""
    fitting = []
    for axis in (2, 0) if said is None else (said,):
        picture = tuple(n for i, n in enumerate(shape) if i != axis)
        if (n_bands is None or shape[axis] == n_bands) and (image_shape is None or picture == tuple(image_shape)):
            fitting.append(axis)
    if not fitting:
        wanted = f"{n_bands or 'any number of'} bands" + (f" of {image_shape[0]} x {image_shape[1]}" if image_shape else "")
        raise InputError(f"{name}: shape {tuple(shape)}; a cube of {wanted} is needed")
    return min(fitting, key=lambda axis: shape[axis])
