r"""Is there a pattern in what the fit cannot explain? The strongest line in the spectrum of the whitened residual, against chance.

The residual ``r`` is divided by its local rms and windowed (Hann, ``w``). The squared Fourier transform of that is the Fourier transform of its
autocorrelation; stripes, which keep their step over the whole picture, gather in one frequency, everything else spreads::

    P(f) = |sum w r exp(-2 pi i f x)|^2          share of the variance in a line = 2 P / ((sum w)^2 var(r))

Noise alone gives ``P / E[P]`` an exponential distribution, so that among M independent frequencies the largest exceeds ``ln(M / p)`` with
probability p: that is the least share that can be told from chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy import ndimage as ndi

LOCAL_PX = 8.0
"""Scale over which the local rms is taken: several mask details."""
DARKEST = 0.1
"""A local rms below this share of its median counts as that share: parts without light are all noise of the camera."""
LONGEST_PX = 16.0
"""Waves longer than this are scene and brightness, not a pattern."""
CHANCE = 1e-3
"""Probability with which noise alone may pass the limit."""


@dataclass(frozen=True)
class Line:
    """The strongest line of a residual: percent of the variance in it, percent that chance reaches, and the wave.

    `period_px` is the distance of the stripes; `right`, `down` the wave's frequency along columns and rows (cycles/px, rig's frame).
    """

    percent: float
    chance_percent: float
    right: float
    down: float

    @property
    def period_px(self) -> float:
        return float(1 / np.hypot(self.right, self.down))

    @property
    def lying(self) -> bool:
        """Whether the stripes run rather along the rows than along the columns."""
        return abs(self.down) >= abs(self.right)


def strongest_line(residual: NDArray[np.float32], seen: NDArray[np.bool_]) -> Line | None:
    """The strongest line in a residual ``(H, W)`` on the pixels `seen` of its rectangle; None where there is nothing to look at."""
    rows, cols = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if rows.size < 2 * LONGEST_PX or cols.size < 2 * LONGEST_PX:
        return None
    inside = (slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1))
    known = seen[inside].astype(np.float64)
    white = whitened(residual[inside].astype(np.float64), known)
    window = np.outer(*(np.hanning(n + 2)[1:-1] for n in white.shape)) * known
    variance = float(np.sum(window**2 * white**2) / np.sum(window**2))
    if variance <= 0:
        return None
    # On a grid twice as fine, so that a line between two frequencies of the picture keeps its height.
    size = [fft.next_fast_len(2 * n, real=True) for n in white.shape]
    power = np.abs(fft.rfft2(window * white, size)) ** 2
    down, right = np.meshgrid(fft.fftfreq(size[0]), fft.rfftfreq(size[1]), indexing="ij")
    pattern = np.hypot(down, right) >= 1 / LONGEST_PX
    power[~pattern] = 0
    at = np.unravel_index(int(np.argmax(power)), power.shape)
    gain = 200 / (float(window.sum()) ** 2 * variance)
    noise = variance * float(np.sum(window**2))
    chance = noise * float(np.log(np.count_nonzero(pattern) / CHANCE))
    return Line(float(power[at]) * gain, chance * gain, float(right[at]), float(down[at]))


def whitened(residual: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """The residual over its local rms, zero where `known` is."""
    energy = ndi.gaussian_filter(residual**2 * known, LOCAL_PX)
    share = ndi.gaussian_filter(known, LOCAL_PX)
    rms = np.sqrt(energy / np.maximum(share, 1e-3))
    usual = float(np.median(rms[known > 0]))
    return np.asarray(residual * known / np.maximum(rms, max(DARKEST * usual, 1e-300)), np.float64)


def worst_line(lines: Sequence[Line | None]) -> Line | None:
    """Of the lines of several frames the one that stands out most."""
    found = [line for line in lines if line is not None]
    return max(found, key=lambda line: line.percent / line.chance_percent, default=None)
