"""Doing what a check asks for: change the session, run again, and come back to QA with the new result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cassi_core.config import DEFAULT_REFINE
from cassi_core.errors import RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.result import CalibrationResult
from cassi_core.run import RunControl
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.pages.check_detection import turned
from cassi_gui.pages.qa_offers import DISPERSION, missing_refinements, ways_possible
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState

if TYPE_CHECKING:
    from cassi_core.quality.orientation import BandTrain, Orientation

POLL_MS = 100
SATURATED_SHARE = 0.98
"""Pixels from this share of the brightest one on are proposed as saturated: a camera's limit, less its noise there."""
MOST_STEPS = 50
LOOK_FIRST = "Nothing was changed."


class _WaySearch:
    """One search through the orientations: its control, and what it has found so far, handed over between two threads."""

    def __init__(self) -> None:
        self.control = RunControl()
        self._lock = threading.Lock()
        self._found: list[Orientation] = []

    def put(self, way: Orientation) -> None:
        """An orientation is known (worker's thread)."""
        with self._lock:
            self._found.append(way)

    def arrived(self) -> tuple[Orientation, ...]:
        """What is known so far, in the order of trying (window's thread)."""
        with self._lock:
            return tuple(self._found)


class Remedies(QObject):
    """One method an action, called by :meth:`do`.

    Signals: `page_requested`, `logged`; `tried` (orientations tried, of how many) while they are; `ways_changed` when one is known.
    """

    page_requested = Signal(str)
    logged = Signal(str, str)
    tried = Signal(int, int)
    ways_changed = Signal()

    def __init__(
        self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._waiting_for_inputs = self._coming_back = False
        self._search: _WaySearch | None = None
        self._ways: tuple[Orientation, ...] = ()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._done: dict[str, Callable[[CalibrationResult], None]] = {
            "try_orientations": self._try_orientations,
            "choose_mask": self._choose_mask,
            "detect_dispersion": self._detect_dispersion,
            "refine_more": self._refine_more,
            "mark_saturated": self._mark_saturated,
            "more_light": self._more_light,
            "add_frame": self._add_frame,
            "hold_dispersion": self._hold_dispersion,
            "run_auto": self._run_auto,
            "widen_bounds": self._widen_bounds,
            "more_steps": self._more_steps,
            "continue_search": self._continue_search,
            "start_over": self._start_over,
        }
        state.changed.connect(self._on_changed)
        runner.finished.connect(self._on_finished)
        runner.failed.connect(self._forget)
        runner.cancelled.connect(self._forget)

    @property
    def ways(self) -> tuple[Orientation, ...]:
        """The orientations that were tried for the run on show, in the order of trying."""
        return self._ways

    @Slot(str)
    def do(self, action: str) -> None:
        """Do an action about the run on show."""
        record = self._state.current_run
        if record is not None:
            self._done[action](record.result)

    def use_way(self, way: Orientation) -> None:
        """Turn the mask and run again."""
        files = turned(self._state.snapshot.files, way.mirrored, way.quarter_turns)
        self._again("Turn the mask", files=files)

    def clear(self) -> None:
        """Another run is on show: what was tried belongs to the one before."""
        if self._search is not None:
            self._search.control.cancel()
            self.tried.emit(1, 1)
        self._search = None
        self._timer.stop()
        self._ways = ()

    # -- running again ------------------------------------------------------------------------------------------------
    def _again(self, text: str, **changes: Any) -> None:
        """Make one undoable change, run when the inputs are there, and come back."""
        if self._runner.running:
            self._dialogs.inform("A run is going on", "Wait for its end, or cancel it first.")
            return
        reads = "files" in changes and changes["files"] != self._state.snapshot.files
        self._waiting_for_inputs = reads
        commands.edit(self._state, text, **changes)
        if not reads:
            self._run()

    def _run(self) -> None:
        self._coming_back = True
        # After everybody has heard of the change: the action is enabled by then.
        QTimer.singleShot(0, self._actions["run.start"].trigger)

    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if not self._waiting_for_inputs or not names & {"inputs", "loading", "load_problem"}:
            return
        shot = self._state.snapshot
        if shot.loading:
            return
        if shot.load_problem:
            self._waiting_for_inputs = False
            self.page_requested.emit("load")
        elif shot.inputs is not None:
            self._waiting_for_inputs = False
            self._run()

    @Slot()
    def _on_finished(self) -> None:
        if self._coming_back:
            self._coming_back = False
            self.page_requested.emit("qa")

    @Slot()
    def _forget(self) -> None:
        self._coming_back = False

    # -- orientations -------------------------------------------------------------------------------------------------
    def _try_orientations(self, result: CalibrationResult) -> None:
        inputs = self._state.inputs
        if inputs is None:
            return
        self.clear()
        self._search = search = _WaySearch()
        self._timer.start()
        self.tried.emit(0, ways_possible(inputs))
        self._runner.submit(
            _orientations,
            inputs,
            search,
            done=partial(self._on_ways, search),
            failed=partial(self._on_ways_failed, search),
            key="orientations",
            control=search.control,
        )

    @Slot()
    def _poll(self) -> None:
        inputs = self._state.inputs
        if self._search is None or inputs is None:
            return
        arrived = self._search.arrived()
        if len(arrived) != len(self._ways):
            self._ways = arrived
            self.tried.emit(len(arrived), ways_possible(inputs))
            self.ways_changed.emit()

    def _on_ways(self, search: _WaySearch, ways: Sequence[Orientation]) -> None:
        # An answer about a run that is not on show any more is dropped.
        if search is self._search:
            self._poll()
            self._timer.stop()
            self._search = None
            self.tried.emit(len(ways), len(ways))

    def _on_ways_failed(self, search: _WaySearch, error: Exception) -> None:
        if search is self._search:
            self._timer.stop()
            self._search = None
            self.tried.emit(1, 1)
            self._on_failed(error)

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, RunCancelled):
            self.logged.emit("error", f"This could not be done: {error}")

    # -- files --------------------------------------------------------------------------------------------------------
    def _choose_mask(self, result: CalibrationResult) -> None:
        paths = self._dialogs.open_files("mask", "Choose the mask of this rig", kind="image", multiple=False)
        if paths:
            self._again("Choose another mask", files=replace(self._state.snapshot.files, mask=paths[0], mask_turn=(False, 0)))

    def _add_frame(self, result: CalibrationResult) -> None:
        paths = self._dialogs.open_files("measurement", "Choose more pictures of the same rig", kind="image")
        if paths:
            files = self._state.snapshot.files
            self._again("Add a picture", files=replace(files, measurements=(*files.measurements, *paths)))

    def _more_light(self, result: CalibrationResult) -> None:
        reasons = [r for r in result.verdict.reasons if "more_light" in r.actions]
        factor = next((r.light_factor for r in reasons if r.light_factor), None)
        if factor:
            text = (
                f"About {factor:.2g} times the light brings the error to its limit: expose {factor:.2g} times as long, or open the aperture. "
                "The error falls with the square root of the light."
            )
        else:
            text = "How much light is needed cannot be told from this picture. Expose as long as no pixel saturates: 30 % of full scale is good."
        if self._state.snapshot.files.demo:
            self._dialogs.inform("How much more light?", text)
        elif self._dialogs.confirm("How much more light?", text, yes="Choose the new picture …", no="Close"):
            paths = self._dialogs.open_files("measurement", "Choose the new picture", kind="image", multiple=False)
            if paths:
                self._again("Take a brighter picture", files=replace(self._state.snapshot.files, measurements=(paths[0],)))

    def _mark_saturated(self, result: CalibrationResult) -> None:
        inputs = self._state.inputs
        if inputs is None:
            return
        level = SATURATED_SHARE * max(float(frame.image.max()) for frame in inputs.frames)
        share = max(float((frame.image >= level).mean()) for frame in inputs.frames)
        text = f"Pixels of {level:.6g} and more count as saturated and are left out: {100 * share:.2g} % of the picture."
        if self._dialogs.confirm("Mark saturated pixels", text, yes="Mark and run"):
            self._again("Mark saturated pixels", files=replace(self._state.snapshot.files, saturation=float(f"{level:.6g}")))

    # -- dispersion ---------------------------------------------------------------------------------------------------
    def _detect_dispersion(self, result: CalibrationResult) -> None:
        inputs = self._state.inputs
        if inputs is None:
            return
        control = RunControl()
        self.logged.emit("info", "Looking where the bands begin and end …")
        self._runner.submit(
            _band_train, inputs, control, done=self._on_train, failed=self._on_failed, key="band train", control=control
        )

    def _on_train(self, train: BandTrain) -> None:
        inputs = self._state.inputs
        if inputs is None:
            return
        d = inputs.dispersion
        title, length = "Step and bands", train.length_px
        if length is None or d.n_bands < 2:
            text = "The mask's pattern is seen in no band of this picture, so that nothing tells step or bands. Try another mask or direction."
            self._dialogs.inform(title, f"{text} {LOOK_FIRST}")
            return
        said = f"Light is found over about {length:.0f} px along the bands; {d.n_bands} bands of {d.step_px:g} px spread over {d.travel_px:g} px."
        if abs(length - d.travel_px) <= max(3.0, 1.5 * d.step_px):
            self._dialogs.inform(title, f"{said} Step and bands are right. {LOOK_FIRST}")
            return
        bands, step = round(length / d.step_px) + 1, round(length / (d.n_bands - 1), 4)
        answers = (f"Use {bands} bands of {d.step_px:g} px", f"Use {d.n_bands} bands of {step:g} px")
        answer = self._dialogs.ask(title, f"{said} What is right?", answers)
        if answer is not None:
            n_bands, step_px = ((bands, d.step_px), (d.n_bands, step))[answer]
            self._again(
                answers[answer], files=replace(self._state.snapshot.files, n_bands=n_bands, step_px=step_px, dispersion_csv="")
            )

    # -- parameters and settings --------------------------------------------------------------------------------------
    def _refine_more(self, result: CalibrationResult) -> None:
        missing = missing_refinements(result.parameters)
        parameters = self._state.parameters
        self._again(
            "Refine more",
            parameters=parameters.refining((*parameters.refined, *(n for n in missing if n not in parameters.refined))),
        )

    def _hold_dispersion(self, result: CalibrationResult) -> None:
        kept = tuple(n for n in self._state.parameters.refined if n not in DISPERSION)
        self._again("Hold the dispersion", parameters=self._state.parameters.refining(kept))

    def _run_auto(self, result: CalibrationResult) -> None:
        config = replace_preset(self._state, "auto")
        self._again("Run with auto", **config)

    def _widen_bounds(self, result: CalibrationResult) -> None:
        parameters = self._state.parameters
        for p in (p for p in result.parameters if p.at_bound):
            reach = p.upper - p.lower
            low = abs(p.value - p.lower) < abs(p.value - p.upper)
            changes = {"lower": p.lower - reach / 2} if low else {"upper": p.upper + reach / 2}
            parameters = parameters.edit(p.name, value=p.value, **changes)
        self._again("Widen the bounds", parameters=parameters)

    def _more_steps(self, result: CalibrationResult) -> None:
        config = self._state.config
        steps = min(2 * config.auto.max_steps, MOST_STEPS)
        self._again(
            "Allow more steps", config=config.model_copy(update={"auto": config.auto.model_copy(update={"max_steps": steps})})
        )

    def _continue_search(self, result: CalibrationResult) -> None:
        self._again("Go on from the best so far", parameters=_started(self._state.parameters, result.parameters))

    def _start_over(self, result: CalibrationResult) -> None:
        self._again("Start over", parameters=_started(self._state.parameters, result.start))


def replace_preset(state: AppState, preset: str) -> dict[str, Any]:
    """The fields of the session for another preset: its configuration, refining what it refines by default."""
    config = state.config.model_copy(update={"preset": preset})
    names = config.refine if config.refine is not None else DEFAULT_REFINE[config.preset]
    return {"config": config, "parameters": state.parameters.refining(names)}


def _started(parameters: ParameterSet, values: ParameterSet) -> ParameterSet:
    """The table with other values; bounds that they lie outside of are widened to them."""
    for p in values:
        old = parameters[p.name]
        parameters = parameters.edit(p.name, value=p.value, lower=min(old.lower, p.value), upper=max(old.upper, p.value))
    return parameters


def _orientations(inputs: CalibrationInputs, search: _WaySearch) -> tuple[Orientation, ...]:
    from cassi_core.quality.orientation import find_orientation

    return find_orientation(inputs, control=search.control, tried=search.put)


def _band_train(inputs: CalibrationInputs, control: RunControl) -> BandTrain:
    from cassi_core.quality.orientation import find_band_train, find_position

    return find_band_train(inputs, find_position(inputs, control=control))
