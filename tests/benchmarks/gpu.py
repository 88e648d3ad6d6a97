"""Preset auto on a GPU beside the processor, on the same snapshots in the same run: seconds, ratio, and how far the two results lie apart.

    python -m tests.benchmarks.gpu [--device cuda] [--cases 3] [--work FOLDER] [--csv FILE]

Without a GPU it says so and, with ``--device cpu``, runs the same torch code on the processor: then only the difference means something
(1e-3 px allowed). Every device computes each case once before it is timed. Simulated rigs with known truth and, if they are there, one real
frame of 660 x 714 pixels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from cassi_core.calibration.auto import run_auto
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import DEFAULT_REFINE, AutoSettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.run import RunControl, RunRecorder
from cassi_core.solvers.fused_cpu import FusedCpuSolver, ensure_compiled
from cassi_core.solvers.protocol import GapSolver
from cassi_core.solvers.torch_gap import TorchGapSolver, select_device
from tests.benchmarks.cases import load_cases, shared_folder
from tests.benchmarks.table import say, write_csv


def snapshots(work: Path, count: int, large: bool) -> list[tuple[str, CalibrationInputs]]:
    found = [(case.name, case.inputs) for case in load_cases(work, ["rig"])[:count]]
    data = shared_folder() / "data"
    frame = data / "measurements" / "tsa_net_real_scene3_legoman.npz"
    if large and frame.exists():
        found.append((frame.stem, load_inputs([frame], mask=data / "masks" / "tsa_net_real_mask_660.npz")))
    return found


def fitted(inputs: CalibrationInputs, solver: GapSolver) -> np.ndarray:
    """Parameters in the dispersion frame after pre-alignment and both fits."""
    turned = inputs.in_dispersion_frame()
    models = [RigModel.from_frame(turned, frame, threads=FusedCpuSolver().threads) for frame in turned.frames]
    recorder = RunRecorder(RunControl(), None, "auto", ())
    return run_auto(models, ParameterSet.default(DEFAULT_REFINE["auto"]), AutoSettings(), solver, recorder).vector


def apart_px(inputs: CalibrationInputs, one: dict[str, float], other: dict[str, float]) -> float:
    """The largest distance that one parameter's difference makes at the rim of the mask or at the end of the band train."""
    radius = max(inputs.mask.shape) / 2
    turn, travel = np.deg2rad(radius), np.deg2rad(inputs.dispersion.travel_px)
    reach = {"theta": turn, "scale_x": radius, "scale_y": radius, "slope": inputs.dispersion.n_bands - 1, "alpha": travel}
    return max(abs(one[n] - other[n]) * reach.get(n, 1.0) for n in PARAMETER_NAMES if n != "curve")


def timed(inputs: CalibrationInputs, solver: GapSolver) -> tuple[np.ndarray, float]:
    fitted(inputs, solver)
    start = time.perf_counter()
    return fitted(inputs, solver), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:INDEX, or cpu: the torch code without a GPU")
    parser.add_argument("--cases", type=int, default=3)
    parser.add_argument("--no-660", action="store_true")
    parser.add_argument("--work", type=Path, help="folder of the simulated cases (made on first use)")
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit(
            "NO GPU: nothing was measured; --device cpu compares the same torch code on the processor with the compiled kernel"
        )
    device, sentence = select_device(args.device)
    say(f"{sentence}; beside it the compiled kernel on {FusedCpuSolver().threads} threads")
    ensure_compiled()
    rows = []
    for name, inputs in snapshots(args.work or Path(tempfile.mkdtemp()), args.cases, not args.no_660):
        kernel, kernel_s = timed(inputs, FusedCpuSolver())
        torch_, torch_s = timed(inputs, TorchGapSolver(device))
        pairs = [dict(zip(PARAMETER_NAMES, v.tolist(), strict=True)) for v in (kernel, torch_)]
        apart = apart_px(inputs, *pairs)
        rows.append({"case": name, "kernel_s": kernel_s, "torch_s": torch_s, "ratio": kernel_s / torch_s, "apart_px": apart})
        say(
            f"{name}: kernel {kernel_s:.2f} s, torch on {device} {torch_s:.2f} s, ratio {kernel_s / torch_s:.2f}; {apart:.1e} px apart"
        )
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
