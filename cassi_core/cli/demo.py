"""`cassi demo`: calibrate the embedded demo rig and compare with its truth."""

from __future__ import annotations

import argparse
from typing import Any

from cassi_core.cli.console import Console
from cassi_core.cli.interrupt import cancel_on_interrupt
from cassi_core.parameters import SPECS

DESCRIPTION = """Calibrate the demo rig that ships with the program, and compare what is found with what was put in.

The demo is a simulated snapshot of 28 bands through a 256 x 256 mask that sits a little wrong. The table shows each
fitted parameter with its standard error, the truth, and how many standard errors lie between the two.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "demo",
        help="calibrate the embedded demo rig and compare with its truth",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="threads of the CPU kernel (default: all cores)")


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the preset `auto` on the demo and print the comparison."""
    from cassi_core.calibration.pipeline import calibrate
    from cassi_core.cli.result_output import print_checks
    from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
    from cassi_core.demo import deviations, load_demo
    from cassi_core.formatting import error_digits, format_number
    from cassi_core.parameters import ParameterSet
    from cassi_core.quality.registration_text import registration_line
    from cassi_core.run import RunControl

    demo = load_demo()
    frame = demo.inputs.frames[0]
    console.info(
        f"demo rig: {frame.image.shape[0]} x {frame.image.shape[1]} measurement, {demo.inputs.dispersion.n_bands} bands, "
        f"step {demo.inputs.dispersion.step_px:g} px"
    )
    config = CalibrationConfig(preset="auto", threads=args.threads)
    start = ParameterSet.default(DEFAULT_REFINE["auto"])
    control = RunControl()
    with cancel_on_interrupt(control):
        result = calibrate(demo.inputs, config, start, control=control, observe=console.observe)
        control.checkpoint()
    console.done()
    if result.registration is not None:
        console.result(f"may be off by {registration_line(result.registration)}")
        console.result()
    rows = []
    for d in deviations(result.parameters, demo.truth):
        spec = SPECS[d.name]
        distance = "" if d.in_sigmas is None else format_number(d.in_sigmas, 1, signed=True)
        # Two digits of sigma decide how many digits of the value mean anything.
        digits = error_digits(d.sigma) if d.sigma else spec.digits
        sigma = "" if d.sigma is None else format_number(d.sigma, digits)
        value, truth = (format_number(v, digits, signed=True) for v in (d.value, d.truth))
        rows.append((d.name, value, sigma, truth, distance, spec.unit))
    console.table(("parameter", "value", "sigma", "truth", "error/sigma", "unit"), rows, numeric=(1, 2, 3, 4))
    console.result()
    console.result(f"residual {result.scores.residual_before:.4f} before, {result.scores.residual_after:.4f} after")
    console.result(f"verdict: {result.verdict.status} ({result.seconds_total:.1f} s on {result.device})")
    print_checks(result.verdict, console)
    return 0
