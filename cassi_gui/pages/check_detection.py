"""Orientation of the mask and the train of bands, found by the core and said in words that can be applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cassi_core.inputs import CalibrationInputs
from cassi_gui.state import Snapshot
from cassi_gui.widgets.findings_list import FindingRow

Mark = tuple[float, str, bool]


@dataclass(frozen=True)
class Detected:
    """One answer: its row in the findings, marks for the profile, and what applying it changes (text, snapshot fields)."""

    row: FindingRow
    marks: tuple[Mark, ...] = ()
    apply: Callable[[Snapshot], tuple[str, dict[str, Any]]] | None = None


def detect(inputs: CalibrationInputs) -> tuple[Detected, ...]:
    """Ask the core (in the worker's thread)."""
    return ()
