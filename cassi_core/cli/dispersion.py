"""`cassi dispersion`: frames of the mask in light of known wavelengths in, the rig's dispersion out."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console
from cassi_core.cli.options import add_json_option

if TYPE_CHECKING:
    from cassi_core.dispersion_measurement import BandTable, DispersionMeasurement

DESCRIPTION = """Measure the dispersion of a rig with frames of its mask in light of known wavelengths (laser lines, a monochromator, filters).

FOLDER holds one picture a wavelength, whose name says it: mask_540nm.tif, 540.5.png. Or it holds a table (.csv) with one
`file,wavelength_nm` a line, or is such a table itself. Every frame is registered to the mask; what all frames share is the place of
the mask, what differs is the dispersion: a polynomial along its axis, and the angle of the axis.
"""

EPILOG = """bands: without --bands and --wavelengths one for every frame; --bands N parts the measured range in N equal steps on the detector
(--spacing nm: in wavelength); --wavelengths takes the centres from a table (last column, one a line).

then: cassi calibrate MEAS --mask MASK --dispersion OUT.csv
The table carries its standard errors and alpha: the fit starts from the measured alpha and holds slope, curve and alpha unless
--refine names them.

exit codes: 0 done, 2 usage, 3 unusable input (also: fewer than two usable frames), 130 cancelled
"""


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "dispersion",
        help="measure the dispersion with monochromatic frames of the mask",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", help="folder of frames, or a table of file,wavelength_nm")
    parser.add_argument("--mask", metavar="FILE", required=True, help="picture of the nominal mask")
    group = parser.add_argument_group("bands")
    bands = group.add_mutually_exclusive_group()
    bands.add_argument("--bands", type=int, metavar="N", help="number of bands over the measured range")
    bands.add_argument("--wavelengths", metavar="CSV", help="table of band centres in nm, one a line")
    group.add_argument("--spacing", choices=("px", "nm"), default="px", help="equal steps of --bands: pixels or nm (px)")
    group = parser.add_argument_group("measurement")
    group.add_argument("--order", type=int, metavar="K", help="order of the polynomial (default: chosen by left-out frames)")
    group.add_argument(
        "--direction", choices=("right", "left", "down", "up"), help="where the bands go (default: right or down, as they move)"
    )
    group.add_argument("--dark", metavar="FILE", help="dark frame, subtracted from every frame")
    group.add_argument("--flat", metavar="FILE", help="flat field, every frame is divided by it")
    group.add_argument("--saturation", type=float, metavar="LEVEL", help="raw value of saturated pixels (default: found)")
    group = parser.add_argument_group("result")
    group.add_argument("--out", metavar="CSV", help="table of bands to write, for --dispersion of the other commands")
    add_json_option(group, "everything that was measured")


def run(args: argparse.Namespace, console: Console) -> int:
    """Find, read, register, fit, print, write."""
    from cassi_core.cli.interrupt import cancel_on_interrupt
    from cassi_core.dispersion_measurement import measure_dispersion
    from cassi_core.io.atomic import check_writable
    from cassi_core.io.dispersion_to_file import dispersion_document, write_dispersion
    from cassi_core.io.inputs_from_files import mean_image
    from cassi_core.io.mask_from_files import read_mask
    from cassi_core.io.monochromatic_frames import find_frames, read_frames
    from cassi_core.run import Progress, RunControl

    if args.out is not None:
        check_writable(args.out)
    named, strangers = find_frames(args.folder)
    mask = read_mask(args.mask, args.direction or "right").mask
    frames, broken = read_frames(
        named,
        dark=None if args.dark is None else mean_image(args.dark, "dark"),
        flat=None if args.flat is None else mean_image(args.flat, "flat"),
        saturation=args.saturation,
    )
    console.info(f"{len(frames)} frames of the mask; registering them ...")
    control, begun = RunControl(), time.perf_counter()

    def show(done: int, total: int) -> None:
        elapsed = time.perf_counter() - begun
        console.observe(Progress("frames", done, total, done / total, elapsed, elapsed * (total - done) / done))

    with cancel_on_interrupt(control):
        measured = measure_dispersion(
            frames,
            mask,
            order=args.order,
            direction=args.direction,
            left_out=(*strangers, *broken),
            control=control,
            progress=show,
        )
        control.checkpoint()
    console.done()
    for left in measured.left_out:
        console.warning(f"{left.name} is left out: {left.reason}")
    for note in measured.notes:
        console.warning(note)
    bands = _bands(measured, args)
    if args.json:
        console.json(dispersion_document(measured, bands))
    else:
        _print(measured, bands, console)
    if args.out is not None:
        written = write_dispersion(measured, bands, args.out)
        (console.info if args.json else console.result)(f"written: {written}")
        console.info(f"use it with: cassi calibrate MEAS --mask {args.mask} --dispersion {args.out}{_direction(measured)}")
    return 0


def _bands(measured: DispersionMeasurement, args: argparse.Namespace) -> BandTable:
    import numpy as np

    from cassi_core.dispersion_measurement.bands import band_table, equal_bands

    if args.bands is not None:
        return band_table(measured.curve, equal_bands(measured.curve, args.bands, args.spacing))
    if args.wavelengths is not None:
        from cassi_core.io.monochromatic_frames import read_wavelengths

        return band_table(measured.curve, read_wavelengths(Path(args.wavelengths)))
    return band_table(measured.curve, np.array([f.wavelength_nm for f in measured.frames]))


def _direction(measured: DispersionMeasurement) -> str:
    return "" if measured.direction == "right" else f" --direction {measured.direction}"


def _print(measured: DispersionMeasurement, bands: BandTable, console: Console) -> None:
    """Frames with residuals, the curve, the bands, the place of the mask."""
    from cassi_core.formatting import format_number
    from cassi_core.io.dispersion_to_file import KEPT
    from cassi_core.parameters import format_value

    rows = [
        (
            f.name,
            f"{f.wavelength_nm:g}",
            f"{f.along_px:.3f}",
            f"{f.sigma_along_px:.3f}",
            format_number(f.residual_along_px, 3, signed=True),
            format_number(f.residual_across_px, 3, signed=True),
            f"{f.agreement:.3f}",
        )
        for f in measured.frames
    ]
    headings = ("frame", "nm", "along [px]", "sigma", "residual", "across", "agreement")
    console.table(headings, rows, numeric=(1, 2, 3, 4, 5, 6))
    curve = measured.curve
    console.result()
    console.result(
        f"curve           order {curve.order} over {curve.low_nm:g} to {curve.high_nm:g} nm, residual {measured.residual_rms_px:.4f} px rms, "
        f"direction {measured.direction}"
    )
    outside = [nm for nm in bands.wavelengths_nm if not curve.low_nm <= nm <= curve.high_nm]
    if outside:
        console.warning(
            f"{len(outside)} of {bands.n_bands} bands lie outside the measured range; the curve is only extended there"
        )
    console.result()
    cells = [
        (str(i), f"{nm:.2f}", f"{s:.3f}", f"{e:.3f}")
        for i, (nm, s, e) in enumerate(zip(bands.wavelengths_nm, bands.offsets_px, bands.sigma_px, strict=True))
    ]
    console.table(("band", "nm", "offset [px]", "sigma"), cells, numeric=(0, 1, 2, 3))
    place = measured.place(float(bands.wavelengths_nm[0]))
    console.result()
    console.result("place of the mask (band 0); a calibration of the rig should find the same:")
    for name in KEPT:
        p = place[name]
        console.result(f"  {name:<8} {format_value(p.value, p.sigma, p.unit, p.spec.digits)}")
