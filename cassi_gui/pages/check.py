"""Page 2: look at the inputs before anything is fitted: the mask over the measurement, whether it was found, findings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from cassi_core.inputs import CalibrationInputs, Frame
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.inputs.loading import in_window_words
from cassi_gui.pages.check_detection import Detected, answers
from cassi_gui.pages.check_view import CheckView
from cassi_gui.pages.page import Page
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.findings_list import FindingRow, FindingsList

if TYPE_CHECKING:
    from cassi_core.quality.placement import AxisProfile
    from cassi_gui.plots.export import PlotExport

LEVELS = {"info": "info", "warning": "warn", "error": "bad"}
LOOK_TEXT, STOP_TEXT = "Look for the mask again", "Stop looking"
SIDE_WIDTH = 308
LOOKING = FindingRow(
    "looking",
    "info",
    "Looking for the mask …",
    "As it is, and then mirrored and turned in every way, until it stands out of the noise.",
)
NOT_LOOKED = FindingRow("looking", "info", "Not looked for", "The search for the mask was stopped: look again, or just run.")

HELP = """<h2>Check</h2>
<p>Two minutes here save a useless run. The picture is the measurement; the coloured pattern is the mask where one band's light
should land with the present start values.</p>
<ul><li><b>Whether the mask is in the picture</b> is looked for as soon as both files are there: as it is, then in its eight flips and turns.
When it is not found, the buttons at the right lead to what helps: another mask, other bands, another step.</li>
<li><b>Blink</b> (B) switches the mask on and off; the slider sets how strongly it covers.</li>
<li>Tick <b>Move the mask</b> and drag the frame, or use Ctrl and the arrow keys in the picture: the start values of dx
and dy follow (undo brings them back). The program searches ±25 px by itself, so this is needed only for larger misalignments.</li>
<li><b>Findings</b> say what is wrong in words; <b>Show me</b> zooms to the place and frames the pixels.</li></ul>"""


class CheckPage(Page):
    """Picture with overlay at the left, findings at the right."""

    can_blink = True
    title = "Check"
    help_html = HELP

    def __init__(self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs) -> None:
        super().__init__()
        self.setObjectName("page.check")
        self.setAccessibleName("Check")
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._palette: Palette = LIGHT
        self._answers: tuple[Detected, ...] = ()
        self._build()
        state.changed.connect(self._on_changed)
        self._refresh_inputs()

    @property
    def next_problems(self) -> tuple[str, ...]:
        """What is in the way of a run."""
        if self._state.inputs is None:
            return ("Load a measurement and a mask first",)
        return ()

    @property
    def next_is_primary(self) -> bool:
        """Nobody should go on with a mask that is not in the picture."""
        found = self._state.snapshot.detection
        return found is None or found.found

    # -- building -------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        self.view = CheckView()
        self.picture, self.profile, self.controls = self.view.picture, self.view.profile, self.view.controls
        self.axis_kind = self.view.axis_kind
        self.view.mask_moved.connect(self._on_mask_moved)
        self.view.frame_chosen.connect(self._request_light)
        self.picture.cursor_moved.connect(self._on_cursor)
        for plot in (self.picture, self.profile):
            plot.export_requested.connect(self._on_export)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(MARGIN, MARGIN, MARGIN, SPACE)
        outer.setSpacing(MARGIN)
        outer.addWidget(self.view, 1)
        outer.addWidget(self._build_side())

    def _build_side(self) -> QFrame:
        self.findings = FindingsList(self._palette)
        self.findings.show_requested.connect(self._on_show)
        self.findings.apply_requested.connect(self._on_apply)
        self.findings.way_chosen.connect(self._on_way)
        self.look = QPushButton(LOOK_TEXT)
        self.look.setObjectName("check.look")
        self.look.setAccessibleName("Look for the mask")
        self.look.setToolTip(
            "Try the mask as it is and in its eight flips and turns, and see where the train of bands begins and ends"
        )
        self.look.clicked.connect(self._on_look)
        heading = QLabel("Findings")
        heading.setProperty("role", "heading")
        side = QFrame()
        side.setFixedWidth(SIDE_WIDTH)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(heading)
        column.addWidget(self.findings, 1)
        column.addWidget(self.look)
        return side

    def forget(self) -> None:
        """Another session is in place: its mask lies still, and the whole picture is shown."""
        self.controls.movable.setChecked(False)
        self.controls.blink.setChecked(False)

    def reset_layout(self) -> None:
        """Sizes as at the first start."""
        self.view.reset_layout()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.view.set_palette(palette)
        self.findings.set_palette(palette)
        self.look.setIcon(make_icon("check", palette))

    # -- state ----------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "inputs" in names:
            self._refresh_inputs()
        elif "parameters" in names:
            self.view.set_parameters(self._state.parameters)
            self._request_light()
        if names & {"findings", "inputs", "loading", "load_problem", "detection", "detecting"}:
            self._refresh_findings()

    def _refresh_inputs(self) -> None:
        self.view.set_inputs(self._state.inputs, self._state.parameters)
        self._refresh_findings()

    @Slot()
    def _request_light(self) -> None:
        inputs = self._state.inputs
        if inputs is not None:
            arguments = (inputs, self._state.parameters.values(), self.controls.frame_index)
            self._runner.submit(_light_along_axis, *arguments, done=self._on_light, key="profile")

    def _on_light(self, light: AxisProfile) -> None:
        if self._state.inputs is not None:
            self.view.set_light(light)

    # -- blink and drag -------------------------------------------------------------------------------------------
    def toggle_blink(self) -> None:
        """Start or stop blinking (the B key)."""
        self.controls.blink.toggle()

    @Slot(float, float)
    def _on_mask_moved(self, row: float, col: float) -> None:
        inputs = self._state.inputs
        if inputs is None:
            return
        from cassi_core.quality.placement import start_from_footprint

        moved = self._state.parameters
        dx, dy = start_from_footprint(inputs, moved.values(), self.controls.band_index, row, col)
        for name, value in (("dx", dx), ("dy", dy)):
            p = moved[name]
            moved = moved.edit(name, value=round(min(max(value, p.lower), p.upper), 3))
        if not commands.set_parameters(self._state, moved, "Move the mask"):
            self.view.draw_mask()

    # -- findings -------------------------------------------------------------------------------------------------
    def _refresh_findings(self) -> None:
        shot = self._state.snapshot
        self.look.setEnabled(shot.inputs is not None)
        self.look.setText(STOP_TEXT if shot.detecting else LOOK_TEXT)
        if shot.inputs is None:
            empty = shot.load_problem or ("Reading …" if shot.loading else "Load a measurement and a mask first.")
            self._answers = ()
            self.findings.set_rows((), empty)
            return
        self._answers = answers(shot.inputs, shot.detection) if shot.detection is not None else ()
        self.view.set_train(shot.detection.train if shot.detection is not None else None)
        rows = [found.row for found in self._answers] or [LOOKING if shot.detecting else NOT_LOOKED]
        several = len(shot.inputs.frames) > 1
        for i, f in enumerate(shot.findings):
            where = f" (snapshot {f.frame + 1})" if f.frame is not None and several else ""
            text = in_window_words(f.text) + "."
            rows.append(FindingRow(f"finding{i}", LEVELS[f.severity], f.title + where, text, f.place is not None))
        self.findings.set_rows(rows)

    @Slot(str)
    def _on_show(self, key: str) -> None:
        """Zoom to the place of a finding and frame its pixels."""
        shot = self._state.snapshot
        if not key.startswith("finding") or shot.inputs is None:
            return
        finding = shot.findings[int(key.removeprefix("finding"))]
        if finding.frame is not None:
            self.controls.frame.setCurrentIndex(finding.frame)
        if finding.place is not None:
            self.view.zoom_to(finding.place)
        frame = shot.inputs.frames[self.controls.frame_index]
        done = partial(self._on_flagged, shot.inputs, self.controls.frame_index, finding.place)
        self._runner.submit(_flagged, frame, finding.code, done=done, key="flagged")

    def _on_flagged(
        self,
        inputs: CalibrationInputs,
        index: int,
        place: tuple[int, int, int, int] | None,
        flags: NDArray[np.bool_] | None,
    ) -> None:
        if inputs is self._state.inputs and index == self.controls.frame_index:
            self.view.flag_pixels(flags, place)

    @Slot(str)
    def _on_apply(self, key: str) -> None:
        found = next((answer for answer in self._answers if answer.row.key == key), None)
        if found is not None and found.apply is not None:
            text, changes = found.apply(self._state.snapshot)
            commands.edit(self._state, text, **changes)

    @Slot(str)
    def _on_way(self, way: str) -> None:
        if way == "load":
            self.page_requested.emit("load")
        else:
            self.input_requested.emit(way)

    @Slot()
    def _on_look(self) -> None:
        self.look_requested.emit(not self._state.snapshot.detecting)

    # -- the rest -------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_cursor(self, cursor: tuple[int, int, float] | None) -> None:
        self.cursor_text.emit("" if cursor is None else self.picture.value_text(cursor[0], cursor[1]))

    @Slot(object)
    def _on_export(self, request: PlotExport) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)


def _light_along_axis(inputs: CalibrationInputs, values: dict[str, float], frame: int) -> AxisProfile:
    """The light along the dispersion axis (in the worker's thread)."""
    from cassi_core.quality.placement import axis_profile

    return axis_profile(inputs, values, frame)


def _flagged(frame: Frame, code: str) -> NDArray[np.bool_] | None:
    """The pixels that a finding counts (in the worker's thread: half a second for 2048 x 2048)."""
    from cassi_core.quality.findings import flagged_pixels

    return flagged_pixels(frame, code)
