"""The mismatch of a rig under the names that existing scripts use, and its translation into the project's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cassi_core.parameters import ParameterSet


@dataclass(frozen=True)
class MismatchParameters:
    """Where mask and dispersion sit: conventions of :mod:`cassi_core.geometry` and :mod:`cassi_core.dispersion`.

    `disp_a1` is the step itself, ``disp_a1 = nominal step + slope``; the project keeps only its error, ``slope``.
    """

    mask_dx: float = 0.0
    """Mask shift to the right, px (``dx``)."""
    mask_dy: float = 0.0
    """Mask shift downwards, px (``dy``)."""
    mask_theta: float = 0.0
    """Mask rotation, degrees (``theta``)."""
    disp_a1: float = 2.0
    """Dispersion step, px/band."""
    disp_alpha: float = 0.0
    """Angle of the dispersion axis from its nominal direction, degrees (``alpha``)."""
    psf_sigma: float = 0.0
    """Width of the optical blur of the mask, px (``psf``)."""

    def values(self, nominal_step_px: float = 2.0) -> dict[str, float]:
        """The project's values ``dx dy theta slope alpha psf``, with ``slope = disp_a1 - nominal_step_px``."""
        return {
            "dx": self.mask_dx,
            "dy": self.mask_dy,
            "theta": self.mask_theta,
            "slope": self.disp_a1 - nominal_step_px,
            "alpha": self.disp_alpha,
            "psf": self.psf_sigma,
        }

    @classmethod
    def from_values(cls, values: Mapping[str, float], nominal_step_px: float = 2.0) -> MismatchParameters:
        """The mismatch for values of the project; missing names count as 0, scales and `curve` have no place here."""
        return cls(
            mask_dx=float(values.get("dx", 0.0)),
            mask_dy=float(values.get("dy", 0.0)),
            mask_theta=float(values.get("theta", 0.0)),
            disp_a1=nominal_step_px + float(values.get("slope", 0.0)),
            disp_alpha=float(values.get("alpha", 0.0)),
            psf_sigma=float(values.get("psf", 0.0)),
        )

    def parameter_set(self, nominal_step_px: float = 2.0, base: ParameterSet | None = None) -> ParameterSet:
        """`base` (default: nominal parameters) with this mismatch as its values; bounds and refine flags stay."""
        parameters = base or ParameterSet.default()
        for name, value in self.values(nominal_step_px).items():
            parameters = parameters.edit(name, value=float(value))
        return parameters
