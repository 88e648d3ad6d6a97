"""Checks of a fit: was the mask found, did the fit help, did it end inside its bounds, how far off may the mask be."""

from __future__ import annotations

import math

from cassi_core.parameters import ParameterSet
from cassi_core.result import Limits, Reason, RegistrationError, Scores, judged

WEAK_PEAK = 1.5
"""Peaks below this many times the least height make a warning. Wrong masks of random pattern reach at most 5.7 times the noise (736 tried), right
ones 14 to 70, in dark and blurred pictures 10; a wrong one of stripes or of a regular grid may reach 14."""
LEAST_EVIDENCE, WEAK_EVIDENCE = 2.0, 4.0
"""Nats per patch by which the picture must be likelier with the mask where it was found. A wrong mask that is fitted reaches 0.8 (28 tried), right
ones 3.7 on the weakest pictures."""
WORSE_RESIDUAL, WORSE_HELD_OUT = 1.02, 1.05
"""A mask that was right from the start leaves nothing to improve: only a clearly worse fit is an alarm."""
FAR_PX = 0.1
"""Registration error above which reconstructions visibly suffer."""
POSE = ("dx", "dy", "theta")
PHOTON_SHARE = 0.8
"""From this share of the unexplained variance on it is the light's own noise that limits a picture, so that more light helps as theory says."""


def peak_check(z: float, least: float) -> Reason:
    """The height of the correlation peak in units of its noise."""
    beyond_doubt = WEAK_PEAK * least
    return judged(
        "mask found",
        z,
        Limits("at least", warn=beyond_doubt, fail=least),
        {
            "fail": (
                f"the mask was not found: its correlation peak is {z:.1f} times the noise, {least:g} are needed; "
                "is this the mask of this rig, in this orientation, with this step and direction?"
            ),
            "warn": (
                f"the mask stands out weakly: correlation peak {z:.1f} times the noise, from {beyond_doubt:g} on it is beyond doubt; "
                "check on the overlay that its pattern matches, and give the picture more light if you can"
            ),
            "pass": f"the mask is in the picture: correlation peak {z:.1f} times the noise",
        },
        unit="times the noise",
    )


def evidence_check(nats: float, z: float) -> Reason:
    """Whether the picture needs the mask where it is."""
    return judged(
        "mask found",
        nats,
        Limits("at least", warn=WEAK_EVIDENCE, fail=LEAST_EVIDENCE),
        {
            "fail": (
                f"the mask was not found: some pixels away it explains the picture nearly as well (correlation peak {z:.1f} times the noise); "
                "is this the mask of this rig, in this orientation, with this step and direction?"
            ),
            "warn": (
                "the mask stands out weakly: some pixels away it explains the picture not much worse; check on the overlay that its "
                "pattern matches, and give the picture more light if you can"
            ),
            "pass": f"the mask is in the picture: a patch is e^{nats:.0f} times likelier with it here than some pixels away",
        },
        unit="nats per patch",
    )


def residual_check(scores: Scores, *, proven: bool) -> Reason:
    """Whether a brief reconstruction follows the picture; it is a rougher judge than a likelihood that has `proven` the mask."""
    ratio = scores.residual_after / scores.residual_before if scores.residual_before > 0 else 1.0
    text = f"residual {scores.residual_before:.4f} before, {scores.residual_after:.4f} after"
    limits = Limits("at most", warn=WORSE_RESIDUAL) if proven else Limits("at most", fail=WORSE_RESIDUAL)
    return judged(
        "residual",
        ratio,
        limits,
        {
            "fail": text + ": worse than the assumed position; do not use this result",
            "warn": text + ": a brief reconstruction is worse than at the assumed position; look at the proof",
            "pass": text,
        },
        unit="times the start",
    )


def held_out_check(before: float, after: float) -> Reason:
    """Whether pixels that the reconstruction did not see are predicted no worse than before."""
    text = f"held-out pixels: residual {before:.4f} before, {after:.4f} after"
    return judged(
        "held-out residual",
        after / before if before > 0 else 1.0,
        Limits("at most", warn=WORSE_HELD_OUT),
        {"warn": text + ": pixels that the fit did not see are explained worse", "pass": text},
        unit="times the start",
    )


def bounds_check(parameters: ParameterSet) -> Reason:
    """Parameters that ended on a bound; a shift or a turn that did may really be further away, so that nothing holds."""
    stuck = [p for p in parameters if p.at_bound and p.name != "psf"]
    count = float(len(stuck))
    if any(p.name in POSE for p in stuck):
        limits, then = Limits("at most", fail=0), "the mask may be further away; widen the bounds or check the rig"
    else:
        limits, then = Limits("at most", warn=0), "widen the bounds or check the rig"
    words = f"{', '.join(p.name for p in stuck)} ended on a bound: {then}"
    text = words if stuck else "no parameter ended on a bound"
    return judged("bounds", count, limits, {"pass": text}, unit="values" if count != 1 else "value")


def registration_check(error: RegistrationError, noise_share: float | None) -> Reason:
    """The verdict is about this: how far from its true place the mask may be in this picture.

    `noise_share` of the unexplained variance is the light's own noise (None: not known). Where that limits the picture the error falls with
    the square root of the light.
    """
    worst = max(error.across_px, error.pattern_px)
    text = f"the mask may be {error.across_px:.3f} px off across the dispersion and its pattern {error.pattern_px:.3f} px along it (rms)"
    factor, advice = None, ""
    if worst > FAR_PX and noise_share is not None and noise_share >= PHOTON_SHARE:
        factor = (worst / FAR_PX) ** 2
        advice = f"Take about {factor:.2g} times the light, or about as many pictures of the same rig; the error falls with the square root of both."
    return judged(
        "registration error",
        worst,
        Limits("at most", warn=FAR_PX),
        {"warn": text + ": take more light, a scene with more texture, or more snapshots", "pass": text},
        unit="px",
        advice=advice,
        actions=("more_light", "add_frame", "hold_dispersion") if factor else ("add_frame", "more_light", "hold_dispersion"),
        light_factor=factor,
    )


def wavelength_check(error: RegistrationError) -> Reason:
    """Wavelengths are no reason to doubt a mask: one snapshot hardly tells them."""
    nm = "" if error.wavelength_nm is None else f" ({error.wavelength_nm:.2f} nm)"
    text = (
        f"wavelengths may be {error.wavelength_bands:.3f} bands{nm} off (rms); they blur nothing. A lamp with known lines or frames in "
        "monochromatic light would tell them"
    )
    return Reason("wavelength error", "pass", error.wavelength_bands, None, text, unit="bands")


def settled_check() -> Reason:
    """The fit had not come to rest."""
    return Reason(
        "settled",
        "warn",
        math.nan,
        None,
        "the fit had not settled after its last step: run it again with more steps (max_steps)",
    )


def early_check() -> Reason:
    """The fit was stopped, with errors that count what was still changing."""
    return Reason("finished early", "warn", math.nan, None, "the search was stopped early; this is the best found until then")
