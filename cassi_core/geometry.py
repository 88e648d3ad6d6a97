"""Where the mask sits: the one place where the convention of the mask's position is written as code.

Conventions
-----------
Arrays are ``measurement[row, col]``, ``mask[row, col]``, ``cube[band, row, col]``. Pixel centres lie at integers, the
origin at the mask's centre ``((H-1)/2, (W-1)/2)``; columns grow to the right, rows downwards.

    (col_in, row_in) = R(theta) . diag(1/(1+scale_x), 1/(1+scale_y)) . (col_out, row_out) - (dx, dy)
    R(theta) = [[cos, -sin], [sin, cos]]          warped[row_out, col_out] = mask(row_in, col_in)

``dx > 0`` moves the mask to the right, ``dy > 0`` down (pixels). ``theta`` is in degrees outside and radians inside a
function. Rotation acts in pixel units, so that it is a rotation for ``H != W`` too. Outside the mask its edge pixels are
repeated: zeros there bias ``dy`` by up to 0.1 px.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

Float32Image = NDArray[np.float32]


def source_coordinates(
    shape: tuple[int, int],
    *,
    dx: float = 0.0,
    dy: float = 0.0,
    theta: float = 0.0,
    scale_x: float = 0.0,
    scale_y: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mask coordinates ``(row_in, col_in)`` that each output pixel of a ``(H, W)`` grid looks at, each ``(H, W)`` float64."""
    height, width = shape
    angle = np.deg2rad(theta)
    cos, sin = np.cos(angle), np.sin(angle)
    centre_row, centre_col = (height - 1) / 2, (width - 1) / 2
    row, col = np.meshgrid(np.arange(height) - centre_row, np.arange(width) - centre_col, indexing="ij")
    row, col = row / (1 + scale_y), col / (1 + scale_x)
    return sin * col + cos * row - dy + centre_row, cos * col - sin * row - dx + centre_col


def spline_coefficients(mask: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cubic B-spline coefficients of a mask ``(H, W)``, to be sampled many times by :func:`warp_mask`."""
    return np.asarray(ndi.spline_filter(np.asarray(mask, np.float64), order=3, mode="nearest"), np.float64)


def warp_mask(
    mask: NDArray[np.floating],
    parameters: Mapping[str, float],
    *,
    order: int = 3,
    coefficients: NDArray[np.float64] | None = None,
) -> Float32Image:
    """The mask as the rig shows it for the given ``dx dy theta scale_x scale_y``, ``(H, W)`` float32.

    ``order`` 3 samples a cubic spline (bilinear sampling loses contrast at half pixels), not below the mask's least value; what it
    overshoots above the largest one stays, or the pattern would be blurred between the pixels. ``order`` 1 is the bilinear
    sampling of the differentiable modules. ``coefficients`` of :func:`spline_coefficients` save time when the same mask is
    warped often.
    """
    pose = {k: float(parameters.get(k, 0.0)) for k in ("dx", "dy", "theta", "scale_x", "scale_y")}
    coordinates = source_coordinates((mask.shape[0], mask.shape[1]), **pose)
    if order == 1:
        return np.asarray(ndi.map_coordinates(mask, coordinates, order=1, mode="nearest"), np.float32)
    if coefficients is None:
        coefficients = spline_coefficients(mask)
    warped = ndi.map_coordinates(coefficients, coordinates, order=3, mode="nearest", prefilter=False)
    return np.asarray(np.maximum(warped, float(mask.min())), np.float32)
