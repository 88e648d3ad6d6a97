"""Where the mask is in today's picture: a brief fit that starts from the earlier values, and looks further only where it must.

The coarse fit of preset auto (blur, light, scene, noise, shift and turn on few patches) begins at the old place, or where a matched filter
round it points if the picture is likelier there. If the picture does not need the mask where that ends, the matched filter looks as far as that
of a calibration does. Then come a few steps of the whole geometry on a share of the patches: a verification need not be as exact as a calibration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cassi_core.calibration.auto import TRIED_PEAK, nominal_priors
from cassi_core.calibration.costs import COARSE_EXPECTED
from cassi_core.calibration.likelihood.estimate import Estimate, Estimator
from cassi_core.calibration.likelihood.problem import RigProblem
from cassi_core.calibration.prealign import PreAlignment, prealign
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.calibration.straighten import straighten
from cassi_core.config import AutoSettings
from cassi_core.parameters import ParameterSet
from cassi_core.progress import Part
from cassi_core.quality.fit_checks import FAR_PX, LEAST_EVIDENCE
from cassi_core.run import RunRecorder
from cassi_core.solvers.fused_cpu import FusedCpuSolver, ensure_compiled

PLACE, FURTHER, CHANGE = "place", "further", "change"
"""Names of the stages; the second one takes place only where the mask is not near its old place."""
PATCHES = 160
"""Patches of the last steps: as many as the first steps of a calibration's final fit, errors of some hundredths of a pixel."""
PATCH_SHARE = 8
"""One in so many patches where that is more."""
MORE, MORE_STEPS, WANTED_PX = 4, 2, FAR_PX / 2**0.5
"""Where the errors, with an earlier calibration of the same error, are larger than what is allowed, the fit goes on with so many times the patches."""
EVIDENCE_PATCHES = 40
"""Half of what a calibration takes: the question is whether the picture needs the mask, not by how much."""
TRY = (Part(COARSE_EXPECTED, 0.12), Part(1, 0.3))
"""Coarse fit and evidence, expected seconds at 256 x 256 x 28 on two cores."""
TRIED_PATCHES = 48
"""Patches on which two places are held against each other."""
SAME_PLACE_PX = 0.5
"""The matched filter is no better than this: a peak as near as that is the old place."""


@dataclass(frozen=True, eq=False)
class Today:
    """The fit of today's picture in the dispersion frame (None: the mask was not found) and how sure it is that the mask is there."""

    estimate: Estimate | None
    peak_z: float
    evidence: float | None


def plan() -> tuple[tuple[str, str, float], ...]:
    """Stages as (name, label, expected seconds at 256 x 256 x 28 on two cores)."""
    return (
        (PLACE, "The mask at its old place", 1.5),
        (FURTHER, "The mask further away", 0.2),
        (CHANGE, "What changed", 1.0),
    )


def find_today(
    models: Sequence[RigModel], old: ParameterSet, optics: Mapping[str, float], settings: AutoSettings, recorder: RunRecorder
) -> Today:
    """Fit today's pictures from the old values and with the optics that the earlier calibration found (dispersion frame)."""
    search = _Search(models, old, optics, settings, recorder)
    recorder.begin(PLACE, 0, parts=(Part(1, 0.2), *TRY))
    near = search.look(settings.angle_step_deg)
    recorder.advance()
    recorder.next_part()
    evidence = search.try_from(search.likelier(old, search.placed(near)))
    recorder.end()
    peak = near.z
    if evidence < LEAST_EVIDENCE:
        recorder.begin(FURTHER, 0, parts=(Part(1, 1.0), *TRY))
        far = search.look(settings.reach_deg)
        recorder.advance()
        recorder.next_part()
        peak = far.z
        if far.z >= TRIED_PEAK:
            evidence = search.try_from(search.straightened(far))
        recorder.end()
    if evidence < LEAST_EVIDENCE:
        return Today(None, peak, evidence)
    recorder.begin(CHANGE, settings.max_steps)
    patches = max(PATCHES, search.count // PATCH_SHARE)
    estimate = search.estimate(patches, settings.max_steps)
    if patches < search.count and off_by(estimate) > WANTED_PX:
        estimate = search.estimate(MORE * patches, MORE_STEPS)
    recorder.end(estimate.spread)
    return Today(estimate, peak, evidence)


def off_by(estimate: Estimate) -> float:
    """The larger registration error of a fit, across or along, px."""
    error = estimate.registration_with(estimate.covariance)
    return 0.0 if error is None else max(error.across_px, error.pattern_px)


class _Search:
    """One problem for all the places that are tried; `estimator` is the one of the last place."""

    def __init__(
        self,
        models: Sequence[RigModel],
        old: ParameterSet,
        optics: Mapping[str, float],
        settings: AutoSettings,
        recorder: RunRecorder,
    ) -> None:
        self.models, self.old, self.optics, self.settings, self.recorder = models, old, optics, settings, recorder
        self.problem = RigProblem(models, settings.margin_px, models[0].threads, recorder.control)
        self.estimator = self._estimator(old)
        self.count = sum(snapshot.count for snapshot in self.problem.snapshots)

    def estimate(self, patches: int, steps: int) -> Estimate:
        """A few steps of the whole geometry on about so many patches."""
        return self.estimator.estimate(self.estimator.final(steps, self.settings.tolerance, patches))

    def _estimator(self, start: ParameterSet) -> Estimator:
        # Today's blur is nobody's word: another focus must not look like another place.
        free = start if start["psf"].refine else start.edit("psf", refine=True, value=float(np.clip(start["psf"].value, 0, 3)))
        estimator = Estimator(
            self.problem, free, nominal_priors(self.old, self.settings), self.settings.smear_px, self.recorder
        )
        if self.old["psf"].refine:
            estimator.x[self.problem.index("blur")] = max(self.old["psf"].value, 0.0) ** 2
        for name, value_px in self.optics.items():
            estimator.x[self.problem.index(name)] = value_px
        return estimator

    def look(self, reach_deg: float) -> PreAlignment:
        """The matched filter round the old values."""
        return prealign(
            self.models,
            reach_px=self.settings.reach_px,
            reach_deg=reach_deg,
            angle_step_deg=self.settings.angle_step_deg,
            near=self.old.values(),
            control=self.recorder.control,
        )

    def placed(self, alignment: PreAlignment) -> ParameterSet:
        """The old values with the refined ones of dx and dy from the matched filter, and theta where it saw a turn."""
        vector = self.old.vector()
        vector[:3] = alignment.dx, alignment.dy, alignment.theta
        return self.old.with_vector(vector)

    def straightened(self, alignment: PreAlignment) -> ParameterSet:
        """The place of the matched filter, made right everywhere in the picture."""
        control = self.recorder.control
        ensure_compiled(control)
        solver = FusedCpuSolver(self.models[0].threads)
        return straighten(
            self.models, solver, self.placed(alignment), Optics(self.settings.smear_px, terms=dict(self.optics)), control
        )

    def likelier(self, old: ParameterSet, other: ParameterSet) -> ParameterSet:
        """Which of two places the picture likes better before anything is fitted."""
        if np.hypot(*(other.vector() - old.vector())[:2]) <= SAME_PLACE_PX:
            return old
        patches = self.problem.subset(TRIED_PATCHES)

        def likelihood(place: ParameterSet) -> float:
            x = self._estimator(place).x
            self.problem.hold(x)
            return self.problem.evaluate(x, patches, nuisance=False, information=False).likelihood

        return max((old, other), key=likelihood)

    def try_from(self, start: ParameterSet) -> float:
        """The coarse fit from a place; how much likelier the picture is where it ends than some pixels away, nats per patch."""
        self.estimator = self._estimator(start)
        self.estimator.coarse(COARSE_EXPECTED)
        self.recorder.next_part()
        found = self.estimator.evidence(EVIDENCE_PATCHES)
        self.recorder.advance()
        return found
