"""What every check means in plain words: its title, what it measures, why it may not be passed, what to do, and which actions help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal[
    "try_orientations",
    "choose_mask",
    "detect_dispersion",
    "refine_more",
    "mark_saturated",
    "more_light",
    "add_frame",
    "hold_dispersion",
    "run_auto",
    "widen_bounds",
    "more_steps",
    "continue_search",
    "start_over",
]
"""What a person can do about a check; whoever shows it offers a button for each, likeliest help first."""


@dataclass(frozen=True)
class CheckWords:
    """The words of one kind of check; `advice` says what to do, `actions` are the same as buttons, likeliest help first."""

    title: str
    means: str
    causes: str
    advice: str
    actions: tuple[Action, ...] = ()


CHECKS: dict[str, CheckWords] = {
    "search not finished": CheckWords(
        "Search not finished",
        "The run was stopped before a fit could say how wrong the values are.",
        "Stop and keep best was chosen while candidates were still being compared.",
        "Go on searching, or start over with the preset auto, which takes seconds.",
        ("continue_search", "run_auto", "start_over"),
    ),
    "mask found": CheckWords(
        "Mask in the picture",
        "How clearly the pattern of this mask stands out in the picture, against the same mask some pixels away.",
        "A mask file of another rig, a mask turned or mirrored, a wrong step or direction of the bands, too little light.",
        "Try the other orientations of the mask, then another mask file, then let step and bands be found; take more light if it is only weak.",
        ("try_orientations", "choose_mask", "detect_dispersion", "more_light"),
    ),
    "residual": CheckWords(
        "What the fit cannot explain",
        "The part of the light that the best scene cannot explain, divided by the same at the start values; below 1 the fit helped.",
        "A wrong step or band count, a search that ended in the wrong place, a mask of another rig.",
        "Run the preset auto, and let step and bands be found.",
        ("run_auto", "detect_dispersion", "start_over"),
    ),
    "held-out residual": CheckWords(
        "Predicts pixels that it did not see",
        "Some pixels are hidden from the scene estimate; this is how much worse they are predicted than at the start values.",
        "A fit that follows noise, a wrong step or band count, very little light.",
        "Run the preset auto, take more light, or add another picture of the same rig.",
        ("run_auto", "detect_dispersion", "more_light", "add_frame"),
    ),
    "bounds": CheckWords(
        "Values within their bounds",
        "How many values ended on the edge of where they were allowed to go: the true value may lie beyond it.",
        "Bounds that are too narrow for this rig, or a wrong step or band count that pushes a value away.",
        "Widen the bounds and run again; check step and bands.",
        ("widen_bounds", "detect_dispersion"),
    ),
    "what the picture tells": CheckWords(
        "Which values this picture can tell",
        "The error of the least known value as a share of what was known before: near 1 the picture added nothing.",
        "A dark or smooth scene, one picture only, values that change the picture in the same way.",
        "Hold the dispersion at its measured values, or add another picture of the same rig.",
        ("hold_dispersion", "add_frame", "more_light"),
    ),
    "registration error": CheckWords(
        "How far off the mask may be",
        "The expected distance between where the mask is and where the calibration puts it, rms over the lit picture.",
        "Little light, a scene without texture, optics that bend the picture.",
        "Take more light, a scene with more texture, or add another picture of the same rig.",
        ("more_light", "add_frame", "hold_dispersion"),
    ),
    "wavelength error": CheckWords(
        "Wavelengths",
        "How far the bands may be renamed along the spectrum; this blurs nothing and is no reason to doubt the mask.",
        "One picture hardly tells the wavelengths of its bands.",
        "Measure the dispersion with a lamp of known lines or with monochromatic light if wavelengths matter.",
    ),
    "settled": CheckWords(
        "Fit came to rest",
        "Whether the last step of the fit was smaller than its error bars.",
        "Too few steps were allowed, or the start was far away.",
        "Run it again with more steps.",
        ("more_steps", "run_auto"),
    ),
    "leftover shifts": CheckWords(
        "Shifts left over",
        "How far the mask pattern still lies from where the calibration puts it, block by block, beyond the errors of the blocks (rms).",
        "Optics that bend the picture, values that were not refined, a mask picture that is bent.",
        "Refine the magnification and the turn too; trust the middle of the picture more than its edges.",
        ("refine_more", "add_frame", "choose_mask"),
    ),
    "shifted blocks": CheckWords(
        "Blocks that are shifted",
        "How many blocks of the picture show a shift beyond two of their errors, against how many do so by chance.",
        "Optics that bend the picture, values that were not refined, frames that do not belong to one rig.",
        "Refine the magnification and the turn too; in a joint fit, calibrate the frames one by one and compare.",
        ("refine_more", "start_over"),
    ),
    "systematic shifts": CheckWords(
        "Pattern in the shifts",
        "Whether the shifts left over follow a rule, such as a magnification, a turn or a bent image, and how large that is (rms).",
        "A value that was not refined, a lens that distorts, a prism that bends lines.",
        "Refine the magnification and the turn too.",
        ("refine_more", "add_frame"),
    ),
    "pattern in what is left": CheckWords(
        "Pattern in what is left",
        "How far a regular pattern, such as stripes, stands out of what the fit cannot explain; noise leaves none.",
        "A mask picture that does not show what the rig shows (its lattice, dust, clipped light), interference, a camera with striped noise.",
        "Choose a mask picture that was taken in the rig and is not clipped; take a dark frame and a flat field.",
        ("choose_mask", "detect_dispersion", "mark_saturated"),
    ),
    "width": CheckWords(
        "Width fits the dispersion",
        "Pixels by which the picture is wider or narrower than mask and bands together.",
        "A wrong number of bands, a wrong step, a cropped picture.",
        "Let step and bands be found, or correct them.",
        ("detect_dispersion",),
    ),
    "saturation": CheckWords(
        "Saturated pixels",
        "The share of the pixels that are too bright for the camera or lost by the correction; they are left out of the fit.",
        "An exposure that is too long, a bright highlight in the scene.",
        "Mark the saturated pixels as unusable, or expose shorter.",
        ("mark_saturated",),
    ),
    "light": CheckWords(
        "Light in the picture",
        "The share of the picture that holds light; only there the mask can be seen.",
        "A dark scene, a small bright spot, a short exposure.",
        "Take a brighter or larger scene, or expose longer.",
        ("more_light", "add_frame"),
    ),
    "finished early": CheckWords(
        "Stopped early",
        "The fit was stopped before it had come to rest; its errors count what was still changing.",
        "Stop and keep best was chosen during the final fit.",
        "Go on searching for the smallest errors.",
        ("continue_search",),
    ),
}
"""By the name of the check in files."""
