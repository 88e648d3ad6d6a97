"""`cassi simulate`: make a snapshot of a rig with a known misalignment."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console
from cassi_core.dispersion import QUARTER_TURNS
from cassi_core.errors import ConfigError
from cassi_core.parameters import SPECS, format_value

if TYPE_CHECKING:
    from cassi_core.simulate.recipe import Recipe

DESCRIPTION = """Make a snapshot of a made-up scene through a made-up mask that is not where it should be.

Writes OUT.npz (measurement, nominal mask, step, bands, wavelengths: what `cassi calibrate` reads), OUT.cube.npz (the true
scene) and OUT.truth.json (the true parameters). The simulator shares no code with the model that is fitted.
"""

EXAMPLES = """examples:
  cassi simulate --dx 1.3 --dy -0.6 --theta 0.4 --out rig
  cassi simulate --scene chart --size 128x192 --bands 16 --step 1.5 --direction down --scale-y 0.003 --seed 7 --out tilted
  cassi simulate --mask-kind grey --psf 0.5 --subbands 4 --exposure 1.2 --pedestal 40 --hot-pixels 20 --out hard
  cassi simulate --radial 0.6 --colour -0.4 --bow-u2 0.3 --out bent
"""

SCENES = ("mixed", "materials", "textures", "leaves", "chart", "resolution")
LENS = (
    ("radial", "--radial", "the lens moves details at the edge outwards"),
    ("colour1", "--colour", "the last band is magnified more, the first one less"),
    ("colour2", "--colour2", "the bands at both ends are magnified more than the middle ones"),
    ("bow_u2", "--bow-u2", "lines along the dispersion are bent"),
    ("bow_uv", "--bow-uv", "lines along the dispersion fan out"),
    ("bow_v2", "--bow-v2", "the scale across the dispersion changes"),
)
"""Terms of the optics with their options."""
MASKS = ("binary", "grey")


def add_parser(subparsers: Any) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "simulate",
        help="make snapshots of a rig with a known misalignment",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help="where to write: OUT.npz and its companions")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same files (default 0)")
    _add_scene_options(parser.add_argument_group("scene and dispersion"))
    _add_mask_options(parser.add_argument_group("mask"))
    truth = parser.add_argument_group("what is wrong with the rig (all 0 unless given)")
    for spec in SPECS.values():
        unit = (spec.unit or "relative").replace("%", "%%")
        option = "--" + spec.name.replace("_", "-")
        truth.add_argument(option, type=float, default=0.0, dest=spec.name, metavar="X", help=f"{spec.description} [{unit}]")
    truth.add_argument(
        "--subbands", type=int, default=1, metavar="N", help="parts that a band is smeared into over its own width (default 1)"
    )
    for name, option, words in LENS:
        truth.add_argument(
            option, type=float, default=0.0, dest=name, metavar="PX", help=f"{words} [px at the edge of the mask]"
        )
    _add_camera_options(parser.add_argument_group("camera"))


def _add_scene_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--scene", choices=SCENES, default="mixed", help="kind of scene (default mixed)")
    group.add_argument("--size", default="256x256", metavar="HxW", help="rows x columns of scene and mask (default 256x256)")
    group.add_argument("--bands", type=int, default=28, metavar="N", help="number of bands (default 28)")
    group.add_argument("--step", type=float, default=2.0, metavar="PX", help="dispersion between bands in pixels (default 2)")
    group.add_argument("--direction", choices=tuple(QUARTER_TURNS), default="right", help="where the bands go (default right)")


def _add_mask_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--mask-kind", choices=MASKS, default="binary", help="random open/closed, or its grey camera picture")
    group.add_argument("--feature", type=float, default=2.0, metavar="PX", help="side of a mask element (default 2)")
    group.add_argument("--open", type=float, default=0.5, metavar="SHARE", help="share of open elements (default 0.5)")
    group.add_argument("--mask-blur", type=float, default=0.6, metavar="PX", help="blur of a grey mask's picture (default 0.6)")


def _add_camera_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--exposure",
        type=float,
        default=0.9,
        metavar="SHARE",
        help="brightest light as a share of saturation; above 1 saturates (default 0.9)",
    )
    group.add_argument("--full-well", type=float, default=1e4, metavar="E", help="electrons at saturation (default 10000)")
    group.add_argument("--read-noise", type=float, default=5.0, metavar="E", help="read noise in electrons (default 5)")
    group.add_argument("--bits", type=int, default=12, metavar="N", help="bits of the camera, 4 to 24 (default 12)")
    group.add_argument("--pedestal", type=float, default=0.0, metavar="DN", help="level of black in grey levels (default 0)")
    group.add_argument("--hot-pixels", type=int, default=0, metavar="N", help="pixels that are always bright (default 0)")
    group.add_argument("--no-noise", action="store_true", help="no shot noise, no read noise, no rounding")


def run(args: argparse.Namespace, console: Console) -> int:
    """Make the snapshot and say in words what was written."""
    from cassi_core.io.atomic import check_writable
    from cassi_core.simulate.recipe import make_rig, write_rig

    recipe = recipe_of(args)
    if not args.out.name:
        raise ConfigError(f"--out {args.out}: name a file, for instance --out {Path(args.out) / 'rig'}")
    check_writable(args.out)
    rig = make_rig(recipe)
    paths = write_rig(rig, args.out)
    console.table(
        ("parameter", "truth"),
        [
            *((s.name, format_value(getattr(recipe.truth, s.name), None, s.unit, s.digits)) for s in SPECS.values()),
            *((name, format_value(value, None, "px", 2)) for name, value in recipe.lens.values().items() if value),
        ],
        numeric=(1,),
    )
    for path, what in zip(paths, ("measurement and nominal mask", "true scene", "true parameters"), strict=True):
        console.info(f"wrote {path} ({what})")
    return 0


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The recipe that the options describe; ConfigError for impossible values."""
    from cassi_core.simulate.camera import Camera
    from cassi_core.simulate.lens import Lens
    from cassi_core.simulate.recipe import Recipe
    from cassi_core.simulate.rig import Misalignment

    camera = Camera(
        exposure=args.exposure,
        full_well_e=args.full_well,
        read_e=args.read_noise,
        bits=args.bits,
        pedestal_dn=args.pedestal,
        hot_pixels=args.hot_pixels,
        noise=not args.no_noise,
    )
    return Recipe(
        shape=parse_size(args.size),
        n_bands=args.bands,
        step_px=args.step,
        direction=args.direction,
        scene=args.scene,
        mask_kind=args.mask_kind,
        feature_px=args.feature,
        open_fraction=args.open,
        mask_blur_px=args.mask_blur,
        truth=Misalignment.of({name: getattr(args, name) for name in SPECS}),
        camera=camera,
        subbands=args.subbands,
        lens=Lens(**{name: getattr(args, name) for name, _, _ in LENS}),
        seed=args.seed,
    )


def parse_size(text: str) -> tuple[int, int]:
    """Rows and columns from ``HxW`` (or one number for a square)."""
    parts = text.lower().split("x")
    if len(parts) in (1, 2) and all(p.isdecimal() for p in parts):
        rows, cols = int(parts[0]), int(parts[-1])
        if min(rows, cols) >= 16 and max(rows, cols) <= 8192:
            return rows, cols
    raise ConfigError(f"--size {text}: give rows x columns between 16 and 8192, for instance 256x320")
