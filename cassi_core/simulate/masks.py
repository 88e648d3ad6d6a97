"""Made-up coded apertures, as a camera would capture them with a margin round the field of view."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.errors import ConfigError

MASK_KINDS = ("binary", "grey")
SUPERSAMPLING = 4
"""Samples per pixel and axis when the edges of mask elements fall inside pixels."""


def make_mask(
    kind: str,
    shape: tuple[int, int],
    *,
    feature_px: float = 2.0,
    open_fraction: float = 0.5,
    blur_px: float = 0.6,
    seed: int = 0,
) -> NDArray[np.float32]:
    """A random coded aperture ``(H, W)`` float32 in 0..1.

    Parameters
    ----------
    kind
        ``binary``: open or closed elements; where an element's edge crosses a pixel the pixel holds the open area.
        ``grey``: the same seen through a lens (blur), with uneven transmission and light leaking through closed elements.
    shape
        ``(H, W)`` in pixels: the field of view and its margin.
    feature_px
        Side of an element in pixels, at least 0.5, not necessarily whole.
    open_fraction
        Share of open elements, between 0 and 1.
    blur_px
        Sigma of the lens's blur of a grey mask in pixels.

    Raises
    ------
    ConfigError
        For values outside these ranges.
    """
    if kind not in MASK_KINDS:
        raise ConfigError(f"unknown mask '{kind}'; the masks are {', '.join(MASK_KINDS)}")
    if not 0.5 <= feature_px <= min(shape) / 4:
        raise ConfigError(f"mask elements of {feature_px:g} px; between 0.5 and a quarter of the field is possible")
    if not 0.0 < open_fraction < 1.0:
        raise ConfigError(f"an open share of {open_fraction:g}; it must lie between 0 and 1")
    if not blur_px >= 0:
        raise ConfigError(f"a mask blur of {blur_px:g} px; it cannot be negative")
    rng = np.random.default_rng(seed)
    whole = float(feature_px).is_integer()
    fine = 1 if whole else SUPERSAMPLING
    row, col = (np.floor((np.arange(n * fine) + 0.5) / fine / feature_px).astype(int) for n in shape)
    cells = (rng.random((row[-1] + 1, col[-1] + 1)) < open_fraction).astype(np.float64)
    mask = cells[np.ix_(row, col)].reshape(shape[0], fine, shape[1], fine).mean(axis=(1, 3))
    if kind == "grey":
        transmission = 0.85 + 0.15 * ndi.gaussian_filter(rng.standard_normal(shape), 12, mode="wrap") * 12
        mask = (0.03 + 0.97 * ndi.gaussian_filter(mask, blur_px, mode="nearest")) * np.clip(transmission, 0.6, 1.0)
    return np.ascontiguousarray(np.clip(mask, 0.0, 1.0), dtype=np.float32)
