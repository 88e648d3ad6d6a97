"""Orientation of the mask, its position and the train of bands: found by the core, said in words that can be applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cassi_core.inputs import CalibrationInputs
from cassi_gui.session.state import FileSelection, Snapshot
from cassi_gui.widgets.findings_list import FindingRow

if TYPE_CHECKING:
    from cassi_core.calibration.prealign import PreAlignment
    from cassi_core.quality.detection import MaskDetection
    from cassi_core.quality.orientation import BandTrain

Change = tuple[str, dict[str, Any]]
WAYS_OUT = (("mask", "Choose another mask …"), ("dispersion", "Set bands and step"), ("load", "Back to Load"))
"""What helps when the mask is not in the picture: identifiers and words of buttons."""


@dataclass(frozen=True)
class Detected:
    """One answer: its row in the findings, and what applying it changes (text of the edit, snapshot fields)."""

    row: FindingRow
    apply: Callable[[Snapshot], Change] | None = None


def answers(inputs: CalibrationInputs, found: MaskDetection) -> tuple[Detected, ...]:
    """What a detection says, and what can be done about it."""
    if found.train is None:
        return (_lost(found),)
    return (_position(found.position), *_train(inputs, found.train))


def turned(files: FileSelection, mirrored: bool, quarter_turns: int) -> FileSelection:
    """The selection with the mask, as it is turned now, mirrored left to right and then turned counter-clockwise."""
    flip, turns = files.mask_turn
    # Mirroring after a turn is turning the other way after mirroring.
    if mirrored:
        return replace(files, mask_turn=(not flip, (quarter_turns - turns) % 4))
    return replace(files, mask_turn=(flip, (quarter_turns + turns) % 4))


def _lost(found: MaskDetection) -> Detected:
    best, z_now = found.orientations[0], found.position.z
    if found.better is None:
        text = (
            f"In none of its {len(found.orientations)} orientations does the mask match the picture: the best, {best.name}, stands "
            f"{max(best.z, z_now):.1f} times above the noise, {found.min_peak_z:g} is needed. Is it the mask of this rig, with the "
            "right bands and step?"
        )
        return Detected(FindingRow("orientation", "bad", "Mask not found", text, more=WAYS_OUT))
    text = f"It matches {best.name} ({best.z:.0f} times above the noise; as it is {z_now:.1f})."
    row = FindingRow("orientation", "bad", "Mask the wrong way round", text, apply_text="Turn the mask")

    def apply(shot: Snapshot) -> Change:
        return "Turn the mask", {"files": turned(shot.files, best.mirrored, best.quarter_turns)}

    return Detected(row, apply)


def _position(position: PreAlignment) -> Detected:
    text = (
        f"It stands {position.z:.0f} times above the noise, {_way(position.dx, 'right', 'left')} and {_way(position.dy, 'down', 'up')}, "
        f"turned {_number(abs(position.theta), 2)} deg to the {'left' if position.theta >= 0 else 'right'}. "
        "The preset auto finds this by itself; the other presets start from the values in the table."
    )
    row = FindingRow("position", "ok", "Mask found", text, apply_text="Use as start values")

    def apply(shot: Snapshot) -> Change:
        parameters = shot.parameters
        for name, value in (("dx", position.dx), ("dy", position.dy), ("theta", position.theta)):
            p = parameters[name]
            parameters = parameters.edit(name, value=round(min(max(value, p.lower), p.upper), 3))
        return "Start where the mask was found", {"parameters": parameters}

    return Detected(row, apply)


def _way(shift_px: float, positive: str, negative: str) -> str:
    """A shift in words: `1.4 px right`."""
    return f"{_number(abs(shift_px), 1)} px {positive if shift_px >= 0 else negative}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def _train(inputs: CalibrationInputs, train: BandTrain) -> list[Detected]:
    """Whether the bands spread as far as was said, and the two ways to mend it."""
    d = inputs.dispersion
    length = train.length_px
    if length is None or d.n_bands < 2:
        return []
    if abs(length - d.travel_px) <= max(3.0, 1.5 * d.step_px):
        text = f"The bands spread over about {length:.0f} px, {d.travel_px:g} px are expected."
        return [Detected(FindingRow("train", "ok", "Dispersion as said", text))]
    word = "longer" if length > d.travel_px else "shorter"
    hint = "" if length > d.travel_px else " The outermost bands may simply be dark."
    text = f"The bands spread over about {length:.0f} px, {d.travel_px:g} px are expected.{hint}"
    bands, step = round(length / d.step_px) + 1, length / (d.n_bands - 1)

    def more_bands(shot: Snapshot) -> Change:
        return f"Use {bands} bands", {"files": replace(shot.files, n_bands=bands, step_px=d.step_px)}

    def other_step(shot: Snapshot) -> Change:
        return f"Use a step of {step:.3g} px", {"files": replace(shot.files, n_bands=d.n_bands, step_px=round(step, 4))}

    title = f"Dispersion {word} than said"
    first = FindingRow("train_bands", "warn", title, text, apply_text=f"Use {bands} bands")
    second = FindingRow(
        "train_step",
        "info",
        "Or the step differs",
        f"{d.n_bands} bands with {step:.3g} px each.",
        False,
        f"Use {step:.3g} px/band",
    )
    return [Detected(first, more_bands), Detected(second, other_step)]
