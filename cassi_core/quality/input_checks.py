"""Checks of the inputs that are true whatever the fit found: width, saturation, light."""

from __future__ import annotations

import numpy as np

from cassi_core.inputs import CalibrationInputs, Frame
from cassi_core.quality.findings import width_mismatch
from cassi_core.result import Limits, Reason, judged

MOST_UNUSABLE_PERCENT = 0.2
LEAST_LIT_PERCENT = 10.0
DARK_SHARE = 0.02
"""Up to this share of the range a pixel holds no light."""


def input_checks(inputs: CalibrationInputs) -> list[Reason]:
    """Everything about the inputs that makes a result doubtful; nothing where they are fine."""
    return [*_width(inputs), *_saturation(inputs), *_light(inputs)]


def _width(inputs: CalibrationInputs) -> list[Reason]:
    """A fit with a wrong step or band count can look right in every other respect: part of the bands explains most of the light."""
    grown, travel, text = width_mismatch(inputs)
    off = float(abs(grown - travel))
    return [judged("width", off, Limits("at most", warn=0), {"pass": text}, unit="px")] if text else []


def _share_lost(frame: Frame) -> float:
    """The share of the pixels that exposure or correction lost; those of a bad-pixel map were lost before."""
    if frame.usable is None:
        return 0.0
    return float(np.mean(~frame.usable if frame.bad is None else ~frame.usable & ~frame.bad))


def _saturation(inputs: CalibrationInputs) -> list[Reason]:
    percent = 100 * max(_share_lost(frame) for frame in inputs.frames)
    limits = Limits("at most", warn=MOST_UNUSABLE_PERCENT)
    text = f"{percent:.2f} % of the pixels are saturated or unusable: lower the exposure"
    check = judged("saturation", percent, limits, {"pass": text}, unit="%")
    return [check] if check.status != "pass" else []


def _light(inputs: CalibrationInputs) -> list[Reason]:
    """The darkest of the frames, where one holds little light."""
    lit = []
    for frame in inputs.frames:
        high, low = (float(v) for v in np.quantile(frame.image, (0.999, 0.005)))
        lit.append(100 * float(np.mean(frame.image > low + DARK_SHARE * (high - low))))
    percent = min(lit)
    text = f"only {percent:.0f} % of the picture holds light: take a brighter or larger scene"
    check = judged("light", percent, Limits("at least", warn=LEAST_LIT_PERCENT), {"pass": text}, unit="%")
    return [check] if check.status != "pass" else []
