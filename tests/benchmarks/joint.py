"""Joint calibration of several snapshots of one rig: how the error falls with their number.

    python -m tests.benchmarks.joint [--frames 1 2 4 6 8] [--work FOLDER] [--csv FILE]

Simulated rigs with known truth, six scenes each; the first N snapshots of each rig are fitted together with the preset's default choice of
parameters. A seventh and an eighth snapshot show scenes of the six upside down. Registration error along and across the dispersion is that
on the light of the first scene.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.solvers.fused_cpu import ensure_compiled
from tests.benchmarks.cases import Case, load_cases, registration, shared_folder, simulator
from tests.benchmarks.table import rms, say, write_csv

UPSIDE_DOWN = (2, 4)
"""Which of the six scenes are shown again: glass tiles and stuffed toys."""


def rigs(work: Path, most: int) -> dict[str, list[Case]]:
    """The cases of every rig, ``pub_joint_RIG_SCENE``, and as many more as are asked for."""
    found: dict[str, list[Case]] = {}
    for case in load_cases(work, ["joint"]):
        found.setdefault(case.name.rsplit("_", 1)[0], []).append(case)
    for cases in found.values():
        for index in range(len(cases), min(most, len(cases) + len(UPSIDE_DOWN))):
            cases.append(_upside_down(cases[UPSIDE_DOWN[index - 6]], index, work))
    return found


def _upside_down(case: Case, index: int, work: Path) -> Case:
    """A snapshot by the same rig of a case's scene turned by half a turn."""
    entry = json.loads(case.file.with_name(f"{case.name}.truth.json").read_text())
    shared, scene = shared_folder(), work / f"turned_{Path(entry['scene']).name}"
    with np.load(shared / "data" / entry["scene"]) as z:
        np.savez(scene, **{k: z[k][::-1, ::-1] if k == "cube" else z[k] for k in z})
    name = f"{case.name.rsplit('_', 1)[0]}_{index}"
    # A path that begins at the root stands for itself when the simulator looks for it below its data.
    entry |= {"name": name, "scene": str(scene.resolve()), "seed": entry["seed"] + 1}
    tool = simulator()
    tool.save(work, *tool.from_case(entry, shared / "data"))
    with np.load(work / f"{name}.npz") as z:
        inputs = CalibrationInputs.from_arrays(z["meas"], z["mask"], case.inputs.dispersion)
    return replace(case, name=name, file=work / f"{name}.npz", inputs=inputs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", nargs="+", type=int, default=[1, 2, 4, 6, 8])
    parser.add_argument("--work", type=Path, help="folder of the simulated cases (made on first use)")
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    ensure_compiled()
    rows = []
    for rig, cases in rigs(args.work or Path(tempfile.mkdtemp()), max(args.frames)).items():
        first = cases[0]
        for count in args.frames:
            inputs = replace(first.inputs, frames=tuple(c.inputs.frames[0] for c in cases[:count]))
            start = time.perf_counter()
            result = calibrate(inputs, CalibrationConfig(quality=QualitySettings(maps=False)))
            seconds = time.perf_counter() - start
            off = registration(first, result.parameters.values())
            along, across = off["along"], off["across"]
            row = {"rig": rig, "frames": count, "along": along, "across": across, "seconds": seconds}
            row |= {
                f"sigmas_{p.name}": (p.value - first.truth.get(p.name, 0.0)) / p.sigma
                for p in result.parameters
                if p.name != "psf" and p.sigma
            }
            row |= {f"error_{p.name}": p.value - first.truth.get(p.name, 0.0) for p in result.parameters if p.name != "psf"}
            rows.append(row)
            say(
                f"{rig}  {count} frames: along {along:.4f} across {across:.4f} px, theta {row['error_theta']:+.4f} deg  {seconds:.1f} s"
            )
    for count in args.frames:
        mine = [r for r in rows if r["frames"] == count]
        along, across, theta = (rms([r[k] for r in mine]) for k in ("along", "across", "error_theta"))
        z = np.abs([v for r in mine for k, v in r.items() if k.startswith("sigmas_")])
        covered = f"within 1 / 2 sigma {100 * np.mean(z <= 1):.0f} / {100 * np.mean(z <= 2):.0f} %"
        say(f"== {count} frames: RMS along {along:.4f}, across {across:.4f} px, theta {theta:.4f} deg; {covered}")
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
