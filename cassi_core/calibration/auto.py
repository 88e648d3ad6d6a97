"""Preset `auto`: matched filter, the blur by correlation, then Gauss-Newton with a brief and with a precise scene estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.band_light import with_light
from cassi_core.calibration.block_agreement import across_rms, weighed_with_blocks
from cassi_core.calibration.block_shifts import block_shifts
from cassi_core.calibration.blur_choice import SCATTER_PX, choose_blur, sharpness, smeared_now
from cassi_core.calibration.blur_refit import (
    TRIED,
    Trial,
    blur_of,
    chosen_square,
    looks_sharp,
    vector_with,
    with_error_of_blur,
    worth_another,
)
from cassi_core.calibration.error_bars import Priors
from cassi_core.calibration.gauss_newton import Fit, concluded, fit
from cassi_core.calibration.prealign import PreAlignment, prealign
from cassi_core.calibration.rig_model import Optics, RigModel, relative_residual
from cassi_core.calibration.scene_prior import BRIEF, gap_settings, hidden_share, noise_level, softened
from cassi_core.calibration.straighten import straighten
from cassi_core.calibration.systematic_errors import (
    DISPERSION_NAMES,
    with_held_dispersion,
    with_prior_sensitivity,
    with_pull_of_noise,
    with_pull_of_scene,
    with_sampling_error,
)
from cassi_core.config import AutoSettings, PriorSettings
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.quality.maps import explain
from cassi_core.run import MATCHED_FILTER, GridScores, RunRecorder
from cassi_core.solvers.protocol import GapSolver

DRIFT_PX = 0.15
"""Parameters of the dispersion may drift with dx and dy where a picture hardly tells them: a fit that ends so much further beside the picture
than before is done again without them."""
HIDDEN_SHARE = 0.5
"""From this share of noise on, what lies along the dispersion is taken from the fit with the brief estimate: see ALONG_NAMES."""
ALONG_NAMES = ("dx", "scale_x", "slope", "curve")
"""A blur of the scene that is wide enough for its noise pulls these parameters along the dispersion, where neighbouring bands overlap, and
steadies those across it. On 52 simulated dark rigs the brief estimate with its narrow blur is right to 0.047-0.085 px along the dispersion,
the precise one with its wide blur to 0.12-0.18 px; across it to 0.024-0.049 and 0.019-0.028 px."""


@dataclass(frozen=True, eq=False)
class AutoOutcome:
    """What the preset found: the last fit (None when the mask was not found or nothing is refined) and the pre-alignment."""

    vector: NDArray[np.float64]
    fit: Fit | None
    alignment: PreAlignment
    found: bool
    notes: tuple[str, ...] = ()


EXPECTED_STEPS = 4
"""Comparisons of picture and model that a fit usually needs, the first one included; only the estimate of the time left uses it."""
TRIAL_STEPS = 2
"""Steps of a fit with another blur, from where the first one ended."""
TRIAL_COST = 2
"""What these fits cost together, in the unit of EXPECTED_STEPS."""
BLUR_STEPS, ERROR_BAR_STEPS = 2, 4
"""What choosing the blur and working out the error bars cost, in the same unit."""


def plan() -> tuple[tuple[str, str, float], ...]:
    """Stages as (name, label, expected seconds at 256 x 256 x 28 with eight parameters on two cores)."""
    return (
        (MATCHED_FILTER, "Pre-alignment by matched filter", 0.4),
        ("wide", "Fit with a brief scene estimate", 0.9),
        ("precise", "Fit with a precise scene estimate", 2.3),
    )


def run_auto(
    models: Sequence[RigModel],
    start: ParameterSet,
    settings: AutoSettings,
    solver: GapSolver,
    recorder: RunRecorder,
) -> AutoOutcome:
    """Calibrate from nothing but the snapshots and the nominal mask; `start` in the dispersion frame.

    When no correlation peak rises above `min_peak_z` the mask is not in the picture: nothing is fitted then.
    """
    recorder.begin(MATCHED_FILTER, 1)
    alignment = prealign(
        models,
        reach_px=settings.reach_px,
        reach_deg=settings.reach_deg,
        angle_step_deg=settings.angle_step_deg,
        control=recorder.control,
    )
    recorder.grid(_peak_map(alignment), final=True)
    found = alignment.z >= settings.min_peak_z
    current = _placed(start, alignment) if found else start
    optics = Optics(settings.smear_px)
    if found:
        current = straighten(models, solver, current, optics, recorder.control)
    recorder.row(float("nan"), current.vector())
    recorder.advance()
    recorder.end()
    if not found:
        recorder.message(
            f"the mask was not found in the picture: its best correlation peak is {alignment.z:.1f} times the noise, "
            f"{settings.min_peak_z:g} are needed",
            "warning",
        )
        return AutoOutcome(start.vector(), None, alignment, False)
    notes: list[str] = []

    priors = nominal_priors(start, settings)

    def search(names: tuple[str, ...]) -> tuple[Fit, ParameterSet]:
        return _two_fits(models, current.refining(names), priors, settings, optics, solver, recorder)

    final, ended = search(start.refined)
    sure = tuple(n for n in start.refined if n not in DISPERSION_NAMES)
    shifts = () if recorder.control.finishing else block_shifts(models, solver, ended.vector(), optics, recorder.control)
    if 0 < len(sure) < len(start.refined) and not recorder.control.finishing:
        after, before = across_rms(shifts), 0.0
        if after > DRIFT_PX:
            before = across_rms(block_shifts(models, solver, current.vector(), optics, recorder.control))
        if after > before + DRIFT_PX:
            freed = " and ".join(n for n in start.refined if n not in sure)
            notes.append(
                f"{freed} held at the nominal value: with them free the pattern ended {after:.2f} px beside the picture "
                f"({before:.2f} px before the fit); this picture does not tell them"
            )
            recorder.message(notes[-1], "warning")
            _finish(final, recorder)
            final, ended = search(sure)
            held = {n: priors[n][1] for n in start.refined if n not in sure}
            final = with_held_dispersion(final, models[0].dispersion, held)
            shifts = block_shifts(models, solver, ended.vector(), optics, recorder.control)
    weighed = weighed_with_blocks(final, shifts, models[0], ended)
    if weighed is not final:
        notes.append(
            "the pattern of the mask lies beside the fit by more than chance, in all places alike, as a structure does that no scene of the "
            "model has (fibres, bent optics); fit and pattern are weighed by their errors"
        )
        recorder.message(notes[-1], "info")
        final = weighed
    _finish(final, recorder)
    return AutoOutcome(final.vector, final, alignment, True, tuple(notes))


def _finish(fitted: Fit, recorder: RunRecorder) -> None:
    """End the stage; the last line of its table holds the values of the result, not those of the step before its corrections."""
    recorder.row(fitted.score, fitted.vector, np.array([fitted.sigmas.get(name, np.nan) for name in PARAMETER_NAMES]))
    recorder.end(fitted.score)


def _two_fits(
    models: Sequence[RigModel],
    start: ParameterSet,
    priors: Mapping[str, tuple[float, float]],
    settings: AutoSettings,
    optics: Optics,
    solver: GapSolver,
    recorder: RunRecorder,
) -> tuple[Fit, ParameterSet]:
    """With a brief, then with a precise scene estimate, the blur chosen before; error bars where the last one ended. Leaves its stage open."""
    names = tuple(n for n in start.refined if n != "psf")
    chosen = "psf" in start.refined
    control = recorder.control

    def stage(prior: PriorSettings, at: ParameterSet, optics: Optics) -> Fit:
        """A fit with a scene prior, from a place, with these optics."""
        return fit(
            models,
            at,
            gap_settings(prior),
            solver,
            recorder,
            optics=optics,
            priors=priors,
            max_steps=prior.max_steps,
            tolerance=prior.tolerance,
        )

    def conclude(fitted: Fit, prior: PriorSettings, at: ParameterSet, optics: Optics) -> Fit:
        """The fit with the pull of noise taken off and with error bars."""
        return concluded(fitted, models, at, gap_settings(prior), solver, control, optics=optics)

    recorder.begin("wide", (BLUR_STEPS if chosen else 0) + EXPECTED_STEPS + 1, tail=1)
    unlit = models
    at, known, blur = start.refining(names), optics, None
    if chosen:
        # The blur is told best here: a fit with a brief estimate moves along the dispersion until its own faults look sharp.
        first = sharpness(models, solver, at, known, control)
        at, blur, optics = with_value(at, "psf", first.blur.psf), first.blur, first.optics(first.is_smeared)
        recorder.advance(BLUR_STEPS)
    models = with_light(models, at.vector(), optics, control)
    brief = stage(settings.wide, at, optics)
    at = at.with_vector(brief.vector)
    if blur is not None and not control.finishing:
        # Whether there is a smear is told best now: a step of the dispersion that is not fitted yet looks like one.
        smeared = smeared_now(models, solver, at, first, control)
        if smeared != first.is_smeared:
            optics = first.optics(smeared)
            brief = stage(settings.wide, at, optics)
            at = at.with_vector(brief.vector)
        if not smeared:
            # A mask that lies off looks blurred: believe the picture that the fit has made clearly sharper, but not small changes.
            sharper = choose_blur(models, solver, at, optics, control)
            if sharper.psf < blur.psf - SCATTER_PX:
                at, blur = with_value(at, "psf", sharper.psf), sharper
    recorder.begin_tail()
    if control.finishing:
        last = conclude(brief, settings.wide, at, optics)
    else:
        recorder.end(brief.score)
        # Beside a smear the fit was never tried with other blurs.
        bare = optics is known and known.smear_px == 0
        sharp = blur is not None and bare and looks_sharp(blur, start["psf"], models[0].dispersion.n_bands)
        trial_steps = TRIAL_COST if sharp else 0
        recorder.begin("precise", EXPECTED_STEPS + trial_steps + ERROR_BAR_STEPS, tail=ERROR_BAR_STEPS)
        prior = settings.precise
        if len(models) > 1:
            prior = prior.model_copy(update={"n_iter": max(prior.n_iter, settings.joint_n_iter)})
        noise = noise_level(prior, models, solver, at.vector(), optics, control)
        share = hidden_share(noise)
        prior = softened(prior, noise, settings.noisy_sigma_px)
        kept = None
        if share >= HIDDEN_SHARE and 0 < len(set(at.refined) & set(ALONG_NAMES)) < len(at.refined):
            kept = conclude(brief, settings.wide, at, optics)
            at = at.with_vector(kept.vector).refining(tuple(n for n in at.refined if n not in ALONG_NAMES))
        models = with_light(models, at.vector(), optics, control)
        precise = stage(prior, at, optics)
        trials: tuple[Trial, ...] = ()
        if blur is not None and sharp and share == 0 and not control.finishing:
            trials = _tried_blurs(
                models, unlit, precise, at.with_vector(precise.vector), priors, prior, optics, solver, recorder
            )
            if control.finishing:
                # Trials that were cut short tell nothing.
                trials = ()
            else:
                square = chosen_square(trials)
                changed = square > 0 or blur.psf > 0
                blur = blur_of(square, blur)
                if changed:
                    at = with_value(at.with_vector(vector_with(trials, square)), "psf", blur.psf)
                    precise = stage(prior, at, optics)
        recorder.begin_tail()
        last = with_prior_sensitivity(brief, conclude(precise, prior, at.with_vector(precise.vector), optics))
        if trials:
            last = with_error_of_blur(last, trials, blur.psf**2 if blur is not None else 0.0)
        if kept is not None:
            last = with_kept(last, kept)
        last = with_pull_of_noise(last, models[0].dispersion, share)
    last = with_sampling_error(with_pull_of_scene(last, models[0].mask.shape), models[0].dispersion)
    if blur is not None:
        last = with_blur(last, blur.sigma)
    return last, at.with_vector(last.vector).refining(start.refined)


def _tried_blurs(
    models: Sequence[RigModel],
    unlit: Sequence[RigModel],
    fitted: Fit,
    at: ParameterSet,
    priors: Mapping[str, tuple[float, float]],
    prior: PriorSettings,
    optics: Optics,
    solver: GapSolver,
    recorder: RunRecorder,
) -> tuple[Trial, ...]:
    """The precise fit again without blur and with some, from where it ended; they are no steps of the search and leave no rows."""
    control = recorder.control

    def tried(square: float) -> Trial:
        """The fit with this blur; the one that is there already is not done again."""
        if square == at["psf"].value ** 2:
            return trial(square, fitted.vector)
        begin = with_value(at, "psf", float(np.sqrt(square)))
        silent = RunRecorder(control, None, "auto", plan())
        silent.begin("precise", EXPECTED_STEPS)
        found = fit(
            models,
            begin,
            gap_settings(prior),
            solver,
            silent,
            optics=optics,
            priors=priors,
            max_steps=TRIAL_STEPS,
            tolerance=prior.tolerance,
            known=fitted,
        )
        recorder.advance()
        return trial(square, found.vector)

    def trial(square: float, vector: NDArray[np.float64]) -> Trial:
        """What is left unexplained there."""
        # By the brief estimate: the precise one follows the picture with any blur.
        left = [relative_residual(explain(m, solver, vector, BRIEF, optics, control)[1], m) for m in unlit]
        return Trial(square, vector, float(np.sqrt(np.mean(np.square(left)))))

    trials = [tried(0.0)]
    for square in TRIED:
        if worth_another(trials):
            trials.append(tried(square))
    return tuple(trials)


def nominal_priors(start: ParameterSet, settings: AutoSettings) -> dict[str, tuple[float, float]]:
    """Centre and standard error of the parameters that the rig's drawing knows better than nothing; the start is the drawing."""
    widths = {
        "scale_x": settings.prior_scale,
        "scale_y": settings.prior_scale,
        "slope": settings.prior_slope,
        "curve": settings.prior_curve,
        "alpha": settings.prior_alpha,
    }
    return {name: (start[name].value, width) for name, width in widths.items()}


def with_kept(fitted: Fit, kept: Fit) -> Fit:
    """The fit with the parameters that it held, as an earlier fit `kept` them: uncorrelated with its own, in the order of `kept`."""
    names = kept.names
    own = [names.index(name) for name in fitted.names]
    held = [i for i in range(len(names)) if i not in own]
    covariance = np.zeros((len(names), len(names)))
    covariance[np.ix_(held, held)] = kept.covariance[np.ix_(held, held)]
    covariance[np.ix_(own, own)] = fitted.covariance
    return replace(fitted, names=names, covariance=covariance, prior=kept.prior)


def with_value(parameters: ParameterSet, name: str, value: float) -> ParameterSet:
    """The set with one value changed, whether it is refined or not."""
    vector = parameters.vector()
    vector[PARAMETER_NAMES.index(name)] = value
    return parameters.refining((name,)).with_vector(vector).refining(parameters.refined)


def with_blur(fitted: Fit, sigma: float) -> Fit:
    """The fit with the blur among its parameters: chosen beside it, so correlated with nothing."""
    count = len(fitted.names)
    covariance = np.zeros((count + 1, count + 1))
    covariance[:count, :count] = fitted.covariance
    covariance[count, count] = sigma**2
    prior = Priors(np.append(fitted.prior.centre, 0.0), np.append(fitted.prior.sigma, np.inf))
    return replace(fitted, names=(*fitted.names, "psf"), covariance=covariance, prior=prior)


def _placed(start: ParameterSet, alignment: PreAlignment) -> ParameterSet:
    """The start with the refined ones of dx, dy and theta taken from the pre-alignment."""
    vector = start.vector()
    vector[:3] = alignment.dx, alignment.dy, alignment.theta
    return start.with_vector(vector)


def _peak_map(alignment: PreAlignment) -> GridScores:
    """The pre-alignment as a score map (lower is better): the negative correlation in units of its noise."""
    scores = -alignment.maps.transpose(2, 1, 0)
    return GridScores(
        MATCHED_FILTER,
        ("dx", "dy", "theta"),
        (alignment.shifts_x, alignment.shifts_y, alignment.angles_deg),
        np.ascontiguousarray(scores),
        (alignment.dx, alignment.dy, alignment.theta),
    )
