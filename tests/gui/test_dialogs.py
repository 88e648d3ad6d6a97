"""The dialogs themselves: opened for real, answered by a timer as a person would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QInputDialog, QMessageBox, QPushButton, QTableWidget, QTextBrowser
from pytestqt.qtbot import QtBot

from cassi_core.io.readers import list_arrays
from cassi_gui.app import main, parse_arguments
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.screenshots.__main__ import _size
from cassi_gui.widgets.container_browser import ContainerBrowser


@pytest.fixture
def real(settings: UiSettings, qapp: QApplication) -> Dialogs:
    return Dialogs(settings)


def answer(act: Callable[[Any], None]) -> None:
    """Let `act` do something with the dialog as soon as one is open."""

    def when_open() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            QTimer.singleShot(10, when_open)
        else:
            act(dialog)

    QTimer.singleShot(0, when_open)


def press(text: str) -> Callable[[QMessageBox], None]:
    def act(box: QMessageBox) -> None:
        next(b for b in box.findChildren(QPushButton) if b.text().replace("&", "") == text).click()

    return act


def test_questions_give_plain_answers(real: Dialogs) -> None:
    answer(press("Replace"))
    assert real.confirm("Replace?", "Really?", yes="Replace")
    answer(lambda box: box.reject())
    assert not real.confirm("Replace?", "Really?", yes="Replace")
    answer(press("Second"))
    assert real.ask("Which?", "One of two", ("First", "Second")) == 1
    answer(press("Cancel"))
    assert real.ask("Which?", "One of two", ("First", "Second")) is None


def test_the_question_before_something_is_lost_has_three_answers(real: Dialogs) -> None:
    for button, said in (("Save", "save"), ("Don't save", "discard"), ("Cancel", "cancel")):
        answer(press(button))
        assert real.ask_save("Save before closing?", "Runs would be lost.") == said
    answer(lambda box: box.reject())
    assert real.ask_save("Save before closing?", "Runs would be lost.") == "cancel"
    answer(lambda box: box.defaultButton().click())
    assert real.ask_save("Save before closing?", "Runs would be lost.") == "save"


def test_the_harmless_answer_is_the_default(real: Dialogs) -> None:
    seen: list[str] = []

    def look(box: QMessageBox) -> None:
        seen.append(box.defaultButton().text().replace("&", ""))
        box.reject()

    answer(look)
    real.confirm("Clear?", "Everything goes", yes="Clear")
    assert seen == ["Cancel"]


def test_texts_and_choices(real: Dialogs) -> None:
    def type_words(dialog: QInputDialog) -> None:
        dialog.setTextValue("a note")
        dialog.accept()

    answer(type_words)
    assert real.text("Note", "Why?") == "a note"
    answer(lambda dialog: dialog.reject())
    assert real.text("Note", "Why?", multiline=True) is None


def test_a_text_is_typed_and_comes_back(real: Dialogs) -> None:
    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QInputDialog)
        dialog.setTextValue("a new note")
        dialog.accept()

    QTimer.singleShot(50, answer)
    assert real.text("Note", "A note", "old") == "a new note"


def test_errors_show_what_to_do_and_carry_details(real: Dialogs) -> None:
    seen: list[tuple[str, str]] = []

    def look(box: QMessageBox) -> None:
        seen.append((box.text(), box.detailedText()))
        box.accept()

    answer(look)
    real.error("It failed", "choose another folder", "line 7")
    answer(look)
    real.inform("Done", "all is well")
    assert seen == [("choose another folder", "line 7"), ("all is well", "")]


def test_pages_of_help_tables_and_texts(real: Dialogs) -> None:
    seen: list[str] = []

    def read(dialog: Any) -> None:
        for browser in dialog.findChildren(QTextBrowser):
            seen.append(browser.toPlainText())
        for table in dialog.findChildren(QTableWidget):
            seen.append(table.item(0, 1).text())
        dialog.findChild(QDialogButtonBox).rejected.emit()

    answer(read)
    real.show_html("Help", "<h2>Load</h2><p>Drop files</p>")
    answer(read)
    real.show_table("Keys", ("Menu", "Keys"), [("File", "Ctrl+O")], "note")
    answer(read)
    real.show_text("About", "version 1")
    assert seen == ["Load\nDrop files", "Ctrl+O"]


class Answers:
    """Requests for previews that a container browser makes."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []

    def request(self, key: str, reply: Any) -> None:
        self.requests.append((key, reply))


@pytest.fixture
def container(tmp_path: Path) -> Path:
    path = tmp_path / "many.npz"
    np.savez(path, first=np.eye(12), second=np.ones((9, 14), np.uint16), words=np.array(["a"]))
    return path


def test_the_container_browser_lists_previews_and_chooses(qtbot: QtBot, container: Path) -> None:
    answers = Answers()
    dialog = ContainerBrowser(str(container), list_arrays(container), answers.request, "mask")
    qtbot.addWidget(dialog)
    table = dialog.table
    rows = {table.item(r, 0).text(): (table.item(r, 1).text(), table.item(r, 2).text()) for r in range(table.rowCount())}
    assert rows["second"] == ("9 × 14", "uint16")
    words = next(table.item(r, 0) for r in range(table.rowCount()) if table.item(r, 0).text() == "words")
    assert not words.flags() & Qt.ItemFlag.ItemIsEnabled and "text" in words.toolTip()
    assert answers.requests[0][0] == "first" == dialog.key()
    table.selectRow([table.item(r, 0).text() for r in range(table.rowCount())].index("second"))
    assert dialog.key() == "second" and dialog.picture.text() == "Reading …"
    answers.requests[0][1]("first", np.zeros((4, 4), np.uint8), "facts of the first")
    assert dialog.facts.text() == "", "an answer that comes late is not shown for another array"
    answers.requests[1][1]("second", np.full((9, 14), 200, np.uint8), "9 × 14 px")
    assert dialog.facts.text() == "9 × 14 px" and not dialog.picture.pixmap().isNull()
    answers.requests[1][1]("second", None, "damaged")
    assert dialog.picture.text() == "No preview"


def test_choosing_an_array_through_the_dialogs(real: Dialogs, container: Path) -> None:
    answers = Answers()
    answer(lambda dialog: dialog.accept())
    assert real.choose_array(str(container), list_arrays(container), answers.request, "mask") == "first"
    answer(lambda dialog: dialog.reject())
    assert real.choose_array(str(container), list_arrays(container), answers.request, "mask") is None


def test_file_dialogs_remember_their_folder_per_purpose(
    real: Dialogs, settings: UiSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PySide6.QtWidgets import QFileDialog

    asked: list[str] = []
    (tmp_path / "masks").mkdir()

    def give(*args: Any) -> tuple[list[str], str]:
        asked.append(args[2])
        return [str(tmp_path / "masks" / "m.npy")], ""

    def give_one(*args: Any) -> tuple[str, str]:
        asked.append(args[2])
        return str(tmp_path / "masks" / "m.npy"), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", give)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", give_one)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", give_one)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *args: "")
    assert real.open_files("mask", "Mask") == (str(tmp_path / "masks" / "m.npy"),)
    assert real.open_files("mask", "Mask", multiple=False) == (str(tmp_path / "masks" / "m.npy"),)
    assert asked[1] == str(tmp_path / "masks")
    assert real.save_file("plot", "Save", "plot.png", kind="png").endswith("m.npy")
    assert real.folder("export", "Where") == ""


def test_arguments_of_the_program() -> None:
    options = parse_arguments(["--theme", "dark", "a.npy", "b.npy"])
    assert (options.files, options.theme, options.demo) == (["a.npy", "b.npy"], "dark", False)
    assert parse_arguments(["--demo"]).demo
    assert _size("1280X720") == (1280, 720)
    with pytest.raises(SystemExit):
        parse_arguments(["--theme", "pink"])


def test_the_program_starts_with_files_and_ends_with_its_window(qtbot: QtBot, tmp_path: Path, qapp: QApplication) -> None:
    np.save(tmp_path / "words.npy", np.eye(20))
    seen: list[str] = []

    def look() -> None:
        windows = [w for w in QApplication.topLevelWidgets() if w.objectName() == "main_window" and w.isVisible()]
        if not windows or windows[0].runner.busy or not windows[0].log.plain():
            QTimer.singleShot(20, look)
            return
        seen.append(windows[0].log.plain())
        windows[0].close()

    QTimer.singleShot(0, look)
    assert main(["--theme", "light", str(tmp_path / "words.npy")]) == 0
    assert "words.npy →" in seen[0]
