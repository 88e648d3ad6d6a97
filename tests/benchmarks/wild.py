"""Accuracy, error bars and verdicts of preset auto on rigs of every kind, drawn at random, with known truth.

    python -m tests.benchmarks.wild FIRST LAST [--bent] [--csv FILE] [--derive FILE]

Per rig: error across the dispersion, of the pattern along it (px) and of the wavelengths (bands), what the error bars say, verdict, seconds.
Over all: median and 90 % point, share of errors within one and two standard errors, false passes (pass although across or pattern are off by
more than 0.1 px), rigs lost. `--derive` writes what the term `model` of the error budget has to be on these rigs, as `resources/model_errors.json` holds it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.optics import mask_places
from cassi_core.result import CalibrationResult
from tests.benchmarks.cases import simulator
from tests.benchmarks.table import say, write_csv

FALSE_PASS_PX = 0.1
NAMES = ("dx", "dy", "theta", "scale_x", "scale_y", "slope", "alpha")
MEASURED = {"across": "across_px", "pattern": "pattern_px", "bands": "wavelength_bands"}


def row_of(result: CalibrationResult, case: dict[str, Any], off: dict[str, float], seconds: float) -> dict[str, Any]:
    """One line of the table."""
    truth, optics = case["truth"], case["optics"]
    row: dict[str, Any] = {
        "seed": case["seed"], "mask": case["mask"], "bands": case["n_bands"], "step": case["step_px"],
        "psf": optics["psf_px"], "subbands": optics["subbands"], "radial": optics["radial_px"],
        **{f"error_{k}": off[k] for k in MEASURED}, "verdict": result.verdict.status, "seconds": seconds,
        "found": result.registration is not None,
        "optics": "; ".join(f"{t.name} {t.value_px:+.3f}" for t in result.optics),
        "reasons": "; ".join(r.check for r in result.verdict.reasons if r.status != "pass"),
    }  # fmt: skip
    if result.registration is not None:
        row |= {f"expected_{k}": getattr(result.registration, name) for k, name in MEASURED.items()}
    scatter = {t.name: np.sqrt(np.maximum(np.diag(t.covariance), 0)) for t in result.error_terms}
    for p in result.parameters:
        if p.name in NAMES and p.sigma:
            row[f"z_{p.name}"] = (p.value - truth.get(p.name, 0.0)) / p.sigma
            at = result.correlation_names.index(p.name)
            row[f"scatter_{p.name}"] = (p.value - truth.get(p.name, 0.0)) / max(scatter["scatter"][at], 1e-12)
    return row


def run(seed: int, tool: Any, bent: bool) -> dict[str, Any]:
    """Calibrate one rig and hold the result against the truth."""
    picture, mask, cube, case, _ = tool.wild(seed, bent=bent)
    inputs = CalibrationInputs.from_arrays(picture, mask, Dispersion.constant(cube.shape[0], case["step_px"]))
    start = time.perf_counter()
    result = calibrate(inputs, CalibrationConfig(quality=QualitySettings(maps=False)))
    seconds = time.perf_counter() - start
    values, terms = result.parameters.values(), {t.name: t.value_px for t in result.optics}

    def at(rows: np.ndarray, cols: np.ndarray, band: int) -> tuple[np.ndarray, np.ndarray]:
        places = mask_places(values, terms, inputs.dispersion, mask.shape, picture.shape, rows, cols, slice(band, band + 1))
        return places[0][0], places[1][0]

    off = tool.registration({k: values[k] for k in case["truth"]}, case, cube, at=at)
    return row_of(result, case, off, seconds)


def line(row: dict[str, Any]) -> str:
    errors = " ".join(f"{k} {row[f'error_{k}']:.4f} ({row.get(f'expected_{k}', float('nan')):.4f})" for k in MEASURED)
    rig = f"{row['bands']:2d} bands x {row['step']:g} px, {row['mask'][:18]:18s} psf {row['psf']} radial {row['radial']:+.2f}"
    return f"{row['seed']:5d} {rig} | {errors} | {row['verdict']} {row['seconds']:.1f} s {row['reasons']} {row['optics']}"


def within(values: np.ndarray) -> str:
    values = np.abs(values[np.isfinite(values)])
    return f"{100 * np.mean(values <= 1):.0f} / {100 * np.mean(values <= 2):.0f} %"


def summary(title: str, rows: list[dict[str, Any]]) -> None:
    """Medians, coverage, false passes, lost."""
    found = [r for r in rows if r["found"]]
    say(f"== {title}: {len(rows)} rigs, {len(rows) - len(found)} not found, {sum(r['verdict'] == 'fail' for r in rows)} fail")
    if not found:
        return
    for k in MEASURED:
        off, expected = (np.array([r[f"{w}_{k}"] for r in found]) for w in ("error", "expected"))
        say(
            f"   {k:8s} median {np.median(off):.4f}, 90 % {np.quantile(off, 0.9):.4f}; within 1 / 2 expected errors {within(off / expected)}"
        )
    for name in NAMES:
        z = np.array([r.get(f"z_{name}", np.nan) for r in found])
        say(f"   {name:8s} within 1 / 2 sigma {within(z)}")
    passed = [r for r in found if r["verdict"] == "pass"]
    false = [r["seed"] for r in passed if max(r["error_across"], r["error_pattern"]) > FALSE_PASS_PX]
    say(
        f"   pass {len(passed)}; of these off by more than {FALSE_PASS_PX} px: {len(false)} {false}; {np.mean([r['seconds'] for r in rows]):.1f} s a rig"
    )


def model_errors(rows: list[dict[str, Any]], first: int, last: int) -> dict[str, Any]:
    """The contents of `resources/model_errors.json`: the 70 % point of errors over the scatter term, by parameter."""
    factors = {}
    for name in NAMES:
        z = np.abs([r[f"scatter_{name}"] for r in rows if f"scatter_{name}" in r])
        factors[name] = round(max(float(np.quantile(z, 0.7)), 1.0), 2)
    return {
        "version": 1,
        "what": "errors of simulated rigs over the scatter term of the error budget, 70 % point, by parameter",
        "command": f"python -m tests.benchmarks.wild {first} {last} --derive FILE",
        "rigs": "straight optics, default refinement",
        "seeds": [first, last - 1],
        "factors": factors,
        "others": round(float(np.mean([factors[k] for k in ("dy", "theta", "scale_x", "scale_y")])), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int, help="one beyond the last seed")
    parser.add_argument("--bent", action="store_true", help="with lateral colour, bow, blur by band, mask lattice")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--derive", type=Path, help="write the factors of the term `model` that these rigs ask for")
    args = parser.parse_args()
    tool = simulator()
    rows = []
    for seed in range(args.first, args.last):
        rows.append(run(seed, tool, args.bent))
        say(line(rows[-1]))
    summary("straight optics", [r for r in rows if not r["radial"]])
    summary("distorting optics", [r for r in rows if r["radial"]])
    if args.derive:
        straight = [r for r in rows if not r["radial"] and r["found"]]
        args.derive.write_text(json.dumps(model_errors(straight, args.first, args.last), indent=1) + "\n")
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
