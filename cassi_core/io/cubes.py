"""Spectral cubes from files, `[H, W, L]` or `[L, H, W]`, brought to `(L, H, W)`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.inputs import Source
from cassi_core.io.readers import read_array, read_metadata, split_spec


def read_cube(
    spec: str | Path, *, n_bands: int | None = None, image_shape: tuple[int, int] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float64] | None, Source]:
    """A cube `(L, H, W)` float32, times the file's `scale` if it has one, with its wavelengths `(L,)` in nm (None: not said).

    `n_bands` and `image_shape` `(H, W)`, where known, tell the axes apart; otherwise the shorter one of the first and the last
    axis counts the bands.

    Raises
    ------
    InputError
        See :func:`cassi_core.io.readers.read_array`; or the cube has another size than asked for.
    """
    array, source = read_array(spec, "cube")
    if array.ndim != 3:
        raise InputError(f"{source.path}: shape {array.shape}; a cube of 3 dimensions is needed")
    metadata = read_metadata(split_spec(spec)[0])
    view = bands_first(array, n_bands=n_bands, image_shape=image_shape, name=source.path)
    cube = np.array(view, np.float32, order="C")
    if not np.isfinite(cube).all():
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
    views = {"[H, W, L]": np.moveaxis(array, -1, 0), "[L, H, W]": array}
    fitting = [
        v
        for v in views.values()
        if (n_bands is None or len(v) == n_bands) and (image_shape is None or v.shape[1:] == tuple(image_shape))
    ]
    if not fitting:
        wanted = f"{n_bands or 'any number of'} bands" + (f" of {image_shape[0]} x {image_shape[1]}" if image_shape else "")
        raise InputError(f"{name}: shape {array.shape}; a cube of {wanted} is needed")
    return min(fitting, key=len)
