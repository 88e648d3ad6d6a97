"""`cassi export`: the calibrated mask in the layout that reconstruction software loads."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cassi_core.cli.console import Console

DESCRIPTION = """Write the calibrated mask in the layout that reconstruction software loads, reload it, and compare its forward model
with the calibration's. The suffix of --out chooses the format: .mat (MATLAB v5), .h5, .npz, .npy. A folder gets the files under
the names that the consumer looks for.
"""

EPILOG = """profiles (arrays of float32; H x W: the mask; Wc = W + travel; L: bands):
  mst-real        mask (H x W), mask_3d_shift (H x Wc x L)     whole-pixel shifts by default
  mst-simulation  mask_3d_shift (H x Wc x L), mask (H x W)     whole-pixel shifts by default
  dauhst          Phi (L x H x Wc), Phi_s (H x Wc)             sub-pixel patterns by default
  plain           mask_3d_shift, mask, band_offsets_px (L x 2) sub-pixel patterns by default

Band l of mask_3d_shift fills the columns o_l .. o_l + W with o_l = round(s_nom[l]), the rest is zero; Phi is the same with the bands
first, Phi_s = sum_l Phi^2 with 1 where no light arrives. --shifts integer repeats the warped mask for all bands;
--shifts interpolated samples each band's pattern where it really lies, so that nothing of the dispersion is left out.

Everything is written so that the bands go to the right. For a rig with another direction the arrays are turned by quarter turns
(`quarter_turns` in the file): turn measurements by numpy.rot90(measurement, quarter_turns) as well.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "export",
        help="write the calibrated mask for reconstruction software",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("calibration", metavar="C.cassi.json", help="calibration file, or a session with an accepted run")
    parser.add_argument(
        "--profile", choices=("mst-real", "mst-simulation", "dauhst", "plain"), default="plain", help="layout (plain)"
    )
    parser.add_argument("--out", metavar="FILE", required=True, help="file to write, or a folder")
    parser.add_argument("--shifts", choices=("integer", "interpolated"), help="whole or sub-pixel band shifts (per profile)")
    parser.add_argument("--normalise", action="store_true", help="scale so that the largest value is exactly 1")
    parser.add_argument("--mask", metavar="FILE", help="where the nominal mask lies now (default: as the calibration names it)")


def run(args: argparse.Namespace, console: Console) -> int:
    """Read, write, check, and say where the files are."""
    from cassi_core.cli.options import warn_of_failure
    from cassi_core.io.calibration_file import read_calibration
    from cassi_core.io.exports import export_mask, load_calibrated_mask

    warn_of_failure(read_calibration(args.calibration), console)
    rig = load_calibrated_mask(args.calibration, args.mask)
    report = export_mask(rig, args.profile, Path(args.out), shifts=args.shifts, normalise=args.normalise)
    for note in report.notes:
        console.warning(note)
    console.info(f"self-check: the forward model of the written file deviates by {report.deviation:.1e} (relative)")
    for path in report.paths:
        console.result(f"written: {path}")
    return 0
