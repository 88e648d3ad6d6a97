"""What the terms of the optics gain, beside the eight parameters alone in the same run.

    python -m tests.benchmarks.optics bent FIRST LAST [--csv FILE]     simulated rigs with lateral colour, bow, blur by band, mask lattice
    python -m tests.benchmarks.optics real [--frames NAME ...]         the real frames of two rigs, dispersion held

Simulated: errors across the dispersion and of the pattern along it (px) with and without, verdicts, passes that are off by more than 0.1 px, and how far
the terms are from the truth. Real: residual and held-out residual of one and the same brief reconstruction, leftover shifts, verdict, the terms.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import AutoSettings, CalibrationConfig, QualitySettings
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.optics import OPTICS_NAMES, edge_px, mask_places
from cassi_core.result import CalibrationResult
from tests.benchmarks.cases import shared_folder, simulator
from tests.benchmarks.real import MASKS, REFINE
from tests.benchmarks.table import say, write_csv

FALSE_PASS_PX = 0.1
UNIT_PX = 330.0
"""Distance from the centre at which the simulator states colour and bow."""


def fit(inputs: CalibrationInputs, optics: bool, refine: tuple[str, ...] | None = None) -> CalibrationResult:
    """Preset auto with or without the terms."""
    return calibrate(
        inputs, CalibrationConfig(auto=AutoSettings(optics=optics), quality=QualitySettings(maps=False), refine=refine)
    )


def true_terms(case: dict[str, Any]) -> dict[str, float]:
    """The simulator's optics in the units of :mod:`cassi_core.optics`; its distortion is stated at the corner and the other way round."""
    optics, (height, width) = case["optics"], case["shape"]
    edge = edge_px((height, width))
    corner = np.hypot((height - 1) / 2, (width + round(case["step_px"] * (case["n_bands"] - 1)) - 1) / 2)
    terms = {f"colour{k}": optics.get(f"colour{k}_px", 0.0) * edge / UNIT_PX for k in (1, 2)}
    terms |= {name: optics.get(f"{name}_px", 0.0) * (edge / UNIT_PX) ** 2 for name in ("bow_u2", "bow_uv", "bow_v2")}
    return terms | {"radial": -optics.get("radial_px", 0.0) * float(edge / corner) ** 3}


def row_of(seed: int, tool: Any) -> tuple[dict[str, Any], dict[str, float], dict[str, Any]]:
    """Both fits of one rig: a line of the table, the terms that were found, and the case."""
    picture, mask, cube, case, _ = tool.wild(seed, bent=True)
    inputs = CalibrationInputs.from_arrays(picture, mask, Dispersion.constant(cube.shape[0], case["step_px"]))
    row: dict[str, Any] = {"seed": seed}
    values: dict[str, float] = {}
    terms: dict[str, float] = {}

    def at(rows: np.ndarray, cols: np.ndarray, band: int) -> tuple[np.ndarray, np.ndarray]:
        places = mask_places(values, terms, inputs.dispersion, mask.shape, picture.shape, rows, cols, slice(band, band + 1))
        return places[0][0], places[1][0]

    for name, on in (("without", False), ("with", True)):
        result = fit(inputs, on)
        values, terms = result.parameters.values(), {t.name: t.value_px for t in result.optics}
        off = tool.registration({k: values[k] for k in case["truth"]}, case, cube, at=at)
        row |= {f"across_{name}": off["across"], f"pattern_{name}": off["pattern"], f"verdict_{name}": result.verdict.status}
        row |= {f"seconds_{name}": result.seconds_total, f"found_{name}": result.registration is not None}
    return row, terms, case


def bent(first: int, last: int, csv: Path | None) -> None:
    """Simulated rigs."""
    tool, rows = simulator(), []
    for seed in range(first, last):
        row, terms, case = row_of(seed, tool)
        truth = true_terms(case)
        row |= {f"off_{k}": terms.get(k, 0.0) - truth[k] for k in OPTICS_NAMES}
        rows.append(row)
        said = " | ".join(
            f"{n}: across {row[f'across_{n}']:.4f} pattern {row[f'pattern_{n}']:.4f} {row[f'verdict_{n}']} {row[f'seconds_{n}']:.1f} s"
            for n in ("without", "with")
        )
        say(f"{seed:5d} {said} | " + " ".join(f"{k} {terms.get(k, 0.0):+.2f} ({truth[k]:+.2f})" for k in OPTICS_NAMES))
    found = [r for r in rows if r["found_with"] and r["found_without"]]
    for n in ("without", "with"):
        across, pattern = (np.array([r[f"{k}_{n}"] for r in found]) for k in ("across", "pattern"))
        false = [
            r["seed"] for r in found if r[f"verdict_{n}"] == "pass" and max(r[f"across_{n}"], r[f"pattern_{n}"]) > FALSE_PASS_PX
        ]
        passed = sum(r[f"verdict_{n}"] == "pass" for r in found)
        say(
            f"== {n} the optics, {len(found)} of {len(rows)} rigs found: across median {np.median(across):.4f} 90 % {np.quantile(across, 0.9):.4f}, "
            f"pattern {np.median(pattern):.4f} / {np.quantile(pattern, 0.9):.4f}; pass {passed}, of these off by more than {FALSE_PASS_PX} px: {false}"
        )
    for k in OPTICS_NAMES:
        off = np.abs([r[f"off_{k}"] for r in found])
        say(f"   {k:8s} off by (median / 90 %) {np.median(off):.3f} / {np.quantile(off, 0.9):.3f} px at the edge")
    write_csv(csv, rows)


def real(names: list[str] | None) -> None:
    """Real frames."""
    data = shared_folder() / "data"
    for file in sorted((data / "measurements").glob("*.npz")):
        if names and not any(part in file.name for part in names):
            continue
        inputs = load_inputs([file], mask=data / "masks" / MASKS[file.name[:3]])
        say(file.stem)
        for name, on in (("without", False), ("with", True)):
            result = fit(inputs, on, REFINE)
            s = result.scores
            checks = {r.check: r for r in result.verdict.reasons}
            left = checks["leftover shifts"].value if "leftover shifts" in checks else float("nan")
            say(
                f"   {name:7s} residual {s.residual_after:.5f} held out {s.held_out_after:.5f} leftover shifts {left:.3f} px, {result.verdict.status} "
                f"({'; '.join(r.check for r in result.verdict.reasons if r.status != 'pass')}), {result.seconds_total:.1f} s "
                + " ".join(f"{t.name} {t.value_px:+.2f} ± {t.sigma_px:.2f}" for t in result.optics)
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    what = parser.add_subparsers(dest="what", required=True)
    one = what.add_parser("bent")
    one.add_argument("first", type=int)
    one.add_argument("last", type=int, help="one beyond the last seed")
    one.add_argument("--csv", type=Path)
    two = what.add_parser("real")
    two.add_argument("--frames", nargs="*", help="parts of file names; default: all")
    args = parser.parse_args()
    if args.what == "bent":
        bent(args.first, args.last, args.csv)
    else:
        real(args.frames)


if __name__ == "__main__":
    main()
