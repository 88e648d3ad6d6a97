"""What a verdict, a value and a comparison say in words: signs, units and limits as a person reads them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.logbook.entry import Measured
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.quality.check_words import CHECKS
from cassi_core.quality.comparison import off_truth, since_entry
from cassi_core.quality.headline import headline, value_and_limit
from cassi_core.quality.names import GLOSSARY, NAMES, screen_name, screen_value, where_it_sits
from cassi_core.quality.noise import noise_share
from cassi_core.quality.optics_words import optics_sentences
from cassi_core.result import OpticsTerm, Reason, Verdict

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gui"))
import fakes


def values(**named: float) -> ParameterSet:
    return ParameterSet.default(("dx", "dy", "theta", "scale_x"), named)


def test_where_the_mask_sits_turns_signs_into_words() -> None:
    assert (
        where_it_sits(values(dx=1.376, dy=-0.848, theta=0.415))
        == "1.38 px to the right and 0.85 px up, turned 0.415 deg to the left"
    )
    assert (
        where_it_sits(values(dx=-0.69, dy=0.22, theta=-0.1))
        == "0.69 px to the left and 0.22 px down, turned 0.100 deg to the right"
    )
    assert where_it_sits(values(dx=0.004, dy=-0.004)) == "where its file puts it"


def test_tables_keep_the_signs_of_the_file_and_the_decimals_of_the_error() -> None:
    found = values(dy=-0.8482, scale_x=0.002153).with_sigmas({"dy": 0.0098, "scale_x": 0.000084})
    assert screen_value(found["dy"]) == "\N{MINUS SIGN}0.8482 ± 0.0098"
    assert screen_value(found["scale_x"]) == "+0.2153 ± 0.0084" and screen_name("scale_x").unit == "%"
    assert screen_value(found["dy"], error=False) == "\N{MINUS SIGN}0.848"
    assert screen_value(values(theta=-5.551e-17)["theta"]) == "0.000", "no minus and no exponent for nothing"


def test_along_and_across_swap_for_a_dispersion_downwards_but_the_symbols_do_not() -> None:
    assert (screen_name("scale_x").words, screen_name("scale_x").symbol) == ("Larger along", "scale_x")
    assert (screen_name("scale_x", "down").words, screen_name("scale_x", "down").symbol) == ("Larger across", "scale_x")
    assert screen_name("dx", "down") is NAMES["dx"]
    assert tuple(NAMES) == PARAMETER_NAMES and {t.term for t in GLOSSARY} >= {"residual", "psf", "correlation matrix", "dx"}


@pytest.mark.parametrize(
    ("status", "title", "said"),
    [
        (
            "pass",
            "The mask is right",
            "It sits 0.83 px to the right and 0.42 px up, turned 0.210 deg to the left. Every check passed.",
        ),
        ("warn", "The mask is nearly right", "One check wants a look; what to do is below."),
    ],
)
def test_the_headline_of_pass_and_warn_says_where_the_mask_sits(status: str, title: str, said: str) -> None:
    got = headline(fakes.result(status=status))
    assert (got.standing, got.title) == (status, title) and said in got.sentence


def failed(check: str, value: float = 1.0, **changes: object) -> object:
    reason = Reason(
        check,
        "fail",
        value,
        8.0 if check == "mask found" else 0.0,
        "something",
        "at least" if check == "mask found" else "at most",
    )
    return headline(fakes.result(status="fail", verdict=Verdict("fail", (reason,)), **changes))


def test_the_headline_of_a_failure_is_its_reason() -> None:
    lost = failed("mask found", 4.0, peak_z=4.0)
    assert lost.title == "The mask was not found"
    assert lost.sentence.startswith(
        "The strongest trace of the mask is 4.0 times the noise; a mask that is there gives 8 or more."
    )
    assert lost.sentence.endswith("Do not use this calibration.")
    stuck = fakes.fitted_parameters().edit("dx", value=25.0)
    assert failed("bounds", parameters=stuck).sentence.startswith("Shift right ended at its bound of 25 px.")
    assert failed("residual").title == "The fit did not help"
    assert failed("pattern in what is left").title == "Something else is in the picture"


def test_a_stopped_search_is_no_verdict() -> None:
    reason = Reason(
        "search not finished", "fail", float("nan"), None, "Stopped in stage 2 of 6. How wrong the values are is not known."
    )
    got = headline(fakes.result(verdict=Verdict("fail", (reason,)), outcome="not_finished"))
    assert (got.standing, got.title, got.sentence) == ("not_finished", "Search not finished", reason.text)


def test_value_and_limit_have_the_same_decimals() -> None:
    reason = Reason("leftover shifts", "warn", 0.13, 0.1, "", "at most", "px")
    assert value_and_limit(reason) == ("0.13 px", "limit 0.10")
    assert value_and_limit(Reason("residual", "pass", 0.853, 1.02, "", "at most")) == ("0.85", "limit 1.02"), (
        "a limit is never rounded away"
    )
    assert value_and_limit(Reason("mask found", "pass", 41.0, 12.0, "", "at least", "times the noise"))[1] == "at least 12"
    assert value_and_limit(Reason("settled", "warn", float("nan"), None, "")) == ("", "")
    assert set(CHECKS) >= {"leftover shifts", "mask found", "settled"}


def test_distances_from_a_truth_and_from_an_earlier_entry_are_in_errors() -> None:
    found = values(dx=1.38, dy=-0.85).with_sigmas({"dx": 0.01, "dy": 0.02})
    assert off_truth(found, {"dx": 1.37, "dy": -0.83}) == {
        "dx": "+1.0 σ", "dy": "\N{MINUS SIGN}1.0 σ", "theta": "not known", "scale_x": "not known"
    }  # fmt: skip
    earlier = {"dx": Measured(1.33, 0.0, True), "dy": Measured(-0.80, 0.015, True), "theta": Measured(0.1, None, False)}
    assert since_entry(found, earlier) == {"dx": "+5.0 σ", "dy": "\N{MINUS SIGN}2.0 σ", "theta": "", "scale_x": ""}


@pytest.mark.parametrize("sigma", [0.01, 0.04])
def test_the_noise_of_a_picture_is_told_from_the_picture_alone(rng: np.random.Generator, sigma: float) -> None:
    """A mask in light of a wide spectrum that ends softly: neighbouring bands cancel where the noise is measured."""
    mask = (rng.random((120, 140)) > 0.5).astype(np.float32)
    image = np.zeros((120, 168), np.float64)
    for band in range(15):
        image[:, 2 * band : 2 * band + 140] += np.hanning(17)[band + 1] * mask / 8
    light = float(np.sqrt(np.mean(image[8:-8, 8:-8] ** 2)))
    noisy = image + rng.normal(0, sigma * light, image.shape)
    inputs = CalibrationInputs.from_arrays(noisy.astype(np.float32) + 0.2, mask, Dispersion.constant(15, 2.0))
    assert noise_share(inputs) == pytest.approx(sigma, rel=0.25)
    small = replace(inputs, frames=(replace(inputs.frames[0], image=inputs.frames[0].image[:20]),), mask=inputs.mask[:20])
    assert noise_share(small) is None


def test_what_the_lenses_do_is_said_with_its_direction_and_only_where_it_is_sure() -> None:
    terms = (OpticsTerm("colour1", -1.49, 0.05), OpticsTerm("radial", 0.31, 0.04), OpticsTerm("bow_u2", 0.05, 0.04))
    said = optics_sentences(terms, Dispersion.constant(3, 2.0, wavelengths_nm=np.array([450.0, 550.0, 650.0])))
    assert [s.name for s in said] == ["colour1", "radial"]
    assert said[0].words == "Colours are magnified differently: 650 nm 3 px less than 450 nm at the edge."
    assert said[0].number == "\N{MINUS SIGN}1.490 ± 0.050 px at the edge"
    assert said[1].words == "The lens pulls the edges outwards by 0.31 px."
    assert "the last band 3 px less than the first band" in optics_sentences(terms, Dispersion.constant(3, 2.0))[0].words
