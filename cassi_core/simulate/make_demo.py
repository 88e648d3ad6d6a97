"""Makes the demo rig that ships with the program; ``python -m cassi_core.simulate.make_demo`` writes it into resources/."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np

from cassi_core.demo import DEMO_FILE, TRUTH_FILE
from cassi_core.io.atomic import atomic_write
from cassi_core.simulate.camera import Camera
from cassi_core.simulate.recipe import Recipe, make_rig, truth_file
from cassi_core.simulate.rig import Misalignment

DEMO_RECIPE = Recipe(
    scene="mixed",
    mask_kind="grey",
    truth=Misalignment(dx=1.37, dy=-0.84, theta=0.42, scale_y=0.0021),
    camera=Camera(full_well_e=20000.0),
    seed=5,
)
"""A rig as one is found after somebody touched it: a pixel here, half a degree there, a slightly wrong magnification."""


def demo_files() -> tuple[bytes, bytes]:
    """The contents of the demo's two files: the snapshot with mask and true scene, and the truth."""
    rig = make_rig(DEMO_RECIPE)
    levels = 2**DEMO_RECIPE.camera.bits - 1
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        meas=rig.measurement,
        mask=(np.rint(rig.mask * levels) / levels).astype(np.float32),  # as a camera of as many bits would capture it
        step_px=np.asarray(rig.dispersion.step_px),
        n_bands=np.asarray(rig.dispersion.n_bands),
        wavelengths_nm=np.asarray(rig.dispersion.wavelengths_nm),
        cube=np.rint(rig.cube * 255).astype(np.uint8),
        scale=np.asarray(1 / 255),
    )
    return buffer.getvalue(), truth_file(rig, "demo_rig")


def main(folder: Path) -> None:
    """Write the two files into a folder."""
    for name, content in zip((DEMO_FILE, TRUTH_FILE), demo_files(), strict=True):
        atomic_write(folder / name, content)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "resources")
