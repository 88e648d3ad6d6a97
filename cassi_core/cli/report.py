"""`cassi report`: one self-contained page about a calibration."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cassi_core.cli.calibrate import EXIT_VERDICT_FAIL
from cassi_core.cli.console import Console
from cassi_core.cli.options import FILES_HELP, add_input_options, assignments, comma_list, describe_inputs, load_inputs_of
from cassi_core.cli.pictures import camera_of

if TYPE_CHECKING:
    from cassi_core.report import ReportContent

DESCRIPTION = """Write a report about a calibration, with all pictures inside: verdict, parameters with error bars, residual maps,
leftover shifts, spectra, convergence, inputs with hashes, settings. The name of --out chooses the kind: .pdf is laid out on A4 with page
numbers, everything else is one HTML page that reads in every browser.

Given a calibration file, its inputs are read again for the pictures (without them the page has none). Given a session, the page is about
its accepted run. Given snapshots, they are
calibrated first, and the page shows the search as well.
"""

CALIBRATION_SUFFIX = ".json"


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "report",
        help="a report as HTML or PDF, to read, print and keep",
        usage="cassi report C.cassi.json|S.cassi.h5 [--out FILE.html|FILE.pdf] | cassi report MEAS [MEAS ...] [options]",
        description=DESCRIPTION,
        epilog=FILES_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_input_options(parser)
    group = parser.add_argument_group("fit (snapshots only)")
    group.add_argument("--preset", choices=("auto", "reference", "algorithm1"), help="algorithm (auto)")
    group.add_argument("--refine", type=comma_list, metavar="NAMES", help="parameters to refine, for instance dx,dy,theta")
    group.add_argument("--fix", type=comma_list, default=(), metavar="NAMES", help="parameters to hold at their start values")
    group.add_argument("--start", type=assignments, default={}, metavar="NAME=VALUE,...", help="start values (0)")
    group.add_argument("--config", metavar="FILE", help="settings as JSON; the options here come before them")
    group.add_argument("--device", metavar="NAME", help="where torch runs: auto, cpu, cuda or cuda:INDEX (auto)")
    group.add_argument("--seed", type=int, metavar="N", help="seed of everything random (0)")
    parser.add_argument(
        "--out", metavar="FILE", help="report to write, .html or .pdf (default: NAME.report.html in the current folder)"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Gather what the page tells, write it, say where it is."""
    from cassi_core.io.atomic import check_writable
    from cassi_core.io.calibration_file import is_session
    from cassi_core.io.readers import split_spec
    from cassi_core.report import check_report_name, write_report

    first = split_spec(args.measurements[0])[0]
    alone = len(args.measurements) == 1
    of_session = alone and is_session(first)
    out = Path(args.out or _default_name(first))
    check_report_name(out)
    check_writable(out)
    of_file = of_session or (alone and first.suffix.lower() == CALIBRATION_SUFFIX)
    if of_session:
        content = _of_session(first, console)
    else:
        content = _of_file(first, args, console) if of_file else _of_snapshots(args, console)
    console.result(f"written: {write_report(content, out)}")
    return EXIT_VERDICT_FAIL if not of_file and content.verdict.status == "fail" else 0


def _default_name(first: Path) -> str:
    """NAME.report.html for NAME.cassi.json, NAME.cassi.h5 and NAME with any suffix of a snapshot."""
    known = next((s for s in (".cassi.json", ".cassi.h5", ".json") if first.name.lower().endswith(s)), first.suffix)
    return first.name.removesuffix(known) + ".report.html"


def _of_file(path: Path, args: argparse.Namespace, console: Console) -> ReportContent:
    """The page of a calibration file; inputs that are gone cost the pictures, not the page."""
    from cassi_core.cli.interrupt import cancel_on_interrupt
    from cassi_core.errors import InputError
    from cassi_core.io.calibration_file import read_calibration
    from cassi_core.io.rig_inputs import inputs_of
    from cassi_core.report import content_of_file
    from cassi_core.run import RunControl

    stored = read_calibration(path)
    try:
        inputs = inputs_of(stored, mask=args.mask, dark=args.dark, flat=args.flat, camera=camera_of(args))
    except InputError as error:
        console.warning(f"the page will hold no pictures: {error}")
        inputs = None
    if inputs is not None:
        console.info(f"{describe_inputs(inputs)}; computing residuals, cubes and leftover shifts before and after ...")
    control = RunControl()
    with cancel_on_interrupt(control):
        content = content_of_file(stored, inputs, control)
        control.checkpoint()
    return content


def _of_session(path: Path, console: Console) -> ReportContent:
    """The page of the accepted run of a session: everything is in there, so nothing is computed again."""
    from cassi_core.io.session import read_session
    from cassi_core.io.session.calibration import accepted_of, snapshots_of
    from cassi_core.report import content_of_result

    session = read_session(path).session
    record = accepted_of(path, session.accepted_run)
    console.info(f"{path}: {record.name}" + (f" ({record.note})" if record.note else ""))
    return content_of_result(record.result, snapshots_of(record.result, session.inputs), f"{path.name}: {record.name}")


def _of_snapshots(args: argparse.Namespace, console: Console) -> ReportContent:
    from cassi_core.cli.calibrate import configuration, fit, start_parameters
    from cassi_core.report import content_of_result

    config = configuration(args)
    parameters = start_parameters(config, args)
    inputs = load_inputs_of(args, console)
    console.info(describe_inputs(inputs))
    return content_of_result(fit(inputs, config, parameters, console), inputs, config=config)
