"""Simulated rigs with known truth for the benchmarks: files of an independent simulator, read as it writes them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs


@dataclass(frozen=True, eq=False)
class Case:
    """A simulated snapshot with its mask, the true parameters and the true cube's file."""

    name: str
    level: str
    file: Path
    inputs: CalibrationInputs
    truth: dict[str, float]
    step_px: float

    def cube(self) -> NDArray[np.float32]:
        with np.load(self.file.with_name(f"{self.name}.cube.npz")) as z:
            return np.asarray(z["cube"], np.float32)


def shared_folder() -> Path:
    """The folder with `data` and `tools` beside the project (or the parent of CASSI_DATA_DIR)."""
    data = os.environ.get("CASSI_DATA_DIR")
    folder = Path(data).resolve().parent if data else Path(__file__).resolve().parents[3] / "shared"
    if not (folder / "tools" / "rig_simulator.py").exists():
        raise SystemExit(f"{folder}: the simulator and the real masks are not here; set CASSI_DATA_DIR")
    return folder


def load_cases(folder: Path, levels: list[str]) -> list[Case]:
    """The cases of some levels, simulated into `folder` on first use."""
    shared = shared_folder()
    listing = shared / "tools" / "public_cases.json"
    entries = [c for c in json.loads(listing.read_text())["cases"] if c["level"] in levels]
    missing = [c["name"] for c in entries if not (folder / f"{c['name']}.truth.json").exists()]
    if missing:
        tool = str(shared / "tools" / "rig_simulator.py")
        command = [sys.executable, tool, "cases", str(listing), str(folder), "--only", *missing]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return [_load(folder, c) for c in entries]


def _load(folder: Path, entry: dict) -> Case:
    file = folder / f"{entry['name']}.npz"
    with np.load(file) as z:
        dispersion = Dispersion.constant(int(z["n_bands"]), float(z["step_px"]))
        inputs = CalibrationInputs.from_arrays(z["meas"], z["mask"], dispersion)
    return Case(entry["name"], entry["level"], file, inputs, entry["truth"], float(entry["step_px"]))


def simulator() -> Any:
    """The independent simulator, in the order of the light, with its measure of a calibration."""
    return module_from(shared_folder() / "tools" / "rig_simulator.py")


def registration(case: Case, values: dict[str, float]) -> dict[str, float]:
    """Errors along, across, of the pattern (px) and of the wavelengths (bands) of parameters, against the truth of a case."""
    told = json.loads(case.file.with_name(f"{case.name}.truth.json").read_text())
    fit = {k: v for k, v in values.items() if k != "psf"}
    found: dict[str, float] = simulator().registration(fit, told, case.cube())
    return found


def module_from(path: Path) -> ModuleType:
    """A script as a module (the prototype, the registration error)."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
