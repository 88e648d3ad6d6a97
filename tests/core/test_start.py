"""start.py: what it does for each way of calling it, without installing anything here."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """start.py with an environment folder of its own, and every command recorded instead of run."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.calls = []
    module.codes = []

    def call(command: list[str], **options: object) -> int:
        module.calls.append(([str(c) for c in command], options))
        return module.codes.pop(0) if module.codes else 0

    def create(folder: str, **_: object) -> None:
        python = Path(folder) / module.VENV_PYTHON.relative_to(module.VENV)
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    monkeypatch.setattr(module.subprocess, "call", call)
    monkeypatch.setattr(module.venv, "create", create)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    relative = module.VENV_PYTHON.relative_to(module.VENV)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "VENV_PYTHON", tmp_path / ".venv" / relative)
    return module


def modules(start: ModuleType) -> list[list[str]]:
    """What was started with -m, without the interpreter."""
    return [command[2:] for command, _ in start.calls if command[1] == "-m"]


def test_it_is_short_and_uses_the_standard_library_only() -> None:
    text = (ROOT / "start.py").read_text(encoding="utf-8")
    assert text.count("\n") < 120
    tree = ast.parse(text, feature_version=(3, 7))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert {n.split(".")[0] for n in names} <= sys.stdlib_module_names


def test_the_second_start_installs_nothing(start: ModuleType) -> None:
    assert start.main(["cassi", "demo"]) == 0
    first = modules(start)
    assert first[0][:2] == ["pip", "install"] and "-c" in first[0]
    assert first[-1] == ["cassi_core.cli", "demo"]
    start.calls.clear()
    assert start.main(["cassi", "check", "x.npz"]) == 0
    assert modules(start) == [["cassi_core.cli", "check", "x.npz"]]
    with (start.ROOT / "constraints.txt").open("a") as stream:
        stream.write("# changed\n")
    start.calls.clear()
    start.main(["cassi"])
    assert modules(start)[0][:2] == ["pip", "install"]


def test_a_failed_installation_is_not_taken_for_a_finished_one(start: ModuleType) -> None:
    start.codes = [1]
    with pytest.raises(SystemExit) as stop:
        start.main(["cassi", "demo"])
    assert stop.value.code == 1
    start.calls.clear()
    start.main(["cassi", "demo"])
    assert modules(start)[0][:2] == ["pip", "install"]


def test_a_python_without_venv_says_what_to_install(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(folder: str, **_: object) -> None:
        raise start.subprocess.CalledProcessError(1, "ensurepip")

    monkeypatch.setattr(start.venv, "create", broken)
    with pytest.raises(SystemExit):
        start.main(["cassi", "demo"])
    assert "apt install python3-venv" in capsys.readouterr().err


def test_without_a_screen_it_says_so_names_the_command_and_runs_the_demo(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gui = start.ROOT / "cassi_gui"
    gui.mkdir()
    (gui / "__main__.py").touch()
    monkeypatch.setattr(start, "has_screen", lambda: False)
    start.main([])
    assert modules(start)[-1] == ["cassi_core.cli", "demo"]
    assert "python3 start.py cassi demo" in capsys.readouterr().err
    monkeypatch.setattr(start, "has_screen", lambda: True)
    start.main([])
    assert modules(start)[-1] == ["cassi_gui", "--demo"]


def test_tests_run_in_the_checkout_and_commands_where_the_user_stands(start: ModuleType) -> None:
    start.codes = [0, 0, 5]
    assert start.main(["test", "-q"]) == 5
    command, options = start.calls[-1]
    assert command[1:] == ["-m", "pytest", "-q"] and options["cwd"] == str(start.ROOT)
    start.main(["cassi", "demo"])
    _, options = start.calls[-1]
    assert options["cwd"] is None
    assert options["env"]["PYTHONPATH"].split(os.pathsep)[0] == str(start.ROOT)
    assert options["env"]["OMP_WAIT_POLICY"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a screen")
def test_what_counts_as_a_screen(start: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not start.has_screen()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert start.has_screen()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert not start.has_screen()


def test_an_unknown_word_shows_the_help(start: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["calibrate"]) == 2
    assert start.main(["--help"]) == 0
    assert start.calls == []
    assert "start.py cassi ARGS" in capsys.readouterr().out


def test_an_old_python_hands_over_or_says_what_it_needs(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start.sys, "version_info", (3, 8, 1))
    monkeypatch.setattr(start.shutil, "which", lambda name: "/usr/bin/python3.12" if name == "python3.12" else None)
    monkeypatch.setattr(start.os, "name", "posix")
    start.main(["cassi", "demo"])
    assert start.calls[-1][0] == ["python3.12", str(start.ROOT / "start.py"), "cassi", "demo"]
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit):
        start.main(["cassi", "demo"])
    assert "Python 3.11 or newer is needed, this is 3.8.1" in capsys.readouterr().err
