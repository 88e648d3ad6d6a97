"""CASSI calibration: where the mask of a coded-aperture snapshot spectral imager really sits, from its pictures alone."""

__version__ = "0.1.0"
