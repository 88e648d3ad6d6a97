"""How well the dispersion is measured with monochromatic frames that an independent simulator makes of a real mask.

    python -m tests.benchmarks.monochromatic

Every frame is one band of the simulator with uneven light of its own brightness; the bands are equal steps of an N-SF11 prism. Prints
per case the errors of the single frames, of the table of bands, and of the mask's place.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from cassi_core.dispersion_measurement import MonochromaticFrame, band_table, measure_dispersion
from tests.benchmarks.cases import module_from, shared_folder

BANDS, STEP_PX = 28, 2.0
RIG = {"dx": 1.37, "dy": -0.82, "theta": 0.31, "scale_x": 0.002, "scale_y": 0.0028, "alpha": 0.42}
LOW_LIGHT = {"full_well_e": 1500, "read_e": 12, "exposure": 0.5, "bits": 10, "pedestal_dn": 20, "hot_pixels": 40}


@dataclass(frozen=True)
class Case:
    """A rig, its camera and the bands that frames are taken of."""

    name: str
    truth: Mapping[str, float]
    psf_px: float = 0.7
    camera: Mapping[str, float] = field(default_factory=dict)
    shape: tuple[int, int] = (256, 256)
    every: int = 1


CASES = (
    Case("nothing moved", {}, 0.0),
    Case("shifted and turned", {"dx": 3.4, "dy": -2.2, "theta": 0.8}, 0.0),
    Case("rig", RIG),
    Case("rig, non-square", RIG, shape=(200, 320)),
    Case("rig, low light", RIG, camera=LOW_LIGHT),
    Case(
        "rig, overexposed, slope",
        {**RIG, "slope": 0.013, "curve": 0.0009},
        camera={"exposure": 1.3, "bits": 8, "hot_pixels": 20},
    ),
    Case("rig, seven frames", RIG, every=4),
    Case("far", {"dx": -14.2, "dy": 11.3, "theta": -1.9, "alpha": -0.3}, 0.5),
)


def prism_wavelengths() -> np.ndarray:
    """Wavelengths of bands in equal steps behind a prism of N-SF11 (Sellmeier equation), 450 to 650 nm."""
    nm = np.linspace(450, 650, 4001)
    x = (nm / 1000) ** 2
    terms = ((1.73759695, 0.013188707), (0.313747346, 0.0623068142), (1.89878101, 155.23629))
    index = np.sqrt(1 + sum(b * x / (x - c) for b, c in terms))
    return np.interp(np.linspace(0, 1, BANDS), (index[0] - index) / (index[0] - index[-1]), nm)


def frames_of(
    case: Case, simulator: ModuleType, capture: np.ndarray, nm: np.ndarray
) -> tuple[list[MonochromaticFrame], np.ndarray]:
    rng = np.random.default_rng(0)
    (height, width), origin = case.shape, (200, 200) if case.shape[1] < 300 else (150, 150)
    margin = 24
    path = shared_folder() / "data" / "masks" / "tsa_net_real_mask_660.npz"
    fine = simulator.real_mask(path, origin, case.shape, margin)
    row, col = np.mgrid[:height, :width]
    frames = []
    for band in range(0, BANDS, case.every):
        cube = np.zeros((BANDS, height, width), np.float32)
        cube[band] = (1 + 0.6 * np.cos(col / 90 + band) * np.sin(row / 70)) * (0.3 + rng.random())
        y = simulator.expose(cube, fine, margin, dict(case.truth), {"psf_px": case.psf_px}, STEP_PX)
        frames.append(MonochromaticFrame(f"{nm[band]:.1f} nm", float(nm[band]), simulator.camera(y, dict(case.camera), rng)))
    window = tuple(slice(o, o + n) for o, n in zip(origin, case.shape, strict=True))
    return frames, capture[window].astype(np.float32)


def main() -> None:
    shared = shared_folder()
    simulator: Any = module_from(shared / "tools" / "rig_simulator.py")
    capture = np.load(shared / "data" / "masks" / "tsa_net_real_mask_660.npz")["mask"].astype(float)
    nm, band = prism_wavelengths(), np.arange(BANDS)
    print(
        f"{'case':<26}{'used':>6}{'order':>6}  frame rms/max    table rms/max    dx      dy      theta   alpha   seconds   (px, deg)"
    )
    for case in CASES:
        frames, mask = frames_of(case, simulator, capture, nm)
        begun = time.perf_counter()
        found = measure_dispersion(frames, mask)
        seconds = time.perf_counter() - begun
        t = case.truth
        travel = (STEP_PX + t.get("slope", 0.0)) * band + t.get("curve", 0.0) * band * (band - (BANDS - 1))
        at, along, *_ = found.columns()
        true = np.interp(at, nm, travel)
        single = (along - along.mean()) - (true - true.mean())
        table = band_table(found.curve, nm[:: case.every]).offsets_px - travel[:: case.every]
        place = found.place(float(nm[0]))
        errors = "  ".join(f"{place[n].value - t.get(n, 0.0):+.4f}" for n in ("dx", "dy", "theta", "alpha"))
        rms = [f"{np.sqrt(np.mean(e**2)):.4f}/{np.abs(e).max():.4f}" for e in (single, table)]
        used = f"{len(found.frames)}/{len(frames)}"
        print(f"{case.name:<26}{used:>6}{found.curve.order:>6}  {rms[0]:<15}  {rms[1]:<15}  {errors}  {seconds:.1f}")


if __name__ == "__main__":
    main()
