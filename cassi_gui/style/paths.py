"""Paths as people read them."""

from __future__ import annotations

import re
from pathlib import Path


def short_name(entry: str) -> str:
    """File name (and key) of `FILE` or `FILE::key` without the folders."""
    path, mark, key = entry.partition("::")
    return Path(path).name + mark + key


LONG_WORD = 28
"""Words longer than this get places to break at."""


def breakable(text: str) -> str:
    """A message whose paths may go on in the next line: invisible breaks after the signs that join their parts."""
    words = text.split(" ")
    return " ".join(re.sub(r"([/\\,:=_])", "\\1\u200b", word) if len(word) > LONG_WORD else word for word in words)
