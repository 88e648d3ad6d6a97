"""The two large slots: what is put into the wrong one is moved with a word, an error stands once and whole, a calibration is no error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import AnsweringDialogs, RigFiles, WindowMaker, drop
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from cassi_gui.pages.load_words import day_words
from cassi_gui.shell.main_window import MainWindow


def settled(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.runner.busy and not window.state.snapshot.loading, timeout=20_000)


def visible_texts(window: MainWindow) -> list[str]:
    """What a person reads on the page on show, without the invisible places to break at."""
    labels = window.page.findChildren(QLabel)
    return [label.text().replace("\u200b", "") for label in labels if label.isVisible() and label.text()]


def test_a_mask_in_the_measurements_slot_goes_to_slot_2_with_a_word(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles
) -> None:
    page = window.load_page
    drop(page.big["measurement"], rig_files.mask)
    qtbot.waitUntil(lambda: window.state.snapshot.files.mask == str(rig_files.mask))
    assert window.state.snapshot.files.measurements == ()
    assert page.notes.text() == "This looks like a mask, so it went to slot 2."
    assert [slot.property("state") for slot in page.big.values()] == ["next", "filled"]
    assert window.step_bar.reasons.text() == "Needs a measurement"


def test_both_swapped_come_right(qtbot: QtBot, window: MainWindow, rig_files: RigFiles) -> None:
    page = window.load_page
    page.form.bands.setValue(6)
    drop(page.big["mask"], rig_files.measurement)
    qtbot.waitUntil(lambda: window.state.snapshot.files.measurements == (str(rig_files.measurement),))
    assert page.notes.text() == "This looks like a measurement, so it went to slot 1."
    drop(page.big["measurement"], rig_files.mask)
    settled(qtbot, window)
    files = window.state.snapshot.files
    assert (files.measurements, files.mask) == ((str(rig_files.measurement),), str(rig_files.mask))
    assert window.state.inputs is not None
    np.testing.assert_array_equal(window.state.inputs.frames[0].image, rig_files.inputs.frames[0].image)


def test_a_mask_that_takes_the_place_of_another_says_so_and_undo_brings_that_back(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    other = rig_files.save("other.npy", rig_files.inputs.mask[::-1])
    drop(window.load_page.big["measurement"], other)
    qtbot.waitUntil(lambda: window.state.snapshot.files.mask == str(other))
    assert window.load_page.notes.text() == "This looks like a mask, so it went to slot 2, in place of b.npy."
    window.slots_.undo()
    assert window.state.snapshot.files.mask == str(rig_files.mask)


@pytest.mark.parametrize("role", ["measurement", "mask", "dark"])
def test_an_error_stands_once_in_the_slot_of_the_file(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None], role: str
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    letter = rig_files.folder / "letter.docx"
    letter.write_bytes(b"only words, no picture in here")
    page = window.load_page
    page.more.set_open(True)
    drop(page.slots[role], letter)
    settled(qtbot, window)
    told = [text for text in visible_texts(window) if "letter.docx" in text]
    assert len(told) == 1 and "the file holds text" in told[0]
    assert page.slots[role].facts.text().replace("\u200b", "") == told[0]


def test_files_that_do_not_go_together_are_told_in_the_masks_slot_alone(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles
) -> None:
    page = window.load_page
    drop(page.big["measurement"], rig_files.measurement)
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.measurements))
    drop(page.big["mask"], rig_files.save("tall.npy", np.pad(rig_files.inputs.mask, ((3, 2), (0, 0)))))
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.mask))
    settled(qtbot, window)
    told = [text for text in visible_texts(window) if "both must be equal" in text]
    assert len(told) == 1
    assert page.big["mask"].facts.text().replace("\u200b", "") == told[0] and page.big["mask"].property("status") == "bad"
    assert window.step_bar["load"].badge == "does not fit"


def test_a_calibration_in_a_slot_is_no_error_and_is_handed_on(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None], tmp_path: Path
) -> None:
    from cassi_core.io.calibration_file import write_calibration

    load(window, rig_files.measurement, rig_files.mask)
    window.slots_.start_run()
    qtbot.waitUntil(lambda: window.state.current_run is not None and not window.runner.running, timeout=20_000)
    assert window.state.current_run is not None
    path = write_calibration(window.state.current_run.result, tmp_path / "bench.cassi.json")
    document = json.loads(path.read_text())
    document["calibrated"] = "2025-11-03T10:00:00+00:00"
    path.write_text(json.dumps(document))
    window.show_page("load")
    page, before = window.load_page, window.state.snapshot.files
    with qtbot.waitSignal(page.calibration_given) as given:
        drop(page.big["mask"], path)
    assert given.args == [str(path)]
    settled(qtbot, window)
    assert "bench.cassi.json is a calibration of 3 Nov 2025. To see whether it still holds" in page.notes.text()
    assert page.notes.property("status") == "" and page.big["mask"].property("status") in (None, "")
    assert window.state.snapshot.files == before


def test_what_is_optional_is_folded_counted_and_unfolds_in_place(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    page = window.load_page
    assert not page.more.content.isVisible() and page.more.chip.text() == "1 given", "the bands are set"
    flat = rig_files.save("flat.npy", 1 + 0 * rig_files.inputs.frames[0].image)
    page.more.header.setFocus()
    qtbot.keyClick(page.more.header, Qt.Key.Key_Return)
    assert page.more.content.isVisible() and page.form.bands.isVisible()
    drop(page.slots["flat"], flat)
    qtbot.waitUntil(lambda: page.more.chip.text() == "2 given")
    qtbot.keyClick(page.more.header, Qt.Key.Key_Return)
    assert not page.more.content.isVisible()


def test_recent_files_show_size_and_verdict_and_what_is_lost(
    qtbot: QtBot, make_window: WindowMaker, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    first = make_window()
    load(first, rig_files.measurement, rig_files.mask)
    first.slots_.start_run()
    qtbot.waitUntil(lambda: first.state.current_run is not None and not first.runner.running, timeout=20_000)
    qtbot.waitUntil(lambda: bool(first.recent.entries[0].png))
    (row,) = first.load_page.recent.rows
    assert row.title == "a.npy" and row.details == "40 × 46 px, with b.npy" and row.verdict == "pass"
    assert not row.lost and row.png.startswith(b"\x89PNG")
    first.close()
    rig_files.mask.unlink()
    second = make_window()
    qtbot.waitUntil(lambda: second.load_page.recent.rows[0].lost)
    assert not second.load_page.recent.list.item(0).flags() & Qt.ItemFlag.ItemIsEnabled
    button = second.load_page.recent.findChild(QPushButton, "recent.clear")
    assert isinstance(button, QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert second.load_page.recent.rows == () and second.load_page.recent.empty.isVisible()


def test_days_are_said_as_people_say_them() -> None:
    from datetime import datetime

    today = datetime(2026, 11, 30, 15, 0)
    moments = ("2026-11-30T09:12", "2026-11-29T09:12", "2026-11-27T10:00", "2026-11-03T10:00", "2025-11-03T10:00", "never")
    said = [day_words(moment, today) for moment in moments]
    assert said == ["09:12", "yesterday 09:12", "Friday", "3 Nov", "3 Nov 2025", ""]


def test_the_pages_fit_a_small_window(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, dialogs: AnsweringDialogs, load: Callable[..., None]
) -> None:
    """1024 x 700 with title bar and frame leaves 1024 x 668 for the window, and the strip may take 48 of its rows."""
    load(window, rig_files.measurement, rig_files.mask)
    for count in (1, 2):
        if count == 2:
            dialogs.answer = 0
            name = "a_very_long_name_of_a_snapshot_that_somebody_typed_with_the_date_2026-11-30_and_the_rig.npy"
            window.add_files([str(rig_files.save(name, rig_files.inputs.frames[0].image + 3))])
            qtbot.waitUntil(lambda: window.state.inputs is not None and len(window.state.inputs.frames) == 2)
        for page_id in ("load", "check"):
            window.show_page(page_id)
            settled(qtbot, window)
            least = window.page.minimumSizeHint()
            assert least.width() <= 1024 and least.height() <= 480, (page_id, count)
            window.resize(1024, 668)
            qtbot.wait(20)
            assert (window.width(), window.height()) == (1024, 668), (page_id, count)
    window.show_page("load")
    assert window.load_page._scroll.horizontalScrollBar().maximum() == 0
