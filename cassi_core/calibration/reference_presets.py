"""Presets `reference` (Algorithm 2) and `algorithm1` as the pipeline runs them: a search and its plan of stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cassi_core.calibration import algorithm1, algorithm2
from cassi_core.calibration.algorithm2 import SearchOutcome
from cassi_core.calibration.costs import Workload
from cassi_core.calibration.objective import ScorerCache, choose_device
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.parameters import ParameterSet
from cassi_core.run import RunRecorder
from cassi_core.solvers.protocol import GapSolver

Search = Callable[[Sequence[RigModel], ParameterSet, GapSolver, RunRecorder], SearchOutcome]
Plan = tuple[tuple[str, str, float], ...]
PLAN_VOXELS = 256 * (256 + 54 + 12) * 28
"""Pixels and bands of the pictures that the plans of the stages were measured on, with the padding."""


def searcher(config: CalibrationConfig, load: Workload | None = None) -> tuple[Search, Plan]:
    """The search of the configured preset, dispersion frame, and its stages as (name, label, expected seconds).

    Seconds of one core for a run of that size; without one of two cores for one frame of 256 x 256 x 28.
    """
    if config.preset == "algorithm1":
        return _algorithm1(config), _scaled(algorithm1.stage_plan(config.algorithm1), load)
    refined = config.refine or DEFAULT_REFINE["reference"]
    return _algorithm2(config), _scaled(algorithm2.stage_plan(config.reference, refined, config.algorithm1), load)


def _scaled(plan: Plan, load: Workload | None) -> Plan:
    """A plan for one frame of 256 x 256 x 28 on two cores as one for other sizes, in seconds of one core."""
    if load is None:
        return plan
    share = 2 * load.frames * load.voxels / PLAN_VOXELS
    return tuple((name, label, share * weight) for name, label, weight in plan)


def _algorithm1(config: CalibrationConfig) -> Search:
    def search(models: Sequence[RigModel], start: ParameterSet, solver: GapSolver, recorder: RunRecorder) -> SearchOutcome:
        vector, score = algorithm1.run_algorithm1(models, start, config.algorithm1, solver, recorder)
        return SearchOutcome(vector, score, "algorithm1")

    return search


def _algorithm2(config: CalibrationConfig) -> Search:
    def search(models: Sequence[RigModel], start: ParameterSet, solver: GapSolver, recorder: RunRecorder) -> SearchOutcome:
        device, text = choose_device(config.device, recorder.control)
        recorder.message(text)
        scorer = solver if device == "cpu" else ScorerCache().solver(device, config.threads, recorder.control)
        return algorithm2.run_algorithm2(
            models, start, config.reference, scorer, recorder, device=device, coarse=config.algorithm1
        )

    return search
