"""Seconds and peak memory of preset auto: sizes, parameters, threads, stage by stage, beside the reference preset and the prototype.

    python -m tests.benchmarks.speed [--no-660] [--no-others] [--csv FILE]

Each line is a process of its own, warm (compiled code loaded, one small run done before). Everything is counted: pre-alignment, fit, error
bars, maps of the proof, verdict; not the start of the process. 256 and 512 are simulated rigs, 660 x 714 is a real frame.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.solvers.fused_cpu import ensure_compiled
from tests.benchmarks.cases import load_cases, module_from, shared_folder, simulator
from tests.benchmarks.table import say, write_csv

THREE = ("dx", "dy", "theta")


def inputs_of(size: str, work: Path) -> CalibrationInputs:
    if size == "256":
        return load_cases(work, ["rig"])[0].inputs
    shared = shared_folder()
    if size == "660":
        frame = shared / "data" / "measurements" / "tsa_net_real_scene3_legoman.npz"
        return load_inputs([frame], mask=shared / "data" / "masks" / "tsa_net_real_mask_660.npz")
    case = {
        "name": "speed_512",
        "seed": 1,
        "scene": "scenes/cave_chart_and_stuffed_toy_512.npz",
        "mask": "masks/tsa_net_real_mask_660.npz",
        "mask_origin": [70, 70],
        "step_px": 2,
        "n_bands": 28,
        "truth": {"dx": 1.1, "dy": -0.7, "theta": 0.2, "scale_x": 0.001, "scale_y": -0.001, "slope": 0.01, "alpha": 0.1},
    }
    file = work / "speed_512.npz"
    if not file.exists():
        tool = simulator()
        tool.save(work, *tool.from_case(case, shared / "data"))
    with np.load(file) as z:
        return CalibrationInputs.from_arrays(z["meas"], z["mask"], Dispersion.constant(28, 2.0))


def one(what: str, size: str, parameters: str, threads: int, work: Path) -> None:
    """Measure one line in this process and print it as JSON."""
    inputs = inputs_of(size, work)
    small = load_cases(work, ["rig"])[0].inputs
    if what == "prototype":
        prototype = module_from(shared_folder() / "prototype" / "fast_calibration.py")
        free = [prototype.NAMES.index(n) for n in (THREE if parameters == "3" else prototype.NAMES)]
        y = inputs.frames[0].image
        prototype.calibrate(y, inputs.mask, 28, 2.0, free)  # compiled before it is timed
        start = time.perf_counter()
        prototype.calibrate(y, inputs.mask, 28, 2.0, free)
        stages = {}
    else:
        ensure_compiled()
        refine = THREE if parameters == "3" else None
        config = CalibrationConfig(preset=what, refine=refine, threads=threads)
        calibrate(small, CalibrationConfig(refine=("dy",), threads=threads))
        start = time.perf_counter()
        result = calibrate(inputs, config)
        stages = {stage.name: round(stage.seconds, 2) for stage in result.stages}
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "stages": stages}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, help="folder of the simulated cases (made on first use)")
    parser.add_argument("--no-660", action="store_true")
    parser.add_argument("--no-others", action="store_true", help="neither the reference preset nor the prototype")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--one", nargs=4, metavar=("WHAT", "SIZE", "PARAMETERS", "THREADS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    work = args.work or Path(tempfile.mkdtemp())
    if args.one:
        one(args.one[0], args.one[1], args.one[2], int(args.one[3]), work)
        return
    lines = [
        ("auto", "256", "3", 2),
        ("auto", "256", "3", 1),
        ("auto", "256", "8", 2),
        ("auto", "256", "8", 1),
        ("auto", "512", "8", 2),
    ]
    lines += [] if args.no_660 else [("auto", "660", "8", 2)]
    lines += (
        [] if args.no_others else [("prototype", "256", "3", 2), ("prototype", "256", "6", 2), ("reference", "256", "3", 2)]
    )
    load_cases(work, ["rig"])
    rows = []
    # As the command line and the window set it for themselves.
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
    for what, size, parameters, threads in lines:
        call = [
            sys.executable,
            "-m",
            "tests.benchmarks.speed",
            "--work",
            str(work),
            "--one",
            what,
            size,
            parameters,
            str(threads),
        ]
        row = json.loads(
            subprocess.run(call, check=True, capture_output=True, text=True, env=environment).stdout.splitlines()[-1]
        )
        stages = ", ".join(f"{k} {v}" for k, v in row.pop("stages").items())
        rows.append({"what": what, "size": size, "parameters": parameters, "threads": threads} | row)
        engine = next(
            (r["seconds"] for r in rows if r["what"] == "auto" and r["size"] == size and r["parameters"] in (parameters, "8")),
            None,
        )
        ratio = f", {row['seconds'] / engine:.1f} times the engine" if what != "auto" and engine else ""
        say(
            f"{what:9s} {size} {parameters} parameters {threads} threads: {row['seconds']:7.2f} s, peak {row['peak_mb']:.0f} MB{ratio}  {stages}"
        )
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
