"""From file names to :class:`~cassi_core.inputs.CalibrationInputs`: everything that a calibration starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import QUARTER_TURNS, Direction, Dispersion, DispersionMode
from cassi_core.errors import InputError, MaskWantedError
from cassi_core.inputs import CalibrationInputs, Frame
from cassi_core.io.camera import CameraReading, read_camera_image, read_frames
from cassi_core.io.cubes import read_cube
from cassi_core.io.dispersion_from_files import choose_dispersion, read_dispersion_csv
from cassi_core.io.mask_from_files import MaskFile, read_mask
from cassi_core.io.readers import Metadata, ReadMeter, Roi, Role, Selection, Turn, find_key, read_metadata, split_spec
from cassi_core.io.readers.raw_files import is_layout
from cassi_core.io.readers.selection import AS_IT_IS, split_selection
from cassi_core.io.wavelengths import read_band_wavelengths

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
    camera: CameraReading | None = None,
    mask_roi: Roi | None = None,
    mask_turn: Turn = AS_IT_IS,
    wavelengths: Spec | None = None,
    meter: ReadMeter | None = None,
) -> CalibrationInputs:
    """Read the snapshots of one rig with its mask and dispersion, corrected and checked.

    Parameters
    ----------
    measurements
        `FILE` or `FILE::key` each (:mod:`cassi_core.io.readers.select`); a stack of pictures counts as several snapshots.
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
    camera
        Which pictures of the files are taken, how they are cut and turned, and which pixels are left out. The direction of the
        dispersion is that of the turned pictures.
    mask_roi, mask_turn
        The region of the mask's picture that is the mask, and how it is mirrored and turned after that.
    wavelengths
        Band centres in nm, which also count the bands.
    meter
        Hears how far reading has come and can cancel it.

    Raises
    ------
    InputError
        One sentence that says which file or option is wrong and what to do.
    """
    if not measurements:
        raise InputError("no measurement given; name at least one file")
    if dispersion_csv is not None and step is not None:
        raise InputError("both --step and --dispersion are given; one of them is enough")
    meter = ReadMeter() if meter is None else meter
    frames = read_frames(measurements, camera or CameraReading(), dark=dark, flat=flat, meter=meter)
    mask_file = _read_masks(measurements, mask, direction, Selection(roi=mask_roi, turn=mask_turn), meter)
    metadata = _common_metadata(measurements)
    if wavelengths is not None:
        bands, metadata = _with_wavelengths(wavelengths, bands, metadata)
    along = 1 if QUARTER_TURNS[direction] % 2 == 0 else 0
    travel = frames[0].image.shape[along] - mask_file.mask.shape[along]
    # Sizes that cannot belong together are told before anything is derived from them.
    _check_sizes(frames, mask_file.mask, direction)
    if dispersion_csv is not None:
        dispersion = _tabulated(dispersion_csv, bands, metadata, direction, mode)
    else:
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
        cube = read_cube(reference, n_bands=dispersion.n_bands, image_shape=shape, meter=meter)[0]
    return CalibrationInputs(frames, mask_file.mask, dispersion, mask_file.source, cube)


def _check_sizes(frames: tuple[Frame, ...], mask: NDArray[np.float32], direction: Direction) -> None:
    """Refuse a mask that does not fit the pictures; the message says so when it would fit after a quarter turn."""
    dispersion = Dispersion.constant(1, 1.0, direction=direction)
    try:
        CalibrationInputs(frames, mask, dispersion)
    except InputError as error:
        try:
            CalibrationInputs(frames, np.ascontiguousarray(mask.T), dispersion)
        except InputError:
            raise error from None
        (height, width), (rows, cols) = frames[0].image.shape, mask.shape
        raise InputError(
            f"{frames[0].source.path}: the mask of {rows} x {cols} pixels does not fit the measurement of {height} x {width}, but "
            "it fits when it is turned by a quarter (--mask-turn 90 or --mask-turn 270)"
        ) from None


def _with_wavelengths(table: Spec, bands: int | None, metadata: Metadata) -> tuple[int, Metadata]:
    """The number of bands and the metadata with the wavelengths of a table."""
    nm = read_band_wavelengths(table)
    if bands is not None and bands != len(nm):
        raise InputError(f"{table}: the table holds {len(nm)} wavelengths and --bands says {bands}; one per band is needed")
    return len(nm), replace(metadata, wavelengths_nm=nm)


def mean_image(spec: Spec, role: Role) -> NDArray[np.float32]:
    """A dark or flat frame; the mean of a stack, pixels that are NaN in any picture stay NaN."""
    return read_camera_image(spec, role, (0, 0))


def _read_masks(
    measurements: Sequence[Spec], mask: Spec | None, direction: Direction, selection: Selection, meter: ReadMeter
) -> MaskFile:
    """The mask that was named, or the one that the measurements carry themselves: it must be the same in all of them."""
    if mask is not None:
        return read_mask(mask, direction, selection, meter)
    carried: MaskFile | None = None
    for path, layout in _files(measurements):
        key = None if layout else find_key(path, "mask")
        if key is None:
            raise MaskWantedError(f"{path}: the file holds no mask; name the mask's file with --mask")
        found = read_mask(f"{path}::{key}", direction, selection, meter)
        if carried is not None and not np.array_equal(carried.mask, found.mask):
            raise InputError(
                f"{path}: its mask differs from the one in {carried.source.path}; frames of one rig share a mask (--mask)"
            )
        carried = carried or found
    assert carried is not None
    return carried


def _files(specs: Sequence[Spec]) -> list[tuple[Path, str]]:
    """The files of some specs, each once, with the layout of those that hold raw numbers (otherwise empty)."""
    found = {}
    for spec in specs:
        path, key = split_spec(spec)
        found[path] = split_selection(key)[0] if is_layout(key) else ""
    return list(found.items())


def _common_metadata(measurements: Sequence[Spec]) -> Metadata:
    """The metadata of the measurements' files, which must not contradict each other."""
    common: dict[str, object] = {}
    for path, layout in _files(measurements):
        metadata = read_metadata(path, layout)
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
