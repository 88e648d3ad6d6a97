"""Which parameters the picture tells: error bars against what was known before, and pairs that cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.formatting import format_number
from cassi_core.quality.check_words import Action
from cassi_core.result import Limits, Reason, judged

UNTOLD = 0.7
"""A standard error above this share of the prior's is the prior, not the picture."""
ENTANGLED = 0.95
"""Correlation beyond which two parameters can hardly be told apart."""

DISPERSION = ("slope", "curve", "alpha")
DISPERSION_FIRST: tuple[Action, ...] = ("hold_dispersion", "add_frame", "more_light")
FRAME_FIRST: tuple[Action, ...] = ("add_frame", "more_light", "hold_dispersion")


def what_the_picture_tells(names: Sequence[str], covariance: NDArray[np.float64], prior_sigma: NDArray[np.float64]) -> Reason:
    """One check in words: parameters that only the prior knows, and the most entangled pair of the others.

    `covariance` `(k, k)` in the order of `names`; `prior_sigma` `(k,)`, infinite where nothing was known.
    """
    sigma = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    share = np.where(np.isfinite(prior_sigma), sigma / prior_sigma, 0.0)
    untold = [name for name, s in zip(names, share, strict=True) if s > UNTOLD]
    told = [name for name in names if name not in untold]
    parts = [f"the picture tells {', '.join(told)}" if told else "the picture tells none of the refined parameters"]
    if untold:
        parts.append(
            f"{', '.join(untold)} {'is' if len(untold) == 1 else 'are'} known no better than before and held near the start"
        )
    pair = _most_entangled(names, covariance / np.outer(sigma, sigma))
    if pair is not None:
        one, other, value = pair
        parts.append(
            f"{one} and {other} can hardly be told apart (correlation {format_number(value, 2, signed=True)}): trust their combination, not each alone"
        )
    actions: tuple[Action, ...] = DISPERSION_FIRST if any(n in DISPERSION for n in untold) else FRAME_FIRST
    worst = float(share.max(initial=0.0))
    return judged("what the picture tells", worst, Limits("at most", warn=UNTOLD), {"pass": "; ".join(parts)}, actions=actions)


def _most_entangled(names: Sequence[str], correlation: NDArray[np.float64]) -> tuple[str, str, float] | None:
    off = np.abs(np.triu(correlation, 1))
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(off)), off.shape))
    return (names[i], names[j], float(correlation[i, j])) if off[i, j] > ENTANGLED else None
