"""Patterns in the leftover shifts are called by their names and sizes; noise has none."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.quality.shift_pattern import patterns
from cassi_core.result import LocalShift

SHAPE = (660, 714)


def field(law, noise=0.03, seed=0, n=6):
    """A grid of n x n blocks whose shifts follow `law(u, v)`, with shifts to the right known far less well."""
    rng = np.random.default_rng(seed)
    shifts = []
    for row in np.linspace(50, 610, n):
        for col in np.linspace(60, 650, n):
            u, v = (col - 356.5) / 357, (row - 329.5) / 357
            right, down = law(u, v)
            shifts.append(LocalShift(row, col, right + rng.normal(0, 0.3), down + rng.normal(0, noise), 0.5, 0.05))
    return shifts


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("pincushion", lambda u, v: (0.6 * u * (u * u + v * v), 0.6 * v * (u * u + v * v))),
        ("barrel", lambda u, v: (-0.6 * u * (u * u + v * v), -0.6 * v * (u * u + v * v))),
        ("magnification", lambda u, v: (0.5 * u, 0.5 * v)),
        ("bow", lambda u, v: (0.0, 0.5 * v * v)),
    ],
)
def test_a_pattern_is_named(name, law):
    largest = patterns(field(law), SHAPE)[0]
    assert largest.name == name
    assert largest.significance > 3
    assert 0.1 < largest.rms_px < 0.6


def test_rotation_and_shear_are_not_mixed_up():
    """Both shift columns downwards along the row; the shifts to the right tell which it is."""
    rng = np.random.default_rng(1)
    for name, sign in (("rotation", -1.0), ("shear", 1.0)):
        shifts = [
            LocalShift(357 * v + 329.5, 357 * u + 356.5, sign * 0.5 * v + rng.normal(0, 0.02), 0.5 * u, 0.02, 0.02)
            for u in np.linspace(-0.8, 0.8, 5)
            for v in np.linspace(-0.8, 0.8, 5)
        ]
        assert patterns(shifts, SHAPE)[0].name == name


def test_noise_is_no_pattern_and_few_blocks_say_nothing():
    for seed in range(5):
        assert all(p.significance < 4 or p.rms_px < 0.1 for p in patterns(field(lambda u, v: (0.0, 0.0), seed=seed), SHAPE))
    assert patterns(field(lambda u, v: (0.5 * u, 0.5 * v), n=3), SHAPE) == ()


def test_one_wild_block_makes_no_pattern():
    shifts = field(lambda u, v: (0.0, 0.0))
    shifts[0] = LocalShift(shifts[0].row, shifts[0].col, 3.0, 3.0, 0.5, 0.05)
    assert all(p.significance < 4 or p.rms_px < 0.1 for p in patterns(shifts, SHAPE))
