"""Is the mask in the picture, the right way round, and do the bands spread as far as was said? One answer about one set of inputs."""

from __future__ import annotations

from dataclasses import dataclass

from cassi_core.calibration.prealign import PreAlignment
from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.findings import Finding
from cassi_core.quality.orientation import BandTrain, Orientation, find_band_train, find_orientation, find_position
from cassi_core.run import RunControl

CODES = frozenset(("mask_found", "orientation", "mask_not_found", "band_train"))
"""Codes of the findings of a detection."""


@dataclass(frozen=True, eq=False)
class MaskDetection:
    """What was found: the coarse position of the mask as it is given and, where it is not found so, how well each orientation matches.

    `orientations` has the best match first and is empty when the mask was found as it is; `train` is there exactly then.
    """

    position: PreAlignment
    min_peak_z: float
    orientations: tuple[Orientation, ...]
    train: BandTrain | None
    findings: tuple[Finding, ...]

    @property
    def found(self) -> bool:
        """True when the mask stands clearly above the noise as it is given."""
        return self.train is not None

    @property
    def better(self) -> Orientation | None:
        """The orientation in which the mask is found, where it is not as it is given."""
        best = self.orientations[0] if self.orientations else None
        return best if best is not None and best.z >= self.min_peak_z else None


def detect_mask(
    inputs: CalibrationInputs,
    *,
    min_peak_z: float = 8.0,
    reach_px: float = 25.0,
    reach_deg: float = 3.0,
    control: RunControl | None = None,
) -> MaskDetection:
    """Look for the mask; the other orientations are tried only when the mask as it is cannot be found.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    """
    position = find_position(inputs, reach_px=reach_px, reach_deg=reach_deg, control=control)
    if position.z >= min_peak_z:
        train = find_band_train(inputs, position)
        found = (_found(position, min_peak_z), *_train_findings(inputs, train))
        return MaskDetection(position, min_peak_z, (), train, found)
    orientations = find_orientation(inputs, control=control)
    return MaskDetection(position, min_peak_z, orientations, None, (_lost(position, orientations, min_peak_z),))


def _found(position: PreAlignment, min_peak_z: float) -> Finding:
    text = (
        f"{position.z:.0f} times above the noise, about {abs(position.dx):.1f} px to the {'right' if position.dx >= 0 else 'left'}, "
        f"{abs(position.dy):.1f} px {'down' if position.dy >= 0 else 'up'}, turned by "
        f"{position.theta:+.2f} deg"
    )
    return Finding("mask_found", "info", "Mask found", text, position.z, min_peak_z)


def _lost(position: PreAlignment, orientations: tuple[Orientation, ...], min_peak_z: float) -> Finding:
    best = orientations[0]
    if best.z >= min_peak_z:
        text = (
            f"the mask matches when it is {best.name} ({best.z:.0f} times above the noise, as it is {position.z:.1f}); turn it"
        )
        return Finding("orientation", "error", "Mask the wrong way round", text, best.z, min_peak_z)
    text = (
        f"the best match stands {position.z:.1f} times above its noise, {min_peak_z:g} is needed; is it the mask of this rig, "
        "with the right bands, step and direction?"
    )
    return Finding("mask_not_found", "error", "Mask not found", text, position.z, min_peak_z)


def _train_findings(inputs: CalibrationInputs, train: BandTrain) -> tuple[Finding, ...]:
    """Longer than said is wrong; shorter may only mean that the outermost bands are dark."""
    length, travel = train.length_px, inputs.dispersion.travel_px
    if length is None or inputs.dispersion.n_bands < 2:
        return ()
    tolerance = max(3.0, 1.5 * inputs.dispersion.step_px)
    if abs(length - travel) <= tolerance:
        text = f"the bands spread over about {length:.0f} px, {travel:g} px are expected"
        return (Finding("band_train", "info", "Dispersion found", text, length, travel),)
    if length > travel:
        text = f"the bands spread over about {length:.0f} px and only {travel:g} px are expected; check --bands and --step"
        return (Finding("band_train", "warning", "Dispersion longer than said", text, length, travel),)
    text = (
        f"light is found over about {length:.0f} px of the {travel:g} px that are expected: the outermost bands are dark, or "
        "--bands or --step is too large"
    )
    return (Finding("band_train", "warning", "Dispersion shorter than said", text, length, travel),)
