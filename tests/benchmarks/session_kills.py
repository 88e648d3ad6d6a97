"""Kills a process while it saves, again and again, and looks whether the session is whole: `python -m tests.benchmarks.session_kills`.

Two sessions that differ in every run are saved by turns over the same file; after each kill the file must hold one of them,
bit by bit. Needs `fork`, so it does not run on Windows.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from cassi_core.io.session import Session, read_session, write_session
from tests.core.session_samples import differences, maps, result, session


def two_sessions() -> tuple[Session, Session]:
    """Sessions of one run each, large enough that a good part of the time goes into writing."""
    first = session()
    run = first.runs[0]
    made = [
        replace(first, runs=(replace(run, result=result(seed, maps=maps(seed, scale=3)), note=f"{seed}"),)) for seed in (3, 4)
    ]
    return made[0], made[1]


def save_for_ever(path: Path, sessions: tuple[Session, Session]) -> None:
    """What the victim does."""
    while True:
        for one in sessions:
            write_session(one, path)


def main() -> None:
    """Print, as JSON, how the file was found after each kill."""
    parser = argparse.ArgumentParser(description="Kill a saving process at random moments.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    sessions = two_sessions()
    found = {"first": 0, "second": 0, "neither": 0}
    halves = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "victim.cassi.h5"
        start = time.perf_counter()
        write_session(sessions[0], path)
        once = time.perf_counter() - start
        for _ in range(options.kills):
            pid = os.fork()
            if pid == 0:
                save_for_ever(path, sessions)
            time.sleep(random.uniform(0.0, 2 * once))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            stored = read_session(path).session
            same = [not differences(one, stored) for one in sessions]
            found["first" if same[0] else "second" if same[1] else "neither"] += 1
            for other in path.parent.iterdir():
                if other != path:
                    halves += 1
                    other.unlink()
    print(json.dumps({"kills": options.kills, **found, "killed_while_writing": halves}))


if __name__ == "__main__":
    main()
