"""The Load page: stacks, regions, orientations, bad pixels, raw numbers, and reading that is cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import AnsweringDialogs, RigFiles, drop
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cassi_core.session import FileSelection
from cassi_gui.inputs import loading
from cassi_gui.inputs.recent import RecentEntry, entry_from_text, entry_to_text
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.style.theme import palette_for
from cassi_gui.widgets.camera_form import ORIENTATIONS, STACKS
from cassi_gui.widgets.raw_form import RawDialog, likely_layout
from cassi_gui.widgets.region_dialog import RegionDialog


def settled(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.runner.busy and not window.state.snapshot.loading, timeout=20_000)


def image_of(window: MainWindow) -> np.ndarray:
    assert window.state.inputs is not None, window.state.snapshot.load_problem
    return window.state.inputs.frames[0].image


def test_a_stack_is_averaged_or_one_picture_of_it_taken_and_that_is_undone(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    image = rig_files.inputs.frames[0].image
    stack = rig_files.save("stack.npy", np.stack([image, image + 30, image + 60]))
    load(window, stack, rig_files.mask)
    form = window.load_page.camera
    assert window.state.inputs is not None and len(window.state.inputs.frames) == 3
    form.stack.setCurrentIndex([kind for kind, _ in STACKS].index("file"))
    settled(qtbot, window)
    assert len(window.state.inputs.frames) == 1
    np.testing.assert_allclose(image_of(window), image + 30, rtol=1e-5)
    assert not form.picture.isEnabled()
    form.stack.setCurrentIndex([kind for kind, _ in STACKS].index("one"))
    form.picture.setValue(2)
    settled(qtbot, window)
    np.testing.assert_allclose(image_of(window), image + 60, rtol=1e-5)
    for _ in range(3):
        window.slots_.undo()
    settled(qtbot, window)
    assert window.state.inputs is not None and len(window.state.inputs.frames) == 3
    assert form.values().average == "" and form.values().picture is None


def test_a_region_is_drawn_in_the_whole_picture_even_when_the_sizes_do_not_fit_yet(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, dialogs: AnsweringDialogs
) -> None:
    """A full sensor with the rig in the middle: nothing can be loaded before the region is known."""
    image = rig_files.inputs.frames[0].image
    rows, cols = image.shape
    sensor = np.zeros((rows + 20, cols + 30), np.float32)
    sensor[5 : 5 + rows, 8 : 8 + cols] = image
    page = window.load_page
    page.form.bands.setValue(6)
    drop(page, rig_files.save("sensor.npy", sensor))
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.measurements))
    drop(page.slots["mask"], rig_files.mask)
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.mask))
    settled(qtbot, window)
    assert window.state.inputs is None
    dialogs.region = (5, 5 + rows, 8, 8 + cols)
    qtbot.mouseClick(page.camera.choose["roi"], Qt.MouseButton.LeftButton)
    settled(qtbot, window)
    np.testing.assert_array_equal(dialogs.region_pictures[0], sensor)
    np.testing.assert_array_equal(image_of(window), image)
    assert page.camera.roi.text() == f"5:{5 + rows},8:{8 + cols}"
    page.camera.roi.setText("5:2,8:9")
    page.camera.roi.editingFinished.emit()
    settled(qtbot, window)
    assert "The region 5:2,8:9 is empty" in page.big["measurement"].facts.text()
    window.slots_.undo()
    settled(qtbot, window)
    np.testing.assert_array_equal(image_of(window), image)


def test_a_mask_that_lies_on_its_side_is_turned_on_the_page(qtbot: QtBot, window: MainWindow, rig_files: RigFiles) -> None:
    mask = np.ascontiguousarray(rig_files.inputs.mask[:, :-6])
    image = np.ascontiguousarray(rig_files.inputs.frames[0].image[:, :-6])
    assert mask.shape[0] != mask.shape[1]
    page = window.load_page
    page.form.bands.setValue(6)
    drop(page.slots["measurement"], rig_files.save("m.npy", image))
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.measurements))
    drop(page.slots["mask"], rig_files.save("lying.npy", np.rot90(mask, -1)))
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.mask))
    settled(qtbot, window)
    assert "turned by a quarter (field Mask turned)" in page.big["mask"].facts.text()
    page.camera.mask_turn.setCurrentIndex([turn for turn, _ in ORIENTATIONS].index((False, 1)))
    settled(qtbot, window)
    assert window.state.inputs is not None
    np.testing.assert_allclose(window.state.inputs.mask, mask / mask.max(), rtol=1e-6)


def test_bad_pixels_and_wavelengths_have_their_slots(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    bad = rig_files.folder / "hot.csv"
    bad.write_text("row,column\n3,4\n10,2\n")
    centres = rig_files.folder / "nm.txt"
    centres.write_text("wavelength_nm\n450\n460\n475\n500\n540\n600\n")
    drop(window.load_page, bad, centres)
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.bad_pixels))
    settled(qtbot, window)
    assert window.state.inputs is not None
    frame = window.state.inputs.frames[0]
    assert frame.bad is not None and np.argwhere(frame.bad).tolist() == [[3, 4], [10, 2]]
    nm = window.state.inputs.dispersion.wavelengths_nm
    assert nm is not None and nm.tolist() == [450, 460, 475, 500, 540, 600]
    assert window.load_page.slots["bad-pixel map"].facts.text() == "2 bad pixels"
    assert "6 bands, 450 … 600 nm" in window.load_page.slots["wavelengths"].facts.text()


def test_raw_numbers_are_asked_about_and_then_read(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, dialogs: AnsweringDialogs, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    image = rig_files.inputs.frames[0].image
    rows, cols = image.shape
    raw = rig_files.folder / "camera.raw"
    raw.write_bytes(bytes(12) + image.astype(">f4").tobytes())
    dialogs.answer = 1  # replace the measurement
    drop(window.load_page.slots["measurement"], raw)
    qtbot.waitUntil(lambda: bool(dialogs.raw_sizes))
    settled(qtbot, window)
    assert dialogs.raw_sizes == [12 + image.nbytes]
    assert window.state.snapshot.files.measurements == (str(rig_files.measurement),), "nobody answered"
    dialogs.raw_layout = f"shape={rows}x{cols},dtype=float32,order=big,offset=12"
    drop(window.load_page.slots["measurement"], raw)
    qtbot.waitUntil(lambda: window.state.snapshot.files.measurements == (f"{raw}::{dialogs.raw_layout}",))
    settled(qtbot, window)
    np.testing.assert_array_equal(image_of(window), image)


def test_reading_tells_how_far_it_is_and_can_be_cancelled_and_taken_up_again(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, monkeypatch: pytest.MonkeyPatch, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    slow = threading.Event()
    read = loading.load_selection

    def slowly(files: FileSelection, control: Any, report: Any) -> Any:
        while not slow.wait(0.01):
            report("Reading large.h5", 0.43)
            control.checkpoint()
        return read(files, control, report)

    monkeypatch.setattr(loading, "load_selection", slowly)
    page = window.load_page
    page.camera.saturation.setValue(1e6)
    qtbot.waitUntil(lambda: page.reading.isVisible() and page.reading.cancel.isVisible(), timeout=5000)
    assert page.reading.text.text() == "Reading large.h5, 43 %" and page.reading.bar.value() == 430
    qtbot.mouseClick(page.reading.cancel, Qt.MouseButton.LeftButton)
    settled(qtbot, window)
    assert page.summary.text() == loading.CANCELLED and window.state.inputs is None
    assert page.reading.again.isVisible() and not page.reading.cancel.isVisible()
    slow.set()
    qtbot.mouseClick(page.reading.again, Qt.MouseButton.LeftButton)
    settled(qtbot, window)
    assert window.state.inputs is not None and page.reading.isHidden()


def test_closing_the_window_does_not_wait_for_a_large_file(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, monkeypatch: pytest.MonkeyPatch, load: Callable[..., None]
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    begun, forever = threading.Event(), threading.Event()

    def endless(files: FileSelection, control: Any, report: Any) -> Any:
        begun.set()
        while not forever.wait(0.01):
            control.checkpoint()

    monkeypatch.setattr(loading, "load_selection", endless)
    window.load_page.camera.saturation.setValue(1e6)
    qtbot.waitUntil(begun.is_set)
    try:
        assert window.runner.shutdown()
    finally:
        forever.set()


def test_how_pictures_are_read_is_remembered_with_recent_files() -> None:
    files = FileSelection(("/a.tif",), turn=(True, 1), roi="1:20,3:40", average="all", saturation=4095.0, bad_pixels="/b.png")
    entry = RecentEntry(files, "2026-11-29T09:12", "660 × 714 px", "pass", b"\x89PNG")
    assert entry_from_text(entry_to_text(entry)) == entry
    earlier = entry_from_text('{"measurements": ["/a.tif"]}')
    assert earlier == RecentEntry(FileSelection(("/a.tif",))), "lists of earlier versions"


def test_the_question_about_raw_numbers_checks_the_size(qtbot: QtBot) -> None:
    dialog = RawDialog("/data/c.raw", 3 * 1200 * 1920 * 2)
    qtbot.addWidget(dialog)
    assert dialog.layout_text() == "shape=3x1200x1920,dtype=uint16,order=little,offset=0"
    ok = dialog.buttons.buttons()[0]
    assert ok.isEnabled()
    dialog.rows.setValue(1000)
    assert not ok.isEnabled() and "this layout needs 11,520,000" in dialog.verdict.text()
    dialog.rows.setValue(1200)
    dialog.pictures.setValue(2)
    assert "3 pictures of 1200 x 1920 would fit" in dialog.verdict.text()
    assert str(likely_layout(5 * 1024 * 1280 * 2 + 512)) == "shape=5x1024x1280,dtype=uint16,order=little,offset=512"
    assert str(likely_layout(7)) == "shape=1024x1280,dtype=uint16,order=little,offset=0"


def test_a_region_is_typed_drawn_and_reset(qtbot: QtBot) -> None:
    picture = np.random.default_rng(0).random((60, 90))
    shown: list[Any] = []
    dialog = RegionDialog("Region", shown.append, (5, 45, 10, 80), palette_for("light"))
    qtbot.addWidget(dialog)
    assert not dialog.edges[0].isEnabled()
    shown[0](picture)
    assert dialog.region() == (5, 45, 10, 80)
    assert dialog._box is not None
    dialog._box.setPos((19.5, 9.5), finish=False)
    assert dialog.region() == (10, 50, 20, 90)
    dialog._box.setSize((30, 20))
    assert dialog.region() == (10, 30, 20, 50)
    dialog.edges[0].setValue(40)
    assert dialog.region() == (40, 48, 20, 50), "the end stays behind the beginning"
    dialog.all.click()
    assert dialog.region() == (0, 60, 0, 90)


def test_a_mask_that_shows_more_than_the_picture_is_cut_on_the_page(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles
) -> None:
    image, mask = rig_files.inputs.frames[0].image, rig_files.inputs.mask
    page = window.load_page
    page.form.bands.setValue(6)
    drop(page.slots["measurement"], rig_files.save("m.npy", image))
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.measurements))
    drop(page.slots["mask"], rig_files.save("tall.npy", np.pad(mask, ((3, 2), (0, 0)))))
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.mask))
    settled(qtbot, window)
    assert "use a region of the mask (field Mask region) or of the picture (field Region)" in page.big["mask"].facts.text()
    page.camera.mask_roi.setText(f"3:{3 + mask.shape[0]},0:{mask.shape[1]}")
    page.camera.mask_roi.editingFinished.emit()
    settled(qtbot, window)
    assert window.state.inputs is not None
    np.testing.assert_allclose(window.state.inputs.mask, mask / mask.max(), rtol=1e-6)
