"""How far off the mask may be, in one line of words: the same on the command line, in the report and in the window."""

from __future__ import annotations

from cassi_core.result import RegistrationError


def registration_line(error: RegistrationError) -> str:
    """The expected errors over the lit picture, each with the unit that matters."""
    nm = "" if error.wavelength_nm is None else f" = {error.wavelength_nm:.2f} nm"
    return f"across {error.across_px:.3f} px, pattern along {error.pattern_px:.3f} px, wavelength {error.wavelength_bands:.3f} bands{nm} (rms)"
