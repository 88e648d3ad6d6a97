"""What a verification gives back: whether the earlier calibration holds, what moved, by how much, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cassi_core.parameters import SPECS, ParameterSet

VerificationState = Literal["holds", "drifted", "cannot_tell"]


@dataclass(frozen=True)
class ParameterChange:
    """One refined parameter, earlier and today, in the rig's frame and in the parameter's unit.

    `sigma` is the standard error of the change (both errors together), `allowed` the change that alone would shift the mask by the allowed
    registration error (rms over the lit picture). One that is not `told` by one picture counts for nothing.
    """

    name: str
    old: float
    old_sigma: float | None
    new: float
    new_sigma: float
    sigma: float
    allowed: float
    told: bool

    @property
    def unit(self) -> str:
        return SPECS[self.name].unit

    @property
    def change(self) -> float:
        return self.new - self.old

    @property
    def significance(self) -> float:
        """The change in standard errors, with its sign."""
        return self.change / self.sigma if self.sigma > 0 else 0.0


@dataclass(frozen=True)
class Movement:
    """By how much the mask moved in the picture in one respect: rms over the lit picture, px.

    `sigma_px` is its standard error, `expected_px` what the errors alone would show of a mask that stands still, and `probability` how often
    they would show as much as was found.
    """

    moved_px: float
    sigma_px: float
    expected_px: float
    probability: float


@dataclass(frozen=True)
class Verification:
    """Whether an earlier calibration holds for today's picture.

    `across` the dispersion and `pattern` along it shift mask details against each other, `common` along it is shared by a band's whole picture.
    `chi_square` of all told changes has `degrees` degrees of freedom and is reached by chance with `probability`. `parameters` are today's values
    with their errors (the earlier ones where the mask was not found), to start a fit from. The reasons are sentences.
    """

    state: VerificationState
    reasons: tuple[str, ...]
    earlier: ParameterSet
    parameters: ParameterSet
    seconds: float
    changes: tuple[ParameterChange, ...] = ()
    across: Movement | None = None
    pattern: Movement | None = None
    common: Movement | None = None
    chi_square: float | None = None
    degrees: int = 0
    probability: float | None = None
    limit_px: float = 0.0
    peak_z: float | None = None
    evidence: float | None = None

    @property
    def found(self) -> bool:
        """Whether the mask was found in today's picture."""
        return bool(self.changes)

    def change(self, name: str) -> ParameterChange | None:
        """The change of a parameter; None where it was not refined, or the mask not found."""
        return next((c for c in self.changes if c.name == name), None)

    @property
    def moved_most(self) -> ParameterChange | None:
        """The told parameter whose change shifts the mask furthest; None where none is told."""
        told = [c for c in self.changes if c.told]
        return max(told, key=lambda c: abs(c.change) / c.allowed, default=None)
