"""A folder of monochromatic frames on the dispersion slot becomes a curve that is shown, and a table that is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import AnsweringDialogs, drop
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from cassi_core.io.dispersion_from_files import read_dispersion_table
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.inputs.monochromatic import measure_folder
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.style.theme import palette_for
from cassi_gui.widgets.dispersion_result import DispersionResult

HEIGHT, WIDTH, TRAVEL = 60, 80, 12
PLACES = {500.0: 0, 520.0: 4, 540.0: 7, 560.0: 9, 580.0: 11, 600.0: 12}
"""Wavelength and whole-pixel offset of the mask, 2 px right and 1 px down of its nominal place."""


@pytest.fixture
def rig(tmp_path: Path) -> tuple[Path, Path]:
    """The mask's file and the folder of frames, one of which shows nothing."""
    rng = np.random.default_rng(4)
    mask = np.kron(rng.random((HEIGHT // 2, WIDTH // 2)) > 0.5, np.ones((2, 2))) * 0.9 + 0.05
    frames = tmp_path / "frames"
    frames.mkdir()
    for nm, offset in PLACES.items():
        image = np.zeros((HEIGHT, WIDTH + TRAVEL))
        image[1:, 2 + offset : 2 + offset + WIDTH] = mask[:-1, : WIDTH + TRAVEL - 2 - offset]
        np.save(frames / f"mask_{nm:g}nm.npy", 1000 * image + rng.normal(20, 2, image.shape))
    np.save(frames / "mask_700nm.npy", rng.normal(20, 2, (HEIGHT, WIDTH + TRAVEL)))
    np.save(tmp_path / "mask.npy", mask)
    return tmp_path / "mask.npy", frames


def test_a_dropped_folder_is_measured_shown_saved_and_used(
    qtbot: QtBot,
    window: MainWindow,
    dialogs: AnsweringDialogs,
    rig: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mask, frames = rig
    shown: list[tuple[Any, ...]] = []

    def show(*given: Any) -> int:
        shown.append(given)
        return 13

    monkeypatch.setattr(dialogs, "show_dispersion", show)
    dialogs.save_path = str(tmp_path / "rig")
    page = window.load_page
    drop(page.slots["mask"], mask)
    qtbot.waitUntil(lambda: window.state.snapshot.files.mask == str(mask))
    drop(page.slots["dispersion"], frames)
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.dispersion_csv), timeout=20_000)
    curve, summary, left_out, bands, *_ = shown[0]
    np.testing.assert_array_equal(curve.wavelengths_nm, list(PLACES))
    np.testing.assert_allclose(curve.travel_px, [2 + p for p in PLACES.values()], atol=0.02)
    assert "6 frames from 500 to 600 nm" in summary and left_out.startswith("mask_700nm.npy: the mask is not found")
    assert bands == len(PLACES)
    files, parameters = window.state.snapshot.files, window.state.snapshot.parameters
    assert files.dispersion_csv == str(tmp_path / "rig.csv") and files.direction == "right"
    table = read_dispersion_table(files.dispersion_csv)
    np.testing.assert_allclose(table.offsets_px, np.arange(13.0), atol=0.3)
    assert parameters["alpha"].value == table.measured["alpha"][0]
    assert not {"slope", "curve", "alpha"} & set(parameters.refined)
    assert "mask_700nm.npy is left out" in window.log.plain()
    window.state.undo_stack.undo()
    assert window.state.snapshot.files.dispersion_csv == "" and window.state.snapshot.parameters["alpha"].value == 0


def test_without_a_mask_the_person_is_told_and_a_folder_can_be_chosen(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, rig: tuple[Path, Path]
) -> None:
    dialogs.answer, dialogs.folder_path = 1, str(rig[1])
    qtbot.mouseClick(window.load_page.slots["dispersion"].choose, Qt.MouseButton.LeftButton)
    assert dialogs.said[0][0] == "Dispersion" and "Choose the mask first" in dialogs.said[1][1]


def test_a_folder_without_wavelengths_is_told(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, rig: tuple[Path, Path], tmp_path: Path
) -> None:
    drop(window.load_page.slots["mask"], rig[0])
    qtbot.waitUntil(lambda: bool(window.state.snapshot.files.mask))
    (tmp_path / "empty").mkdir()
    drop(window.load_page.slots["dispersion"], tmp_path / "empty")
    qtbot.waitUntil(lambda: bool(dialogs.said))
    assert "no file in it says a wavelength" in dialogs.said[-1][1]
    qtbot.waitUntil(lambda: not window.runner.busy)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_dialog_shows_points_and_gives_the_number_of_bands(qtbot: QtBot, rig: tuple[Path, Path], theme: str) -> None:
    found = measure_folder(str(rig[1]), str(rig[0]), "right")
    dialog = DispersionResult(found.curve, found.summary, found.left_out, 28, palette_for(theme))
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.bands.value() == 28 and dialog.left_out.isVisible() and dialog.plot.empty_text == ""
    table = dialog.plot.table()
    assert table.header[1] == "travel (px)" and [row[0] for row in table.rows] == list(PLACES)
    np.testing.assert_allclose([row[3] for row in table.rows], found.curve.residual_along_px)
    dialog.use.click()
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_the_dialog_of_the_program_answers_with_bands_or_nothing(
    qtbot: QtBot, settings: UiSettings, rig: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measure_folder(str(rig[1]), str(rig[0]), "right")
    given = (found.curve, found.summary, found.left_out, 9, palette_for("light"), lambda request: None)
    monkeypatch.setattr(DispersionResult, "exec", lambda self: QDialog.DialogCode.Accepted)
    assert Dialogs(settings).show_dispersion(*given) == 9
    monkeypatch.setattr(DispersionResult, "exec", lambda self: QDialog.DialogCode.Rejected)
    assert Dialogs(settings).show_dispersion(*given) is None
