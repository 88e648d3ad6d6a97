"""Accuracy and time of preset auto beside the prototype, on simulated rigs with known truth.

    python -m tests.benchmarks.accuracy [--levels ideal far rig hard] [--work FOLDER] [--csv FILE] [--no-prototype]

Per case and level: registration error along and across the dispersion (px), error of every refined parameter, errors in units of the
reported sigma (by level, and over all of them), seconds; for the prototype the same on the same files in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.solvers.fused_cpu import ensure_compiled
from tests.benchmarks.cases import Case, load_cases, module_from, registration, shared_folder
from tests.benchmarks.table import rms, say, write_csv

THREE = ("dx", "dy", "theta")
FIVE = (*THREE, "scale_x", "scale_y")
REFINED = {"ideal": THREE, "far": THREE, "rig": None, "hard": None}
"""None: the preset's default choice."""
PROTOTYPE = {"ideal": THREE, "far": THREE, "rig": (*FIVE, "slope"), "hard": FIVE}
"""The prototype does not know alpha."""
LOST_PX = 0.5


def run_engine(case: Case, maps: bool) -> tuple[dict[str, float], dict[str, float | None], float]:
    config = CalibrationConfig(refine=REFINED[case.level], quality=QualitySettings(maps=maps))
    start = time.perf_counter()
    result = calibrate(case.inputs, config)
    seconds = time.perf_counter() - start
    return result.parameters.values(), {p.name: p.sigma for p in result.parameters if p.refine}, seconds


def run_prototype(case: Case, prototype) -> tuple[dict[str, float], dict[str, float | None], float]:
    names = PROTOTYPE[case.level]
    y, mask = case.inputs.frames[0].image, case.inputs.mask
    low = np.quantile(y, 0.005)
    y = np.clip(y - low, 0, None) if low > 0.005 else y
    free = [prototype.NAMES.index(n) for n in names]
    start = time.perf_counter()
    p, _ = prototype.calibrate(y, mask, case.inputs.dispersion.n_bands, case.step_px, free)
    seconds = time.perf_counter() - start
    return (
        {**ParameterSet.default().values(), **dict(zip(prototype.NAMES, map(float, p), strict=True))},
        dict.fromkeys(names),
        seconds,
    )


def coverage(rows: list[dict], name: str) -> str:
    """How many errors of a parameter lie within one and two of its standard errors, in words; nothing where none are reported."""
    z = np.abs([r[f"sigmas_{name}"] for r in rows])
    return "" if np.isnan(z).any() else f", within 1 sigma {np.mean(z <= 1):.0%}, within 2 sigma {np.mean(z <= 2):.0%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--levels", nargs="+", default=["ideal", "far", "rig", "hard"], choices=sorted(REFINED))
    parser.add_argument("--work", type=Path, help="folder of the simulated cases (made on first use)")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--no-prototype", action="store_true")
    parser.add_argument("--maps", action="store_true", help="time the maps of the proof too")
    args = parser.parse_args()
    work = args.work or Path(tempfile.mkdtemp())
    runners = {"auto": lambda c: run_engine(c, args.maps)}
    if not args.no_prototype:
        prototype = module_from(shared_folder() / "prototype" / "fast_calibration.py")
        runners["prototype"] = lambda c: run_prototype(c, prototype)
    ensure_compiled()
    rows = []
    for level in args.levels:
        cases = load_cases(work, [level])
        for runner in runners.values():
            runner(cases[0])  # compiled code and caches are warm before anything is timed
        for case in cases:
            for name, runner in runners.items():
                values, sigmas, seconds = runner(case)
                truth = {k: case.truth.get(k, 0.0) for k in values}
                off = registration(case, values)
                along, across = off["along"], off["across"]
                row = {"case": case.name, "level": level, "method": name, "along": along, "across": across, "seconds": seconds}
                for p, s in sigmas.items():
                    if p != "psf" and s is not None:
                        row[f"error_{p}"] = values[p] - truth[p]
                        row[f"sigmas_{p}"] = (values[p] - truth[p]) / s if s else float("nan")
                rows.append(row)
                say(f"{case.name:16s} {name:10s} along {along:.4f} across {across:.4f} px  {seconds:6.2f} s")
        for name in runners:
            mine = [r for r in rows if r["level"] == level and r["method"] == name]
            lost = sum(max(r["along"], r["across"]) > LOST_PX for r in mine)
            say(
                f"== {level} {name}: RMS along {rms([r['along'] for r in mine]):.4f}, across {rms([r['across'] for r in mine]):.4f} px; "
                f"worst {max(r['along'] for r in mine):.3f} / {max(r['across'] for r in mine):.3f}; lost {lost} of {len(mine)}; "
                f"{np.mean([r['seconds'] for r in mine]):.2f} s a case"
            )
            for p in [k[6:] for k in mine[0] if k.startswith("error_")]:
                say(f"     {p:8s} RMSE {rms([r[f'error_{p}'] for r in mine]):.5f}{coverage(mine, p)}")
    say("== all levels auto: errors in units of the reported standard errors")
    for p in PARAMETER_NAMES:
        told = [r for r in rows if f"sigmas_{p}" in r and r["method"] == "auto"]
        if told:
            say(f"     {p:8s} {len(told)} cases{coverage(told, p)}")
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
