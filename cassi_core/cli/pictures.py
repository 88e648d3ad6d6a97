"""Options that say how pictures are read: which of a stack, averaged, cut, turned, without bad pixels."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cassi_core.io.camera import CameraReading
    from cassi_core.io.readers import Roi, Turn

DEGREES = (0, 90, 180, 270)


def add_camera_options(parser: argparse.ArgumentParser) -> None:
    """Stack, region, orientation, bad pixels and saturation of the measurements; dark and flat frames follow them."""
    group = parser.add_argument_group("pictures of the camera (dark, flat and bad-pixel map are cut and turned like MEAS)")
    stack = group.add_mutually_exclusive_group()
    stack.add_argument("--frame", type=int, metavar="N", help="take only picture N of each stack, counted from 0 (all of them)")
    stack.add_argument(
        "--average",
        choices=("file", "all"),
        help="average repeated exposures of one scene: the pictures of each file, or of all files together",
    )
    group.add_argument("--roi", type=region, metavar="ROW:ROW,COL:COL", help="use this region of the pictures, ends excluded")
    group.add_argument("--mirror", action="store_true", help="swap left and right of the pictures, before --turn")
    group.add_argument(
        "--turn", type=int, choices=DEGREES, default=0, help="turn the pictures counter-clockwise by this many degrees (0)"
    )
    group.add_argument(
        "--bad-pixels",
        metavar="FILE",
        help="picture in which bad pixels are not 0, or text with row,column a line; they are left out of the fit",
    )
    group.add_argument("--saturation", type=float, metavar="LEVEL", help="raw value of saturated pixels (default: found)")


def add_mask_options(parser: argparse.ArgumentParser | Any) -> None:
    """Region and orientation of the mask's picture."""
    parser.add_argument("--mask-roi", type=region, metavar="ROW:ROW,COL:COL", help="use this region of the mask's picture")
    parser.add_argument("--mask-mirror", action="store_true", help="swap left and right of the mask, before --mask-turn")
    parser.add_argument(
        "--mask-turn", type=int, choices=DEGREES, default=0, help="turn the mask counter-clockwise by this many degrees (0)"
    )


def camera_of(args: argparse.Namespace) -> CameraReading:
    """How the options say that pictures are read."""
    from cassi_core.io.camera import CameraReading
    from cassi_core.io.readers import Turn

    return CameraReading(
        args.frame, args.average or "", args.roi, Turn(args.mirror, args.turn // 90), args.bad_pixels, args.saturation
    )


def mask_turn_of(args: argparse.Namespace) -> Turn:
    """The orientation of the mask."""
    from cassi_core.io.readers import Turn

    return Turn(args.mask_mirror, args.mask_turn // 90)


def region(text: str) -> Roi:
    """`ROW:ROW,COL:COL`; argparse turns the error into exit code 2."""
    from cassi_core.errors import InputError
    from cassi_core.io.readers import Roi

    try:
        return Roi.parse(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
