"""What a person allows a rig: bounds for each parameter, and how many standard errors a change may have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cassi_core.errors import ConfigError
from cassi_core.parameters import check_names

DEFAULT_SIGMAS = 5.0
"""Up to nine parameters are judged at a time, and a standard error does not know what another scene does to the fit: with 3, every
twentieth calibration of a rig that stands still would be called a drift."""


@dataclass(frozen=True)
class Limit:
    """Bounds of a parameter in its unit; None: open on that side."""

    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        if any(value is not None and not math.isfinite(value) for value in (self.lower, self.upper)):
            raise ConfigError("a limit must be a finite number; leave it out for no limit on that side")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ConfigError(f"the lower limit {self.lower:g} is above the upper limit {self.upper:g}")

    @property
    def is_open(self) -> bool:
        """True where nothing is limited."""
        return self.lower is None and self.upper is None


@dataclass(frozen=True)
class RigLimits:
    """The limits of a rig.

    `sigmas`: a change of more than this many standard errors is a drift (None: changes are not judged). `reference`: number of the
    entry that changes are counted from (None: the median of the earlier entries).
    """

    rig: str
    sigmas: float | None = DEFAULT_SIGMAS
    reference: int | None = None
    parameters: Mapping[str, Limit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_names(self.parameters)
        if self.sigmas is not None and not (math.isfinite(self.sigmas) and self.sigmas > 0):
            raise ConfigError(f"the number of standard errors is {self.sigmas:g}; a positive number is needed")

    def limit(self, name: str) -> Limit:
        """The bounds of a parameter; open where none were set."""
        return self.parameters.get(name, Limit())

    def with_limit(self, name: str, limit: Limit) -> RigLimits:
        """A copy with the bounds of one parameter changed; open bounds are left out."""
        others = {known: bounds for known, bounds in self.parameters.items() if known != name}
        if not limit.is_open:
            others[name] = limit
        return RigLimits(self.rig, self.sigmas, self.reference, others)
