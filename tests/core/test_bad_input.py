"""Bad input gets one clear sentence and exit code 3, before anything heavy is loaded, and nothing is written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from cassi_core.cli import main

MASK = np.random.default_rng(1).random((24, 32)).astype(np.float32)
MEAS = np.random.default_rng(2).random((24, 38)).astype(np.float32)
GOOD = {"meas": MEAS, "mask": MASK, "n_bands": 4}

Make = Callable[[Path], list[str]]


def npz(path: Path, **changes: object) -> list[str]:
    """A file that would be good but for the changes."""
    np.savez(path / "a.npz", **{k: v for k, v in {**GOOD, **changes}.items() if v is not None})
    return [str(path / "a.npz")]


def spoiled(value: float) -> np.ndarray:
    image = MEAS.copy()
    image[3, 5] = value
    return image


def cut(name: str, share: float) -> Make:
    """A file of a format, whole but for its end."""

    def make(folder: Path) -> list[str]:
        path = folder / name
        if path.suffix == ".npz":
            np.savez(path, **GOOD)
        elif path.suffix == ".mat":
            scipy.io.savemat(path, GOOD)
        elif path.suffix == ".h5":
            with h5py.File(path, "w") as file:
                for key, value in GOOD.items():
                    file[key] = value
        else:
            tifffile.imwrite(path, MEAS)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        return [str(path)]

    return make


def text_file(folder: Path) -> list[str]:
    (folder / "a.mat").write_text("wavelength, offset\n450, 0\n")
    return [str(folder / "a.mat")]


def empty_file(folder: Path) -> list[str]:
    (folder / "a.h5").touch()
    return [str(folder / "a.h5")]


def pickled(folder: Path) -> list[str]:
    np.savez(folder / "a.npz", meas=np.array([{"a": 1}], dtype=object), mask=MASK)
    return [str(folder / "a.npz")]


def mask_file(folder: Path, mask: np.ndarray) -> list[str]:
    np.save(folder / "mask.npy", mask)
    return [*npz(folder, mask=None), "--mask", str(folder / "mask.npy")]


CASES: dict[str, tuple[Make, str]] = {
    "missing file": (lambda p: [str(p / "none.npz")], "none.npz: there is no such file"),
    "directory": (lambda p: [str(p)], "this is a folder"),
    "empty file": (empty_file, "a.h5: the file is empty"),
    "truncated mat": (cut("a.mat", 0.5), "a.mat: the MATLAB .mat file is damaged or cut short"),
    "truncated mat header": (cut("a.mat", 0.01), "a.mat"),
    "truncated h5": (cut("a.h5", 0.5), "a.h5: the HDF5 file is damaged or cut short"),
    "truncated npz": (cut("a.npz", 0.5), "a.npz: the NumPy .npz file is damaged or cut short"),
    "truncated tif": (cut("a.tif", 0.5), "a.tif: the TIFF file is damaged or cut short"),
    "text renamed to mat": (text_file, "a.mat: the file holds text, whatever its name says"),
    "pickled objects": (pickled, "Python objects (refused: reading them could run code)"),
    "several candidates": (lambda p: npz(p, meas=None, one=MEAS, two=MEAS), "one [24 x 38, float32], two [24 x 38, float32]"),
    "one dimension": (lambda p: npz(p, meas=MEAS[0]), "meas [38, float32] has the wrong dimensions"),
    "four dimensions": (
        lambda p: npz(p, meas=np.zeros((2, 3, 4, 5))),
        "meas [2 x 3 x 4 x 5, float64] has the wrong dimensions",
    ),
    "narrower than the mask": (lambda p: npz(p, meas=MEAS[:, :30]), "narrower than the mask (30 against 32 columns)"),
    "NaN": (lambda p: npz(p, meas=spoiled(np.nan)), "1 of 912 values are NaN or infinite"),
    "infinite": (lambda p: npz(p, meas=spoiled(np.inf)), "1 of 912 values are NaN or infinite"),
    "constant image": (lambda p: npz(p, meas=np.full_like(MEAS, 7)), "constant (7 everywhere)"),
    "all-zero image": (lambda p: npz(p, meas=np.zeros_like(MEAS)), "the image is all zero"),
    "all-zero mask": (lambda p: mask_file(p, np.zeros_like(MASK)), "mask.npy (mask): the image is all zero"),
    "NaN in the mask": (lambda p: mask_file(p, np.where(MASK > 0.9, np.nan, MASK)), "values are NaN"),
    "negative mask": (lambda p: mask_file(p, MASK - 0.5), "mask.npy: the mask holds negative values down to -0.49"),
    "mask of another size": (
        lambda p: mask_file(p, MASK[:-2]),
        "the measurement has 24 rows and the mask 22; across the dispersion (right) both must be equal: is this the mask of this rig? "
        "Where one shows more than the other, use a region of the mask (--mask-roi) or of the picture (--roi)",
    ),
    "mask wider than the picture": (lambda p: mask_file(p, np.tile(MASK, 2)), "narrower than the mask"),
    "no mask": (lambda p: npz(p, mask=None), "a.npz: the file holds no mask; name the mask's file with --mask"),
    "complex": (lambda p: npz(p, meas=MEAS * 1j), "'meas' holds complex numbers"),
    "strings": (lambda p: npz(p, meas=MEAS.astype(str)), "'meas' holds text"),
    "unknown key": (lambda p: [npz(p)[0] + "::foo"], "there is no array 'foo' in it; it holds meas [24 x 38, float32]"),
    "zero bands": (lambda p: [*npz(p), "--bands", "0"], "0 bands; a measurement has at least one (--bands)"),
    "negative bands": (lambda p: [*npz(p), "--bands", "-2"], "-2 bands"),
    "bands unknown": (lambda p: npz(p, n_bands=None), "give --bands (and --step in px per band)"),
    "negative step": (lambda p: [*npz(p), "--step", "-2"], "a dispersion step of -2 px; it must be positive"),
    "zero step": (lambda p: [*npz(p), "--step", "0"], "a dispersion step of 0 px"),
    "missing dispersion table": (lambda p: [*npz(p), "--dispersion", str(p / "d.csv")], "d.csv: there is no such file"),
    "dark of another size": (lambda p: [*npz(p), "--dark", f"{p / 'a.npz'}::mask"], "the dark frame has shape (24, 32)"),
    "missing flat": (lambda p: [*npz(p), "--flat", str(p / "flat.tif")], "flat.tif: there is no such file"),
    "device without index": (lambda p: [*npz(p), "--device", "cuda:99"], "--device cuda:99: "),
    "unknown device": (lambda p: [*npz(p), "--device", "toaster"], "--device toaster: there is no such device"),
    "missing settings": (lambda p: [*npz(p), "--config", str(p / "c.json")], "c.json: there is no such file"),
    "missing output folder": (lambda p: [*npz(p), "--out", str(p / "none" / "a.json")], "none does not exist"),
    "output is a folder": (lambda p: [*npz(p), "--out", str(p)], "this is a folder; name a file in it"),
}


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_one_sentence_exit_code_3_nothing_written(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    make, words = CASES[case]
    arguments = make(tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    before = files_below(tmp_path)
    assert main(["calibrate", *arguments]) == 3
    out, err = capsys.readouterr()
    assert words in err and err.startswith("cassi: ")
    assert err.count("\n") == 1 and "Traceback" not in err and out == ""
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("case", ["missing file", "truncated h5", "NaN", "zero bands", "several candidates"])
def test_check_refuses_the_same(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make, words = CASES[case]
    assert main(["check", *make(tmp_path)]) == 3
    out, err = capsys.readouterr()
    assert words in err and err.count("\n") == 1 and out == ""


def test_an_output_folder_without_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main(["calibrate", *npz(tmp_path), "--out", str(tmp_path / "a.cassi.json")]) == 3
    assert "may not be written; choose another place" in capsys.readouterr().err
    assert files_below(tmp_path) == {tmp_path / "a.npz"}


USAGE = {
    "unknown parameter": (["--refine", "dx,dz"], "unknown parameter 'dz'"),
    "nothing to refine": (["--refine", "dx", "--fix", "dx"], "no parameter is left to refine"),
    "start outside the bounds": (["--start", "dx=100"], "the start value 100 lies outside -25 .. 25"),
    "start without a number": (["--start", "dx"], "'dx' is not NAME=NUMBER"),
    "negative seed": (["--seed", "-1"], "seed: Input should be greater than or equal to 0 (got -1)"),
    "unknown preset": (["--preset", "magic"], "invalid choice: 'magic'"),
    "step and table": (["--step", "2", "--dispersion", "d.csv"], "not allowed with argument"),
    "unknown option": (["--masc", "m.npz"], "unrecognized arguments: --masc"),
    "bands in words": (["--bands", "many"], "invalid int value: 'many'"),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_use_is_exit_code_2(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    options, words = USAGE[case]
    assert main(["calibrate", *npz(tmp_path), *options]) == 2
    out, err = capsys.readouterr()
    assert words in err and "Traceback" not in err and out == ""
    assert files_below(tmp_path) == {tmp_path / "a.npz"}


def test_settings_that_make_no_sense_name_the_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "c.json").write_text('{"auto": {"max_steps": 0}}')
    assert main(["calibrate", *npz(tmp_path), "--config", str(tmp_path / "c.json")]) == 2
    assert "c.json: auto.max_steps: Input should be greater than or equal to 1 (got 0)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "case", ["missing file", "truncated mat", "several candidates", "all-zero mask", "device without index"]
)
def test_the_process_ends_with_code_3_and_never_loads_what_only_a_fit_needs(case: str, tmp_path: Path):
    make, words = CASES[case]
    arguments = make(tmp_path)
    program = (
        "import sys; from cassi_core.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'numba', 'PySide6', 'cassi_core.calibration.pipeline'} & set(sys.modules); "
        "print('loaded', sorted(heavy)); sys.exit(code)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, "calibrate", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert words in done.stderr and done.stderr.count("\n") == 1
    assert done.stdout == "loaded []\n"
