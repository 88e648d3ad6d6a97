"""Where the mask roughly lies in a monochromatic frame: matched filter over all shifts, for one angle of the mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy import ndimage as ndi

from cassi_core.calibration.contrast import high_pass, local_contrast
from cassi_core.geometry import source_coordinates

LEAST_OVERLAP = 0.3
"""At a shift where less of the mask than this lies in the frame, the match means nothing."""


@dataclass(frozen=True)
class CoarsePlace:
    """Whole-pixel displacement (right, down) of the mask and the height `z` of its match above the noise of all shifts."""

    right: float
    down: float
    z: float


@dataclass(frozen=True, eq=False)
class FrameSpectrum:
    """Fourier transform of the local contrast of a frame `(H, Wf)`, padded for every shift of a mask."""

    values: NDArray[np.complex64]
    size: tuple[int, int]
    frame_shape: tuple[int, int]


def frame_spectrum(image: NDArray[np.float32], usable: NDArray[np.bool_], mask_shape: tuple[int, int]) -> FrameSpectrum:
    """Prepare a frame `(H, Wf)` for :func:`coarse_place`."""
    size = (
        fft.next_fast_len(image.shape[0] + mask_shape[0], real=True),
        fft.next_fast_len(image.shape[1] + mask_shape[1], real=True),
    )
    contrast = local_contrast(image, usable.astype(np.float32))
    return FrameSpectrum(fft.rfft2(contrast, size), size, (image.shape[0], image.shape[1]))


def mask_spectrum(mask: NDArray[np.float32], theta: float, size: tuple[int, int]) -> NDArray[np.complex64]:
    """Fourier transform of the high-passed mask `(H, W)` turned by `theta` degrees, conjugated for the matched filter."""
    coordinates = source_coordinates((mask.shape[0], mask.shape[1]), theta=theta)
    turned = ndi.map_coordinates(mask, coordinates, order=1, mode="nearest")
    return np.asarray(np.conj(fft.rfft2(high_pass(turned).astype(np.float32), size)), np.complex64)


def coarse_place(frame: FrameSpectrum, mask: NDArray[np.complex64], mask_shape: tuple[int, int]) -> CoarsePlace:
    """The best of all shifts that leave enough of the mask in the frame."""
    plane = fft.irfft2(frame.values * mask, frame.size)
    rows, cols = (_shifts(frame_size, mask_size) for frame_size, mask_size in zip(frame.frame_shape, mask_shape, strict=True))
    scores = plane[np.ix_(rows % frame.size[0], cols % frame.size[1])]
    centre = float(np.median(scores))
    noise = 1.4826 * float(np.median(np.abs(scores - centre))) or 1.0
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(scores)), scores.shape))
    return CoarsePlace(float(cols[j]), float(rows[i]), (float(scores[i, j]) - centre) / noise)


def _shifts(frame_size: int, mask_size: int) -> NDArray[np.int64]:
    most = int((1 - LEAST_OVERLAP) * min(mask_size, frame_size))
    return np.arange(-most, max(0, frame_size - mask_size) + most + 1)
