"""Folders of monochromatic frames in, a dispersion table out, and the calibration takes it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from monochromatic_rig import SHAPE, TRUTH, WAVELENGTHS, MonochromaticRig, travel
from PIL import Image

from cassi_core.cli import main
from cassi_core.cli.calibrate import start_parameters, with_measured_errors
from cassi_core.config import CalibrationConfig
from cassi_core.errors import InputError
from cassi_core.io.dispersion_from_files import read_dispersion_table
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.io.monochromatic_frames import find_frames, read_frames, wavelength_in


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of a rig as 16-bit TIFF and PNG with the wavelength in the name, the mask, and files that are no frames."""
    where = tmp_path_factory.mktemp("rig")
    rig = MonochromaticRig()
    frames = where / "frames"
    frames.mkdir()
    for i, nm in enumerate(WAVELENGTHS):
        image = np.clip(rig.image(nm), 0, 65535).astype(np.uint16)
        if i == 2:
            Image.fromarray(image).save(frames / f"{nm}.png")
        else:
            tifffile.imwrite(frames / f"mask_{nm:g}nm.tif", image)
    tifffile.imwrite(frames / "white.tif", np.full((8, 8), 3, np.uint16))
    (frames / "mask_700nm.tif").write_bytes(b"II*\0")
    (frames / "readme.txt").write_text("lamp 540 nm")
    np.save(where / "mask.npy", rig.mask)
    return where


@pytest.mark.parametrize(
    ("name", "nm"),
    [
        ("mask_540nm.tif", 540.0),
        ("540.5.png", 540.5),
        ("mask 632,8 nm.tif", 632.8),
        ("0007_488.tif", 488.0),
        ("2026-11-23_540nm_100ms.tif", 540.0),
        ("mask_540nm_560nm.tif", None),
        ("mask.tif", None),
        ("450_550.tif", None),
        ("frame12.tif", None),
    ],
)
def test_wavelengths_in_names(name: str, nm: float | None) -> None:
    assert wavelength_in(name) == nm


def test_a_table_says_the_wavelengths_that_names_do_not(tmp_path: Path) -> None:
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, np.eye(9, 12))
    (tmp_path / "lines.csv").write_text("file;wavelength\n# laser\na.npy;632,8\nb.npy;532\nc.npy;488\n")
    for place in (tmp_path, tmp_path / "lines.csv"):
        named, others = find_frames(place)
        assert [(Path(f.spec).name, f.wavelength_nm) for f in named] == [("a.npy", 632.8), ("b.npy", 532), ("c.npy", 488)]
        assert others == ()
    frames, broken = read_frames(named)
    assert [f.name for f in frames] == ["a.npy", "b.npy"] and frames[0].image.shape == (9, 12)
    assert broken[0].name == "c.npy" and "no such file" in broken[0].reason
    (tmp_path / "lines.csv").write_text("a.npy,632.8\nb.npy,blue\n")
    with pytest.raises(InputError, match=r"line 2 is 'b\.npy, blue'"):
        find_frames(tmp_path)


def test_empty_places_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file in it says a wavelength"):
        find_frames(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_frames(tmp_path / "none")


def test_the_table_comes_back_and_starts_a_calibration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "d.csv"
    assert main(["dispersion", str(folder / "frames"), "--mask", str(folder / "mask.npy"), "--out", str(out), "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert "white.tif is left out: its name does not say one wavelength" in said.err
    assert "mask_700nm.tif is left out" in said.err
    assert {f["name"] for f in document["left_out"]} == {"white.tif", "mask_700nm.tif"}
    table = read_dispersion_table(out)
    assert table.wavelengths_nm is not None and table.sigma_px is not None
    assert table.wavelengths_nm.tolist() == list(WAVELENGTHS) == document["bands"]["wavelength_nm"]
    assert table.offsets_px.tolist() == document["bands"]["offset_px"], "to the last bit"
    assert table.sigma_px.tolist() == document["bands"]["sigma_px"]
    np.testing.assert_allclose(table.offsets_px, travel(np.array(WAVELENGTHS)), atol=0.02)
    assert table.measured["alpha"] == (document["parameters"]["alpha"]["value"], document["parameters"]["alpha"]["sigma"])
    assert table.measured["dx"][0] == pytest.approx(TRUTH["dx"], abs=0.02)
    np.save(folder / "meas.npy", np.random.default_rng(0).random((SHAPE[0], SHAPE[1] + 26)))
    inputs = load_inputs([folder / "meas.npy"], mask=folder / "mask.npy", dispersion_csv=out)
    np.testing.assert_array_equal(inputs.dispersion.s_nom, table.offsets_px)
    np.testing.assert_array_equal(inputs.dispersion.wavelengths_nm, table.wavelengths_nm)


def test_a_measured_dispersion_is_held_by_the_fit(tmp_path: Path) -> None:
    import argparse

    table = tmp_path / "d.csv"
    table.write_text("# alpha = 0.9 +- 0.01 deg\n# curve: a parabola\nnm,offset,sigma\n450,0,0\n500,5.5,0.01\n550,9.75,0.01\n")

    def start(refine: tuple[str, ...] | None = None, **given: float):  # type: ignore[no-untyped-def]
        args = argparse.Namespace(fix=(), start=given, dispersion=str(table))
        return start_parameters(CalibrationConfig(preset="algorithm1", refine=refine), args)

    assert start().refined == ("dx", "dy", "theta") and start()["alpha"].value == 0.9
    assert start(("dx", "alpha")).refined == ("dx", "alpha"), "who names parameters has them refined"
    assert start(alpha=0.2)["alpha"].value == 0.2
    table.write_text("450,0\n500,5.5\n")
    assert start().refined == ("dx", "dy", "theta", "slope", "alpha") and start()["alpha"].value == 0


def test_bands_of_the_table_and_exit_codes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames, mask = str(folder / "frames"), ["--mask", str(folder / "mask.npy")]
    out = tmp_path / "d.csv"
    assert main(["dispersion", frames, *mask, "--bands", "14", "--order", "3", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "order 3 over 452 to 631.5 nm" in said.out and f"--dispersion {out}" in said.err
    offsets = read_dispersion_table(out).offsets_px
    np.testing.assert_allclose(offsets, np.linspace(0, 26, 14), atol=0.05)
    (tmp_path / "centres.csv").write_text("band,nm\n0,460\n1,640\n2,500\n")
    assert main(["dispersion", frames, *mask, "--wavelengths", str(tmp_path / "centres.csv"), "--out", str(out)]) == 0
    assert "1 of 3 bands lie outside the measured range" in capsys.readouterr().err
    nm = read_dispersion_table(out).wavelengths_nm
    assert nm is not None and nm.tolist() == [460, 500, 640]
    assert main(["dispersion", frames, *mask, "--order", "9"]) == 3
    assert main(["dispersion", str(tmp_path), *mask]) == 3
    assert main(["dispersion", frames]) == 2
    assert main(["dispersion", frames, *mask, "--out", str(tmp_path / "none" / "d.csv")]) == 3


def test_measured_errors_constrain_what_is_refined(tmp_path: Path) -> None:
    table = tmp_path / "d.csv"
    table.write_text("# alpha = 0.9 +- 0.02 deg\nnm,offset,sigma\n450,0,0\n500,5.5,0.01\n550,9.75,0.03\n")
    plain = CalibrationConfig(refine=("dx", "slope", "alpha"))
    auto = with_measured_errors(plain, str(table)).auto
    assert auto.prior_alpha == 0.02 and auto.prior_slope == pytest.approx(0.015)
    assert with_measured_errors(plain, None) is plain
    table.write_text("0\n2\n4\n")
    assert with_measured_errors(plain, str(table)) is plain
