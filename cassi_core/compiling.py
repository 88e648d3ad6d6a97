"""Compiled kernels made ready while whoever waits for them can still cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cassi_core.run import RunControl


def compile_with(work: Callable[[], object], control: RunControl, name: str) -> None:
    """Do work that compiles kernels, or loads them from the disk cache, in a thread of its own; what it raises is raised here.

    The first use on a machine takes some ten seconds; afterwards the compiled code lies beside the source (or in ``NUMBA_CACHE_DIR``).

    Raises
    ------
    RunCancelled
        After ``control.cancel()``; the thread goes on and is waited for by the next caller.
    """
    error: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as problem:
            error.append(problem)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
        control.checkpoint()
    if error:
        raise error[0]
