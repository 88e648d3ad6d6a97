"""What happens when an action is triggered: the slots that the table of actions names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot

from cassi_core.formatting import format_duration
from cassi_core.parameters import ParameterSet
from cassi_gui.run.controller import RunPhase
from cassi_gui.session import commands
from cassi_gui.session.state import FileSelection
from cassi_gui.shell.about import about_text, shortcut_rows

if TYPE_CHECKING:
    from cassi_gui.shell.main_window import MainWindow

ASK_AFTER_S = 10.0
"""A run that has gone on for so long is not thrown away by one slip of a finger."""
PICTURE_KEYS = (
    "In pictures: arrows move a cross (Shift: ten pixels), Enter picks the point under it, + and - zoom, 0 shows everything. "
    "On the Check page, with Move the mask ticked, Ctrl and arrows move the mask by 1 px, with Shift by 0.1 px."
)


class WindowActions(QObject):
    """Slots of the action table, one per `ActionSpec.slot`."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._state, self._runner, self._dialogs = window.state, window.runner, window.dialogs

    # -- File -----------------------------------------------------------------------------------------------------
    @Slot()
    def open_demo(self) -> None:
        """Load the demo rig in place of the present files."""
        commands.edit(self._state, "Open the demo", files=FileSelection(demo=True))
        self._window.show_page("load")

    @Slot()
    def open_files(self) -> None:
        paths = self._dialogs.open_files("any", "Open measurement, mask and other files", kind="image")
        if paths:
            self._window.add_files(paths)

    @Slot()
    def clear_session(self) -> None:
        """Start anew; asked about when something would be lost."""
        self._window.sessions.new()

    @Slot()
    def open_session(self) -> None:
        self._window.sessions.open()

    @Slot()
    def save_session(self) -> None:
        self._window.sessions.save()

    @Slot()
    def save_session_as(self) -> None:
        self._window.sessions.save_as()

    @Slot()
    def close(self) -> None:
        self._window.close()

    # -- Edit -----------------------------------------------------------------------------------------------------
    @Slot()
    def undo(self) -> None:
        self._state.undo_stack.undo()

    @Slot()
    def redo(self) -> None:
        self._state.undo_stack.redo()

    @Slot()
    def reset_parameters(self) -> None:
        """Nominal values and bounds; what is refined stays as chosen."""
        commands.set_parameters(self._state, ParameterSet.default(self._state.parameters.refined), "Reset parameters")

    @Slot()
    def clear_points(self) -> None:
        commands.clear_points(self._state)

    # -- Go -------------------------------------------------------------------------------------------------------
    @Slot()
    def go_calibrate(self) -> None:
        self._window.show_place("calibrate")

    @Slot()
    def go_load(self) -> None:
        self._window.show_page("load")

    @Slot()
    def go_check(self) -> None:
        self._window.show_page("check")

    @Slot()
    def go_run(self) -> None:
        self._window.show_page("run")

    @Slot()
    def go_qa(self) -> None:
        self._window.show_page("qa")

    @Slot()
    def go_export(self) -> None:
        self._window.show_page("export")

    @Slot()
    def go_verify(self) -> None:
        self._window.show_page("verify")

    @Slot()
    def go_logbook(self) -> None:
        self._window.show_page("logbook")

    @Slot()
    def go_next(self) -> None:
        self._window.go_by(1)

    @Slot()
    def go_back(self) -> None:
        self._window.go_by(-1)

    # -- Run ------------------------------------------------------------------------------------------------------
    @Slot()
    def start_run(self) -> None:
        """Run with the present settings; says why when it cannot."""
        shot = self._state.snapshot
        if self._runner.running:
            return
        if shot.inputs is None:
            self._dialogs.inform("Nothing to run yet", "; ".join(self._window.load_page.next_problems) + ".")
            self._window.show_page("load")
        elif not shot.parameters.refined:
            self._dialogs.inform("Nothing to refine", "Tick at least one parameter in the table of the Run page.")
            self._window.show_page("run")
        else:
            self._window.show_page("run")
            self._window.run_page.start_run()

    @Slot()
    def toggle_pause(self) -> None:
        if self._runner.phase is RunPhase.PAUSED:
            self._runner.resume()
        else:
            self._runner.pause()

    @Slot()
    def finish_run(self) -> None:
        self._runner.finish_early()

    @Slot()
    def cancel_run(self) -> None:
        """End the run without a result; a run that has cost time is asked about."""
        gone = self._runner.elapsed_s
        text = (
            f"It has run for {format_duration(gone)}. Cancelling keeps nothing of it; Stop and keep best keeps the best so far."
        )
        if gone < ASK_AFTER_S or self._dialogs.confirm("Cancel the run?", text, yes="Cancel run", no="Go on searching"):
            self._runner.cancel()

    # -- Result ---------------------------------------------------------------------------------------------------
    @Slot()
    def accept_run(self) -> None:
        self._window.show_page("qa")
        self._window.qa_page.accept_current()

    @Slot()
    def reject_run(self) -> None:
        self._window.show_page("qa")
        self._window.qa_page.reject_current()

    # -- View -----------------------------------------------------------------------------------------------------
    @Slot()
    def toggle_blink(self) -> None:
        self._window.page.toggle_blink()

    @Slot()
    def toggle_log(self) -> None:
        dock = self._window.log_dock
        dock.setVisible(not dock.isVisible())

    @Slot()
    def toggle_full_screen(self) -> None:
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    @Slot()
    def theme_system(self) -> None:
        self._window.choose_theme("system")

    @Slot()
    def theme_light(self) -> None:
        self._window.choose_theme("light")

    @Slot()
    def theme_dark(self) -> None:
        self._window.choose_theme("dark")

    @Slot()
    def reset_layout(self) -> None:
        self._window.reset_layout()

    # -- Help -----------------------------------------------------------------------------------------------------
    @Slot()
    def show_help(self) -> None:
        """Help of the page on show, followed by the shortcuts."""
        page = self._window.page
        rows = "".join(f"<tr><td><b>{keys}</b>&nbsp;&nbsp;</td><td>{text}</td></tr>" for _, text, keys in shortcut_rows())
        html = f"{page.help_html}<h3>Shortcuts</h3><table>{rows}</table><p>{PICTURE_KEYS}</p>"
        self._dialogs.show_html(f"Help: {page.title}", html)

    @Slot()
    def show_tour(self) -> None:
        self._window.tour.begin()

    @Slot()
    def show_shortcuts(self) -> None:
        self._dialogs.show_table("Keyboard shortcuts", ("Menu", "Action", "Keys"), shortcut_rows(), PICTURE_KEYS)

    @Slot()
    def show_crash_log(self) -> None:
        path = self._window.settings.folder / "crash.log"
        there = "It holds errors." if path.is_file() else "It does not exist: no error has been met."
        self._dialogs.show_text("Crash log", f"Errors of the program are written to\n{path}\n\n{there}")

    @Slot()
    def show_about(self) -> None:
        self._dialogs.show_text("About", about_text())
