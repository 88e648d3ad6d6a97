"""The nominal mask `(H, W)` from a mask file, among them the shifted 3-dimensional masks of the reconstruction networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import QUARTER_TURNS, Direction, to_dispersion_frame
from cassi_core.errors import InputError
from cassi_core.inputs import Source, check_image
from cassi_core.io.readers import ReadMeter, Selection, opened, source_of


@dataclass(frozen=True, eq=False)
class MaskFile:
    """A mask `(H, W)` float32 with a maximum of one, its source, and the band offsets `(L,)` of a mask stored band by band."""

    mask: NDArray[np.float32]
    source: Source
    offsets: NDArray[np.float64] | None = None


def read_mask(
    spec: str | Path, direction: Direction = "right", selection: Selection | None = None, meter: ReadMeter | None = None
) -> MaskFile:
    """Read a mask; a 3-dimensional one must hold shifted copies of one mask and is brought back to it.

    What `selection` (or the spec itself) takes of it, a region and an orientation, is applied to the 2-dimensional mask. The key
    of the source says it, so that the same mask is read again from a calibration file.

    Raises
    ------
    InputError
        See :func:`cassi_core.io.readers.read_array`; or the bands of a 3-dimensional mask are no copies of one mask.
    """
    offsets = None
    with opened(spec, "mask", selection, meter) as chosen:
        name, taken = chosen.name, chosen.selection
        if chosen.picture_axis is not None and taken.picture is None:
            plain = replace(chosen, selection=Selection(axis=taken.axis))
            array, offsets = reduce_mask_3d(plain.read(), direction, name)
            if taken.roi is not None:
                taken.roi.check((array.shape[0], array.shape[1]), name)
                array = array[slice(*taken.roi.rows), slice(*taken.roi.cols)]
            if taken.turn:
                array, offsets = taken.turn.apply(array), None
        else:
            array = np.asarray(chosen.read(), np.float32)
        source = source_of(chosen)
    mask = np.ascontiguousarray(array, np.float32)
    check_image(mask, f"{name} (mask)")
    if mask.max() <= 0 or mask.min() < -0.05 * mask.max():
        raise InputError(f"{name}: the mask holds negative values down to {mask.min():g}; transmissions of 0 to 1 are needed")
    return MaskFile(mask / mask.max(), source, offsets)


def reduce_mask_3d(
    array: NDArray[np.generic], direction: Direction = "right", name: str = "mask"
) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
    """The 2-dimensional mask `(H, W)` inside a `mask_3d_shift` `(H, W + travel, L)` and its whole-pixel band offsets `(L,)`.

    Where each band's light begins tells its offset; the bands must then be equal. The offsets are None when no band is moved (a
    mask repeated for each band).
    """
    bands = np.moveaxis(np.asarray(array, np.float32), int(np.argmin(array.shape)), 0)
    if not all(band.any() for band in bands):
        raise InputError(f"{name}: the 3-dimensional mask has a band without any light; give the mask itself, (H, W)")
    turned = np.stack([to_dispersion_frame(band, direction) for band in bands])
    begins = np.array([int(np.flatnonzero(band.any(axis=0))[0]) for band in turned])
    offsets = begins - begins[0]
    travel = int(offsets[-1])
    width = turned.shape[2] - travel
    if np.any(np.diff(offsets) < 0) or travel < 0 or width < 1:
        raise InputError(f"{name}: the bands of the 3-dimensional mask do not move to the {direction}; see --direction")
    first = turned[0][:, :width]
    if any(not np.array_equal(band[:, o : o + width], first) for band, o in zip(turned, offsets, strict=True)):
        raise InputError(
            f"{name}: the bands of the 3-dimensional mask are no shifted copies of one mask; give the mask itself, (H, W)"
        )
    mask = np.ascontiguousarray(np.rot90(first, -QUARTER_TURNS[direction]))
    moves = len(bands) > 1 and bool(np.all(np.diff(offsets) > 0))
    if not moves and travel > 0:
        raise InputError(f"{name}: some bands of the 3-dimensional mask lie on each other; give the mask itself, (H, W)")
    return mask, offsets.astype(np.float64) if moves else None
