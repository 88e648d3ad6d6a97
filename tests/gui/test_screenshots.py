"""The pictures of the manual: every page in every state, taken from a window that was driven as a person would drive it."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import fakes
import pytest
from PySide6.QtGui import QImage

from cassi_core.logbook.location import VARIABLE
from cassi_gui.inputs import loading
from cassi_gui.inputs.loading import Loaded
from cassi_gui.run import controller as runner
from cassi_gui.screenshots import __main__ as screenshots
from cassi_gui.shell.main_window import STEPS
from cassi_gui.shell.page_deck import PageDeck


def test_pages_are_rendered_in_every_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(screenshots, "SETTLE_S", 0.0)
    monkeypatch.setattr(screenshots, "MID_RUN", 1)
    # Two pages of the way are as good as five, and take half the time.
    steps = tuple(step for step in STEPS if step.id in ("check", "run"))
    monkeypatch.setattr(screenshots, "STEPS", steps)
    monkeypatch.setattr(PageDeck, "build_all", lambda deck: None)
    monkeypatch.setattr(loading, "load_selection", lambda *_args: Loaded(fakes.inputs()))
    monkeypatch.setattr(runner, "_core_calibrate", partial(fakes.calibrate, pause_s=0.02))
    monkeypatch.delenv(VARIABLE, raising=False)
    assert screenshots.main([str(tmp_path), "--theme", "dark", "--size", "1200x700"]) == 0
    names = {path.stem for path in tmp_path.glob("*.png")}
    assert {f"{step.id}-{state}" for step in steps for state in ("empty", "running", "done")} <= names
    assert {f"logbook-{state}" for state in ("empty", "one", "drift", "entry", "limits")} <= names
    assert {"verify-empty", "verify-holds", "qa-fail", "qa-not-finished"} <= names
    assert sorted(capsys.readouterr().out.split()) == sorted(str(path) for path in tmp_path.glob("*.png"))
    picture = QImage(str(tmp_path / "run-done.png"))
    assert (picture.width(), picture.height()) == (1200, 700)
    assert picture.pixelColor(5, 300).lightness() < 80, "the dark theme"
    assert VARIABLE not in os.environ, "the made-up logbook is nobody's afterwards"
