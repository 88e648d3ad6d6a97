"""Sessions on the command line: what is in one, and its accepted run in the place of a calibration file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from session_samples import BANDS, HEIGHT, WIDTH, result, session

from cassi_core.cli import main
from cassi_core.errors import SessionError
from cassi_core.io.calibration_file import read_calibration, write_calibration
from cassi_core.io.rig_inputs import inputs_of
from cassi_core.io.session import write_session


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_session(session(), tmp_path / "rig.v2.cassi.h5")


def test_show_says_what_is_in_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Measurement scene0.npy and 1 more, 3 runs, Run 1 (auto) accepted, 2 picked points." in said
    assert "inputs          kept in the session" in said
    assert "mask          /rig/mask.mat (not there any more)" in said
    lines = [line.split() for line in said.splitlines()]
    row = next(line for line in lines if line[:2] == ["1", "Run"])
    assert row[4:] == ["2026-11-23", "14:03", "reference", "warn", "0.3000", "+0.300", "-0.333", "+0.000", "accepted"]
    assert next(line for line in lines if line[:2] == ["2", "second"])[-1] == "rejected"
    assert "note on run 1: after the lens was changed: Ω" in said


def test_show_as_json_holds_the_calibration_of_every_run(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["accepted_run"] == 1 and [r["decision"] for r in document["runs"]] == ["accepted", "rejected", "rejected"]
    assert document["runs"][0]["calibration"]["parameters"]["dx"]["value"] == 0.1 + 0.2
    assert document["configuration"]["seed"] == 11 and document["files"]["n_bands"] == 3


def test_the_accepted_run_is_a_calibration(path: Path, tmp_path: Path) -> None:
    found = read_calibration(path)
    given = session()
    again = read_calibration(write_calibration(given.runs[0].result, tmp_path / "a.cassi.json"))
    assert found.parameters == again.parameters and found.document == again.document
    assert found.mask is not None and found.mask.tobytes() == given.runs[0].result.mask.tobytes()
    inputs = inputs_of(found)
    assert len(inputs.frames) == 2 and inputs.frames[1].image.tobytes() == given.inputs.frames[1].image.tobytes()  # type: ignore[union-attr]


def test_inputs_of_other_files_are_not_taken_for_those_of_the_run(tmp_path: Path) -> None:
    other = replace(result(), inputs=(replace(result().inputs[0], path="/other.npy"),))
    runs = (replace(session().runs[0], result=other),)
    found = read_calibration(write_session(session(runs=runs), tmp_path / "s.cassi.h5"))
    assert found.snapshots is None and found.mask is not None


def test_export_and_report_take_a_session(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(path), "--out", "mask.npz"]) == 0, capsys.readouterr().err
    with np.load(tmp_path / "mask.npz") as file:
        assert file["mask"].shape == (HEIGHT, WIDTH) and file["mask_3d_shift"].shape[2] == BANDS
    assert main(["report", str(path)]) == 0, capsys.readouterr().err
    page = (tmp_path / "rig.v2.report.html").read_text(encoding="utf-8")
    assert "Run 1 (auto)" in page and page.count("<img") + page.count("<svg") > 3


def test_a_session_without_an_accepted_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_session(session(accepted_id=None), tmp_path / "s.cassi.h5")
    with pytest.raises(SessionError, match="no run of this session is accepted; accept one on the QA page"):
        read_calibration(path)
    for command in (
        ["export", str(path), "--out", str(tmp_path / "m.npz")],
        ["report", str(path), "--out", str(tmp_path / "r.html")],
    ):
        assert main(command) == 3
        assert "no run of this session is accepted" in capsys.readouterr().err
    assert main(["show", str(path)]) == 0 and "none accepted" in capsys.readouterr().out
