"""The Check page: the mask over the measurement, the dragged footprint, findings, orientation and dispersion."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import fakes
import numpy as np
import pytest
from conftest import AnsweringDialogs, RigFiles
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from cassi_core.dispersion import Dispersion
from cassi_core.errors import RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.placement import turn_mask
from cassi_core.run import RunControl
from cassi_gui.inputs import loading
from cassi_gui.pages.check_detection import turned
from cassi_gui.plots.profile import ProfilePlot
from cassi_gui.session.state import FileSelection
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.style.theme import DARK

Load = Callable[..., None]


@pytest.fixture
def loaded(window: MainWindow, rig_files: RigFiles, load: Load) -> MainWindow:
    load(window, rig_files.measurement, rig_files.mask)
    window.show_page("check")
    return window


def button(window: MainWindow, name: str) -> QPushButton:
    found = window.check_page.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), name
    return found


def test_the_empty_page_says_what_to_do(window: MainWindow) -> None:
    window.show_page("check")
    assert "Load a measurement and a mask" in window.check_page.picture.empty_text
    assert not window.check_page.look.isEnabled()
    assert "Load a measurement" in window.step_bar.reasons.text()


def test_the_mask_lies_where_the_chosen_band_lands(loaded: MainWindow) -> None:
    page = loaded.check_page
    page.controls.band.setValue(1)
    assert page.picture._footprint == pytest.approx((0, 0, 40, 36))
    page.controls.band.setValue(6)
    assert page.picture._footprint == pytest.approx((0, 10, 40, 36)), "five steps of two pixels to the right"
    loaded.state.replace(parameters=loaded.state.parameters.edit("dx", value=1.5).edit("dy", value=-2.0))
    assert page.picture._footprint == pytest.approx((-2.0, 11.5, 40, 36))
    assert "dx +1.50 px, dy −2.00 px" in page.controls.place.text()


def test_dragging_the_frame_sets_the_start_values_in_one_step(qtbot: QtBot, loaded: MainWindow) -> None:
    page = loaded.check_page
    page.controls.band.setValue(3)
    page.controls.movable.setChecked(True)
    steps = loaded.state.undo_stack.count()
    for moved in (1.0, 2.0, 3.0):
        page.picture.footprint_moved.emit((-1.0, 4.0 + moved))
    qtbot.waitUntil(lambda: loaded.state.parameters["dx"].value == 3.0)
    assert loaded.state.parameters["dy"].value == -1.0
    assert loaded.state.undo_stack.count() == steps + 1
    loaded.slots_.undo()
    assert loaded.state.parameters["dx"].value == 0.0
    page.picture.footprint_moved.emit((0.0, 400.0))
    qtbot.waitUntil(lambda: loaded.state.parameters["dx"].value == 25.0)
    assert page.picture._footprint == pytest.approx((0.0, 29.0, 40, 36)), "held at the bound"


def test_the_frame_moves_by_keys_as_well(qtbot: QtBot, loaded: MainWindow) -> None:
    page = loaded.check_page
    graphics = page.picture.graphics
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(graphics, Qt.Key.Key_Right, control)
    assert loaded.state.parameters["dx"].value == 0.0, "not before it is allowed"
    page.controls.movable.setChecked(True)
    for key, held in ((Qt.Key.Key_Right, control), (Qt.Key.Key_Right, control), (Qt.Key.Key_Up, control | shift)):
        qtbot.keyClick(graphics, key, held)
    values = loaded.state
    qtbot.waitUntil(lambda: values.parameters["dx"].value != 0)
    assert (values.parameters["dx"].value, values.parameters["dy"].value) == pytest.approx((2.0, -0.1))
    values.undo_stack.undo()
    assert (values.parameters["dx"].value, values.parameters["dy"].value) == (0.0, 0.0)


def test_a_hidden_page_does_not_blink_and_other_pages_cannot(loaded: MainWindow) -> None:
    action = loaded.action_set["view.blink"]
    action.trigger()
    assert loaded.check_page.controls.blink.isChecked() and not action.isCheckable()
    loaded.show_page("run")
    assert not loaded.check_page.controls.blink.isChecked() and not action.isEnabled()
    loaded.show_page("qa")
    assert action.isEnabled()


def test_blinking_takes_the_mask_away_and_brings_it_back(qtbot: QtBot, loaded: MainWindow) -> None:
    page = loaded.check_page
    page.controls.opacity.setValue(60)
    assert page.picture._overlay._opacity == pytest.approx(0.6)
    loaded.activateWindow()
    qtbot.keyClick(loaded, Qt.Key.Key_B)
    assert page.controls.blink.isChecked()
    qtbot.waitUntil(lambda: page.picture._overlay._opacity == 0)
    qtbot.waitUntil(lambda: page.picture._overlay._opacity == pytest.approx(0.6))
    page.toggle_blink()
    assert page.picture._overlay._opacity == pytest.approx(0.6)


def test_findings_are_said_and_shown(qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load) -> None:
    image = rig_files.inputs.frames[0].image.copy()
    image[8:12, 20:24] = 4095
    bright = rig_files.save("bright.npy", image.clip(0).astype(np.uint16))
    load(window, bright, rig_files.mask)
    window.show_page("check")
    page = window.check_page
    rows = {row.title: row for row in page.findings.rows}
    assert "16 pixels" in rows["Saturated pixels"].text
    key = rows["Saturated pixels"].key
    qtbot.mouseClick(button(window, f"finding.{key}.show"), Qt.MouseButton.LeftButton)
    (left, right), (top, bottom) = page.picture.view.viewRange()
    assert left < 21 < right and min(top, bottom) < 9 < max(top, bottom)
    assert right - left < 46, "it zoomed in"
    qtbot.waitUntil(lambda: not window.runner.busy)
    assert set(page.picture.flagged) == {(row, col) for row in range(8, 12) for col in range(20, 24)}
    load(window, rig_files.measurement, rig_files.mask)
    assert page.picture.flagged == ()


def rig_with_wrong_mask() -> tuple[CalibrationInputs, np.ndarray]:
    """A textured rig of 96 x 96 whose mask is given mirrored and turned; made by plain shifts and sums."""
    rng = np.random.default_rng(5)
    mask = (rng.random((96, 96)) > 0.5).astype(np.float32)
    image = np.zeros((96, 96 + 14), np.float32)
    for band in range(8):
        light = 1 + 0.3 * np.sin(np.arange(96) / 9 + band)[None, :]
        image[:, 2 * band : 2 * band + 96] += mask * light
    wrong = np.rot90(mask, -1)[:, ::-1]
    return CalibrationInputs.from_arrays(image, np.ascontiguousarray(wrong), Dispersion.constant(8, 2.0)), mask


def test_a_mask_the_wrong_way_round_is_found_and_turned(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load
) -> None:
    inputs, right_mask = rig_with_wrong_mask()
    picture = rig_files.save("y.npy", inputs.frames[0].image)
    mask = rig_files.save("m.npy", inputs.mask)
    load(window, picture, mask, bands=8)
    window.show_page("check")
    page = window.check_page
    qtbot.waitUntil(lambda: window.state.snapshot.detection is not None, timeout=30_000)
    assert "Mask the wrong way round" in [r.title for r in page.findings.rows]
    assert window.step_bar["check"].badge == "mask is turned"
    qtbot.mouseClick(button(window, "finding.orientation.apply"), Qt.MouseButton.LeftButton)
    assert window.state.snapshot.detection is None, "what was known went with the inputs"
    qtbot.waitUntil(lambda: not window.runner.busy and not window.state.snapshot.loading, timeout=30_000)
    assert window.state.inputs is not None
    np.testing.assert_array_equal(window.state.inputs.mask, right_mask)
    assert "Mask found" in [r.title for r in page.findings.rows]
    assert window.step_bar["check"].badge == "mask found"
    window.slots_.undo()
    qtbot.waitUntil(lambda: not window.state.snapshot.loading)
    np.testing.assert_array_equal(window.state.inputs.mask, inputs.mask)


def test_the_mask_is_looked_for_without_being_asked_and_nothing_is_good_before_it_is_found(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load
) -> None:
    """With the worker's real search: the badge waits for it, whatever the findings say in the meantime."""
    inputs, right_mask = rig_with_wrong_mask()
    badges: list[tuple[str, bool]] = []
    window.state.changed.connect(
        lambda names: badges.append((window.step_bar["check"].badge, window.state.snapshot.detection is not None))
    )
    load(window, rig_files.save("y.npy", inputs.frames[0].image), rig_files.save("m.npy", right_mask), bands=8)
    qtbot.waitUntil(lambda: window.state.snapshot.detection is not None, timeout=30_000)
    assert window.step_bar["check"].badge == "mask found" and window.page_id == "load", "nobody went to the page"
    assert ("looking …", False) in badges
    assert {badge for badge, known in badges if not known} <= {"", "looking …", "not looked for"}
    window.show_page("check")
    assert [r.title for r in window.check_page.findings.rows][:2] == ["Mask found", "Dispersion as said"]


def test_a_wrong_mask_turns_the_step_red_and_the_buttons_lead_to_what_helps(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load, dialogs: AnsweringDialogs
) -> None:
    inputs, right_mask = rig_with_wrong_mask()
    wrong = rig_files.save("wrong.npy", (np.random.default_rng(77).random((96, 96)) > 0.5).astype(np.float32))
    right = rig_files.save("right.npy", right_mask)
    load(window, rig_files.save("y.npy", inputs.frames[0].image), wrong, bands=8)
    window.show_page("check")
    qtbot.waitUntil(lambda: window.state.snapshot.detection is not None, timeout=30_000)
    assert (window.step_bar["check"].badge, window.step_bar["check"].status) == ("not found", "bad")
    row = window.check_page.findings.rows[0]
    assert row.title == "Mask not found" and "none of its 8 orientations" in row.text and row.level == "bad"
    qtbot.mouseClick(button(window, "finding.orientation.dispersion"), Qt.MouseButton.LeftButton)
    assert window.page_id == "load" and window.load_page.form.bands.isVisible()
    window.show_page("check")
    qtbot.mouseClick(button(window, "finding.orientation.load"), Qt.MouseButton.LeftButton)
    assert window.page_id == "load"
    window.show_page("check")
    dialogs.files = (str(right),)
    another = button(window, "finding.orientation.mask")
    assert another.property("role") == "primary" and window.step_bar.next_button.property("role") != "primary"
    another.setFocus()
    qtbot.keyClick(another, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.state.snapshot.files.mask == str(right))
    assert window.state.snapshot.detection is None
    qtbot.waitUntil(lambda: window.state.snapshot.detection is not None, timeout=30_000)
    assert window.step_bar["check"].badge == "mask found"


def test_the_search_stops_when_the_inputs_change_or_a_run_begins_and_on_demand(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[CalibrationInputs] = []

    def endless(inputs: CalibrationInputs, min_peak_z: float, control: RunControl) -> None:
        try:
            while True:
                control.checkpoint()
                time.sleep(0.005)
        except RunCancelled:
            stopped.append(inputs)
            raise

    monkeypatch.setattr(loading, "look_for_mask", endless)
    window.add_files([str(rig_files.measurement), str(rig_files.mask)])
    window.load_page.form.bands.setValue(6)
    qtbot.waitUntil(lambda: window.state.snapshot.detecting and window.state.inputs is not None)
    first = window.state.inputs
    window.load_page.form.bands.setValue(3)
    qtbot.waitUntil(lambda: bool(stopped) and window.state.inputs is not first and window.state.snapshot.detecting)
    assert stopped[0] is first
    window.show_page("check")
    assert window.check_page.look.text() == "Stop looking"
    qtbot.mouseClick(window.check_page.look, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.state.snapshot.detecting)
    assert window.step_bar["check"].badge == "not looked for"
    assert window.check_page.findings.rows[0].title == "Not looked for"
    qtbot.mouseClick(window.check_page.look, Qt.MouseButton.LeftButton)
    assert window.state.snapshot.detecting
    window.slots_.start_run()
    qtbot.waitUntil(lambda: len(stopped) == 3 and not window.runner.running, timeout=20_000)
    qtbot.waitUntil(lambda: window.state.snapshot.detecting)
    window.check_page.look.click()
    qtbot.waitUntil(lambda: not window.runner.busy)


def test_the_position_that_was_found_becomes_the_start(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load
) -> None:
    inputs, right_mask = rig_with_wrong_mask()
    picture = rig_files.save("y.npy", np.roll(inputs.frames[0].image, (2, -3), axis=(0, 1)))
    load(window, picture, rig_files.save("m.npy", right_mask), bands=8)
    window.show_page("check")
    page = window.check_page
    qtbot.waitUntil(lambda: window.state.snapshot.detection is not None, timeout=30_000)
    page.axis_kind.setCurrentText("Match of the mask")
    found = {text for _, text, solid in page.profile.marks if solid}
    assert found == {"begins", "ends"}
    qtbot.mouseClick(button(window, "finding.position.apply"), Qt.MouseButton.LeftButton)
    values = window.state.parameters
    assert values["dx"].value == pytest.approx(-3, abs=0.6)
    assert values["dy"].value == pytest.approx(2, abs=0.6)


def test_turning_a_turned_mask_adds_up() -> None:
    rng = np.random.default_rng(0)
    given = fakes.inputs(fakes.FakeRig(36, 36))
    given = replace(given, mask=rng.random((36, 36)).astype(np.float32), reference=None)
    for first in [(False, 1), (True, 0), (True, 3), (False, 2)]:
        for more in [(False, 3), (True, 0), (True, 1), (True, 2)]:
            step_by_step = turn_mask(turn_mask(given, *first), *more)
            at_once = turn_mask(given, *turned(FileSelection(mask_turn=first), *more).mask_turn)
            np.testing.assert_array_equal(step_by_step.mask, at_once.mask)


def test_the_profile_shows_the_light_and_its_nominal_ends(qtbot: QtBot, loaded: MainWindow) -> None:
    page = loaded.check_page
    qtbot.waitUntil(lambda: not loaded.runner.busy)
    assert [round(p, 1) for p, _, _ in page.profile.marks] == [-0.5, 45.5, 9.5, 35.5]
    assert len(page.profile.table().rows) == 46
    loaded.state.replace(detection=None)
    page.axis_kind.setCurrentText("Match of the mask")
    assert "When the mask is found" in page.profile.empty_text


def test_another_snapshot_is_shown(qtbot: QtBot, loaded: MainWindow, rig_files: RigFiles) -> None:
    second = rig_files.save("second.npy", rig_files.inputs.frames[0].image + 50)
    loaded.add_files([str(second)])
    qtbot.waitUntil(lambda: loaded.state.inputs is not None and len(loaded.state.inputs.frames) == 2)
    loaded.show_page("check")
    page = loaded.check_page
    assert page.controls.frame.isVisible()
    page.controls.frame.setCurrentIndex(1)
    assert page.picture.image is loaded.state.inputs.frames[1].image  # type: ignore[union-attr]


def test_ticks_show_the_values_themselves(qtbot: QtBot) -> None:
    """pyqtgraph scales the ticks of small values by 1000 and would say so in a unit prefix that we do not show."""
    plot = ProfilePlot()
    qtbot.addWidget(plot)
    plot.show()
    axis = plot.plot.getAxis("left")
    for low, high in ((0.0, 0.06), (0.0, 35.0), (0.0, 2e6), (0.0, 1e-4)):
        plot.set_axes("shift", "px", "light")
        plot.set_profile(np.linspace(low, high, 50))
        plot.set_palette(DARK)
        assert axis.autoSIPrefixScale == 1.0
