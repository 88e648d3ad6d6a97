"""What a calibration starts from: measurements of one rig, its nominal mask and its nominal dispersion, checked once.

Everything here is in the frame of the rig (as the files hold it). :meth:`CalibrationInputs.in_dispersion_frame` turns it
so that the dispersion goes to the right, which is the frame that the solvers work in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import QUARTER_TURNS, Dispersion, to_dispersion_frame
from cassi_core.errors import InputError

Float32Image = NDArray[np.float32]
BoolImage = NDArray[np.bool_]


@dataclass(frozen=True)
class Source:
    """Where an array came from: file path, key inside the file, SHA-256 of the file, shape as stored.

    `averaged_with` names the other files of a snapshot that is the mean of several.
    """

    path: str
    key: str = ""
    sha256: str = ""
    shape: tuple[int, ...] = ()
    averaged_with: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Frame:
    """One snapshot: dark-subtracted, flat-divided image `(H, Wm)` float32 and which pixels are usable (None: all).

    `bad` are those of the unusable pixels that a bad-pixel map named (None: there was no map); their values are repaired.
    """

    image: Float32Image
    source: Source = field(default_factory=lambda: Source("memory"))
    usable: BoolImage | None = None
    bad: BoolImage | None = None


@dataclass(frozen=True, eq=False)
class CalibrationInputs:
    """Snapshots of one rig with its nominal mask `(H, W)` and dispersion; raises InputError where they do not fit.

    `reference` is an optional true or independent cube `(L, H, W)`, used for reporting only.
    """

    frames: tuple[Frame, ...]
    mask: Float32Image
    dispersion: Dispersion
    mask_source: Source = field(default_factory=lambda: Source("memory"))
    reference: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if not self.frames:
            raise InputError("no measurement given")
        check_image(self.mask, "mask")
        for frame in self.frames:
            check_image(frame.image, frame.source.path)
            self._check_fit(frame)
        if self.reference is not None and self.reference.shape != (self.dispersion.n_bands, *self.mask.shape):
            raise InputError(
                f"the reference cube has shape {self.reference.shape}; "
                f"{(self.dispersion.n_bands, *self.mask.shape)} (bands, rows, columns) is needed"
            )

    def _check_fit(self, frame: Frame) -> None:
        along = 1 if QUARTER_TURNS[self.dispersion.direction] % 2 == 0 else 0
        across = 1 - along
        axis = ("rows", "columns")
        shape, mask = frame.image.shape, self.mask.shape
        name = frame.source.path
        if shape[across] != mask[across]:
            raise InputError(
                f"{name}: the measurement has {shape[across]} {axis[across]} and the mask {mask[across]}; across the "
                f"dispersion ({self.dispersion.direction}) both must be equal: is this the mask of this rig? "
                "Where one shows more than the other, use a region of the mask (--mask-roi) or of the picture (--roi)"
            )
        if shape[along] < mask[along]:
            raise InputError(
                f"{name}: the measurement is narrower than the mask ({shape[along]} against {mask[along]} {axis[along]}); "
                "a dispersed picture is at least as wide as its mask"
            )
        if self.frames[0].image.shape != shape:
            raise InputError(f"{name}: shape {shape} differs from the first measurement's {self.frames[0].image.shape}")

    @classmethod
    def from_arrays(
        cls,
        measurement: NDArray[np.generic],
        mask: NDArray[np.generic],
        dispersion: Dispersion,
        *,
        reference: NDArray[np.float32] | None = None,
    ) -> CalibrationInputs:
        """Inputs from one measurement `(H, Wm)` (or a stack `(N, H, Wm)` of one rig) and a mask `(H, W)` in memory."""
        stack = np.asarray(measurement, np.float32)
        stack = stack[None] if stack.ndim == 2 else stack
        frames = tuple(Frame(np.ascontiguousarray(image)) for image in stack)
        return cls(frames, np.ascontiguousarray(mask, dtype=np.float32), dispersion, reference=reference)

    def in_dispersion_frame(self) -> CalibrationInputs:
        """The same inputs turned so that the dispersion goes to the right."""
        d = self.dispersion
        if d.direction == "right":
            return self

        def turned(frame: Frame) -> Frame:
            usable = None if frame.usable is None else to_dispersion_frame(frame.usable, d.direction)
            bad = None if frame.bad is None else to_dispersion_frame(frame.bad, d.direction)
            return replace(frame, image=to_dispersion_frame(frame.image, d.direction), usable=usable, bad=bad)

        reference = None if self.reference is None else to_dispersion_frame(self.reference, d.direction)
        return CalibrationInputs(
            tuple(turned(f) for f in self.frames),
            to_dispersion_frame(self.mask, d.direction),
            replace(d, direction="right"),
            self.mask_source,
            reference,
        )


def check_image(image: NDArray[np.generic], name: str) -> None:
    """Refuse an image that no calibration can use: not 2D, not real numbers, NaN, constant or all zero."""
    if image.ndim != 2:
        raise InputError(f"{name}: shape {image.shape}; a 2-dimensional image is needed")
    if min(image.shape) < 8:
        raise InputError(f"{name}: shape {image.shape}; at least 8 x 8 pixels are needed")
    if image.dtype.kind not in "fiub":
        raise InputError(f"{name}: values of type {image.dtype}; real numbers are needed")
    if not np.all(np.isfinite(image)):
        bad = int(image.size - np.count_nonzero(np.isfinite(image)))
        raise InputError(
            f"{name}: {bad} of {image.size} values are NaN or infinite; mend them, or name them in a bad-pixel map"
        )
    low, high = float(image.min()), float(image.max())
    if low == high:
        what = "all zero" if high == 0 else f"constant ({high:g} everywhere)"
        raise InputError(f"{name}: the image is {what}; it holds no pattern to calibrate with")
