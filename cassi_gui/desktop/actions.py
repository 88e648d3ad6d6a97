"""Everything that can be triggered, as one table; menus, buttons and the overview of shortcuts are made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import Palette

MENUS = ("File", "Edit", "Go", "Run", "Result", "View", "Help")


@dataclass(frozen=True)
class ActionSpec:
    """One action: identifier, text, shortcuts (space-separated), icon, and the method of the main window that it calls."""

    id: str
    text: str
    menu: str
    slot: str
    tip: str
    shortcut: str = ""
    icon: str = ""
    checkable: bool = False
    group: str = ""
    separator: bool = False
    """A line above the entry in its menu."""


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "file.demo", "Open demo", "File", "open_demo", "Load the demo rig that comes with the program", "Ctrl+D", "demo"
    ),
    ActionSpec("file.open", "Open files …", "File", "open_files", "Choose measurement, mask and other files", "Ctrl+O", "open"),
    ActionSpec(
        "file.new",
        "New session",
        "File",
        "clear_session",
        "Start anew: no inputs, runs and points",
        "Ctrl+N",
        "clear",
        separator=True,
    ),
    ActionSpec(
        "file.open_session",
        "Open session …",
        "File",
        "open_session",
        "Inputs, settings and all runs of an earlier time",
        "Ctrl+Shift+O",
        "folder",
    ),
    ActionSpec(
        "file.save", "Save session", "File", "save_session", "Keep inputs, settings and all runs in a file", "Ctrl+S", "save"
    ),
    ActionSpec(
        "file.save_as", "Save session as …", "File", "save_session_as", "Keep the session in another file", "Ctrl+Shift+S"
    ),
    ActionSpec(
        "file.export", "Export …", "File", "go_export", "Go to the page that writes files", "Ctrl+E", "export", separator=True
    ),
    ActionSpec("file.quit", "Quit", "File", "close", "Close the window; a run is cancelled", "Ctrl+Q", "quit", separator=True),
    ActionSpec("edit.undo", "Undo", "Edit", "undo", "Take the last edit back", "Ctrl+Z", "undo"),
    ActionSpec("edit.redo", "Redo", "Edit", "redo", "Do the edit again", "Ctrl+Shift+Z Ctrl+Y", "redo"),
    ActionSpec(
        "edit.reset_parameters",
        "Reset parameters",
        "Edit",
        "reset_parameters",
        "All parameters to their nominal values, bounds and choice of what is refined",
        icon="reset",
        separator=True,
    ),
    ActionSpec(
        "edit.clear_points", "Remove picked points", "Edit", "clear_points", "Remove all points whose spectra are shown"
    ),
    ActionSpec(
        "go.calibrate", "Calibrate", "Go", "go_calibrate", "From the camera's picture to a calibration", "Ctrl+1", "calibrate"
    ),
    ActionSpec(
        "go.verify",
        "Verify",
        "Go",
        "go_verify",
        "Is an earlier calibration still right for today's picture?",
        "Ctrl+2",
        "verify",
    ),
    ActionSpec(
        "go.logbook", "Logbook", "Go", "go_logbook", "Accepted calibrations of your rigs, and their drift", "Ctrl+5", "logbook"
    ),
    ActionSpec("go.load", "Load", "Go", "go_load", "Step 1: choose the files", "Alt+1", "load", separator=True),
    ActionSpec("go.check", "Check", "Go", "go_check", "Step 2: look at the inputs", "Alt+2", "check"),
    ActionSpec("go.run", "Run", "Go", "go_run", "Step 3: settings and the run", "Alt+3", "run"),
    ActionSpec("go.qa", "QA", "Go", "go_qa", "Step 4: why to believe the result", "Alt+4", "qa"),
    ActionSpec("go.export", "Export", "Go", "go_export", "Step 5: write files", "Alt+5", "export"),
    ActionSpec("go.next", "Next step", "Go", "go_next", "The next step", "Alt+Right Ctrl+PgDown", "next", separator=True),
    ActionSpec("go.back", "Previous step", "Go", "go_back", "The previous step", "Alt+Left Ctrl+PgUp", "back"),
    ActionSpec("run.start", "Run calibration", "Run", "start_run", "Start with the present settings", "F5 Ctrl+R", "run"),
    ActionSpec(
        "run.pause", "Pause", "Run", "toggle_pause", "Pause the run, or go on with it; Space does it too", "Ctrl+P", "pause"
    ),
    ActionSpec(
        "run.finish", "Stop and keep best", "Run", "finish_run", "End the search and keep the best so far", "Ctrl+K", "finish"
    ),
    ActionSpec("run.cancel", "Cancel run", "Run", "cancel_run", "End the run without a result", "Esc Ctrl+.", "cancel"),
    ActionSpec(
        "qa.accept", "Accept …", "Result", "accept_run", "Make the shown run the calibration in force", "Ctrl+Return", "accept"
    ),
    ActionSpec(
        "qa.reject", "Reject …", "Result", "reject_run", "Mark the shown run as rejected", "Ctrl+Shift+Return", "reject"
    ),
    ActionSpec(
        "view.blink",
        "Blink",
        "View",
        "toggle_blink",
        "Mask on and off (Check), before and after (QA)",
        "B",
        "blink",
    ),
    ActionSpec("view.log", "Log", "View", "toggle_log", "Show or hide the log", "Ctrl+L", "log", checkable=True),
    ActionSpec(
        "view.theme_system",
        "Theme of the system",
        "View",
        "theme_system",
        "Light or dark as the desktop is",
        checkable=True,
        group="theme",
        separator=True,
    ),
    ActionSpec("view.theme_light", "Light theme", "View", "theme_light", "Light colours", checkable=True, group="theme"),
    ActionSpec("view.theme_dark", "Dark theme", "View", "theme_dark", "Dark colours", checkable=True, group="theme"),
    ActionSpec("view.full_screen", "Full screen", "View", "toggle_full_screen", "The whole screen", "F11", separator=True),
    ActionSpec("view.reset_layout", "Reset layout", "View", "reset_layout", "Sizes and docks as at the first start"),
    ActionSpec("help.page", "Help for this page", "Help", "show_help", "What this page is for", "F1", "help"),
    ActionSpec("help.tour", "Five-step tour", "Help", "show_tour", "What the five steps are for, in a minute"),
    ActionSpec(
        "help.shortcuts", "Keyboard shortcuts", "Help", "show_shortcuts", "List of all shortcuts", "Ctrl+F1", "keyboard"
    ),
    ActionSpec(
        "help.crash_log", "Where is the crash log?", "Help", "show_crash_log", "Path of the file that errors are written to"
    ),
    ActionSpec("help.about", "About", "Help", "show_about", "Versions and devices", icon="about", separator=True),
)


class Actions(QObject):
    """The table as live `QAction` objects: `actions["run.start"]`."""

    def __init__(self, palette: Palette, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in ACTIONS:
            action = QAction(spec.text, self)
            action.setObjectName(f"action.{spec.id}")
            action.setShortcuts([QKeySequence(s) for s in spec.shortcut.split()])
            action.setToolTip(tip_with_shortcut(spec))
            action.setStatusTip(spec.tip)
            action.setCheckable(spec.checkable)
            if spec.group:
                if spec.group not in groups:
                    groups[spec.group] = QActionGroup(self)
                groups[spec.group].addAction(action)
            self._actions[spec.id] = action
        self._palette, self._palette_name = palette, ""
        self._paused = False
        self.set_palette(palette)

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def __iter__(self) -> Iterator[tuple[ActionSpec, QAction]]:
        return ((spec, self._actions[spec.id]) for spec in ACTIONS)

    def show_paused(self, paused: bool) -> None:
        """The action that pauses a run goes on with it while it is paused: word and icon say which."""
        if paused != self._paused:
            self._paused = paused
            self._draw_pause()

    def _draw_pause(self) -> None:
        self["run.pause"].setText("Resume" if self._paused else "Pause")
        self["run.pause"].setIcon(make_icon("run" if self._paused else "pause", self._palette))

    def connect_to(self, target: QObject) -> None:
        """Connect every action to the method of `target` that the table names."""
        for spec, action in self:
            action.triggered.connect(getattr(target, spec.slot))

    def set_palette(self, palette: Palette) -> None:
        """Draw the icons in the colours of a palette."""
        if palette.name == self._palette_name:
            return
        self._palette, self._palette_name = palette, palette.name
        for spec, action in self:
            if spec.icon:
                action.setIcon(make_icon(spec.icon, palette))
        self._draw_pause()


def tip_with_shortcut(spec: ActionSpec) -> str:
    """The tip with its first shortcut, as shown by buttons."""
    return f"{spec.tip} ({spec.shortcut.split()[0]})" if spec.shortcut else spec.tip
