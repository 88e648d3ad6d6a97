"""Preset reference (or algorithm1) on simulated rigs with known truth: errors, lost cases, seconds of every stage.

    python -m tests.benchmarks.reference CASE.npz [CASE.npz ...] [--no-gradient] [--algorithm1] [--threads N]

A case is what the independent simulator writes: NAME.npz (meas, mask, step_px, n_bands) with NAME.truth.json beside it. Seconds are wall
clock; `cpu` is the processor time of a stage divided by the threads, what it would take on idle cores.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from cassi_core.calibration.objective import ScorerCache
from cassi_core.calibration.reference_presets import searcher
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.run import Event, RunControl, RunRecorder, StageFinished, StageStarted

NAMES = ("dx", "dy", "theta")
LOST = {"dx": 0.3, "dy": 0.3, "theta": 0.1}
ORIGINAL = (
    "the original, by its own report: rmse 0.067 px / 0.085 px / 0.063 deg on the 6 of 10 scenes it did not lose, 252 s (GPU)"
)


def load(path: Path, margin_px: int) -> tuple[RigModel, dict[str, float]]:
    """The model of a case and its true parameters."""
    with np.load(path) as z:
        dispersion = Dispersion.constant(int(z["n_bands"]), float(z["step_px"]))
        inputs = CalibrationInputs.from_arrays(z["meas"], z["mask"], dispersion)
    truth = json.loads(path.with_name(path.stem + ".truth.json").read_text())["truth"]
    return RigModel.from_frame(inputs, inputs.frames[0], margin_px=margin_px), truth


class StageClock:
    """Processor seconds of every stage, from the events of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = 0.0

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self._start = time.process_time()
        elif isinstance(event, StageFinished):
            self.seconds[event.name] = time.process_time() - self._start


def configuration(args: argparse.Namespace) -> CalibrationConfig:
    document: dict[str, object] = {
        "preset": "algorithm1" if args.algorithm1 else "reference",
        "device": "cpu",
        "threads": args.threads,
    }
    if args.no_gradient:
        document["reference"] = {f"stage_2{c}": {"enabled": False} for c in "abc"}
    return CalibrationConfig.model_validate(document)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--no-gradient", action="store_true", help="grid stages only")
    parser.add_argument("--algorithm1", action="store_true", help="Algorithm 1 instead")
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    config = configuration(args)
    solver = ScorerCache().solver("cpu", args.threads)
    threads = args.threads or os.cpu_count() or 1
    errors, grid_errors, clocks = [], [], []
    for path in args.cases:
        model, truth = load(path, config.reference.margin_px)
        search, plan = searcher(config)
        clock = StageClock()
        recorder = RunRecorder(RunControl(), clock, config.preset, plan)
        found = search([model], ParameterSet.default(NAMES), solver, recorder)
        error = [float(found.vector[i] - truth.get(name, 0.0)) for i, name in enumerate(NAMES)]
        errors.append(error)
        grid = [r for r in recorder.table if r.stage == "1"]
        if grid and not args.no_gradient:
            values = min(grid, key=lambda r: r.score).values
            grid_errors.append([values[i] - truth.get(name, 0.0) for i, name in enumerate(NAMES)])
        clocks.append({s.name: (s.seconds, clock.seconds[s.name] / threads) for s in recorder.stages})
        lost = any(abs(e) > LOST[n] for e, n in zip(error, NAMES, strict=True))
        seconds = " ".join(f"{n}:{wall:.0f}({cpu:.0f})" for n, (wall, cpu) in clocks[-1].items())
        if grid_errors:
            seconds += "  grid alone " + " ".join(f"{e:+.3f}" for e in grid_errors[-1])
        text = " ".join(f"{n} {e:+.4f}" for n, e in zip(NAMES, error, strict=True))
        print(f"{path.stem:16s} error {text}  score {found.score:.5f}  s(cpu) {seconds}{'  LOST' if lost else ''}", flush=True)
    summary(np.array(errors), clocks)
    if grid_errors:
        print(f"grid alone: rmse {np.sqrt(np.mean(np.square(grid_errors), axis=0)).round(4).tolist()} (dx, dy px, theta deg)")


def summary(errors: np.ndarray, clocks: list[dict[str, tuple[float, float]]]) -> None:
    lost = np.any(np.abs(errors) > np.array([LOST[n] for n in NAMES]), axis=1)
    rmse = np.sqrt(np.mean(errors**2, axis=0))
    print(f"\nlost {int(lost.sum())} of {len(errors)} (0.3 px, 0.1 deg)")
    print(f"rmse of all   dx {rmse[0]:.4f} px  dy {rmse[1]:.4f} px  theta {rmse[2]:.4f} deg")
    for name in clocks[0]:
        wall, cpu = np.mean([c[name] for c in clocks if name in c], axis=0)
        print(f"stage {name:10s} {wall:7.1f} s wall, {cpu:7.1f} s of processor time per thread (mean)")
    total = np.mean([[sum(w for w, _ in c.values()), sum(p for _, p in c.values())] for c in clocks], axis=0)
    print(f"together         {total[0]:7.1f} s wall, {total[1]:7.1f} s of processor time per thread")
    print(ORIGINAL)


if __name__ == "__main__":
    main()
