"""Which of the files that a person brings is an earlier calibration."""

from __future__ import annotations

import re
from pathlib import Path

HEAD_BYTES = 4096
"""The kind of a calibration file is the first thing that it says."""
KIND = re.compile(rb'^\s*\{\s*"format"\s*:\s*"cassi-calibration"')


def is_calibration(path: str | Path) -> bool:
    """Whether a file is a calibration (`*.cassi.json`), by its first bytes; False for one that cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return KIND.match(file.read(HEAD_BYTES)) is not None
    except OSError:
        return False
