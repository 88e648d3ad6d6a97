"""Offset over wavelength as a polynomial, with errors; the order chosen by leaving out one frame after the other.

offset(nm) = sum_k c_k * u^k,    u = (nm - centre) / half width of the measured range
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError

Float64 = NDArray[np.float64]

LARGEST_ORDER = 7
SMALLEST_SIGMA_PX = 2e-3
"""No frame counts as surer than this: the formal errors of good frames fall below what the camera's pixels can promise."""
PARSIMONY = 1.15
"""The lowest order whose left-out frames are predicted this nearly as well as by the best order is taken."""
OUTLIER_SIGMAS = 6.0
OUTLIER_PX = 0.08
"""A frame further from what the others say than this, and than as many times their scatter, is not of this curve."""


@dataclass(frozen=True, eq=False)
class DispersionCurve:
    """Travel of the light along the dispersion axis in pixels, over the wavelength, with the covariance of its coefficients.

    `coefficients` `(order + 1,)` belong to powers of ``u`` (see the module), lowest first; `low_nm` and `high_nm` bound what was
    measured; `chi2` is the weighted sum of squared residuals per degree of freedom (None: as many frames as coefficients).
    """

    coefficients: Float64
    covariance: Float64
    low_nm: float
    high_nm: float
    chi2: float | None
    predicted_rms: tuple[float, ...] = ()
    """For each order from 1: how well a left-out frame is predicted, root mean square in pixels (for choosing the order)."""

    @property
    def order(self) -> int:
        return len(self.coefficients) - 1

    def basis(self, wavelengths_nm: Float64) -> Float64:
        """Powers of u `(N, order + 1)`."""
        return _basis(wavelengths_nm, self.order, self.low_nm, self.high_nm)

    def travel(self, wavelengths_nm: Float64) -> Float64:
        """Position along the dispersion axis in pixels, `(N,)`."""
        return np.asarray(self.basis(wavelengths_nm) @ self.coefficients, np.float64)

    def sampled(self, count: int = 200) -> tuple[Float64, Float64]:
        """Wavelengths in nm and travel in pixels `(count,)` over the measured range, for drawing."""
        nm = np.linspace(self.low_nm, self.high_nm, count)
        return nm, self.travel(nm)

    def difference_sigma(self, wavelengths_nm: Float64, reference_nm: float) -> Float64:
        """Standard errors `(N,)` of the travel counted from the travel at a reference wavelength."""
        difference = self.basis(wavelengths_nm) - self.basis(np.array([reference_nm]))
        return np.asarray(
            np.sqrt(np.clip(np.einsum("nk,kl,nl->n", difference, self.covariance, difference), 0, None)), np.float64
        )

    def sigma(self, wavelengths_nm: Float64) -> Float64:
        """Standard errors `(N,)` of the travel."""
        basis = self.basis(wavelengths_nm)
        return np.asarray(np.sqrt(np.clip(np.einsum("nk,kl,nl->n", basis, self.covariance, basis), 0, None)), np.float64)


def fit_curve(wavelengths_nm: Float64, travel_px: Float64, sigma_px: Float64, order: int | None = None) -> DispersionCurve:
    """Weighted polynomial of the order given, or of the one that predicts left-out frames best.

    Parameters
    ----------
    wavelengths_nm, travel_px, sigma_px
        What was measured, `(N,)` each, at two or more different wavelengths.
    order
        Degree of the polynomial, 1 to one less than the number of wavelengths; None: chosen.

    Raises
    ------
    InputError
        Too few different wavelengths for the order.
    """
    distinct = len(np.unique(wavelengths_nm))
    if distinct < 2:
        raise InputError(
            f"{distinct} wavelength{'s' if distinct != 1 else ''} with a usable frame; a curve needs frames at two at least"
        )
    if order is not None and not 1 <= order < distinct:
        raise InputError(
            f"a curve of order {order} cannot be fitted to frames at {distinct} wavelengths; give an order of 1 to {distinct - 1}"
        )
    weights = 1 / np.maximum(sigma_px, SMALLEST_SIGMA_PX)
    low, high = float(wavelengths_nm.min()), float(wavelengths_nm.max())
    orders = range(1, min(LARGEST_ORDER, distinct - 2) + 1)
    rms = tuple(_predicted_rms(wavelengths_nm, travel_px, weights, k, low, high) for k in orders)
    if order is None:
        good = [k for k, value in zip(orders, rms, strict=True) if value <= PARSIMONY * min(rms)]
        order = good[0] if good else 1
    basis = _basis(wavelengths_nm, order, low, high)
    coefficients, inverse, residual = _solve(basis, travel_px, weights)
    free = len(travel_px) - order - 1
    chi2 = float(((weights * residual) ** 2).sum()) / free if free > 0 else None
    return DispersionCurve(coefficients, inverse * max(1.0, chi2 or 1.0), low, high, chi2, rms)


def find_outliers(wavelengths_nm: Float64, values_px: Float64, sigma_px: Float64, order: int) -> tuple[tuple[int, float], ...]:
    """Frames that do not belong to the curve of the others, each with its distance in pixels from what they say.

    One after the other is left out as long as the worst is far off and three frames more than coefficients are left.
    """
    kept = np.arange(len(values_px))
    weights = 1 / np.maximum(sigma_px, SMALLEST_SIGMA_PX)
    low, high = float(wavelengths_nm.min()), float(wavelengths_nm.max())
    found: list[tuple[int, float]] = []
    while len(kept) >= order + 4 and len(np.unique(wavelengths_nm[kept])) > order + 1:
        left, leverage = _deleted_residuals(wavelengths_nm[kept], values_px[kept], weights[kept], order, low, high)
        # At the ends of the range the others predict badly: what is far there may still belong.
        tell = np.abs(left) * np.sqrt(1 - leverage)
        worst = int(tell.argmax())
        others = np.delete(kept, worst)
        _, _, residual = _solve(_basis(wavelengths_nm[others], order, low, high), values_px[others], weights[others])
        few = np.sqrt(len(others) / (len(others) - order - 1))
        scatter = max(1.4826 * few * float(np.median(np.abs(residual))), float(np.median(sigma_px[others])))
        if tell[worst] <= max(OUTLIER_PX, OUTLIER_SIGMAS * scatter):
            break
        found.append((int(kept[worst]), float(left[worst])))
        kept = others
    return tuple(found)


def _basis(wavelengths_nm: Float64, order: int, low: float, high: float) -> Float64:
    u = (np.asarray(wavelengths_nm, np.float64) - (low + high) / 2) / max((high - low) / 2, 1e-9)
    return np.asarray(np.vander(u, order + 1, increasing=True), np.float64)


def _solve(basis: Float64, values: Float64, weights: Float64) -> tuple[Float64, Float64, Float64]:
    """Weighted least squares: coefficients, inverse normal matrix, residuals."""
    weighted = basis * weights[:, None]
    inverse = np.linalg.pinv(weighted.T @ weighted)
    coefficients = inverse @ (weighted.T @ (values * weights))
    return coefficients, np.asarray(inverse, np.float64), values - basis @ coefficients


def _deleted_residuals(
    wavelengths_nm: Float64, values: Float64, weights: Float64, order: int, low: float, high: float
) -> tuple[Float64, Float64]:
    """Distance of each value from the curve through the others, `residual / (1 - leverage)`, and the leverages."""
    basis = _basis(wavelengths_nm, order, low, high)
    _, inverse, residual = _solve(basis, values, weights)
    leverage = np.einsum("nk,kl,nl->n", basis, inverse, basis) * weights**2
    leverage = np.clip(leverage, 0, 1 - 1e-6)
    return np.asarray(residual / (1 - leverage), np.float64), np.asarray(leverage, np.float64)


def _predicted_rms(wavelengths_nm: Float64, values: Float64, weights: Float64, order: int, low: float, high: float) -> float:
    left, _ = _deleted_residuals(wavelengths_nm, values, weights, order, low, high)
    return float(np.sqrt((weights**2 * left**2).sum() / (weights**2).sum()))
