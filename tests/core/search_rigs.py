"""Small simulated rigs for the tests of the searches, and solvers that watch what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cassi_core.calibration.rig_model import RigModel
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import PARAMETER_NAMES
from cassi_core.run import Event, RunControl, RunRecorder
from cassi_core.simulate import Misalignment, SimulatedRig, default_wavelengths, make_mask, make_scene, simulate_rig
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.solvers.protocol import Candidate, GapSettings

SHAPE, BANDS, STEP_PX = (56, 76), 8, 2.0


def make_rig(
    truth: Mapping[str, float], *, seed: int = 0, scene: str = "materials", shape: tuple[int, int] = SHAPE, subbands: int = 1
) -> SimulatedRig:
    """A snapshot of a scene of materials behind a random grey mask, 8 bands."""
    margin = 12
    capture = make_mask("grey", (shape[0] + 2 * margin, shape[1] + 2 * margin), seed=seed)
    cube = make_scene(scene, shape, default_wavelengths(BANDS), seed=seed + 1)
    return simulate_rig(
        cube, capture, Dispersion.constant(BANDS, STEP_PX), Misalignment.of(truth), seed=seed + 2, subbands=subbands
    )


def make_model(truth: Mapping[str, float], *, seed: int = 0, scene: str = "materials") -> RigModel:
    """Its model for the searches."""
    rig = make_rig(truth, seed=seed, scene=scene)
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    return RigModel.from_frame(inputs, inputs.frames[0], margin_px=4)


def record(observe: Callable[[Event], None] | None = None, control: RunControl | None = None) -> RunRecorder:
    """The book-keeping of a run without a plan."""
    return RunRecorder(control or RunControl(), observe, "test", ())


def value(vector: np.ndarray, name: str) -> float:
    return float(vector[PARAMETER_NAMES.index(name)])


class CountingSolver(FusedCpuSolver):
    """The compiled kernel; counts the candidates that it is given by their GAP iterations."""

    def __init__(self, threads: int = 2) -> None:
        super().__init__(threads)
        self.counts: dict[int, int] = {}

    def residuals(self, y: np.ndarray, candidates: Sequence[Candidate], settings: GapSettings, **more: object) -> np.ndarray:  # type: ignore[override]
        self.counts[settings.n_iter] = self.counts.get(settings.n_iter, 0) + len(candidates)
        return super().residuals(y, candidates, settings, **more)  # type: ignore[arg-type]
