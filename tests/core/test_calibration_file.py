"""The calibration file keeps its contract, its bits, and its temper with files that are not its own."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cassi_core.dispersion import Dispersion
from cassi_core.errors import SessionError
from cassi_core.inputs import Source
from cassi_core.io.calibration_file import calibration_document, read_calibration, read_optics, write_calibration
from cassi_core.parameters import GEOMETRY_NAMES, SPECS, ParameterSet
from cassi_core.result import CalibrationResult, OpticsTerm, Reason, Scores, Verdict
from cassi_core.run import StageReport


def make_result(**changes: object) -> CalibrationResult:
    """A result with a different number in every place."""
    start = ParameterSet.default(("dx", "dy", "theta"), {"dx": 0.5, "slope": 0.001})
    fitted = start.edit("dx", value=0.1 + 0.2, sigma=1 / 3).edit("dy", value=-25.0).edit("theta", value=-1e-17, sigma=2e-3)
    result = CalibrationResult(
        parameters=fitted,
        start=start,
        scores=Scores(0.2345678901234567, 0.1, 0.3, None),
        verdict=Verdict("warn", (Reason("residual", "warn", 0.1, 0.05, "the residual is 0.1, 0.05 is usual"),)),
        mask=np.ones((12, 16), np.float32),
        mask_source=Source("mask.npz", "mask", "ab" * 32, (12, 16)),
        dispersion=Dispersion(np.array([0.0, 1.1, 2.3]), "left", "integer", np.array([450.0, 500.0, 600.5])),
        inputs=(Source("a.npz", "meas", "cd" * 32, (12, 18)), Source("b.npz", "meas", "ef" * 32, (12, 18))),
        preset="auto",
        source="auto",
        outcome="done",
        stages=(StageReport("wide", "Wide fit", 1.25, 8, 0.11),),
        table=(),
        grids=(),
        seconds_total=3.5,
        device="cpu",
        seed=7,
        threads=2,
        correlation_names=("dx", "dy", "theta"),
        correlation=np.array([[1, 0.1, 0.2], [0.1, 1, 0.3], [0.2, 0.3, 1]]),
        peak_z=math.nan,
        notes=("a note",),
        calibrated=datetime(2026, 11, 23, 14, 3, 5, 900000, tzinfo=timezone(timedelta(hours=-3))),
    )
    return replace(result, **changes)


def test_the_document_is_the_contract():
    document = calibration_document(make_result())
    assert document["format"] == "cassi-calibration" and document["version"] == 1
    assert tuple(document["parameters"]) == GEOMETRY_NAMES
    assert document["parameters"]["dx"] == {
        "value": 0.1 + 0.2,
        "sigma": 1 / 3,
        "unit": "px",
        "refined": True,
        "lower": -25.0,
        "upper": 25.0,
        "at_bound": False,
        "start": 0.5,
    }
    assert document["parameters"]["dy"]["at_bound"] and document["parameters"]["dy"]["sigma"] is None
    assert not document["parameters"]["slope"]["refined"] and document["parameters"]["slope"]["value"] == 0.001
    assert document["verdict"]["status"] == "warn"
    assert document["verdict"]["reasons"] == ["the residual is 0.1, 0.05 is usual"]
    assert document["scores"] == {
        "residual_before": 0.2345678901234567,
        "residual_after": 0.1,
        "held_out_before": 0.3,
        "held_out_after": None,
    }
    assert document["inputs"][1] == {"path": "b.npz", "sha256": "ef" * 32, "shape": [12, 18], "key": "meas"}
    assert document["mask"] == {"path": "mask.npz", "sha256": "ab" * 32, "shape": [12, 16], "key": "mask"}
    assert document["dispersion"]["s_nom"] == [0.0, 1.1, 2.3] and document["dispersion"]["n_bands"] == 3
    assert document["preset"] == "auto" and document["seed"] == 7 and document["device"] == "cpu"
    assert document["stages"][0]["name"] == "wide" and document["stages"][0]["seconds"] == 1.25
    assert document["seconds_total"] == 3.5 and document["calibrated"] == "2026-11-23T14:03:05-03:00"
    assert {"cassi-calibration", "python", "numpy", "scipy"} <= set(document["software"])
    assert "dx > 0 moves the mask right" in document["conventions"]
    assert document["peak_z"] is None, "NaN is not JSON"
    assert document["notes"] == ["a note"]
    json.dumps(document, allow_nan=False)


def test_the_blur_is_a_ninth_key_only_when_it_matters():
    plain = make_result()
    assert "psf" not in calibration_document(plain)["parameters"]
    held = replace(plain, parameters=plain.parameters.edit("psf", value=0.7))
    assert calibration_document(held)["parameters"]["psf"]["value"] == 0.7
    refined = replace(plain, parameters=plain.parameters.edit("psf", refine=True))
    assert calibration_document(refined)["parameters"]["psf"]["refined"]


def test_reading_gives_back_everything(tmp_path: Path):
    result = make_result()
    written = write_calibration(result, tmp_path / "a.cassi.json")
    stored = read_calibration(written)
    assert stored.parameters == result.parameters
    assert stored.start.values() == result.start.values() and stored.start.refined == result.start.refined
    np.testing.assert_array_equal(stored.dispersion.s_nom, result.dispersion.s_nom)
    np.testing.assert_array_equal(stored.dispersion.wavelengths_nm, result.dispersion.wavelengths_nm)
    assert (stored.dispersion.direction, stored.dispersion.mode) == ("left", "integer")
    assert stored.verdict == result.verdict and stored.scores == result.scores
    assert stored.inputs == result.inputs and stored.mask_source == result.mask_source
    assert stored.preset == "auto" and stored.document["seed"] == 7
    assert stored.calibrated == datetime(2026, 11, 23, 17, 3, 5, tzinfo=UTC)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_numbers_come_back_bit_for_bit(tmp_path: Path, data: st.DataObject):
    result = make_result()
    parameters = result.parameters
    for name in GEOMETRY_NAMES:
        spec = SPECS[name]
        value = data.draw(st.floats(spec.lower, spec.upper), name)
        sigma = data.draw(st.none() | st.floats(0, 1e3, exclude_min=True), f"sigma {name}")
        parameters = parameters.edit(name, value=value, sigma=sigma)
    steps = data.draw(st.lists(st.floats(1e-3, 10), min_size=1, max_size=5))
    dispersion = Dispersion(np.concatenate([[0.0], np.cumsum(steps)]))
    write_calibration(replace(result, parameters=parameters, dispersion=dispersion), tmp_path / "a.cassi.json")
    stored = read_calibration(tmp_path / "a.cassi.json")
    assert stored.parameters.vector().tobytes() == parameters.vector().tobytes()
    assert [p.sigma for p in stored.parameters] == [p.sigma for p in parameters]
    assert stored.dispersion.s_nom.tobytes() == dispersion.s_nom.tobytes()


def test_a_file_of_the_bare_contract_is_read(tmp_path: Path):
    """What another program writes by the contract: reasons in words only, nothing extra."""
    bare = {
        "format": "cassi-calibration",
        "version": 1,
        "parameters": {
            n: {"value": 0.5, "sigma": None, "unit": "", "refined": True, "lower": -1, "upper": 1, "at_bound": False}
            for n in GEOMETRY_NAMES
        },
        "conventions": "",
        "verdict": {"status": "pass", "reasons": ["fine"]},
        "scores": {"residual_before": 0.2, "residual_after": 0.1, "held_out_before": None, "held_out_after": None},
        "inputs": [],
        "mask": {"path": "m", "sha256": "", "shape": [8, 8], "key": ""},
        "dispersion": {"s_nom": [0, 2], "n_bands": 2},
        "preset": "auto",
    }
    (tmp_path / "a.cassi.json").write_text(json.dumps(bare))
    stored = read_calibration(tmp_path / "a.cassi.json")
    assert stored.parameters["alpha"].value == 0.5 and stored.dispersion.direction == "right"
    assert [r.text for r in stored.verdict.reasons] == ["fine"] and stored.calibrated is None


def broken(change: str) -> str:
    document = calibration_document(make_result())
    if change == "newer":
        document["version"] = 2
    elif change == "format":
        document["format"] = "something"
    elif change == "no parameter":
        del document["parameters"]["alpha"]
    elif change == "no dispersion":
        del document["dispersion"]
    elif change == "text":
        document["parameters"]["dx"]["value"] = "much"
    elif change == "verdict":
        document["verdict"]["status"] = "splendid"
    elif change == "date":
        document["calibrated"] = "last week"
    elif change == "no such date":
        document["calibrated"] = "9999-12-31T23:59:59-12:00"
    elif change == "version":
        document["version"] = "one"
    return json.dumps(document) if change != "cut" else json.dumps(document)[:500]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("newer", r"has version 2 and this program knows up to 1; update the program"),
        ("format", "no CASSI calibration"),
        ("no parameter", "parameters alpha are missing"),
        ("no dispersion", "lacks 'dispersion'"),
        ("text", "cannot be used"),
        ("verdict", "splendid"),
        ("date", "last week"),
        ("no such date", "no such date"),
        ("version", "has version 'one'"),
        ("cut", "not JSON"),
    ],
)
def test_files_that_cannot_be_used_are_told(tmp_path: Path, change: str, words: str):
    (tmp_path / "a.cassi.json").write_text(broken(change))
    with pytest.raises(SessionError, match=words) as caught:
        read_calibration(tmp_path / "a.cassi.json")
    assert caught.value.exit_code == 3 and "a.cassi.json" in str(caught.value)


def test_missing_and_binary_files_are_told(tmp_path: Path):
    with pytest.raises(SessionError, match="no such file"):
        read_calibration(tmp_path / "none.cassi.json")
    with pytest.raises(SessionError, match="this is a folder"):
        read_calibration(tmp_path)
    (tmp_path / "b.cassi.json").write_bytes(b"\x89HDF\xff\xfe")
    with pytest.raises(SessionError, match="not JSON"):
        read_calibration(tmp_path / "b.cassi.json")
    (tmp_path / "c.cassi.json").write_text("[1, 2]")
    with pytest.raises(SessionError, match="no CASSI calibration"):
        read_calibration(tmp_path / "c.cassi.json")


def test_optics_come_back_and_a_term_that_does_not_exist_names_the_file(tmp_path: Path):
    terms = (OpticsTerm("colour1", -0.486, 0.012), OpticsTerm("radial", 0.81, 0.034))
    path = write_calibration(replace(make_result(), optics=terms), tmp_path / "a.cassi.json")
    assert read_optics(read_calibration(path).document) == terms
    path.write_text(path.read_text().replace('"radial"', '"radiall"'))
    with pytest.raises(SessionError, match=r"a\.cassi\.json: .*'radiall' is no term; colour1, colour2, radial"):
        read_calibration(path)
