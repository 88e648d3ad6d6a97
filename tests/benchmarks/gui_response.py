"""How the window behaves under load: first window, lateness of a timer during a run, cancel, memory, zooming, and the price of the window.

    python tests/benchmarks/gui_response.py [--runs 10] [--theme dark]

Prints a table of figures with the limits that they are held to. Runs the demo with the preset auto, without a screen.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtCore import QEventLoop, QObject, QSettings, Qt, QTimer, Slot

from cassi_gui.app import make_application
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.screenshots.__main__ import QuietDialogs
from cassi_gui.session.autosave import DELAY_MS
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.style.theme import palette_for

FIRST_WINDOW = """
import os, sys, time
from PySide6.QtCore import QTimer
from cassi_gui import app
from cassi_gui.shell import main_window

def shown(window):
    print(time.time() - float(sys.argv[1]), "torch" in sys.modules, flush=True)
    os._exit(0)

show = main_window.MainWindow.showEvent
main_window.MainWindow.showEvent = lambda self, event: (show(self, event), QTimer.singleShot(0, lambda: shown(self)))
app.main([])
"""
"""A program of its own: shows the window as the command does, and says when that was done."""

TIMER_MS = 20
LOOK_MS = 10


class LatenessTimer(QObject):
    """A timer of 20 ms that notes by how much each tick came later than that."""

    def __init__(self) -> None:
        super().__init__()
        self.late_ms: list[float] = []
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TIMER_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self.late_ms.clear()
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        self.late_ms.append(max(0.0, 1000 * (now - self._last) - TIMER_MS))
        self._last = now


def wait(condition: Callable[[], bool], timeout_s: float = 300.0) -> None:
    """Run the event loop as the program does, looking now and then whether the condition holds."""
    loop, look = QEventLoop(), QTimer()
    end = time.perf_counter() + timeout_s
    look.timeout.connect(lambda: loop.quit() if condition() or time.perf_counter() > end else None)
    look.start(LOOK_MS)
    if not condition():
        loop.exec()
    look.stop()
    if not condition():
        raise SystemExit("timed out")


def settle(window: MainWindow) -> None:
    """Wait until nothing is left to do, the autosave that follows a change after some seconds included."""
    end = time.perf_counter() + DELAY_MS / 1000 + 0.5
    wait(lambda: time.perf_counter() > end and window.sessions.io.idle and not window.runner.busy)


def memory_mb() -> float:
    """Resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def responsiveness(window: MainWindow) -> list[tuple[str, str, str]]:
    """A warm-up run, then one with the timer, when the copy of the first one has been written to the user's folder."""
    window.slots_.start_run()
    wait(lambda: not window.runner.running)
    settle(window)
    timer = LatenessTimer()
    timer.start()
    begin, used = time.perf_counter(), time.process_time()
    window.slots_.start_run()
    wait(lambda: not window.runner.running)
    seconds, used = time.perf_counter() - begin, time.process_time() - used
    timer.stop()
    late = np.array(timer.late_ms)
    rows = [
        ("timer lateness during a run, 99th percentile", f"{np.percentile(late, 99):.1f} ms", "50 ms"),
        ("timer lateness during a run, worst", f"{late.max():.1f} ms", "250 ms"),
    ]
    return [*rows, *price_of_the_window(window, seconds, used)]


def price_of_the_window(window: MainWindow, seconds: float, used: float) -> list[tuple[str, str, str]]:
    """The same run without a window: by the clock, and in processor time, which other programs do not falsify."""
    from cassi_core.calibration.pipeline import calibrate
    from cassi_core.run import RunControl

    shot = window.state.snapshot
    plain, used_plain = [], []
    for _ in range(2):
        begin, begin_used = time.perf_counter(), time.process_time()
        calibrate(shot.inputs, shot.config, shot.parameters, control=RunControl(), observe=None)
        plain.append(time.perf_counter() - begin)
        used_plain.append(time.process_time() - begin_used)
    rows = (("run in the window against without", seconds, min(plain)), ("the same in processor time", used, min(used_plain)))
    return [(name, f"{a:.2f} s / {b:.2f} s = {100 * (a / b - 1):+.0f} %", "+15 %") for name, a, b in rows]


def cancel_times(window: MainWindow) -> list[tuple[str, str, str]]:
    """From the request to idle, at five moments of a run."""
    took = []
    for permille in (10, 150, 350, 600, 850):
        window.slots_.start_run()
        wait(lambda p=permille: window.strip.bar.value() >= p or not window.runner.running)  # type: ignore[misc]
        begin = time.perf_counter()
        window.runner.cancel()
        wait(lambda: not window.runner.running)
        took.append(time.perf_counter() - begin)
    return [("cancel to idle, worst of five moments", f"{1000 * max(took):.0f} ms", "500 ms")]


def memory_growth(window: MainWindow, runs: int) -> list[tuple[str, str, str]]:
    """Resident memory after many runs against after the third (the history keeps the maps of the last ones)."""
    for _ in range(3):
        window.slots_.start_run()
        wait(lambda: not window.runner.running)
    begin = memory_mb()
    for _ in range(runs):
        window.slots_.start_run()
        wait(lambda: not window.runner.running)
    return [(f"memory growth over {runs} runs", f"{memory_mb() - begin:+.1f} MB", "50 MB")]


def zoom_rate() -> list[tuple[str, str, str]]:
    """Frames per second while a 2048 x 2048 picture is panned and zoomed."""
    from cassi_gui.plots.image_panel import ImagePanel

    rng = np.random.default_rng(1)
    panel = ImagePanel("large", "Large")
    panel.resize(1200, 800)
    panel.show()
    panel.set_image((rng.random((2048, 2048)) > 0.5).astype(np.float32))
    frames = 60
    for i in range(frames + 5):
        if i == 5:
            begin = time.perf_counter()
        panel.view.scaleBy((0.97, 0.97) if i % 2 else (1.02, 1.02))
        panel.view.translateBy(x=8.0 if i % 4 < 2 else -8.0, y=3.0)
        panel.graphics.viewport().repaint()
    rate = frames / (time.perf_counter() - begin)
    panel.close()
    return [("2048 x 2048 picture panned and zoomed", f"{rate:.0f} frames/s", "20 frames/s")]


def first_window(folder: str) -> list[tuple[str, str, str]]:
    """From the start of Python to the window with everything that it does in the same round of its event loop, best of three."""
    took = []
    for _ in range(3):
        command = [sys.executable, "-c", FIRST_WINDOW, str(time.time())]
        root = str(Path(__file__).resolve().parents[2])
        environment = os.environ | {"XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder, "PYTHONPATH": root}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seconds, torch = done.stdout.split()
        if torch == "True":
            raise SystemExit("torch was imported before the first window")
        took.append(float(seconds))
    return [("start to first window", f"{min(took):.2f} s", "2 s")]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Figures of the window under load.")
    parser.add_argument("--runs", type=int, default=10, help="runs for the growth of memory")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_application()
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        settings = UiSettings()
        settings.theme = options.theme
        window = MainWindow(settings, palette_for(options.theme), dialogs=QuietDialogs(settings))
        window.show()
        window.deck.build_all()
        window.slots_.open_demo()
        wait(lambda: window.state.inputs is not None and not window.runner.busy)
        rows = [
            *first_window(folder),
            *responsiveness(window),
            *cancel_times(window),
            *zoom_rate(),
            *memory_growth(window, options.runs),
        ]
        window.close()
    width = max(len(r[0]) for r in rows)
    for name, value, limit in rows:
        print(f"{name:<{width}}  {value:>28}  limit {limit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
