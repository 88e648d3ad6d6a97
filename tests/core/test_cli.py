"""The command line: output on the right stream, exit codes, the calibration file, cancelling, progress."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import types
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_calibration_file import make_result
from test_orientation import coded_snapshot

from cassi_core import __version__
from cassi_core.cli import COMMANDS, main
from cassi_core.cli.interrupt import cancel_on_interrupt
from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.devices import check_device
from cassi_core.errors import InputError, NumericsError
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import read_calibration
from cassi_core.parameters import ParameterSet
from cassi_core.result import CalibrationResult, Verdict
from cassi_core.run import GridScores, IterationRow, Message, Progress, RunControl, RunStarted, StageFinished, StageStarted

ROOT = Path(__file__).resolve().parents[2]
MASK = np.random.default_rng(1).random((24, 32)).astype(np.float32)
MEAS = np.random.default_rng(2).random((24, 38)).astype(np.float32)
MEAS[:, :2] = MEAS[:, -2:] = 0  # no background where only one band sends light

Call = tuple[CalibrationInputs, CalibrationConfig, ParameterSet]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A measurement file, with an empty current folder."""
    np.savez(tmp_path / "scene.npz", meas=MEAS, mask=MASK, n_bands=4)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "scene.npz"


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., CalibrationResult]], list[Call]]:
    """Puts a function in place of the fit and records what it was called with."""

    def install(answer: Callable[..., CalibrationResult]) -> list[Call]:
        calls: list[Call] = []

        def calibrate(inputs, config, parameters, *, control, observe) -> CalibrationResult:
            calls.append((inputs, config, parameters))
            observe(RunStarted(config.preset, (("fit", "Fit"),), "cpu"))
            observe(StageStarted("fit", "Fit", 0, 2))
            observe(Progress("fit", 1, 2, 0.5, 1.0, 1.0))
            observe(Message("warning", "something odd"))
            observe(StageFinished("fit", "Fit", 2.0, 0.1))
            return answer(control)

        module = types.ModuleType("cassi_core.calibration.pipeline")
        module.calibrate = calibrate
        monkeypatch.setitem(sys.modules, "cassi_core.calibration.pipeline", module)
        return calls

    return install


def test_calibrate_prints_a_table_and_writes_the_file(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    calls = pipeline(lambda control: make_result())
    assert main(["calibrate", str(rig)]) == 0
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    assert ["dx", "+0.30", "±", "0.33", "px", "refined", "+0.500"] in rows
    assert ["dy", "−25.000", "px", "at", "its", "bound", "0.000"] in rows
    assert ["slope", "+0.0010", "px/band", "held", "+0.0010"] in rows
    assert "residual        0.2346 before, 0.1000 after" in out and "verdict         warn" in out
    assert "warn: What the fit cannot explain: the residual is 0.1, 0.05 is usual" in out
    written = Path.cwd() / "scene.cassi.json"
    assert f"written: {written}" in out
    assert read_calibration(written).parameters == make_result().parameters
    assert (
        "preset auto, 1 stages, on cpu" in err and "Fit: 2.0 s, unexplained 0.1000" in err and "warning: something odd" in err
    )
    inputs, config, parameters = calls[0]
    assert inputs.dispersion.n_bands == 4 and config.preset == "auto"
    assert parameters.refined == DEFAULT_REFINE["auto"]
    assert main(["calibrate", str(rig)]) == 0
    assert f"written: {written}, in the place of an earlier file" in capsys.readouterr().out


def test_json_alone_goes_to_standard_output_and_no_file_is_written(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    pipeline(lambda control: make_result())
    assert main(["calibrate", str(rig), "--json"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["format"] == "cassi-calibration" and document["parameters"]["dx"]["value"] == 0.1 + 0.2
    assert "Fit: 2.0 s" in err and list(Path.cwd().iterdir()) == []


def test_json_and_out_do_both(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    pipeline(lambda control: make_result())
    assert main(["calibrate", str(rig), "--json", "--out", "here.cassi.json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(Path("here.cassi.json").read_text(encoding="utf-8"))
    assert f"written: {Path.cwd() / 'here.cassi.json'}" in err


def test_the_record_of_the_search_is_written_as_tables(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    row = IterationRow("fine", 3, 1.5, 0.25, tuple(float(i) for i in range(9)), None)
    axes = (np.array([0.0, 1.0]), np.array([-1.0]))
    grid = GridScores("stage 0", ("dx", "dy"), axes, np.array([[0.5], [0.25]], np.float32), (1.0, -1.0))
    pipeline(lambda control: make_result(table=(row,), grids=(grid,)))
    assert main(["calibrate", str(rig), "--iterations", "i.csv", "--grids", "g.csv"]) == 0
    assert f"written: {Path.cwd() / 'g.csv'}" in capsys.readouterr().out
    heading, only = (line.split(",") for line in Path("i.csv").read_text().splitlines())
    assert only[heading.index("dy [px]")] == "1.0" and only[heading.index("residual")] == "0.25"
    assert Path("g.csv").read_text().splitlines() == [
        "stage,dx [px],dy [px],score,best",
        "stage 0,0.0,-1.0,0.5,0",
        "stage 0,1.0,-1.0,0.25,1",
    ]
    assert main(["calibrate", str(rig), "--iterations", "none/i.csv"]) == 3, "before anything is computed"


def test_quiet_keeps_notes_back_but_not_warnings(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    pipeline(lambda control: make_result())
    assert main(["calibrate", str(rig), "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == "warning: something odd\n" and "verdict" in out


def test_the_options_reach_the_fit(rig: Path, pipeline):
    calls = pipeline(lambda control: make_result())
    Path("c.json").write_text('{"preset": "algorithm1", "seed": 3, "auto": {"margin_px": 9}}')
    options = [
        "--refine",
        "dx, slope,theta",
        "--fix",
        "theta",
        "--start",
        "dx=0.5,alpha=-1",
        "--seed",
        "5",
        "--config",
        "c.json",
    ]
    assert main(["calibrate", str(rig), "--device", "cpu", "--bands", "7", "--mode", "integer", *options]) == 0
    inputs, config, parameters = calls[0]
    assert (config.preset, config.seed, config.device, config.auto.margin_px) == ("algorithm1", 5, "cpu", 9)
    assert parameters.refined == ("dx", "slope")
    assert parameters["dx"].value == 0.5 and parameters["alpha"].value == -1
    assert inputs.dispersion.n_bands == 7 and inputs.dispersion.step_px == 1 and inputs.dispersion.mode == "integer"


@pytest.mark.parametrize(("preset", "names"), [("reference", "dx dy theta"), ("algorithm1", "dx dy theta slope alpha")])
def test_a_preset_brings_its_own_choice_of_parameters(rig: Path, pipeline, preset: str, names: str):
    calls = pipeline(lambda control: make_result())
    assert main(["calibrate", str(rig), "--preset", preset]) == 0
    assert calls[0][2].refined == tuple(names.split())


def test_a_failed_verdict_is_exit_code_4_and_is_written(rig: Path, pipeline):
    pipeline(lambda control: make_result(verdict=Verdict("fail")))
    assert main(["calibrate", str(rig), "--out", "a.cassi.json"]) == 4
    assert read_calibration("a.cassi.json").verdict.status == "fail"


def test_an_error_of_the_fit_is_a_sentence(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    def fail(control: RunControl) -> CalibrationResult:
        raise NumericsError("the residual is not finite")

    pipeline(fail)
    assert main(["calibrate", str(rig)]) == 1
    assert capsys.readouterr().err.endswith("cassi: the residual is not finite\n")
    assert list(Path.cwd().iterdir()) == []


def press_ctrl_c(control: RunControl) -> CalibrationResult:
    os.kill(os.getpid(), signal.SIGINT)
    control.checkpoint()
    raise AssertionError("the checkpoint should have raised")


@pytest.mark.skipif(os.name == "nt", reason="Windows delivers no SIGINT to itself")
def test_ctrl_c_cancels_and_nothing_is_written(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    before = signal.getsignal(signal.SIGINT)
    pipeline(press_ctrl_c)
    assert main(["calibrate", str(rig)]) == 130
    assert capsys.readouterr().err.endswith("cassi: cancelled; nothing was written\n")
    assert list(Path.cwd().iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="Windows delivers no SIGINT to itself")
def test_ctrl_c_at_the_very_end_still_writes_nothing(rig: Path, pipeline):
    def late(control: RunControl) -> CalibrationResult:
        os.kill(os.getpid(), signal.SIGINT)
        return make_result()

    pipeline(late)
    assert main(["calibrate", str(rig)]) == 130
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows delivers no SIGINT to itself")
def test_a_second_ctrl_c_ends_a_run_that_does_not_listen():
    control = RunControl()
    with pytest.raises(KeyboardInterrupt), cancel_on_interrupt(control):
        os.kill(os.getpid(), signal.SIGINT)
        assert control.cancelled
        os.kill(os.getpid(), signal.SIGINT)
        signal.sigtimedwait([], 1) if hasattr(signal, "sigtimedwait") else None


def test_outside_the_main_thread_signals_are_left_alone():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work() -> None:
        with cancel_on_interrupt(RunControl()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_findings_come_before_the_run_as_warnings(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    spoiled = MEAS.copy()
    spoiled[:10] = spoiled.max()
    np.savez(rig, meas=spoiled, mask=MASK, n_bands=4)
    pipeline(lambda control: make_result())
    assert main(["calibrate", str(rig)]) == 0
    err = capsys.readouterr().err
    assert f"warning: {rig}: saturated pixels: 381 pixels" in err
    assert err.index("saturated pixels") < err.index("preset auto")


def test_several_stems_and_keys_give_the_name_of_the_file(rig: Path, pipeline):
    pipeline(lambda control: make_result())
    assert main(["calibrate", f"{rig}::meas", str(rig)]) == 0
    assert [p.name for p in Path.cwd().iterdir()] == ["scene.cassi.json"]


def check_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and findings by code of `cassi check --json`."""
    code = main(["check", *arguments, "--json"])
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert err == "" and document["format"] == "cassi-check"
    return code, {finding["code"]: finding for finding in document["findings"]}


def test_check_finds_the_mask_and_prints_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    y, mask = coded_snapshot(dx=3, dy=-2)
    np.savez(tmp_path / "a.npz", meas=y, mask=mask, n_bands=8)
    assert main(["check", str(tmp_path / "a.npz")]) == 0
    out, err = capsys.readouterr()
    assert "snapshot 96 x 110, mask 96 x 96, 8 bands, 2 px per band, direction right" in out and err == ""
    assert "info     Mask found: " in out and "about 3.0 px to the right, 2.0 px up" in out
    code, found = check_json(capsys, str(tmp_path / "a.npz"))
    assert code == 0 and set(found) == {"mask_found", "band_train"} and found["band_train"]["severity"] == "info"


def test_check_says_when_the_mask_is_the_wrong_way_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    y, mask = coded_snapshot(0, 0)
    np.savez(tmp_path / "a.npz", meas=y, mask=mask[::-1], n_bands=8)
    code, found = check_json(capsys, str(tmp_path / "a.npz"))
    assert code == 4 and "when it is mirrored upside down" in found["orientation"]["text"]


def test_version_and_help_need_nothing_heavy():
    program = (
        "import sys; from cassi_core.cli import main; code = main(sys.argv[1:]); "
        "print('loaded', sorted({'numba', 'torch', 'scipy', 'h5py', 'pydantic'} & set(sys.modules))); sys.exit(code)"
    )
    for arguments, words in (
        (["--help"], "calibrate"),
        (["--version"], f"cassi {__version__}"),
        (["calibrate", "--help"], "MEAS"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert done.returncode == 0 and words in done.stdout
        assert done.stdout.endswith("loaded []\n")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name, (_, text) in COMMANDS.items():
        assert name in out and text in out
    assert main([]) == 2
    assert "required: COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_quiet(name: str, capsys: pytest.CaptureFixture[str]):
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: cassi {name}") and "--quiet" in out


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "cassi_core.cli", "calibrate", "none.npz"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 3 and done.stderr == "cassi: none.npz: there is no such file; check the name and the folder\n"


def test_devices_without_torch_or_driver_are_told(monkeypatch: pytest.MonkeyPatch):
    from cassi_core import devices as device

    check_device("auto")
    check_device("cpu")
    monkeypatch.setattr(device, "_torch_has_cuda", lambda: False)
    with pytest.raises(InputError, match="no support for CUDA"):
        check_device("cuda")
    monkeypatch.setattr(device, "_torch_has_cuda", lambda: True)
    monkeypatch.setattr(device, "driver_devices", lambda: 0)
    with pytest.raises(InputError, match="has no CUDA device"):
        check_device("cuda:0")
    monkeypatch.setattr(device, "driver_devices", lambda: 2)
    check_device("cuda:1")
    with pytest.raises(InputError, match=r"has 2 CUDA device\(s\)"):
        check_device("cuda:2")


def test_the_driver_is_asked_for_its_devices(monkeypatch: pytest.MonkeyPatch):
    """A driver of our own: it counts three devices, fails to start, or is the one of another maker."""
    from cassi_core import devices as device

    class Driver:
        def __init__(self, start: int) -> None:
            self.start = start

        def cuInit(self, flags: int) -> int:
            return self.start

        def cuDeviceGetCount(self, count: Any) -> int:
            count._obj.value = 3
            return 0

    monkeypatch.setattr(device.ctypes, "CDLL", lambda name: Driver(0))
    assert device.driver_devices() == 3
    monkeypatch.setattr(device.ctypes, "CDLL", lambda name: Driver(100))
    assert device.driver_devices() == 0

    def only_rocm(name: str) -> Driver:
        if "hip" not in name:
            raise OSError(name)
        return Driver(0)

    monkeypatch.setattr(device.ctypes, "CDLL", only_rocm)
    assert device.driver_devices() is None


def test_warnings_and_log_lines_of_this_program_are_shown_and_others_are_not(
    rig: Path, pipeline, capsys: pytest.CaptureFixture[str]
):
    def noisy(control: RunControl) -> CalibrationResult:
        logging.getLogger("cassi_core.somewhere").warning("the device was changed")
        logging.getLogger("some.library").warning("internal gossip")
        warnings.warn("a warning for the user", UserWarning, stacklevel=1)
        warnings.warn("for developers", DeprecationWarning, stacklevel=1)
        return make_result()

    pipeline(noisy)
    assert main(["calibrate", str(rig), "--quiet"]) == 0
    err = capsys.readouterr().err
    assert "warning: the device was changed\n" in err and "warning: a warning for the user\n" in err
    assert "gossip" not in err and "developers" not in err


def test_a_reader_that_goes_away_is_no_error(rig: Path, pipeline, monkeypatch: pytest.MonkeyPatch):
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    pipeline(lambda control: make_result())
    monkeypatch.setattr(sys, "stdout", Broken())
    assert main(["calibrate", str(rig), "--json"]) == 0
    sys.stdout.close()


def test_early_finish_is_said(rig: Path, pipeline, capsys: pytest.CaptureFixture[str]):
    pipeline(lambda control: replace(make_result(), outcome="finished_early"))
    assert main(["calibrate", str(rig)]) == 0
    assert "finished early" in capsys.readouterr().out
