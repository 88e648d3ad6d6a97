"""The picture of the mask as the rig shows it: blurred, as a spline, and how wrong such a spline is between the pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

PAD = 16
"""Pixels by which the picture is mirrored before it is blurred in Fourier space, where it would wrap round."""
LOWEST, HIGHEST, CLASSES = 0.12, 0.47, 7
"""Frequencies (cycles per pixel) from which the spectrum beyond half a cycle per pixel is continued, and in how many classes."""


class MaskImage:
    """A mask `(H, W)`, scaled to 0..1, in light of a rig's blur.

    ``spline(b, s2)``: coefficients of the cubic spline through the mask blurred by a Gaussian of variance b (px^2) and a box of length
    sqrt(s2) (px) along the columns, both in Fourier space. A blur that is applied before sampling and one sampling: the rig samples once.
    """

    def __init__(self, mask: NDArray[np.float32]) -> None:
        self.mask = mask.astype(np.float64)
        self.mean, self.variance = float(self.mask.mean()), float(self.mask.var())
        padded = np.pad(self.mask, PAD, mode="symmetric")
        self._shape = padded.shape
        self._spectrum = np.fft.rfft2(padded)
        self._y, self._x = np.fft.fftfreq(self._shape[0])[:, None], np.fft.rfftfreq(self._shape[1])
        self._last: tuple[tuple[float, float], NDArray[np.float32]] | None = None
        self._power, self._continued = _continuation(self.mask - self.mean)

    def spline(self, blur: float, smear_squared: float) -> NDArray[np.float32]:
        """Spline coefficients `(H, W)` float32; the last ones are kept."""
        key = (blur, smear_squared)
        if self._last is None or self._last[0] != key:
            spectrum = self._spectrum * np.exp(-2 * np.pi**2 * (self._x**2 + self._y**2) * blur)
            spectrum *= np.sinc(self._x * np.sqrt(max(smear_squared, 0.0)))
            blurred = np.fft.irfft2(spectrum, self._shape)[PAD:-PAD, PAD:-PAD]
            self._last = (key, ndi.spline_filter(blurred, 3, output=np.float32, mode="mirror"))
        return self._last[1]

    def alias(self, blur: float, reach: tuple[int, int]) -> NDArray[np.float32]:
        """Autocorrelation `reach` of the error of the spline between the pixels, in units of the mask squared.

        Detail beyond half a cycle per pixel folds back in the picture of the mask and, with another phase, in the snapshot: both count. Its
        power is continued from the picture's own spectrum, as of sharp edges seen by square pixels and softened by a Gaussian.
        """
        height, width = self._power.shape
        fy, fx = np.abs(np.fft.fftfreq(height))[:, None], np.abs(np.fft.fftfreq(width))
        error = np.zeros_like(self._power)
        for along, other, soft in ((fy, fx, self._continued[0]), (fx, fy, self._continued[1])):
            ratio = np.minimum(np.exp(_edge_spectrum(1 - along, soft) - _edge_spectrum(along, soft)), 1.0)
            fold = sum(np.exp(-4 * np.pi**2 * (f**2 + other**2) * max(blur, 0.0)) for f in (along, 1 - along))
            error += self._power * ratio * fold
        return np.ascontiguousarray(np.fft.ifft2(error).real[: reach[0], : reach[1]], np.float32)


def _edge_spectrum(f: NDArray[np.float64], soft: float) -> NDArray[np.float64]:
    """Logarithm of the power of sharp edges seen by square pixels and softened, up to a constant."""
    return np.asarray(-2 * np.log(np.maximum(f, 0.03)) + 2 * np.log(np.sinc(np.minimum(f, 0.97))) - soft * f**2, np.float64)


def _continuation(mask: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Power spectrum of a mask without its mean, and how soft its edges are along rows and columns."""
    window = np.hanning(mask.shape[0])[:, None] * np.hanning(mask.shape[1])
    power = np.abs(np.fft.fft2(mask * window)) ** 2 / float((window**2).sum())
    soft = []
    for axis in (0, 1):
        f = np.abs(np.fft.fftfreq(mask.shape[axis]))
        use = (f > LOWEST) & (f < HIGHEST)
        level = power.mean(axis=1 - axis)[use] / np.exp(_edge_spectrum(f[use], 0.0))
        edges = np.linspace(LOWEST, HIGHEST, CLASSES + 1)
        which = np.clip(np.digitize(f[use], edges) - 1, 0, CLASSES - 1)
        filled = [k for k in range(CLASSES) if np.any(which == k)]
        means = [float(np.log(max(level[which == k].mean(), 1e-300))) for k in filled]
        middle = 0.5 * (edges[1:] + edges[:-1])[filled]
        soft.append(max(-float(np.polyfit(middle**2, means, 1)[0]), 0.0) if len(filled) > 1 else 0.0)
    return power, (soft[0], soft[1])
