"""Inputs that are not in the session are found again by their content, or it is said which is missing."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from session_samples import session

from cassi_core.io.session import is_same, locate, read_session, relocated, with_path, write_session
from cassi_core.io.session.references import ROLES
from cassi_core.session import FileSelection


@pytest.fixture
def rig(tmp_path: Path) -> tuple[Path, FileSelection]:
    """A folder with two snapshots, a mask and a dark frame, and the selection of them."""
    folder = tmp_path / "rig"
    folder.mkdir()
    for i, name in enumerate(("a.npy", "b.npy", "mask.npy", "dark.npy")):
        np.save(folder / name, np.full((3, 4), i))
    a, b, mask, dark = (str(folder / n) for n in ("a.npy", "b.npy", "mask.npy", "dark.npy"))
    return folder, FileSelection((a, f"{b}::meas"), mask, dark)


def saved(rig: tuple[Path, FileSelection], tmp_path: Path) -> Path:
    folder = tmp_path / "sessions"
    folder.mkdir(exist_ok=True)
    return write_session(session(files=rig[1], inputs=None), folder / "s.cassi.h5")


def test_files_that_stay_are_found_as_they_were_named(rig: tuple[Path, FileSelection], tmp_path: Path) -> None:
    stored = read_session(saved(rig, tmp_path))
    assert [r.role for r in stored.references] == ["measurement", "measurement", "mask", "dark frame"]
    assert all(len(r.sha256) == 64 for r in stored.references)
    found = locate(stored.session.files, stored.references, tmp_path)
    assert found.files == rig[1] and found.lost == ()


def test_files_that_moved_beside_the_session_are_found(rig: tuple[Path, FileSelection], tmp_path: Path) -> None:
    path = saved(rig, tmp_path)
    for name in ("b.npy", "dark.npy"):
        (rig[0] / name).rename(path.parent / name)
    stored = read_session(path)
    found = locate(stored.session.files, stored.references, path.parent)
    assert found.lost == ()
    assert found.files.measurements == (rig[1].measurements[0], f"{path.parent / 'b.npy'}::meas")
    assert found.files.dark == str(path.parent / "dark.npy") and found.files.mask == rig[1].mask


def test_files_that_are_gone_or_changed_are_told_and_can_be_replaced(rig: tuple[Path, FileSelection], tmp_path: Path) -> None:
    path = saved(rig, tmp_path)
    elsewhere = tmp_path / "elsewhere.npy"
    (rig[0] / "b.npy").rename(elsewhere)
    np.save(rig[0] / "mask.npy", np.full((3, 4), 99))
    stored = read_session(path)
    found = locate(stored.session.files, stored.references, path.parent)
    gone, changed = found.lost
    assert (gone.changed, changed.changed) == (False, True)
    assert gone.text == f"The measurement {rig[0] / 'b.npy'} is not there any more."
    assert changed.text.endswith("mask.npy has changed since the session was saved.")
    assert is_same(gone.reference, elsewhere) and not is_same(changed.reference, rig[0] / "mask.npy")
    spec = gone.reference.spec
    files = relocated(found.files, {spec: with_path(spec, elsewhere)})
    assert files.measurements[1] == f"{elsewhere}::meas"
    assert replace(files, measurements=rig[1].measurements) == rig[1]


def test_every_file_of_a_selection_has_a_role() -> None:
    """A new slot of the Load page must be looked for as well when a session is opened."""
    no_files = {"direction", "mode", "average", "roi", "mask_roi", "region", "bit_depth"}
    texts = {f.name for f in fields(FileSelection) if f.default == "" or f.type == "str"} - no_files
    assert texts == set(ROLES)


def test_the_demo_needs_no_files(tmp_path: Path) -> None:
    path = write_session(session(files=FileSelection(demo=True)), tmp_path / "d.cassi.h5")
    assert read_session(path).references == ()
