"""A file is there whole or not at all, and nothing is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cassi_core.errors import OutputError
from cassi_core.io import atomic
from cassi_core.io.atomic import atomic_path, atomic_write, check_writable


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_bytes_are_written_and_replace_the_old_file(tmp_path: Path):
    path = tmp_path / "a.json"
    assert atomic_write(path, b"old") == path
    atomic_write(path, b"new content")
    assert path.read_bytes() == b"new content"
    assert names_in(tmp_path) == ["a.json"]


def test_the_absolute_path_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert atomic_write("a.txt", b"x") == tmp_path / "a.txt"


def test_the_temporary_file_has_the_same_suffix_in_the_same_folder(tmp_path: Path):
    """Libraries choose their format by the suffix; a rename is only atomic within a folder."""
    with atomic_path(tmp_path / "a.cassi.h5") as temporary:
        assert temporary.parent == tmp_path and temporary.name.endswith(".a.cassi.h5") and temporary.name != "a.cassi.h5"
        temporary.write_bytes(b"x")
        assert not (tmp_path / "a.cassi.h5").exists()
    assert names_in(tmp_path) == ["a.cassi.h5"]


def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "a.txt"
    atomic_write(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old" and names_in(tmp_path) == ["a.txt"]


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.txt"
    atomic_write(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OutputError, match=r"a\.txt: the file could not be written \(No space left on device\)"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old" and names_in(tmp_path) == ["a.txt"]


def test_places_that_cannot_be_written_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(OutputError, match=r"the folder .*none does not exist"):
        atomic_write(tmp_path / "none" / "a.txt", b"x")
    with pytest.raises(OutputError, match="this is a folder"):
        atomic_write(tmp_path, b"x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="is not a folder"):
        atomic_write(tmp_path / "file" / "a.txt", b"x")
    monkeypatch.setattr(atomic.os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="may not be written"):
        check_writable(tmp_path / "a.txt")
    assert names_in(tmp_path) == ["file"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_a_folder_without_write_permission_is_told(tmp_path: Path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="may not be written"):
        atomic_write(folder / "a.txt", b"x")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the savers are forked")
def test_a_process_killed_while_saving_leaves_the_old_or_the_new_file(tmp_path: Path):
    """Calibration, exports, reconstruction and reports; the program that kills asserts that every file is whole."""
    script = Path(__file__).resolve().parents[1] / "kill_while_saving.py"
    command = [sys.executable, str(script), str(tmp_path), "21", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["kills"] == 21 and said["in_progress"] >= 3, "some were hit in the middle of a save"
    assert max(said["versions"].values()) > 0, "some had finished one"


def litter(path: Path, process: int, host: str | None = None) -> Path:
    """A temporary file that a process left of a path."""
    left = path.with_name(f".{host or atomic._host()}-{process:x}-0123abcd.{path.name}")
    left.write_bytes(b"half")
    return left


@pytest.mark.skipif(os.name == "nt", reason="processes cannot be asked there")
def test_what_a_killed_process_left_is_removed_by_the_next_save_of_the_file(tmp_path: Path):
    path = tmp_path / "a.h5"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    litter(path, gone.pid)
    others = litter(tmp_path / "b.a.h5", gone.pid), litter(path, os.getppid()), litter(path, gone.pid, "00000000")
    (tmp_path / ".hidden.a.h5").write_bytes(b"a person's")
    atomic_write(path, b"new")
    kept = {"a.h5", ".hidden.a.h5", *(p.name for p in others)}
    assert set(names_in(tmp_path)) == kept, "another file's, a running process's and a young one of another computer stay"
    os.utime(others[2], (time.time() - 2 * atomic.ABANDONED_S,) * 2)
    atomic_write(path, b"newer")
    assert set(names_in(tmp_path)) == kept - {others[2].name}
    assert path.read_bytes() == b"newer"
