"""Page 2: look at the inputs before anything is fitted: the mask over the measurement, findings, orientation, dispersion."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from cassi_core.errors import RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.run import RunControl
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.inputs.loading import in_window_words
from cassi_gui.pages import check_detection
from cassi_gui.pages.page import Page
from cassi_gui.plots.image_panel import MOST_FLAGS, ImagePanel
from cassi_gui.plots.profile import ProfilePlot
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.findings_list import FindingRow, FindingsList
from cassi_gui.widgets.overlay_controls import OverlayControls

LEVELS = {"info": "info", "warning": "warn", "error": "bad"}
PLACE_MARGIN = 0.3
"""Share of its size that is shown on every side of the place of a finding."""
DETECT_TEXT = "Find orientation and dispersion"
LIGHT_KIND, MATCH_KIND = "Light", "Match of the mask"
SUPERSEDED = ("mask_found", "orientation", "mask_not_found", "band_train")
"""Findings of the loader that the search on this page says better."""

HELP = """<h2>Check</h2>
<p>Two minutes here save a useless run. The picture is the measurement; the coloured pattern is the mask where one band's light
should land with the present start values.</p>
<ul><li><b>Blink</b> (B) switches the mask on and off; the slider sets how strongly it covers.</li>
<li>Tick <b>Move the mask</b> and drag the frame, or use Ctrl and the arrow keys in the picture: the start values of dx
and dy follow (undo brings them back). The program searches ±25 px by itself, so this is needed only for larger misalignments.</li>
<li><b>Findings</b> say what is wrong in words; <b>Show me</b> zooms to the place and frames the pixels.</li>
<li><b>Find orientation and dispersion</b> tries the mask in its eight flips and turns and looks where the band train begins
and ends; what it finds can be applied with one button.</li></ul>"""


class CheckPage(Page):
    """Picture with overlay at the left, findings at the right, profile below."""

    can_blink = True
    title = "Check"
    help_html = HELP

    def __init__(self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs) -> None:
        super().__init__()
        self.setObjectName("page.check")
        self.setAccessibleName("Check")
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._palette: Palette = LIGHT
        self._detection: check_detection.Detection | None = None
        self._control: RunControl | None = None
        """Of the search that is going on."""
        self._light: Any = None
        self._build()
        state.changed.connect(self._on_changed)
        self._refresh_inputs()

    @property
    def next_problems(self) -> tuple[str, ...]:
        """What is in the way of a run."""
        if self._state.inputs is None:
            return ("Load a measurement and a mask first",)
        return ()

    # -- building -------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        self.picture = ImagePanel("check_picture", "Measurement and mask")
        self.picture.cursor_moved.connect(self._on_cursor)
        self.picture.footprint_moved.connect(self._on_footprint_moved)
        self.profile = ProfilePlot("check_profile", "Along the dispersion axis")
        for plot in (self.picture, self.profile):
            plot.export_requested.connect(self._on_export)
        self._move_timer = QTimer(self)
        self._move_timer.setSingleShot(True)
        self._move_timer.setInterval(150)
        self._move_timer.timeout.connect(self._apply_footprint)
        self._moved_to: tuple[float, float] | None = None
        left = QSplitter(Qt.Orientation.Vertical)
        left.setObjectName("check_splitter")
        left.setChildrenCollapsible(False)
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.picture, 1)
        self.controls = OverlayControls()
        self.controls.frame_chosen.connect(self._show_frame)
        self.controls.changed.connect(self._draw_overlay)
        column.addWidget(self.controls)
        self.axis_kind = ChoiceBox()
        self.axis_kind.addItems([LIGHT_KIND, MATCH_KIND])
        self._name(
            self.axis_kind, "check.axis_kind", "Shown along the axis", "The light, or how well the mask matches at each shift"
        )
        self.axis_kind.currentIndexChanged.connect(self._draw_axis)
        self.profile.header.insertWidget(1, self.axis_kind)
        left.addWidget(top)
        left.addWidget(self.profile)
        left.setStretchFactor(0, 3)
        left.setStretchFactor(1, 1)
        self.profile.setMinimumHeight(140)
        self.splitter = left
        self.reset_layout()
        outer = QHBoxLayout(self)
        outer.setContentsMargins(MARGIN, MARGIN, MARGIN, SPACE)
        outer.setSpacing(MARGIN)
        outer.addWidget(left, 1)
        outer.addWidget(self._build_side())

    def _build_side(self) -> QFrame:
        self.findings = FindingsList(self._palette)
        self.findings.show_requested.connect(self._on_show)
        self.findings.apply_requested.connect(self._on_apply)
        self.detect = QPushButton(DETECT_TEXT)
        self._name(
            self.detect,
            "check.detect",
            "Find orientation and dispersion",
            "Try the mask in its eight flips and turns, and look where the train of bands begins and ends",
        )
        self.detect.clicked.connect(self._on_detect)
        heading = QLabel("Findings")
        heading.setProperty("role", "heading")
        side = QFrame()
        side.setFixedWidth(380)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(heading)
        column.addWidget(self.findings, 1)
        column.addWidget(self.detect)
        return side

    @staticmethod
    def _name(widget: QWidget, name: str, accessible: str, tip: str) -> None:
        widget.setObjectName(name)
        widget.setAccessibleName(accessible)
        widget.setToolTip(tip)

    def reset_layout(self) -> None:
        """Sizes as at the first start."""
        self.splitter.setSizes([420, 170])

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for part in (self.picture, self.profile, self.findings):
            part.set_palette(palette)
        self.controls.set_palette(palette)
        self.detect.setIcon(make_icon("check", palette))

    # -- state ----------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "inputs" in names:
            self._detection, self._light = None, None
            self.axis_kind.setCurrentIndex(0)
            self._refresh_inputs()
        elif "parameters" in names:
            self._draw_overlay()
            self._request_profile()
        if names & {"findings", "inputs", "loading", "load_problem"}:
            self._refresh_findings()

    def _refresh_inputs(self) -> None:
        inputs = self._state.inputs
        self.controls.setEnabled(inputs is not None)
        self.detect.setEnabled(inputs is not None)
        if inputs is None:
            self.picture.set_overlay(None)
            self.picture.set_footprint(None)
            self.picture.set_image(None, empty="Load a measurement and a mask: they appear here, one over the other.")
            self.profile.set_profile(None, empty="The light along the dispersion axis appears here.")
            self.controls.place.clear()
            self._refresh_findings()
            return
        names = [Path(f.source.path).name for f in inputs.frames]
        self.controls.set_choices(names, inputs.dispersion.n_bands)
        self._show_frame()
        self._refresh_findings()

    @Slot()
    def _show_frame(self) -> None:
        inputs = self._state.inputs
        if inputs is None:
            return
        frame = inputs.frames[self.controls.frame_index]
        self.picture.set_image(frame.image)
        self.picture.flag_pixels(None)
        self.picture.set_overlay(None)
        self._draw_overlay()
        self._request_profile()

    @Slot()
    def _draw_overlay(self) -> None:
        inputs = self._state.inputs
        if inputs is None:
            return
        from cassi_core.quality.placement import footprint

        controls = self.controls
        rect = footprint(inputs, self._state.parameters.values(), controls.band_index)
        self.picture.set_footprint(rect, movable=controls.movable.isChecked())
        self.picture.set_overlay(inputs.mask, controls.strength)
        values = self._state.parameters
        controls.place.setText(f"start dx {values['dx'].value:+.2f} px, dy {values['dy'].value:+.2f} px")

    def _request_profile(self) -> None:
        inputs = self._state.inputs
        if inputs is None:
            return
        arguments = (inputs, self._state.parameters.values(), self.controls.frame_index)
        self._runner.submit(_profile, *arguments, done=self._on_profile, key="profile")

    def _on_profile(self, profile: Any) -> None:
        if self._state.inputs is not None:
            self._light = profile
            self._draw_axis()

    @Slot()
    def _draw_axis(self) -> None:
        """The light along the axis, or the match of the mask found by the search."""
        if self.axis_kind.currentText() == MATCH_KIND:
            found = self._detection
            if found is None:
                self.profile.set_profile(
                    None, empty="Press “Find orientation and dispersion”: the match at each shift appears here."
                )
                return
            train = found.train
            marks = [(0.0, "first band expected", False), (found.travel_px, "last band expected", False)]
            marks += [(p, t, True) for p, t in ((train.begin_px, "begins"), (train.end_px, "ends")) if p is not None]
            self.profile.set_axes("shift of the mask along the dispersion", "px", "match (noise = 1)")
            self.profile.set_profile(train.z, marks, positions=train.shifts_px)
            return
        light = self._light
        if light is None:
            return
        marks = [(light.begin, "first band begins", False), (light.end, "last band ends", False)]
        if light.full_begin < light.full_end:
            marks += [(light.full_begin, "all bands", False), (light.full_end, "all bands end", False)]
        self.profile.set_axes("pixel along the dispersion", "px", "light")
        self.profile.set_profile(light.level, marks)

    # -- blink and drag -------------------------------------------------------------------------------------------
    def toggle_blink(self) -> None:
        """Start or stop blinking (the B key)."""
        self.controls.blink.toggle()

    @Slot(object)
    def _on_footprint_moved(self, position: tuple[float, float]) -> None:
        # A drag sends many positions; one edit follows when the hand rests, so that undo takes the whole drag back.
        self._moved_to = position
        self._move_timer.start()

    @Slot()
    def _apply_footprint(self) -> None:
        inputs = self._state.inputs
        if inputs is None or self._moved_to is None:
            return
        from cassi_core.quality.placement import start_from_footprint

        values = self._state.parameters
        row, col = self._moved_to
        dx, dy = start_from_footprint(inputs, values.values(), self.controls.band_index, row, col)
        moved = values
        for name, value in (("dx", dx), ("dy", dy)):
            p = values[name]
            moved = moved.edit(name, value=round(min(max(value, p.lower), p.upper), 3))
        if not commands.set_parameters(self._state, moved, "Move the mask"):
            self._draw_overlay()

    # -- findings -------------------------------------------------------------------------------------------------
    def _refresh_findings(self) -> None:
        shot = self._state.snapshot
        rows = [found.row for found in self._detection.answers] if self._detection is not None else []
        for i, f in enumerate(shot.findings):
            if self._detection is not None and f.code in SUPERSEDED:
                continue
            where = f" (snapshot {f.frame + 1})" if f.frame is not None and shot.inputs and len(shot.inputs.frames) > 1 else ""
            text = in_window_words(f.text) + "."
            cure = "Turn the mask" if f.code == "orientation" else ""
            rows.append(FindingRow(f"finding{i}", LEVELS[f.severity], f.title + where, text, f.place is not None, cure))
        if shot.inputs is None:
            empty = shot.load_problem or ("Reading …" if shot.loading else "Load a measurement and a mask first.")
        else:
            empty = "Nothing to complain about: exposure, background, contrast and sizes look right."
        self.findings.set_rows(rows, empty)

    @Slot(str)
    def _on_show(self, key: str) -> None:
        """Zoom to the place of a finding and frame its pixels."""
        shot = self._state.snapshot
        if not key.startswith("finding") or shot.inputs is None:
            return
        from cassi_core.quality.findings import flagged_pixels

        finding = shot.findings[int(key.removeprefix("finding"))]
        if finding.frame is not None:
            self.controls.frame.setCurrentIndex(finding.frame)
        if finding.place is not None:
            row0, col0, row1, col1 = finding.place
            beside = max(row1 - row0, col1 - col0) * PLACE_MARGIN
            where = QRectF(col0 - 0.5 - beside, row0 - 0.5 - beside, col1 - col0 + 2 * beside, row1 - row0 + 2 * beside)
            self.picture.view.setRange(where, padding=0)
        flags = flagged_pixels(shot.inputs.frames[self.controls.frame_index], finding.code)
        if flags is not None and finding.place is not None and np.count_nonzero(flags) > MOST_FLAGS:
            inside = np.zeros_like(flags)
            inside[row0:row1, col0:col1] = flags[row0:row1, col0:col1]
            flags = inside
        self.picture.flag_pixels(flags)

    @Slot(str)
    def _on_apply(self, key: str) -> None:
        answers = self._detection.answers if self._detection is not None else ()
        found = next((d for d in answers if d.row.key == key), None)
        if found is None:
            # The finding of the loader knows that the mask is the wrong way round; the search knows how to turn it.
            self._search(then_apply="orientation")
        elif found.apply is not None:
            text, changes = found.apply(self._state.snapshot)
            commands.edit(self._state, text, **changes)

    @Slot()
    def _on_detect(self) -> None:
        if self._control is not None:
            self._control.cancel()
        else:
            self._search()

    def _search(self, then_apply: str = "") -> None:
        inputs = self._state.inputs
        if inputs is None or self._control is not None:
            return
        self._control = RunControl()
        self.detect.setText("Stop looking")
        self._runner.submit(
            check_detection.detect,
            inputs,
            self._state.config.auto.min_peak_z,
            self._control,
            done=partial(self._on_detected, inputs, then_apply),
            failed=self._on_detect_failed,
            key="detect",
        )

    def _on_detected(self, inputs: CalibrationInputs, then_apply: str, found: check_detection.Detection) -> None:
        self._search_over()
        if inputs is not self._state.inputs:
            return
        self._detection = found
        for item in found.answers:
            self.logged.emit("info", f"{item.row.title}: {item.row.text}")
        self._refresh_findings()
        self.axis_kind.setCurrentText(MATCH_KIND)
        self._draw_axis()
        if then_apply:
            self._on_apply(then_apply)

    def _on_detect_failed(self, error: Exception) -> None:
        self._search_over()
        if isinstance(error, RunCancelled):
            self.logged.emit("info", "the search for orientation and dispersion was stopped")
            return
        text = in_window_words(str(error))
        self.logged.emit("error", f"orientation and dispersion could not be found: {text}")
        self._dialogs.error("Orientation and dispersion could not be found", text)

    def _search_over(self) -> None:
        self._control = None
        self.detect.setText(DETECT_TEXT)

    # -- the rest -------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_cursor(self, cursor: tuple[int, int, float] | None) -> None:
        self.cursor_text.emit("" if cursor is None else self.picture.value_text(cursor[0], cursor[1]))

    @Slot(object)
    def _on_export(self, request: Any) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)


def _profile(inputs: CalibrationInputs, values: dict[str, float], frame: int) -> Any:
    from cassi_core.quality.placement import axis_profile

    return axis_profile(inputs, values, frame)
