"""A made-up case from a few words and numbers: scene, mask, misalignment, camera; and its files."""

from __future__ import annotations

import io
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Direction, Dispersion
from cassi_core.errors import ConfigError
from cassi_core.io.atomic import atomic_write
from cassi_core.simulate.camera import Camera
from cassi_core.simulate.lens import Lens
from cassi_core.simulate.masks import make_mask
from cassi_core.simulate.rig import Misalignment, SimulatedRig, needed_margin, simulate_rig
from cassi_core.simulate.scenes import make_scene
from cassi_core.simulate.spectra import default_wavelengths

MARGIN_STEP = 32
MOST_VOXELS = 300_000_000
"""Largest cube that is made: a few gigabytes while it is exposed."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a made-up case; the same recipe gives the same snapshot."""

    shape: tuple[int, int] = (256, 256)
    n_bands: int = 28
    step_px: float = 2.0
    direction: Direction = "right"
    scene: str = "mixed"
    mask_kind: str = "binary"
    feature_px: float = 2.0
    open_fraction: float = 0.5
    mask_blur_px: float = 0.6
    truth: Misalignment = field(default_factory=Misalignment)
    camera: Camera = field(default_factory=Camera)
    subbands: int = 1
    lens: Lens = field(default_factory=Lens)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"a seed of {self.seed}; it cannot be negative")
        if not 1 <= self.n_bands <= 1000:
            raise ConfigError(f"{self.n_bands} bands; between 1 and 1000 are possible")
        if not 0 < self.step_px <= 100:
            raise ConfigError(f"a dispersion step of {self.step_px:g} px; above 0 and up to 100 px is possible")
        if self.n_bands * self.shape[0] * self.shape[1] > MOST_VOXELS:
            raise ConfigError(
                f"{self.n_bands} bands of {self.shape[0]} x {self.shape[1]} pixels are too many for the simulator"
            )


def make_rig(recipe: Recipe) -> SimulatedRig:
    """Simulate the snapshot of a recipe.

    Raises
    ------
    ConfigError
        When a value of the recipe is impossible; the message names it and the range.
    """
    scene_seed, mask_seed, noise_seed = (int(s) for s in np.random.SeedSequence(recipe.seed).generate_state(3))
    nm = default_wavelengths(recipe.n_bands)
    dispersion = Dispersion.constant(recipe.n_bands, recipe.step_px, direction=recipe.direction, wavelengths_nm=nm)
    scene = make_scene(recipe.scene, recipe.shape, nm, scene_seed)
    # In whole steps, so that the nominal mask stays the same while the truth changes a little.
    margin = math.ceil(needed_margin(recipe.shape, recipe.truth, recipe.lens) / MARGIN_STEP) * MARGIN_STEP
    capture = make_mask(
        recipe.mask_kind,
        (recipe.shape[0] + 2 * margin, recipe.shape[1] + 2 * margin),
        feature_px=recipe.feature_px,
        open_fraction=recipe.open_fraction,
        blur_px=recipe.mask_blur_px,
        seed=mask_seed,
    )
    return simulate_rig(
        scene, capture, dispersion, recipe.truth, recipe.camera, seed=noise_seed, subbands=recipe.subbands, lens=recipe.lens
    )


def measurement_file(rig: SimulatedRig) -> bytes:
    """A `.npz` that every command of the program reads: ``meas``, ``mask``, ``step_px``, ``n_bands``, ``wavelengths_nm``."""
    dispersion = rig.dispersion
    arrays: dict[str, NDArray[np.generic]] = {
        "meas": rig.measurement,
        "mask": rig.mask,
        "step_px": np.asarray(dispersion.step_px),
        "n_bands": np.asarray(dispersion.n_bands),
    }
    if dispersion.wavelengths_nm is not None:
        arrays["wavelengths_nm"] = dispersion.wavelengths_nm
    return _npz(arrays)


def truth_file(rig: SimulatedRig, name: str) -> bytes:
    """What a rig really was, as JSON: the parameters under ``truth``, the nominal dispersion, the camera, the seed."""
    nm = rig.dispersion.wavelengths_nm
    document = {
        "format": "cassi-truth",
        "version": 1,
        "name": name,
        "truth": rig.truth.values(),
        "step_px": rig.dispersion.step_px,
        "n_bands": rig.dispersion.n_bands,
        "direction": rig.dispersion.direction,
        "wavelengths_nm": None if nm is None else [round(float(v), 3) for v in nm],
        "subbands": rig.subbands,
        **({} if rig.lens.straight else {"optics": rig.lens.values()}),
        "camera": asdict(rig.camera),
        "noise_seed": rig.seed,
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def write_rig(rig: SimulatedRig, out: Path) -> tuple[Path, Path, Path]:
    """Write ``OUT.npz``, ``OUT.cube.npz`` (``cube``, ``wavelengths_nm``) and ``OUT.truth.json``; returns their paths."""
    base = out.with_suffix("") if out.suffix == ".npz" else out
    paths = tuple(base.parent / (base.name + suffix) for suffix in (".npz", ".cube.npz", ".truth.json"))
    cube: dict[str, NDArray[np.generic]] = {"cube": rig.cube}
    if rig.dispersion.wavelengths_nm is not None:
        cube["wavelengths_nm"] = rig.dispersion.wavelengths_nm
    for path, content in zip(paths, (measurement_file(rig), _npz(cube), truth_file(rig, base.name)), strict=True):
        atomic_write(path, content)
    return paths[0], paths[1], paths[2]


def _npz(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
