"""What the lenses of a rig do besides placing the mask: colours magnified differently, distortion, bent lines.

Light goes through the mask, is dispersed, and is bent by the relay on its way to the detector. From a detector pixel (col, row) back to the mask,
with ``E`` half of the mask's larger side, ``w`` the place of a band from -1 (first) to +1 (last), and places counted from the centre of the
detector's picture, then of the mask (both in the dispersion frame)::

    (X, Y) = (col, row) - picture centre        (X, Y) <- (X, Y) (1 - radial (X^2 + Y^2) / E^3)
    (x, y) = (X, Y) + picture centre - travel_l (cos alpha, sin alpha) - mask centre
    larger = (colour1 w + colour2 w^2) / E      bent = (bow_u2 x^2 + bow_uv x y + bow_v2 y^2) / E^2
    (x, y) <- (x (1 - larger) / (1 + scale_x), (y (1 - larger) - bent) / (1 + scale_y))

and then as in :mod:`cassi_core.geometry`. All terms are pixels at the edge of the mask's picture: ``colour1`` = 0.5 means that the last band is
magnified so that its edge lies 0.5 px further out, and the first band's 0.5 px further in; ``radial`` moves a detail at the edge outwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Dispersion

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OpticsSpec:
    """A term of the optics: name, largest value, what is known of it before (standard error), both px at the edge; its meaning."""

    name: str
    largest_px: float
    prior_px: float
    description: str


OPTICS: dict[str, OpticsSpec] = {
    s.name: s
    for s in (
        OpticsSpec("colour1", 5.0, 1.0, "The last band is magnified more than the first"),
        OpticsSpec("colour2", 5.0, 1.0, "The bands at both ends are magnified more than the middle ones"),
        OpticsSpec("radial", 5.0, 1.0, "Details at the edge are moved outwards by the lens (inwards when negative)"),
        OpticsSpec("bow_u2", 5.0, 0.7, "Lines along the dispersion are bent: their ends lie further down"),
        OpticsSpec("bow_uv", 5.0, 0.7, "Lines along the dispersion fan out towards the right"),
        OpticsSpec("bow_v2", 5.0, 0.7, "The scale across the dispersion grows downwards"),
    )
}
"""The terms, in the order of every vector. The priors are what relays and prisms of two public rigs show: some tenths of a pixel to one."""
OPTICS_NAMES = tuple(OPTICS)


def edge_px(mask_shape: tuple[int, int]) -> float:
    """Distance in pixels at which the terms are stated: half of the mask's larger side."""
    return max(mask_shape) / 2


def band_places(bands: int) -> Array:
    """Place of every band from -1 to +1, ``(L,)``; 0 for a single one."""
    return np.linspace(-1.0, 1.0, bands) if bands > 1 else np.zeros(1)


def mask_places(
    parameters: Mapping[str, float],
    optics: Mapping[str, float],
    dispersion: Dispersion,
    mask_shape: tuple[int, int],
    picture_shape: tuple[int, int],
    rows: Array,
    cols: Array,
    bands: slice = slice(None),
) -> tuple[Array, Array]:
    """Where on the mask ``(row, col)`` detector pixels look in light of every band, each ``(L, *rows.shape)``; all in the dispersion frame.

    `parameters` by the names of :mod:`cassi_core.parameters`, `optics` by OPTICS_NAMES; what is missing is 0.
    """
    value = {
        name: float(parameters.get(name, 0.0))
        for name in ("dx", "dy", "theta", "scale_x", "scale_y", "slope", "curve", "alpha")
    }
    term = {name: float(optics.get(name, 0.0)) for name in OPTICS_NAMES}
    height, width = mask_shape
    cy, cx, edge = (height - 1) / 2, (width - 1) / 2, edge_px(mask_shape)
    py, px = (picture_shape[0] - 1) / 2, (picture_shape[1] - 1) / 2
    shape = (-1, *(1,) * np.ndim(rows))
    travel = dispersion.travel(value["slope"], value["curve"])[bands].reshape(shape)
    place = band_places(dispersion.n_bands)[bands].reshape(shape)
    right, down = cols - px, rows - py
    shrink = 1 - term["radial"] * (right**2 + down**2) / edge**3
    right, down = right * shrink + px, down * shrink + py
    alpha, theta = np.deg2rad(value["alpha"]), np.deg2rad(value["theta"])
    x, y = right - travel * np.cos(alpha) - cx, down - travel * np.sin(alpha) - cy
    larger = (term["colour1"] * place + term["colour2"] * place**2) / edge
    bent = (term["bow_u2"] * x**2 + term["bow_uv"] * x * y + term["bow_v2"] * y**2) / edge**2
    x, y = x * (1 - larger) / (1 + value["scale_x"]), (y * (1 - larger) - bent) / (1 + value["scale_y"])
    return np.sin(theta) * x + np.cos(theta) * y - value["dy"] + cy, np.cos(theta) * x - np.sin(theta) * y - value["dx"] + cx
