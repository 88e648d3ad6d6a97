"""What all tests share: a quiet environment, set before anything is imported, and the folder of the real data."""

from __future__ import annotations

import importlib.util
import os

# Before Qt, torch and numba are imported by a test: no window, no busy waiting between parallel regions, two threads.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("NUMBA_NUM_THREADS", "2")

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent


def find_data_dir() -> Path | None:
    """The folder of the real masks and snapshots: CASSI_DATA_DIR, else shared/data beside the checkout."""
    named = os.environ.get("CASSI_DATA_DIR")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if (folder / "masks").is_dir() else None


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real data; the test is skipped, and says so, where there is none."""
    folder = find_data_dir()
    if folder is None:
        pytest.skip("NO REAL DATA: set CASSI_DATA_DIR to the folder with masks/, measurements/ and scenes/")
    return folder


@pytest.fixture
def independent_simulator(data_dir: Path) -> ModuleType:
    """The simulator beside the real data, which shares no code with the program; the test is skipped, and says so, without it."""
    path = data_dir.parent / "tools" / "rig_simulator.py"
    if not path.exists():
        pytest.skip("NO INDEPENDENT SIMULATOR beside the real data")
    spec = importlib.util.spec_from_file_location("rig_simulator", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20261123)


@pytest.fixture(autouse=True)
def own_logbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reaches the logbook of the person who runs it: the user's data folder is a temporary one."""
    monkeypatch.delenv("CASSI_LOGBOOK", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "cassi-calibration" / "logbook.sqlite"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for the real data is marked as needing it."""
    for item in items:
        if "data_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real)
