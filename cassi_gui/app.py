"""Starting the program: arguments, the application object, the crash log, the first window."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

# Before numpy, torch or numba is imported by anything: waiting threads must not burn the cores that the window needs.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from cassi_core import __version__
from cassi_gui.desktop.settings import APPLICATION, ORGANISATION, UiSettings
from cassi_gui.shell.crash import CrashReporter
from cassi_gui.style.icons import application_icon
from cassi_gui.style.theme import apply_theme, palette_for

logger = logging.getLogger(__name__)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Options of `cassi-gui`."""
    parser = argparse.ArgumentParser(prog="cassi-gui", description="CASSI calibration: the desktop application.")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="measurements, mask and other files; sorted by content; or a session"
    )
    parser.add_argument("--demo", action="store_true", help="open the demo rig that comes with the program")
    parser.add_argument("--theme", choices=("system", "light", "dark"), help="colours for this start only")
    parser.add_argument("--version", action="version", version=f"cassi-gui {__version__}")
    return parser.parse_args(arguments)


def make_application() -> QApplication:
    """The application object with its names, style and icon."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    app = QApplication(["cassi-gui"])
    app.setOrganizationName(ORGANISATION)
    app.setApplicationName(APPLICATION)
    app.setApplicationDisplayName("CASSI calibration")
    app.setApplicationVersion(__version__)
    app.setWindowIcon(application_icon())
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program until its window is closed; returns the exit code."""
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    app = make_application()
    settings = UiSettings()
    palette = palette_for(options.theme or settings.theme)
    apply_theme(app, palette)
    from cassi_gui.shell.main_window import MainWindow

    window = MainWindow(settings, palette)
    reporter = CrashReporter(settings.folder / "crash.log", window.dialogs, window)
    reporter.install()
    reporter.logged.connect(window.log.append)
    window.show()
    if settings.mended is not None:
        window.log.append(
            "warning", f"the settings file was damaged; it was moved to {settings.mended} and the defaults are used"
        )

    def begin() -> None:
        if options.files:
            window.add_files(options.files)
        elif options.demo:
            window.slots_.open_demo()
        else:
            window.offer_tour()

    QTimer.singleShot(0, window, lambda: window.sessions.offer_recovery(begin))
    try:
        return app.exec()
    finally:
        reporter.uninstall()
