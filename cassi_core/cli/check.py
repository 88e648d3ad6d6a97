"""`cassi check`: what is wrong with the inputs of a calibration, before anything is fitted."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console
from cassi_core.cli.options import FILES_HELP, add_input_options, add_json_option, describe_inputs, load_inputs_of

if TYPE_CHECKING:
    from cassi_core.inputs import CalibrationInputs
    from cassi_core.quality.findings import Finding

DESCRIPTION = """Look at snapshots and mask before a calibration: saturation, background, hot pixels, contrast, sizes, and
whether the mask's pattern is found in the picture, where, the right way round, and spread as far as the bands should be.
"""

EXIT_FINDING_IS_AN_ERROR = 4


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "check",
        help="look at the inputs and say what is wrong with them",
        description=DESCRIPTION,
        epilog=FILES_HELP + "\nexit codes: 0 usable, 2 usage, 3 unusable input, 4 a calibration of these inputs would fail\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_input_options(parser)
    add_json_option(parser, "the findings")


def run(args: argparse.Namespace, console: Console) -> int:
    """Load, look, tell."""
    inputs = load_inputs_of(args, console)
    # Only now, because they take longer to import than an unusable file takes to be refused.
    from cassi_core.cli.interrupt import cancel_on_interrupt
    from cassi_core.config import AutoSettings
    from cassi_core.quality.detection import detect_mask
    from cassi_core.quality.findings import find_problems
    from cassi_core.run import RunControl

    problems = find_problems(inputs)
    auto, control = AutoSettings(), RunControl()
    with cancel_on_interrupt(control):
        detected = detect_mask(
            inputs, min_peak_z=auto.min_peak_z, reach_px=auto.reach_px, reach_deg=auto.reach_deg, control=control
        )
    findings = (*problems, *detected.findings)
    if args.json:
        console.json(check_document(inputs, findings))
    else:
        console.result(describe_inputs(inputs))
        for finding in findings:
            name = "" if finding.frame is None or len(inputs.frames) == 1 else f" [{inputs.frames[finding.frame].source.path}]"
            console.result(f"{finding.severity:<7}  {finding.title}{name}: {finding.text}")
    return EXIT_FINDING_IS_AN_ERROR if any(finding.severity == "error" for finding in findings) else 0


def check_document(inputs: CalibrationInputs, findings: Sequence[Finding]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "format": "cassi-check",
        "version": 1,
        "inputs": [asdict(frame.source) for frame in inputs.frames],
        "mask": asdict(inputs.mask_source),
        "dispersion": {"n_bands": inputs.dispersion.n_bands, "step_px": inputs.dispersion.step_px},
        "findings": [asdict(finding) for finding in findings],
    }
