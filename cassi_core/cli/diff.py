"""`cassi diff`: two calibrations side by side."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from cassi_core.cli.console import Console
from cassi_core.cli.options import add_json_option

DESCRIPTION = """Compare two calibration files of one rig: each parameter with its difference in its unit and in standard errors
(sqrt(sigma_a^2 + sigma_b^2)), and how far apart both put the mask and the bands, in pixels."""


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("diff", help="compare two calibration files", description=DESCRIPTION)
    parser.add_argument("a", metavar="A.cassi.json", help="first calibration file")
    parser.add_argument("b", metavar="B.cassi.json", help="second calibration file")
    add_json_option(parser, "the comparison")


def run(args: argparse.Namespace, console: Console) -> int:
    """Read both, compare, print."""
    from cassi_core.formatting import format_number
    from cassi_core.io.calibration_diff import compare_calibrations
    from cassi_core.io.calibration_file import read_calibration
    from cassi_core.parameters import format_value

    a, b = read_calibration(args.a), read_calibration(args.b)
    found = compare_calibrations(a, b)
    if args.json:
        entries = {
            d.name: {"a": d.a.value, "b": d.b.value, "difference": d.difference, "in_sigmas": d.in_sigmas, "unit": d.a.unit}
            for d in found.parameters
        }
        console.json({**asdict(found), "remarks": list(found.remarks), "parameters": entries})
        return 0
    rows = []
    for d in found.parameters:
        spec = d.a.spec
        sigmas = "" if d.in_sigmas is None else format_number(d.in_sigmas, 1, signed=True)
        values = [format_value(p.value, p.sigma, "", spec.digits) for p in (d.a, d.b)]
        rows.append((d.name, *values, format_number(d.difference, spec.digits + 1, signed=True), sigmas, spec.unit))
    console.table(("parameter", "a", "b", "b - a", "in sigmas", "unit"), rows, numeric=(3, 4))
    console.result()
    console.result(f"mask            {found.mask_largest_px:.4f} px apart at most, {found.mask_rms_px:.4f} px rms")
    if found.bands_largest_px is not None:
        console.result(f"band offsets    {found.bands_largest_px:.4f} px apart at most")
    console.result(f"verdict         {a.verdict.status} and {b.verdict.status}")
    console.result(f"residual        {a.scores.residual_after:.4f} and {b.scores.residual_after:.4f}")
    for remark in found.remarks:
        console.warning(remark)
    return 0
