"""Whenever the saving process is killed, the file holds the old session or the new one, whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the victim is a forked process")
def test_a_killed_saving_leaves_a_whole_session() -> None:
    """20 kills here; `python -m tests.benchmarks.session_kills` does 100."""
    command = [sys.executable, "-m", "tests.benchmarks.session_kills", "--kills", "20"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["neither"] == 0 and seen["first"] + seen["second"] == 20
    assert seen["killed_while_writing"] >= 3, "the kills came between the savings: nothing was tested"
