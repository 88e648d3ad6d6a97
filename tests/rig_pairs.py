"""Rigs photographed twice by the independent simulator: another scene and other noise the second time, and the mask moved in between or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs

MARGIN = 40
"""Pixels of the mask that are known beyond the field on every side."""
FIRST, SECOND = 1, 2
"""Numbers of the pictures: yesterday's and today's."""


@dataclass(frozen=True, eq=False)
class Rig:
    """A rig drawn at random: mask on the simulator's fine grid and as its picture `(H, W)`, true parameters, optics and camera."""

    seed: int
    tool: ModuleType
    data: Path
    fine_mask: NDArray[np.float64]
    mask: NDArray[np.float32]
    n_bands: int
    step_px: float
    truth: Mapping[str, float]
    optics: Mapping[str, float]
    camera: Mapping[str, float]

    def picture(self, number: int, moved: Mapping[str, float] | None = None, **camera: float) -> NDArray[np.float32]:
        """Snapshot `(H, Wm)` of a scene of its own by `number`, with the parameters changed by `moved`, the camera's settings by `camera`."""
        rng = np.random.default_rng([self.seed, 1000 + number])
        scenes = sorted((self.data / "scenes").glob("cave*256.npz"))
        cube = self.tool.wild_scene(rng, self.mask.shape, self.n_bands, scenes)
        values = {name: value + (moved or {}).get(name, 0.0) for name, value in self.truth.items()}
        light = self.tool.expose(cube, self.fine_mask, MARGIN, values, dict(self.optics), self.step_px)
        return np.asarray(self.tool.camera(light, {**self.camera, **camera}, rng), np.float32)

    def inputs(self, picture: NDArray[np.float32], mask: NDArray[np.float32] | None = None) -> CalibrationInputs:
        """What a lab has of one of its pictures."""
        known = self.mask if mask is None else mask
        return CalibrationInputs.from_arrays(picture, known, Dispersion.constant(self.n_bands, self.step_px))


def draw_rig(tool: ModuleType, data: Path, seed: int, **chosen: Any) -> Rig:
    """A rig of the kinds that the simulator's `wild` draws, the far ones left out; `chosen` says `shape`, `n_bands`, `step_px` or `optics`."""
    rng = np.random.default_rng([seed, 31])

    def spread(size: float) -> float:
        return float(rng.uniform(-size, size))

    n_bands = int(rng.choice([8, 12, 16, 24, 28, 31]))
    step = float(rng.choice([1, 1.5, 2, 2, 2, 3]))
    shape = [(128, 128), (200, 256), (256, 256), (256, 200), (320, 300)][rng.integers(5)]
    shape, n_bands, step = chosen.get("shape", shape), chosen.get("n_bands", n_bands), chosen.get("step_px", step)
    truth = {"dx": spread(2.5), "dy": spread(2.5), "theta": spread(0.6), "scale_x": spread(0.004), "scale_y": spread(0.004)}
    truth |= {"slope": spread(0.02), "alpha": spread(0.6)}
    optics = {"psf_px": float(rng.choice([0, 0.3, 0.5, 0.8, 1.2])), "subbands": 3 if rng.random() < 0.5 and step > 1 else 1}
    optics |= {"radial_px": spread(0.8) if rng.random() < 0.35 else 0.0}
    optics = chosen.get("optics", optics)
    camera = {"full_well_e": float(rng.choice([1e3, 3e3, 1e4, 4e4])), "pedestal_dn": float(rng.choice([0, 0, 20, 60]))}
    camera |= {"hot_pixels": int(rng.choice([0, 0, 20, 80])), "vignette": float(rng.choice([0, 0, 0.3, 0.6]))}
    if rng.random() < 0.4:
        masks = sorted((data / "masks").glob("*660.npz"))
        origin = [int(rng.integers(MARGIN, 660 - MARGIN - side)) for side in shape]
        fine = tool.real_mask(masks[rng.integers(len(masks))], origin, shape, MARGIN)
    else:
        pitch, share, edge = float(rng.choice([1.5, 2.0, 3.0, 4.0])), rng.uniform(0.25, 0.75), rng.uniform(0.2, 0.5)
        fine = tool.made_mask(rng, shape, MARGIN, pitch, share, edge)
    nominal = tool.integrate(fine)[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32)
    return Rig(seed, tool, data, fine, nominal, n_bands, step, truth, optics, camera)
