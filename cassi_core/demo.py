"""The demo rig that ships with the program: a simulated snapshot whose true misalignment is known."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.assets import read_asset
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs, Frame, Source
from cassi_core.parameters import ParameterSet

DEMO_FILE = "demo_rig.npz"
TRUTH_FILE = "demo_rig.truth.json"


@dataclass(frozen=True, eq=False)
class Demo:
    """Inputs of a calibration, the true parameters by name, and the band centres `(L,)` in nm.

    The reference cube of the inputs is the true scene, `(L, H, W)` float32 in steps of 1/255.
    """

    inputs: CalibrationInputs
    truth: dict[str, float]
    wavelengths_nm: NDArray[np.float64]


@dataclass(frozen=True)
class Deviation:
    """How far a fitted parameter is from the truth; `in_sigmas` is None when its standard error is not known."""

    name: str
    value: float
    sigma: float | None
    truth: float

    @property
    def error(self) -> float:
        return self.value - self.truth

    @property
    def in_sigmas(self) -> float | None:
        return self.error / self.sigma if self.sigma else None


def load_demo() -> Demo:
    """The demo rig.

    Raises
    ------
    InputError
        When its files are missing from the installation.
    """
    with np.load(io.BytesIO(read_asset(DEMO_FILE)), allow_pickle=False) as z:
        nm = z["wavelengths_nm"].astype(np.float64)
        dispersion = Dispersion.constant(int(z["n_bands"]), float(z["step_px"]), wavelengths_nm=nm)
        measurement, mask = z["meas"], z["mask"]
        cube = z["cube"].astype(np.float32) * np.float32(z["scale"])
    truth = json.loads(read_asset(TRUTH_FILE))["truth"]
    inputs = CalibrationInputs(
        (Frame(measurement, Source(f"demo:{DEMO_FILE}", "meas", shape=measurement.shape)),),
        mask,
        dispersion,
        Source(f"demo:{DEMO_FILE}", "mask", shape=mask.shape),
        cube,
    )
    return Demo(inputs, {name: float(value) for name, value in truth.items()}, nm)


def deviations(parameters: ParameterSet, truth: dict[str, float]) -> tuple[Deviation, ...]:
    """The refined parameters beside their true values, in the order of the parameters."""
    return tuple(Deviation(p.name, p.value, p.sigma, truth.get(p.name, 0.0)) for p in parameters if p.refine)
