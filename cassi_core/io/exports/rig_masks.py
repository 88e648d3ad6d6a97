"""The calibrated mask as reconstruction software wants it: one warped mask, or the pattern of every band where it lands.

Everything that is written lies in the canonical frame, in which the bands move to the right: for a rig that disperses to the
left, down or up the arrays are turned by quarter turns (:func:`cassi_core.dispersion.to_dispersion_frame`), and measurements have
to be turned the same way (``numpy.rot90(measurement, quarter_turns)``) before they meet them.

Band ``l`` occupies the columns ``o_l .. o_l + W`` with the nominal whole offset ``o_l = round(s_nom[l])``, whatever was fitted: that
is the layout which the public networks shift back by. Two kinds of pattern are offered::

    integer        M_l(r, c) = warped(r, c)                                one pattern for all bands
    interpolated   M_l(r, c) = warped(r - rows_l, c - (cols_l - o_l))      the pattern where it really lies

with ``(cols_l, rows_l)`` the exact calibrated offsets: what is left of a pixel, and the errors of slope, curve and alpha, move the
pattern. The unknown scene takes up its own sub-pixel shift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.dispersion import (
    QUARTER_TURNS,
    Dispersion,
    to_dispersion_frame,
    vector_from_dispersion_frame,
    vector_to_dispersion_frame,
)
from cassi_core.geometry import warp_mask
from cassi_core.mask_image import MaskImage
from cassi_core.optics import mask_places
from cassi_core.parameters import ParameterSet
from cassi_core.result import CalibrationResult

Float32 = NDArray[np.float32]
Shifts = Literal["integer", "interpolated"]
ROUNDING = 1e-6
"""Sampled values below this share of the brightest are rounding: where the mask is dark they would make sums of squares that nothing
can be divided by."""
POSE = ("dx", "dy", "theta", "scale_x", "scale_y")


@dataclass(frozen=True, eq=False)
class CalibratedMask:
    """A nominal mask `(H, W)` (0..1), the calibrated parameters and the nominal dispersion, all in the rig's frame; `optics`: terms
    of :mod:`cassi_core.optics`, which are stated in the dispersion frame."""

    mask: Float32
    parameters: ParameterSet
    dispersion: Dispersion
    optics: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_result(cls, result: CalibrationResult) -> CalibratedMask:
        """What a finished calibration found."""
        return cls(result.mask, result.parameters, result.dispersion, {t.name: t.value_px for t in result.optics})

    @property
    def quarter_turns(self) -> int:
        """Quarter turns (`numpy.rot90`) from the rig's frame to the frame that is written."""
        return QUARTER_TURNS[self.dispersion.direction]

    @property
    def whole_offsets(self) -> NDArray[np.int64]:
        """Nominal offsets of the bands in whole pixels to the right, `(L,)`."""
        return np.round(self.dispersion.s_nom).astype(np.int64)

    def exact_offsets(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Calibrated offsets `(right, down)` of the bands in the written frame, each `(L,)` float64 pixels."""
        exact = Dispersion(self.dispersion.s_nom, self.dispersion.direction, "interpolated")
        return exact.offsets(self.parameters.values())

    def neglected_px(self) -> float:
        """Largest distance in pixels between a band's calibrated place and its nominal whole offset: what `integer` leaves out."""
        cols, rows = self.exact_offsets()
        return float(np.hypot(cols - self.whole_offsets, rows).max())

    def warped(self) -> Float32:
        """The mask where the calibration puts it, `(H, W)` float32, in the written frame."""
        return np.asarray(self._sampled(np.zeros((1, 2)))[0], np.float32)

    def band_masks(self, shifts: Shifts) -> Float32:
        """The mask patterns of the bands at their nominal whole offsets, `(L, H, W)` float32, in the written frame."""
        if shifts == "integer":
            warped = self.warped()
            return np.ascontiguousarray(np.broadcast_to(warped, (self.dispersion.n_bands, *warped.shape)))
        if self.optics:
            return self._bent()
        cols, rows = self.exact_offsets()
        fractions = np.stack([cols - self.whole_offsets, rows], axis=1).round(9)
        distinct, which = np.unique(fractions, axis=0, return_inverse=True)
        return np.ascontiguousarray(self._sampled(distinct)[which.reshape(-1)])

    def _bent(self) -> Float32:
        """The patterns of the bands where pose and optics put them, `(L, H, W)` float32, in the written frame."""
        turned = to_dispersion_frame(self.mask, self.dispersion.direction)
        height, width = turned.shape
        values = self._pose_in_written_frame()
        whole = self.whole_offsets
        spline = MaskImage(turned).spline(values["psf"] ** 2, 0.0)
        rows, cols = np.mgrid[:height, :width].astype(np.float64)
        out = np.empty((self.dispersion.n_bands, height, width), np.float32)
        for band in range(len(out)):
            places = mask_places(
                values, self.optics, self.dispersion, (height, width), (height, width + int(whole[-1])), rows, cols + whole[band],
                slice(band, band + 1),
            )  # fmt: skip
            out[band] = ndi.map_coordinates(spline, [places[0][0], places[1][0]], order=3, mode="nearest", prefilter=False)
        high = float(turned.max())
        out = np.clip(out, float(turned.min()), high)
        out[out < ROUNDING * high] = 0
        return out

    def _pose_in_written_frame(self) -> dict[str, float]:
        """All parameters with shift and magnification turned into the written frame."""
        values = dict(self.parameters.values())
        values["dx"], values["dy"] = vector_to_dispersion_frame(values["dx"], values["dy"], self.dispersion.direction)
        if self.quarter_turns % 2:
            values["scale_x"], values["scale_y"] = values["scale_y"], values["scale_x"]
        return values

    def _sampled(self, displacements: NDArray[np.float64]) -> Float32:
        """The warped mask displaced by each `(right, down)` of the written frame, `(N, H, W)` float32, in the written frame."""
        values = self.parameters.values()
        pose = {name: values[name] for name in POSE}
        if not any(pose.values()) and values["psf"] == 0 and not displacements.any():
            return np.repeat(to_dispersion_frame(self.mask, self.dispersion.direction)[None], len(displacements), axis=0)
        low, high = float(self.mask.min()), float(self.mask.max())
        coefficients = MaskImage(self.mask).spline(values["psf"] ** 2, 0.0).astype(np.float64)
        images = []
        for right, down in displacements:
            # One sampling at the exact place, as in the fit: the displacement of a band is part of the pose.
            moved = displaced_pose(pose, *vector_from_dispersion_frame(right, down, self.dispersion.direction))
            images.append(
                to_dispersion_frame(warp_mask(self.mask, moved, coefficients=coefficients), self.dispersion.direction)
            )
        sampled = np.clip(np.stack(images), low, high)
        sampled[sampled < ROUNDING * high] = 0
        return np.asarray(sampled, np.float32)


def displaced_pose(pose: Mapping[str, float], right: float, down: float) -> dict[str, float]:
    """The pose of a mask that lies further to the right and down by so many pixels."""
    angle = np.deg2rad(pose["theta"])
    x, y = right / (1 + pose["scale_x"]), down / (1 + pose["scale_y"])
    moved = {"dx": pose["dx"] + np.cos(angle) * x - np.sin(angle) * y, "dy": pose["dy"] + np.sin(angle) * x + np.cos(angle) * y}
    return {**pose, **{name: float(value) for name, value in moved.items()}}


def shifted(masks: Float32, offsets: NDArray[np.int64]) -> Float32:
    """Masks of the bands `(L, H, W)` laid out on the canvas at whole offsets, `(L, H, W + travel)` float32."""
    bands, height, width = masks.shape
    out = np.zeros((bands, height, width + int(offsets[-1])), np.float32)
    for band, (mask, offset) in enumerate(zip(masks, offsets, strict=True)):
        out[band, :, offset : offset + width] = mask
    return out
