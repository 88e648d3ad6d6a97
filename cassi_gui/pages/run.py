"""Run: which algorithm, with which settings, from which start; and what it does while it runs."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QTabWidget, QVBoxLayout, QWidget

from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.errors import CassiError, ConfigError
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.pages.page import Page
from cassi_gui.pages.run_plots import RunPlots
from cassi_gui.run.controller import RunController
from cassi_gui.run.presets import BUILT_IN, PresetStore
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, RunRecord
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.config_fields import with_setting
from cassi_gui.widgets.config_form import ConfigForm
from cassi_gui.widgets.naming import tip_tabs
from cassi_gui.widgets.parameter_table import ParameterEdit, ParameterTable, bound_words
from cassi_gui.widgets.preset_bar import PresetBar

LEFT_WIDTH = 452


class RunPage(Page):
    """Page 3 of 5."""

    title = "Run"

    help_html = (
        "<p>Choose a <b>preset</b>: <b>auto</b> is right for nearly everything. In the table tick what the run may change "
        "(<b>Refine</b>), give start values and bounds; a parameter that is not ticked stays exactly as it is. "
        "Everything can be undone.</p>"
        "<p><b>Run calibration</b> starts. Meanwhile all pages can be used; edits count for the next run. "
        "<b>Stop and keep best</b> ends the search with what it has, <b>Cancel</b> ends it without a result.</p>"
        "<p>The plots: every parameter over the steps with one sigma shaded; the reconstruction with the best parameters "
        "so far (click a point to see its spectrum); the score map of grid stages (bright is good, the ring is the best); "
        "the residual. The square beside a title shows one plot alone, the dots save or copy it.</p>"
    )

    def __init__(
        self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs, *, presets: PresetStore | None = None
    ) -> None:
        super().__init__()
        self.setObjectName("run_page")
        self.setAccessibleName(self.title)
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._store = presets or PresetStore(dialogs.settings.presets_folder)
        self._preset_name = state.config.preset
        self._preset_config = CalibrationConfig(preset=state.config.preset)
        self._palette: Palette = LIGHT
        self._shown_run: tuple[str, bool] | None = None
        self.preset_bar = PresetBar()
        self.table = ParameterTable()
        self.form = ConfigForm()
        self.plots = RunPlots()
        self._build()
        self._connect()
        self._show_presets()
        self._refresh(frozenset({"config", "parameters", "points", "inputs", "runs"}))

    # -- building ---------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        self.run_button = QPushButton("Run calibration")
        self.run_button.setObjectName("run_page_start")
        self.run_button.setProperty("role", "primary")
        self.run_button.setMinimumHeight(36)
        self.notice = QLabel()
        self.notice.setObjectName("run_notice")
        self.notice.setWordWrap(True)
        self.notice.setProperty("role", "small")
        self.defaults_button = QPushButton("Refine as the preset does")
        self.defaults_button.setObjectName("refine_defaults")
        self.defaults_button.setToolTip("Tick the parameters that the preset refines by default (can be undone)")
        self.reset_button = QPushButton("Reset values and bounds")
        self.reset_button.setObjectName("reset_parameters")
        self.reset_button.setToolTip(self._actions["edit.reset_parameters"].toolTip())
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        buttons.addWidget(self.defaults_button)
        buttons.addWidget(self.reset_button)
        buttons.addStretch(1)
        parameters = QWidget()
        inner = QVBoxLayout(parameters)
        inner.setContentsMargins(0, SPACE, 0, 0)
        inner.setSpacing(SPACE)
        inner.addWidget(self.table, 1)
        inner.addLayout(buttons)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("run_tabs")
        self.tabs.setAccessibleName("Parameters and settings")
        self.tabs.setToolTip("Which parameters are refined between which bounds, and the settings of the preset")
        self.tabs.addTab(parameters, "Parameters")
        self.tabs.addTab(self.form, "Settings")
        tip_tabs(self.tabs, ("Which parameters are refined, from where and between which bounds", "Settings of the preset"))
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.preset_bar)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.notice)
        column.addWidget(self.run_button)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("run_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(MARGIN)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.plots)
        self.splitter.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        layout.addWidget(self.splitter)
        self.reset_layout()

    def _connect(self) -> None:
        self._state.changed.connect(self._refresh)
        self._runner.batch.connect(self._on_batch)
        self._runner.state_changed.connect(self._on_phase)
        self._runner.finished.connect(self._on_ended)
        self._runner.failed.connect(self._on_ended)
        self._runner.cancelled.connect(self._on_ended)
        self.preset_bar.chosen.connect(self._on_preset)
        self.preset_bar.save_requested.connect(self._on_preset_save)
        self.preset_bar.rename_requested.connect(self._on_preset_rename)
        self.preset_bar.delete_requested.connect(self._on_preset_delete)
        self.table.edited.connect(self._on_parameter)
        self.form.edited.connect(self._on_setting)
        self.form.reset_requested.connect(self._on_settings_reset)
        self.defaults_button.clicked.connect(self._on_refine_defaults)
        self.reset_button.clicked.connect(self._actions["edit.reset_parameters"].trigger)
        start = self._actions["run.start"]
        self.run_button.clicked.connect(start.trigger)
        start.changed.connect(self._mirror_start)
        self._mirror_start()
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
        self.plots.begin(shot.parameters, shot.inputs.dispersion.wavelengths_nm, running=True)
        return bool(self._runner.start(shot.inputs, shot.config, shot.parameters))

    @property
    def next_problems(self) -> tuple[str, ...]:
        """Why the next page has nothing to show yet."""
        return () if self._state.runs else ("no run has finished yet",)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for part in (self.preset_bar, self.table, self.plots):
            part.set_palette(palette)
        self.run_button.setIcon(make_icon("run", palette, palette.accent_text))

    def forget(self) -> None:
        """Another session is in place: no value of the old one's runs stays."""
        self.plots.residual.set_detail("")
        self._show_notice()

    def reset_layout(self) -> None:
        """Sizes as at the first start."""
        self.splitter.setSizes([LEFT_WIDTH, 10_000])
        self.plots.reset_layout()

    # -- showing the state ----------------------------------------------------------------------------------------------
    @Slot(object)
    def _refresh(self, names: frozenset[str]) -> None:
        shot = self._state.snapshot
        if "parameters" in names:
            self.table.set_parameters(shot.parameters)
        if "config" in names:
            self.form.set_config(shot.config)
            self._show_presets()
        if "points" in names:
            self.plots.set_points([(p.row, p.col, p.label, p.colour) for p in shot.points])
        if "inputs" in names and not self._runner.running:
            self._shown_run = None
            self.plots.begin(shot.parameters, None if shot.inputs is None else shot.inputs.dispersion.wavelengths_nm)
            empty = "Load a measurement first (page 1)." if shot.inputs is None else "Start a run to see the reconstruction."
            self.plots.cube.set_waiting(empty)
        if names & {"runs", "current_id"} and not self._runner.running:
            self._show_record(self._state.current_run)
        self._show_notice()

    def _show_record(self, record: RunRecord | None) -> None:
        """The plots of the run that the QA page shows, so that both pages speak of the same one."""
        # With its maps or without: those of an earlier run come back from the session's file after a moment.
        shown = None if record is None else (record.uid, record.result.maps is not None)
        if shown == self._shown_run:
            return
        self._shown_run = shown
        if record is None:
            return
        self.plots.show_result(record.result)
        if record.result.maps is not None:
            self._on_colour_wanted(record.result.maps.cube_after)

    def _show_notice(self, problem: str = "") -> None:
        shot = self._state.snapshot
        stuck = [f"{p.name} starts {bound_words(p)}" for p in shot.parameters if p.at_bound]
        words = problem
        if not words and self._runner.running:
            words = "A run is going on. Edits made now count for the next run."
        elif not words and stuck:
            words = f"{'; '.join(stuck)}: widen the bound or change the value."
        elif not words and shot.inputs is None:
            words = "Load a measurement and a mask first (page 1, or the demo: Ctrl+D)."
        elif not words and not shot.parameters.refined:
            words = "Nothing to refine: tick at least one parameter."
        self.notice.setText(f"\N{WARNING SIGN} {words}" if problem else words)
        self.notice.setProperty("status", "bad" if problem else "")
        self.notice.style().unpolish(self.notice)
        self.notice.style().polish(self.notice)
        self.notice.setVisible(bool(words))

    def _show_presets(self) -> None:
        config = self._state.config
        if config.preset != self._preset_config.preset:
            self._preset_name, self._preset_config = config.preset, CalibrationConfig(preset=config.preset)
        own = self._store.names()
        changed = _without_refine(config) != _without_refine(self._preset_config)
        self.preset_bar.set_presets(BUILT_IN, own, self._preset_name, changed)

    @Slot()
    def _mirror_start(self) -> None:
        action = self._actions["run.start"]
        self.run_button.setEnabled(action.isEnabled())
        self.run_button.setToolTip(action.toolTip())
        self.run_button.setAccessibleName(action.text())

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
        changes = {"config": _without_refine(config), "parameters": parameters}
        if not commands.edit(self._state, f"Choose preset {name}", **changes):
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

    def _guarded(self, function: Any, *args: Any) -> bool:
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
            self.form.set_config(self._state.config)
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
    def _on_batch(self, batch: Any) -> None:
        self.plots.take(batch.events)

    @Slot(object)
    def _on_phase(self, _phase: object) -> None:
        self._show_notice()

    @Slot()
    @Slot(object)
    def _on_ended(self, _what: object = None) -> None:
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
        self.plots.curves.setCurrentWidget(self.plots.spectra)

    @Slot(object)
    def _on_export(self, request: Any) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)


def _without_refine(config: CalibrationConfig) -> CalibrationConfig:
    """The configuration without its list of refined parameters: in the window the table decides what is refined."""
    return config if config.refine is None else config.model_copy(update={"refine": None})
