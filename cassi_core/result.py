"""What a calibration gives back: parameters, scores, verdict, the record of the run and the maps that prove it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Dispersion
from cassi_core.inputs import Source
from cassi_core.parameters import ParameterSet
from cassi_core.quality.check_words import CHECKS, Action
from cassi_core.run import GridScores, IterationRow, StageReport

VerdictStatus = Literal["pass", "warn", "fail"]
LimitDirection = Literal["at most", "at least"]
"""On which side of its limit the value of a check should lie."""
Outcome = Literal["done", "finished_early", "not_finished"]
"""How a run ended: to its end, stopped during the final fit (its errors hold), stopped in a search (no error is known)."""


@dataclass(frozen=True)
class Limits:
    """What a value is held against: `warn` is left first, `fail` further out; None: there is no such limit."""

    direction: LimitDirection
    warn: float | None = None
    fail: float | None = None

    def judge(self, value: float) -> tuple[VerdictStatus, float | None]:
        """The status of a value and the limit that decided it; the one place where numbers become a verdict."""
        limits: tuple[tuple[VerdictStatus, float | None], ...] = (("fail", self.fail), ("warn", self.warn))
        for status, limit in limits:
            if limit is not None and not keeps(value, self.direction, limit):
                return status, limit
        return "pass", self.fail if self.warn is None else self.warn


def keeps(value: float, direction: LimitDirection, limit: float) -> bool:
    """Whether a value lies on the right side of its limit or on it; one that is not known does not."""
    return value <= limit if direction == "at most" else value >= limit


@dataclass(frozen=True)
class Reason:
    """One check behind a verdict: the number, what it was held against, and what it means in words.

    With a `direction`, status, value and threshold agree: a check is passed exactly when the value lies on that side of the threshold.
    Without one the status was not decided by the number. `threshold` is None where there is no limit, `value` NaN where there is no number.
    `unit` is that of both. `light_factor`: so many times the light bring the value to its limit (None: theory does not say).

    Raises
    ------
    ValueError
        When status, value and threshold contradict each other.
    """

    check: str
    status: VerdictStatus
    value: float
    threshold: float | None
    text: str
    direction: LimitDirection | None = None
    unit: str = ""
    advice: str = ""
    actions: tuple[Action, ...] = ()
    light_factor: float | None = None

    def __post_init__(self) -> None:
        words = CHECKS.get(self.check)
        if self.threshold is not None and not math.isfinite(self.threshold):
            object.__setattr__(self, "threshold", None)
        held = self.direction is not None and self.threshold is not None
        if held and keeps(self.value, self.direction, self.threshold) != (self.status == "pass"):  # type: ignore[arg-type]
            raise ValueError(f"{self.check}: {self.value:g}, {self.direction} {self.threshold:g}, is no {self.status}")
        if words is not None and not self.advice:
            object.__setattr__(self, "advice", words.advice)
        if words is not None and not self.actions and self.status != "pass":
            object.__setattr__(self, "actions", words.actions)

    @property
    def title(self) -> str:
        """The name of the check on the screen."""
        words = CHECKS.get(self.check)
        return self.check.replace("_", " ").capitalize() if words is None else words.title

    @property
    def means(self) -> str:
        """What the check measures, one sentence."""
        words = CHECKS.get(self.check)
        return "" if words is None else words.means

    @property
    def causes(self) -> str:
        """Why it is typically not passed."""
        words = CHECKS.get(self.check)
        return "" if words is None else words.causes

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Reason:
        """A check as a file holds it; fields that came later may be missing, numbers may be null.

        A check of an old file whose numbers contradict its status keeps the status and is held against nothing.
        """
        numbers = {n: None if record.get(n) is None else float(record[n]) for n in ("value", "threshold", "light_factor")}
        value = math.nan if numbers["value"] is None else numbers["value"]
        direction, status, limit = record.get("direction"), record["status"], numbers["threshold"]
        if direction is not None and limit is not None and keeps(value, direction, limit) != (status == "pass"):
            direction = None
        known = get_args(Action)
        return cls(
            str(record["check"]),
            status,
            value,
            limit,
            str(record["text"]),
            direction,
            str(record.get("unit") or ""),
            str(record.get("advice") or ""),
            tuple(a for a in record.get("actions") or () if a in known),
            numbers["light_factor"],
        )


def judged(
    check: str,
    value: float,
    limits: Limits,
    text: Mapping[VerdictStatus, str],
    *,
    unit: str = "",
    advice: str = "",
    actions: tuple[Action, ...] = (),
    light_factor: float | None = None,
) -> Reason:
    """A check whose status comes from its value and its limits; `text` by status (that of "pass" stands in for one that is missing)."""
    status, limit = limits.judge(value)
    wanted = actions if status != "pass" else ()
    words = text.get(status, text["pass"])
    return Reason(check, status, float(value), limit, words, limits.direction, unit, advice, wanted, light_factor)


@dataclass(frozen=True)
class Verdict:
    """Whether to trust a calibration; the status is the worst of its reasons."""

    status: VerdictStatus
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Scores:
    """Relative data residual ||y - A x|| / ||y|| (weighted, borders left out) with the start and the fitted parameters.

    The held-out pair is the same on measurement pixels that the reconstruction did not see (None: not computed).
    """

    residual_before: float
    residual_after: float
    held_out_before: float | None = None
    held_out_after: float | None = None


@dataclass(frozen=True)
class RegistrationError:
    """How far off the mask may be in this picture: expected rms errors over the lit picture, each with its own standard deviation.

    `across` the dispersion and `pattern` along it (px) blur pictures and spectra; `wavelength` (bands) only renames them.
    `nm_per_band` is the mean distance of the bands where wavelengths are known.
    """

    across_px: float
    across_sigma_px: float
    pattern_px: float
    pattern_sigma_px: float
    wavelength_bands: float
    wavelength_sigma_bands: float
    nm_per_band: float | None = None

    @property
    def wavelength_nm(self) -> float | None:
        return None if self.nm_per_band is None else self.wavelength_bands * self.nm_per_band


@dataclass(frozen=True)
class OpticsTerm:
    """What the lenses do, as found: a term of :mod:`cassi_core.optics` (dispersion frame), px at the edge of the mask's picture."""

    name: str
    value_px: float
    sigma_px: float


@dataclass(frozen=True, eq=False)
class NamedCovariance:
    """A term of the error budget in the rig's frame: covariance `(k, k)` in the order of the correlation's names, formula and origin."""

    name: str
    formula: str
    origin: str
    covariance: NDArray[np.float64]


@dataclass(frozen=True)
class GridStep:
    """Distance of neighbouring candidates of an unfinished search along one parameter, in the unit of the parameter."""

    name: str
    step: float


@dataclass(frozen=True)
class LocalShift:
    """Shift of the mask pattern left over in one block of the measurement, right/down pixels with standard errors."""

    row: float
    col: float
    right: float
    down: float
    sigma_right: float
    sigma_down: float


@dataclass(frozen=True, eq=False)
class QualityMaps:
    """Pictures of a finished calibration, all in the rig's frame.

    Residual maps `(H, Wm)` float32 are y - A x with the start and the fitted parameters; cubes `(L, H, W)` float32 are the
    reconstructions behind them; the shift fields list the local shifts left over with the start and the fitted parameters.
    """

    residual_before: NDArray[np.float32]
    residual_after: NDArray[np.float32]
    cube_before: NDArray[np.float32]
    cube_after: NDArray[np.float32]
    shifts_before: tuple[LocalShift, ...] = ()
    shifts_after: tuple[LocalShift, ...] = ()


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """A finished calibration in the rig's frame.

    `correlation` is the correlation matrix of the refined parameters in the order of `correlation_names`. `source` names the
    algorithm that the parameters come from (auto, algorithm1, algorithm2). `calibrated` is when the run ended, with its time zone
    (None: not known).

    A search that was stopped (`outcome` "not_finished") has no errors: no sigma, no correlation, no registration error, no error terms;
    `grid_steps` says how far apart the candidates were that it had compared.
    """

    parameters: ParameterSet
    start: ParameterSet
    scores: Scores
    verdict: Verdict
    mask: NDArray[np.float32]
    mask_source: Source
    dispersion: Dispersion
    inputs: tuple[Source, ...]
    preset: str
    source: str
    outcome: Outcome
    stages: tuple[StageReport, ...]
    table: tuple[IterationRow, ...]
    grids: tuple[GridScores, ...]
    seconds_total: float
    device: str
    seed: int
    threads: int = 1
    correlation_names: tuple[str, ...] = ()
    correlation: NDArray[np.float64] | None = None
    peak_z: float | None = None
    maps: QualityMaps | None = None
    notes: tuple[str, ...] = ()
    calibrated: datetime | None = None
    registration: RegistrationError | None = None
    error_terms: tuple[NamedCovariance, ...] = ()
    optics: tuple[OpticsTerm, ...] = ()
    """Terms of the optics that the picture shows; those that are not named are zero within their errors."""
    grid_steps: tuple[GridStep, ...] = ()
