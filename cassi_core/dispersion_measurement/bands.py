"""From a measured curve to the bands of a reconstruction: wavelengths, offsets from band 0 and their standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion_measurement.curve import DispersionCurve
from cassi_core.errors import InputError

Spacing = Literal["px", "nm"]
FINE = 4001


@dataclass(frozen=True, eq=False)
class BandTable:
    """Bands in the order in which they land on the detector: wavelengths in nm, offsets in pixels (band 0 at 0), standard errors."""

    wavelengths_nm: NDArray[np.float64]
    offsets_px: NDArray[np.float64]
    sigma_px: NDArray[np.float64]

    @property
    def n_bands(self) -> int:
        return len(self.offsets_px)


def equal_bands(curve: DispersionCurve, n_bands: int, spacing: Spacing) -> NDArray[np.float64]:
    """Wavelengths of bands that part the measured range in equal steps, on the detector (`px`) or in wavelength (`nm`)."""
    if n_bands < 2:
        raise InputError(f"{n_bands} band; a dispersion needs two at least (--bands)")
    if spacing == "nm":
        return np.linspace(curve.low_nm, curve.high_nm, n_bands)
    fine = np.linspace(curve.low_nm, curve.high_nm, FINE)
    travel = curve.travel(fine)
    if travel[-1] < travel[0]:
        fine, travel = fine[::-1], travel[::-1]
    return np.interp(np.linspace(travel[0], travel[-1], n_bands), travel, fine)


def band_table(curve: DispersionCurve, wavelengths_nm: NDArray[np.float64]) -> BandTable:
    """The bands at given wavelengths, sorted by where they land.

    Raises
    ------
    InputError
        The curve turns round within the bands, so that two wavelengths would land on one place.
    """
    wanted = np.unique(np.asarray(wavelengths_nm, np.float64))
    if len(wanted) < 2:
        raise InputError("a dispersion needs bands at two different wavelengths at least")
    fine = curve.travel(np.linspace(wanted[0], wanted[-1], FINE))
    steps = np.diff(fine)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise InputError(
            f"the fitted curve (order {curve.order}) turns round between {wanted[0]:g} and {wanted[-1]:g} nm: two wavelengths would land "
            "on one place; choose a lower order (--order) or bands within the measured range"
        )
    ordered = wanted if steps[0] > 0 else wanted[::-1]
    offsets = curve.travel(ordered)
    return BandTable(ordered, offsets - offsets[0], curve.difference_sigma(ordered, float(ordered[0])))
