"""What the program says about itself: versions, devices, shortcuts."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import qVersion

from cassi_core import __version__
from cassi_core.devices import driver_devices
from cassi_gui.desktop.actions import ACTIONS

PACKAGES = ("PySide6_Essentials", "pyqtgraph", "numpy", "scipy", "numba", "h5py", "torch")


def about_text() -> str:
    """Versions and devices; torch is asked for the names of its devices only when something else has loaded it already."""
    lines = [
        f"CASSI calibration {__version__}",
        "Finds where the mask of a coded-aperture snapshot spectral imager really sits, from the camera picture alone.",
        "",
        f"Python {platform.python_version()} on {platform.platform(terse=True)}",
        f"Qt {qVersion()}",
    ]
    for name in PACKAGES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} is not installed")
    lines += ["", f"CPU: {os.cpu_count()} cores", _gpu_line()]
    return "\n".join(lines)


def _gpu_line() -> str:
    torch = sys.modules.get("torch")
    if torch is None:
        count = driver_devices()
        return "GPU: none found" if count == 0 else "GPU: found by its driver" + (f", {count}" if count else "")
    if not torch.cuda.is_available():
        return "GPU: none that torch can use"
    return "GPU: " + ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))


def shortcut_rows() -> list[tuple[str, str, str]]:
    """Menu, text and keys of every action that has a shortcut."""
    return [(s.menu, s.text.rstrip(" …"), " or ".join(s.shortcut.split())) for s in ACTIONS if s.shortcut]
