"""`cassi calibrate`: snapshots and mask in, calibration out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console
from cassi_core.cli.options import (
    FILES_HELP,
    add_input_options,
    add_json_option,
    assignments,
    comma_list,
    describe_inputs,
    load_inputs_of,
)

if TYPE_CHECKING:
    from cassi_core.config import CalibrationConfig
    from cassi_core.inputs import CalibrationInputs
    from cassi_core.parameters import ParameterSet
    from cassi_core.result import CalibrationResult

DESCRIPTION = """Find where the mask of a rig really sits, from one or several snapshots of it, and write a calibration file.

Several MEAS are frames of one rig and are fitted jointly. The result is printed as a table (or with --json as the
calibration document) and written to --out, by default to NAME.cassi.json in the current folder.
"""

EPILOG = (
    FILES_HELP
    + """
parameters: dx dy (px), theta alpha (deg), scale_x scale_y, slope (px/band), curve (px/band^2), psf (px).
exit codes: 0 done, 2 usage, 3 unusable input, 4 done but the verdict is "fail", 130 cancelled (nothing is written)
"""
)

EXIT_VERDICT_FAIL = 4


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "calibrate",
        help="find where the mask sits, from one or several snapshots",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_input_options(parser)
    group = parser.add_argument_group("fit")
    group.add_argument("--preset", choices=("auto", "reference", "algorithm1"), help="algorithm (auto)")
    group.add_argument("--refine", type=comma_list, metavar="NAMES", help="parameters to refine, for instance dx,dy,theta")
    group.add_argument("--fix", type=comma_list, default=(), metavar="NAMES", help="parameters to hold at their start values")
    group.add_argument(
        "--start",
        type=start_values,
        default={},
        metavar="NAME=VALUE,...|C.cassi.json",
        help="start values (0), or an earlier calibration whose values to start from",
    )
    group.add_argument("--config", metavar="FILE", help="settings as JSON; the options here come before them")
    group.add_argument("--device", metavar="NAME", help="where torch runs: auto, cpu, cuda or cuda:INDEX (auto)")
    group.add_argument("--seed", type=int, metavar="N", help="seed of everything random (0)")
    group = parser.add_argument_group("result")
    group.add_argument("--out", metavar="FILE", help="calibration file (default: NAME.cassi.json, none with --json)")
    group.add_argument("--report", metavar="FILE", help="also write a report about the calibration, .html or .pdf")
    group.add_argument("--iterations", metavar="CSV", help="also write every step of the search as a table")
    group.add_argument("--grids", metavar="CSV", help="also write every point of the grid searches with its score as a table")
    group.add_argument(
        "--logbook", action="store_true", help="add the result to the logbook (see cassi logbook), unless it failed"
    )
    group.add_argument("--rig", metavar="NAME", help="with --logbook: name of the rig (default: the only one of the logbook)")
    add_json_option(group, "the calibration document")


def run(args: argparse.Namespace, console: Console) -> int:
    """Check everything that can be checked first, then fit, then write."""
    from cassi_core.io.atomic import check_writable

    config = with_measured_errors(configuration(args), args.dispersion)
    parameters = start_parameters(config, args)
    out = output_path(args)
    rig = _logbook_rig(args)
    for target in (out, args.report, args.iterations, args.grids):
        if target is not None:
            check_writable(target)
    if args.report is not None:
        from cassi_core.report import check_report_name

        check_report_name(args.report)
    inputs = load_inputs_of(args, console)
    console.info(describe_inputs(inputs))
    _warn(inputs, console)
    result = fit(inputs, config, parameters, console)
    _report(result, out, args.json, console)
    if args.report is not None:
        from cassi_core.report import write_report

        (console.info if args.json else console.result)(f"written: {write_report(result, args.report, inputs, config)}")
    _write_tables(result, args, console)
    if rig is not None:
        _add_to_logbook(result, rig, out, args, console)
    return EXIT_VERDICT_FAIL if result.verdict.status == "fail" else 0


def _write_tables(result: CalibrationResult, args: argparse.Namespace, console: Console) -> None:
    """The record of the search as CSV, where it was asked for."""
    from cassi_core.io.tables import write_grids, write_iterations

    say = console.info if args.json else console.result
    if args.iterations is not None:
        say(f"written: {write_iterations(result, args.iterations)}")
    if args.grids is not None:
        if not result.grids:
            console.warning(f"{args.grids}: the preset {result.preset} searched no grid; the table holds its heading only")
        say(f"written: {write_grids(result, args.grids)}")


def _logbook_rig(args: argparse.Namespace) -> str | None:
    """The rig to add the result to, found before the run: a wrong option must not cost a calibration."""
    from cassi_core.errors import ConfigError

    if not args.logbook:
        if args.rig is not None:
            raise ConfigError("--rig says which rig the logbook gets the result for; add --logbook")
        return None
    from cassi_core.cli.logbook import only_rig
    from cassi_core.logbook.entry import rig_name
    from cassi_core.logbook.location import logbook_path
    from cassi_core.logbook.store import Logbook

    contents = Logbook(logbook_path()).read()
    return only_rig(contents) if args.rig is None else rig_name(args.rig)


def _add_to_logbook(result: CalibrationResult, rig: str, out: Path | None, args: argparse.Namespace, console: Console) -> None:
    from dataclasses import replace
    from datetime import UTC, datetime

    from cassi_core.cli.logbook import note_added
    from cassi_core.cli.logbook_output import warn_of_drift
    from cassi_core.logbook.drift import judge_all
    from cassi_core.logbook.entry import entry_of_result
    from cassi_core.logbook.location import logbook_path
    from cassi_core.logbook.store import Logbook

    if result.verdict.status == "fail":
        console.warning("not added to the logbook: the verdict is fail (`cassi logbook add` adds the file all the same)")
        return
    book = Logbook(logbook_path())
    entry = entry_of_result(result, rig, result.calibrated or datetime.now(UTC))
    added = book.add(entry if out is None else replace(entry, path=str(out.absolute())))
    note_added(added, console, console.info if args.json else console.result)
    warn_of_drift(added.entry, judge_all(book.read())[added.entry.id], console)


def configuration(args: argparse.Namespace) -> CalibrationConfig:
    """The settings of `--config` with the options of the command line over them.

    Raises
    ------
    InputError
        The file cannot be read, or the device does not exist.
    ConfigError
        A setting that makes no sense.
    """
    import json

    from cassi_core.config import CalibrationConfig, load_config
    from cassi_core.devices import check_device

    config = CalibrationConfig() if args.config is None else load_config(_text_of(args.config), args.config)
    options = {"preset": args.preset, "refine": args.refine, "device": args.device, "seed": args.seed}
    given = {name: value for name, value in options.items() if value is not None}
    check_device(str(given.get("device", config.device)))
    return load_config(json.dumps({**config.model_dump(mode="json"), **given}), "command line")


def start_parameters(config: CalibrationConfig, args: argparse.Namespace) -> ParameterSet:
    """What is refined (the preset's choice unless said otherwise) and from where; ConfigError for an unknown name.

    A measured dispersion table (:mod:`cassi_core.dispersion_measurement`) holds slope and curve at 0 and alpha at the measured value,
    unless the names to refine are given. An earlier calibration gives all start values, also of what is held.
    """
    from cassi_core.config import DEFAULT_REFINE
    from cassi_core.errors import ConfigError
    from cassi_core.parameters import ParameterSet, check_names

    fixed = check_names(args.fix)
    held, measured = _measured_dispersion(args.dispersion)
    if config.refine is None:
        fixed = (*fixed, *held)
    wanted = DEFAULT_REFINE[config.preset] if config.refine is None else config.refine
    names = tuple(name for name in wanted if name not in fixed)
    if not names:
        raise ConfigError("no parameter is left to refine; name at least one with --refine")
    if isinstance(args.start, str):
        from cassi_core.io.calibration_file import read_calibration

        return ParameterSet.default(names).starting_from(read_calibration(args.start).parameters)
    return ParameterSet.default(names, {**measured, **args.start})


def start_values(text: str) -> dict[str, float] | str:
    """`dx=0.5,theta=-0.1` as a dictionary, or the name of a calibration file as it is."""
    return text if Path(text).suffix in (".json", ".h5") else assignments(text)


def with_measured_errors(config: CalibrationConfig, table: str | None) -> CalibrationConfig:
    """The settings with the errors of a measured dispersion table as what is known before: they constrain slope and alpha where refined."""
    from cassi_core.io.dispersion_from_files import read_dispersion_table

    if table is None:
        return config
    found = read_dispersion_table(table)
    if found.sigma_px is None or len(found.sigma_px) < 2:
        return config
    known = {}
    travel_error = float(found.sigma_px[-1])
    if travel_error > 0:
        known["prior_slope"] = travel_error / (len(found.sigma_px) - 1)
    if "alpha" in found.measured and found.measured["alpha"][1] > 0:
        known["prior_alpha"] = found.measured["alpha"][1]
    return config.model_copy(update={"auto": config.auto.model_copy(update=known)})


def _measured_dispersion(table: str | None) -> tuple[tuple[str, ...], dict[str, float]]:
    """What a measured dispersion table (one with standard errors) holds fixed, and the alpha that it says."""
    from cassi_core.io.dispersion_from_files import read_dispersion_table

    if table is None:
        return (), {}
    found = read_dispersion_table(table)
    if found.sigma_px is None:
        return (), {}
    alpha = {"alpha": found.measured["alpha"][0]} if "alpha" in found.measured else {}
    return ("slope", "curve", *alpha), alpha


def output_path(args: argparse.Namespace) -> Path | None:
    """Where the calibration goes: `--out`, else beside nothing with --json, else NAME.cassi.json in the current folder."""
    from cassi_core.io.calibration_file import SUFFIX
    from cassi_core.io.readers.select import split_spec

    if args.out is not None:
        return Path(args.out)
    return None if args.json else Path(split_spec(args.measurements[0])[0].stem + SUFFIX)


def _text_of(path: str) -> str:
    from cassi_core.errors import InputError

    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; check the name and the folder (--config)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the settings cannot be read as text ({type(error).__name__}) (--config)") from None


def _warn(inputs: CalibrationInputs, console: Console) -> None:
    """What is wrong with the inputs goes before the run: it explains a bad result."""
    from cassi_core.quality.findings import find_problems

    for finding in find_problems(inputs):
        if finding.severity != "info":
            name = "" if finding.frame is None else f"{inputs.frames[finding.frame].source.path}: "
            console.warning(f"{name}{finding.title.lower()}: {finding.text}")


def fit(inputs: CalibrationInputs, config: CalibrationConfig, parameters: ParameterSet, console: Console) -> CalibrationResult:
    """Calibrate with progress on the console; Ctrl-C cancels."""
    from cassi_core.calibration.pipeline import calibrate
    from cassi_core.cli.interrupt import cancel_on_interrupt
    from cassi_core.run import RunControl

    control = RunControl()
    with cancel_on_interrupt(control):
        result = calibrate(inputs, config, parameters, control=control, observe=console.observe)
        control.checkpoint()  # a Ctrl-C after the last checkpoint of the run still means: write nothing
    console.done()
    return result


def _report(result: CalibrationResult, out: Path | None, as_json: bool, console: Console) -> None:
    from cassi_core.io.calibration_file import calibration_document, write_calibration

    if as_json:
        console.json(calibration_document(result))
    else:
        print_result(result, console)
    if out is not None:
        earlier = ", in the place of an earlier file" if out.exists() else ""
        written = write_calibration(result, out)
        (console.info if as_json else console.result)(f"written: {written}{earlier}")


def print_result(result: CalibrationResult, console: Console) -> None:
    """Parameters, scores and verdict as a readable table on standard output."""
    from cassi_core.cli.result_output import print_checks, print_optics, print_parameters, print_scores
    from cassi_core.quality.check_text import outcome_words, verdict_words
    from cassi_core.quality.registration_text import registration_line

    if result.registration is not None:
        console.result(f"may be off by   {registration_line(result.registration)}")
        console.result()
    print_parameters(result.parameters, result.start, result.grid_steps, console)
    console.result()
    print_optics(result.optics, result.dispersion, console)
    print_scores(result.scores, console)
    ended = outcome_words(result.outcome)
    words = verdict_words(result.verdict.status, result.outcome)
    console.result(f"verdict         {words} ({result.source}, {result.seconds_total:.1f} s{ended})")
    print_checks(result.verdict, console)
    for note in result.notes:
        console.result(f"  note: {note}")
