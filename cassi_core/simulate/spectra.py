"""Spectra of made-up materials as functions of the wavelength, so that one scene exists at any number of bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPAN_NM = (400.0, 700.0)
"""Where features of the made-up spectra lie; rigs see a part of it."""


@dataclass(frozen=True)
class Spectrum:
    """A baseline and Gaussian features: ``base + sum_i height_i exp(-((nm - centre_i) / width_i)^2 / 2)``, kept in 0..1."""

    base: float
    heights: tuple[float, ...]
    centres_nm: tuple[float, ...]
    widths_nm: tuple[float, ...]

    def __call__(self, wavelengths_nm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reflectance or emission ``(L,)`` at the given wavelengths."""
        nm = np.asarray(wavelengths_nm, np.float64)[:, None]
        z = (nm - np.asarray(self.centres_nm)) / np.asarray(self.widths_nm)
        return np.asarray(np.clip(self.base + np.exp(-0.5 * z**2) @ np.asarray(self.heights), 0.0, 1.0), np.float64)


def smooth_spectrum(rng: np.random.Generator) -> Spectrum:
    """A pigment: two to four features of 30 to 90 nm on a low baseline."""
    n = int(rng.integers(2, 5))
    return Spectrum(
        float(rng.uniform(0.02, 0.25)),
        tuple(rng.uniform(0.15, 0.75, n)),
        tuple(rng.uniform(*SPAN_NM, n)),
        tuple(rng.uniform(30.0, 90.0, n)),
    )


def narrow_spectrum(rng: np.random.Generator) -> Spectrum:
    """A lamp line or a fluorophore: one strong feature of 4 to 12 nm, perhaps a second one, on almost nothing."""
    n = int(rng.integers(1, 3))
    return Spectrum(
        float(rng.uniform(0.01, 0.05)),
        tuple(rng.uniform(0.5, 0.95, n)),
        tuple(rng.uniform(SPAN_NM[0] + 40, SPAN_NM[1] - 40, n)),
        tuple(rng.uniform(4.0, 12.0, n)),
    )


def grey_spectrum(level: float) -> Spectrum:
    """The same value at every wavelength."""
    return Spectrum(level, (0.0,), (550.0,), (100.0,))


def palette(rng: np.random.Generator, count: int, narrow_share: float = 0.25) -> list[Spectrum]:
    """`count` different materials, about `narrow_share` of them with narrow spectra."""
    return [narrow_spectrum(rng) if rng.random() < narrow_share else smooth_spectrum(rng) for _ in range(count)]


def default_wavelengths(n_bands: int) -> NDArray[np.float64]:
    """Band centres from 450 to 650 nm with steps that grow towards the red as behind a prism, ``(L,)`` in nm.

    The refraction of a prism follows about ``1/wavelength^2`` (Cauchy); equal steps in pixels are equal steps of that.
    """
    if n_bands == 1:
        return np.array([550.0])
    return np.asarray(1.0 / np.sqrt(np.linspace(450.0**-2, 650.0**-2, n_bands)), np.float64)
