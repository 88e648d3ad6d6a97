"""What the picture tells, in words."""

from __future__ import annotations

import numpy as np

from cassi_core.quality.identifiability import what_the_picture_tells

NAMES = ("dx", "slope", "alpha")
PRIOR = np.array([np.inf, 0.03, 1.0])


def test_everything_told_passes_and_names_all() -> None:
    reason = what_the_picture_tells(NAMES, np.diag([0.01, 0.002, 0.02]) ** 2, PRIOR)
    assert reason.status == "pass" and reason.text == "the picture tells dx, slope, alpha"


def test_a_parameter_that_only_the_prior_knows_is_named() -> None:
    reason = what_the_picture_tells(NAMES, np.diag([0.01, 0.028, 0.02]) ** 2, PRIOR)
    assert reason.status == "warn" and reason.value > 0.9
    assert "the picture tells dx, alpha; slope is known no better than before" in reason.text


def test_a_pair_that_cannot_be_told_apart_is_named_with_its_sign() -> None:
    sigma = np.array([0.02, 0.001, 0.02])
    correlation = np.array([[1.0, -0.98, 0.1], [-0.98, 1.0, 0.0], [0.1, 0.0, 1.0]])
    reason = what_the_picture_tells(NAMES, correlation * np.outer(sigma, sigma), PRIOR)
    assert "dx and slope can hardly be told apart (correlation −0.98)" in reason.text and reason.status == "pass"
    assert what_the_picture_tells(("dx",), np.array([[1e-4]]), np.array([np.inf])).text == "the picture tells dx"
