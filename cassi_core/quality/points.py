"""Where to look at spectra when nobody has picked a point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi


def spectrum_points(cube: NDArray[np.float32], count: int = 4) -> tuple[tuple[int, int], ...]:
    """Bright points `(row, col)` of a cube `(L, H, W)`, from top to bottom: far from each other, borders left out."""
    bright = ndi.uniform_filter(np.nan_to_num(np.asarray(cube, np.float32)).mean(axis=0), 5)
    height, width = bright.shape
    edge, apart = max(1, min(height, width) // 16), max(height, width) / 5
    free = np.zeros(bright.shape, bool)
    free[edge : height - edge, edge : width - edge] = True
    rows, cols = np.ogrid[:height, :width]
    points: list[tuple[int, int]] = []
    while len(points) < count and free.any():
        at = np.unravel_index(int(np.where(free, bright, -np.inf).argmax()), bright.shape)
        points.append((int(at[0]), int(at[1])))
        free &= np.hypot(rows - at[0], cols - at[1]) > apart
    return tuple(sorted(points))
