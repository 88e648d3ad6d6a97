"""Which term of the error budget matters where, on rigs of every kind.

    python -m tests.benchmarks.budget FIRST LAST [--csv FILE]

Per rig and parameter: standard error by term (scatter over the picture, model, convergence, distortion), the sum, and the true error beside it;
at the end the share that each term has in the variance, median over the rigs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from tests.benchmarks.cases import simulator
from tests.benchmarks.table import say, write_csv


def terms_of(seed: int, tool: Any) -> list[dict[str, Any]]:
    """One line a parameter: its error and its standard errors by term."""
    picture, mask, cube, case, _ = tool.wild(seed)
    inputs = CalibrationInputs.from_arrays(picture, mask, Dispersion.constant(cube.shape[0], case["step_px"]))
    result = calibrate(inputs, CalibrationConfig(quality=QualitySettings(maps=False)))
    lines = []
    for k, name in enumerate(result.correlation_names):
        sigmas = {t.name: float(np.sqrt(max(t.covariance[k, k], 0.0))) for t in result.error_terms}
        off = result.parameters[name].value - {**case["truth"], "psf": case["optics"]["psf_px"]}.get(name, 0.0)
        lines.append({"seed": seed, "parameter": name, "error": off, "sum": result.parameters[name].sigma, **sigmas})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int, help="one beyond the last seed")
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    tool = simulator()
    rows: list[dict[str, Any]] = []
    for seed in range(args.first, args.last):
        for line in terms_of(seed, tool):
            rows.append(line)
            terms = "  ".join(f"{k} {v:.2g}" for k, v in line.items() if k not in ("seed", "parameter", "error", "sum"))
            say(f"{seed:5d} {line['parameter']:8s} error {line['error']:+.2g}, claimed {line['sum']:.2g}: {terms}")
    names = sorted({r["parameter"] for r in rows})
    terms = sorted({k for r in rows for k in r} - {"seed", "parameter", "error", "sum"})
    for name in names:
        mine = [r for r in rows if r["parameter"] == name and r["sum"]]
        shares = {t: float(np.median([(r.get(t, 0.0) / r["sum"]) ** 2 for r in mine])) for t in terms}
        say(f"== {name:8s} share of the variance, median: " + ", ".join(f"{t} {100 * s:.0f} %" for t, s in shares.items()))
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
