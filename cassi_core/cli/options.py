"""Options that several commands share: which files are the inputs of a rig, and how they are read."""

from __future__ import annotations

import argparse
from typing import Any

from cassi_core.cli.console import Console
from cassi_core.cli.pictures import add_camera_options, add_mask_options, camera_of, mask_turn_of
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import StoredCalibration

FILES_HELP = """files: .npz .npy .mat (all versions) .h5 .hdf5 .tif .tiff .png, ENVI .hdr; FILE::KEY chooses an array inside a file,
FILE::KEY[3] a picture of a stack, FILE::KEY[mean] their mean, FILE::KEY[100:612,80:646] a region (also [3,100:612,80:646]).
Raw numbers without a header: FILE.raw::shape=1024x1280,dtype=uint16,order=little,offset=0
Without --mask the array `mask` of the measurement's file is used. Bands and step come from the options, else from the file
(step_px, n_bands, wavelengths_nm), else from the widths: W_measurement - W_mask = round(step * (bands - 1)).
"""


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Measurements, mask, dispersion, dark and flat frames."""
    parser.add_argument("measurements", nargs="+", metavar="MEAS", help="snapshot of the rig; several are fitted jointly")
    group = parser.add_argument_group("rig")
    group.add_argument("--mask", metavar="FILE", help="picture of the mask (default: `mask` in the file of MEAS)")
    group.add_argument("--bands", type=int, metavar="N", help="number of spectral bands")
    steps = group.add_mutually_exclusive_group()
    steps.add_argument("--step", type=float, metavar="PX", help="dispersion from band to band in pixels")
    steps.add_argument(
        "--dispersion", metavar="CSV", help="table of cumulative offsets: offset_px, or wavelength_nm,offset_px[,sigma_px]"
    )
    group.add_argument(
        "--direction", choices=("right", "left", "down", "up"), default="right", help="where the bands go (right)"
    )
    group.add_argument(
        "--mode", choices=("interpolated", "integer"), default="interpolated", help="fractional offsets: split or rounded"
    )
    group.add_argument("--wavelengths", metavar="FILE", help="band centres in nm: a table with one a line, or a cube's file")
    group.add_argument("--dark", metavar="FILE", help="dark frame, subtracted")
    group.add_argument("--flat", metavar="FILE", help="flat field, divided by")
    add_mask_options(group)
    add_camera_options(parser)


def load_inputs_of(args: argparse.Namespace, console: Console) -> CalibrationInputs:
    """The inputs that the options name, with progress for large files; InputError in one sentence otherwise. Ctrl-C cancels."""
    from cassi_core.cli.interrupt import cancel_on_interrupt
    from cassi_core.io.inputs_from_files import load_inputs
    from cassi_core.io.readers import ReadMeter
    from cassi_core.run import RunControl

    control = RunControl()
    with cancel_on_interrupt(control):
        inputs = load_inputs(
            args.measurements,
            mask=args.mask,
            bands=args.bands,
            step=args.step,
            dispersion_csv=args.dispersion,
            dark=args.dark,
            flat=args.flat,
            direction=args.direction,
            mode=args.mode,
            camera=camera_of(args),
            mask_roi=args.mask_roi,
            mask_turn=mask_turn_of(args),
            wavelengths=args.wavelengths,
            meter=ReadMeter(control, console.reading),
        )
    console.done()
    return inputs


def describe_inputs(inputs: CalibrationInputs) -> str:
    """One line: how many snapshots of which size, the mask and the dispersion."""
    (height, width), d = inputs.frames[0].image.shape, inputs.dispersion
    count = f"{len(inputs.frames)} snapshots" if len(inputs.frames) > 1 else "snapshot"
    return (
        f"{count} {height} x {width}, mask {inputs.mask.shape[0]} x {inputs.mask.shape[1]}, "
        f"{d.n_bands} bands, {d.step_px:.4g} px per band, direction {d.direction}"
    )


def comma_list(text: str) -> tuple[str, ...]:
    """`dx,dy, theta` as a tuple of names."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def assignments(text: str) -> dict[str, float]:
    """`dx=0.5,theta=-0.1` as a dictionary; argparse turns the error into exit code 2."""
    found: dict[str, float] = {}
    for part in comma_list(text):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{part!r} is not NAME=NUMBER") from None
    return found


def add_json_option(parser: argparse.ArgumentParser | Any, what: str) -> None:
    """`--json`: a document on standard output."""
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON on standard output")


def warn_of_failure(stored: StoredCalibration, console: Console) -> None:
    """Say that a calibration is not one before something is made with it, and why."""
    if stored.verdict.status == "fail":
        why = next((r.text for r in stored.verdict.reasons if r.status == "fail"), "")
        console.warning(
            f"{stored.path}: the verdict of this calibration is fail; do not rely on what is made with it. {why}".rstrip()
        )
