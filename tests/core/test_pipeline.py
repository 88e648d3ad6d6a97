"""A whole run: inputs in, a calibration with its record, proof and verdict out."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import AutoSettings, CalibrationConfig, QualitySettings
from cassi_core.errors import InputError, RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.maps import evaluate
from cassi_core.quality.shift_checks import leftover_rms
from cassi_core.quality.verdict import judge
from cassi_core.result import LocalShift, RegistrationError, Scores
from cassi_core.run import IterationRow, Preview, Progress, RunControl, RunStarted, StageFinished, StageStarted
from tests.core.search_rigs import BANDS, SHAPE, make_rig

TRUTH = {"dx": 1.4, "dy": -0.8, "theta": 0.5}
CONFIG = CalibrationConfig(
    auto=AutoSettings(reach_px=8, reach_deg=1.5, min_peak_z=6.0), refine=("dx", "dy", "theta"), threads=2
)


@pytest.fixture(scope="module")
def inputs():
    rig = make_rig(TRUTH)
    return CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)


@pytest.fixture(scope="module")
def run(inputs):
    events = []
    result = calibrate(inputs, CONFIG, observe=events.append)
    return result, events


def test_the_result_holds_what_was_asked(run, inputs):
    result, _ = run
    for name, tolerance in (("dx", 0.15), ("dy", 0.06), ("theta", 0.15)):
        p = result.parameters[name]
        assert p.value == pytest.approx(TRUTH[name], abs=tolerance)
        assert p.sigma is not None and p.sigma > 0
    assert result.parameters["alpha"].sigma is None
    assert result.scores.residual_after < result.scores.residual_before
    assert result.scores.held_out_after < result.scores.held_out_before
    assert result.verdict.status in ("pass", "warn")
    assert result.outcome == "done" and result.source == "auto"
    assert [s.name for s in result.stages] == ["prealign", "coarse", "final", "proof"]
    assert result.correlation_names == ("dx", "dy", "theta")
    assert np.allclose(np.diag(result.correlation), 1)


def test_the_maps_have_the_sizes_of_the_rig_and_show_the_gain(run, inputs):
    maps = run[0].maps
    assert maps.residual_after.shape == inputs.frames[0].image.shape
    assert maps.cube_after.shape == (BANDS, *SHAPE)
    assert np.std(maps.residual_after) < np.std(maps.residual_before)
    assert leftover_rms(maps.shifts_after) < leftover_rms(maps.shifts_before)
    before = np.median([s.down for s in maps.shifts_before])
    assert before == pytest.approx(TRUTH["dy"], abs=0.3)


def test_without_maps_values_errors_and_verdict_are_the_same(run, inputs):
    with_maps = run[0]
    without = calibrate(inputs, CONFIG.model_copy(update={"quality": QualitySettings(maps=False)}))
    assert without.maps is None and without.parameters == with_maps.parameters
    assert without.verdict == with_maps.verdict
    assert "leftover shifts" in [reason.check for reason in without.verdict.reasons]


def test_the_events_tell_the_run_in_order(run):
    result, events = run
    assert isinstance(events[0], RunStarted)
    started = [e.name for e in events if isinstance(e, StageStarted)]
    assert started == [s.name for s in result.stages]
    fractions = [e.fraction for e in events if isinstance(e, Progress)]
    assert fractions == sorted(fractions) and fractions[-1] > 0.9
    assert tuple(e for e in events if isinstance(e, IterationRow)) == result.table
    previews = [e for e in events if isinstance(e, Preview)]
    assert [e.stage for e in previews] == ["prealign", "coarse"], "the proof shows what comes after the last stage"
    assert not previews[-1].cube.flags.writeable
    assert isinstance(events[-1], StageFinished)
    fitted = result.table[-1]
    assert all(s is not None and s > 0 for s in fitted.sigmas[:3])
    assert fitted.sigmas[3:] == (None,) * 6


def test_a_quick_look_at_the_truth_is_better_than_at_the_nominal(inputs):
    nominal = evaluate(inputs, ParameterSet.default())
    true = evaluate(inputs, ParameterSet.default(values=TRUTH))
    assert true.score < nominal.score
    assert true.residual.shape == inputs.frames[0].image.shape
    assert true.cube.shape == (BANDS, *SHAPE)


@pytest.mark.parametrize("stage", ["prealign", "coarse", "final", "proof"])
def test_cancel_in_every_stage(inputs, stage):
    control = RunControl()

    def observe(event):
        if isinstance(event, StageStarted) and event.name == stage:
            control.cancel()

    with pytest.raises(RunCancelled):
        calibrate(inputs, CONFIG, control=control, observe=observe)


def test_a_pause_holds_the_run_and_is_not_counted(inputs):
    control = RunControl()
    control.pause()
    done = threading.Event()
    result = []

    def work():
        result.append(calibrate(inputs, CONFIG, control=control))
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert not done.wait(0.5)
    assert control.paused
    control.resume()
    assert done.wait(60)
    assert control.paused_seconds > 0.4


def test_the_mask_of_another_rig_fails_in_words(inputs):
    other = make_rig({}, seed=77)
    strange = CalibrationInputs.from_arrays(inputs.frames[0].image, other.mask, inputs.dispersion)
    config = CONFIG.model_copy(update={"auto": AutoSettings(reach_px=8, reach_deg=1.5)})
    result = calibrate(strange, config)
    assert result.verdict.status == "fail"
    assert any("not found" in r.text for r in result.verdict.reasons)
    assert result.parameters["dx"].value == 0.0


def test_a_bound_and_a_systematic_leftover_are_warnings(inputs):
    parameters = ParameterSet.default(("alpha",)).edit("alpha", value=2.0)
    shifts = [LocalShift(0, 0, 0.3, 0.0, 0.01, 0.01), LocalShift(0, 9, -0.3, 0.0, 0.01, 0.01)]
    verdict = judge(parameters, Scores(0.2, 0.1, 0.2, 0.1), inputs=inputs, peak_z=30.0, min_peak_z=12.0, shifts=shifts)
    bad = {r.check: r.status for r in verdict.reasons if r.status != "pass"}
    assert bad == {"bounds": "warn", "leftover shifts": "warn"}
    assert verdict.status == "warn"


def test_a_peak_just_above_the_limit_is_a_warning_that_says_what_to_do(inputs):
    def reason(z):
        verdict = judge(ParameterSet.default(), Scores(0.2, 0.1), inputs=inputs, peak_z=z, min_peak_z=8.0)
        return next(r for r in verdict.reasons if r.check == "mask found")

    assert [reason(z).status for z in (7.9, 8.1, 11.9, 12.1)] == ["fail", "warn", "warn", "pass"]
    assert "9.0 times the noise, from 12 on" in reason(9.0).text and "light" in reason(9.0).text


def test_the_likelihood_decides_whether_the_mask_is_there(inputs):
    def reason(nats):
        verdict = judge(ParameterSet.default(), Scores(0.2, 0.1), inputs=inputs, peak_z=6.0, min_peak_z=8.0, evidence=nats)
        return next(r for r in verdict.reasons if r.check == "mask found")

    assert [reason(nats).status for nats in (0.8, 2.5, 9.0)] == ["fail", "warn", "pass"]
    assert "some pixels away" in reason(0.8).text and "light" in reason(2.5).text


def test_the_registration_error_is_part_of_the_verdict(inputs):
    def found(across, pattern, bands):
        error = RegistrationError(across, 0.01, pattern, 0.01, bands, 0.01, 7.0)
        verdict = judge(
            ParameterSet.default(), Scores(0.2, 0.1), inputs=inputs, peak_z=None, min_peak_z=8.0, registration=error
        )
        return {r.check: r for r in verdict.reasons}

    good, bad, blue = found(0.02, 0.03, 0.01), found(0.02, 0.2, 0.01), found(0.02, 0.03, 2.0)
    assert good["registration error"].status == "pass" and good["registration error"].value == 0.03
    assert bad["registration error"].status == "warn" and "0.200 px along" in bad["registration error"].text
    assert blue["wavelength error"].status == "pass" and "14.00 nm" in blue["wavelength error"].text


@pytest.mark.parametrize(("extra", "words"), [(-3, "3 fewer columns"), (2, "2 more columns")])
def test_a_width_that_does_not_fit_the_bands_is_a_warning(inputs, extra, words):
    """A wrong step or band count can look right in every other check."""
    image = inputs.frames[0].image
    wide = image[:, :extra] if extra < 0 else np.pad(image, ((0, 0), (0, extra)))
    wrong = CalibrationInputs.from_arrays(wide, inputs.mask, inputs.dispersion)

    def verdict(of):
        return judge(ParameterSet.default(), Scores(0.2, 0.1), inputs=of, peak_z=30.0, min_peak_z=8.0)

    assert verdict(inputs).status == "pass"
    assert verdict(wrong).status == "warn"
    assert words in next(r.text for r in verdict(wrong).reasons if r.check == "width")


def test_a_worse_residual_is_a_failure(inputs):
    verdict = judge(ParameterSet.default(), Scores(0.1, 0.2), inputs=inputs, peak_z=None, min_peak_z=12.0)
    assert verdict.status == "fail"
    proven = judge(ParameterSet.default(), Scores(0.1, 0.2), inputs=inputs, peak_z=20.0, min_peak_z=8.0, evidence=20.0)
    assert proven.status == "warn", "the likelihood knows better than a brief reconstruction"


def test_leftover_within_its_errors_counts_as_none():
    rng = np.random.default_rng(0)
    noise = [LocalShift(0, 0, *rng.normal(0, 0.2, 2), 0.2, 0.2) for _ in range(200)]
    assert leftover_rms(noise) < 0.08


def test_the_engine_finds_the_same_with_the_torch_solver(run, inputs, monkeypatch):
    """The path of a GPU, on the processor: same place to 1e-3 px, and the result says where it ran."""
    from cassi_core.solvers.torch_gap import TorchGapSolver

    monkeypatch.setattr("cassi_core.calibration.pipeline._solver", lambda config, control: TorchGapSolver("cpu"))
    other = calibrate(inputs, CONFIG).parameters
    for name in ("dx", "dy", "theta"):
        assert other[name].value == pytest.approx(run[0].parameters[name].value, abs=1e-3)
        assert other[name].sigma == pytest.approx(run[0].parameters[name].sigma, rel=0.02)


def test_a_gpu_that_is_not_there_is_named(inputs):
    with pytest.raises(InputError, match="cuda:7"):
        calibrate(inputs, CONFIG.model_copy(update={"device": "cuda:7"}))
