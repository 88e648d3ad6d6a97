"""The real engine behind the window: files in, a calibration out that is right, read again by the core."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import RigFiles, WindowMaker
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from scipy import ndimage as ndi

from cassi_core.io.calibration_file import read_calibration
from cassi_gui.run.controller import _core_calibrate
from cassi_gui.shell.main_window import MainWindow

TRUE_DX, TRUE_DY = 1.6, -2.3


def rig_moved_by_known_shift(seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Measurement and nominal mask: the mask is moved by a spline of its own, bands are summed at whole pixels."""
    rng = np.random.default_rng(seed)
    mask = ndi.gaussian_filter((rng.random((96, 96)) > 0.5).astype(float), 0.6)
    moved = ndi.shift(mask, (TRUE_DY, TRUE_DX), order=3, mode="nearest")
    scene = ndi.gaussian_filter(rng.random((96, 96)), 4)
    scene = 0.3 + (scene - scene.min()) / np.ptp(scene)
    image = np.zeros((96, 96 + 14))
    for band in range(8):
        image[:, 2 * band : 2 * band + 96] += moved * scene * (1 + 0.5 * np.sin(band))
    image += rng.normal(0, 0.003, image.shape)
    return image.clip(0).astype(np.float32), mask.astype(np.float32)


@pytest.fixture
def real_window(make_window: WindowMaker, rig_files: RigFiles, load: Callable[..., None]) -> MainWindow:
    window = make_window(_core_calibrate)
    image, mask = rig_moved_by_known_shift()
    load(window, rig_files.save("snapshot.npy", image), rig_files.save("mask.npy", mask), bands=8)
    return window


def test_from_files_to_a_calibration_that_is_right(qtbot: QtBot, real_window: MainWindow, tmp_path: Path) -> None:
    window = real_window
    qtbot.mouseClick(window.run_page.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.runner.running, timeout=120_000)
    (record,) = window.state.runs
    found = record.result.parameters
    assert found["dy"].value == pytest.approx(TRUE_DY, abs=0.05)
    assert found["dx"].value == pytest.approx(TRUE_DX, abs=0.4)
    assert found["curve"].value == 0.0, "what is not refined stays as it is"
    window.qa_page.accept_current()
    window.show_page("export")
    page = window.export_page
    page.folder.setText(str(tmp_path))
    for item in ("mst-real", "cube.h5"):
        page.files.item_of(item).setCheckState(Qt.CheckState.Checked)
    qtbot.mouseClick(page.write, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=60_000)
    assert window.step_bar["export"].badge == "3 files written", page.done.full_text
    stored = read_calibration(tmp_path / "snapshot.cassi.json")
    assert stored.parameters == found
    document = json.loads((tmp_path / "snapshot.cassi.json").read_text())
    assert document["inputs"][0]["path"].endswith("snapshot.npy")
    assert len(document["inputs"][0]["sha256"]) == 64


def test_cancel_and_stop_with_the_real_engine(qtbot: QtBot, real_window: MainWindow) -> None:
    window = real_window
    seed = time.time_ns() % 100_000
    for permille in random.Random(seed).sample(range(500), 5):
        window.slots_.start_run()
        qtbot.waitUntil(lambda p=permille: window.strip.bar.value() >= p, timeout=60_000)  # type: ignore[misc]
        window.slots_.cancel_run()
        qtbot.waitUntil(lambda: not window.runner.running, timeout=20_000)
        assert window.state.runs == (), f"cancelled at {permille} permille of seed {seed}"
    # Asked for at once: this small rig is fitted in a second.
    window.slots_.start_run()
    window.slots_.finish_run()
    qtbot.waitUntil(lambda: not window.runner.running, timeout=60_000)
    assert [r.result.outcome for r in window.state.runs] == ["not_finished"]
    assert "search not finished" in window.run_line.text()
