"""Where the mask roughly sits: matched filter between the snapshot and the mask, summed over the bands' offsets.

The measurement is high-passed and divided by its local contrast, the mask is turned by a few angles and high-passed; their
cross-correlation (by FFT) is summed over the nominal offsets of the bands. The highest point of the sum over shifts and angles is
the coarse position, its height in units of the map's own noise (median absolute deviation) tells whether the mask is in the
picture at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy import ndimage as ndi

from cassi_core.calibration.contrast import high_pass, local_contrast
from cassi_core.calibration.rig_model import CANVAS_PAD, RigModel
from cassi_core.geometry import source_coordinates
from cassi_core.run import RunControl

COHERENCE_PX = 0.5
"""Two neighbouring angles may move the mask this much at its typical radius before the correlation suffers."""


@dataclass(frozen=True, eq=False)
class PreAlignment:
    """Best coarse position (pixels, degrees) and the height `z` of its correlation peak above the map's noise.

    `maps` holds the z map of every angle `(angles, rows, cols)`, its axes are `angles_deg`, `shifts_y`, `shifts_x`.
    """

    dx: float
    dy: float
    theta: float
    z: float
    angles_deg: NDArray[np.float64]
    shifts_y: NDArray[np.float64]
    shifts_x: NDArray[np.float64]
    maps: NDArray[np.float32]


def prealign(
    models: Sequence[RigModel],
    *,
    reach_px: float = 25.0,
    reach_deg: float = 3.0,
    angle_step_deg: float = 0.5,
    near: Mapping[str, float] | None = None,
    control: RunControl | None = None,
) -> PreAlignment:
    """Shift and angle of the mask within the reach, jointly for all snapshots of one rig.

    The search is centred on the parameters `near` (None: all zero), whose magnification and dispersion it takes as they are.

    The spacing of the angles is `angle_step_deg`, or finer for large masks, so that the true angle lies within half a pixel of a
    tried one at the mask's typical radius.
    """
    control = control or RunControl()
    count = angles_tried(max(models[0].mask.shape), reach_deg, angle_step_deg)
    near = near or {}
    angles = near.get("theta", 0.0) + (np.linspace(-reach_deg, reach_deg, count) if count > 1 else np.zeros(1))
    reach = int(np.ceil(reach_px))
    correlator = _Correlator(models, reach, near)
    maps = np.empty((len(angles), 2 * reach + 1, 2 * reach + 1), np.float32)
    for i, angle in enumerate(angles):
        control.checkpoint()
        maps[i] = correlator.correlate(float(angle))
    centre = np.median(maps)
    noise = 1.4826 * float(np.median(np.abs(maps - centre))) or 1.0
    maps = (maps - centre) / np.float32(noise)
    a, i, j = (int(k) for k in np.unravel_index(int(np.argmax(maps)), maps.shape))
    theta = angles[a] + _parabola(maps[:, i, j], a) * (angles[1] - angles[0] if count > 1 else 0.0)
    shifts_y, shifts_x = (middle + np.arange(-reach, reach + 1, dtype=np.float64) for middle in correlator.middle)
    dy = float(shifts_y[i]) + _parabola(maps[a, :, j], i)
    dx = float(shifts_x[j]) + _parabola(maps[a, i, :], j)
    return PreAlignment(dx, dy, float(theta), float(maps[a, i, j]), angles, shifts_y, shifts_x, maps)


def angles_tried(side: int, reach_deg: float, angle_step_deg: float) -> int:
    """How many angles are tried for a mask of `side` pixels."""
    step = min(angle_step_deg, float(np.rad2deg(2 * COHERENCE_PX / (0.41 * side))))
    return 2 * int(np.ceil(reach_deg / step)) + 1 if reach_deg > 0 else 1


class _Correlator:
    """Fourier transforms of the measurements, reused for every angle; `middle` is the whole shift (down, right) that the search is round."""

    def __init__(self, models: Sequence[RigModel], reach: int, near: Mapping[str, float]) -> None:
        first = models[0]
        self.mask, self.reach, self.threads = first.mask, reach, first.threads
        self.middle = (round(near.get("dy", 0.0)), round(near.get("dx", 0.0)))
        self.scale_x, self.scale_y = near.get("scale_x", 0.0), near.get("scale_y", 0.0)
        self.offsets = [np.round(offsets).astype(int) for offsets in first.dispersion.offsets(near)]
        height, width = first.y.shape
        self.size = (
            fft.next_fast_len(height + reach + abs(self.middle[0]), real=True),
            fft.next_fast_len(width - CANVAS_PAD + reach + abs(self.middle[1]), real=True),
        )
        self.spectrum = sum(
            fft.rfft2(local_contrast(m.y[:, CANVAS_PAD:], m.observed[:, CANVAS_PAD:]), self.size, workers=first.threads)
            for m in models
        )

    def correlate(self, theta: float) -> NDArray[np.float32]:
        """Correlation summed over the bands for shifts within the reach, `(rows, cols)`."""
        height, width = self.mask.shape
        row, col = source_coordinates((height, width), theta=theta, scale_x=self.scale_x, scale_y=self.scale_y)
        turned = ndi.map_coordinates(self.mask, [row, col], order=1, mode="nearest")
        spectrum = fft.rfft2(high_pass(turned).astype(np.float32), self.size, workers=self.threads)
        plane = fft.irfft2(self.spectrum * np.conj(spectrum), self.size, workers=self.threads)
        shifts = np.arange(-self.reach, self.reach + 1)
        total = np.zeros((len(shifts), len(shifts)), np.float32)
        for col_offset, row_offset in zip(*self.offsets, strict=True):
            rows = (shifts + self.middle[0] + row_offset) % self.size[0]
            total += plane[np.ix_(rows, (shifts + self.middle[1] + col_offset) % self.size[1])]
        return total


def _parabola(values: NDArray[np.float32], peak: int) -> float:
    """Sub-sample position of a maximum from its two neighbours, within half a sample."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    left, centre, right = (float(v) for v in values[peak - 1 : peak + 2])
    curvature = left - 2 * centre + right
    return float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0
