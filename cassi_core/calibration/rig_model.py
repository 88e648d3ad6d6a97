"""One snapshot and its mask, ready to be compared with any hypothesis: canvas, weights and candidates of the solver.

Works in the dispersion frame (:mod:`cassi_core.dispersion`). Two forms of the forward model are offered: the engine's
(:meth:`RigModel.candidate`, exact sub-pixel mask pattern per band) and the reference algorithms' (:meth:`RigModel.split_candidate`,
one bilinearly sampled mask, fractional offsets split between neighbouring pixels).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.calibration.contrast import local_contrast
from cassi_core.calibration.mask_sampling import POSE_NAMES, displaced, pose_coefficients, sample_places, sample_pose
from cassi_core.dispersion import Dispersion
from cassi_core.geometry import warp_mask
from cassi_core.inputs import CalibrationInputs, Frame
from cassi_core.mask_image import MaskImage
from cassi_core.optics import mask_places
from cassi_core.parameters import PARAMETER_NAMES
from cassi_core.solvers.protocol import Candidate

CANVAS_PAD = 6
"""Unobserved columns added on either side: room for a band train that is longer or displaced, ignored by the score."""
PEDESTAL_QUANTILE = 0.005
"""The darkest half percent of a snapshot tells its background level."""


@dataclass(frozen=True, eq=False)
class RigModel:
    """A snapshot on its padded canvas `y` with pixel weights, and the mask `(H, W)` scaled to 0..1.

    `observed` is 1 where the detector pixel is usable: the solver sees only those. `scored` is 1 where a residual counts: usable and
    not within the border. `light` ``(L,)`` is the light of the bands of the candidates, None where all count alike. `threads` work on one
    hypothesis.
    """

    y: NDArray[np.float32]
    observed: NDArray[np.float32]
    scored: NDArray[np.float32]
    mask: NDArray[np.float32]
    dispersion: Dispersion
    scale: float
    threads: int = 1
    light: NDArray[np.float32] | None = None

    @classmethod
    def from_frame(cls, inputs: CalibrationInputs, frame: Frame, *, margin_px: int = 4, threads: int = 1) -> RigModel:
        """Subtract the background level, scale to the 99.9th percentile, pad the canvas; `inputs` in the dispersion frame."""
        image = frame.image.astype(np.float32)
        usable = np.ones(image.shape, np.float32) if frame.usable is None else frame.usable.astype(np.float32)
        pedestal = float(np.quantile(image, PEDESTAL_QUANTILE))
        if pedestal > PEDESTAL_QUANTILE * float(image.max()):
            image = np.clip(image - pedestal, 0, None)
        scale = float(np.quantile(image, 0.999)) or float(image.max())
        mask = inputs.mask.astype(np.float32) / np.float32(inputs.mask.max())
        dispersion = inputs.dispersion
        grow = max(0, round(dispersion.travel_px) + mask.shape[1] - image.shape[1])
        pad = ((0, 0), (CANVAS_PAD, CANVAS_PAD + grow))
        scored = np.zeros(image.shape, np.float32)
        inner = (slice(margin_px, image.shape[0] - margin_px), slice(margin_px, image.shape[1] - margin_px))
        scored[inner] = usable[inner]
        y, observed = np.pad(image / np.float32(scale), pad), np.pad(usable, pad)
        return cls(y, observed, np.pad(scored, pad), mask, dispersion, scale, threads)

    @cached_property
    def contrast(self) -> NDArray[np.float32]:
        """The snapshot as the matched filters see it, see :func:`cassi_core.calibration.contrast.local_contrast`."""
        return local_contrast(self.y, self.observed)

    def in_threads(self, work: Callable[[slice], object], count: int) -> None:
        """Do the work on `count` things, a slice of them in each thread."""
        cuts = np.linspace(0, count, min(self.threads, count) + 1).astype(int)
        parts = [slice(first, last) for first, last in pairwise(cuts.tolist())]
        if len(parts) == 1:
            work(parts[0])
            return
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(work, parts))

    def crop(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """A canvas image `(..., H, canvas)` without the padding, in the units of the padded measurement."""
        width = int(np.flatnonzero(self.observed.any(axis=0))[-1]) + 1
        return np.ascontiguousarray(image[..., CANVAS_PAD:width])

    def candidate(
        self, values: Mapping[str, float], spline: NDArray[np.float32], terms: Mapping[str, float] | None = None
    ) -> Candidate:
        """The engine's hypothesis: per-band masks sampled from `spline` (coefficients of the blurred mask), on the nominal scene grid.

        `terms` of the optics bend the masks, each band's differently (:mod:`cassi_core.optics`).

        The whole offsets are those of the nominal dispersion whatever the values: all hypotheses see the same scene grid, and the
        residual is a smooth function of every parameter. Offsets rounded anew for each hypothesis made it jump by some percent.
        """
        whole_cols, whole_rows = self.dispersion.whole_offsets()
        if terms:
            return Candidate(self._bent_masks(values, spline, terms), whole_cols + CANVAS_PAD, whole_rows, self.light)
        distinct, which = np.unique(self.fractions(values).round(9), axis=0, return_inverse=True)
        masks = np.empty((len(distinct), *self.mask.shape), np.float32)
        pose = self.pose(values)

        def sample(part: slice) -> None:
            for fraction, out in zip(distinct[part], masks[part], strict=True):
                sample_pose(spline, displaced(pose, *fraction), 0, len(out), out)

        self.in_threads(sample, len(distinct))
        shared = masks[0] if len(distinct) == 1 else masks[which.ravel()]
        return Candidate(shared, whole_cols + CANVAS_PAD, whole_rows, self.light)

    def _bent_masks(
        self, values: Mapping[str, float], spline: NDArray[np.float32], terms: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """Masks of all bands `(L, H, W)` where the optics put them."""
        (height, width), whole = self.mask.shape, self.dispersion.whole_offsets()[0]
        picture = (height, self.y.shape[1] - 2 * CANVAS_PAD)
        rows, cols = np.mgrid[:height, :width].astype(np.float64)
        masks = np.empty((self.dispersion.n_bands, height, width), np.float32)

        def sample(part: slice) -> None:
            for band in range(*part.indices(len(masks))):
                one = slice(band, band + 1)
                places = mask_places(values, terms, self.dispersion, (height, width), picture, rows, cols + whole[band], one)
                sample_places(spline, places[0][0], places[1][0], masks[band])

        self.in_threads(sample, len(masks))
        return masks

    def fractions(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """What the offsets of the bands have beyond the nominal whole ones, ``(L, 2)`` as (columns, rows) in pixels."""
        return np.stack(self.dispersion.offsets(values), axis=1) - np.stack(self.dispersion.whole_offsets(), axis=1)

    def pose(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """The affine map from pixels to the mask of the named values."""
        return pose_coefficients(self.mask.shape, *(float(values.get(k, 0.0)) for k in POSE_NAMES))

    @cached_property
    def image(self) -> MaskImage:
        """The mask in light of the rig's blur."""
        return MaskImage(self.mask)

    def split_candidate(self, values: Mapping[str, float]) -> Candidate:
        """The reference hypothesis: bilinearly warped mask, offsets as they are (fractions are split by the solver)."""
        cols, rows = self.dispersion.offsets(values)
        return Candidate(warp_mask(self.mask, values, order=1), cols + CANVAS_PAD, rows)

    def spline(self, psf_px: float = 0.0, smear_px: float = 0.0) -> NDArray[np.float32]:
        """Spline coefficients of the mask blurred by the optics (`psf_px`, Gaussian) and by a band's own smear (box)."""
        return self.image.spline(max(psf_px, 0.0) ** 2, max(smear_px, 0.0) ** 2)


@dataclass(frozen=True, eq=False)
class Optics:
    """What the optics do to the mask: the length of a band's own smear along the dispersion (px), and the `terms` of :mod:`cassi_core.optics`.

    The width of the blur is that of the parameter `psf`, or `psf_px` where the smear is told apart from it.
    """

    smear_px: float = 0.0
    psf_px: float | None = None
    terms: Mapping[str, float] = field(default_factory=dict)

    def candidate(self, model: RigModel, vector: NDArray[np.float64]) -> Candidate:
        """The hypothesis of a parameter vector, seen through these optics."""
        return model.candidate(named(vector), self.spline(model, vector), self.terms)

    def spline(self, model: RigModel, vector: NDArray[np.float64]) -> NDArray[np.float32]:
        """Spline coefficients of the mask as the optics show it with the blur of a parameter vector."""
        psf = float(vector[PARAMETER_NAMES.index("psf")]) if self.psf_px is None else self.psf_px
        return model.spline(max(0.0, psf), self.smear_px)


def spline_coefficients(image: NDArray[np.floating]) -> NDArray[np.float32]:
    """Cubic B-spline coefficients of an image, mirrored at its edges."""
    return np.asarray(ndi.spline_filter(image, 3, output=np.float32, mode="mirror"), np.float32)


def named(vector: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """A vector in the order of PARAMETER_NAMES as a mapping."""
    return dict(zip(PARAMETER_NAMES, (float(v) for v in vector), strict=True))


def relative_residual(residual: NDArray[np.float32], model: RigModel) -> float:
    """``||scored . r|| / ||scored . y||``: the score by which parameters are compared, on a canvas that never changes."""
    top = float(np.sum(model.scored * residual.astype(np.float64) ** 2))
    bottom = float(np.sum(model.scored * model.y.astype(np.float64) ** 2))
    return float(np.sqrt(top / bottom)) if bottom > 0 else float("inf")
