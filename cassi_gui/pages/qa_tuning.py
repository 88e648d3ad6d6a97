"""Tuning by hand: three candidates for one parameter, computed in the background, and the choice as the start of the next run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from cassi_core.errors import CassiError
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.pictures import belongs_to
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.widgets.candidate_tuner import CandidateTuner, Look

if TYPE_CHECKING:
    from cassi_core.quality.candidates import CandidateLook

UNIT = "measurement units"


class Tuning(QObject):
    """Wires the tuner to the session; nothing is computed before :meth:`start`."""

    logged = Signal(str, str)

    def __init__(self, tuner: CandidateTuner, state: AppState, runner: RunController, dialogs: Dialogs) -> None:
        super().__init__(tuner)
        self._tuner, self._state, self._runner, self._dialogs = tuner, state, runner, dialogs
        self._tuned_id: int | None = None
        tuner.wanted.connect(self._on_candidates)
        tuner.apply_requested.connect(self._on_apply)

    def forget(self) -> None:
        """Another run is on show, or other inputs."""
        self._tuned_id = None

    def start(self) -> None:
        """Begin with the values of the run on show, if its inputs are loaded."""
        record = self._state.current_run
        if record is None or not belongs_to(record.result, self._state.inputs):
            self._tuned_id = None
            self._tuner.set_start(None)
        elif record.id != self._tuned_id:
            self._tuned_id = record.id
            self._tuner.set_start(record.result.parameters, UNIT)

    @Slot(object)
    def _on_candidates(self, candidates: tuple[ParameterSet, ...]) -> None:
        # The middle one first: it is the one that everything is compared with.
        for index in (1, 0, 2):
            self._runner.submit(
                _look,
                self._state.inputs,
                candidates[index],
                self._terms(),
                done=partial(self._on_look, index),
                failed=self._on_failed,
                key=f"candidate {index}",
            )

    def _terms(self) -> dict[str, float]:
        """The optics of the run that is tuned: only the mask's place is varied."""
        record = self._state.run(self._tuned_id)
        return {} if record is None else {term.name: term.value_px for term in record.result.optics}

    def _on_look(self, index: int, look: CandidateLook) -> None:
        self._tuner.set_look(index, Look(look.residual, look.colour, look.score))

    def _on_failed(self, error: Exception) -> None:
        self.logged.emit("error", f"A picture could not be computed: {error}")

    @Slot(object)
    def _on_apply(self, tuned: ParameterSet) -> None:
        parameters = self._state.parameters
        try:
            for p in tuned:
                parameters = parameters.edit(p.name, value=p.value)
        except CassiError as error:
            self._dialogs.inform("The values do not fit the table", f"{error}. Widen the bounds on the Run page.")
            return
        commands.set_parameters(self._state, parameters, "Use the tuned values")
        self.logged.emit("info", "The tuned values are the start of the next run (page 3).")


def _look(inputs: CalibrationInputs, parameters: ParameterSet, terms: dict[str, float]) -> CandidateLook:
    from cassi_core.quality.candidates import look_at

    return look_at(inputs, parameters, terms)
