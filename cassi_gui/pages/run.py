"""Run: which algorithm, with which settings, from which start; and what it does while it runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout

from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.errors import CassiError, ConfigError
from cassi_core.parameters import ParameterSet
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.pages.page import Page
from cassi_gui.pages.run_plots import RunPlots
from cassi_gui.pages.run_setup import RunSetup
from cassi_gui.plots.export import PlotExport
from cassi_gui.run.controller import RunBatch, RunController
from cassi_gui.run.presets import BUILT_IN, PresetStore
from cassi_gui.run.stages import NOT_KNOWN
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, RunRecord
from cassi_gui.style.theme import MARGIN, Palette
from cassi_gui.widgets.config_fields import with_setting
from cassi_gui.widgets.parameter_table import ParameterEdit, bound_words
from cassi_gui.widgets.stage_list import StageLine


class RunPage(Page):
    """Step 3 of 5."""

    title = "Run"

    help_html = (
        "<p>Choose a <b>preset</b>: <b>auto</b> is right for nearly everything. In the table tick what the run may change, give "
        "start values and (with <b>Bounds</b>) limits; a parameter that is not ticked stays exactly as it is: it is held. "
        "Everything can be undone.</p>"
        "<p><b>Run calibration</b> starts. Meanwhile all pages can be used. <b>Pause</b> (Space) waits, <b>Stop and keep best</b> "
        "ends the search with what it has, <b>Cancel run</b> (Esc) ends it without a result.</p>"
        "<p><b>Stages</b> lists what is done, what runs and what waits; choose one to see its plots. A grid stage shows how well "
        "each place fits (bright is good, the ring is the best, frames are finer grids); a fit shows every parameter over its "
        "steps with one sigma shaded. The residual of one stage cannot be compared with that of another: each has its own "
        "plot. Click a point in the scene to see its spectrum. The square beside a title shows one plot alone, the dots save or "
        "copy it.</p>"
        "<p>An error (\N{PLUS-MINUS SIGN}) stands beside a value once it is known, which is when the run has ended.</p>"
    )

    def __init__(
        self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs, *, presets: PresetStore | None = None
    ) -> None:
        super().__init__()
        self.setObjectName("run_page")
        self.setAccessibleName(self.title)
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._store = presets or PresetStore(dialogs.settings.presets_folder)
        self._preset_name: str = state.config.preset
        self._preset_config = CalibrationConfig(preset=state.config.preset)
        self._shown_run: tuple[str, bool] | None = None
        self._started_with: ParameterSet | None = None
        """Start values of the run that goes on."""
        self.setup = RunSetup(actions["edit.reset_parameters"].toolTip())
        self.table, self.preset_bar, self.run_button = self.setup.table, self.setup.preset_bar, self.setup.run_button
        self.plots = RunPlots()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 12, MARGIN, 12)
        layout.setSpacing(MARGIN)
        layout.addWidget(self.setup)
        layout.addWidget(self.plots, 1)
        self._connect()
        self._show_presets()
        self._refresh(frozenset({"config", "parameters", "points", "inputs", "runs"}))

    def _connect(self) -> None:
        self._state.changed.connect(self._refresh)
        self._runner.batch.connect(self._on_batch)
        self._runner.state_changed.connect(self._on_phase)
        for ended in (self._runner.finished, self._runner.failed, self._runner.cancelled):
            ended.connect(self._on_ended)
        bar, setup = self.setup.preset_bar, self.setup
        bar.chosen.connect(self._on_preset)
        bar.save_requested.connect(self._on_preset_save)
        bar.rename_requested.connect(self._on_preset_rename)
        bar.delete_requested.connect(self._on_preset_delete)
        setup.table.edited.connect(self._on_parameter)
        setup.form.edited.connect(self._on_setting)
        setup.form.reset_requested.connect(self._on_settings_reset)
        setup.defaults_button.clicked.connect(self._on_refine_defaults)
        setup.reset_button.clicked.connect(self._actions["edit.reset_parameters"].trigger)
        setup.stages.chosen.connect(self.plots.choose_stage)
        start = self._actions["run.start"]
        setup.run_button.clicked.connect(start.trigger)
        start.changed.connect(self._mirror_start)
        self._mirror_start()
        self.plots.told.connect(self._on_told)
        self.plots.export_requested.connect(self._on_export)
        self.plots.point_picked.connect(self._on_point)
        self.plots.colour_wanted.connect(self._on_colour_wanted)
        self.plots.cursor_text.connect(self.cursor_text)

    # -- what the shell calls ------------------------------------------------------------------------------------------
    def start_run(self) -> bool:
        """Clear what the last run left, then start with the present snapshot; False when a run is going on."""
        shot = self._state.snapshot
        if shot.inputs is None or self._runner.running:
            return False
        self._shown_run = None
        self._started_with = shot.parameters
        self.plots.begin(shot.parameters, shot.inputs.dispersion.wavelengths_nm, running=True)
        return bool(self._runner.start(shot.inputs, shot.config, shot.parameters))

    @property
    def next_problems(self) -> tuple[str, ...]:
        """Why the next page has nothing to show yet."""
        return () if self._state.runs else ("no run has finished yet",)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.setup.set_palette(palette)
        self.plots.set_palette(palette)

    def forget(self) -> None:
        """Another session is in place: no value of the old one's runs stays."""
        self._show_notice()

    def reset_layout(self) -> None:
        """Sizes as at the first start."""
        self.plots.reset_layout()

    # -- showing the state ----------------------------------------------------------------------------------------------
    @Slot(object)
    def _refresh(self, names: frozenset[str]) -> None:
        shot = self._state.snapshot
        if "config" in names:
            self.setup.form.set_config(shot.config)
            self._show_presets()
        if "points" in names:
            self.plots.set_points([(p.row, p.col, p.label, p.colour) for p in shot.points])
        if "inputs" in names and not self._runner.running:
            self._shown_run = None
            self.plots.begin(shot.parameters, None if shot.inputs is None else shot.inputs.dispersion.wavelengths_nm)
            if shot.inputs is not None:
                self.setup.table.set_direction(shot.inputs.dispersion.direction)
        if names & {"runs", "current_id", "inputs"} and not self._runner.running:
            self._show_record(self._state.current_run)
        self._show_values()
        self._show_notice()

    def _show_record(self, record: RunRecord | None) -> None:
        """The plots of the run that the QA page shows, so that both pages speak of the same one."""
        # With its maps or without: those of an earlier run come back from the session's file after a moment.
        shown = None if record is None else (record.uid, record.result.maps is not None)
        if shown == self._shown_run:
            return
        self._shown_run = shown
        self.setup.show_found(record is not None)
        if record is None:
            shot = self._state.snapshot
            self.plots.begin(shot.parameters, None if shot.inputs is None else shot.inputs.dispersion.wavelengths_nm)
            return
        self.plots.show_result(record.result)
        if record.result.maps is not None:
            self._on_colour_wanted(record.result.maps.cube_after)

    @Slot()
    def _on_told(self) -> None:
        """The stages moved on."""
        book = self.plots.book
        lines = [StageLine(s.name, s.label, s.state, s.count) for s in book.stages]
        self.setup.set_stages(lines, self.plots.stage)
        if self._started_with is not None:
            self._show_values()

    def _show_values(self) -> None:
        """Start and Found: of a run that goes on what it has so far, else what the run on show ended with.

        The values and errors of a run that has ended are those of its result: the same as on the QA page, in the file, in the report.
        """
        table, record = self.setup.table, self._state.current_run
        if self._started_with is not None:
            table.set_parameters(self._started_with)
            table.set_found(self.plots.book.found())
            self.setup.set_sentence(self.plots.book.why_no_error())
            return
        table.set_parameters(self._state.parameters)
        table.set_found(None if record is None else record.result.parameters)
        unfinished = record is not None and record.result.outcome == "not_finished"
        self.setup.set_sentence(NOT_KNOWN if unfinished else "")

    def _show_notice(self, problem: str = "") -> None:
        shot = self._state.snapshot
        stuck = [f"{p.name} starts {bound_words(p)}" for p in shot.parameters if p.at_bound]
        words = problem
        if not words and not self._runner.running:
            if stuck:
                words = f"{'; '.join(stuck)}: widen the bound or change the value."
            elif shot.inputs is None:
                words = "Load a measurement and a mask first (Load, or the demo: Ctrl+D)."
            elif not shot.parameters.refined:
                words = "Nothing to refine: tick at least one parameter."
        self.setup.set_notice(words, bad=bool(problem))

    def _show_presets(self) -> None:
        config = self._state.config
        if config.preset != self._preset_config.preset:
            self._preset_name, self._preset_config = config.preset, CalibrationConfig(preset=config.preset)
        own = self._store.names()
        changed = _without_refine(config) != _without_refine(self._preset_config)
        self.setup.preset_bar.set_presets(BUILT_IN, own, self._preset_name, changed)

    @Slot()
    def _mirror_start(self) -> None:
        action = self._actions["run.start"]
        self.setup.run_button.setEnabled(action.isEnabled())
        self.setup.run_button.setToolTip(action.toolTip())
        self.setup.run_button.setAccessibleName(action.text())

    # -- presets and settings -----------------------------------------------------------------------------------------
    @Slot(str)
    def _on_preset(self, name: str) -> None:
        try:
            config = self._store.load(name)
        except CassiError as error:
            self._show_notice(str(error))
            self._show_presets()
            return
        self._use_preset(name, config)

    def _use_preset(self, name: str, config: CalibrationConfig) -> None:
        self._preset_name, self._preset_config = name, config
        refine = config.refine if config.refine is not None else DEFAULT_REFINE[config.preset]
        try:
            parameters = self._state.parameters.refining(refine)
        except ConfigError as error:
            self._show_notice(str(error))
            return
        plain = _without_refine(config)
        if not commands.edit(self._state, f"Choose preset {name}", config=plain, parameters=parameters):
            self._show_presets()

    @Slot()
    def _on_preset_save(self) -> None:
        initial = "" if self._preset_name in BUILT_IN else self._preset_name
        name = self._dialogs.text("Save preset", "Name of the preset:", initial)
        if name is None:
            return
        config = self._state.config.model_copy(update={"refine": self._state.parameters.refined})
        taken = name.strip() in self._store.names()
        if taken and not self._dialogs.confirm(
            "Replace preset?", f"There is a preset '{name.strip()}' already.", yes="Replace"
        ):
            return
        if self._guarded(self._store.save, name.strip(), config):
            self._preset_name, self._preset_config = name.strip(), config
            self._show_presets()

    @Slot(str)
    def _on_preset_rename(self, old: str) -> None:
        new = self._dialogs.text("Rename preset", "New name of the preset:", old)
        if new is not None and new.strip() != old and self._guarded(self._store.rename, old, new.strip()):
            self._preset_name = new.strip()
            self._show_presets()

    @Slot(str)
    def _on_preset_delete(self, name: str) -> None:
        text = f"The preset '{name}' is deleted for good. The settings on show stay as they are."
        if self._dialogs.confirm("Delete preset?", text, yes="Delete") and self._guarded(self._store.delete, name):
            self._preset_name = self._state.config.preset
            self._preset_config = CalibrationConfig(preset=self._state.config.preset)
            self._show_presets()

    def _guarded(self, function: Callable[..., object], *args: object) -> bool:
        try:
            function(*args)
        except CassiError as error:
            self._dialogs.error("The preset was not changed", str(error))
            return False
        return True

    @Slot(object)
    def _on_parameter(self, change: ParameterEdit) -> None:
        try:
            commands.edit_parameter(self._state, change.name, **{change.field: change.content})
        except CassiError as error:
            self._show_notice(str(error))

    @Slot(object, object)
    def _on_setting(self, path: tuple[str, ...], value: Any) -> None:
        name = ".".join(path)
        try:
            config = with_setting(self._state.config, path, value)
        except CassiError as error:
            self._show_notice(str(error))
            self.setup.form.set_config(self._state.config)
            return
        commands.edit(self._state, f"Change {name}", f"setting {name}", config=config)

    @Slot()
    def _on_settings_reset(self) -> None:
        commands.edit(self._state, "Default settings", config=CalibrationConfig(preset=self._state.config.preset))

    @Slot()
    def _on_refine_defaults(self) -> None:
        try:
            parameters = self._state.parameters.refining(DEFAULT_REFINE[self._state.config.preset])
        except CassiError as error:
            self._show_notice(str(error))
            return
        commands.set_parameters(self._state, parameters, "Refine as the preset does")

    # -- a run ------------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_batch(self, batch: RunBatch) -> None:
        self.plots.take(batch.events)

    @Slot(object)
    def _on_phase(self, _phase: object) -> None:
        self.setup.set_running(self._runner.running)
        if self._runner.running:
            self.setup.show_found(True)
        self._show_values()
        self._show_notice()

    @Slot()
    @Slot(object)
    def _on_ended(self, _what: object = None) -> None:
        """A run that gave no result leaves nothing on show that could be taken for one."""
        self._started_with = None
        self._show_record(self._state.current_run)
        self.setup.show_found(self._state.current_run is not None)
        self._show_values()
        self._show_notice()

    @Slot(object)
    def _on_colour_wanted(self, cube: NDArray[np.float32]) -> None:
        from cassi_core.quality.colour import pseudo_colour

        # The wavelengths of the run on show: other files may have been loaded since it began.
        done = partial(self._on_colour, cube)
        self._runner.submit(
            pseudo_colour, cube, self.plots.wavelengths_nm, done=done, failed=self._on_task_failed, key="run preview"
        )

    def _on_colour(self, cube: NDArray[np.float32], colour: NDArray[np.uint8]) -> None:
        self.plots.show_cube(cube, colour)

    def _on_task_failed(self, error: Exception) -> None:
        self.logged.emit("error", f"The reconstruction could not be shown: {error}")

    @Slot(object)
    def _on_point(self, pixel: tuple[int, int]) -> None:
        commands.add_point(self._state, *pixel)
        self.plots.show_scene()

    @Slot(object)
    def _on_export(self, request: PlotExport) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)


def _without_refine(config: CalibrationConfig) -> CalibrationConfig:
    """The configuration without its list of refined parameters: in the window the table decides what is refined."""
    return config if config.refine is None else config.model_copy(update={"refine": None})
