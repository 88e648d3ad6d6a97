"""`cassi reconstruct`: the spectral cube of a snapshot, rebuilt with the calibrated geometry."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cassi_core.cli.console import Console
from cassi_core.cli.pictures import add_camera_options, camera_of

DESCRIPTION = """Rebuild the spectral cube of snapshots by accelerated GAP with total variation, with the geometry of a calibration file.
Without MEAS the snapshots that the calibration was made from are taken.
"""

EPILOG = """formats, chosen by the suffix of --out (several --out write several files):
  .h5 .hdf5   cube [band, row, column] float32 with wavelengths and units
  .mat        cube [row, column, band] float32, MATLAB v5
  .hdr        ENVI: header and band-sequential .raw with wavelengths and units
  .tif        one float page a band
  .png        pseudo-colour picture
  .csv        spectra at --points ROW,COL [ROW,COL ...]
With several snapshots the files are numbered: NAME-1.h5, NAME-2.h5, ...
"""


def point(text: str) -> tuple[int, int]:
    """`ROW,COL` as two whole numbers; argparse turns the error into exit code 2."""
    row, _, col = text.partition(",")
    try:
        return int(row), int(col)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not ROW,COL; name the snapshots before --points") from None


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "reconstruct",
        help="rebuild the spectral cube of snapshots with a calibration",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("measurements", nargs="*", metavar="MEAS", help="snapshot of the calibrated rig")
    parser.add_argument(
        "--calibration", metavar="C.cassi.json", required=True, help="calibration file, or a session with an accepted run"
    )
    parser.add_argument(
        "--out", metavar="FILE", required=True, action="append", help="file to write; may be given several times"
    )
    parser.add_argument(
        "--points", type=point, nargs="+", default=[], metavar="ROW,COL", help="points whose spectra are written"
    )
    parser.add_argument("--mask", metavar="FILE", help="where the nominal mask lies now (default: as the calibration names it)")
    parser.add_argument("--dark", metavar="FILE", help="dark frame, subtracted")
    parser.add_argument("--flat", metavar="FILE", help="flat field, divided by")
    add_camera_options(parser)
    parser.add_argument("--iterations", type=int, metavar="N", help="GAP iterations (40)")
    parser.add_argument("--tv-weight", type=float, metavar="X", help="weight of the total variation (0.02)")
    parser.add_argument("--nominal", action="store_true", help="use the parameters before the fit, for comparison")


DEFAULT_ITERATIONS = 40


def run(args: argparse.Namespace, console: Console) -> int:
    """Check the targets first, then reconstruct every snapshot, then write."""
    from cassi_core.cli.interrupt import cancel_on_interrupt
    from cassi_core.cli.options import warn_of_failure
    from cassi_core.config import CalibrationConfig
    from cassi_core.io.atomic import check_writable
    from cassi_core.io.calibration_file import read_calibration, read_optics
    from cassi_core.io.reconstruction_files import Reconstruction, check_target, write_reconstruction
    from cassi_core.io.rig_inputs import inputs_of
    from cassi_core.quality.reconstruction import reconstruct
    from cassi_core.run import RunControl
    from cassi_core.solvers.fused_cpu import ensure_compiled

    stored = read_calibration(args.calibration)
    warn_of_failure(stored, console)
    for name in args.out:
        check_target(name, bool(args.points))
        check_writable(name)
    config = _with_settings(CalibrationConfig(), args)
    inputs = inputs_of(stored, args.measurements, mask=args.mask, dark=args.dark, flat=args.flat, camera=camera_of(args))
    parameters = stored.start if args.nominal else stored.parameters
    terms = {} if args.nominal else {term.name: term.value_px for term in read_optics(stored.document)}
    control = RunControl()
    with cancel_on_interrupt(control):
        ensure_compiled(control)
        for i, frame in enumerate(inputs.frames):
            found = reconstruct(inputs, parameters, config=config, frame=i, control=control, terms=terms)
            control.checkpoint()
            console.info(f"{frame.source.path}: relative residual {found.score:.4f}")
            description = f"GAP-TV reconstruction of {Path(frame.source.path).name} with {Path(args.calibration).name}"
            cube = Reconstruction(found.cube, inputs.dispersion.wavelengths_nm, tuple(args.points), description)
            for name in args.out:
                target = Path(name) if len(inputs.frames) == 1 else _numbered(Path(name), i + 1)
                for path in write_reconstruction(cube, target):
                    console.result(f"written: {path}")
    return 0


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _with_settings(config: Any, args: argparse.Namespace) -> Any:
    """The configuration with the options of the command line; ConfigError for values out of range."""
    import json

    from cassi_core.config import load_config

    document = config.model_dump(mode="json")
    document["quality"]["n_iter"] = DEFAULT_ITERATIONS if args.iterations is None else args.iterations
    if args.tv_weight is not None:
        document["quality"]["tv_weight"] = args.tv_weight
    return load_config(json.dumps(document), "command line")
