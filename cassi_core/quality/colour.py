"""Pseudo-colour of a spectral cube: what an eye would roughly see, from the wavelengths of the bands.

The colour matching functions of the CIE 1931 standard observer are approximated by Gaussians with different widths to either
side of the peak (two lobes for x, one each for y and z), fitted by least squares to the tabulated observer every 10 nm from
400 to 700 nm: off by less than 0.08 everywhere (z peaks at 1.77, y at 1), far below what a pseudo-colour can show. XYZ goes to
linear sRGB by the standard's matrix (IEC 61966-2-1) and through its transfer curve.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError

# (height, peak nm, width nm below the peak, width nm above it) of each lobe.
_LOBES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "x": ((1.063, 598.5, 35.3, 31.8), (0.367, 444.2, 17.4, 21.3)),
    "y": ((1.021, 552.9, 36.4, 47.1),),
    "z": ((1.862, 444.2, 16.9, 28.5),),
}
_XYZ_TO_LINEAR_SRGB = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]],
    np.float64,
)
VISIBLE_NM = (380.0, 780.0)
DEFAULT_RANGE_NM = (450.0, 650.0)
"""Wavelengths assumed when a rig does not say: the band-pass of the public CASSI data."""


def colour_matching(wavelengths_nm: NDArray[np.floating]) -> NDArray[np.float64]:
    """Approximate CIE 1931 colour matching functions, shape `(3, L)` (x, y, z), at the given wavelengths in nm."""
    nm = np.asarray(wavelengths_nm, np.float64)
    curves = []
    for lobes in _LOBES.values():
        total = np.zeros_like(nm)
        for height, peak, below, above in lobes:
            width = np.where(nm < peak, below, above)
            total += height * np.exp(-0.5 * ((nm - peak) / width) ** 2)
        curves.append(total)
    return np.stack(curves)


def display_wavelengths(n_bands: int, wavelengths_nm: NDArray[np.floating] | None) -> NDArray[np.float64]:
    """Wavelengths `(L,)` in nm to colour the bands with.

    Unknown ones are spread over 450 to 650 nm. Ones that an eye cannot see (infrared rigs) are mapped linearly onto that
    range: false colour is then the only colour there is.
    """
    if wavelengths_nm is None:
        return np.linspace(*DEFAULT_RANGE_NM, n_bands)
    nm = np.asarray(wavelengths_nm, np.float64)
    if nm.size != n_bands:
        raise InputError(f"{nm.size} wavelengths for {n_bands} bands; one wavelength per band is needed")
    inside = (nm >= VISIBLE_NM[0]) & (nm <= VISIBLE_NM[1])
    if np.count_nonzero(inside) * 2 >= n_bands or n_bands < 2:
        return nm
    low, high = float(nm.min()), float(nm.max())
    return DEFAULT_RANGE_NM[0] + (nm - low) / max(high - low, 1e-9) * (DEFAULT_RANGE_NM[1] - DEFAULT_RANGE_NM[0])


def pseudo_colour(
    cube: NDArray[np.floating],
    wavelengths_nm: NDArray[np.floating] | None = None,
    *,
    white: float | None = None,
) -> NDArray[np.uint8]:
    """Pseudo-colour picture `(H, W, 3)` uint8 sRGB of a cube `(L, H, W)`, a flat spectrum shown as grey.

    ``XYZ_k = sum_l cmf_k(l) x_l``, each scaled so that a constant spectrum becomes white; then sRGB. `white` is the linear
    luminance shown as white (None: the 99th percentile of this cube's), to be given when two cubes must be comparable.
    """
    if cube.ndim != 3:
        raise InputError(f"a cube has three dimensions (bands, rows, columns), not shape {cube.shape}")
    weights = _rgb_weights(cube.shape[0], wavelengths_nm)
    linear = np.tensordot(weights.astype(np.float32), np.nan_to_num(np.asarray(cube, np.float32)), axes=1)
    top = white if white is not None else white_level(cube)
    linear = np.clip(linear / max(top, 1e-12), 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    return np.ascontiguousarray(np.moveaxis(np.round(encoded * 255), 0, -1).astype(np.uint8))


def pseudo_colours(
    cubes: Sequence[NDArray[np.floating] | None], wavelengths_nm: NDArray[np.floating] | None = None
) -> tuple[NDArray[np.uint8] | None, ...]:
    """Pseudo-colour of several cubes of one scene on one scale: white is the largest white level among them; None stays."""
    white = max((white_level(cube) for cube in cubes if cube is not None), default=1.0)
    return tuple(None if cube is None else pseudo_colour(cube, wavelengths_nm, white=white) for cube in cubes)


def white_level(cube: NDArray[np.floating]) -> float:
    """The mean over the bands that 1 % of the pixels exceed: what :func:`pseudo_colour` shows as white by itself."""
    mean = np.nan_to_num(np.asarray(cube, np.float32)).mean(axis=0)
    return float(np.percentile(mean, 99.0))


def band_colour(wavelength_nm: float) -> str:
    """A `#rrggbb` colour for one wavelength, for a mark on a wavelength axis."""
    weights = _XYZ_TO_LINEAR_SRGB @ colour_matching(np.array([wavelength_nm]))[:, 0]
    weights = np.clip(weights, 0.0, None)
    weights = weights / max(float(weights.max()), 1e-9)
    red, green, blue = (round(255 * float(v) ** (1 / 2.4)) for v in weights)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _rgb_weights(n_bands: int, wavelengths_nm: NDArray[np.floating] | None) -> NDArray[np.float64]:
    """Linear map `(3, L)` from a spectrum to linear sRGB; each row sums to one (a flat spectrum is grey)."""
    if n_bands == 1:
        return np.ones((3, 1))
    weights = _XYZ_TO_LINEAR_SRGB @ colour_matching(display_wavelengths(n_bands, wavelengths_nm))
    sums = weights.sum(axis=1, keepdims=True)
    # A band-pass that leaves a channel with next to nothing (three near-red bands) must not divide by zero.
    weak = sums < 0.05 * float(sums.max())
    return np.where(weak, weights, weights / np.where(weak, 1.0, sums))
