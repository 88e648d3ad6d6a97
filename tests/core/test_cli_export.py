"""export, reconstruct, show, diff, report from the command line, and the schema that calibration files keep."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import loadmat
from test_calibration_file import make_result

from cassi_core.assets import read_asset
from cassi_core.cli import main
from cassi_core.demo import load_demo
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import Source
from cassi_core.io.calibration_file import calibration_document, write_calibration
from cassi_core.io.readers.select import sha256_of
from cassi_core.parameters import ParameterSet
from cassi_core.result import Reason, Verdict

HEIGHT, WIDTH, BANDS, STEP = 40, 48, 4, 2
DX, DY = 2, -1
SCHEMA = "calibration-1.schema.json"


def scene() -> np.ndarray:
    """Darkness with a bright block at rows 8..20, columns 28..40, brighter towards the last band."""
    cube = np.full((BANDS, HEIGHT, WIDTH), 0.1)
    cube[:, 8:20, 28:40] += np.linspace(0.5, 1.5, BANDS)[:, None, None]
    return cube


def lay_out(cube: np.ndarray, mask: np.ndarray, direction: str) -> np.ndarray:
    """The detector image of a rig that disperses in a direction, added up by hand."""
    along = STEP * (BANDS - 1)
    down, right = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}[direction]
    y = np.zeros((HEIGHT + along * abs(down), WIDTH + along * abs(right)))
    for band in range(BANDS):
        row = STEP * band * down + (along if down < 0 else 0)
        col = STEP * band * right + (along if right < 0 else 0)
        y[row : row + HEIGHT, col : col + WIDTH] += mask * cube[band]
    return y


def make_rig(folder: Path, direction: str = "right") -> Path:
    """A measurement through a mask moved by (DX, DY), the nominal mask, and the calibration that knows of it."""
    mask = (np.random.default_rng(4).random((HEIGHT, WIDTH)) > 0.5).astype(np.float32)
    y = lay_out(scene(), np.roll(mask, (DY, DX), axis=(0, 1)), direction).astype(np.float32)
    np.savez(folder / "scene.npz", meas=y)
    np.savez(folder / "mask.npz", mask=mask)
    meas_source = Source(str(folder / "scene.npz"), "meas", sha256_of(folder / "scene.npz"), y.shape)
    mask_source = Source(str(folder / "mask.npz"), "mask", sha256_of(folder / "mask.npz"), mask.shape)
    start = ParameterSet.default(("dx", "dy"))
    result = make_result(
        parameters=start.edit("dx", value=float(DX), sigma=0.03).edit("dy", value=float(DY), sigma=0.04),
        start=start,
        mask=mask,
        mask_source=mask_source,
        inputs=(meas_source,),
        dispersion=Dispersion.constant(BANDS, STEP, direction=direction, wavelengths_nm=np.array([450.0, 500, 550, 600])),
    )
    return write_calibration(result, folder / "c.cassi.json")


def test_export_writes_where_the_mask_was_moved_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibration = make_rig(tmp_path)
    out = tmp_path / "mask_3d_shift.mat"
    assert main(["export", str(calibration), "--profile", "mst-simulation", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == f"written: {out}\n" and "self-check" in said.err and "28 bands" in said.err
    stored = loadmat(out)["mask_3d_shift"]
    mask = np.load(tmp_path / "mask.npz")["mask"]
    assert stored.shape == (HEIGHT, WIDTH + STEP * (BANDS - 1), BANDS)
    inner = stored[2 : HEIGHT - 2, 2 * STEP + 4 : 2 * STEP + WIDTH - 4, 2]
    np.testing.assert_allclose(inner, np.roll(mask, (DY, DX), axis=(0, 1))[2:-2, 4:-4], atol=1e-5)


def test_export_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibration = make_rig(tmp_path)
    assert main(["export", str(calibration), "--out", str(tmp_path / "m.txt")]) == 2
    assert main(["export", str(calibration), "--profile", "other", "--out", "m.mat"]) == 2
    assert main(["export", str(tmp_path / "none.cassi.json"), "--out", "m.mat"]) == 3
    (tmp_path / "mask.npz").unlink()
    assert main(["export", str(calibration), "--out", str(tmp_path / "m.mat")]) == 3
    assert "--mask" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "m.mat").exists()


def test_a_failed_calibration_is_not_used_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibration = make_rig(tmp_path)
    document = json.loads(calibration.read_text())
    document["verdict"] = {
        "status": "fail",
        "reasons": ["the mask was not found"],
        "checks": [{"check": "mask found", "status": "fail", "value": 4.0, "threshold": 8.0, "text": "the mask was not found"}],
    }
    calibration.write_text(json.dumps(document))
    for words in (
        ["export", str(calibration)],
        ["reconstruct", str(tmp_path / "scene.npz"), "--calibration", str(calibration)],
    ):
        assert main([*words, "--out", str(tmp_path / "out.h5")]) == 0
        assert "the verdict of this calibration is fail" in (said := capsys.readouterr().err) and "not found" in said


def test_names_that_say_no_kind_of_file_are_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibration = make_rig(tmp_path)
    assert main(["export", str(calibration), "--out", str(tmp_path / "new_folder")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
    assert main(["report", str(calibration), "--out", str(tmp_path / "page.docx")]) == 2
    snapshot = [str(tmp_path / "scene.npz"), "--mask", str(tmp_path / "mask.npz")]
    assert main(["calibrate", *snapshot, "--out", str(tmp_path / "c2.cassi.json"), "--report", str(tmp_path / "p.docx")]) == 2
    assert "use .html or .pdf" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.docx")) and not (tmp_path / "c2.cassi.json").exists()


@pytest.mark.parametrize("direction", ["right", "down", "left", "up"])
def test_reconstruct_puts_the_scene_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str], direction: str) -> None:
    calibration = make_rig(tmp_path, direction)
    names = [tmp_path / f"cube{suffix}" for suffix in (".h5", ".csv")]
    outs = [word for name in names for word in ("--out", str(name))]
    assert main(["reconstruct", "--calibration", str(calibration), *outs, "--points", "14,34", "30,10"]) == 0
    said = capsys.readouterr()
    assert [line.removeprefix("written: ") for line in said.out.splitlines()] == [str(name) for name in names]
    with h5py.File(names[0]) as file:
        cube, nm = file["cube"][()], file["wavelengths_nm"][()]
    assert cube.shape == (BANDS, HEIGHT, WIDTH) and nm.tolist() == [450, 500, 550, 600]
    inside, outside = cube[:, 9:19, 29:39].mean(axis=(1, 2)), cube[:, 24:36, 6:24].mean(axis=(1, 2))
    assert np.all(inside > 2.5 * outside)
    assert inside[3] > 1.2 * inside[0], "the spectrum rises"
    rows = names[1].read_text().splitlines()
    assert (
        rows[0] == "band,wavelength [nm],row 14 column 34,row 30 column 10" and float(rows[4].split(",")[2]) == cube[3, 14, 34]
    )
    residual = float(re.findall(r"relative residual ([\d.]+)", said.err)[0])
    assert main(["reconstruct", "--calibration", str(calibration), "--nominal", "--out", str(names[0])]) == 0
    assert residual < 0.7 * float(re.findall(r"relative residual ([\d.]+)", capsys.readouterr().err)[0])


def test_reconstruct_several_snapshots_and_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibration = make_rig(tmp_path)
    scenes = [str(tmp_path / "scene.npz")] * 2
    ask = ["reconstruct", *scenes, "--calibration", str(calibration), "--iterations", "2"]
    assert main([*ask, "--out", str(tmp_path / "c.tif")]) == 0
    assert (tmp_path / "c-1.tif").is_file() and (tmp_path / "c-2.tif").is_file() and not (tmp_path / "c.tif").exists()
    assert main([*ask, "--out", str(tmp_path / "c.csv")]) == 2
    assert "--points" in capsys.readouterr().err.splitlines()[-1]
    assert main([*ask, "--out", str(tmp_path / "c.doc")]) == 2
    assert main([*ask, "--out", str(tmp_path / "no" / "c.h5")]) == 3
    assert main([*ask, "--iterations", "0", "--out", str(tmp_path / "c.h5")]) == 2
    np.savez(tmp_path / "other.npz", meas=np.random.default_rng(0).random((HEIGHT + 2, WIDTH + 6)))
    assert main(["reconstruct", str(tmp_path / "other.npz"), "--calibration", str(calibration), "--out", "c.h5"]) == 3
    np.savez(tmp_path / "scene.npz", meas=np.random.default_rng(0).random((HEIGHT, WIDTH + 6)))
    assert main(["reconstruct", "--calibration", str(calibration), "--out", str(tmp_path / "c.h5")]) == 3
    assert "has changed since the calibration" in capsys.readouterr().err.splitlines()[-1]


def test_the_demo_needs_no_files(tmp_path: Path) -> None:
    demo = load_demo()
    start = ParameterSet.default(("dx",))
    result = make_result(
        parameters=start, start=start, mask=demo.inputs.mask, mask_source=demo.inputs.mask_source,
        inputs=tuple(f.source for f in demo.inputs.frames), dispersion=demo.inputs.dispersion,
    )  # fmt: skip
    calibration = write_calibration(result, tmp_path / "demo.cassi.json")
    assert main(["export", str(calibration), "--profile", "mst-real", "--out", str(tmp_path / "mask.npy")]) == 0
    np.testing.assert_allclose(np.load(tmp_path / "mask.npy"), demo.inputs.mask, atol=1e-6)


def test_show_prints_what_matters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibration = make_rig(tmp_path)
    assert main(["show", str(calibration)]) == 0
    said = capsys.readouterr().out
    for text in (
        "dx         +2.000 ± 0.030",
        "dy         −1.000 ± 0.040",
        "verdict         warn",
        "450.0 .. 600.0 nm",
        "finished",
    ):
        assert (text in said) == (text != "finished"), text
    assert sha256_of(tmp_path / "mask.npz") in said and "direction right" in said
    assert main(["show", str(calibration), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(calibration.read_text())


def test_diff_tells_units_and_sigmas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = write_calibration(make_result(), tmp_path / "a.cassi.json")
    first = make_result().parameters
    moved = first.edit("dx", value=first["dx"].value + 1.0, sigma=1 / 4).edit("slope", value=0.011)
    b = write_calibration(make_result(parameters=moved, preset="reference"), tmp_path / "b.cassi.json")
    assert main(["diff", str(a), str(b)]) == 0
    said = capsys.readouterr()
    line = next(line for line in said.out.splitlines() if line.startswith("dx"))
    # sqrt((1/3)^2 + (1/4)^2) = 5/12, so that 1 px is 2.4 standard errors
    assert "+1.0000" in line and "+2.4" in line
    assert "mask            1.0000 px apart at most" in said.out
    assert "band offsets    0.0000 px" in said.out, "whole-pixel offsets do not feel 0.01 px per band"
    assert "different presets" in said.err
    assert main(["diff", str(a), str(b), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"]["dx"]["in_sigmas"] == pytest.approx(2.4)
    assert found["parameters"]["slope"]["in_sigmas"] is None
    assert found["mask_largest_px"] == pytest.approx(1.0) == found["mask_rms_px"]


def test_diff_says_when_rigs_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = write_calibration(make_result(), tmp_path / "a.cassi.json")
    other = make_result(dispersion=Dispersion.constant(5, 2.0), mask_source=Source("m2.npz", "mask", "00" * 32, (12, 16)))
    b = write_calibration(other, tmp_path / "b.cassi.json")
    assert main(["diff", str(a), str(b)]) == 0
    said = capsys.readouterr()
    assert (
        "different masks" in said.err and "numbers of bands: 3 and 5" in said.err and "directions: left and right" in said.err
    )
    assert "band offsets" not in said.out
    assert main(["diff", str(a), str(tmp_path / "none.json")]) == 3


# The schema


def problems(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str = "") -> list[str]:
    """What a document does wrong by a JSON Schema: the keywords that our schema uses, nothing else."""
    known = {
        "$schema", "$defs", "$ref", "title", "description", "type", "required", "properties", "additionalProperties",
        "items", "minItems", "enum", "const", "pattern", "minimum",
    }  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    if "$ref" in schema:
        return problems(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, at)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    found: list[str] = []
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else wanted or []
    if names and not any(
        isinstance(value, kinds[n])
        if n in kinds
        else isinstance(value, int if n == "integer" else int | float) and not isinstance(value, bool)
        for n in names
    ):
        return [f"{at}: {value!r} is no {wanted}"]
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        found.append(f"{at}: {value!r} is not allowed")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} does not match")
    if "minimum" in schema and isinstance(value, int | float) and value < schema["minimum"]:
        found.append(f"{at}: {value!r} is too small")
    if isinstance(value, dict):
        found += [f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value]
        rest = schema.get("additionalProperties", True)
        for name, inner in value.items():
            if name in schema.get("properties", {}):
                found += problems(inner, schema["properties"][name], root, f"{at}/{name}")
            elif rest is False:
                found.append(f"{at}: {name} is not described")
            elif isinstance(rest, dict):
                found += problems(inner, rest, root, f"{at}/{name}")
    if isinstance(value, list):
        found += [f"{at}: too short"] if len(value) < schema.get("minItems", 0) else []
        if "items" in schema:
            found += [p for i, inner in enumerate(value) for p in problems(inner, schema["items"], root, f"{at}/{i}")]
    return found


@pytest.fixture
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(read_asset("schema", SCHEMA))
    return loaded


@pytest.mark.parametrize(
    "changes", [{}, {"correlation": None}, {"outcome": "finished_early"}, {"mask_source": Source("memory")}]
)
def test_calibration_files_keep_the_schema(schema: dict[str, Any], changes: dict[str, Any]) -> None:
    result = make_result(**changes)
    blurred = replace(result, parameters=result.parameters.edit("psf", value=0.4))
    for each in (result, blurred):
        document = json.loads(json.dumps(calibration_document(each)))
        assert problems(document, schema, schema) == []
        assert set(document) == set(schema["properties"]), "the schema describes every field"


def test_the_schema_notices_what_is_wrong(schema: dict[str, Any]) -> None:
    def broken(**changes: Any) -> list[str]:
        return problems({**json.loads(json.dumps(calibration_document(make_result()))), **changes}, schema, schema)

    assert broken(version=2) == ["/version: 2 is not allowed"]
    assert broken(extra=1) == [": extra is not described"]
    assert broken(inputs=[]) == ["/inputs: too short"]
    assert broken(verdict={"status": "good", "reasons": []}) == ["/verdict/status: 'good' is not allowed"]
    parameters = calibration_document(make_result())["parameters"]
    del parameters["alpha"]
    parameters["dx"]["value"] = "0.3"
    assert broken(parameters=parameters) == ["/parameters: alpha is missing", "/parameters/dx/value: '0.3' is no number"]


# The report


def test_report_of_a_calibration_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibration = make_rig(tmp_path)
    out = tmp_path / "r.html"
    assert main(["report", str(calibration), "--out", str(out)]) == 0
    page = out.read_text()
    assert capsys.readouterr().out == f"written: {out}\n"
    assert page.count("<img ") == 6 and "+2.000 ± 0.030 px" in page and sha256_of(tmp_path / "scene.npz") in page
    (tmp_path / "scene.npz").unlink()
    assert main(["report", str(calibration), "--out", str(out)]) == 0
    assert "no pictures" in capsys.readouterr().err
    assert out.read_text().count("<img ") == 0 and "not at hand" in out.read_text()
    assert main(["report", str(calibration), "--out", str(tmp_path / "no" / "r.html")]) == 3


def test_calibrate_writes_the_report_beside_the_calibration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_rig(tmp_path)
    monkeypatch.setattr("cassi_core.calibration.pipeline.calibrate", lambda *args, **kwargs: make_result())
    monkeypatch.chdir(tmp_path)
    ask = ["scene.npz", "--mask", "mask.npz", "--bands", "4", "--step", "2"]
    assert main(["calibrate", *ask, "--report", "page.html"]) == 0
    assert "+0.30 ± 0.33 px" in (tmp_path / "page.html").read_text()
    assert f"written: {tmp_path / 'page.html'}" in capsys.readouterr().out
    assert main(["report", *ask]) == 0
    assert (tmp_path / "scene.report.html").is_file()
    failed = make_result(verdict=Verdict("fail", (Reason("residual", "fail", 1.2, 1.0, "worse"),)))
    monkeypatch.setattr("cassi_core.calibration.pipeline.calibrate", lambda *args, **kwargs: failed)
    assert main(["report", *ask, "--out", "f.html"]) == 4
    assert "fail: do not use it" in (tmp_path / "f.html").read_text()
