"""Paths as people read them."""

from __future__ import annotations

from pathlib import Path


def short_name(entry: str) -> str:
    """File name (and key) of `FILE` or `FILE::key` without the folders."""
    path, mark, key = entry.partition("::")
    return Path(path).name + mark + key
