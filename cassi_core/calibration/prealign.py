"""Where the mask roughly sits: matched filter between the snapshot and the mask, summed over the bands' offsets.

The measurement is high-passed and divided by its local contrast, the mask is turned by a few angles and high-passed; their
cross-correlation (by FFT) is summed over the nominal offsets of the bands. The highest point of the sum over shifts and angles is
the coarse position, its height in units of the map's own noise (median absolute deviation) tells whether the mask is in the
picture at all.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    control: RunControl | None = None,
) -> PreAlignment:
    """Shift and angle of the mask within the reach, jointly for all snapshots of one rig.

    The spacing of the angles is `angle_step_deg`, or finer for large masks, so that the true angle lies within half a pixel of a
    tried one at the mask's typical radius.
    """
    control = control or RunControl()
    count = angles_tried(max(models[0].mask.shape), reach_deg, angle_step_deg)
    angles = np.linspace(-reach_deg, reach_deg, count) if count > 1 else np.zeros(1)
    reach = int(np.ceil(reach_px))
    correlator = _Correlator(models, reach)
    maps = np.empty((len(angles), 2 * reach + 1, 2 * reach + 1), np.float32)
    for i, angle in enumerate(angles):
        control.checkpoint()
        maps[i] = correlator.correlate(float(angle))
    centre = np.median(maps)
    noise = 1.4826 * float(np.median(np.abs(maps - centre))) or 1.0
    maps = (maps - centre) / np.float32(noise)
    a, i, j = (int(k) for k in np.unravel_index(int(np.argmax(maps)), maps.shape))
    theta = angles[a] + _parabola(maps[:, i, j], a) * (angles[1] - angles[0] if count > 1 else 0.0)
    dy = float(i - reach) + _parabola(maps[a, :, j], i)
    dx = float(j - reach) + _parabola(maps[a, i, :], j)
    axis = np.arange(-reach, reach + 1, dtype=np.float64)
    return PreAlignment(dx, dy, float(theta), float(maps[a, i, j]), angles, axis, axis, maps)


def angles_tried(side: int, reach_deg: float, angle_step_deg: float) -> int:
    """How many angles are tried for a mask of `side` pixels."""
    step = min(angle_step_deg, float(np.rad2deg(2 * COHERENCE_PX / (0.41 * side))))
    return 2 * int(np.ceil(reach_deg / step)) + 1 if reach_deg > 0 else 1


class _Correlator:
    """Fourier transforms of the measurements, reused for every angle."""

    def __init__(self, models: Sequence[RigModel], reach: int) -> None:
        first = models[0]
        self.mask, self.reach, self.threads = first.mask, reach, first.threads
        cols, _ = first.dispersion.offsets()
        self.offsets = np.round(cols).astype(int)
        height, width = first.y.shape
        self.size = (
            fft.next_fast_len(height + reach, real=True),
            fft.next_fast_len(width - CANVAS_PAD + reach, real=True),
        )
        self.spectrum = sum(
            fft.rfft2(local_contrast(m.y[:, CANVAS_PAD:], m.observed[:, CANVAS_PAD:]), self.size, workers=first.threads)
            for m in models
        )

    def correlate(self, theta: float) -> NDArray[np.float32]:
        """Correlation summed over the bands for shifts within the reach, `(rows, cols)`."""
        row, col = source_coordinates((self.mask.shape[0], self.mask.shape[1]), theta=theta)
        turned = ndi.map_coordinates(self.mask, [row, col], order=1, mode="nearest")
        spectrum = fft.rfft2(high_pass(turned).astype(np.float32), self.size, workers=self.threads)
        plane = fft.irfft2(self.spectrum * np.conj(spectrum), self.size, workers=self.threads)
        shifts = np.arange(-self.reach, self.reach + 1)
        rows = shifts % self.size[0]
        total = np.zeros((len(shifts), len(shifts)), np.float32)
        for offset in self.offsets:
            total += plane[np.ix_(rows, (shifts + offset) % self.size[1])]
        return total


def _parabola(values: NDArray[np.float32], peak: int) -> float:
    """Sub-sample position of a maximum from its two neighbours, within half a sample."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    left, centre, right = (float(v) for v in values[peak - 1 : peak + 2])
    curvature = left - 2 * centre + right
    return float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0
