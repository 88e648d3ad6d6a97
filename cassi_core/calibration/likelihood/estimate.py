"""From a place within a mask detail to the maximum of the likelihood: coarse fit, then the final one, with their error budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.likelihood.budget import ErrorBudget, ErrorTerm, budget_of
from cassi_core.calibration.likelihood.problem import Evaluation, Indices, RigProblem
from cassi_core.calibration.likelihood.registration_error import registration_error
from cassi_core.calibration.likelihood.scoring import Free, Scored, Stop, free_parameters, score_steps
from cassi_core.optics import OPTICS, OPTICS_NAMES
from cassi_core.parameters import GEOMETRY_NAMES, PARAMETER_NAMES, ParameterSet
from cassi_core.result import RegistrationError
from cassi_core.run import RunRecorder

Vector = NDArray[np.float64]

COARSE_PATCHES, FINAL_PATCHES = 48, 160
"""Patches of the coarse fit, which finds blur, light, scene and noise, and of the first steps of the final one."""
COARSE_STEPS, SUBSET_STEPS = 14, 12
NEEDLESS_STEPS = 3
"""Steps after the terms of the optics that the picture does not show were dropped: it hardly moves."""
ROUGH = 0.3
"""Standard errors below which a step on some of the patches tells nothing."""
COARSE_NAMES = ("dx", "dy", "theta")
"""What moves in the coarse fit besides the blur: with a wrong blur the others run away."""
START_BLUR = 0.4
"""Variance of the blur to start with, px^2: between a sharp rig and a blurred one."""
SAMPLING_BLUR = 0.15
"""What sampling the picture of a mask between its pixels may add to a blur that is held, px^2."""
EVIDENCE_PATCHES, EVIDENCE_PLACES, EVIDENCE_PX = 80, 6, 7.0
"""Patches and places of the evidence, and how far away: beyond a mask detail, within the same brightness."""
LEAST_PSF = 0.1
"""Below this width (px) the error of the blur is that of its square, divided by this."""


def needless(values: Vector, covariance: Vector, priors: Sequence[float]) -> frozenset[int]:
    """Which of some fitted terms are likelier zero than anything that was thinkable before (Savage-Dickey ratio, Dickey 1971).

    ``N(0; v, s^2) > N(0; 0, p^2)`` for a value v with error s and the standard error p of what was known before: the more a picture could have
    shown, the clearer a term has to stand out. The least likely one goes first, and the others are then those given that it is zero.
    """
    v, c = np.array(values, float), np.array(covariance, float)
    dropped: set[int] = set()
    while len(dropped) < len(v):
        variance = np.maximum(np.diag(c), 1e-300)
        odds = np.log(np.asarray(priors) / np.sqrt(variance)) - v**2 / (2 * variance)
        odds[list(dropped)] = -np.inf
        worst = int(np.argmax(odds))
        if odds[worst] <= 0:
            break
        dropped.add(worst)
        gain = c[:, worst] / variance[worst]
        v, c = v - gain * v[worst], c - np.outer(gain, c[worst])
    return frozenset(dropped)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Where the fit ended, in the dispersion frame: vector of all parameters, errors of the refined ones, and what it is based on.

    `optics` are the terms of the optics that were fitted too: the budget names them after the parameters. `prior_sigma` is what was known of each before (infinite: nothing), `smear_px` the length of a band's own smear, `stop` why it ended.
    """

    vector: Vector
    names: tuple[str, ...]
    optics: tuple[str, ...]
    prior_sigma: Vector
    budget: ErrorBudget
    smear_px: float
    spread: float
    stop: Stop
    problem: RigProblem
    x: Vector

    def registration_with(self, covariance: Vector) -> RegistrationError | None:
        """The registration error that a covariance of the refined parameters and the optics amounts to."""
        return registration_error(self.problem, self.x, (*self.names, *self.optics), covariance)

    @property
    def terms(self) -> dict[str, float]:
        """The optics that were fitted, px at the edge."""
        return {name: float(self.x[self.problem.index(name)]) for name in self.optics}

    @property
    def settled(self) -> bool:
        """Whether the last step changed nothing that the error bars do not hide."""
        return self.stop is not Stop.STEPS or bool(
            np.all(np.diag(self.budget.term("convergence").covariance) <= np.diag(self.covariance) / 4)
        )

    @property
    def covariance(self) -> Vector:
        return self.budget.covariance

    @property
    def sigmas(self) -> dict[str, float]:
        named = zip((*self.names, *self.optics), np.diag(self.covariance), strict=True)
        return {n: float(np.sqrt(max(v, 0.0))) for n, v in named}


class Estimator:
    """The likelihood of a run with what is refined, known before, and bounded."""

    def __init__(
        self,
        problem: RigProblem,
        start: ParameterSet,
        known: Mapping[str, tuple[float, float]],
        smear_px: float,
        recorder: RunRecorder,
        optics: Sequence[str] = (),
    ) -> None:
        self.optics = tuple(optics)
        self.problem, self.start, self.recorder = problem, start, recorder
        self.known = {n: known[n] for n in start.refined if n in known} | {n: (0.0, OPTICS[n].prior_px) for n in OPTICS_NAMES}
        self.geometry = tuple(n for n in start.refined if n in GEOMETRY_NAMES)
        psf = start["psf"]
        self.frees_psf = psf.refine
        least = 0.0 if psf.refine else psf.value**2
        most = psf.upper**2 if psf.refine else least + SAMPLING_BLUR
        step = problem.dispersion.step_px
        # A band's own light covers its step, not more.
        smear = (0.0, step**2) if psf.refine and smear_px == 0 else (smear_px**2, smear_px**2)
        self.bounds = {n: (start[n].lower, start[n].upper) for n in self.geometry} | {"blur": (least, most), "smear": smear}
        self.bounds |= {n: (-OPTICS[n].largest_px, OPTICS[n].largest_px) for n in OPTICS_NAMES}
        x = problem.start()
        for name in GEOMETRY_NAMES:
            x[problem.index(name)] = start[name].value
        x[problem.index("blur")] = np.clip(START_BLUR, least, most)
        x[problem.index("smear")] = np.clip(step**2 / 4, *smear)
        self.x = x

    def _free(self, geometry: Sequence[str], light_terms: int, nuisance: bool) -> Free:
        low, high = self.bounds["smear"]
        optics = self.optics if len(geometry) == len(self.geometry) else ()
        names = (*geometry, "blur", *(("smear",) if high > low else ()), *optics)
        return free_parameters(
            self.problem, names, light_terms=light_terms, nuisance=nuisance, known=self.known, bounds=self.bounds, start=self.x
        )

    def coarse(self, steps: int = COARSE_STEPS) -> Scored:
        """Blur, light, scene and noise, with shift and turn, on few patches."""
        names = [n for n in self.geometry if n in COARSE_NAMES]
        scored = self._steps(self._free(names, 2, True), self.problem.subset(COARSE_PATCHES), steps, ROUGH)
        self.x = scored.x
        return scored

    def subset(self) -> Scored:
        """Everything, on some of the patches."""
        scored = self._steps(self._free(self.geometry, 5, True), self.problem.subset(FINAL_PATCHES), SUBSET_STEPS, ROUGH)
        self.x = scored.x
        return scored

    def evidence(self, patches: int = EVIDENCE_PATCHES) -> float:
        """How much likelier the picture is with the mask here than with it some pixels away, nats per patch.

        Against the best of EVIDENCE_PLACES places on a circle: what a mask of another rig gains by being fitted, it loses by moving.
        """
        some = self.problem.subset(patches, seed=1)
        self.problem.hold(self.x)

        def likelihood(x: Vector) -> float:
            return self.problem.evaluate(x, some, nuisance=False, information=False).likelihood

        here, elsewhere = likelihood(self.x), []
        for k in range(EVIDENCE_PLACES):
            moved, angle = self.x.copy(), 2 * np.pi * (k + 0.25) / EVIDENCE_PLACES
            moved[self.problem.index("dx")] += EVIDENCE_PX * np.cos(angle)
            moved[self.problem.index("dy")] += EVIDENCE_PX * np.sin(angle)
            elsewhere.append(likelihood(moved))
        return (here - max(elsewhere)) / sum(len(p) for p in some)

    def final(self, steps: int, tolerance: float, patches: int | None = None) -> Scored:
        """Geometry, blur and light on all patches (or on about so many); scene and noise as they are."""
        some = None if patches is None else self.problem.subset(patches)
        scored = self._steps(self._free(self.geometry, 5, False), some, steps, tolerance)
        self.x = scored.x
        return scored

    def without_needless(self, scored: Scored, tolerance: float) -> Scored:
        """The fit again without the terms of the optics that are likelier to be zero, one after the other, see :func:`needless`."""
        if not self.optics or self.recorder.control.finishing:
            return scored
        places = [self.problem.index(n) for n in self.optics]
        covariance = budget_of(scored, self.optics, places, {}).covariance
        dropped = needless(self.x[places], covariance, [OPTICS[n].prior_px for n in self.optics])
        if not dropped:
            return scored
        for k in dropped:
            self.x[places[k]] = 0.0
        self.optics = tuple(n for k, n in enumerate(self.optics) if k not in dropped)
        return self.final(NEEDLESS_STEPS, tolerance)

    def _steps(self, free: Free, patches: Sequence[Indices] | None, steps: int, tolerance: float) -> Scored:
        def look(x: Vector, found: Evaluation, inverse: Vector, free: Free) -> None:
            errors = np.full(len(PARAMETER_NAMES), np.nan)
            for name in self.geometry:
                at = np.flatnonzero(free.index == self.problem.index(name))
                if at.size:
                    errors[PARAMETER_NAMES.index(name)] = np.sqrt(max(inverse[at[0], at[0]], 0.0))
            self.recorder.row(found.spread, self.vector(x), errors)
            self.recorder.advance()

        return score_steps(self.problem, self.x, free, patches=patches, steps=steps, tolerance=tolerance, look=look)

    def vector(self, x: Vector) -> Vector:
        """All parameters from x; those that are not refined bit-identical."""
        vector = self.start.vector()
        for name in self.geometry:
            vector[PARAMETER_NAMES.index(name)] = x[self.problem.index(name)]
        if self.frees_psf:
            vector[PARAMETER_NAMES.index("psf")] = np.sqrt(max(x[self.problem.index("blur")], 0.0))
        return vector

    def estimate(self, scored: Scored) -> Estimate:
        """What a fit found, with its error budget."""
        refined = {int(i) for i in scored.free.index}
        names = tuple(n for n in self.start.refined if self.problem.index("blur" if n == "psf" else n) in refined)
        columns = [self.problem.index("blur" if n == "psf" else n) for n in names]
        psf = float(np.sqrt(max(scored.x[self.problem.index("blur")], 0.0)))
        optics = tuple(n for n in self.optics if self.problem.index(n) in refined)
        columns += [self.problem.index(n) for n in optics]
        budget = budget_of(scored, (*names, *optics), columns, {"psf": 1 / (2 * max(psf, LEAST_PSF))})
        if "psf" in names and psf == 0:
            budget = budget.plus(self._error_of_no_blur(scored, budget.names))
        prior = np.array([self.known.get(n, (0.0, np.inf))[1] for n in names])
        smear = float(np.sqrt(max(scored.x[self.problem.index("smear")], 0.0)))
        vector = self.vector(scored.x)
        return Estimate(
            vector, names, optics, prior, budget, smear, scored.evaluation.spread, scored.stop, self.problem, scored.x
        )

    def _error_of_no_blur(self, scored: Scored, names: Sequence[str]) -> ErrorTerm:
        """The blur that the picture could hide where none was found: a standard error of its variance, as a width."""
        blur = self.problem.index("blur")
        variance = 1 / np.sqrt(max(scored.evaluation.information[blur, blur], 1e-300))
        return ErrorTerm(
            "no blur",
            "the width whose square is the error of the square",
            "this picture",
            np.diag([variance * (n == "psf") for n in names]),
        )

    def here(self) -> Estimate:
        """What the likelihood says of the errors at the start itself: blur, light, scene and noise fitted, one step of the geometry for its size."""
        self.x = self._steps(self._free((), 5, True), self.problem.subset(COARSE_PATCHES), COARSE_STEPS, ROUGH).x
        return self.estimate(self._steps(self._free(self.geometry, 5, False), None, 1, 0.0))
