"""`cassi check`: what is wrong with the inputs of a calibration, before anything is fitted."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console
from cassi_core.cli.options import FILES_HELP, add_input_options, add_json_option, describe_inputs, load_inputs_of

if TYPE_CHECKING:
    from cassi_core.calibration.prealign import PreAlignment
    from cassi_core.inputs import CalibrationInputs

DESCRIPTION = """Look at snapshots and mask before a calibration: saturation, background, hot pixels, contrast, sizes, and
whether the mask's pattern is found in the picture at all, and where.
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
    from cassi_core.config import AutoSettings
    from cassi_core.quality.findings import find_problems

    inputs = load_inputs_of(args)
    findings = find_problems(inputs)
    settings = AutoSettings()
    aligned = _prealign(inputs, settings.reach_px, settings.reach_deg)
    found = aligned.z >= settings.min_peak_z
    if args.json:
        console.json(
            {
                "format": "cassi-check",
                "version": 1,
                "inputs": [asdict(frame.source) for frame in inputs.frames],
                "mask": asdict(inputs.mask_source),
                "dispersion": {"n_bands": inputs.dispersion.n_bands, "step_px": inputs.dispersion.step_px},
                "findings": [asdict(finding) for finding in findings],
                "pre_alignment": {"dx": aligned.dx, "dy": aligned.dy, "theta": aligned.theta, "z": aligned.z, "found": found},
            }
        )
    else:
        console.result(describe_inputs(inputs))
        for finding in findings:
            name = "" if finding.frame is None or len(inputs.frames) == 1 else f" [{inputs.frames[finding.frame].source.path}]"
            console.result(f"{finding.severity:<7}  {finding.title}{name}: {finding.text}")
        if not findings:
            console.result("ok       nothing to complain about")
        console.result(alignment_line(aligned, found, settings.min_peak_z))
    grave = not found or any(finding.severity == "error" for finding in findings)
    return EXIT_FINDING_IS_AN_ERROR if grave else 0


def alignment_line(aligned: PreAlignment, found: bool, threshold: float) -> str:
    """Whether and where the mask's pattern was found, in words."""
    if not found:
        return (
            f"error    Mask not found: the best match stands {aligned.z:.1f} times above its noise, {threshold:g} is needed; "
            "is it the mask of this rig, the right way round, with the right step and direction?"
        )
    return (
        f"ok       Mask found: {aligned.z:.0f} times above the noise, about {aligned.dx:+.1f} px to the right, "
        f"{aligned.dy:+.1f} px down, turned by {aligned.theta:+.2f} deg"
    )


def _prealign(inputs: CalibrationInputs, reach_px: float, reach_deg: float) -> PreAlignment:
    """The coarse position of the mask, in the rig's frame."""
    from dataclasses import replace

    from cassi_core.calibration.prealign import prealign
    from cassi_core.calibration.rig_model import RigModel
    from cassi_core.dispersion import vector_from_dispersion_frame

    turned = inputs.in_dispersion_frame()
    found = prealign([RigModel.from_frame(turned, frame) for frame in turned.frames], reach_px=reach_px, reach_deg=reach_deg)
    dx, dy = vector_from_dispersion_frame(found.dx, found.dy, inputs.dispersion.direction)
    return replace(found, dx=dx, dy=dy)
