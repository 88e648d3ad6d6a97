"""What can be done about a check of a run: which actions help now, in words. Doing them: :mod:`cassi_gui.pages.qa_remedies`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cassi_core.config import CalibrationConfig
from cassi_core.formatting import format_duration
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.check_words import Action
from cassi_core.quality.names import screen_name
from cassi_core.quality.pictures import belongs_to
from cassi_core.result import CalibrationResult, Reason
from cassi_gui.session.state import FileSelection, Snapshot
from cassi_gui.widgets.offer import Offer

POSE = ("dx", "dy", "theta", "scale_x", "scale_y")
"""What is refined too where only a part of it was: shifts, turn and both magnifications."""
DISPERSION = ("slope", "curve", "alpha")
AS_IT_IS = "As it is"
MOST_OFFERS = 4


@dataclass(frozen=True, eq=False)
class Case:
    """A run, the session round it, and how many orientations of the mask were tried since."""

    result: CalibrationResult
    shot: Snapshot
    ways_tried: int = 1

    @property
    def inputs(self) -> CalibrationInputs | None:
        """The inputs of the run, if they are still the ones that are loaded."""
        inputs = self.shot.inputs
        return inputs if belongs_to(self.result, inputs) else None

    @property
    def files(self) -> FileSelection:
        return self.shot.files

    @property
    def config(self) -> CalibrationConfig:
        return self.shot.config

    def words(self, names: Sequence[str]) -> str:
        """Parameters in the words of the screen."""
        return ", ".join(screen_name(n, self.result.dispersion.direction).words.lower() for n in names)


def offers_of(case: Case, reason: Reason) -> list[Offer]:
    """What helps against a check that is not passed, likeliest first; nothing that cannot be done now."""
    if reason.status == "pass" or case.inputs is None:
        return []
    made = (OFFERS[action](case, reason) for action in reason.actions)
    return [offer for offer in made if offer is not None]


def offers_of_all(case: Case) -> list[Offer]:
    """What helps against everything that failed, each thing once."""
    found: dict[str, Offer] = {}
    for reason in case.result.verdict.reasons:
        if reason.status == "fail":
            for offer in offers_of(case, reason):
                found.setdefault(offer.action, offer)
    return list(found.values())[:MOST_OFFERS]


def ways_possible(inputs: CalibrationInputs) -> int:
    """How many ways round the mask can lie: a mask that is not square cannot be turned by a quarter."""
    height, width = inputs.mask.shape
    return 8 if height == width else 4


def missing_refinements(parameters: ParameterSet) -> tuple[str, ...]:
    """What of the pose was held."""
    return tuple(n for n in POSE if not parameters[n].refine)


def _orientations(case: Case, reason: Reason) -> Offer | None:
    inputs = case.inputs
    if inputs is None:
        return None
    others = ways_possible(inputs) - 1
    known = "The bars at the right say how well each fits." if case.ways_tried > 1 else "Only “as it is” was tried."
    tip = "Look for the mask in every other orientation: mirrored, and turned by quarters"
    return Offer("try_orientations", "Turned or mirrored mask?", known, f"Try {others} orientations", "turn", tip)


def _mask(case: Case, reason: Reason) -> Offer | None:
    if case.files.demo:
        return None
    now = Path(case.result.mask_source.path).name
    return Offer(
        "choose_mask", "Another mask?", f"Now: {now}", "Choose mask …", "mask", "Choose another mask file and run again"
    )


def _dispersion(case: Case, reason: Reason) -> Offer | None:
    d = case.result.dispersion
    known = f"Now: {d.n_bands} bands, {d.step_px:g} px, {_towards(d.direction)}."
    tip = "Look where the bands begin and end in the picture, and offer the step and the number of bands that fit"
    return Offer("detect_dispersion", "Wrong step or direction?", known, "Find step and bands", "curve", tip)


def _towards(direction: str) -> str:
    return {"right": "to the right", "left": "to the left"}.get(direction, f"{direction}wards")


def _refine(case: Case, reason: Reason) -> Offer | None:
    missing = missing_refinements(case.result.parameters)
    if not missing:
        return None
    scales = all(n.startswith("scale") for n in missing)
    words = "Refine magnification too" if scales else "Refine the whole pose"
    return Offer(
        "refine_more",
        "Held too much?",
        f"Held: {case.words(missing)}.",
        words,
        "run",
        f"Refine {case.words(missing)} too, and run again",
    )


def _saturated(case: Case, reason: Reason) -> Offer | None:
    if case.files.demo:
        return None
    tip = "Leave out every pixel above a level that you are shown first, and run again"
    return Offer(
        "mark_saturated", "Pixels too bright?", "They may still be in the fit.", "Mark saturated pixels …", "pixels", tip
    )


def _light(case: Case, reason: Reason) -> Offer | None:
    factor = reason.light_factor
    known = "Noise of the light limits this picture." if factor else "Light may or may not help here."
    tip = "Say how much more light is needed, and choose the new picture"
    return Offer("more_light", "Too little light?", known, "How much more light?", "flat", tip)


def _frame(case: Case, reason: Reason) -> Offer | None:
    if case.files.demo:
        return None
    count = len(case.result.inputs)
    known = f"Now: {count} picture{'' if count == 1 else 's'}."
    tip = "Choose another picture of the same rig, to be fitted together with what is there"
    return Offer("add_frame", "One more picture?", known, "Add a picture …", "add", tip)


def _hold(case: Case, reason: Reason) -> Offer | None:
    refined = tuple(n for n in DISPERSION if case.result.parameters[n].refine)
    if not refined:
        return None
    tip = "Keep the step and the axis of the bands at their start values, and run again"
    return Offer(
        "hold_dispersion", "Too many unknowns?", f"Refined: {case.words(refined)}.", "Hold the dispersion", "settings", tip
    )


def _auto(case: Case, reason: Reason) -> Offer | None:
    if case.result.preset == "auto":
        return None
    return Offer(
        "run_auto",
        "Use the quick search",
        "Preset auto takes seconds.",
        "Run with auto",
        "reset",
        "Run again with the preset auto",
    )


def _widen(case: Case, reason: Reason) -> Offer | None:
    stuck = tuple(p.name for p in case.result.parameters if p.at_bound)
    if not stuck:
        return None
    words = "Widen the bound" if len(stuck) == 1 else "Widen the bounds"
    return Offer(
        "widen_bounds",
        "Further away?",
        f"On its bound: {case.words(stuck)}.",
        words,
        "run",
        "Allow twice the distance, and run again",
    )


def _steps(case: Case, reason: Reason) -> Offer | None:
    if case.result.preset != "auto":
        return None
    known = f"Now: at most {case.config.auto.max_steps} steps."
    return Offer(
        "more_steps", "Too few steps?", known, "Allow more steps", "run", "Allow twice as many steps of the fit, and run again"
    )


def _on(case: Case, reason: Reason) -> Offer | None:
    known = f"From the best so far; it was stopped after {format_duration(case.result.seconds_total)}."
    return Offer(
        "continue_search",
        "Finish the search",
        known,
        "Go on from here",
        "run",
        "Run again with the same preset, from the values found so far",
    )


def _over(case: Case, reason: Reason) -> Offer | None:
    return Offer(
        "start_over",
        "Start over",
        "From the start values of this run.",
        "Run again",
        "reset",
        "Run again from the start values of this run",
    )


OFFERS: dict[Action, Callable[[Case, Reason], Offer | None]] = {
    "try_orientations": _orientations,
    "choose_mask": _mask,
    "detect_dispersion": _dispersion,
    "refine_more": _refine,
    "mark_saturated": _saturated,
    "more_light": _light,
    "add_frame": _frame,
    "hold_dispersion": _hold,
    "run_auto": _auto,
    "widen_bounds": _widen,
    "more_steps": _steps,
    "continue_search": _on,
    "start_over": _over,
}
