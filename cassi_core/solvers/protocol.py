"""What every GAP solver offers, and the definitions that all of them share.

Model (dispersion frame, bands move to the right by ``cols[l]`` and down by ``rows[l]`` pixels on a fixed canvas)::

    A x   = sum_l shift_l(M_l . x_l)          phi = sum_l shift_l(M_l^2)
    x_0   = A^T (w . y / phi)
    x_k+1 = D(x_k + A^T (w . (y - A x_k) / phi))                        plain
    y1    = y1 + w . (y - A x_k);  x_k+1 = D(x_k + A^T ((y1 - w . A x_k) / phi))     accelerated, y1_0 = 0
                                                                        (Yuan 2016, GAP-TV, eq. 8-11)

``shift`` splits a fractional offset linearly between the two (four, when rows are fractional too) neighbouring pixels;
``A^T`` is its exact transpose. ``w`` is 1 on canvas pixels that count and 0 elsewhere (unknown, saturated, held out);
``phi`` is floored at :data:`PHI_FLOOR`. Where a candidate has a light of the bands, ``M_l`` is the mask times it and the result ``light_l x_l``.
What leaves the canvas is lost. ``D`` is a denoiser: a blur in space (``sigma_px``, repeated edges, by rows and by columns with the taps of
:func:`gaussian_taps` or :func:`matern_taps`) with a smoothing spline along the bands (``sigma_bands``, :func:`spectral_roughness`), or
Chambolle's total variation per band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import ConfigError
from cassi_core.run import RunControl

PHI_FLOOR = 1e-2
"""Smallest normaliser: pixels that no open mask element reaches carry no light to share out (masks are scaled to 0..1)."""
TV_TAU = 0.25
"""Step of Chambolle's dual iteration in two dimensions (Chambolle 2004, theorem 3.1 proves 1/8, 1/4 converges in practice)."""


Denoiser = Literal["gaussian", "matern", "tv"]


@dataclass(frozen=True)
class GapSettings:
    """How a reconstruction is computed; see the module's formulas. ConfigError for a denoiser that there is not."""

    n_iter: int = 8
    sigma_px: float = 0.7
    sigma_bands: float = 0.0
    denoiser: Denoiser = "gaussian"
    tv_weight: float = 0.02
    tv_iter: int = 8
    accelerated: bool = False

    def __post_init__(self) -> None:
        if self.denoiser not in get_args(Denoiser):
            raise ConfigError(f"there is no denoiser '{self.denoiser}'; use {' or '.join(get_args(Denoiser))}")

    def taps(self) -> NDArray[np.float32]:
        """One-sided taps of the blur in space, ``[1]`` where there is none."""
        if self.denoiser == "tv":
            return gaussian_taps(0.0)
        return (matern_taps if self.denoiser == "matern" else gaussian_taps)(self.sigma_px)

    def spectral_width(self) -> float:
        """Width of the smoothing along the bands, in bands; 0 where there is none."""
        return 0.0 if self.denoiser == "tv" else self.sigma_bands


@dataclass(frozen=True, eq=False)
class Candidate:
    """One hypothesis of where mask and bands sit.

    `mask` is ``(H, W)`` for all bands or ``(L, H, W)`` for each band, float32; `cols` and `rows` ``(L,)`` float64 say where the
    band's pixel (0, 0) lands on the canvas, in pixels. `light` ``(L,)`` says how bright the bands are expected to be relative to each
    other, None for all alike: the scene is looked for as ``x_l = light_l u_l``, and ``u`` is what the denoiser smooths.
    """

    mask: NDArray[np.float32]
    cols: NDArray[np.float64]
    rows: NDArray[np.float64]
    light: NDArray[np.float32] | None = None

    def masks_of_scene(self) -> NDArray[np.float32]:
        """The masks by which the solver sees ``u``, ``(1, H, W)`` or ``(L, H, W)``: those of the bands times their light."""
        masks = self.mask if self.mask.ndim == 3 else self.mask[None]
        return masks if self.light is None else masks * self.light[:, None, None]

    def lit(self, scene: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cube ``x`` of a scene ``u``, ``(L, H, W)``."""
        return scene if self.light is None else scene * self.light[:, None, None]


class GapSolver(Protocol):
    """A GAP solver on some device; its methods pass ``control.checkpoint()`` often enough to cancel within 0.3 s."""

    name: str
    device: str

    def residuals(
        self,
        y: NDArray[np.float32],
        candidates: Sequence[Candidate],
        settings: GapSettings,
        *,
        weight: NDArray[np.float32] | None = None,
        control: RunControl | None = None,
    ) -> NDArray[np.float32]:
        """Residual images ``y - A x`` ``(B, H, Wm)`` after ``n_iter`` iterations with each candidate; `y` is ``(H, Wm)``."""
        ...

    def reconstruct(
        self,
        y: NDArray[np.float32],
        candidate: Candidate,
        settings: GapSettings,
        *,
        weight: NDArray[np.float32] | None = None,
        control: RunControl | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The cube ``(L, H, W)`` and its residual image ``(H, Wm)`` with one candidate."""
        ...

    def filter_images(
        self,
        images: NDArray[np.float32],
        candidate: Candidate,
        settings: GapSettings,
        *,
        weight: NDArray[np.float32] | None = None,
        control: RunControl | None = None,
    ) -> NDArray[np.float32]:
        """Residual images ``(B, H, Wm)`` of several measurements with one candidate: what the scene estimate cannot explain."""
        ...

    def project(self, cube: NDArray[np.float32], candidate: Candidate, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The forward model ``A x`` of a cube ``(L, H, W)`` on a canvas of the given shape ``(H, Wm)``."""
        ...


def gaussian_taps(sigma: float) -> NDArray[np.float32]:
    """One-sided taps ``g[0..k]`` of a Gaussian, k about 3 sigma and at least 1, summing to one over both sides; ``[1]`` for 0."""
    if sigma <= 0:
        return np.ones(1, np.float32)
    k = max(3, int(6 * sigma + 1) | 1) // 2
    g = np.exp(-0.5 * (np.arange(k + 1) / sigma) ** 2)
    return np.asarray(g / (g[0] + 2 * g[1:].sum()), np.float32)


def matern_taps(sigma: float) -> NDArray[np.float32]:
    """One-sided taps ``g[0..k]`` of ``g(r) = (1 + r/x) exp(-r/x)`` with ``x = sigma/2``, k = 2.5 sigma and at least 1; ``[1]`` for 0.

    The covariance of smoothness 3/2 of Matern (1960): `sigma` is its standard deviation before it is cut (a tenth less after), and its tails are those of scenes, in which edges
    and textures of all sizes occur. They sum to one over both sides.
    """
    if sigma <= 0:
        return np.ones(1, np.float32)
    r = np.arange(max(1, int(np.ceil(2.5 * sigma))) + 1) / (sigma / 2)
    g = (1 + r) * np.exp(-r)
    return np.asarray(g / (g[0] + 2 * g[1:].sum()), np.float32)


def spectral_roughness(sigma: float, bands: int) -> NDArray[np.float64]:
    """``S^-1 = I + sigma^4 / 2 . D^T D`` ``(L, L)`` with ``D`` the second differences of a spectrum: what smooths spectra is its inverse ``S``.

    The discrete smoothing spline (Whittaker 1923): straight spectra pass unchanged up to the ends, and waves of the length that a Gaussian of
    width `sigma` halves are halved.
    """
    differences = np.diff(np.eye(bands), 2, axis=0) if bands > 2 else np.zeros((0, bands))
    return np.asarray(np.eye(bands) + sigma**4 / 2 * differences.T @ differences)


def split_offsets(offsets: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Whole pixels and fractions of offsets; fractions within 1e-6 of a whole pixel count as none."""
    whole = np.floor(offsets + 1e-6)
    fraction = offsets - whole
    fraction[fraction < 1e-6] = 0.0
    return whole.astype(np.int64), fraction.astype(np.float32)
