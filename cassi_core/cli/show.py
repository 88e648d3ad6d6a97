"""`cassi show`: a calibration file or a session for humans."""

from __future__ import annotations

import argparse
from typing import Any

from cassi_core.cli.console import Console
from cassi_core.cli.options import add_json_option

DESCRIPTION = (
    "Print a calibration file: parameters with error bars, verdict with its reasons, inputs with hashes, how it was made. "
    "Of a session (*.cassi.h5): inputs, settings, all runs, which one is accepted, notes."
)


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("show", help="print a calibration file or a session for humans", description=DESCRIPTION)
    parser.add_argument("calibration", metavar="FILE", help="calibration file C.cassi.json or session S.cassi.h5")
    add_json_option(parser, "the file, checked,")


def run(args: argparse.Namespace, console: Console) -> int:
    """Read, check and print."""
    from cassi_core.cli.result_output import print_checks, print_optics, print_parameters, print_scores
    from cassi_core.io.calibration_file import is_session, read_calibration, read_optics, read_registration, steps_of
    from cassi_core.quality.check_text import outcome_words, verdict_words
    from cassi_core.quality.registration_text import registration_line

    if is_session(args.calibration):
        from cassi_core.cli.show_session import show_session

        return show_session(args.calibration, args.json, console)
    stored = read_calibration(args.calibration)
    document = stored.document
    if args.json:
        console.json(document)
        return 0
    console.result(f"calibration     {stored.path}")
    if stored.calibrated is not None:
        console.result(f"calibrated      {stored.calibrated.astimezone():%Y-%m-%d %H:%M}")
    registration = read_registration(document.get("registration"))
    if registration is not None:
        console.result(f"may be off by   {registration_line(registration)}")
    console.result(f"verdict         {verdict_words(stored.verdict.status, stored.outcome)}")
    print_checks(stored.verdict, console)
    console.result()
    print_parameters(stored.parameters, stored.start, steps_of(document), console)
    print_optics(read_optics(document), stored.dispersion, console)
    console.result()
    print_scores(stored.scores, console)
    d = stored.dispersion
    console.result(f"dispersion      {d.n_bands} bands, {d.step_px:.6g} px per band, direction {d.direction}, {d.mode} offsets")
    if d.wavelengths_nm is not None:
        console.result(f"wavelengths     {d.wavelengths_nm[0]:.1f} .. {d.wavelengths_nm[-1]:.1f} nm")
    for role, source in [*(("snapshot", x) for x in stored.inputs), ("mask", stored.mask_source)]:
        shape = " x ".join(str(n) for n in source.shape)
        name = f"{source.path}::{source.key}" if source.key else source.path
        console.result(f"{role:<15} {name} ({shape}){f' sha256 {source.sha256}' if source.sha256 else ''}")
    console.result(
        f"made by         preset {stored.preset}, {document.get('seconds_total', 0.0):.1f} s on {document.get('device', '?')}, "
        f"seed {document.get('seed', '?')}{outcome_words(stored.outcome)}"
    )
    software = document.get("software") or {}
    console.result("software        " + ", ".join(f"{name} {version}" for name, version in software.items()))
    for note in document.get("notes") or []:
        console.result(f"note            {note}")
    return 0
