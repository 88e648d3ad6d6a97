"""Whether a calibration can be trusted: every check with its number, its threshold and its meaning in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Direction
from cassi_core.inputs import CalibrationInputs, Frame
from cassi_core.parameters import ParameterSet
from cassi_core.quality.findings import width_mismatch
from cassi_core.quality.shift_pattern import Pattern, patterns
from cassi_core.result import LocalShift, Reason, RegistrationError, Scores, Verdict, VerdictStatus

ORDER: dict[VerdictStatus, int] = {"pass": 0, "warn": 1, "fail": 2}
WEAK_PEAK = 1.5
"""Peaks below this many times the least height make a warning. Wrong masks of random pattern reach at most 5.7 times the noise (736 tried), right
ones 14 to 70, in dark and blurred pictures 10; a wrong one of stripes or of a regular grid may reach 14."""
LEAST_EVIDENCE, WEAK_EVIDENCE = 2.0, 4.0
"""Nats per patch by which the picture must be likelier with the mask where it was found. A wrong mask that is fitted reaches 0.8 (28 tried), right
ones 3.7 on the weakest pictures."""
WARN_RMS_PX, FAIL_RMS_PX = 0.1, 0.5
"""Leftover misregistration above which reconstructions visibly suffer, and above which the mask is in the wrong place."""
LEFTOVER_WARNING = ": part of the misalignment is outside the model; the standard errors allow for it"
PATTERN_PX, PATTERN_SIGMAS = 0.1, 4.0
PATTERN_MEANING = {
    "magnification": "the fit has not found the magnification; run it again with scale_x and scale_y refined",
    "rotation": "the fit has not found the angle; run it again with theta refined",
    "shear": "the eight parameters cannot express it; trust the middle of the picture and look at how the mask is mounted",
    "barrel": "the optics distort, which the eight parameters cannot express; trust the middle of the picture more than its edges",
    "pincushion": "the optics distort, which the eight parameters cannot express; trust the middle of the picture more than its edges",
    "bow": "lines of the mask are bent, as by a prism; trust the middle of the picture more than its edges",
}
WARN_SATURATED = 0.002
WARN_DARK = 0.02


def judge(
    parameters: ParameterSet,
    scores: Scores,
    *,
    inputs: CalibrationInputs,
    peak_z: float | None,
    min_peak_z: float,
    evidence: float | None = None,
    shifts: Sequence[LocalShift] = (),
    told: Reason | None = None,
    registration: RegistrationError | None = None,
    settled: bool = True,
    finished_early: bool = False,
) -> Verdict:
    """The verdict of a finished calibration; its status is the worst of its reasons. `told` says what the picture tells."""
    reasons: list[Reason] = []
    if peak_z is not None:
        reasons.append(_peak(peak_z, min_peak_z) if evidence is None else _evidence(evidence, peak_z))
    reasons.append(_fit_residual(scores, proven=evidence is not None and evidence >= WEAK_EVIDENCE))
    if scores.held_out_before is not None and scores.held_out_after is not None:
        reasons.append(_held_out(scores.held_out_before, scores.held_out_after))
    reasons.append(_bounds(parameters))
    if told is not None:
        reasons.append(told)
    if registration is not None:
        reasons += [_registration(registration), _wavelength(registration)]
    if not settled:
        text = "the fit had not settled after its last step: run it again with more steps (max_steps)"
        reasons.append(Reason("settled", "warn", 1.0, 0.0, text))
    if shifts:
        reasons.append(_leftover(shifts))
        height, width = inputs.frames[0].image.shape
        reasons += _systematic(patterns(shifts, (height, width)))
    reasons += _width(inputs)
    reasons += _exposure(inputs)
    if finished_early:
        reasons.append(
            Reason("finished early", "warn", 1.0, 0.0, "the search was stopped early; this is the best found until then")
        )
    status = max((r.status for r in reasons), key=ORDER.__getitem__)
    return Verdict(status, tuple(reasons))


def _peak(z: float, least: float) -> Reason:
    if z < least:
        text = (
            f"the mask was not found: its correlation peak is {z:.1f} times the noise, {least:g} are needed; "
            "is this the mask of this rig, in this orientation, with this step and direction?"
        )
        return Reason("mask found", "fail", z, least, text)
    if z < WEAK_PEAK * least:
        text = (
            f"the mask stands out weakly: correlation peak {z:.1f} times the noise, from {WEAK_PEAK * least:g} on it is beyond doubt; "
            "check on the overlay that its pattern matches, and give the picture more light if you can"
        )
        return Reason("mask found", "warn", z, WEAK_PEAK * least, text)
    return Reason("mask found", "pass", z, least, f"the mask is in the picture: correlation peak {z:.1f} times the noise")


def _evidence(nats: float, z: float) -> Reason:
    """Whether the picture needs the mask where it is."""
    if nats < LEAST_EVIDENCE:
        text = (
            f"the mask was not found: some pixels away it explains the picture nearly as well (correlation peak {z:.1f} times the noise); "
            "is this the mask of this rig, in this orientation, with this step and direction?"
        )
        return Reason("mask found", "fail", nats, LEAST_EVIDENCE, text)
    if nats < WEAK_EVIDENCE:
        text = (
            "the mask stands out weakly: some pixels away it explains the picture not much worse; check on the overlay that its pattern "
            "matches, and give the picture more light if you can"
        )
        return Reason("mask found", "warn", nats, WEAK_EVIDENCE, text)
    text = f"the mask is in the picture: a patch is e^{nats:.0f} times likelier with it here than some pixels away"
    return Reason("mask found", "pass", nats, WEAK_EVIDENCE, text)


def _fit_residual(scores: Scores, *, proven: bool) -> Reason:
    """Whether a brief reconstruction follows the picture; it is a rougher judge than a likelihood that has `proven` the mask."""
    ratio = scores.residual_after / scores.residual_before if scores.residual_before > 0 else 1.0
    text = f"residual {scores.residual_before:.4f} before, {scores.residual_after:.4f} after"
    # A mask that was right from the start leaves nothing to improve: only a clearly worse fit is an alarm.
    if ratio > 1.02:
        if proven:
            return Reason(
                "residual",
                "warn",
                ratio,
                1.0,
                text + ": a brief reconstruction is worse than at the assumed position; look at the proof",
            )
        return Reason("residual", "fail", ratio, 1.0, text + ": worse than the assumed position; do not use this result")
    return Reason("residual", "pass", ratio, 1.0, text)


def _held_out(before: float, after: float) -> Reason:
    ratio = after / before if before > 0 else 1.0
    text = f"held-out pixels: residual {before:.4f} before, {after:.4f} after"
    if ratio > 1.05:
        return Reason("held-out residual", "warn", ratio, 1.0, text + ": pixels that the fit did not see are explained worse")
    return Reason("held-out residual", "pass", ratio, 1.0, text)


def _bounds(parameters: ParameterSet) -> Reason:
    stuck = [p.name for p in parameters if p.at_bound and p.name != "psf"]
    if stuck:
        text = f"{', '.join(stuck)} ended on a bound: widen the bounds or check the rig"
        return Reason("bounds", "warn", float(len(stuck)), 0.0, text)
    return Reason("bounds", "pass", 0.0, 0.0, "no parameter ended on a bound")


def leftover_rms(shifts: Sequence[LocalShift]) -> float:
    """RMS of the local shifts in pixels, both directions together; see :func:`excess_rms`."""
    values = np.array([(s.right, s.down) for s in shifts]).ravel()
    return excess_rms(values, np.array([(s.sigma_right, s.sigma_down) for s in shifts]).ravel())


def excess_rms(values: NDArray[np.float64], sigmas: NDArray[np.float64]) -> float:
    """RMS of shifts in pixels beyond what their standard errors explain, weighted by their certainty."""
    sigmas = np.maximum(sigmas, 1e-3)
    weights = 1 / (sigmas**2 + 0.05**2)
    return float(np.sqrt(max(0.0, float(np.sum(weights * (values**2 - sigmas**2)) / np.sum(weights)))))


def across_excess(shifts: Sequence[LocalShift], direction: Direction) -> float:
    """RMS in pixels of the local shifts across the dispersion beyond what their standard errors explain; 0 without shifts."""
    if not shifts:
        return 0.0
    across = [(s.right, s.sigma_right) if direction in ("down", "up") else (s.down, s.sigma_down) for s in shifts]
    return excess_rms(*np.array(across).T)


def _registration(error: RegistrationError) -> Reason:
    """The verdict is about this: how far from its true place the mask may be in this picture."""
    worst = max(error.across_px, error.pattern_px)
    text = f"the mask may be {error.across_px:.3f} px off across the dispersion and its pattern {error.pattern_px:.3f} px along it (rms)"
    if worst > WARN_RMS_PX:
        return Reason(
            "registration error",
            "warn",
            worst,
            WARN_RMS_PX,
            text + ": take more light, a scene with more texture, or more snapshots",
        )
    return Reason("registration error", "pass", worst, WARN_RMS_PX, text)


def _wavelength(error: RegistrationError) -> Reason:
    """Wavelengths are no reason to doubt a mask: one snapshot hardly tells them."""
    nm = "" if error.wavelength_nm is None else f" ({error.wavelength_nm:.2f} nm)"
    text = (
        f"wavelengths may be {error.wavelength_bands:.3f} bands{nm} off (rms); they blur nothing. A lamp with known lines or frames in "
        "monochromatic light would tell them"
    )
    return Reason("wavelength error", "pass", error.wavelength_bands, float("inf"), text)


def _leftover(shifts: Sequence[LocalShift]) -> Reason:
    rms = leftover_rms(shifts)
    text = f"leftover local shifts beyond their errors: {rms:.3f} px rms over {len(shifts)} {'block' if len(shifts) == 1 else 'blocks'}"
    if rms > FAIL_RMS_PX:
        return Reason("leftover shifts", "fail", rms, FAIL_RMS_PX, text + ": the mask pattern is not where the result puts it")
    if rms > WARN_RMS_PX:
        return Reason("leftover shifts", "warn", rms, WARN_RMS_PX, text + LEFTOVER_WARNING)
    return Reason("leftover shifts", "pass", rms, WARN_RMS_PX, text)


def _systematic(found: Sequence[Pattern]) -> list[Reason]:
    """The largest pattern in the leftover shifts that is beyond doubt and large enough to matter."""
    for pattern in found:
        if pattern.rms_px > PATTERN_PX and pattern.significance > PATTERN_SIGMAS:
            text = f"the leftover shifts form a pattern, {pattern.name} of {pattern.rms_px:.2f} px rms: {PATTERN_MEANING[pattern.name]}"
            return [Reason("systematic shifts", "warn", pattern.rms_px, PATTERN_PX, text)]
    return (
        [Reason("systematic shifts", "pass", found[0].rms_px, PATTERN_PX, "no pattern in the leftover shifts")] if found else []
    )


def _width(inputs: CalibrationInputs) -> list[Reason]:
    """A fit with a wrong step or band count can look right in every other respect: part of the bands explains most of the light."""
    grown, travel, text = width_mismatch(inputs)
    return [Reason("width", "warn", float(grown), float(travel), text)] if text else []


def _share_lost(frame: Frame) -> float:
    """The share of the pixels that exposure or correction lost; those of a bad-pixel map were lost before."""
    if frame.usable is None:
        return 0.0
    return float(np.mean(~frame.usable if frame.bad is None else ~frame.usable & ~frame.bad))


def _exposure(inputs: CalibrationInputs) -> list[Reason]:
    found = []
    unusable = max(_share_lost(frame) for frame in inputs.frames)
    if unusable > WARN_SATURATED:
        text = f"{100 * unusable:.2f} % of the pixels are saturated or unusable: lower the exposure"
        found.append(Reason("saturation", "warn", unusable, WARN_SATURATED, text))
    for frame in inputs.frames:
        high, low = (float(v) for v in np.quantile(frame.image, (0.999, 0.005)))
        lit = float(np.mean(frame.image > low + WARN_DARK * (high - low)))
        if lit < 0.1:
            text = f"only {100 * lit:.0f} % of the picture holds light: take a brighter or larger scene"
            found.append(Reason("light", "warn", lit, 0.1, text))
            break
    return found
