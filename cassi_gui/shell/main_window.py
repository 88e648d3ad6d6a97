"""The main window: steps, pages, run strip, log, menus; it wires the parts and holds no logic of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDockWidget,
    QLabel,
    QMainWindow,
    QMenu,
    QStatusBar,
    QVBoxLayout,
    QWidget,
)

from cassi_core.errors import CassiError
from cassi_core.result import CalibrationResult
from cassi_gui.desktop.actions import MENUS, Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.inputs.calibrations import is_calibration
from cassi_gui.inputs.loading import InputLoader, Loaded, in_window_words
from cassi_gui.inputs.recent import RecentFiles
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages import status
from cassi_gui.pages.page import Page
from cassi_gui.run.controller import RunController, RunPhase
from cassi_gui.run.display import RunDisplay
from cassi_gui.session import commands
from cassi_gui.session.cut_run import CutRunKeeper
from cassi_gui.session.state import AppState, FileSelection
from cassi_gui.session.values import is_session
from cassi_gui.shell.page_deck import PageDeck
from cassi_gui.shell.recent_sessions import RecentSessions
from cassi_gui.shell.session_actions import UNTITLED, SessionKeeper
from cassi_gui.shell.splitters import keep_splitters
from cassi_gui.shell.window_actions import WindowActions
from cassi_gui.style.icons import application_icon
from cassi_gui.style.theme import Palette, apply_theme, palette_for
from cassi_gui.widgets.drops import FilesPassFields, dropped_paths
from cassi_gui.widgets.log_view import LogView
from cassi_gui.widgets.place_bar import Place, PlaceBar
from cassi_gui.widgets.run_strip import RunStrip
from cassi_gui.widgets.session_progress import SessionProgress
from cassi_gui.widgets.step_bar import Step, StepBar
from cassi_gui.widgets.tour_card import TourCard

if TYPE_CHECKING:
    from cassi_gui.pages.check import CheckPage
    from cassi_gui.pages.export import ExportPage
    from cassi_gui.pages.load import LoadPage
    from cassi_gui.pages.logbook import LogbookPage
    from cassi_gui.pages.qa import QaPage
    from cassi_gui.pages.run import RunPage
    from cassi_gui.pages.verify import FreshStart, VerifyPage

logger = logging.getLogger(__name__)

STEPS = (
    Step("load", "Load", "load"),
    Step("check", "Check", "check"),
    Step("run", "Run", "run"),
    Step("qa", "QA", "qa"),
    Step("export", "Export", "export"),
)
PLACES = (
    Place("calibrate", "Calibrate", "calibrate", "Ctrl+1", "From the camera's picture to a calibration"),
    Place("verify", "Verify", "verify", "Ctrl+2", "Is an earlier calibration still right for today's picture?"),
    Place("logbook", "Logbook", "logbook", "Ctrl+5", "Accepted calibrations of your rigs, and their drift"),
)
"""Places of the window. Calibrate is the one with steps; every other place is one page of the same name."""
PAGES = (*(step.id for step in STEPS), *(place.id for place in PLACES if place.id != "calibrate"))
MESSAGE_MS = 8000
DEFAULT_SIZE = QSize(1280, 720)


class MainWindow(QMainWindow):
    """The window of one session."""

    def __init__(
        self,
        settings: UiSettings,
        palette: Palette,
        *,
        dialogs: Dialogs | None = None,
        runner: RunController | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self._on_title(UNTITLED, False)
        self.setWindowIcon(application_icon())
        self.settings = settings
        self.colours = palette
        self._painted: Palette | None = None
        self.state = AppState(self)
        self.runner = runner or RunController(self)
        self.dialogs = dialogs or Dialogs(settings, self)
        self.action_set = Actions(palette, self)
        self.loader = InputLoader(self.state, self.runner, self)
        self.sessions = SessionKeeper(self.state, self.runner, self.loader, self.dialogs, settings, self)
        self.cut_run = CutRunKeeper(self.state, self.runner, self)
        self.logbook = LogbookKeeper(self.state, self.runner, settings, self)
        self._closed = self._leaving = False
        self._step_ids = tuple(step.id for step in STEPS)
        self._last_step = STEPS[0].id
        self.setAcceptDrops(True)
        self._fields = FilesPassFields(self)
        # The run is put into the state before any page hears of its end: pages then show what the state holds.
        self.runner.finished.connect(self._on_finished)
        self._build_frame()
        self._build_menus()
        self.slots_ = WindowActions(self)
        self.action_set.connect_to(self.slots_)
        self._connect()
        self.set_palette(palette)
        self._restore_layout()
        self.show_page("load")
        self._show_recent()
        self.recent.look_for_lost()

    # -- building -------------------------------------------------------------------------------------------------
    def _factories(self) -> dict[str, Callable[[], Page]]:
        """How each page is made, in order; a page is imported only then: most of them bring the plots with them."""
        return {
            "load": self._make_load,
            "check": self._make_check,
            "run": self._make_run,
            "qa": self._make_qa,
            "export": self._make_export,
            "verify": self._make_verify,
            "logbook": self._make_logbook,
        }

    def _make_load(self) -> Page:
        from cassi_gui.pages.load import LoadPage

        page = LoadPage(self.state, self.runner, self.action_set, self.dialogs)
        page.recent_chosen.connect(self._on_recent)
        page.clear_recent_requested.connect(self.recent.clear)
        page.tour_requested.connect(self.tour.begin)
        self.sessions.cut_found.connect(page.show_cut)
        page.cut.go_on_requested.connect(self.sessions.go_on_with_cut)
        page.cut.forget_requested.connect(self.sessions.forget_cut)
        return page

    def _make_check(self) -> Page:
        from cassi_gui.pages.check import CheckPage

        return CheckPage(self.state, self.runner, self.action_set, self.dialogs)

    def _make_run(self) -> Page:
        from cassi_gui.pages.run import RunPage

        return RunPage(self.state, self.runner, self.action_set, self.dialogs)

    def _make_qa(self) -> Page:
        from cassi_gui.pages.qa import QaPage

        return QaPage(self.state, self.runner, self.action_set, self.dialogs, self.logbook)

    def _make_export(self) -> Page:
        from cassi_gui.pages.export import ExportPage

        return ExportPage(self.state, self.runner, self.action_set, self.dialogs, self.logbook)

    def _make_verify(self) -> Page:
        from cassi_gui.pages.verify import VerifyPage

        page = VerifyPage(self.state, self.runner, self.action_set, self.dialogs, self.logbook)
        page.calibrate_requested.connect(self._on_fresh_start)
        return page

    def _make_logbook(self) -> Page:
        from cassi_gui.pages.logbook import LogbookPage

        return LogbookPage(self.state, self.runner, self.action_set, self.dialogs, self.logbook)

    @Slot(object)
    def _on_page_built(self, page: Page) -> None:
        page.set_palette(self.colours)
        keep_splitters(page, self.settings)
        self._fields.watch(page)
        page.cursor_text.connect(self.cursor_label.setText)
        page.logged.connect(self.log.append)
        page.page_requested.connect(self.show_page)
        page.next_requested.connect(self.slots_.go_next)
        page.input_requested.connect(self._on_input_requested)
        page.look_requested.connect(self.loader.look)
        self.state.restored.connect(page.forget)
        page.session_given.connect(self.sessions.open_path)
        page.calibration_given.connect(self.verify_with)
        page.cancel_requested.connect(self.loader.cancel)
        page.again_requested.connect(self.loader.read_again)
        page.badge_changed.connect(self._refresh)
        self.loader.progress.connect(page.show_reading)

    def _build_frame(self) -> None:
        at_right = [self.action_set[name] for name in ("edit.undo", "edit.redo", "help.page")]
        self.place_bar = PlaceBar(PLACES, at_right, self.colours)
        self.step_bar = StepBar(STEPS, self.colours)
        self.deck = PageDeck(self._factories())
        self.strip = RunStrip()
        self.display = RunDisplay(self.runner, self.strip, self.action_set, self)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.place_bar)
        layout.addWidget(self.step_bar)
        layout.addWidget(self.deck, 1)
        layout.addWidget(self.strip)
        self.setCentralWidget(central)
        self.tour = TourCard(central)
        self.tour.page_wanted.connect(self.show_page)
        self.tour.closed.connect(self._on_tour_closed)
        self.log = LogView(self.colours)
        self.log_dock = QDockWidget("Log", self)
        self.log_dock.setObjectName("log_dock")
        self.log_dock.setWidget(self.log)
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.log_dock)
        self.log_dock.hide()
        self.cursor_label = QLabel()
        self.cursor_label.setObjectName("cursor")
        self.cursor_label.setAccessibleName("Pixel under the cursor")
        self.cursor_label.setToolTip("Row, column and value of the pixel under the cursor")
        self.chip = QLabel()
        self.chip.setObjectName("in_force")
        self.chip.setProperty("role", "chip")
        self.chip.setAccessibleName("Calibration in force")
        bar = QStatusBar()
        bar.setSizeGripEnabled(False)
        self.run_line = QLabel()
        self.run_line.setObjectName("run_line")
        self.run_line.setAccessibleName("How the run on show ended")
        bar.addWidget(self.run_line)
        self.session_progress = SessionProgress()
        bar.addPermanentWidget(self.session_progress)
        bar.addPermanentWidget(self.cursor_label)
        bar.addPermanentWidget(self.chip)
        self.setStatusBar(bar)

    def _build_menus(self) -> None:
        menus: dict[str, QMenu] = {name: self.menuBar().addMenu(f"&{name}") for name in MENUS}
        recent = QMenu("Open recent", self)
        recent.setObjectName("menu.recent")
        recent_sessions = QMenu("Recent sessions", self)
        recent_sessions.setObjectName("menu.recent_sessions")
        for spec, action in self.action_set:
            if spec.separator:
                menus[spec.menu].addSeparator()
            menus[spec.menu].addAction(action)
            if spec.id == "file.open":
                menus[spec.menu].addMenu(recent)
            if spec.id == "file.open_session":
                menus[spec.menu].addMenu(recent_sessions)
        self.recent_sessions = RecentSessions(self.settings, recent_sessions, self)
        self.recent = RecentFiles(self.settings, recent, self.state, self.runner, self)

    def _connect(self) -> None:
        self.state.changed.connect(self._on_state_changed)
        self.state.restored.connect(self._on_restored)
        self.loader.logged.connect(self.log.append)
        self.logbook.logged.connect(self.log.append)
        self.loader.loaded.connect(self.recent.add)
        self.recent.chosen.connect(self._on_recent)
        self.recent.changed.connect(self._show_recent)
        self.sessions.logged.connect(self._on_session_logged)
        self.sessions.title_changed.connect(self._on_title)
        self.sessions.opened.connect(self._on_session_opened)
        self.sessions.remembered.connect(self.recent_sessions.add)
        self.sessions.io.progress.connect(self.session_progress.show_progress)
        self.session_progress.cancel_requested.connect(self.sessions.io.cancel)
        self.recent_sessions.chosen.connect(self.sessions.open_path)
        self.place_bar.place_chosen.connect(self.show_place)
        self.step_bar.step_chosen.connect(self.show_page)
        self.step_bar.next_chosen.connect(self.slots_.go_next)
        self.display.logged.connect(self.log.append)
        self.display.badge.connect(self._on_run_badge)
        self.display.said.connect(self._say)
        self.log.save_requested.connect(self._on_save_log)
        self.log_dock.visibilityChanged.connect(self.action_set["view.log"].setChecked)
        self.runner.failed.connect(self._on_failed)
        self.runner.state_changed.connect(self._on_phase)
        undo = self.state.undo_stack
        undo.canUndoChanged.connect(self.action_set["edit.undo"].setEnabled)
        undo.canRedoChanged.connect(self.action_set["edit.redo"].setEnabled)
        undo.undoTextChanged.connect(self._on_undo_text)
        undo.redoTextChanged.connect(self._on_redo_text)
        for name in ("undo", "redo"):
            self.action_set[f"edit.{name}"].setEnabled(False)
        self.deck.built.connect(self._on_page_built)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_scheme_changed)

    # -- pages ----------------------------------------------------------------------------------------------------
    @property
    def page(self) -> Page:
        """The page on show."""
        return self.deck.page(self.page_id)

    @property
    def page_id(self) -> str:
        return self.deck.current_id

    @property
    def load_page(self) -> LoadPage:
        return self.deck.page("load")  # type: ignore[return-value]

    @property
    def check_page(self) -> CheckPage:
        return self.deck.page("check")  # type: ignore[return-value]

    @property
    def run_page(self) -> RunPage:
        return self.deck.page("run")  # type: ignore[return-value]

    @property
    def qa_page(self) -> QaPage:
        return self.deck.page("qa")  # type: ignore[return-value]

    @property
    def verify_page(self) -> VerifyPage:
        return self.deck.page("verify")  # type: ignore[return-value]

    @property
    def logbook_page(self) -> LogbookPage:
        return self.deck.page("logbook")  # type: ignore[return-value]

    @property
    def export_page(self) -> ExportPage:
        return self.deck.page("export")  # type: ignore[return-value]

    @Slot(str)
    def show_page(self, page_id: str) -> None:
        """Go to a page; every page can be reached at any time."""
        self.deck.show_page(page_id)
        step = page_id in self._step_ids
        if step:
            self._last_step = page_id
            self.step_bar.set_current(page_id)
        self.step_bar.setVisible(step)
        self.place_bar.set_current("calibrate" if step else page_id)
        self.cursor_label.clear()
        by_next = self.step_bar.next_button.hasFocus()
        self._refresh()
        if by_next and not self.step_bar.next_button.hasFocus():
            # A button that goes leaves the focus to the next one in line, which starts a run: nobody means that by Space.
            self._focus_page()

    def offer_tour(self) -> None:
        """Begin the tour by itself at the very first start."""
        if not self.settings.tour_seen:
            self.tour.begin()

    @Slot()
    def _on_tour_closed(self) -> None:
        self.settings.tour_seen = True
        self._focus_page()

    @Slot(str)
    def show_place(self, place_id: str) -> None:
        """Go to a place; Calibrate opens at the step that was left."""
        self.show_page(self._last_step if place_id == "calibrate" else place_id)

    def _focus_page(self) -> None:
        self.page.first_control.setFocus()

    def go_by(self, steps: int) -> None:
        """Go forward or back by a number of pages, as far as there are any."""
        index = min(max(self.deck.currentIndex() + steps, 0), len(STEPS) - 1)
        self.show_page(STEPS[index].id)

    def add_files(self, paths: Sequence[str]) -> None:
        """Put files into the slots of the Load page, sorted by content; a session among them is opened instead."""
        session = next((path for path in paths if is_session(path)), None)
        if session is not None:
            self.sessions.open_path(session)
            return
        calibration = next((path for path in paths if is_calibration(path)), None)
        if calibration is not None:
            pictures = [path for path in paths if path != calibration]
            if pictures:
                self.verify_page.give(files=FileSelection(measurements=tuple(pictures)))
            self.verify_with(calibration)
            return
        self.show_page("load")
        self.load_page.add_files(paths)

    @Slot(str)
    def _on_input_requested(self, role: str) -> None:
        """What another page wants anew is given on the Load page."""
        self.show_page("load")
        self.load_page.ask_for(role)

    @Slot(str)
    def verify_with(self, path: str) -> None:
        """Verify a calibration file with the measurement that is loaded."""
        self.show_page("verify")
        self.verify_page.give_calibration(path)

    @Slot(object)
    def _on_fresh_start(self, fresh: FreshStart) -> None:
        """Today's pictures into the session as the Verify page has read them, and Run with the earlier values as start."""
        self.loader.adopt(fresh.files, Loaded(fresh.inputs))
        parameters = self.state.parameters.starting_from(fresh.start)
        commands.edit(self.state, "Calibrate from an earlier calibration", files=fresh.files, parameters=parameters)
        self.show_page("run")

    @Slot()
    def _show_recent(self) -> None:
        self.load_page.show_recent(self.recent.entries)

    @Slot(object)
    def _on_recent(self, files: FileSelection) -> None:
        commands.edit(self.state, "Open recent files", files=files)
        self.show_page("load")

    @Slot()
    def _on_restored(self) -> None:
        """A passing word belongs to the session that it was said in."""
        self.statusBar().clearMessage()
        self.cursor_label.clear()

    @Slot(str, bool)
    def _on_title(self, name: str, modified: bool) -> None:
        self.setWindowTitle(f"{name}[*] - CASSI calibration")
        self.setWindowModified(modified)

    @Slot(str, str)
    def _on_session_logged(self, level: str, text: str) -> None:
        """Into the log, and where it is seen while the log is closed: saving has no other sign but the title."""
        self.log.append(level, text)
        self._say(text[:1].upper() + text[1:])

    @Slot(str)
    def _say(self, text: str) -> None:
        """A passing word in the status bar."""
        self.statusBar().showMessage(text, MESSAGE_MS)

    @Slot()
    def _on_session_opened(self) -> None:
        self.show_page("qa" if self.state.current_run is not None else "load")

    @Slot(str)
    def _on_save_log(self, text: str) -> None:
        path = self.dialogs.save_file("log", "Save the log", "cassi-log.txt")
        if not path:
            return
        from cassi_core.io.atomic import atomic_write

        try:
            atomic_write(path, text.encode())
        except CassiError as error:
            self.dialogs.error("The log could not be written", str(error))

    # -- runs -----------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_finished(self, result: CalibrationResult) -> None:
        record = self.state.add_run(result)
        text = f"{record.name} ended after {result.seconds_total:.1f} s; verdict: {result.verdict.status}"
        self.log.append("info", text)
        self.recent.judge(self.state.snapshot.files, result.verdict.status)

    @Slot(object)
    def _on_failed(self, error: Exception) -> None:
        known = isinstance(error, CassiError)
        text = in_window_words(str(error)) if known else f"{type(error).__name__}: {error}"
        self.log.append("error", f"the run failed: {text}")
        advice = "" if known else "\n\nThis is a fault of the program; the crash log has the details."
        self.dialogs.error("The run failed", text + advice)

    @Slot(object)
    def _on_phase(self, phase: RunPhase) -> None:
        self._refresh()

    @Slot(str, str)
    def _on_run_badge(self, text: str, badge_status: str) -> None:
        self.step_bar.set_badge("run", text, badge_status)

    # -- look -----------------------------------------------------------------------------------------------------
    def choose_theme(self, name: str) -> None:
        """Use and remember a theme: system, light or dark."""
        self.settings.theme = name
        self.set_palette(palette_for(name))

    @Slot()
    def _on_scheme_changed(self) -> None:
        if self.settings.theme == "system":
            self.set_palette(palette_for("system"))

    def set_palette(self, palette: Palette) -> None:
        """Repaint everything in the colours of a palette."""
        self.action_set[f"view.theme_{self.settings.theme}"].setChecked(True)
        if palette is self._painted:
            return
        self.colours = self._painted = palette
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, palette)
        self.action_set.set_palette(palette)
        self.place_bar.set_palette(palette)
        self.step_bar.set_palette(palette)
        self.log.set_palette(palette)
        for page in self.deck.pages:
            page.set_palette(palette)

    def reset_layout(self) -> None:
        """Sizes and docks as at the first start."""
        self.settings.reset_layout()
        self.log_dock.setFloating(False)
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.log_dock)
        self.log_dock.hide()
        self.setWindowState(Qt.WindowState.WindowNoState)
        self.resize(DEFAULT_SIZE)
        for page in self.deck.pages:
            page.reset_layout()

    def _restore_layout(self) -> None:
        self.resize(DEFAULT_SIZE)
        geometry, docks = self.settings.layout("window"), self.settings.layout("docks")
        if not geometry.isEmpty():
            self.restoreGeometry(geometry)
        if not docks.isEmpty():
            self.restoreState(docks)

    # -- refreshing -----------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_state_changed(self, names: frozenset[str]) -> None:
        self._refresh()

    @Slot(str)
    def _on_undo_text(self, text: str) -> None:
        self.action_set["edit.undo"].setToolTip(f"Undo: {text} (Ctrl+Z)" if text else "Nothing to undo")

    @Slot(str)
    def _on_redo_text(self, text: str) -> None:
        self.action_set["edit.redo"].setToolTip(f"Redo: {text} (Ctrl+Shift+Z)" if text else "Nothing to redo")

    @Slot()
    def _refresh(self) -> None:
        """Badges, Next, enabled actions and the chip: all from the state."""
        shot = self.state.snapshot
        badges = {
            "load": status.load_badge(shot),
            "check": status.check_badge(shot),
            "qa": status.qa_badge(self.state.current_run, shot.rejected_ids, shot.inputs),
        }
        badges |= self.deck.badges
        if not self.runner.running:
            badges["run"] = status.run_badge(shot)
        for step_id, badge in badges.items():
            if step_id in self._step_ids:
                self.step_bar.set_badge(step_id, badge.text, badge.status)
        index = self.deck.currentIndex()
        following = STEPS[index + 1].title if index + 1 < len(STEPS) else ""
        self.step_bar.set_next(following, self.page.next_problems, primary=self.page.next_is_primary)
        enabled = status.enabled_actions(shot, self.runner.phase, index, len(STEPS))
        for action_id, value in enabled.items():
            self.action_set[action_id].setEnabled(value)
        self.action_set["view.blink"].setEnabled(self.page.can_blink)
        self.action_set.show_paused(self.runner.phase is RunPhase.PAUSED)
        line = status.run_line(self.state.current_run, shot.inputs)
        self.run_line.setText("" if self.runner.running else line.text)
        self.run_line.setProperty("status", line.status)
        self.run_line.style().unpolish(self.run_line)
        self.run_line.style().polish(self.run_line)
        text, tip = status.in_force_text(self.state.accepted_run, shot.inputs)
        self.chip.setText(text)
        self.chip.setToolTip(tip)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, as Space does; Space pauses a run, or goes on with it.

        Keys come here when the control that has the focus does not use them.
        """
        focus = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focus, QAbstractButton) and focus.isEnabled():
            focus.click()
        elif event.key() == Qt.Key.Key_Space and self.action_set["run.pause"].isEnabled() and not event.isAutoRepeat():
            self.action_set["run.pause"].trigger()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Files may be dropped anywhere; the Load page shows what becomes of them."""
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self.add_files(paths)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._focus_page()
        self.deck.build_in_background()

    # -- closing --------------------------------------------------------------------------------------------------
    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about work that would be lost, cancel what is running, wait for it, save the layout."""
        if not self._closed:
            answer = "discard" if self._leaving else self.sessions.ask_to_save("closing")
            if answer == "save":
                self.sessions.save(self._leave)
            if answer != "discard":
                event.ignore()
                return
            self._closed = True
            self.settings.save_layout("window", self.saveGeometry())
            self.settings.save_layout("docks", self.saveState())
            self.settings.sync()
            ended = [self.runner.shutdown(), self.sessions.shutdown()]
            if not all(ended):
                logger.error("a worker did not end in time")
            self.logbook.finish()
        super().closeEvent(event)

    def _leave(self) -> None:
        """Close without another question."""
        self._leaving = True
        self.close()
