"""The logbook as a person uses it: accept, find the entry, filter, look at the trend, be warned, set limits, take back, export."""

from __future__ import annotations

import csv
import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import fakes
import pytest
from conftest import AnsweringDialogs, WindowMaker
from PySide6.QtCore import QDate, QModelIndex, QPoint, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from cassi_core.io.calibration_file import write_calibration
from cassi_core.logbook.drift import trends
from cassi_core.logbook.store import Contents, Logbook
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.logbook import commands as logbook_commands
from cassi_gui.logbook.keeper import DEMO_RIG, LogbookKeeper
from cassi_gui.pages.logbook import LogbookPage
from cassi_gui.plots.trend import TrendPanel
from cassi_gui.run.controller import RunController
from cassi_gui.screenshots.made_up_logbook import RIG, fill, made_up_entries
from cassi_gui.session.state import AppState, FileSelection
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.style.theme import DARK, LIGHT
from cassi_gui.widgets.limits_form import LimitsForm


def settle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=10_000)


def finish_run(window: MainWindow, seconds: float = 4.9, **values: float) -> int:
    """A run of the session with its own content, refined values as given; returns its id."""
    made = fakes.result(with_maps=False, seconds_total=seconds)
    parameters = made.parameters
    for name, value in values.items():
        parameters = parameters.edit(name, value=value)
    return window.state.add_run(replace(made, parameters=parameters)).id


def accept(qtbot: QtBot, window: MainWindow, rig: str | None = None) -> None:
    """Type a rig if one is given, press Accept."""
    window.show_page("qa")
    settle(qtbot, window)
    if rig is not None:
        box = window.qa_page.decision.rig.box
        box.lineEdit().selectAll()
        qtbot.keyClicks(box.lineEdit(), rig)
    qtbot.mouseClick(window.qa_page.decision.accept_button, Qt.MouseButton.LeftButton)
    settle(qtbot, window)


def listed(page: LogbookPage) -> list[int]:
    """Numbers of the entries in the table, from top to bottom."""
    model = page.table.entries_model
    return [model.entry(row).id for row in range(model.rowCount())]


class Desk:
    """The logbook page with the parts that the window would give it."""

    def __init__(self, qtbot: QtBot, dialogs: AnsweringDialogs, path: Path) -> None:
        self.qtbot, self.dialogs, self.path = qtbot, dialogs, path
        self.state = AppState()
        self.runner = RunController(calibrate=fakes.calibrate)
        self.keeper = LogbookKeeper(self.state, self.runner, dialogs.settings)
        self.said: list[str] = []
        self.keeper.logged.connect(lambda _level, text: self.said.append(text))
        self.page = LogbookPage(self.state, self.runner, Actions(LIGHT), dialogs, self.keeper)
        self.page.resize(1200, 500)
        qtbot.addWidget(self.page)
        self.page.set_palette(LIGHT)
        self.page.show()
        self.settle()

    @property
    def book(self) -> Logbook:
        return Logbook(self.path)

    def fill(self, count: int = 12) -> LogbookPage:
        """Put the rig that drifts into the logbook, as another program would, and read it again."""
        fill(self.path, count)
        self.page.menu.actions()[0].trigger()
        self.settle()
        return self.page

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.runner.busy, timeout=10_000)

    def undo(self) -> None:
        self.state.undo_stack.undo()
        self.settle()


@pytest.fixture
def desk(qtbot: QtBot, dialogs: AnsweringDialogs, own_logbook: Path) -> Iterator[Desk]:
    made = Desk(qtbot, dialogs, own_logbook)
    yield made
    assert made.runner.shutdown()


# -- from accepting to the table --------------------------------------------------------------------------------------
def test_accept_find_filter_look_and_export(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, own_logbook: Path, tmp_path: Path
) -> None:
    fill(own_logbook)
    finish_run(window, dy=0.9)
    accept(qtbot, window, "right bench")
    assert "Entry 13 of right bench in the logbook." in window.qa_page.decision.rig.status.text()
    qtbot.mouseClick(window.qa_page.decision.rig.open, Qt.MouseButton.LeftButton)
    assert window.page_id == "logbook" and not window.step_bar.isVisible()
    page = window.logbook_page
    settle(qtbot, window)
    assert listed(page) == [13, *range(12, 0, -1)], "the newest first"
    page.filter.rig.setCurrentText("right bench")
    assert listed(page) == [13] and page.trend.title == "Trends of right bench"
    page.filter.rig.setCurrentText(RIG)
    page.filter.verdict.setCurrentText("Fail")
    assert listed(page) == [6]
    page.filter.verdict.setCurrentText("Any verdict")
    days = [e.calibrated.astimezone().date() for e in made_up_entries()]
    page.filter.period.setCurrentText("From \u2026 to")
    page.filter.until.setDate(QDate(days[4]))
    page.filter.since.setDate(QDate(days[2]))
    assert listed(page) == [5, 4, 3] and len(page.trend.symbols("dy")) == 3
    page.filter.show_everything()
    page.filter.rig.setCurrentText(RIG)
    assert page.trend.names == ("dx", "dy", "theta", "scale_x", "scale_y")
    assert page.trend.symbols("dy") == ["o"] * 5 + ["x"] + ["t1"] * 6
    assert page.trend.symbols("theta") == ["o"] * 5 + ["x"] + ["o"] * 6
    assert page.trend.line_labels("dy") == ["lower limit -0.5 px", "upper limit 0.5 px"]
    assert "drift" in page.trend.heading("dy") and "drift" not in page.trend.heading("dx")
    dialogs.save_path = str(tmp_path / "left")
    qtbot.mouseClick(page.export, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    rows = list(csv.DictReader((tmp_path / "left.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 12 and {row["rig"] for row in rows} == {RIG}
    assert [float(r["dy [px]"]) for r in rows] == [e.parameters["dy"].value for e in made_up_entries()]
    assert "above its upper limit +0.5 px" in rows[-1]["drift"]


def test_undoing_the_acceptance_takes_the_entry_back(qtbot: QtBot, window: MainWindow, own_logbook: Path) -> None:
    finish_run(window)
    accept(qtbot, window, "bench")
    book = Logbook(own_logbook)
    (entry,) = book.read().entries
    assert entry.rig == "bench" and entry.parameters["dx"].value == fakes.TRUTH["dx"] and entry.in_force
    for act, counts in (("undo", False), ("redo", True), ("undo", False), ("redo", True)):
        window.action_set[f"edit.{act}"].trigger()
        settle(qtbot, window)
        (entry,) = book.read().entries
        assert entry.in_force == counts
    window.qa_page.reject_current()
    settle(qtbot, window)
    assert not book.read().entries[0].in_force and not window.qa_page.decision.rig.status.isVisible()
    window.action_set["edit.undo"].trigger()
    settle(qtbot, window)
    assert book.read().entries[0].in_force
    window.qa_page.decision.note.setText("after the lens was changed")
    window.qa_page.decision.note.editingFinished.emit()
    settle(qtbot, window)
    assert book.read().entries[0].note == "after the lens was changed"


def test_edits_of_the_logbook_are_undone_like_any_other_but_are_no_change_of_the_session(
    qtbot: QtBot, window: MainWindow, own_logbook: Path
) -> None:
    fill(own_logbook, 3)
    window.show_page("logbook")
    settle(qtbot, window)
    logbook_commands.annotate_entry(window.state, window.logbook, 2, "lens cleaned")
    logbook_commands.withdraw_entries(window.state, window.logbook, [3])
    settle(qtbot, window)
    assert Logbook(own_logbook).read().entry(2).note == "lens cleaned", "written at once, whatever becomes of the session"
    assert not window.sessions.modified and not window.isWindowModified(), "there is nothing to save"
    assert "logbook entry 3" in window.action_set["edit.undo"].toolTip()
    window.action_set["edit.undo"].trigger()
    settle(qtbot, window)
    assert Logbook(own_logbook).read().entry(3).in_force and not window.sessions.modified


def test_an_earlier_acceptance_stays_when_a_later_one_is_undone(qtbot: QtBot, window: MainWindow, own_logbook: Path) -> None:
    finish_run(window, 1.0)
    accept(qtbot, window, "bench")
    finish_run(window, 2.0)
    accept(qtbot, window)
    window.action_set["edit.undo"].trigger()
    settle(qtbot, window)
    assert [e.in_force for e in sorted(Logbook(own_logbook).read().entries, key=lambda e: e.id)] == [True, False]


def test_the_drift_is_said_where_the_run_is_accepted(qtbot: QtBot, window: MainWindow, own_logbook: Path) -> None:
    fill(own_logbook, 4)
    finish_run(window, dy=0.7)
    accept(qtbot, window, RIG)
    said = window.qa_page.decision.rig.status.text()
    assert "Entry 5 of Left bench" in said and "Drift: dy +0.700 px lies above its upper limit +0.5 px." in said
    assert "differs from the median of 4 earlier entries" in window.qa_page.decision.rig.status.toolTip()
    assert window.qa_page.decision.rig.status.property("status") == "warn"
    assert "drift of Left bench: dy" in window.log.plain()


def test_rigs_are_remembered_and_the_demo_has_its_own(qtbot: QtBot, window: MainWindow, own_logbook: Path) -> None:
    finish_run(window, 1.0)
    window.show_page("qa")
    settle(qtbot, window)
    assert window.qa_page.decision.rig.rig == "My rig", "a name to begin with"
    accept(qtbot, window, "left bench")
    window.state.replace(files=FileSelection(demo=True))
    assert window.qa_page.decision.rig.rig == DEMO_RIG
    finish_run(window, 2.0)
    accept(qtbot, window)
    window.state.replace(files=FileSelection())
    assert window.qa_page.decision.rig.rig == "left bench"
    finish_run(window, 3.0)
    window.qa_page.decision.rig.box.setEditText("")
    accept(qtbot, window)
    assert sorted(e.rig for e in Logbook(own_logbook).read().entries) == [DEMO_RIG, "left bench"], "no name: not kept"
    window.qa_page.decision.rig.box.setEditText("left bench")
    window.qa_page.decision.rig.box.lineEdit().editingFinished.emit()
    box = window.qa_page.decision.rig.box
    assert {box.itemText(i) for i in range(box.count())} == {DEMO_RIG, "left bench"}
    later = LogbookKeeper(AppState(), window.runner, UiSettings())
    assert later.rig == "left bench", "remembered for the next start"


def test_closing_at_once_loses_nothing(qtbot: QtBot, window: MainWindow, own_logbook: Path) -> None:
    window.show_page("qa")
    settle(qtbot, window)
    finish_run(window)
    window.qa_page.accept_current()
    window.close()
    assert [e.rig for e in Logbook(own_logbook).read().entries] == ["My rig"]


def test_an_exported_calibration_file_is_named_in_the_entry(
    qtbot: QtBot, window: MainWindow, own_logbook: Path, tmp_path: Path
) -> None:
    finish_run(window)
    accept(qtbot, window, "bench")
    window.show_page("export")
    window.export_page.folder.setText(str(tmp_path))
    settle(qtbot, window)
    qtbot.mouseClick(window.export_page.write, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    (entry,) = Logbook(own_logbook).read().entries
    assert Path(entry.path).parent == tmp_path and entry.path.endswith(".cassi.json")
    assert entry.sha256 == hashlib.sha256(Path(entry.path).read_bytes()).hexdigest()
    assert Logbook(own_logbook).read().entries[0].id == 1


# -- the page ---------------------------------------------------------------------------------------------------------
def test_an_empty_logbook_says_what_to_do_and_makes_no_file(qtbot: QtBot, window: MainWindow, own_logbook: Path) -> None:
    window.activateWindow()
    with qtbot.waitActive(window):
        pass
    qtbot.keyClick(window, Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot, window)
    page = window.logbook_page
    assert "Accept a run on the QA page" in page.nothing.text() and page.nothing.isVisible()
    assert not page.banner.isVisible() and not page.export.isEnabled() and not own_logbook.exists()
    window.slots_.go_back()
    assert window.page_id == "export" and window.step_bar["export"].isChecked()


def test_the_page_says_whether_the_rig_drifts(desk: Desk) -> None:
    page = desk.fill(1)
    assert "has one calibration (entry 1" in page.banner_text.text() and page.banner.property("banner_status") == ""
    fill(desk.path, 3)
    page.menu.actions()[0].trigger()
    desk.settle()
    assert "Left bench stands still" in page.banner_text.text() and page.banner.property("banner_status") == "ok"
    fill(desk.path, 12)
    page.menu.actions()[0].trigger()
    desk.settle()
    assert page.banner_text.text().startswith("Left bench drifts (entry 12, 2026-11-10")
    assert "above its upper limit +0.5 px" in page.banner_text.text() and page.banner.property("banner_status") == "warn"
    assert page.where.full_text == f"12 entries in {desk.path}"


def test_one_calibration_is_a_sentence_and_no_plots_of_one_point(desk: Desk) -> None:
    page = desk.fill(1)
    assert page.trend.names == () and page.trend.empty_text.startswith("One calibration so far (entry 1, ")
    fill(desk.path, 2)
    page.menu.actions()[0].trigger()
    desk.settle()
    assert "dx" in page.trend.names and not page.trend.empty_text


@pytest.mark.parametrize("size", [(1024, 668), (1280, 700)])
def test_the_page_fits_small_windows(qtbot: QtBot, window: MainWindow, own_logbook: Path, size: tuple[int, int]) -> None:
    fill(own_logbook)
    window.resize(*size)
    window.show_page("logbook")
    settle(qtbot, window)
    page = window.logbook_page
    page.filter.period.setCurrentIndex(page.filter.period.count() - 1)
    for index in range(page.tabs.count()):
        page.tabs.setCurrentIndex(index)
        qtbot.wait(10)
        assert (window.width(), window.height()) == size
        assert page.minimumSizeHint().width() <= page.width() and page.minimumSizeHint().height() <= page.height()


def test_a_click_on_a_point_shows_its_entry(desk: Desk, qtbot: QtBot) -> None:
    page = desk.fill()
    place = page.trend.graphics.mapFromScene(page.trend.place("dy", 7))
    qtbot.mouseMove(page.trend.graphics.viewport(), place + QPoint(1, 1))
    qtbot.mouseClick(page.trend.graphics.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert page.table.selected == (7,) and page.tabs.currentWidget() is page.facts
    shown = page.facts.toPlainText()
    assert "Entry 7 of Left bench" in shown and "after the lens was changed" in shown
    assert "differs from the median of 5 earlier entries" in shown and "/data/left-bench/2026-08-22.cassi.json" in shown


def test_notes_and_rigs_are_edited_in_the_table_and_can_be_undone(desk: Desk) -> None:
    page, book = desk.fill(2), desk.book
    model = page.table.entries_model

    def cell(entry_id: int, column: str) -> QModelIndex:
        return model.index(model.row_of(entry_id), model.columns.index(column))

    assert model.setData(cell(1, "Note"), "cold morning") and model.setData(cell(2, "Rig"), "Right bench")
    desk.settle()
    assert book.read().entry(1).note == "cold morning" and book.read().entry(2).rig == "Right bench"
    assert model.data(cell(1, "Note")) == "cold morning"
    for _ in range(2):
        desk.undo()
    desk.settle()
    assert book.read().entry(1).note == "" and book.read().entry(2).rig == RIG
    assert not model.setData(cell(1, "Note"), "x", Qt.ItemDataRole.CheckStateRole)


def test_entries_are_withdrawn_put_back_and_deleted(desk: Desk, qtbot: QtBot) -> None:
    page, book = desk.fill(4), desk.book
    page.table.select_entry(4)
    qtbot.mouseClick(page.withdraw, Qt.MouseButton.LeftButton)
    desk.settle()
    assert listed(page) == [3, 2, 1] and len(page.trend.symbols("dy")) == 3
    desk.undo()
    desk.settle()
    assert listed(page) == [4, 3, 2, 1]
    page.table.select_entry(4)
    page.activateWindow()
    with qtbot.waitActive(page):
        page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    desk.settle()
    page.filter.withdrawn.setChecked(True)
    assert listed(page) == [4, 3, 2, 1]
    assert page.table.entries_model.text(book.read().entry(4), "Drift") == "withdrawn"
    page.table.select_entry(4)
    assert page.withdraw.text() == "Put back"
    qtbot.mouseClick(page.withdraw, Qt.MouseButton.LeftButton)
    desk.settle()
    assert book.read().entry(4).in_force
    desk.dialogs.yes = False
    page.delete.trigger()
    desk.settle()
    assert len(book.read().entries) == 4 and "cannot be undone" in desk.dialogs.said[-1][1]
    desk.dialogs.yes = True
    page.delete.trigger()
    desk.settle()
    assert listed(page) == [3, 2, 1]


def test_limits_turn_into_warnings_and_can_be_undone(desk: Desk, qtbot: QtBot) -> None:
    page, book = desk.fill(3), desk.book
    page.tabs.setCurrentWidget(page.limits)
    low, high = page.limits.fields["dx"]
    assert page.limits.fields["dy"][1].text() == "0.5" and low.text() == ""
    qtbot.keyClicks(high, "0.70")
    qtbot.keyClick(high, Qt.Key.Key_Return)
    desk.settle()
    assert book.read().limits_of(RIG).limit("dx").upper == 0.7
    assert "dx" in page.banner_text.text() and "above its upper limit +0.7 px" in page.banner_text.text()
    assert page.trend.line_labels("dx") == ["upper limit 0.7 px"]
    low.setText("0.9")
    low.editingFinished.emit()
    desk.settle()
    assert page.limits.message.text() == "Not kept: dx: the lower limit 0.9 is above the upper limit 0.7."
    assert book.read().limits_of(RIG).limit("dx").lower is None
    desk.undo()
    desk.settle()
    assert book.read().limits_of(RIG).limit("dx").is_open and high.text() == "" and page.limits.message.text() == ""
    page.limits.reference.setCurrentIndex(page.limits.reference.findData(2))
    desk.settle()
    assert book.read().limits_of(RIG).reference == 2 and "reference" in page.trend.heading("dy")
    page.limits.judge.setChecked(False)
    desk.settle()
    assert book.read().limits_of(RIG).sigmas is None and not page.limits.sigmas.isEnabled()


def test_calibration_files_are_added(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    desk.settle()
    made = write_calibration(fakes.result(with_maps=False), tmp_path / "old.cassi.json")
    (tmp_path / "other.cassi.json").write_text("{}")
    desk.dialogs.files = (str(made), str(tmp_path / "other.cassi.json"))
    qtbot.mouseClick(desk.page.add, Qt.MouseButton.LeftButton)
    desk.settle()
    (entry,) = desk.book.read().entries
    assert (entry.rig, entry.path) == ("My rig", str(made))
    assert "no CASSI calibration" in " ".join(desk.said) and "no CASSI calibration" in desk.page.banner_text.text()


def test_a_damaged_logbook_is_told_and_left_alone(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, own_logbook: Path, tmp_path: Path
) -> None:
    own_logbook.parent.mkdir(parents=True)
    own_logbook.write_bytes(b"this was a logbook once" * 99)
    finish_run(window)
    accept(qtbot, window)
    assert "damaged or no logbook" in window.qa_page.decision.rig.status.text()
    assert window.state.accepted_run is not None, "the calibration is in force all the same"
    window.show_page("logbook")
    assert "move the file aside" in window.logbook_page.nothing.text()
    assert own_logbook.read_bytes() == b"this was a logbook once" * 99
    dialogs.save_path = str(tmp_path / "shared.sqlite")
    page = window.logbook_page
    page.menu.actions()[1].trigger()
    settle(qtbot, window)
    assert "shared.sqlite" in page.where.full_text and "Accept a run" in page.nothing.text()
    page.menu.actions()[2].trigger()
    settle(qtbot, window)
    assert str(own_logbook) in page.where.full_text


def test_a_named_logbook_cannot_be_chosen_away(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASSI_LOGBOOK", str(tmp_path / "named.sqlite"))
    window = make_window()
    window.show_page("logbook")
    dialogs.save_path = str(tmp_path / "other.sqlite")
    window.logbook_page.menu.actions()[1].trigger()
    settle(qtbot, window)
    assert "CASSI_LOGBOOK" in dialogs.said[-1][1] and "named.sqlite" in window.logbook_page.where.full_text


# -- parts ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def trend(qtbot: QtBot, tmp_path: Path) -> TrendPanel:
    fill(tmp_path / "made-up.sqlite")
    contents = Logbook(tmp_path / "made-up.sqlite").read()
    panel = TrendPanel("trend", "Trends of Left bench")
    qtbot.addWidget(panel)
    panel.resize(1200, 220)
    panel.show()
    panel.set_trends(trends(contents, RIG))
    return panel


def test_a_trend_is_written_as_picture_drawing_and_numbers(trend: TrendPanel, tmp_path: Path) -> None:
    for kind in ("png", "svg", "csv"):
        trend.write(kind, tmp_path / f"t.{kind}")
    assert QImage(str(tmp_path / "t.png")).width() == 2 * trend.graphics.viewport().width()
    drawing = (tmp_path / "t.svg").read_text()
    assert ET.fromstring(drawing).tag.endswith("svg") and "upper limit 0.5 px" in drawing
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 60
    last = [row for row in rows if row["parameter"] == "dy"][-1]
    measured = made_up_entries()[-1].parameters["dy"]
    assert (float(last["value"]), float(last["sigma"]), last["unit"]) == (measured.value, measured.sigma, "px")
    assert (last["lower limit"], last["upper limit"]) == ("-0.5", "0.5") and "more than 5" in last["drift"]


def test_the_plots_fit_any_width_and_theme(trend: TrendPanel, qtbot: QtBot) -> None:
    def columns() -> int:
        return len({round(trend._shown[name].plot.sceneBoundingRect().left()) for name in trend.names})

    def heights() -> list[float]:
        return [trend._shown[name].plot.sceneBoundingRect().height() for name in trend.names]

    assert columns() == 5
    for width, height, expected in ((480, 400, 2), (230, 800, 1), (1900, 400, 5)):
        trend.resize(width, height)
        # Rows of an earlier build take no room: the plots fill what their headings leave.
        qtbot.waitUntil(lambda e=expected, h=height: columns() == e and sum(heights()) > 0.5 * h, timeout=2000)
        assert max(heights()) - min(heights()) < 4
    trend.set_palette(DARK)
    assert trend.symbols("dy")[-1] == "t1"
    trend.set_trends((), empty="nothing fits")
    assert trend.empty_text == "nothing fits" and trend.names == ()


def test_one_calibration_is_a_point_with_room_round_it(trend: TrendPanel) -> None:
    entry = replace(made_up_entries(1)[0], id=1)
    trend.set_trends(trends(Contents((entry,)), RIG))
    days, values = trend._shown["dy"].plot.getViewBox().viewRange()
    assert days[1] - days[0] >= timedelta(days=2).total_seconds()
    assert values[0] < entry.parameters["dy"].value - 0.019 < entry.parameters["dy"].value + 0.019 < values[1]


def test_the_form_of_limits_without_a_rig_is_disabled(qtbot: QtBot) -> None:
    form = LimitsForm()
    qtbot.addWidget(form)
    form.set_limits(None)
    assert not form.isEnabled()
    form.fields["dx"][0].setText("1")
    with qtbot.assertNotEmitted(form.edited):
        form.fields["dx"][0].editingFinished.emit()
