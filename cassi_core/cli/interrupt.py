"""Ctrl-C during a run: the run is asked to stop, so that it ends at a safe point and nothing half done is written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cassi_core.run import RunControl


@contextmanager
def cancel_on_interrupt(control: RunControl) -> Iterator[None]:
    """Turn the first Ctrl-C within the block into `control.cancel()`; the second one ends the program at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: FrameType | None) -> None:
        control.cancel()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
