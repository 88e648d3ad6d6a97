"""Coordinate descent on functions whose lowest point is known."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.calibration.line_search import descend
from cassi_core.parameters import ParameterSet

STEPS = {"dx": 0.4, "dy": 0.4, "theta": 0.2}


class Bowl:
    """A tilted bowl with its lowest point, 1, at dx 0.83, dy -1.21, theta 0.37; remembers where it was asked."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    def __call__(self, vectors) -> np.ndarray:
        self.asked += list(vectors)
        d = np.array([v[:3] - [0.83, -1.21, 0.37] for v in vectors])
        return 1 + d[:, 0] ** 2 + 2 * d[:, 1] ** 2 + 3 * d[:, 2] ** 2 + 0.4 * d[:, 0] * d[:, 1]


def last(bowl: Bowl, start: ParameterSet, rounds: int = 4, **more) -> tuple[np.ndarray, float]:
    vector = start.vector()
    return list(descend(vector, float(bowl([vector])[0]), start, STEPS, bowl, rounds=rounds, **more))[-1]


def test_the_lowest_point_is_found_between_the_steps() -> None:
    vector, score = last(Bowl(), ParameterSet.default(STEPS))
    np.testing.assert_allclose(vector[:3], [0.83, -1.21, 0.37], atol=0.01)
    assert score == pytest.approx(1.0, abs=1e-3)


def test_bounds_hold_and_fixed_parameters_are_never_moved() -> None:
    bowl = Bowl()
    start = ParameterSet.default(("dx", "dy"), {"theta": 0.1 + 0.2}).edit("dx", upper=0.5)
    vector, _ = last(bowl, start)
    assert vector[0] == 0.5
    assert {v[2] for v in bowl.asked} == {0.1 + 0.2}
    assert max(v[0] for v in bowl.asked) <= 0.5


def test_stop_ends_after_the_present_round_and_keeps_the_best() -> None:
    bowl = Bowl()
    start = ParameterSet.default(STEPS)
    rounds = list(descend(start.vector(), 10.0, start, STEPS, bowl, rounds=5, stop=lambda: len(bowl.asked) >= 2))
    assert len(rounds) == 1 and len(bowl.asked) == 2
    assert rounds[0][1] < 10.0 and rounds[0][1] == pytest.approx(float(Bowl()([rounds[0][0]])[0]))


def test_points_without_a_score_are_not_taken() -> None:
    def nothing(vectors) -> np.ndarray:
        return np.full(len(vectors), np.nan)

    start = ParameterSet.default(STEPS)
    vector, score = list(descend(start.vector(), 2.0, start, STEPS, nothing, rounds=2))[-1]
    assert score == 2.0 and vector.tobytes() == start.vector().tobytes()
