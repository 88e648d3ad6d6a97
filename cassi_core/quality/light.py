"""Is there enough light in a picture? Its noise from the picture alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

LEVEL_PX = 8.0
"""Scale over which the light of the picture is averaged."""
DARKEST = 0.005
"""Share of the pixels that tell the background."""


def noise_share(image: NDArray[np.floating]) -> float:
    """Noise of a pixel as a share of the mean light of a picture `(H, W)`; infinite for one without light.

    What neighbouring pixels do not share: ``sqrt(var - max(cov one pixel to the right, cov one pixel down)) / light`` of the picture less its
    local mean. Details of the mask finer than a pixel count as noise.
    """
    picture = image.astype(np.float64) - float(np.quantile(image, DARKEST))
    fine = picture - ndi.gaussian_filter(picture, LEVEL_PX)
    shared = max(float(np.mean(fine[:, 1:] * fine[:, :-1])), float(np.mean(fine[1:] * fine[:-1])))
    light = float(picture.mean())
    return float(np.sqrt(max(float(np.mean(fine**2)) - shared, 0.0))) / light if light > 0 else float("inf")
