"""`cassi simulate`: the files that it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cassi_core.cli import main
from cassi_core.io.cubes import read_cube
from cassi_core.simulate.recipe import Recipe, make_rig

SMALL = ["--size", "24x40", "--bands", "5", "--seed", "3"]


def simulate(out: Path, *options: str) -> int:
    return main(["simulate", "--out", str(out), *SMALL, *options])


def test_it_writes_measurement_cube_and_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(tmp_path / "rig", "--dx", "1.25", "--scale-y", "-0.003", "--direction", "down", "--step", "1.5") == 0
    with np.load(tmp_path / "rig.npz", allow_pickle=False) as z:
        assert z["meas"].shape == (24 + 6, 40) and z["meas"].dtype == np.float32
        assert z["mask"].shape == (24, 40)
        assert (float(z["step_px"]), int(z["n_bands"]), z["wavelengths_nm"].shape) == (1.5, 5, (5,))
    cube, nm, _ = read_cube(tmp_path / "rig.cube.npz")
    assert cube.shape == (5, 24, 40) and nm is not None and nm[0] == pytest.approx(450)
    document = json.loads((tmp_path / "rig.truth.json").read_text())
    assert document["truth"]["dx"] == 1.25 and document["truth"]["scale_y"] == -0.003 and document["truth"]["dy"] == 0
    assert (document["name"], document["step_px"], document["direction"]) == ("rig", 1.5, "down")
    streams = capsys.readouterr()
    assert "+1.250 px" in streams.out and str(tmp_path / "rig.npz") in streams.err


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert simulate(tmp_path / f"{name}.npz", "--mask-kind", "grey") == 0
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert simulate(tmp_path / "c", "--mask-kind", "grey", "--seed", "4") == 0
    assert (tmp_path / "c.npz").read_bytes() != (tmp_path / "a.npz").read_bytes()


def test_the_numbers_of_the_file_are_those_of_the_recipe(tmp_path: Path) -> None:
    assert simulate(tmp_path / "rig", "--no-noise", "--pedestal", "409.5", "--theta", "1") == 0
    with np.load(tmp_path / "rig.npz") as z:
        measurement, mask = z["meas"], z["mask"]
    clean = make_rig(Recipe(shape=(24, 40), n_bands=5, seed=3))
    np.testing.assert_array_equal(mask, clean.mask)
    assert measurement.min() == pytest.approx(0.1, abs=0.02)
    assert np.abs(measurement - clean.measurement).max() > 0.2  # one degree moves the corners by half a pixel


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "12x40"], "between 16 and 8192"),
        (["--size", "axb"], "rows x columns"),
        (["--bands", "0"], "0 bands"),
        (["--step", "-2"], "step of -2"),
        (["--dx", "nan"], "dx is nan"),
        (["--scale-x", "2"], "scale_x is 2"),
        (["--psf", "-1"], "psf is -1"),
        (["--bits", "40"], "bits is 40"),
        (["--exposure", "0"], "exposure is 0"),
        (["--feature", "0"], "elements of 0 px"),
        (["--open", "1"], "open share of 1"),
        (["--subbands", "0"], "0 subbands"),
        (["--seed", "-1"], "cannot be negative"),
    ],
)
def test_impossible_options_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert simulate(tmp_path / "rig", *options) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_refused_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(tmp_path / "nowhere" / "rig") == 3
    assert "nowhere" in capsys.readouterr().err


def test_an_unknown_scene_is_a_usage_error(tmp_path: Path) -> None:
    assert simulate(tmp_path / "rig", "--scene", "moon") == 2
