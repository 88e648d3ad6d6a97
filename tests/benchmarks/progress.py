"""How well a run foresees its end: predicted against true remaining time after 1/3, 1/2 and 2/3 of it.

    python -m tests.benchmarks.progress [--only demo joint large] [--processor-time] [--csv FILE]

demo: the shipped demo; joint: three real frames of one rig together; large: a simulated picture of 660 x 714 with 28 bands. All with preset auto
and the program's own defaults. The clock is that of the wall, and nothing else should run beside it; with --processor-time it is that of this
program's own work, which does not mind a busy machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from cassi_core.calibration.likelihood.problem import ensure_likelihood_compiled
from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig
from cassi_core.demo import load_demo
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.run import Event, Progress, RunControl
from cassi_core.simulate import Misalignment, default_wavelengths, make_mask, make_scene, simulate_rig
from cassi_core.solvers.fused_cpu import ensure_compiled
from tests.benchmarks.cases import shared_folder
from tests.benchmarks.table import say, write_csv

SHARES = (1 / 3, 1 / 2, 2 / 3)
FRAMES = ("smem_blood_sample1", "smem_fern_root", "smem_dog_olfactory_membrane")


def demo() -> CalibrationInputs:
    return load_demo().inputs


def joint() -> CalibrationInputs:
    data = shared_folder() / "data"
    files = [data / "measurements" / f"{name}.npz" for name in FRAMES]
    return load_inputs(files, mask=data / "masks" / "smem_real_mask_660.npz")


def large() -> CalibrationInputs:
    side, bands = 660, 28
    cube = make_scene("mixed", (side, side), default_wavelengths(bands), seed=1)
    mask = make_mask("grey", (side + 24, side + 24), seed=0)
    rig = simulate_rig(
        cube, mask, Dispersion.constant(bands, 2.0), Misalignment.of({"dx": 1.3, "dy": -0.7, "theta": 0.2}), seed=2
    )
    return CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)


RUNS: dict[str, Callable[[], CalibrationInputs]] = {"demo": demo, "joint": joint, "large": large}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--csv", type=Path)
    parser.add_argument(
        "--processor-time", action="store_true", help="count the time that the processors worked for this program"
    )
    args = parser.parse_args()
    if args.processor_time:
        time.perf_counter = time.process_time
    ensure_compiled(RunControl())
    ensure_likelihood_compiled(RunControl())
    rows = []
    for name in args.only:
        said: list[Progress] = []

        def observe(event: Event, said: list[Progress] = said) -> None:
            if isinstance(event, Progress):
                said.append(event)

        result = calibrate(RUNS[name](), CalibrationConfig(), observe=observe)
        total = said[-1].elapsed_s
        say(f"{name}: {total:.1f} s; " + ", ".join(f"{s.name} {s.seconds:.1f} s in {s.steps} steps" for s in result.stages))
        for share in SHARES:
            # What the screen shows then: the last that was said.
            event = [e for e in said if e.elapsed_s <= share * total][-1]
            left, now = total - share * total, share * total
            shown = None if event.remaining_s is None else max(0.0, event.remaining_s - (now - event.elapsed_s))
            ratio = float("nan") if shown is None else shown / left
            say(
                f"  at {share:.2f} ({event.stage}): {'nothing' if shown is None else f'{shown:.1f} s'} said, {left:.1f} s left, ratio {ratio:.2f}"
            )
            rows.append({"run": name, "share": share, "said_s": shown, "left_s": left, "ratio": ratio, "total_s": total})
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
