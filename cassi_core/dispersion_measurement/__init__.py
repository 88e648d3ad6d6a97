"""The dispersion of a rig measured with frames of its mask in light of known wavelengths."""

from cassi_core.dispersion_measurement.bands import BandTable, band_table
from cassi_core.dispersion_measurement.curve import DispersionCurve, fit_curve
from cassi_core.dispersion_measurement.measure import (
    DispersionMeasurement,
    LeftOut,
    MeasuredFrame,
    MonochromaticFrame,
    measure_dispersion,
)

__all__ = [
    "BandTable",
    "DispersionCurve",
    "DispersionMeasurement",
    "LeftOut",
    "MeasuredFrame",
    "MonochromaticFrame",
    "band_table",
    "fit_curve",
    "measure_dispersion",
]
