"""Rotation and magnification of the mask, which the frames of all wavelengths share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cassi_core.dispersion_measurement.registration import Pose, Registration

SHARED = ("theta", "scale_x", "scale_y")
FAR_SIGMAS = 5.0


@dataclass(frozen=True)
class CommonPose:
    """Rotation in degrees and magnification errors with standard errors; `scatter` is how much the frames differ, in their errors."""

    theta: float
    scale_x: float
    scale_y: float
    sigma: Mapping[str, float]
    scatter: Mapping[str, float]

    def at(self, right: float, down: float) -> Pose:
        """This pose displaced by pixels of the frame."""
        return Pose(right, down, self.theta, self.scale_x, self.scale_y)

    def values(self) -> dict[str, float]:
        """The shared parameters by name."""
        return {name: getattr(self, name) for name in SHARED}

    def sigmas(self) -> dict[str, float]:
        """Their standard errors by name."""
        return dict(self.sigma)

    def as_mask_shift(self, right: float, down: float) -> tuple[float, float]:
        """`(dx, dy)` of :mod:`cassi_core.geometry` for a displacement of the picture: ``R . D . (right, down)``."""
        angle = np.deg2rad(self.theta)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        x, y = right / (1 + self.scale_x), down / (1 + self.scale_y)
        return cos * x - sin * y, sin * x + cos * y


def common_pose(registrations: Sequence[Registration]) -> CommonPose:
    """Weighted mean of the frames' rotations and magnifications, without those that lie far from the median."""
    values: dict[str, float] = {}
    sigma: dict[str, float] = {}
    scatter: dict[str, float] = {}
    for name in SHARED:
        found = np.array([getattr(r.pose, name) for r in registrations])
        errors = np.array([max(r.sigma(name), 1e-9) for r in registrations])
        middle = np.median(found)
        spread = max(1.4826 * float(np.median(np.abs(found - middle))), float(np.median(errors)))
        near = np.abs(found - middle) <= FAR_SIGMAS * np.maximum(spread, errors)
        weights = 1 / errors[near] ** 2
        mean = float((weights * found[near]).sum() / weights.sum())
        free = max(1, int(near.sum()) - 1)
        chi = float(np.sqrt((weights * (found[near] - mean) ** 2).sum() / free))
        values[name], scatter[name] = mean, chi
        sigma[name] = float(1 / np.sqrt(weights.sum())) * max(1.0, chi)
    return CommonPose(values["theta"], values["scale_x"], values["scale_y"], sigma, scatter)
