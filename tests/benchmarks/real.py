"""The presets on the real frames of two rigs, where no truth exists.

    python -m tests.benchmarks.real [--preset auto reference algorithm1] [--no-gradient] [--frames NAME ...] [--csv FILE]

Per frame: parameters with sigmas, residual before and after, held-out residual, verdict, seconds per stage; for preset auto the spread
of every parameter over the frames of a rig.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.parameters import format_value
from tests.benchmarks.cases import shared_folder
from tests.benchmarks.table import say, write_csv

MASKS = {"tsa": "tsa_net_real_mask_660.npz", "sme": "smem_real_mask_660.npz"}
REFINE = ("dx", "dy", "theta", "scale_x", "scale_y", "psf")


def config_for(preset: str, gradient: bool, refine: tuple[str, ...] | None) -> CalibrationConfig:
    config = CalibrationConfig.model_validate({"preset": preset, "refine": refine if preset == "auto" else None})
    if preset != "reference" or gradient:
        return config
    off = {
        name: getattr(config.reference, name).model_copy(update={"enabled": False})
        for name in ("stage_2a", "stage_2b", "stage_2c")
    }
    return config.model_copy(update={"reference": config.reference.model_copy(update=off)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", nargs="+", default=["auto"], choices=["auto", "reference", "algorithm1"])
    parser.add_argument("--frames", nargs="*", help="parts of file names; default: all")
    parser.add_argument("--refine", default=",".join(REFINE))
    parser.add_argument("--no-gradient", action="store_true")
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    data = shared_folder() / "data"
    files = sorted((data / "measurements").glob("*.npz"))
    files = [f for f in files if not args.frames or any(part in f.name for part in args.frames)]
    refine = tuple(args.refine.split(","))
    rows = []
    for preset in args.preset:
        for file in files:
            inputs = load_inputs([file], mask=data / "masks" / MASKS[file.name[:3]])
            result = calibrate(inputs, config_for(preset, not args.no_gradient, refine))
            s = result.scores
            values = "  ".join(f"{p.name} {format_value(p.value, p.sigma, p.unit)}" for p in result.parameters if p.refine)
            stages = ", ".join(f"{stage.name} {stage.seconds:.1f}" for stage in result.stages)
            say(f"{preset} {file.stem}\n    {values}")
            say(
                f"    residual {s.residual_before:.5f} -> {s.residual_after:.5f} ({'lower' if s.residual_after < s.residual_before else 'NOT LOWER'}), "
                f"held out {s.held_out_before:.5f} -> {s.held_out_after:.5f}, peak {result.peak_z or float('nan'):.1f}, verdict {result.verdict.status}"
            )
            say(f"    seconds: {stages}; total {result.seconds_total:.1f}")
            for reason in result.verdict.reasons:
                if reason.status != "pass":
                    say(f"    {reason.status}: {reason.text}")
            row = {"preset": preset, "frame": file.stem, "before": s.residual_before, "after": s.residual_after}
            rows.append(row | {p.name: p.value for p in result.parameters if p.refine} | {"seconds": result.seconds_total})
        for rig in MASKS:
            of_rig = [r for r in rows if r["preset"] == preset and r["frame"].startswith(rig)]
            if len(of_rig) > 1:
                spread = {n: float(np.std([r[n] for r in of_rig], ddof=1)) for n in refine if n in of_rig[0]}
                say(
                    f"== {preset}, {len(of_rig)} frames of {rig}: standard deviation "
                    + ", ".join(f"{k} {v:.5f}" for k, v in spread.items())
                )
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
