"""Verify as a person uses it: give both, read the answer, take the next step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fakes
import numpy as np
import pytest
from conftest import AnsweringDialogs, drop
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cassi_core.inputs import CalibrationInputs, Source
from cassi_core.io.calibration_file import write_calibration
from cassi_core.io.readers.select import sha256_of
from cassi_core.logbook.entry import entry_of_file
from cassi_core.logbook.store import Logbook
from cassi_core.quality import loupe as loupe_room
from cassi_core.run import RunControl, RunRecorder
from cassi_core.verification import verify as engine
from cassi_core.verification.earlier import EarlierCalibration
from cassi_core.verification.result import Movement, ParameterChange, Verification
from cassi_gui.pages.verify import VerifyPage
from cassi_gui.shell.main_window import MainWindow

MINUS = "\N{MINUS SIGN}"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def calibration(tmp_path: Path) -> Path:
    """An earlier calibration of the fake rig, beside its mask."""
    rig = fakes.inputs()
    np.savez(tmp_path / "mask.npz", mask=rig.mask)
    source = Source(str(tmp_path / "mask.npz"), "mask", sha256_of(tmp_path / "mask.npz"), rig.mask.shape)
    return write_calibration(replace(fakes.result(with_maps=False), mask_source=source), tmp_path / "yesterday.cassi.json")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Today's picture of the fake rig."""
    np.savez(tmp_path / "today.npz", meas=fakes.inputs(seed=5).frames[0].image)
    return tmp_path / "today.npz"


Answer = Callable[[str], list[EarlierCalibration]]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Puts an answer in the place of the fit: holds, drifted (0.84 px down) or cannot tell."""

    def no_loupe(*_: object, control: RunControl) -> None:
        return None

    def install(state: str) -> list[EarlierCalibration]:
        asked: list[EarlierCalibration] = []

        def verify(inputs: CalibrationInputs, earlier: EarlierCalibration, **_: object) -> Verification:
            asked.append(earlier)
            return verification(state, earlier)

        monkeypatch.setattr(engine, "verify", verify)
        monkeypatch.setattr(loupe_room, "lay_loupe", no_loupe)
        return asked

    return install


def verification(state: str, earlier: EarlierCalibration) -> Verification:
    p = earlier.parameters
    if state == "cannot_tell":
        return Verification("cannot_tell", ("The mask was not found in the picture.",), p, p, 1.2)
    change = 0.842 if state == "drifted" else 0.007
    dy = p["dy"].value
    changes = (
        ParameterChange("dx", 0.83, 0.012, 0.81, 0.03, 0.034, 0.1, True),
        ParameterChange("dy", dy, 0.0064, dy + change, 0.02, 0.021, 0.1, True),
        ParameterChange("scale_y", -0.0008, 0.00009, -0.0007, 0.0002, 0.00022, 0.0012, True),
        ParameterChange("slope", 0.001, 0.0004, 0.01, 0.03, 0.03, 0.004, False),
    )
    moved = Movement(change, 0.02, 0.02, 1e-9 if state == "drifted" else 0.6)
    still = Movement(0.01, 0.02, 0.02, 0.7)
    today = p.edit("dy", value=dy + change)
    return Verification(state, ("Because of that.",), p, today, 1.2, changes, moved, still, still, 9.0, 3, 1e-9, 0.1, 20.0, 9.0)  # type: ignore[arg-type]


def go(qtbot: QtBot, window: MainWindow) -> VerifyPage:
    """To the page, as a person does."""
    qtbot.mouseClick(window.place_bar["verify"], LEFT)
    assert window.page_id == "verify"
    return window.verify_page


def choose_earlier(page: VerifyPage, text: str) -> None:
    """Open the menu of the slot and choose the first line that begins with a text."""
    page.menu.aboutToShow.emit()
    next(a for a in page.menu.actions() if a.text().startswith(text)).trigger()


def settle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=10_000)
    QApplication.processEvents()


def give_both(qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, calibration: Path, picture: Path) -> VerifyPage:
    page = go(qtbot, window)
    dialogs.files = (str(calibration),)
    choose_earlier(page, "Calibration file")
    dialogs.files = (str(picture),)
    qtbot.mouseClick(page.today_card.button, LEFT)
    settle(qtbot, window)
    return page


def primary(page: VerifyPage) -> list[str]:
    buttons = (
        page.earlier_card.button,
        page.today_card.button,
        page.decision.choose_mask,
        page.decision.another,
        page.decision.calibrate,
        page.decision.note,
    )
    return [b.text() for b in buttons if b.isVisible() and b.property("role") == "primary"]


def test_the_page_says_what_is_wanted_next(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, answer: Answer, calibration: Path
) -> None:
    asked = answer("holds")
    page = go(qtbot, window)
    assert not window.step_bar.isVisible() and page.earlier_card.title == "Not chosen yet"
    assert not page.again.isEnabled() and not page.changes.isVisible() and not page.decision.isVisible()
    assert page.earlier_card.button.property("role") == "primary"
    dialogs.files = (str(calibration),)
    choose_earlier(page, "Calibration file")
    assert page.earlier_card.title == "yesterday.cassi.json"
    assert primary(page) == ["Choose \N{HORIZONTAL ELLIPSIS}"] and page.today_card.button.property("role") == "primary"
    assert asked == []


def test_it_starts_by_itself_and_a_drift_is_the_headline(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, answer: Answer, calibration: Path, picture: Path
) -> None:
    asked = answer("drifted")
    page = give_both(qtbot, window, dialogs, calibration, picture)
    assert len(asked) == 1 and asked[0].parameters["dx"].value == 0.83
    assert (page.answer.title, page.answer.status) == ("Drifted: 0.84 px down", "bad")
    assert "Because of that." in page.answer.sentences
    assert page.changes.isVisible() and primary(page) == ["Calibrate from these values"]
    row = page.changes.row("dy")
    assert row.startswith(f"Shift down {MINUS}0.420 +0.422 +0.842 ± 0.021 px 40")
    assert page.changes.row("scale_y").startswith(f"Larger across {MINUS}0.080 {MINUS}0.070 +0.010 ± 0.022 %")
    assert page.changes.row("slope").endswith("not told by one picture")
    assert "40 \N{MULTIPLICATION SIGN} 46 px" in page.today_card.detail
    qtbot.mouseClick(page.again, LEFT)
    settle(qtbot, window)
    assert len(asked) == 2


def test_holding_and_not_telling_have_their_own_next_step(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, answer: Answer, calibration: Path, picture: Path
) -> None:
    answer("holds")
    page = give_both(qtbot, window, dialogs, calibration, picture)
    assert (page.answer.title, page.answer.status) == ("The calibration still holds", "ok")
    assert page.decision.calibrate.text() == "Calibrate anyway" and primary(page) == []
    answer("cannot_tell")
    qtbot.mouseClick(page.again, LEFT)
    settle(qtbot, window)
    assert (page.answer.title, page.answer.status) == ("Cannot tell", "warn")
    assert not page.changes.isVisible() and primary(page) == ["Take another picture \N{HORIZONTAL ELLIPSIS}"]
    answer("drifted")
    dialogs.files = (str(picture),)
    qtbot.mouseClick(page.decision.another, LEFT)
    settle(qtbot, window)
    assert page.answer.title == "Drifted: 0.84 px down"


def test_a_verification_is_cancelled_at_once_and_its_answer_never_comes(
    qtbot: QtBot,
    window: MainWindow,
    dialogs: AnsweringDialogs,
    monkeypatch: pytest.MonkeyPatch,
    calibration: Path,
    picture: Path,
) -> None:
    heard = threading.Event()

    def slow(inputs: CalibrationInputs, earlier: EarlierCalibration, *, control: RunControl, observe: Callable) -> Verification:
        recorder = RunRecorder(control, observe, "verify", (("place", "The mask at its old place", 1.0),))
        recorder.begin("place", 1000)
        try:
            for _ in range(1000):
                threading.Event().wait(0.02)
                recorder.advance()
        finally:
            heard.set()
        return verification("drifted", earlier)

    monkeypatch.setattr(engine, "verify", slow)
    page = go(qtbot, window)
    dialogs.files = (str(calibration),)
    choose_earlier(page, "Calibration file")
    dialogs.files = (str(picture),)
    qtbot.mouseClick(page.today_card.button, LEFT)
    qtbot.waitUntil(
        lambda: "The mask at its old place" in page.answer.sentences and page.answer.bar.value() > 5, timeout=10_000
    )
    assert page.answer.title.startswith("Verifying") and page.answer.cancel.isVisible()
    qtbot.mouseClick(page.answer.cancel, LEFT)
    assert page.answer.title == "Not verified" and not page.answer.cancel.isVisible()
    settle(qtbot, window)
    assert heard.is_set() and page.answer.title == "Not verified" and not page.changes.isVisible()


def test_calibrate_opens_run_with_the_picture_and_the_earlier_values(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, answer: Answer, calibration: Path, picture: Path
) -> None:
    answer("drifted")
    page = give_both(qtbot, window, dialogs, calibration, picture)
    qtbot.mouseClick(page.decision.calibrate, LEFT)
    settle(qtbot, window)
    assert window.page_id == "run"
    state = window.state
    assert state.parameters["dy"].value == fakes.TRUTH["dy"] and state.parameters["dx"].value == fakes.TRUTH["dx"]
    assert state.inputs is not None and state.inputs.dispersion.n_bands == 6
    assert Path(state.inputs.frames[0].source.path) == picture and state.snapshot.files.measurements == (str(picture),)
    window.action_set["edit.undo"].trigger()
    settle(qtbot, window)
    assert state.parameters["dy"].value == 0.0 and state.snapshot.files.measurements == ()


def test_an_entry_of_the_logbook_is_chosen_shown_in_its_history_and_noted(
    qtbot: QtBot,
    window: MainWindow,
    dialogs: AnsweringDialogs,
    answer: Answer,
    calibration: Path,
    picture: Path,
    own_logbook: Path,
) -> None:
    answer("drifted")
    book = Logbook(own_logbook)
    book.add(entry_of_file(calibration, "bench", note="first"))
    page = go(qtbot, window)
    window.logbook.refresh()
    settle(qtbot, window)
    choose_earlier(page, "Entry 1 of bench")
    dialogs.files = (str(picture),)
    qtbot.mouseClick(page.today_card.button, LEFT)
    settle(qtbot, window)
    assert page.earlier_card.title == "Entry 1 of bench" and page.evidence.history.isVisible()
    assert page.evidence.history.title == "Shift down of bench" and page.evidence.history.values == pytest.approx(
        (-0.42, 0.422)
    )
    qtbot.mouseClick(page.decision.note, LEFT)
    settle(qtbot, window)
    assert not page.decision.note.isEnabled()
    note = book.read().entry(1).note
    assert note.startswith("first; Verified ") and note.endswith("drifted: 0.84 px down")
    window.action_set["edit.undo"].trigger()
    settle(qtbot, window)
    assert book.read().entry(1).note == "first"


def test_the_edges_blink_between_the_earlier_and_todays_values(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, answer: Answer, calibration: Path, picture: Path
) -> None:
    answer("drifted")
    page = give_both(qtbot, window, dialogs, calibration, picture)
    rng = np.random.default_rng(1)
    seen, before, after = (rng.random((40, 46)).astype(np.float32) for _ in range(3))
    spots = tuple(loupe_room.Spot(name, 2, 3) for name in loupe_room.SPOTS)
    page.evidence.show_loupe(loupe_room.Loupe(seen, before, after, np.ones((40, 46), bool), spots), "29 Nov")
    loupe = page.evidence.loupe
    assert [caption.split()[0] for caption in loupe.captions] == ["29", "Today"]
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert page.evidence.blink.isChecked() and len(loupe.captions) == 1
    first = loupe.captions
    qtbot.waitUntil(lambda: loupe.captions != first, timeout=3000)
    qtbot.mouseClick(page.evidence.blink, LEFT)
    assert len(loupe.captions) == 2


def test_the_calibration_in_force_can_be_chosen(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, answer: Answer, picture: Path
) -> None:
    asked = answer("holds")
    record = window.state.add_run(fakes.result(with_maps=False))
    window.show_page("qa")
    from cassi_gui.session import commands

    commands.accept_run(window.state, record.id)
    page = go(qtbot, window)
    choose_earlier(page, f"In force: {record.name}")
    dialogs.files = (str(picture),)
    qtbot.mouseClick(page.today_card.button, LEFT)
    settle(qtbot, window)
    assert page.earlier_card.title == record.name and page.answer.title == "The calibration still holds"
    assert len(asked) == 1


def test_a_calibration_dropped_on_the_window_leads_here(
    qtbot: QtBot, window: MainWindow, answer: Answer, calibration: Path, picture: Path
) -> None:
    answer("holds")
    drop(window, calibration, picture)
    settle(qtbot, window)
    assert window.page_id == "verify" and window.verify_page.answer.title == "The calibration still holds"


def test_a_calibration_given_where_inputs_are_expected_is_held_against_the_loaded_picture(
    qtbot: QtBot, window: MainWindow, answer: Answer, calibration: Path, picture: Path
) -> None:
    answer("holds")
    window.state.replace(files=replace(window.state.snapshot.files, measurements=(str(picture),)))
    settle(qtbot, window)
    window.load_page.calibration_given.emit(str(calibration))
    settle(qtbot, window)
    assert window.page_id == "verify" and window.verify_page.today_card.title == "today.npz"
    assert window.verify_page.answer.title == "The calibration still holds"


def test_a_mask_that_is_gone_is_asked_for(
    qtbot: QtBot,
    window: MainWindow,
    dialogs: AnsweringDialogs,
    answer: Answer,
    calibration: Path,
    picture: Path,
    tmp_path: Path,
) -> None:
    answer("holds")
    moved = tmp_path / "elsewhere.npz"
    (tmp_path / "mask.npz").rename(moved)
    page = give_both(qtbot, window, dialogs, calibration, picture)
    assert (page.answer.title, page.answer.status) == ("The mask is not where it was", "warn")
    assert "mask.npz is not there any more" in page.answer.sentences and "--mask" not in page.answer.sentences
    assert primary(page) == ["Choose the mask \N{HORIZONTAL ELLIPSIS}"] and not page.decision.calibrate.isVisible()
    dialogs.files = (str(moved),)
    qtbot.mouseClick(page.decision.choose_mask, LEFT)
    settle(qtbot, window)
    assert page.answer.title == "The calibration still holds" and not page.decision.choose_mask.isVisible()


def test_a_picture_of_another_size_is_refused_in_words(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, answer: Answer, calibration: Path, tmp_path: Path
) -> None:
    answer("holds")
    np.savez(tmp_path / "small.npz", meas=np.random.default_rng(1).random((30, 46)).astype(np.float32))
    page = give_both(qtbot, window, dialogs, calibration, tmp_path / "small.npz")
    assert page.answer.title == "Cannot be verified" and "30 rows and the mask 40" in page.answer.sentences
    assert not page.changes.isVisible() and not page.decision.isVisible()
