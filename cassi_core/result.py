"""What a calibration gives back: parameters, scores, verdict, the record of the run and the maps that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Dispersion
from cassi_core.inputs import Source
from cassi_core.parameters import ParameterSet
from cassi_core.run import GridScores, IterationRow, StageReport

VerdictStatus = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Reason:
    """One check behind a verdict: the number, what it was held against, and what it means in words."""

    check: str
    status: VerdictStatus
    value: float
    threshold: float
    text: str


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


@dataclass(frozen=True, eq=False)
class NamedCovariance:
    """A term of the error budget in the rig's frame: covariance `(k, k)` in the order of the correlation's names, formula and origin."""

    name: str
    formula: str
    origin: str
    covariance: NDArray[np.float64]


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
    algorithm that the parameters come from (auto, algorithm1, algorithm2). `outcome` is "done" or "finished_early". `calibrated` is
    when the run ended, with its time zone (None: not known).
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
    outcome: Literal["done", "finished_early"]
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
