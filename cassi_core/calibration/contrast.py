"""What a picture shows as fine as the mask, free of its smooth part and of how bright a place is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

HIGH_PASS_PX = 2.0
CONTRAST_PX = 8.0


def high_pass(image: NDArray[np.float32], sigma_px: float = HIGH_PASS_PX) -> NDArray[np.float32]:
    """The image without its smooth part."""
    return np.asarray(image - ndi.gaussian_filter(image, sigma_px, mode="nearest"), np.float32)


def local_contrast(image: NDArray[np.float32], usable: NDArray[np.float32]) -> NDArray[np.float32]:
    """The high-passed image in units of its local contrast; unusable pixels are zero."""
    filled = np.where(usable > 0, image, ndi.median_filter(image, 3)) if np.any(usable == 0) else image
    high = high_pass(filled.astype(np.float32)) * usable
    local = np.sqrt(ndi.gaussian_filter(high * high, CONTRAST_PX, mode="nearest"))
    return np.asarray(high / (local + 1e-3 * float(np.abs(high).max()) + 1e-12), np.float32)
