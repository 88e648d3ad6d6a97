"""From file names to :class:`~cassi_core.inputs.CalibrationInputs`: everything that a calibration starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import QUARTER_TURNS, Direction, Dispersion, DispersionMode
from cassi_core.errors import InputError
from cassi_core.inputs import CalibrationInputs, Frame, Source, check_image
from cassi_core.io.cubes import read_cube
from cassi_core.io.detector import correct_frame
from cassi_core.io.dispersion_from_files import choose_dispersion, read_dispersion_csv
from cassi_core.io.mask_from_files import MaskFile, read_mask
from cassi_core.io.readers import Metadata, Role, find_key, read_array, read_metadata, split_spec
from cassi_core.io.readers.select import as_stack

Spec = str | Path


def load_inputs(
    measurements: Sequence[Spec],
    *,
    mask: Spec | None = None,
    bands: int | None = None,
    step: float | None = None,
    dispersion_csv: Spec | None = None,
    dark: Spec | None = None,
    flat: Spec | None = None,
    direction: Direction = "right",
    mode: DispersionMode = "interpolated",
    reference: Spec | None = None,
    saturation: float | None = None,
) -> CalibrationInputs:
    """Read the snapshots of one rig with its mask and dispersion, corrected and checked.

    Parameters
    ----------
    measurements
        `FILE` or `FILE::key` each; a stack of pictures counts as several snapshots.
    mask
        The mask `(H, W)`; None: the array `mask` of the (first) measurement's file.
    bands, step, dispersion_csv
        Number of bands, step in pixels per band, or a table of cumulative offsets; None: from metadata, else from the widths.
    dark, flat
        Dark frame and flat field of the camera (the mean of a stack).
    direction, mode
        Where the dispersion goes and how fractional offsets are treated (:mod:`cassi_core.dispersion`).
    reference
        An independent cube of the scene, for reporting only.
    saturation
        Raw value from which on a pixel is saturated; None: found in the picture.

    Raises
    ------
    InputError
        One sentence that says which file or option is wrong and what to do.
    """
    if not measurements:
        raise InputError("no measurement given; name at least one file")
    if dispersion_csv is not None and step is not None:
        raise InputError("both --step and --dispersion are given; one of them is enough")
    raw = [picture for spec in measurements for picture in _read_pictures(spec)]
    dark_image = None if dark is None else mean_image(dark, "dark")
    flat_image = None if flat is None else mean_image(flat, "flat")
    frames = tuple(_frame(image, source, dark_image, flat_image, saturation) for image, source in raw)
    mask_file = _read_masks(measurements, mask, direction)
    metadata = _common_metadata(measurements)
    along = 1 if QUARTER_TURNS[direction] % 2 == 0 else 0
    travel = frames[0].image.shape[along] - mask_file.mask.shape[along]
    if dispersion_csv is not None:
        dispersion = _tabulated(dispersion_csv, bands, metadata, direction, mode)
    else:
        # Sizes that cannot belong together are told before anything is derived from them.
        CalibrationInputs(frames, mask_file.mask, Dispersion.constant(1, 1.0, direction=direction))
        dispersion = choose_dispersion(
            metadata,
            travel,
            bands=bands,
            step=step,
            mask_offsets=mask_file.offsets,
            direction=direction,
            mode=mode,
            name=frames[0].source.path,
        )
    cube = None
    if reference is not None:
        shape = (mask_file.mask.shape[0], mask_file.mask.shape[1])
        cube = read_cube(reference, n_bands=dispersion.n_bands, image_shape=shape)[0]
    return CalibrationInputs(frames, mask_file.mask, dispersion, mask_file.source, cube)


def _read_pictures(spec: Spec) -> list[tuple[NDArray[np.generic], Source]]:
    """The snapshots of one file, each checked, with sources that name the picture of a stack."""
    array, source = read_array(spec, "measurement")
    stack = as_stack(array)
    pictures = []
    for i, image in enumerate(stack):
        key = f"{source.key}[{i}]" if len(stack) > 1 else source.key
        check_image(image, source.path if len(stack) == 1 else f"{source.path}::{key}")
        pictures.append((np.ascontiguousarray(image), replace(source, key=key)))
    return pictures


def _frame(
    image: NDArray[np.generic],
    source: Source,
    dark: NDArray[np.float32] | None,
    flat: NDArray[np.float32] | None,
    saturation: float | None,
) -> Frame:
    corrected, usable = correct_frame(image, dark, flat, saturation=saturation, name=source.path)
    return Frame(np.ascontiguousarray(corrected), source, usable)


def mean_image(spec: Spec, role: Role) -> NDArray[np.float32]:
    """A dark or flat frame; the mean of a stack, pixels that are NaN in any picture stay NaN."""
    array, _ = read_array(spec, role)
    return np.asarray(as_stack(array).mean(axis=0, dtype=np.float64), np.float32)


def _read_masks(measurements: Sequence[Spec], mask: Spec | None, direction: Direction) -> MaskFile:
    """The mask that was named, or the one that the measurements carry themselves: it must be the same in all of them."""
    if mask is not None:
        return read_mask(mask, direction)
    carried: MaskFile | None = None
    for path in dict.fromkeys(split_spec(spec)[0] for spec in measurements):
        key = find_key(path, "mask")
        if key is None:
            raise InputError(f"{path}: the file holds no mask; name the mask's file with --mask")
        found = read_mask(f"{path}::{key}", direction)
        if carried is not None and not np.array_equal(carried.mask, found.mask):
            raise InputError(
                f"{path}: its mask differs from the one in {carried.source.path}; frames of one rig share a mask (--mask)"
            )
        carried = carried or found
    assert carried is not None
    return carried


def _common_metadata(measurements: Sequence[Spec]) -> Metadata:
    """The metadata of the measurements' files, which must not contradict each other."""
    common: dict[str, object] = {}
    for path in dict.fromkeys(split_spec(spec)[0] for spec in measurements):
        metadata = read_metadata(path)
        for name in ("step_px", "n_bands", "wavelengths_nm"):
            value = getattr(metadata, name)
            if value is None:
                continue
            if name in common and not np.array_equal(np.asarray(common[name]), np.asarray(value)):
                raise InputError(
                    f"{path}: its {name} differs from the other measurements'; frames of one rig share a dispersion"
                )
            common[name] = value
    return Metadata(**common)  # type: ignore[arg-type]


def _tabulated(table: Spec, bands: int | None, metadata: Metadata, direction: Direction, mode: DispersionMode) -> Dispersion:
    offsets, wavelengths = read_dispersion_csv(table)
    if bands is not None and bands != len(offsets):
        raise InputError(f"{table}: the table holds {len(offsets)} offsets and --bands says {bands}; leave --bands out")
    if wavelengths is None and metadata.wavelengths_nm is not None and len(metadata.wavelengths_nm) == len(offsets):
        wavelengths = metadata.wavelengths_nm
    return Dispersion(offsets, direction, mode, wavelengths)
