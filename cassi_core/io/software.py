"""Which software made a result: versions for the record, without importing the libraries."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from cassi_core import __version__

PACKAGES = ("numpy", "scipy", "numba", "torch")


def software_versions() -> dict[str, str]:
    """Versions of this program, Python, the operating system and the numerical libraries that are installed."""
    found = {"cassi-calibration": __version__, "python": platform.python_version(), "system": platform.platform(terse=True)}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
