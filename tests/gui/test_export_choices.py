"""Choices of the Export page: how masks are written, at which points spectra are taken, and the printed report."""

from __future__ import annotations

from pathlib import Path

import fakes
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from scipy.io import loadmat

from cassi_gui.session.state import PickedPoint
from cassi_gui.shell.main_window import MainWindow


@pytest.fixture
def folder(window: MainWindow, tmp_path: Path) -> Path:
    window.state.add_run(fakes.result())
    window.show_page("export")
    out = tmp_path / "out"
    out.mkdir()
    window.export_page.folder.setText(str(out))
    window.export_page.name.setText("rig7")
    return out


def write(qtbot: QtBot, window: MainWindow, *ids: str) -> None:
    files = window.export_page.files
    for line in files.lines:
        files.item_of(line.id).setCheckState(Qt.CheckState.Checked if line.id in ids else Qt.CheckState.Unchecked)
    qtbot.mouseClick(window.export_page.write, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.runner.busy)


def test_masks_are_written_as_chosen(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    page = window.export_page
    write(qtbot, window, "mst-simulation")
    first = loadmat(folder / "mask_3d_shift.mat")
    assert str(first["shifts"][0]) == "integer"
    page.shifts.setCurrentIndex(page.shifts.findData("interpolated"))
    page.normalise.setChecked(True)
    write(qtbot, window, "mst-simulation")
    second = loadmat(folder / "mask_3d_shift.mat")
    assert str(second["shifts"][0]) == "interpolated" and second["mask_3d_shift"].max() == 1


def test_spectra_are_taken_at_the_picked_points(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    write(qtbot, window, "cube.csv")
    assert (folder / "rig7-spectra.csv").read_text().count("row ") >= 1, "bright points when none is picked"
    window.state.replace(points=(PickedPoint(7, 11, "P1", 0), PickedPoint(999, 2, "of another picture", 1)))
    write(qtbot, window, "cube.csv")
    assert (folder / "rig7-spectra.csv").read_text().splitlines()[0] == "band,wavelength [nm],row 7 column 11"


def test_the_report_for_printing(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    write(qtbot, window, "report-pdf")
    assert (folder / "rig7-report.pdf").read_bytes().startswith(b"%PDF-")
    line = next(line for line in window.export_page.files.lines if line.id == "report-pdf")
    assert (line.name, line.note) == ("rig7-report.pdf", "read back, complete")
