"""Sessions come back bit by bit, say in words when they cannot be read, and read older files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from session_samples import FILES, HEIGHT, MEASURED, differences, inputs, maps, result, session

from cassi_core.errors import OutputError, RunCancelled, SessionError
from cassi_core.io.calibration_file import calibration_document
from cassi_core.io.session import EMBED_BYTES, VERSION, Session, read_maps, read_session, write_session
from cassi_core.run import RunControl

OLD_FILE = Path(__file__).parents[1] / "data" / "session-v0.cassi.h5"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rig.cassi.h5"


# -- round trips ------------------------------------------------------------------------------------------------------
def test_everything_comes_back_bit_by_bit(path: Path) -> None:
    saved = session()
    assert write_session(saved, path) == path
    stored = read_session(path)
    assert differences(saved, stored.session) == []
    assert stored.inputs_kept and stored.version == VERSION and stored.document == ""
    assert [r.role for r in stored.references] == ["measurement", "measurement", "mask", "dark frame"]
    assert stored.references[0].sha256 == "ab" * 32 and stored.references[3].sha256 == ""


def test_the_comparison_finds_what_differs() -> None:
    """The test above is worth as much as its comparison."""
    a = session()
    table = a.runs[0].result.table
    other = replace(a.runs[0].result, table=(replace(table[0], elapsed_s=1e-12), *table[1:]))
    b = replace(a, runs=(replace(a.runs[0], result=other), *a.runs[1:]), rejected_ids=frozenset({2}))
    assert [d.split(":")[0] for d in differences(a, b)] == [".runs[0].result.table[0].elapsed_s", ".rejected_ids"]
    c = replace(a, inputs=replace(a.inputs, mask=a.inputs.mask.astype(np.float64)))  # type: ignore[arg-type]
    assert differences(a, c) == [".inputs.mask"]


def test_saving_what_was_read_changes_nothing(path: Path) -> None:
    write_session(session(), path)
    first = read_session(path).session
    write_session(first, path)
    assert differences(first, read_session(path).session) == []


def test_an_empty_session_is_a_session(path: Path) -> None:
    write_session(Session(), path)
    stored = read_session(path)
    assert differences(Session(), stored.session) == []
    assert not stored.inputs_kept and stored.references == ()


def test_the_calibration_file_of_a_reopened_run_is_the_same(path: Path) -> None:
    saved = session()
    write_session(saved, path)
    again = read_session(path).session
    for a, b in zip(saved.runs, again.runs, strict=True):
        assert calibration_document(a.result) == calibration_document(b.result)


def test_pictures_of_several_chunks_come_back(path: Path) -> None:
    """Larger than a chunk in every way that arrays are cut: bands, and rows within a picture."""
    large = maps(9, scale=40)
    wide = replace(large, residual_after=np.random.default_rng(1).random((900, 700)).astype(np.float32))
    saved = session(runs=(replace(session().runs[0], result=result(maps=wide)),))
    heard: list[float] = []
    write_session(saved, path, report=heard.append)
    assert differences(saved, read_session(path).session) == []
    assert heard == sorted(heard) and heard[-1] == 1.0 and len(heard) > 8
    with h5py.File(path) as file:
        assert file["runs/run_001/result/maps/residual_after"].chunks[1] == 700


def test_odd_texts_are_kept(path: Path) -> None:
    """Names that are no UTF-8 (old file systems), long notes, and NUL, which HDF5 cannot hold."""
    files = replace(FILES, mask="/rig/m\udcffsk.mat", dark="")
    long = "note " * 30_000
    runs = (replace(session().runs[0], note=long, name="a\x00b"),)
    write_session(session(files=files, runs=runs), path)
    again = read_session(path).session
    assert again.files == files
    assert again.runs[0].note == long and again.runs[0].name == "a\N{REPLACEMENT CHARACTER}b"


def test_maps_are_read_as_they_are_wanted(path: Path) -> None:
    base = session().runs[0]
    runs = tuple(replace(base, id=i, uid=f"{i:032x}", result=result(maps=maps(i))) for i in range(1, 7))
    write_session(session(runs=runs, accepted_id=1, current_id=3), path)
    assert [r.result.maps is not None for r in read_session(path).session.runs] == [True] * 6
    latest = read_session(path, maps="latest").session
    assert [r.result.maps is not None for r in latest.runs] == [True, False, True, False, True, True]
    none = read_session(path, maps="none", inputs=False)
    assert not any(r.result.maps for r in none.session.runs) and none.session.inputs is None and none.inputs_kept
    assert differences(read_maps([path.with_name("gone.h5"), path], runs[3].uid), runs[3].result.maps) == []
    assert read_maps([path], "f" * 32) is None


def test_maps_that_left_the_memory_are_taken_from_the_earlier_file(path: Path) -> None:
    whole = session()
    write_session(whole, path)
    bare = replace(whole, runs=tuple(replace(r, result=replace(r.result, maps=None)) for r in whole.runs))
    other = path.with_name("other.cassi.h5")
    write_session(bare, other, earlier=[path, path.with_name("gone.cassi.h5")])
    assert differences(whole, read_session(other).session) == []
    write_session(bare, path, earlier=[path])
    assert differences(whole, read_session(path).session) == [], "a file can be its own earlier one"
    write_session(bare, other)
    assert not any(r.result.maps for r in read_session(other).session.runs)


# -- inputs -----------------------------------------------------------------------------------------------------------
def test_large_inputs_are_referred_to(path: Path) -> None:
    saved = session()
    size = sum(f.image.nbytes + (0 if f.usable is None else f.usable.nbytes) for f in saved.inputs.frames)  # type: ignore[union-attr]
    size += saved.inputs.mask.nbytes + saved.inputs.reference.nbytes + 2 * 3 * 8  # type: ignore[union-attr]
    write_session(saved, path, embed_bytes=size - 1)
    stored = read_session(path)
    assert stored.session.inputs is None and not stored.inputs_kept
    assert stored.session.files == FILES and stored.references[2].path == "/rig/mask.mat"
    write_session(saved, path, embed_bytes=size)
    assert read_session(path).inputs_kept
    assert EMBED_BYTES == 64 * 1024 * 1024


# -- any HDF5 viewer --------------------------------------------------------------------------------------------------
def test_plain_datasets_with_units_and_nothing_opaque(path: Path) -> None:
    write_session(session(), path)
    kinds: dict[str, str] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: kinds.__setitem__(name, item.dtype.kind) if isinstance(item, h5py.Dataset) else None)
        run = file["runs/run_001"]
        assert run["result/maps/cube_after"].shape == (3, HEIGHT, 14)
        assert run["result/maps/cube_after"].attrs["axes"] == "band, row, column"
        assert run["result/maps/residual_after"].shape == (HEIGHT, MEASURED)
        assert run["result/table/values"].attrs["units"].startswith("px, px, deg")
        assert run["result/table/elapsed_s"][()].tolist() == [0.1 * i for i in range(4)]
        assert run["result/table/elapsed_s"].attrs["units"] == "s"
        assert run["result/parameters/unit"].asstr()[:3].tolist() == ["px", "px", "deg"]
        assert run["result/seconds_total"].attrs["units"] == "s"
        assert file["inputs/dispersion/wavelengths_nm"].attrs["units"] == "nm"
        assert file["inputs/frames/000/image"].dtype == np.float32
        assert (run.attrs["name"], run.attrs["accepted"], file.attrs["accepted_id"]) == ("Run 1 (auto)", True, 1)
        texts = {n for n, k in kinds.items() if k == "O" and len(file[n].shape) == 0}
        assert all(h5py.check_string_dtype(file[n].dtype) for n, k in kinds.items() if k == "O"), "texts, not references"
        assert texts == {"config"} and file["config"].asstr()[()].startswith("{\n")
    assert set(kinds.values()) <= set("biufO")


# -- what cannot be read ----------------------------------------------------------------------------------------------
def test_a_newer_file_is_refused_in_a_sentence(path: Path) -> None:
    write_session(session(), path)
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = VERSION + 1
    said = (
        r"rig\.cassi\.h5: the session was written by a newer program \(format 2, this one knows up to 1\); update the program"
    )
    with pytest.raises(SessionError, match=said):
        read_session(path)


def test_other_files_are_refused_in_a_sentence(path: Path, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="there is no such file"):
        read_session(path)
    with pytest.raises(SessionError, match="this is a folder"):
        read_session(tmp_path)
    path.write_bytes(b"not hdf5 at all")
    with pytest.raises(SessionError, match="is no CASSI session"):
        read_session(path)
    with h5py.File(path, "w") as file:
        file["cube"] = np.zeros(3)
    with pytest.raises(SessionError, match="is no CASSI session"):
        read_session(path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: f.__delitem__("runs/run_001/result/mask"), "result/mask is missing"),
        (lambda f: f.__delitem__("parameters"), "parameters is missing"),
        (lambda f: f["runs/run_001/result/table"].__delitem__("score"), "score"),
        (lambda f: f.__setitem__("config", "x") if not f.__delitem__("config") else None, "JSON"),
        (lambda f: f["inputs/mask"].__setitem__(..., np.nan), "NaN"),
        (lambda f: f["parameters/lower"].__setitem__(0, 99.0), "bound"),
    ],
)
def test_a_changed_file_is_told_with_the_place(path: Path, damage, said: str) -> None:  # type: ignore[no-untyped-def]
    write_session(session(), path)
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(SessionError, match="damaged or was changed") as caught:
        read_session(path)
    assert said in str(caught.value) and str(path) in str(caught.value)


def test_damaged_bytes_never_give_anything_but_a_session_error(path: Path, rng: np.random.Generator) -> None:
    write_session(session(), path)
    whole = path.read_bytes()
    for cut in range(0, len(whole), len(whole) // 12):
        path.write_bytes(whole[:cut])
        with pytest.raises(SessionError):
            read_session(path)
    refused = 0
    for _ in range(20):
        spoiled = bytearray(whole)
        for place in rng.integers(0, len(whole), 30):
            spoiled[place] ^= int(rng.integers(1, 256))
        path.write_bytes(spoiled)
        try:
            read_session(path)
        except SessionError:
            refused += 1
    assert refused > 0


# -- writing ----------------------------------------------------------------------------------------------------------
def test_a_cancelled_saving_leaves_the_old_file(path: Path) -> None:
    write_session(session(), path)
    before = path.read_bytes()
    control = RunControl()

    def stop(fraction: float) -> None:
        if fraction > 0.3:
            control.cancel()

    with pytest.raises(RunCancelled):
        write_session(session(points=()), path, control=control, report=stop)
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]
    with pytest.raises(RunCancelled):
        read_session(path, control=control)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_session(session(), tmp_path / "none" / "a.cassi.h5")


# -- older files ------------------------------------------------------------------------------------------------------
def test_a_file_of_version_0_reads_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old.cassi.h5"
    shutil.copy(OLD_FILE, path)
    before = path.read_bytes()
    stored = read_session(path)
    assert path.read_bytes() == before
    old = stored.session
    assert stored.version == VERSION
    (run,) = old.runs
    assert [row.elapsed_s for row in run.result.table] == [0.0, 0.125, 0.25], "milliseconds became seconds"
    assert [(p.row, p.col, p.label, p.colour) for p in old.points] == [(3, 4, "P1", 0), (7, 2, "P2", 1)]
    assert len(run.uid) == 32 and run.uid == read_session(path).session.runs[0].uid
    assert old.accepted_run is run and run.note == "of a trial version"
    assert run.result.parameters["dx"].value == 0.75 and run.result.parameters["dx"].sigma == 0.0625
    assert run.result.maps is not None and run.result.maps.cube_after[1, 2, 3] == 1203
    assert old.config.seed == 5
    again = tmp_path / "new.cassi.h5"
    write_session(old, again)
    assert differences(old, read_session(again).session) == []


def test_inputs_of_the_sample_are_what_the_engine_takes() -> None:
    assert inputs().frames[0].image.shape == (HEIGHT, MEASURED)
