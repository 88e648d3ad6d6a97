"""`cassi logbook`: from the first entry to the drift warning, in words and as JSON."""

from __future__ import annotations

import csv
import io
import json
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_calibration_file import make_result

from cassi_core.cli import main
from cassi_core.io.calibration_file import write_calibration
from cassi_core.logbook.store import Logbook
from cassi_core.result import CalibrationResult, Verdict

Cassi = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cassi(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cassi:
    """Runs one command in an empty folder: exit code, standard output, standard error."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return call


def calibration(name: str, dx: float, sigma: float = 0.02, **changes: object) -> Path:
    """A calibration file in the current folder; each has its own content."""
    made = make_result(**changes)
    return write_calibration(replace(made, parameters=made.parameters.edit("dx", value=dx, sigma=sigma)), Path(name))


def test_from_the_first_entry_to_the_drift_warning(cassi: Cassi, own_logbook: Path) -> None:
    files = [calibration(f"{i}.cassi.json", dx) for i, dx in enumerate((0.10, 0.12, 0.11))]
    code, out, err = cassi("logbook", "list")
    assert (code, out) == (0, "") and f"the logbook {own_logbook} has no entries yet" in err
    code, out, err = cassi("logbook", "add", *files)
    assert code == 2 and "which rig? the logbook has none yet, so give it a name: --rig NAME" in err
    for number, path in enumerate(files):
        day = f"2026-11-{number + 1:02d}T09:30"
        code, out, err = cassi("logbook", "add", path, "--rig", "left bench", "--date", day, "--note", f"day {number}")
        assert (code, err) == (
            0,
            "",
        ) and f"added: entry {number + 1} of the rig 'left bench', 2026-11-0{number + 1} 09:30" in out
    code, out, err = cassi("logbook", "limits", "--set", "dx=-0.5:0.5", "--set", "dy=-30:", "--sigmas", "6")
    rows = [row.split() for row in out.splitlines()]
    assert code == 0 and ["dx", "−0.5", "+0.5", "px"] in rows and ["dy", "−30", "px"] in rows
    assert "a drift beyond 6 standard errors" in out and "the median of the earlier entries" in out
    far = calibration("far.cassi.json", 0.75)
    code, out, err = cassi("logbook", "add", far, "--date", "2026-11-05")
    assert code == 0, "a drift is a warning, not an error"
    assert "warning: drift of the rig 'left bench': dx +0.750 px lies above its upper limit +0.5 px" in err
    # Median 0.11; 0.02 with sqrt(pi/2) sqrt(3) 0.02 / 3 gives 0.02469 px: 0.64 px are 25.9 of them.
    assert "dx +0.750 px differs from the median of 3 earlier entries by +0.640 px: 25.9 standard errors, more than 6" in err
    code, out, err = cassi("logbook", "list")
    assert code == 0 and "DRIFT dx" in out.splitlines()[-1] and err.count("warning: drift") == 2
    assert out.splitlines()[2].split()[:5] == ["1", "2026-11-01", "09:30", "left", "bench"]
    code, out, err = cassi("logbook", "trend", "dx", "--rig", "left bench")
    assert "dx [px] of the rig 'left bench', limits −0.5 px .. +0.5 px" in out
    last = out.splitlines()[6].split()
    assert last == ["4", "2026-11-05", "00:00", "+0.750", "±", "0.020", "+0.640", "+25.9", "warn", "DRIFT"]
    assert "the next one is held against the median of 4 entries: +0.115" in out
    code, out, err = cassi("logbook", "show", 4)
    assert (
        "sha256" in out
        and str(far.absolute()) in out
        and "warn: What the fit cannot explain: the residual is 0.1, 0.05 is usual" in out
    )
    code, out, err = cassi("logbook", "list", "-q", "--until", "2026-10-01")
    assert (code, out, err) == (0, "", "")


def test_the_documents_have_every_digit_and_the_drift(cassi: Cassi) -> None:
    one, two = calibration("1.cassi.json", 0.1 + 0.2, 1e-3), calibration("2.cassi.json", 0.5, 1e-3)
    _, out, _ = cassi("logbook", "add", one, two, "--rig", "bench", "--date", "2026-11-01T12:00:00+00:00", "--json")
    added = json.loads(out)["entries"]
    assert [(e["entry"], e["outcome"], e["verdict"]["status"]) for e in added] == [(1, "new", "warn"), (2, "new", "warn")]
    listed = json.loads(cassi("logbook", "list", "--json")[1])["entries"]
    first, second = listed
    assert first["parameters"]["dx"]["value"] == 0.1 + 0.2 and first["parameters"]["dx"]["reference"] is None
    assert first["calibrated"] == "2026-11-01T12:00:00+00:00" and first["drift"] == []
    assert second["parameters"]["dx"]["change"] == 0.5 - (0.1 + 0.2) and second["drift"][0].startswith("dx +0.500 px differs")
    assert second["parameters"]["dx"]["in_sigmas"] == pytest.approx(0.2 / np.hypot(1e-3, 1e-3))
    assert json.loads(cassi("logbook", "show", 2, "--json")[1]) == second
    trend = json.loads(cassi("logbook", "trend", "dx,dy", "--json")[1])
    assert [t["parameter"] for t in trend["trends"]] == ["dx", "dy"]
    assert [p["value"] for p in trend["trends"][0]["points"]] == [0.1 + 0.2, 0.5]
    assert trend["trends"][0]["points"][1]["drift"] == second["drift"]
    limits = json.loads(cassi("logbook", "limits", "--set", "theta=:0.25", "--sigmas", "off", "--reference", "2", "--json")[1])
    assert (
        limits["limits"]["theta"] == {"lower": None, "upper": 0.25, "unit": "deg"} and limits["limits"]["dx"]["upper"] is None
    )
    assert (limits["sigmas"], limits["reference"], limits["rig"]) == (None, 2, "bench")
    again = json.loads(cassi("logbook", "limits", "--clear", "theta", "--reference", "median", "--json")[1])
    assert again["limits"]["theta"]["upper"] is None and again["reference"] is None and again["sigmas"] is None


def test_entries_are_withdrawn_put_back_removed_and_edited(cassi: Cassi, own_logbook: Path) -> None:
    path = calibration("1.cassi.json", 0.1)
    cassi("logbook", "add", path, "--rig", "bench")
    assert cassi("logbook", "remove", 1)[1] == "withdrawn: entry 1\n"
    assert "no entry fits" in cassi("logbook", "list")[2]
    assert "withdrawn" in cassi("logbook", "list", "--withdrawn")[1]
    assert cassi("logbook", "add", path)[1].startswith("put back: entry 1 of the rig 'bench'")
    assert cassi("logbook", "add", path)[1].startswith("already there: entry 1")
    cassi("logbook", "remove", 1)
    assert cassi("logbook", "restore", 1)[:2] == (0, "put back: entry 1\n")
    assert (
        "changed: entry 1 of the rig 'right', note: new lens"
        in cassi("logbook", "edit", 1, "--note", "new lens", "--rig", "right")[1]
    )
    assert cassi("logbook", "edit", 1)[0] == 2
    assert cassi("logbook", "remove", 1, "--for-good")[1] == "removed for good: entry 1\n"
    assert Logbook(own_logbook).read().entries == ()
    code, _, err = cassi("logbook", "remove", 1)
    assert code == 3 and "the logbook has no entry 1" in err


def test_export_writes_the_chosen_entries(cassi: Cassi) -> None:
    for rig, dx in (("left", 0.1), ("right", 0.2)):
        cassi("logbook", "add", calibration(f"{rig}.cassi.json", dx), "--rig", rig)
    code, out, _ = cassi("logbook", "export", "--csv", "all.csv")
    assert code == 0 and out == f"written: {Path.cwd() / 'all.csv'} (2 entries)\n"
    printed = cassi("logbook", "export", "--csv", "-", "--rig", "right")[1]
    assert [row["dx [px]"] for row in csv.DictReader(io.StringIO(printed))] == ["0.2"]
    assert Path("all.csv").read_text("utf-8").startswith(printed.splitlines()[0])


def test_what_cannot_be_done_is_said_with_the_right_exit_code(cassi: Cassi, own_logbook: Path) -> None:
    one = calibration("1.cassi.json", 0.1)
    code, _, err = cassi("logbook", "add", one, "nothing.cassi.json", "--rig", "bench")
    assert code == 3 and "there is no such file" in err and not own_logbook.exists(), "all or nothing"
    for rig in ("left", "right"):
        cassi("logbook", "add", one, "--rig", rig)
    for arguments, wanted, words in (
        (("trend",), 2, "which rig? the logbook has right, left: --rig NAME"),
        (("trend", "--rig", "middle"), 3, "the logbook has no rig 'middle'; it has right, left"),
        (("trend", "dz", "--rig", "left"), 2, "unknown parameter 'dz'"),
        (("limits", "--rig", "left", "--set", "dx=2:1"), 2, "the lower limit 2 is above the upper limit 1"),
        (("limits", "--rig", "left", "--set", "dx=0.5"), 2, "'dx=0.5' is not NAME=LOWER:UPPER"),
        (("limits", "--rig", "left", "--sigmas", "-1"), 2, "no number of standard errors"),
        (("limits", "--rig", "left", "--reference", "2"), 3, "entry 2 is none of the rig 'left' that counts"),
        (("list", "--verdict", "good"), 2, "'good' is no verdict"),
        (("list", "--since", "2026-02-01", "--until", "2026-01-01"), 2, "comes after the last day"),
        (("list", "--since", "yesterday"), 2, "'yesterday' is no day"),
        (("where", "a.sqlite", "--default"), 2, "not both"),
        (("export", "--csv", "none/all.csv"), 3, "does not exist"),
        ((), 2, "WHAT"),
    ):
        code, _, err = cassi("logbook", *arguments)
        assert (code, words in err) == (wanted, True), (arguments, err)
    own_logbook.write_bytes(b"not a database at all" * 50)
    code, _, err = cassi("logbook", "list")
    assert code == 3 and "damaged or no logbook" in err and "move the file aside" in err


def test_another_file_is_used_once_or_from_now_on(cassi: Cassi, own_logbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = calibration("1.cassi.json", 0.1)
    cassi("logbook", "add", one, "--rig", "bench", "--file", "shared.sqlite")
    assert not own_logbook.exists() and len(Logbook("shared.sqlite").read().entries) == 1
    assert cassi("logbook", "where")[1] == f"{own_logbook}\n"
    code, out, err = cassi("logbook", "where", "shared.sqlite")
    assert (code, out, err) == (0, f"{Path.cwd() / 'shared.sqlite'}\n", "1 entry\n")
    assert "bench" in cassi("logbook", "list")[1]
    code, _, err = cassi("logbook", "where", one)
    assert code == 3 and "no logbook" in err and cassi("logbook", "where")[1].endswith("shared.sqlite\n")
    assert cassi("logbook", "where", "--default")[1] == f"{own_logbook}\n"
    monkeypatch.setenv("CASSI_LOGBOOK", "shared.sqlite")
    assert "bench" in cassi("logbook", "list")[1]
    assert cassi("logbook", "where", "other.sqlite")[0] == 2


def test_help_of_every_part_reads_well(cassi: Cassi) -> None:
    code, out, _ = cassi("logbook", "--help")
    assert code == 0 and "the exit code stays 0" in out and "CASSI_LOGBOOK" in out
    for what in ("add", "list", "show", "trend", "limits", "edit", "export", "remove", "restore", "where"):
        assert f"    {what} " in out
        code, part, _ = cassi("logbook", what, "--help")
        assert code == 0 and "--file FILE" in part


# -- calibrate --------------------------------------------------------------------------------------------------------
@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch, cassi: Cassi) -> Callable[[CalibrationResult], None]:
    """A measurement in the current folder, and a fit that gives what the test says."""
    rng = np.random.default_rng(2)
    measurement = rng.random((24, 38)).astype(np.float32)
    measurement[:, :2] = measurement[:, -2:] = 0
    np.savez("scene.npz", meas=measurement, mask=rng.random((24, 32)).astype(np.float32), n_bands=4)

    def install(result: CalibrationResult) -> None:
        module = types.ModuleType("cassi_core.calibration.pipeline")
        module.calibrate = lambda *_, **__: result
        monkeypatch.setitem(sys.modules, "cassi_core.calibration.pipeline", module)

    return install


def test_calibrate_adds_its_result(cassi: Cassi, fit: Callable[[CalibrationResult], None], own_logbook: Path) -> None:
    fit(make_result())
    code, _, err = cassi("calibrate", "scene.npz", "--logbook")
    assert code == 2 and "which rig?" in err and not Path("scene.cassi.json").exists(), "said before the run"
    assert cassi("calibrate", "scene.npz", "--rig", "bench")[0] == 2
    code, out, _ = cassi("calibrate", "scene.npz", "--logbook", "--rig", "bench")
    assert code == 0 and "added: entry 1 of the rig 'bench'" in out
    (entry,) = Logbook(own_logbook).read().entries
    assert entry.path == str(Path.cwd() / "scene.cassi.json")
    assert cassi("logbook", "add", "scene.cassi.json")[1].startswith("already there: entry 1")
    moved = make_result().parameters.edit("dx", value=9.0)
    fit(make_result(parameters=moved))
    code, out, err = cassi("calibrate", "scene.npz", "--logbook", "--json")
    assert json.loads(out)["parameters"]["dx"]["value"] == 9.0 and "added: entry 2" in err
    assert "warning: drift of the rig 'bench': dx +9.000 px differs from the earlier entry" in err


def test_calibrate_does_not_add_a_failure(cassi: Cassi, fit: Callable[[CalibrationResult], None], own_logbook: Path) -> None:
    fit(make_result(verdict=Verdict("fail", ())))
    code, _, err = cassi("calibrate", "scene.npz", "--logbook", "--rig", "bench")
    assert code == 4 and "not added to the logbook: the verdict is fail" in err and not own_logbook.exists()
    code, _, err = cassi("logbook", "add", "scene.cassi.json", "--rig", "bench")
    assert code == 0 and "the verdict of entry 1 is fail" in err
