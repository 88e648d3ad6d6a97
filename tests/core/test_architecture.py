"""Which part may import which, that torch is loaded only when it is needed, and that only the command line writes."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted((ROOT / "cassi_core").rglob("*.py"))
PACKAGES = [*CORE, *sorted((ROOT / "cassi_gui").rglob("*.py"))]

FORBIDDEN = {
    "": ("PySide6", "shiboken6", "pyqtgraph", "cassi_gui", "pytestqt"),
    "solvers": ("cassi_core.calibration", "cassi_core.io", "cassi_core.quality", "cassi_core.simulate"),
    "operators": ("cassi_core.calibration", "cassi_core.io", "cassi_core.quality", "cassi_core.simulate"),
    "io": ("cassi_core.calibration", "cassi_core.simulate"),
    # A calibration tested on data made by its own model only proves that it can invert itself.
    "simulate": ("cassi_core.geometry", "cassi_core.calibration", "cassi_core.solvers", "cassi_core.operators"),
}
"""Folder of cassi_core and what its files must not import; the empty name stands for all of them."""


def imports(path: Path) -> Iterator[str]:
    """Names of everything that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    folder = path.relative_to(ROOT / "cassi_core").parts[0]
    forbidden = FORBIDDEN[""] + FORBIDDEN.get(folder, ())
    if folder != "cli":
        forbidden += ("cassi_core.cli",)
    wrong = [name for name in imports(path) if any(name == f or name.startswith(f + ".") for f in forbidden)]
    assert wrong == []


WINDOW = sorted((ROOT / "cassi_gui").rglob("*.py"))
NUMERICS = (
    "scipy",
    "torch",
    "numba",
    "numpy.linalg",
    "numpy.fft",
    "cassi_core.solvers",
    "cassi_core.operators",
    "cassi_core.simulate",
)
"""What no file of the window imports: it asks the core."""
ROOMS = {
    "style": (),
    "plots": ("style",),
    "widgets": ("style", "plots"),
    "desktop": ("style", "plots", "widgets"),
    "run": ("style", "widgets", "desktop"),
    "session": ("style", "desktop", "run"),
    "inputs": ("style", "plots", "widgets", "desktop", "run", "session"),
    "logbook": ("desktop", "run", "session"),
    "pages": ("style", "plots", "widgets", "desktop", "run", "session", "inputs", "logbook"),
    "shell": ("style", "plots", "widgets", "desktop", "run", "session", "inputs", "logbook", "pages"),
    "app": ("style", "desktop", "shell"),
    "screenshots": ("style", "desktop", "session", "inputs", "shell", "app"),
}
"""Rooms of the window, from what knows nothing of the others upwards, and what each may import: data flows one way.

`app` stands for the files beside the rooms. Nothing imports `screenshots`.
"""


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "cassi_gui").parts
    return parts[0] if len(parts) > 1 else "app"


@pytest.mark.parametrize("path", WINDOW, ids=name_of)
def test_the_window_holds_no_numerics_and_its_rooms_point_one_way(path: Path) -> None:
    names = list(imports(path))
    assert [n for n in names if any(n == f or n.startswith(f + ".") for f in NUMERICS)] == []
    room = room_of(path)
    others = {n.split(".")[1] for n in names if n.startswith("cassi_gui.")} & ROOMS.keys()
    assert sorted(others - {room, *ROOMS[room]}) == []
    at_once = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    # The engine is imported by what runs in a worker's thread only.
    assert [n.module for n in at_once if (n.module or "").startswith("cassi_core.calibration")] == []


@pytest.mark.parametrize("path", PACKAGES, ids=name_of)
def test_no_package_prints(path: Path) -> None:
    calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
    assert [c.lineno for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"] == []


def run_python(code: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line_starts_without_torch_numba_or_scipy() -> None:
    heavy = run_python(
        "import sys\nfrom cassi_core.cli import main\nassert main(['--help']) == 0\n"
        "print('HEAVY', [m for m in ('torch', 'numba', 'scipy', 'h5py') if m in sys.modules])"
    )
    assert heavy.splitlines()[-1] == "HEAVY []"


def test_help_of_every_command_and_the_engine_need_no_torch() -> None:
    out = run_python(
        "import sys\nsys.modules['torch'] = None\n"
        "from cassi_core.cli import COMMANDS, main\n"
        "for c in COMMANDS:\n    assert main([c, '--help']) == 0, c\n"
        "import cassi_core.calibration.pipeline, cassi_core.solvers.fused_cpu, cassi_core.demo, cassi_core.quality.scenarios\n"
        "print('FINE')"
    )
    assert out.splitlines()[-1] == "FINE"
    assert "--mismatch" in out and "--scale-y" in out and "--preset" in out


def test_what_ships_is_found_and_small() -> None:
    from cassi_core.assets import asset, read_asset
    from cassi_core.errors import InputError

    assert 10_000 < len(read_asset("demo_rig.npz")) < 3_000_000
    with pytest.raises(InputError, match="install the program again"):
        asset("presets", "nobody.json")
