"""`cassi verify`: does an earlier calibration still hold for today's picture?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console
from cassi_core.cli.options import add_json_option, warn_of_failure
from cassi_core.cli.pictures import add_camera_options, camera_of

if TYPE_CHECKING:
    from cassi_core.inputs import CalibrationInputs
    from cassi_core.io.calibration_file import StoredCalibration
    from cassi_core.verification.result import Verification

DESCRIPTION = """Say in seconds whether an earlier calibration still holds for today's picture of the rig: it holds, or it drifted (by how
much, in which parameters, at what significance), or the picture cannot tell. Mask, bands and dispersion are those of the calibration.
"""

EPILOG = """files: as `cassi calibrate --help` says. A number names an entry of the logbook: cassi verify 41 scene3.npz
exit codes: 0 the calibration holds, 2 usage, 3 unusable input, 4 the picture cannot tell, 5 drifted, 130 cancelled
"""

EXIT_CODES = {"holds": 0, "cannot_tell": 4, "drifted": 5}


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "verify",
        help="say whether an earlier calibration still holds for today's picture",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "calibration", metavar="C.cassi.json", help="earlier calibration: its file, a session, or the number of a logbook entry"
    )
    parser.add_argument("measurements", nargs="+", metavar="MEAS", help="snapshot of today; several are looked at jointly")
    parser.add_argument("--logbook", metavar="FILE", help="the logbook that has the entry (default: the one in use)")
    parser.add_argument("--mask", metavar="FILE", help="where the nominal mask lies now (default: as the calibration names it)")
    parser.add_argument("--dark", metavar="FILE", help="dark frame, subtracted")
    parser.add_argument("--flat", metavar="FILE", help="flat field, divided by")
    add_camera_options(parser)
    add_json_option(parser, "the verification")


def run(args: argparse.Namespace, console: Console) -> int:
    """Read both, verify, tell."""
    from cassi_core.cli.interrupt import cancel_on_interrupt
    from cassi_core.io.readers import ReadMeter
    from cassi_core.run import RunControl
    from cassi_core.verification.document import verification_document
    from cassi_core.verification.earlier import EarlierCalibration
    from cassi_core.verification.opening import open_earlier, pictures_of_today

    stored = open_earlier(args.calibration, args.logbook)
    warn_of_failure(stored, console)
    earlier = EarlierCalibration.of_stored(stored)
    control = RunControl()
    with cancel_on_interrupt(control):
        inputs = pictures_of_today(
            stored,
            args.measurements,
            mask=args.mask,
            dark=args.dark,
            flat=args.flat,
            camera=camera_of(args),
            meter=ReadMeter(control, console.reading),
        )
        console.done()
        _warn_of_another_mask(stored, inputs, console)
        # Only now, because it takes longer to import than an unusable file takes to be refused.
        from cassi_core.verification.verify import verify

        found = verify(inputs, earlier, control=control, observe=console.observe)
        control.checkpoint()
    console.done()
    if args.json:
        console.json(verification_document(found, stored, inputs))
    else:
        print_verification(found, console)
    return EXIT_CODES[found.state]


def _warn_of_another_mask(stored: StoredCalibration, inputs: CalibrationInputs, console: Console) -> None:
    was, now = stored.mask_source, inputs.mask_source
    if was.sha256 and now.sha256 and was.sha256 != now.sha256:
        console.warning(f"{now.path} is another file than the mask of the calibration, {was.path}; it is used all the same")


def print_verification(found: Verification, console: Console) -> None:
    """Headline, reasons, then one line per parameter."""
    from cassi_core.formatting import format_number, format_value
    from cassi_core.parameters import SPECS
    from cassi_core.verification.words import headline

    console.result(f"{headline(found)} ({found.seconds:.1f} s)")
    for reason in found.reasons:
        console.result(f"  {reason}")
    if not found.changes:
        return
    console.result()
    rows = []
    for c in found.changes:
        digits = SPECS[c.name].digits
        old, new = format_value(c.old, c.old_sigma, "", digits), format_value(c.new, c.new_sigma, "", digits)
        in_sigmas = format_number(c.significance, 1, signed=True) if c.told else "not told by one picture"
        rows.append((c.name, old, new, format_value(c.change, c.sigma, "", digits), in_sigmas, c.unit))
    console.table(("parameter", "earlier", "today", "change", "in sigmas", "unit"), rows)
    assert found.across is not None and found.pattern is not None and found.common is not None
    console.result()
    for name, moved in (("across", found.across), ("pattern", found.pattern), ("common along", found.common)):
        console.result(
            f"moved {name:<14} {moved.moved_px:.3f} px rms, {moved.expected_px:.3f} px by the errors alone (chance {moved.probability:.2g})"
        )
