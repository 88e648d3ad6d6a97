"""Real frames with a mask moved by a known amount: the calibrations must differ by it. And frames with the mask of another rig.

    python -m tests.benchmarks.injection [--frames NAME ...] [--control-only] [--csv FILE]

The nominal mask is moved with a spline by a known (dx, dy, theta, scale_x, scale_y); the calibration of the frame with the moved mask is
compared with the one expected from its calibration with the nominal mask. Negative control: every frame with the mask of the other
rig has to be refused as not found.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy import ndimage as ndi

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.geometry import source_coordinates
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.inputs_from_files import load_inputs
from tests.benchmarks.cases import shared_folder
from tests.benchmarks.real import MASKS
from tests.benchmarks.table import say, write_csv

FIVE = ("dx", "dy", "theta", "scale_x", "scale_y")
MOVED = {"dx": 0.43, "dy": -0.31, "theta": 0.12, "scale_x": 0.0009, "scale_y": -0.0012}
ALLOWED = {"dx": 0.02, "dy": 0.02, "theta": 0.01, "scale_x": 2e-4, "scale_y": 2e-4}


def affine(p: dict[str, float]) -> np.ndarray:
    """``(col_in, row_in, 1) = A (col_out, row_out, 1)`` about the centre."""
    t = np.deg2rad(p["theta"])
    turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    out = np.eye(3)
    out[:2, :2] = turn @ np.diag([1 / (1 + p["scale_x"]), 1 / (1 + p["scale_y"])])
    out[:2, 2] = -p["dx"], -p["dy"]
    return out


def parameters_of(a: np.ndarray) -> dict[str, float]:
    return {
        "dx": -a[0, 2],
        "dy": -a[1, 2],
        "theta": float(np.rad2deg(np.arctan2(a[1, 0], a[0, 0]))),
        "scale_x": 1 / np.hypot(a[0, 0], a[1, 0]) - 1,
        "scale_y": 1 / np.hypot(a[0, 1], a[1, 1]) - 1,
    }


def found(inputs: CalibrationInputs) -> dict[str, float]:
    result = calibrate(inputs, CalibrationConfig(refine=(*FIVE, "psf"), quality=QualitySettings(maps=False)))
    return {n: result.parameters[n].value for n in FIVE}


def control(file: Path, data: Path) -> None:
    other = next(mask for rig, mask in MASKS.items() if not file.name.startswith(rig))
    inputs = load_inputs([file], mask=data / "masks" / other)
    result = calibrate(inputs, CalibrationConfig(quality=QualitySettings(maps=False)))
    refused = result.verdict.status == "fail" and any("not found" in r.text for r in result.verdict.reasons)
    say(f"{file.stem} with {other}: peak {result.peak_z:.1f}, {'refused as not found' if refused else 'NOT REFUSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", nargs="*", help="parts of file names; default: all")
    parser.add_argument("--control-only", action="store_true")
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    data = shared_folder() / "data"
    files = sorted((data / "measurements").glob("*.npz"))
    files = [f for f in files if not args.frames or any(part in f.name for part in args.frames)]
    rows = []
    for file in files:
        control(file, data)
        if args.control_only:
            continue
        inputs = load_inputs([file], mask=data / "masks" / MASKS[file.name[:3]])
        row, col = source_coordinates(inputs.mask.shape, **MOVED)
        moved = ndi.map_coordinates(inputs.mask.astype(float), [row, col], order=3, mode="nearest").astype(np.float32)
        one = found(inputs)
        two = found(CalibrationInputs.from_arrays(inputs.frames[0].image, np.clip(moved, 0, None), inputs.dispersion))
        wanted = parameters_of(np.linalg.inv(affine(MOVED)) @ affine(one))
        errors = {n: two[n] - wanted[n] for n in FIVE}
        marks = ", ".join(
            f"{n} {e:+.5f}{'' if abs(e) <= ALLOWED[n] else ' (above ' + format(ALLOWED[n], 'g') + ')'}"
            for n, e in errors.items()
        )
        say(f"{file.stem}: found less expected: {marks}")
        rows.append({"frame": file.stem} | errors)
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
