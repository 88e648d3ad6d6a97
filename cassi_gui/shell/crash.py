"""Errors that nobody expected: written to a local file, shown once per distinct error, never sent anywhere."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import traceback
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from PySide6.QtCore import QObject, Qt, Signal, Slot

from cassi_core import __version__
from cassi_gui.desktop.dialogs import Dialogs

MAX_BYTES = 1_000_000
OWN_LOGGERS = "cassi_gui."


class _Forwarder(logging.Handler):
    """Hands records of Python's logging to the reporter, from whichever thread; what comes with a trace is written down too."""

    def __init__(self, reporter: CrashReporter) -> None:
        super().__init__(logging.WARNING)
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None:
            self._reporter.write_down(error)
            if record.name.startswith(OWN_LOGGERS):
                return  # whoever caught it says it in the log, in better words
        level = "error" if record.levelno >= logging.ERROR else "warning"
        self._reporter.logged.emit(level, record.getMessage())


class CrashReporter(QObject):
    """Replaces `sys.excepthook` and `threading.excepthook`; emits `logged(level, text)` for the log."""

    logged = Signal(str, str)
    _occurred = Signal(str, str, str)

    def __init__(self, path: Path, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path, self._dialogs = path, dialogs
        self._shown: set[str] = set()
        self._before: tuple[Any, Any] = (sys.excepthook, threading.excepthook)
        self._fault_file: TextIO | None = None
        self._forwarder = _Forwarder(self)
        # Queued even within one thread: a dialog must not open in the middle of a paint event.
        self._occurred.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Begin to catch; also lets Python write a trace into the file when the process dies hard."""
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self.report
        threading.excepthook = self._report_thread
        logging.getLogger().addHandler(self._forwarder)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fault_file = self.path.with_name("fault.log").open("w")
            faulthandler.enable(self._fault_file)
        except OSError as error:
            self.logged.emit("warning", f"no crash log can be written to {self.path.parent}: {error}")

    def uninstall(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._before
        logging.getLogger().removeHandler(self._forwarder)
        if self._fault_file is not None:
            faulthandler.disable()
            self._fault_file.close()
            self._fault_file = None

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Write an error down and have it shown; Ctrl+C in a terminal is passed on."""
        if issubclass(kind, KeyboardInterrupt):
            self._before[0](kind, error, trace)
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        self._write(text)
        last = traceback.extract_tb(trace)[-1:] if trace is not None else []
        place = f"{last[0].filename}:{last[0].lineno}" if last else ""
        self._occurred.emit(f"{kind.__name__} {place}", f"{kind.__name__}: {error}", text)

    def write_down(self, error: BaseException) -> None:
        """Write the trace of an error into the crash log that somebody else shows."""
        self._write("".join(traceback.format_exception(error)))

    def _report_thread(self, arguments: Any) -> None:
        if arguments.exc_value is not None:
            self.report(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _write(self, text: str) -> None:
        """Append to the crash log; an old log that has grown too long is dropped."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            mode = "w" if self.path.is_file() and self.path.stat().st_size > MAX_BYTES else "a"
            with self.path.open(mode, encoding="utf-8") as stream:
                stream.write(f"--- {datetime.now():%Y-%m-%d %H:%M:%S}, version {__version__}\n{text}\n")
        except OSError as error:
            self.logged.emit("warning", f"the crash log {self.path} cannot be written: {error}")

    @Slot(str, str, str)
    def _show(self, key: str, title: str, details: str) -> None:
        self.logged.emit("error", title)
        if key in self._shown:
            return
        self._shown.add(key)
        text = f"{title}\n\nThis is a fault of the program; your inputs and runs are still here. Details are in\n{self.path}"
        self._dialogs.error("Something unexpected happened", text, details)
