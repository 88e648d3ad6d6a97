"""How far the mask moved between two real snapshots of a rig: from the pictures alone, and from their calibrations.

    python -m tests.benchmarks.movement [--blocks N] [--csv FILE]

Two snapshots carry the same mask pattern, so that their correlation with each other peaks at the shift across the dispersion between them,
whatever mask file and model say. The column of shift zero along the dispersion is left out: a camera's fixed pattern peaks there. A parabola
through the profile gives the shift, in units of what a shift of 0.1 px gives; its standard error comes from the scatter over blocks.
"""

from __future__ import annotations

import argparse
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy import ndimage as ndi

from cassi_core.calibration.pipeline import calibrate
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.io.inputs_from_files import load_inputs
from tests.benchmarks.cases import shared_folder
from tests.benchmarks.real import MASKS, REFINE
from tests.benchmarks.table import say, write_csv

ALONG_PX = (2, 7)
"""Shifts along the dispersion whose profiles across it are added up, both ways."""
LEAST_CORRELATION = 0.08
"""Blocks whose pictures are less alike tell nothing."""
PROBE_PX = 0.1


def block_shifts(
    one: NDArray[np.float32], other: NDArray[np.float32], blocks: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Vertices of the correlation across the dispersion (pixels, not calibrated) and weights of the blocks that tell something."""
    rows, cols = (np.linspace(0, size, blocks + 1).astype(int) for size in one.shape)
    reach = ALONG_PX[1] + 1
    shifts, weights = [], []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(cols):
            a, b = one[top:bottom, left:right], other[top:bottom, left:right]
            size = [n + reach for n in a.shape]
            plane = fft.irfft2(fft.rfft2(a, size) * np.conj(fft.rfft2(b, size)), size)
            along = [s for s in range(-ALONG_PX[1], ALONG_PX[1] + 1) if abs(s) >= ALONG_PX[0]]
            above, at, below = (float(plane[row, along].sum()) for row in (-1, 0, 1))
            alike = at / len(along) / float(np.sqrt(np.sum(a * a) * np.sum(b * b)) + 1e-12)
            curvature = 2 * at - above - below
            if alike > LEAST_CORRELATION and curvature > 0:
                shifts.append((below - above) / (2 * curvature))
                weights.append(curvature**2)
    return np.array(shifts), np.array(weights)


def moved(image: NDArray[np.float32], down_px: float) -> NDArray[np.float32]:
    spectrum = ndi.fourier_shift(np.fft.rfft2(image), (down_px, 0), n=image.shape[1])
    return np.asarray(np.fft.irfft2(spectrum, s=image.shape), np.float32)


def shift_between(one: NDArray[np.float32], other: NDArray[np.float32], blocks: int) -> tuple[float, float, int]:
    """Shift down of `one` relative to `other` in pixels, its standard error, and the number of blocks."""
    probe, of_probe = block_shifts(moved(other, PROBE_PX), other, blocks)
    shifts, weights = block_shifts(one, other, blocks)
    if len(shifts) < 5 or not len(probe):
        return float("nan"), float("nan"), len(shifts)
    gain = np.average(probe, weights=of_probe) / PROBE_PX
    mean = float(np.average(shifts, weights=weights) / gain)
    share = weights / weights.sum()
    error = float(np.sqrt(np.sum(share**2 * (shifts / gain - mean) ** 2)))
    return mean, error, len(shifts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    data = shared_folder() / "data"
    config = CalibrationConfig(refine=REFINE, quality=QualitySettings(maps=False))
    rows: list[dict] = []
    for rig, mask in MASKS.items():
        files = sorted((data / "measurements").glob(f"{rig}*.npz"))
        pictures, places = [], []
        for file in files:
            inputs = load_inputs([file], mask=data / "masks" / mask)
            turned = inputs.in_dispersion_frame()
            model = RigModel.from_frame(turned, turned.frames[0], margin_px=4)
            pictures.append(model.crop(model.contrast * model.scored))
            places.append(calibrate(inputs, config).parameters["dy"].value)
        differences, errors = [], []
        for i, j in combinations(range(len(files)), 2):
            direct, error, blocks = shift_between(pictures[j], pictures[i], args.blocks)
            calibrated = places[j] - places[i]
            say(
                f"{rig} {files[j].stem} - {files[i].stem}: pictures {direct:+.3f} +- {error:.3f} px ({blocks} blocks), "
                f"calibrations {calibrated:+.3f} px"
            )
            rows.append({"one": files[j].stem, "other": files[i].stem, "pictures": direct, "error": error, "dy": calibrated})
            if np.isfinite(direct):
                differences.append(calibrated - direct)
                errors.append(error)
        rms = [float(np.sqrt(np.mean(np.square(values)))) for values in (differences, errors)]
        say(
            f"== {rig}: calibrations differ from the pictures by {rms[0]:.3f} px rms; error of the pictures {rms[1]:.3f} px rms"
        )
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
