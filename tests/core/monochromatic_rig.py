"""Frames of a mask in light of one wavelength, made without any code of the fitted model: the mask is a finer picture, sampled by
splines at 3 x 3 places of each pixel, so that content enters at its borders and pixels have a size."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage as ndi

from cassi_core.dispersion_measurement import MonochromaticFrame

SHAPE, PAD, SUPER = (76, 108), 16, 3
WAVELENGTHS = (452.0, 470.0, 495.0, 520.0, 548.0, 590.0, 631.5)
TRUTH = {"dx": 1.37, "dy": -0.82, "theta": 0.6, "scale_x": 0.004, "scale_y": -0.003, "alpha": 0.9}


def travel(nm: np.ndarray | float) -> np.ndarray:
    """Offset in pixels of a glass prism: steep in the blue, 26 px from 452 to 631.5 nm."""
    inverse = 1 / (np.asarray(nm, float) / 1000) ** 2
    blue, red = 1 / 0.452**2, 1 / 0.6315**2
    return np.asarray(26 * (blue - inverse) / (blue - red))


@dataclass
class MonochromaticRig:
    """The nominal mask and a camera behind it; every frame has light of its own brightness and unevenness."""

    truth: dict[str, float] = field(default_factory=lambda: dict(TRUTH))
    seed: int = 0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        height, width = SHAPE[0] + 2 * PAD, SHAPE[1] + 2 * PAD
        holes = np.kron(rng.random((height // 2, width // 2)) > 0.5, np.ones((2, 2)))
        self.capture = 0.05 + 0.95 * ndi.gaussian_filter(holes, 0.5)
        self.mask = self.capture[PAD:-PAD, PAD:-PAD].astype(np.float32)
        self.spline = ndi.spline_filter(ndi.gaussian_filter(self.capture, 0.5), order=3)

    def image(self, nm: float, brightness: float = 1.0) -> np.ndarray:
        """A frame `(76, 134)` with pedestal, shot and read noise; the bands move to the right."""
        (height, width), p = SHAPE, self.truth
        rows, cols = np.arange(height), np.arange(width + 26)
        along, angle, turn = travel(nm), np.deg2rad(p["alpha"]), np.deg2rad(p["theta"])
        light = np.zeros((len(rows), len(cols)))
        for part in np.ndindex(SUPER, SUPER):
            down, right = ((k + 0.5) / SUPER - 0.5 for k in part)
            y = (rows + down - along * np.sin(angle) - (height - 1) / 2)[:, None] / (1 + p["scale_y"])
            x = (cols + right - along * np.cos(angle) - (width - 1) / 2)[None, :] / (1 + p["scale_x"])
            row = np.sin(turn) * x + np.cos(turn) * y - p["dy"] + (height - 1) / 2
            col = np.cos(turn) * x - np.sin(turn) * y - p["dx"] + (width - 1) / 2
            seen = ndi.map_coordinates(self.spline, (row + PAD, col + PAD), order=3)
            light += seen * ((row > -0.5) & (row < height - 0.5) & (col > -0.5) & (col < width - 0.5)) / SUPER**2
        uneven = 1 + 0.5 * np.sin(rows / 30 + nm / 50)[:, None] * np.cos(cols / 40)[None, :]
        rng = np.random.default_rng(round(10 * nm) + self.seed)
        electrons = rng.poisson(4000 * brightness * uneven * np.clip(light, 0, None) + 100) + rng.normal(0, 8, light.shape)
        return np.asarray(electrons, np.float32)

    def frames(self) -> list[MonochromaticFrame]:
        """One frame a wavelength, from dark to bright."""
        return [MonochromaticFrame(f"{nm:g}nm", nm, self.image(nm, 0.3 + 0.2 * i)) for i, nm in enumerate(WAVELENGTHS)]
