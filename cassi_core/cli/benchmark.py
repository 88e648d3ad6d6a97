"""`cassi benchmark`: what the calibration is worth, over all scenes of a folder."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console
from cassi_core.cli.interrupt import cancel_on_interrupt
from cassi_core.cli.options import assignments, comma_list
from cassi_core.devices import check_device
from cassi_core.errors import ConfigError, InputError
from cassi_core.parameters import SPECS, check_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cassi_core.config import CalibrationConfig
    from cassi_core.dispersion import Dispersion
    from cassi_core.quality.scenarios import SceneReport

DESCRIPTION = """Simulate every scene of a folder under a given mismatch, calibrate it, and rebuild it three times:
with the ideal mask (where the rig really has it), with the assumed mask (as if nothing had moved) and with the corrected mask
(where the calibration of that snapshot found it). Prints PSNR (dB), SSIM and SAM (degrees) of each and the errors of the
parameters, per scene and on average.

Scenes are spectral cubes: KAIST sceneXX.mat (key img), CAVE or other .npz (key cube, with scale), .npy, .h5. The mask may be
larger than the scenes: what lies round their field enters when the mask moves. Otherwise the field is the mask's middle.
"""

EXAMPLES = """examples:
  cassi benchmark --scenes KAIST_test --mask mask.mat --csv table.csv
  cassi benchmark --scenes cubes --mask capture.npz --mismatch dx=1.5,dy=-0.8,theta=0.4,scale_y=0.002 --limit 3
"""

SUFFIXES = (".mat", ".npz", ".npy", ".h5", ".hdf5")
DEFAULT_MISMATCH = "dx=0.5,dy=0.3,theta=0.1"


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "benchmark",
        help="measure the calibration and the solvers on known cases",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scenes", type=Path, required=True, metavar="DIR", help="folder with spectral cubes")
    parser.add_argument("--mask", required=True, metavar="FILE", help="the mask, FILE or FILE::key")
    parser.add_argument(
        "--mismatch",
        type=assignments,
        default=DEFAULT_MISMATCH,
        metavar="NAME=X,...",
        help=f"what is wrong with the rig (default {DEFAULT_MISMATCH})",
    )
    parser.add_argument("--step", type=float, default=2.0, metavar="PX", help="dispersion between bands in pixels (default 2)")
    parser.add_argument("--bands", type=int, metavar="N", help="resample every scene to N bands (default: as stored)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N scenes by name")
    parser.add_argument("--preset", choices=("auto", "reference", "algorithm1"), default="auto", help="default auto")
    parser.add_argument(
        "--refine", type=comma_list, metavar="NAMES", help="parameters to refine (default: the preset's and the mismatch's)"
    )
    parser.add_argument("--full-well", type=float, default=1e4, metavar="E", help="electrons at saturation (default 10000)")
    parser.add_argument("--iterations", type=int, default=100, metavar="N", help="GAP-TV iterations of a rebuild (default 100)")
    parser.add_argument("--tv-weight", type=float, default=0.1, metavar="X", help="total-variation weight (default 0.1)")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:INDEX (default auto)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="threads of the CPU kernel (default: all cores)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the noise (default 0)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table with all digits there")


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the benchmark; exit code 0 when all scenes went through."""
    from cassi_core.io.atomic import check_writable
    from cassi_core.io.mask_from_files import read_mask
    from cassi_core.quality.scenarios import run_scenarios
    from cassi_core.run import RunControl
    from cassi_core.simulate.camera import Camera
    from cassi_core.simulate.rig import Misalignment
    from cassi_core.solvers.fused_cpu import FusedCpuSolver

    truth = Misalignment.of(args.mismatch)
    refine = refined_names(args.refine, args.preset, truth.values())
    check_device(args.device)
    config = _config(args)
    camera = Camera(full_well_e=args.full_well)
    if args.csv is not None:
        check_writable(args.csv)
    files = find_scenes(args.scenes, args.limit)
    capture = read_mask(args.mask).mask
    solver = FusedCpuSolver(args.threads)
    reports: list[SceneReport] = []
    for number, path in enumerate(files):
        scene, dispersion = load_scene(path, args.bands, args.step)
        console.info(f"scene {number + 1} of {len(files)}: {path.name}")
        control = RunControl()
        with cancel_on_interrupt(control):
            report = run_scenarios(
                path.stem,
                scene,
                capture,
                dispersion,
                truth,
                config,
                solver,
                refine=refine,
                camera=camera,
                seed=args.seed + number,
                control=control,
                observe=console.observe,
            )
            control.checkpoint()
        reports.append(report)
    _show(reports, refine, console)
    if args.csv is not None:
        _write_csv(reports, refine, args.csv)
        console.info(f"wrote {args.csv.resolve()}")
    return 0


def refined_names(asked: tuple[str, ...] | None, preset: str, truth: dict[str, float]) -> tuple[str, ...]:
    """What to refine, in the order of the parameters: as asked, else the preset's choice and what the mismatch moves."""
    from cassi_core.config import DEFAULT_REFINE

    if asked is not None:
        wanted = set(check_names(asked))
        if not wanted:
            raise ConfigError(f"--refine: name at least one parameter of {', '.join(SPECS)}")
    else:
        wanted = set(DEFAULT_REFINE[preset])
        if preset == "auto":
            wanted |= {name for name, value in truth.items() if value != 0}
    return tuple(name for name in SPECS if name in wanted)


def find_scenes(folder: Path, limit: int | None) -> list[Path]:
    """The cube files of a folder by name; InputError when there are none."""
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit {limit}: at least one scene is needed")
    if not folder.is_dir():
        raise InputError(f"--scenes {folder}: there is no such folder")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise InputError(f"--scenes {folder}: no cube files in it ({', '.join('*' + s for s in SUFFIXES)})")
    return files[:limit]


def load_scene(path: Path, n_bands: int | None, step_px: float) -> tuple[NDArray[np.float32], Dispersion]:
    """A scene ``(L, H, W)``, resampled along the bands when asked, with the nominal dispersion of its bands."""
    import numpy as np

    from cassi_core.dispersion import Dispersion
    from cassi_core.io.cubes import read_cube

    cube, nm, _ = read_cube(path)
    if not cube.max() > 0:
        raise InputError(f"{path}: the cube holds no light")
    if n_bands is not None and n_bands != len(cube):
        at = np.linspace(0, len(cube) - 1, n_bands) if n_bands > 1 else np.array([(len(cube) - 1) / 2])
        low = np.minimum(at.astype(int), max(len(cube) - 2, 0))
        high = np.minimum(low + 1, len(cube) - 1)
        t = (at - low).astype(np.float32)[:, None, None]
        cube = cube[low] * (1 - t) + cube[high] * t
        nm = None if nm is None else np.interp(at, np.arange(len(nm)), nm)
    return cube, Dispersion.constant(len(cube), step_px, wavelengths_nm=nm)


def _config(args: argparse.Namespace) -> CalibrationConfig:
    from cassi_core.config import load_config

    document = {
        "preset": args.preset,
        "device": args.device,
        "threads": args.threads,
        "quality": {"maps": False, "n_iter": args.iterations, "tv_weight": args.tv_weight},
    }
    return load_config(json.dumps(document), "options")


def _show(reports: Sequence[SceneReport], refine: Sequence[str], console: Console) -> None:
    from cassi_core.quality.scenarios import SCENARIOS, mean_scores, rms_error

    def cells(scores: Any) -> list[str]:
        return [f"{scores.psnr_db:.2f}", f"{scores.ssim:.4f}", f"{scores.sam_deg:.2f}"]

    headings = ["scene", *(f"{s} {m}" for s in SCENARIOS for m in ("PSNR", "SSIM", "SAM"))]
    rows = [[r.name, *(c for s in SCENARIOS for c in cells(r.scores(s)))] for r in reports]
    rows.append(["average", *(c for s in SCENARIOS for c in cells(mean_scores(reports, s)))])
    console.table(headings, rows, numeric=tuple(range(1, len(headings))))
    console.result()
    headings = ["scene", *(f"{n} error" for n in refine), "seconds", "verdict"]
    rows = [[r.name, *(f"{r.error(n):+.{SPECS[n].digits}f}" for n in refine), f"{r.seconds:.1f}", r.verdict] for r in reports]
    rms = [f"{rms_error(reports, n):.{SPECS[n].digits}f}" for n in refine]
    rows.append(["rms", *rms, f"{sum(r.seconds for r in reports) / len(reports):.1f}", ""])
    console.table(headings, rows, numeric=tuple(range(1, len(headings) - 1)))


def _write_csv(reports: Sequence[SceneReport], refine: Sequence[str], path: Path) -> None:
    from cassi_core.io.atomic import atomic_write
    from cassi_core.quality.scenarios import report_rows

    headings, rows = report_rows(reports, refine)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    atomic_write(path, text.getvalue().encode())
