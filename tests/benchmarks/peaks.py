"""How high the correlation peak stands with the right mask and with wrong ones: what the limit of "not found" rests on.

    python -m tests.benchmarks.peaks FOLDER [--wrong N] [--csv FILE]

All public simulated cases (simulated into FOLDER on first use) and the real frames, each with its own mask, with N parts of the real masks
taken elsewhere and turned over, and with N random ones of squares of 1 to 5 px.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.prealign import prealign
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import AutoSettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.inputs_from_files import load_inputs
from tests.benchmarks.cases import load_cases, shared_folder
from tests.benchmarks.real import MASKS
from tests.benchmarks.table import say, write_csv

LEVELS = ("ideal", "far", "rig", "hard")


def pictures(folder: Path) -> Iterator[tuple[str, str, CalibrationInputs]]:
    """Name, group and inputs of everything that is looked at."""
    for level in LEVELS:
        for case in load_cases(folder, [level]):
            yield case.name, level, case.inputs
    data = shared_folder() / "data"
    for file in sorted((data / "measurements").glob("*.npz")):
        rig = file.name[:3]
        yield file.stem, f"real {rig}", load_inputs([file], mask=data / "masks" / MASKS[rig])


def random_mask(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    side = int(rng.integers(1, 6))
    squares = rng.random((shape[0] // side + 1, shape[1] // side + 1)) > 0.5
    return np.kron(squares, np.ones((side, side)))[: shape[0], : shape[1]].astype(np.float32)


def elsewhere(masks: list[NDArray[np.float32]], shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """A part of a real mask of this shape, turned over so that it is not the one in the picture even where it overlaps."""
    mask = masks[int(rng.integers(len(masks)))]
    row, col = (int(rng.integers(0, whole - side + 1)) for whole, side in zip(mask.shape, shape, strict=True))
    return np.ascontiguousarray(mask[row : row + shape[0], col : col + shape[1]][::-1], np.float32)


def peak(model: RigModel, mask: NDArray[np.float32]) -> float:
    return prealign([replace(model, mask=mask / np.float32(mask.max()))]).z


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wrong", type=int, default=4, help="wrong masks of either kind for each picture")
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    data = shared_folder() / "data" / "masks"
    masks = []
    for name in MASKS.values():
        with np.load(data / name) as z:
            masks.append(z["mask"].astype(np.float32))
    rng = np.random.default_rng(0)
    rows: list[dict] = []
    for name, group, inputs in pictures(args.folder):
        turned = inputs.in_dispersion_frame()
        model = RigModel.from_frame(turned, turned.frames[0], margin_px=4)
        shape = (model.mask.shape[0], model.mask.shape[1])
        right = peak(model, model.mask)
        parts = [peak(model, elsewhere(masks, shape, rng)) for _ in range(args.wrong)]
        random = [peak(model, random_mask(shape, rng)) for _ in range(args.wrong)]
        rows.append({"name": name, "group": group, "right": right, "highest_wrong": max(parts + random)})
    for group in dict.fromkeys(row["group"] for row in rows):
        of = [row for row in rows if row["group"] == group]
        say(
            f"{group:9} {len(of):2} pictures: right mask {min(r['right'] for r in of):5.1f} to {max(r['right'] for r in of):5.1f}, "
            f"wrong masks at most {max(r['highest_wrong'] for r in of):4.1f} ({2 * args.wrong * len(of)} tried)"
        )
    say(
        f"{'all':9} {len(rows):2} pictures: right at least {min(r['right'] for r in rows):.1f}, "
        f"wrong at most {max(r['highest_wrong'] for r in rows):.1f}; 'not found' below {AutoSettings().min_peak_z:g}"
    )
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
