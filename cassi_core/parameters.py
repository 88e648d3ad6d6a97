"""The parameters of a calibration: names, units, bounds, what is refined and how sure we are.

Signs and units are those of :mod:`cassi_core.geometry` (mask position) and :mod:`cassi_core.dispersion` (band offsets).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import ConfigError
from cassi_core.formatting import format_value as format_value


@dataclass(frozen=True)
class ParameterSpec:
    """What is fixed about a parameter: its name, unit, physical meaning, default bounds and typical step."""

    name: str
    unit: str
    lower: float
    upper: float
    step: float
    """Half step of numerical derivatives, and the increment of a spin box."""
    digits: int
    """Decimals shown when no sigma is known."""
    description: str


SPECS: dict[str, ParameterSpec] = {
    s.name: s
    for s in (
        ParameterSpec("dx", "px", -25.0, 25.0, 0.05, 3, "Mask shift to the right"),
        ParameterSpec("dy", "px", -25.0, 25.0, 0.05, 3, "Mask shift downwards"),
        ParameterSpec("theta", "deg", -3.0, 3.0, 0.02, 3, "Mask rotation"),
        ParameterSpec("scale_x", "", -0.02, 0.02, 2e-4, 5, "Mask magnification error along the columns axis"),
        ParameterSpec("scale_y", "", -0.02, 0.02, 2e-4, 5, "Mask magnification error along the rows axis"),
        ParameterSpec("slope", "px/band", -0.1, 0.1, 2e-3, 4, "Error of the dispersion step"),
        ParameterSpec("curve", "px/band^2", -0.005, 0.005, 1e-4, 5, "Curvature of the dispersion"),
        ParameterSpec("alpha", "deg", -2.0, 2.0, 0.02, 3, "Angle of the dispersion axis from its nominal direction"),
        ParameterSpec("psf", "px", 0.0, 3.0, 0.1, 2, "Width (sigma) of the optical blur of the mask in the rig"),
    )
}

GEOMETRY_NAMES: tuple[str, ...] = ("dx", "dy", "theta", "scale_x", "scale_y", "slope", "curve", "alpha")
"""The eight parameters of a calibration, in the order of every vector."""
PARAMETER_NAMES: tuple[str, ...] = (*GEOMETRY_NAMES, "psf")
"""The eight of the geometry and the blur of the optics."""

BOUND_TOLERANCE = 1e-6
"""A value this close to a bound (relative to the range) counts as lying on it."""


@dataclass(frozen=True)
class Parameter:
    """One parameter with its value, bounds, whether it is refined, and its standard error (None: not known)."""

    name: str
    value: float
    lower: float
    upper: float
    refine: bool = False
    sigma: float | None = None

    def __post_init__(self) -> None:
        if self.name not in SPECS:
            raise ConfigError(f"unknown parameter '{self.name}'; the parameters are {', '.join(PARAMETER_NAMES)}")
        if not all(math.isfinite(v) for v in (self.value, self.lower, self.upper)):
            raise ConfigError(f"{self.name}: value and bounds must be finite numbers")
        if not self.lower <= self.upper:
            raise ConfigError(f"{self.name}: the lower bound {self.lower:g} is above the upper bound {self.upper:g}")
        if self.refine and not self.lower <= self.value <= self.upper:
            raise ConfigError(f"{self.name}: the start value {self.value:g} lies outside {self.lower:g} .. {self.upper:g}")

    @property
    def spec(self) -> ParameterSpec:
        return SPECS[self.name]

    @property
    def unit(self) -> str:
        return SPECS[self.name].unit

    @property
    def at_bound(self) -> bool:
        """True when a refined value ended on one of its bounds."""
        tol = BOUND_TOLERANCE * (self.upper - self.lower)
        # No blur at all is an answer and not an obstacle: nothing lies beyond it that could be let in.
        ends_there = self.name == "psf" and self.lower == 0.0
        return self.refine and ((self.value <= self.lower + tol and not ends_there) or self.value >= self.upper - tol)


@dataclass(frozen=True)
class ParameterSet:
    """All parameters, in the order of :data:`PARAMETER_NAMES`; immutable, edits return a new set."""

    items: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        names = tuple(p.name for p in self.items)
        if names != PARAMETER_NAMES:
            raise ConfigError(f"a parameter set holds {PARAMETER_NAMES}, not {names}")

    @classmethod
    def default(cls, refine: Iterable[str] = (), values: Mapping[str, float] | None = None) -> ParameterSet:
        """Nominal parameters (zeros) with default bounds, refining the named ones."""
        wanted = check_names(refine)
        values = dict(values or {})
        check_names(values)
        return cls(
            tuple(Parameter(s.name, float(values.get(s.name, 0.0)), s.lower, s.upper, s.name in wanted) for s in SPECS.values())
        )

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.items)

    def __getitem__(self, name: str) -> Parameter:
        return self.items[index_of(name)]

    @property
    def refined(self) -> tuple[str, ...]:
        """Names of the refined parameters, in order."""
        return tuple(p.name for p in self.items if p.refine)

    def vector(self) -> NDArray[np.float64]:
        """The values in the order of :data:`PARAMETER_NAMES`, float64 of shape (9,)."""
        return np.array([p.value for p in self.items], float)

    def lower(self) -> NDArray[np.float64]:
        return np.array([p.lower for p in self.items], float)

    def upper(self) -> NDArray[np.float64]:
        return np.array([p.upper for p in self.items], float)

    def values(self) -> dict[str, float]:
        return {p.name: p.value for p in self.items}

    def edit(self, name: str, **changes: object) -> ParameterSet:
        """A copy with fields of one parameter changed (value, lower, upper, refine, sigma)."""
        i = index_of(name)
        changed = replace(self.items[i], **changes)  # type: ignore[arg-type]
        return ParameterSet((*self.items[:i], changed, *self.items[i + 1 :]))

    def with_vector(self, vector: NDArray[np.float64]) -> ParameterSet:
        """A copy with the refined values taken from `vector` (9,); fixed values stay bit-identical."""
        return ParameterSet(
            tuple(
                replace(p, value=float(np.clip(v, p.lower, p.upper))) if p.refine else p
                for p, v in zip(self.items, vector, strict=True)
            )
        )

    def starting_from(self, earlier: ParameterSet) -> ParameterSet:
        """A copy that starts from the values of an earlier calibration; what is refined stays, bounds widen to hold the values."""
        return ParameterSet(
            tuple(
                replace(p, value=e.value, lower=min(p.lower, e.value), upper=max(p.upper, e.value), sigma=None)
                for p, e in zip(self.items, earlier.items, strict=True)
            )
        )

    def with_sigmas(self, sigmas: Mapping[str, float]) -> ParameterSet:
        """A copy with standard errors set where named; the others get None."""
        return ParameterSet(tuple(replace(p, sigma=sigmas.get(p.name)) for p in self.items))

    def refining(self, names: Iterable[str]) -> ParameterSet:
        """A copy that refines exactly the named parameters."""
        wanted = check_names(names)
        return ParameterSet(tuple(replace(p, refine=p.name in wanted) for p in self.items))


def index_of(name: str) -> int:
    """Position of a parameter in every vector; ConfigError for an unknown name."""
    check_names([name])
    return PARAMETER_NAMES.index(name)


def check_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names as a tuple, or a ConfigError that lists the known ones."""
    names = tuple(names)
    for name in names:
        if name not in SPECS:
            raise ConfigError(f"unknown parameter '{name}'; the parameters are {', '.join(PARAMETER_NAMES)}")
    return names
