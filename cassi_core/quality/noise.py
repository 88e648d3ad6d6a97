"""How much of a picture's light is noise, told from the picture alone: the floor of what any fit leaves.

Light of a wide spectrum that ends softly is smeared along the dispersion: at the frequency ``1 / (2 step)`` neighbouring bands cancel each
other, and at a high frequency across it a scene has little left. What the spectrum of the picture holds there is noise. White noise has the same power
everywhere, also where its variance follows the brightness.
"""

from __future__ import annotations

import numpy as np

from cassi_core.calibration.rig_model import RigModel
from cassi_core.inputs import CalibrationInputs

MARGIN_PX = 8
"""Borders, where light of few bands arrives, are left out."""
LEAST_ACROSS = 0.4
"""Cycles per pixel across the dispersion from which a camera's picture holds little but noise."""
HALF_WIDTH = 0.04
"""Cycles per pixel round the frequency at which the bands cancel."""


def noise_share(inputs: CalibrationInputs, frame: int = 0) -> float | None:
    """Rms of the noise over rms of the light of one snapshot; None where the picture is too small to tell.

    Comparable with :class:`~cassi_core.result.Scores`: the fit may leave less, because it follows part of the noise.
    """
    turned = inputs.in_dispersion_frame()
    model = RigModel.from_frame(turned, turned.frames[frame])
    picture = model.crop(model.y).astype(np.float64)[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    if min(picture.shape) < 4 * MARGIN_PX:
        return None
    light = float(np.mean(picture**2))
    window = np.outer(np.hanning(picture.shape[0]), np.hanning(picture.shape[1]))
    power = np.abs(np.fft.rfft2((picture - picture.mean()) * window)) ** 2 / float(np.sum(window**2))
    across = np.abs(np.fft.fftfreq(picture.shape[0]))[:, None]
    along = np.fft.rfftfreq(picture.shape[1])[None, :]
    cancelled = min(0.5 / max(inputs.dispersion.step_px, 1.0), 0.5)
    chosen = (across >= LEAST_ACROSS) & (np.abs(along - cancelled) <= HALF_WIDTH)
    if light <= 0 or np.count_nonzero(chosen) < 8:
        return None
    # The median of an exponential distribution is ln 2 of its mean: a single line of a pattern does not count as noise.
    return float(np.sqrt(np.median(power[chosen]) / np.log(2) / light))
