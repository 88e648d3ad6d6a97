"""A verification in words: headline, sentences, and the names of shifts and turns as people say them."""

from __future__ import annotations

from dataclasses import replace

from cassi_core.formatting import format_value
from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.findings import find_problems
from cassi_core.quality.names import NAMES
from cassi_core.quality.noise import noise_share
from cassi_core.verification.comparing import CHANCE, beyond
from cassi_core.verification.earlier import EarlierCalibration
from cassi_core.verification.result import ParameterChange, Verification

CHANGES = {
    "dx": ("to the right", "to the left"),
    "dy": ("down", "up"),
    "theta": ("turned to the left", "turned to the right"),
    "scale_x": ("larger from left to right", "smaller from left to right"),
    "scale_y": ("larger from top to bottom", "smaller from top to bottom"),
    "slope": ("longer dispersion step", "shorter dispersion step"),
    "curve": ("more curved dispersion", "less curved dispersion"),
    "alpha": ("tilted dispersion axis", "dispersion axis tilted back"),
}
"""What a change is called, for a positive and for a negative one."""
TOO_NOISY = 0.35
"""Noise over light from which on a picture is called dark: rigs in enough light reach 0.31 (40 simulated ones, seeds 0 to 39)."""
MENTIONED = 3.0
"""Changes of as many standard errors are mentioned beside the largest one."""


def headline(found: Verification) -> str:
    """The answer in a few words."""
    if found.state == "holds":
        return "The calibration still holds"
    moved = drift_named(found)
    if found.state == "cannot_tell" or moved is None:
        return "Cannot tell"
    return f"Drifted: {change_in_words(moved)}"


def drift_named(found: Verification) -> ParameterChange | None:
    """The change that a drift is named after: of those that are significant the one that shifts the mask furthest."""
    told = [c for c in found.changes if c.told]
    sure = [c for c in told if abs(c.significance) >= MENTIONED] or told
    return max(sure, key=lambda c: abs(c.change) / c.allowed, default=None)


def change_in_words(change: ParameterChange) -> str:
    """`0.84 px down`, `0.10 deg turned to the left`, `0.21 % larger from left to right`."""
    side = CHANGES[change.name][change.change < 0]
    value, _, unit = shown(change)
    return f"{_short(abs(value))} {unit} {side}"


def shown(change: ParameterChange) -> tuple[float, float, str]:
    """The change with its error as they are shown, and their unit: magnifications in per cent."""
    name = NAMES[change.name]
    return change.change * name.factor, change.sigma * name.factor, name.unit


def not_found(inputs: CalibrationInputs, peak_z: float) -> tuple[str, ...]:
    """Why nothing can be said: what is wrong with the pictures, else that the mask is not in them."""
    text = (
        f"The mask was not found in the picture: its strongest trace is {peak_z:.1f} times the noise. "
        "Is this the mask of this rig, in the orientation of the calibration?"
    )
    return (text, *problems_of(inputs))


def problems_of(inputs: CalibrationInputs) -> tuple[str, ...]:
    """What is wrong with the pictures, too little light first."""
    share = max(noise_share(inputs, frame) or 0.0 for frame in range(len(inputs.frames)))
    dark = (f"Too little light: the noise is {100 * share:.0f} % of the light; expose longer or open the aperture.",)
    found = tuple(f"{p.title}: {p.text}." for p in find_problems(inputs) if p.severity != "info")
    return (*(dark if share > TOO_NOISY else ()), *found)


def explained(found: Verification, inputs: CalibrationInputs, earlier: EarlierCalibration) -> Verification:
    """The verification with its reasons in sentences."""
    sentences = [_main_sentence(found)]
    if found.state == "cannot_tell":
        sentences += problems_of(inputs)
    untold = [NAMES[c.name].words.lower() for c in found.changes if not c.told]
    if untold:
        sentences.append(f"Not told by one picture: {', '.join(untold)}.")
    if found.state == "holds" and found.common is not None and found.common.expected_px > found.limit_px:
        sentences.append(
            f"Along the dispersion as a whole one picture tells the place only to {found.common.expected_px:.2f} px; "
            "that renames wavelengths and blurs nothing."
        )
    if not earlier.knows_errors:
        sentences.append("The earlier calibration does not know its errors; only today's count.")
    return replace(found, reasons=tuple(sentences))


def _main_sentence(found: Verification) -> str:
    assert found.across is not None and found.pattern is not None and found.common is not None
    limit = f"{found.limit_px:.2f} px"
    if found.state == "cannot_tell":
        error = max(found.across.expected_px, found.pattern.expected_px)
        if error <= found.limit_px:
            return (
                f"The pattern of the mask is where it was, but along the dispersion it lies {found.common.moved_px:.2f} px further as a whole, with "
                f"another length of the band train; {limit} is allowed. A dim end of the spectrum is easily misread like that, and it blurs nothing: "
                "verify with another picture."
            )
        return (
            f"Today's picture tells the place of the mask only to {error:.2f} px (rms), and {limit} is allowed: "
            "take a picture with more light or a scene with more texture."
        )
    if found.state == "drifted":
        return _drift_sentence(found, limit)
    significant = found.probability is not None and found.probability < CHANCE
    largest = max(found.across.moved_px, found.pattern.moved_px)
    if significant:
        return (
            f"The mask moved by {largest:.2f} px (rms over the lit picture), which is less than the {limit} that are allowed."
        )
    return f"Nothing moved by more than its error explains: {largest:.2f} px (rms over the lit picture); {limit} is allowed."


def _drift_sentence(found: Verification, limit: str) -> str:
    moved = drift_named(found)
    assert moved is not None
    value, error, unit = shown(moved)
    text = f"{NAMES[moved.name].words} changed by {format_value(value, error, '')} {unit}: {abs(moved.significance):.0f} times the error"
    sizes = (
        (found.across, "across the dispersion"),
        (found.pattern, "of the pattern along it"),
        (found.common, "along it as a whole"),
    )
    shifts = [f"{s.moved_px:.2f} px {words}" for s, words in sizes if s is not None and beyond(s)]
    text += f". Details of the mask shifted by {' and '.join(shifts)} (rms over the lit picture); {limit} is allowed."
    others = [
        NAMES[c.name].words.lower() for c in found.changes if c is not moved and c.told and abs(c.significance) >= MENTIONED
    ]
    return f"{text} Also changed: {', '.join(others)}." if others else f"{text} Nothing else changed."


def _short(value: float) -> str:
    """A size in two digits, at least two decimals below ten."""
    if value >= 10:
        return f"{value:.1f}"
    if value >= 0.095:
        return f"{value:.2f}"
    return f"{value:.2g}" if value >= 1e-3 else f"{value:.5f}"
