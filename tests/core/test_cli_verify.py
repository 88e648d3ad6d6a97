"""`cassi verify`: answers, exit codes, and an earlier calibration that is named by file or by logbook entry."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_calibration_file import make_result

from cassi_core.cli import main
from cassi_core.cli.calibrate import start_parameters
from cassi_core.cli.calibrate import start_values as start
from cassi_core.config import CalibrationConfig
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import write_calibration
from cassi_core.io.readers.select import sha256_of
from cassi_core.verification import verify as engine
from cassi_core.verification.earlier import EarlierCalibration
from cassi_core.verification.result import Movement, ParameterChange, Verification

MASK = np.random.default_rng(1).random((24, 32)).astype(np.float32)
Cassi = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cassi(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cassi:
    """Runs one command in a folder with an earlier calibration, its mask and today's picture: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    np.savez("mask.npz", mask=MASK)
    made = make_result()
    along = round(made.dispersion.travel_px)
    np.savez("today.npz", meas=np.random.default_rng(2).random((24, 32 + along)).astype(np.float32))
    source = replace(made.mask_source, path="mask.npz", key="mask", sha256=sha256_of(Path("mask.npz")), shape=MASK.shape)
    write_calibration(replace(made, mask=MASK, mask_source=source), "c.cassi.json")

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[tuple[CalibrationInputs, EarlierCalibration]]]:
    """Puts an answer in the place of the fit, and keeps what it was asked."""

    def install(state: str) -> list[tuple[CalibrationInputs, EarlierCalibration]]:
        asked: list[tuple[CalibrationInputs, EarlierCalibration]] = []

        def verify(inputs: CalibrationInputs, earlier: EarlierCalibration, **_: object) -> Verification:
            asked.append((inputs, earlier))
            p = earlier.parameters
            change = 0.84 if state == "drifted" else 0.01
            changes = (
                ParameterChange("dx", p["dx"].value, 0.01, p["dx"].value, 0.5, 0.5, 0.1, False),
                ParameterChange("dy", 0.2, 0.01, 0.2 + change, 0.02, 0.021, 0.1, True),
            )
            moved = Movement(change, 0.02, 0.02, 1e-9 if state == "drifted" else 0.6)
            still = Movement(0.01, 0.02, 0.02, 0.7)
            if state == "cannot_tell":
                return Verification("cannot_tell", ("The mask was not found in the picture.",), p, p, 1.5)
            found = Verification(state, ("Because.",), p, p, 1.5, changes, moved, still, still, 40.0, 1, 1e-9, 0.1, 20.0, 9.0)  # type: ignore[arg-type]
            return found

        monkeypatch.setattr(engine, "verify", verify)
        return asked

    return install


@pytest.mark.parametrize(
    ("state", "code", "first"),
    [
        ("holds", 0, "The calibration still holds (1.5 s)"),
        ("drifted", 5, "Drifted: 0.84 px down (1.5 s)"),
        ("cannot_tell", 4, "Cannot tell (1.5 s)"),
    ],
)
def test_the_answer_is_the_first_line_and_the_exit_code(cassi: Cassi, answer, state: str, code: int, first: str) -> None:
    asked = answer(state)
    found, out, _ = cassi("verify", "c.cassi.json", "today.npz")
    assert (found, out.splitlines()[0]) == (code, first)
    inputs, earlier = asked[0]
    assert np.allclose(inputs.mask, MASK / MASK.max()) and inputs.dispersion.n_bands == earlier.dispersion.n_bands
    if state == "drifted":
        rows = {row.split()[0]: row for row in out.splitlines()[1:] if row.strip()}
        assert "+0.840 ± 0.021" in rows["dy"] and "+40.0" in rows["dy"] and rows["dy"].endswith("px")
        assert "not told by one picture" in rows["dx"]


def test_json_is_a_document_that_scripts_read(cassi: Cassi, answer) -> None:
    answer("drifted")
    code, out, _ = cassi("verify", "c.cassi.json", "today.npz", "--json")
    found = json.loads(out)
    assert (code, found["format"], found["state"], found["headline"]) == (
        5,
        "cassi-verification",
        "drifted",
        "Drifted: 0.84 px down",
    )
    assert found["parameters"]["dy"]["change"] == pytest.approx(0.84) and found["parameters"]["dy"][
        "in_sigmas"
    ] == pytest.approx(40)
    assert not found["parameters"]["dx"]["told"] and found["moved"]["across"]["moved_px"] == pytest.approx(0.84)


def test_an_entry_of_the_logbook_stands_for_its_file(cassi: Cassi, answer, own_logbook: Path) -> None:
    asked = answer("holds")
    assert cassi("logbook", "add", "c.cassi.json", "--rig", "bench")[0] == 0
    assert cassi("verify", "1", "today.npz")[0] == 0 and len(asked) == 1
    code, _, err = cassi("verify", "7", "today.npz")
    assert code == 3 and "the logbook has no entry 7" in err
    file = Path("c.cassi.json")
    file.write_text(file.read_text().replace('"seed": 0', '"seed": 1').replace('"notes"', '"notes" '))
    code, _, err = cassi("verify", "1", "today.npz")
    assert code == 3 and "the file has changed since entry 1 was added" in err
    file.unlink()
    code, _, err = cassi("verify", "1", "today.npz")
    assert code == 3 and "the calibration file of entry 1 cannot be read" in err


def test_a_mask_that_is_gone_or_does_not_fit_is_told_in_a_sentence(cassi: Cassi, answer) -> None:
    answer("holds")
    Path("mask.npz").rename("elsewhere.npz")
    code, _, err = cassi("verify", "c.cassi.json", "today.npz")
    assert code == 3 and "its mask mask.npz is not there any more" in err and "name it with --mask" in err
    assert cassi("verify", "c.cassi.json", "today.npz", "--mask", "elsewhere.npz")[0] == 0
    np.savez("other.npz", mask=MASK[:20])
    code, _, err = cassi("verify", "c.cassi.json", "today.npz", "--mask", "other.npz")
    assert code == 3 and "20" in err
    np.savez("small.npz", meas=np.random.default_rng(3).random((20, 60)).astype(np.float32))
    code, _, err = cassi("verify", "c.cassi.json", "small.npz", "--mask", "elsewhere.npz")
    assert code == 3 and "small.npz: the measurement has 20 rows and the mask 24" in err


def test_another_mask_file_of_the_same_size_is_used_with_a_warning(cassi: Cassi, answer) -> None:
    answer("holds")
    np.savez("copy.npz", mask=MASK[::-1])
    code, _, err = cassi("verify", "c.cassi.json", "today.npz", "--mask", "copy.npz")
    assert code == 0 and "copy.npz is another file than the mask of the calibration" in err


def test_a_fit_starts_from_an_earlier_calibration(cassi: Cassi) -> None:
    from argparse import Namespace

    earlier = make_result().parameters
    found = start_parameters(CalibrationConfig(), Namespace(fix=(), dispersion=None, start=start("c.cassi.json")))
    assert found.values() == earlier.values() and "dx" in found.refined
    assert start_parameters(CalibrationConfig(), Namespace(fix=(), dispersion=None, start=start("dx=0.5")))["dx"].value == 0.5
