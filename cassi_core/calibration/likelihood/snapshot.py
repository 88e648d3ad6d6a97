"""One snapshot as the likelihood sees it: brightness taken out, pixels that tell nothing marked, cut into patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.calibration.rig_model import CANVAS_PAD, RigModel

PATCH_PX = 12
"""Side of a patch: holds the pattern of a dozen mask details; its covariance (144 x 144) is inverted exactly."""
BRIGHTNESS_PX = 8.0
"""Scale over which the brightness of the picture is taken out: several mask details."""
DARKEST = 0.03
"""Brightness below this share of the brightest place counts as that share."""
NOISE_PX = 1.5
"""Scale over which the brightness is averaged that sets the shot noise of a pixel."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A picture `(H, Wm)` with its local `brightness`, the brightness on the scene's grid `amplitude` `(H, W)`, and its patches.

    `smooth` sets the shot noise of every pixel, `bad` marks pixels that tell nothing; ``rows, cols`` are the first pixels of the patches in
    raster order, `grid` how many there are down and across.
    """

    picture: NDArray[np.float64]
    brightness: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    smooth: NDArray[np.float64]
    bad: NDArray[np.bool_]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    grid: tuple[int, int]
    patch: tuple[int, int]

    @classmethod
    def of(cls, model: RigModel, margin_px: int) -> Snapshot:
        """The snapshot of a rig; `margin_px` border pixels are left out."""
        picture = model.y[:, CANVAS_PAD:-CANVAS_PAD].astype(np.float64)
        bad = model.observed[:, CANVAS_PAD:-CANVAS_PAD] == 0
        smoothed = ndi.median_filter(picture, 3)
        hot = (picture >= picture.max()) & (picture > 1.3 * smoothed + 0.05)
        bad = bad | hot
        picture = np.where(bad, smoothed, picture)
        width = model.mask.shape[1]
        offsets = np.clip(np.round(model.dispersion.s_nom).astype(int), 0, picture.shape[1] - width)
        covered = np.zeros(picture.shape[1])
        for offset in offsets:
            covered[offset : offset + width] += 1 / len(offsets)
        covered = np.maximum(ndi.gaussian_filter1d(covered, BRIGHTNESS_PX), 1e-3)
        level = ndi.gaussian_filter(picture, BRIGHTNESS_PX) / covered
        level = np.maximum(level, DARKEST * level.max())
        amplitude = np.mean([level[:, offset : offset + width] for offset in offsets], axis=0) / (
            float(model.mask.mean()) * len(offsets)
        )
        patch = tuple(min(PATCH_PX, max(size - 2 * margin_px, 4)) for size in picture.shape)
        rows, cols = (_places(size, side, margin_px) for size, side in zip(picture.shape, patch, strict=True))
        r, c = np.meshgrid(rows, cols, indexing="ij")
        smooth = np.maximum(ndi.gaussian_filter(picture, NOISE_PX), 0)
        return cls(picture, level, amplitude, smooth, bad, r.ravel(), c.ravel(), (len(rows), len(cols)), (patch[0], patch[1]))

    @property
    def count(self) -> int:
        return int(self.rows.size)


def _places(size: int, side: int, margin: int) -> NDArray[np.int64]:
    """First pixels of as many patches as fit between the margins, centred."""
    count = max((size - 2 * margin) // side, 1)
    first = (size - count * side) // 2
    return np.asarray(first + side * np.arange(count), np.int64)
