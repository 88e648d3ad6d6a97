"""The Load page: files dropped, typed and chosen; sorted, refused, removed; the demo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from conftest import AnsweringDialogs, RigFiles, drop
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cassi_gui.pages.load import DEMO_ENTRY
from cassi_gui.shell.main_window import MainWindow


def quiet(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=20_000)


def settled(qtbot: QtBot, window: MainWindow) -> None:
    """Wait until a dropped selection has been examined and read."""
    qtbot.waitUntil(lambda: not window.runner.busy and not window.state.snapshot.loading, timeout=20_000)


def test_the_empty_page_says_what_to_do(window: MainWindow) -> None:
    page = window.load_page
    assert page.demo_button.isVisible() and not page.more.content.isVisible()
    assert window.step_bar["load"].badge == "two files wanted"
    assert not window.step_bar.next_button.isEnabled()
    assert "Needs a measurement and a mask" in window.step_bar.reasons.text()
    assert page.big["measurement"].property("state") == "next" and page.big["mask"].property("state") == "empty"
    assert page.more.chip.text() == "none given"


def test_files_dropped_together_are_sorted_by_content_and_the_page_says_how(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles
) -> None:
    page = window.load_page
    page.form.bands.setValue(6)
    assert drop(page, rig_files.mask, rig_files.measurement).isAccepted()
    qtbot.waitUntil(lambda: window.state.inputs is not None)
    settled(qtbot, window)
    assert page.big["measurement"].entries == (str(rig_files.measurement),)
    assert page.big["mask"].name.text() == "b.npy" and page.big["mask"].name.toolTip() == str(rig_files.mask)
    assert "b.npy → mask: " in page.notes.text() and "dark or bright" in page.notes.text()
    assert page.slots["measurement"].facts.text().startswith("40 × 46 px, float32")
    assert page.big["measurement"].picture.shown and page.big["mask"].picture.shown
    assert "6 bands, 2 px per band to the right" in page.summary.text()
    assert window.step_bar["load"].badge == "loaded"
    assert window.step_bar.next_button.isEnabled()


def test_wrong_files_are_refused_in_words_and_change_nothing(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    before = window.state.snapshot.files
    letter = rig_files.folder / "letter.docx"
    letter.write_bytes(b"only words, no picture in here")
    page = window.load_page
    drop(page, letter)
    quiet(qtbot, window)
    assert "letter.docx is not used" in page.notes.text()
    drop(page.slots["mask"], letter)
    quiet(qtbot, window)
    assert "letter.docx" in page.slots["mask"].facts.text()
    assert page.slots["mask"].facts.property("status") == "bad"
    assert f"Still used: {rig_files.mask.name}" in page.slots["mask"].facts.text()
    assert window.state.snapshot.files == before
    assert window.state.inputs is not None
    assert "letter.docx" in window.log.plain()


def test_a_typed_path_is_taken_and_a_mistyped_one_is_said(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    page = window.load_page
    qtbot.mouseClick(page.more.header, Qt.MouseButton.LeftButton)
    slot = page.more.slots["dark"]
    dark = rig_files.save("still.npy", np.full(rig_files.inputs.frames[0].image.shape, 100.0, np.float32))
    qtbot.keyClicks(slot.path, str(rig_files.folder / "nowhere.npy"))
    qtbot.keyPress(slot.path, Qt.Key.Key_Return)
    quiet(qtbot, window)
    assert "no such file" in slot.facts.text()
    assert slot.path.text().endswith("nowhere.npy"), "the text stays, to be mended"
    slot.path.setText(str(dark))
    qtbot.keyPress(slot.path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.state.snapshot.files.dark == str(dark))
    assert page.more.chip.text() == "2 given", "the dark frame, and the bands that were set"


def test_a_path_in_the_home_folder_may_be_written_short(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(rig_files.folder))
    monkeypatch.setenv("USERPROFILE", str(rig_files.folder))
    window.load_page.add_files(["~/a.npy"])
    qtbot.waitUntil(lambda: window.state.snapshot.files.measurements == (str(rig_files.measurement),))


def test_the_choose_button_takes_what_the_dialog_gives(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, dialogs: AnsweringDialogs
) -> None:
    dialogs.files = (str(rig_files.mask),)
    qtbot.mouseClick(window.load_page.slots["mask"].choose, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.state.snapshot.files.mask == str(rig_files.mask))


def test_the_measurement_is_shown_before_the_mask_arrives_and_the_mask_comes_next(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, dialogs: AnsweringDialogs
) -> None:
    window.activateWindow()
    page = window.load_page
    page.form.bands.setValue(6)
    assert window.focusWidget() is page.big["measurement"].choose
    dialogs.files = (str(rig_files.measurement),)
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(window.state.snapshot.load_problem))
    qtbot.waitUntil(lambda: page.big["measurement"].picture.shown)
    assert page.big["measurement"].property("status") in (None, ""), "half of the way is no fault"
    assert [slot.property("state") for slot in page.big.values()] == ["filled", "next"]
    assert page.big["mask"].choose.property("role") == "primary" and window.focusWidget() is page.big["mask"].choose
    assert window.step_bar["load"].badge == "mask wanted"
    assert window.step_bar.reasons.text() == "Needs a mask" and not window.step_bar.next_button.isEnabled()
    dialogs.files = (str(rig_files.mask),)
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.state.inputs is not None)
    assert [slot.property("state") for slot in page.big.values()] == ["filled", "filled"]
    assert window.step_bar.next_button.isEnabled() and window.step_bar.next_button.property("role") == "primary"


def test_a_container_is_asked_about_and_the_answer_is_used(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, dialogs: AnsweringDialogs
) -> None:
    two = rig_files.folder / "two.npz"
    image = rig_files.inputs.frames[0].image
    np.savez(two, left=image, right=image[::-1])
    drop(window.load_page.slots["measurement"], two)
    quiet(qtbot, window)
    assert dialogs.arrays_offered == [("left", "right")]
    assert window.state.snapshot.files.measurements == (), "nobody answered"
    dialogs.array_key = "right"
    drop(window.load_page.slots["measurement"], two)
    qtbot.waitUntil(lambda: window.state.snapshot.files.measurements == (f"{two}::right",))
    dialogs.array_key = "left"
    qtbot.waitUntil(lambda: window.load_page.slots["measurement"].pick.isVisible())
    qtbot.mouseClick(window.load_page.slots["measurement"].pick, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.state.snapshot.files.measurements == (f"{two}::left",))


def test_more_measurements_join_or_replace_as_the_person_says(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, dialogs: AnsweringDialogs, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    second = rig_files.save("second.npy", rig_files.inputs.frames[0].image + 3)
    dialogs.answer = 0
    drop(window.load_page.slots["measurement"], second)
    qtbot.waitUntil(lambda: window.state.inputs is not None and len(window.state.inputs.frames) == 2)
    slot = window.load_page.big["measurement"]
    assert slot.heading.text() == "1  2 snapshots" and slot.names.count() == 2
    assert window.step_bar["load"].badge == "2 snapshots"
    slot.names.setCurrentIndex(0)
    qtbot.mouseClick(window.load_page.slots["measurement"].remove, Qt.MouseButton.LeftButton)
    assert window.state.snapshot.files.measurements == (str(second),)
    dialogs.answer = 1
    drop(window.load_page.slots["measurement"], rig_files.measurement)
    qtbot.waitUntil(lambda: window.state.snapshot.files.measurements == (str(rig_files.measurement),))
    dialogs.answer = None
    drop(window.load_page.slots["measurement"], second)
    quiet(qtbot, window)
    assert window.state.snapshot.files.measurements == (str(rig_files.measurement),), "cancelled"


def test_dark_and_flat_frames_change_what_is_loaded(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    image = rig_files.inputs.frames[0].image
    dark = rig_files.save("dark.npy", np.full(image.shape, 100.0, np.float32))
    drop(window.load_page, dark)
    qtbot.waitUntil(lambda: window.state.snapshot.files.dark == str(dark) and not window.state.snapshot.loading)
    assert window.state.inputs is not None
    np.testing.assert_allclose(window.state.inputs.frames[0].image, image - 100, atol=1e-3)
    window.slots_.undo()
    qtbot.waitUntil(lambda: not window.state.snapshot.loading)
    np.testing.assert_allclose(window.state.inputs.frames[0].image, image, atol=1e-3)


def test_the_dispersion_is_set_by_hand_and_undone(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    form = window.load_page.form
    assert "6 bands, 2 px/band" in form.effective.text() and "your settings" in form.effective.text()
    form.bands.setValue(11)
    qtbot.waitUntil(lambda: window.state.inputs is not None and window.state.inputs.dispersion.n_bands == 11)
    assert window.state.inputs is not None and window.state.inputs.dispersion.step_px == 1.0
    window.slots_.undo()
    qtbot.waitUntil(lambda: not window.state.snapshot.loading)
    assert form.bands.value() == window.state.snapshot.files.n_bands or form.bands.text() == "auto"


def test_the_demo_fills_the_slots_and_is_closed_by_removing_a_file(qtbot: QtBot, window: MainWindow) -> None:
    page = window.load_page
    qtbot.mouseClick(page.demo_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.state.inputs is not None, timeout=20_000)
    qtbot.waitUntil(lambda: "256 × 310" in page.slots["measurement"].facts.text(), timeout=20_000)
    assert [r for r, s in page.slots.items() if s.entries == (DEMO_ENTRY,)] == ["measurement", "mask", "cube"]
    assert window.state.snapshot.truth is not None
    assert "true misalignment is known" in page.summary.text()
    assert window.step_bar["load"].badge == "demo"
    assert not page.form.bands.isEnabled(), "the demo's dispersion is what it is"
    qtbot.mouseClick(page.slots["mask"].remove, Qt.MouseButton.LeftButton)
    assert window.state.inputs is None and not window.state.snapshot.files.demo
    assert page.big["measurement"].property("state") == "next"


def test_recent_files_bring_the_whole_selection_back(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    files = window.state.snapshot.files
    window.slots_.clear_session()
    assert window.state.inputs is None
    entries = [a for a in window.recent._menu.actions() if "a.npy with b.npy" in a.text()]
    assert entries
    entries[0].trigger()
    qtbot.waitUntil(lambda: window.state.inputs is not None)
    assert window.state.snapshot.files == files
    assert window.load_page.slots["mask"].entries == (str(rig_files.mask),)


def names_by_tab(qtbot: QtBot, window: MainWindow) -> list[str]:
    """Object names of what the Tab key reaches from the control that has the focus, until it comes round."""
    names: list[str] = []
    while True:
        focus = window.focusWidget()
        assert focus is not None
        if focus.objectName() in names or len(names) > 200:
            return names
        names.append(focus.objectName())
        qtbot.keyClick(focus, Qt.Key.Key_Tab)


def test_the_keyboard_reaches_every_slot_and_field(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    window.activateWindow()
    page = window.load_page
    page.more.set_open(True)
    for loaded in (False, True):
        if loaded:
            load(window, rig_files.measurement, rig_files.mask)
            window.show_page("check")
            window.step_bar["load"].click()
        reached = names_by_tab(qtbot, window)
        controls = [slot.choose for slot in page.slots.values()] + [slot.path for slot in page.more.slots.values()]
        assert [c.objectName() for c in controls if c.objectName() not in reached] == [], loaded
        assert page.form.bands.objectName() in reached and page.demo_button.objectName() in reached


def test_fields_of_the_dispersion_are_undone_one_by_one(qtbot: QtBot, window: MainWindow) -> None:
    form = window.load_page.form
    form.bands.setValue(6)
    form.step.setValue(3.0)
    files = window.state.snapshot.files
    assert (files.n_bands, files.step_px) == (6, 3.0)
    window.state.undo_stack.undo()
    assert (window.state.snapshot.files.n_bands, window.state.snapshot.files.step_px) == (6, None)
