"""Pictures of every page, made by the program itself: `python -m cassi_gui.screenshots OUT [--theme light|dark] [--size WxH]`.

Each page is rendered empty, in the middle of a run of the demo, and with the finished run; QA also with a mask that is not found and with a
search that was stopped; the logbook empty, with the accepted run, and
with a made-up rig that drifts. No screen is needed.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

# No window is opened unless somebody asks for one by setting the platform.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from cassi_core.assets import asset
from cassi_core.config import DEFAULT_REFINE
from cassi_core.logbook.location import VARIABLE
from cassi_core.parameters import ParameterSet
from cassi_gui.app import make_application
from cassi_gui.desktop.dialogs import Dialogs, SaveAnswer
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.inputs.verifying import choice_of_run
from cassi_gui.screenshots.made_up_logbook import RIG, fill
from cassi_gui.session.state import FileSelection
from cassi_gui.shell.main_window import STEPS, MainWindow
from cassi_gui.style.theme import apply_theme, palette_for

logger = logging.getLogger(__name__)

SETTLE_S = 0.4
LOAD_TIMEOUT_S = 60.0
RUN_TIMEOUT_S = 600.0
MID_RUN = 350
"""The pictures of a running calibration are taken when its bar (0..1000) has come this far."""

VERIFY_PICTURES = 2
"""Empty, and a calibration that holds."""
LOGBOOK_PICTURES = 5
"""Empty, one entry, trends that drift, an entry, limits."""
QA_PICTURES = 2
"""A mask that is not found, a search that was stopped."""
STOP_AT = 20
"""A search is stopped when its bar (0..1000) has come this far: inside its first grid."""


class QuietDialogs(Dialogs):
    """Says on the log what a dialog would say: nobody is there to answer."""

    def error(self, title: str, text: str, details: str = "") -> None:
        logger.error("%s: %s", title, text)

    def ask_save(self, title: str, text: str) -> SaveAnswer:
        return "discard"

    def inform(self, title: str, text: str) -> None:
        logger.warning("%s: %s", title, text)


class Photographer:
    """Drives a window as a person would and saves what is seen."""

    def __init__(self, window: MainWindow, out: Path) -> None:
        self.window, self.out = window, out
        self.files: list[Path] = []

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Let the window live until the condition holds; False when it did not in time."""
        end = time.perf_counter() + timeout_s
        while not condition() and time.perf_counter() < end:
            QApplication.processEvents()
            time.sleep(0.005)
        return condition()

    def settle(self, seconds: float = SETTLE_S) -> None:
        """Let the window live for a moment."""
        self.wait(lambda: False, seconds)

    def take(self, name: str) -> None:
        """Save every page of the way under `PAGE-name.png`."""
        for step in STEPS:
            self.take_page(step.id, name)

    def take_page(self, page_id: str, name: str) -> None:
        """Save one page."""
        self.window.show_page(page_id)
        self.settle()
        path = self.out / f"{page_id}-{name}.png"
        self.window.grab().save(str(path))
        self.files.append(path)


def render(out: Path, theme: str = "light", size: tuple[int, int] = (1280, 720)) -> list[Path]:
    """Write all pictures into a folder and return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    app = make_application()
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        os.environ[VARIABLE] = str(Path(folder) / "logbook.sqlite")
        settings = UiSettings()
        settings.theme = theme
        palette = palette_for(theme)
        apply_theme(app, palette)
        window = MainWindow(settings, palette, dialogs=QuietDialogs(settings))
        window.resize(*size)
        window.show()
        photographer = Photographer(window, out)
        try:
            _session(window, photographer)
        finally:
            window.close()
            window.deleteLater()
            QApplication.processEvents()
            del os.environ[VARIABLE]
    return photographer.files


def _session(window: MainWindow, photographer: Photographer) -> None:
    """Empty, demo loaded and running, finished."""
    window.deck.build_all()
    photographer.settle()
    photographer.take("empty")
    photographer.take_page("logbook", "empty")
    window.slots_.open_demo()
    if not photographer.wait(lambda: window.state.inputs is not None, LOAD_TIMEOUT_S):
        logger.error("the demo did not load: %s", window.state.snapshot.load_problem)
        return
    # The findings belong to the pictures; a run that begins cuts their search short.
    photographer.wait(lambda: not window.runner.busy, LOAD_TIMEOUT_S)
    photographer.settle()
    window.slots_.start_run()
    photographer.wait(lambda: window.strip.bar.value() >= MID_RUN or not window.runner.running, RUN_TIMEOUT_S)
    window.runner.pause()
    photographer.take("running")
    window.runner.resume()
    if not photographer.wait(lambda: not window.runner.running, RUN_TIMEOUT_S):
        logger.error("the run did not end in time")
        return
    photographer.settle()
    window.show_page("qa")
    photographer.wait(lambda: not window.runner.busy, LOAD_TIMEOUT_S)
    window.qa_page.accept_current()
    photographer.take("done")
    _verified(window, photographer)
    _logbooks(window, photographer)
    _failures(window, photographer)


def _verified(window: MainWindow, photographer: Photographer) -> None:
    """Verify empty, and with the accepted run beside the picture that it was made with."""
    photographer.take_page("verify", "empty")
    accepted = window.state.accepted_run
    if accepted is None:
        return
    picture = FileSelection(measurements=(str(asset("demo_rig.npz")),))
    window.verify_page.give(choice_of_run(accepted, window.logbook.entry_of(accepted.uid)), picture)
    photographer.wait(lambda: not window.runner.busy, LOAD_TIMEOUT_S)
    photographer.take_page("verify", "holds")


def _failures(window: MainWindow, photographer: Photographer) -> None:
    """QA with the mask the wrong way round, then with a search that was stopped inside its first grid."""
    state = window.state
    state.replace(files=replace(state.snapshot.files, mask_turn=(True, 0)))
    photographer.wait(lambda: state.inputs is None, SETTLE_S)
    _run(window, photographer)
    photographer.take_page("qa", "fail")
    state.replace(
        files=replace(state.snapshot.files, mask_turn=(False, 0)),
        config=state.config.model_copy(update={"preset": "reference"}),
        parameters=ParameterSet.default(DEFAULT_REFINE["reference"]),
    )
    photographer.wait(lambda: state.inputs is None, SETTLE_S)
    _run(window, photographer, stop_at=STOP_AT)
    photographer.take_page("qa", "not-finished")


def _run(window: MainWindow, photographer: Photographer, *, stop_at: int | None = None) -> None:
    """Run when the inputs are there; stop and keep the best where the bar has come to `stop_at`."""
    photographer.wait(lambda: window.state.inputs is not None and not window.runner.busy, LOAD_TIMEOUT_S)
    window.slots_.start_run()
    if stop_at is not None:
        photographer.wait(lambda: window.strip.bar.value() >= stop_at or not window.runner.running, RUN_TIMEOUT_S)
        window.runner.finish_early()
    photographer.wait(lambda: not window.runner.running, RUN_TIMEOUT_S)
    window.show_page("qa")
    photographer.settle()
    photographer.wait(lambda: not window.runner.busy, LOAD_TIMEOUT_S)


def _logbooks(window: MainWindow, photographer: Photographer) -> None:
    """The logbook with the one run that was accepted, then with a rig that drifts: its trends, an entry, its limits."""
    photographer.take_page("logbook", "one")
    fill(window.logbook.path)
    page = window.logbook_page
    window.logbook.refresh()
    photographer.wait(lambda: len(window.logbook.view.contents.entries) > 1, LOAD_TIMEOUT_S)
    page.filter.rig.setCurrentText(RIG)
    photographer.take_page("logbook", "drift")
    page.table.select_entry(page.table.entries_model.entry(0).id)
    for index, name in ((1, "entry"), (2, "limits")):
        page.tabs.setCurrentIndex(index)
        photographer.take_page("logbook", name)


def _size(text: str) -> tuple[int, int]:
    width, mark, height = text.lower().partition("x")
    if not mark or not width.isdigit() or not height.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is no size; write it as 1280x720")
    return int(width), int(height)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog="python -m cassi_gui.screenshots", description="Pictures of every page.")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--size", type=_size, default=(1280, 720), metavar="WxH", help="size of the window in pixels")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.WARNING)
    files = render(options.out, options.theme, options.size)
    sys.stdout.write("".join(f"{path}\n" for path in files))
    return 0 if len(files) == 3 * len(STEPS) + LOGBOOK_PICTURES + QA_PICTURES + VERIFY_PICTURES else 1


if __name__ == "__main__":
    sys.exit(main())
