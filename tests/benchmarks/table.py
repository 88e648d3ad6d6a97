"""What every benchmark does with its numbers: print them as they come, and write them as a table."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def rms(values: Iterable[float]) -> float:
    return float(np.sqrt(np.mean(np.square(list(values)))))


def write_csv(file: Path | None, rows: Sequence[Mapping[str, object]]) -> None:
    """A line per row under the names of all columns; nothing without a file or rows."""
    if file is None or not rows:
        return
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(dict.fromkeys(k for r in rows for k in r)))
        writer.writeheader()
        writer.writerows(rows)
