"""The snapshots of a rig and its mask as one likelihood of all parameters: pose, dispersion, blur, light of the bands, scene, noise."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.likelihood.kernel import COLUMNS, SHARED, evaluate_patches
from cassi_core.calibration.likelihood.snapshot import Snapshot
from cassi_core.calibration.rig_model import RigModel
from cassi_core.compiling import compile_with
from cassi_core.dispersion import Dispersion
from cassi_core.errors import NumericsError
from cassi_core.inputs import CalibrationInputs
from cassi_core.mask_image import MaskImage
from cassi_core.optics import OPTICS_NAMES, band_places, edge_px
from cassi_core.parameters import GEOMETRY_NAMES
from cassi_core.run import RunControl

Vector = NDArray[np.float64]
Indices = NDArray[np.int64]

LIGHT_TERMS = 5
"""Legendre polynomials along the bands that the logarithm of their light is made of, besides its mean."""
TREND_TERMS = 3
"""How many of them may change from the left of the scene to its right: colours that do would be taken for a magnification, as a local shift along the
dispersion and a local shift of the spectrum are nearly the same picture."""
SCALES_PX = (1.2, 3.5, 10.0, np.inf)
"""Scales of the scene: Gaussians whose weights the picture sets; together they follow the power law of natural pictures."""
COLOUR_REACH = 0.25
"""Share of the band train over which the colour of a place changes (Matern 3/2); the other kind of spectrum is that of the light."""
START_WEIGHTS = (0.01, 0.01, 0.02, 0.02, 0.05, 0.05, 0.3, 0.3)
"""Where the weights start, (as the light, of its own colour) per scale; relative to the square of the local light."""
START_NOISE = 1e-4
FREEDOM = 20.0
"""Degrees of freedom of the t distribution of a patch: an edge or a highlight that the Gaussian scene does not expect counts less."""
UNKNOWN_WEIGHT = 25.0
"""Variance of what comes through unknown parts of the mask, in units of its mean square: not independent of the known parts beside it,
as plain noise would be, so that it counts five standard deviations."""
CHUNK = 24
"""Patches between two looks at the run's control."""

SHARED_NAMES = (*GEOMETRY_NAMES, "blur", "smear", *OPTICS_NAMES)
LIGHT_NAMES = tuple(f"light{k + 1}" for k in range(LIGHT_TERMS))
TREND_NAMES = tuple(f"trend{k + 1}" for k in range(TREND_TERMS))
NUISANCE_NAMES = (*(f"{kind}{k}" for k in range(len(SCALES_PX)) for kind in ("grey", "own")), "read noise", "shot noise")
FRAME_NAMES = (*LIGHT_NAMES, *TREND_NAMES, *NUISANCE_NAMES)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Log likelihood, score `(K,)` and average information `(K, K)` at a place; `by_strip` `(B, K)`: the score by strips of patches.

    `spread` is the geometric mean of the errors with which the model predicts pixels, relative to the local brightness.
    """

    likelihood: float
    score: Vector
    information: Vector
    by_strip: Vector
    spread: float


class RigProblem:
    """Snapshots of one rig: ``evaluate(x)`` where x holds SHARED_NAMES once and FRAME_NAMES for every snapshot.

    `index(name, frame)` tells where a parameter lies in x.
    """

    def __init__(self, models: Sequence[RigModel], margin_px: int, threads: int, control: RunControl) -> None:
        first = models[0]
        self.mask = MaskImage(first.mask)
        self.dispersion = first.dispersion
        self.snapshots = [Snapshot.of(model, margin_px) for model in models]
        self.threads, self.control = max(1, threads), control
        bands = self.dispersion.n_bands
        self.places = band_places(bands)
        self.edge_px = edge_px(first.mask.shape)
        t = np.arange(bands) / max(bands - 1, 1)
        polynomials = np.polynomial.legendre.legvander(2 * t - 1, LIGHT_TERMS)[:, 1:]
        self.light_terms = min(LIGHT_TERMS, bands - 1)
        polynomials[:, self.light_terms :] = 0
        self.polynomials = np.ascontiguousarray(polynomials, np.float32)
        reach = np.abs(t[:, None] - t) / COLOUR_REACH
        colour = (1 + np.sqrt(3) * reach) * np.exp(-np.sqrt(3) * reach)
        self.spectra = (np.ones((bands, bands)), colour)
        self.size = SHARED + len(models) * len(FRAME_NAMES)
        self.held = np.zeros(SHARED)

    def index(self, name: str, frame: int = 0) -> int:
        """Place of a parameter in x."""
        if name in SHARED_NAMES:
            return SHARED_NAMES.index(name)
        return SHARED + frame * len(FRAME_NAMES) + FRAME_NAMES.index(name)

    def start(self) -> Vector:
        """x with everything nominal: no blur, even light, typical scene and noise (their logarithms)."""
        frame = np.concatenate([np.zeros(LIGHT_TERMS + TREND_TERMS), np.log(START_WEIGHTS), np.log([START_NOISE, START_NOISE])])
        return np.concatenate([np.zeros(SHARED), np.tile(frame, len(self.snapshots))])

    def hold(self, x: Vector) -> None:
        """Decide here which parts of the mask are known where, and keep to it until the next call."""
        self.held = x[:SHARED].copy()

    def subset(self, count: int, seed: int = 0) -> list[Indices]:
        """About `count` patches, drawn at random from all snapshots alike."""
        each = -(-count // len(self.snapshots))
        rng = np.random.default_rng(seed)
        return [np.sort(rng.permutation(s.count)[:each]) for s in self.snapshots]

    def evaluate(
        self, x: Vector, patches: Sequence[Indices] | None = None, *, nuisance: bool = True, information: bool = True
    ) -> Evaluation:
        """The likelihood at x on some patches (None: all); without `nuisance` scene and noise have no score, without `information` none."""
        score, matrix = np.zeros(self.size), np.zeros((self.size, self.size))
        likelihood, logs, pixels, strips = 0.0, 0.0, 0, []
        for k, snapshot in enumerate(self.snapshots):
            index = np.arange(snapshot.count) if patches is None else patches[k]
            scores, infos, likelihoods, misfits = self._patches(x, k, index, nuisance, information)
            to = self._columns(k, nuisance)
            used = to >= 0
            score[to[used]] += scores.sum(0)[used]
            matrix[np.ix_(to[used], to[used])] += infos.sum(0)[np.ix_(used, used)]
            row = index // snapshot.grid[1]
            for strip in np.unique(row):
                one = np.zeros(self.size)
                one[to[used]] = scores[row == strip].sum(0)[used]
                strips.append(one)
            likelihood += float(likelihoods.sum())
            size = snapshot.patch[0] * snapshot.patch[1]
            usable = np.isfinite(misfits)
            determinants = -2 * likelihoods[usable] - (FREEDOM + size) * np.log(1 + misfits[usable] / FREEDOM)
            logs += float(np.sum(determinants + size * np.log(np.maximum(misfits[usable], 1e-12) / size)))
            pixels += size * int(usable.sum())
        if not pixels:
            raise NumericsError(
                "the picture has no part that the model can explain; check measurement and mask for extreme values"
            )
        spread = float(np.exp(0.5 * logs / pixels))
        return Evaluation(likelihood, score, matrix, np.array(strips), spread)

    def _columns(self, frame: int, nuisance: bool) -> Indices:
        """Where the kernel's columns go in x; -1: nowhere."""
        to = np.full(COLUMNS + (len(NUISANCE_NAMES) if nuisance else 0), -1)
        for first, names in (
            (0, SHARED_NAMES),
            (SHARED, LIGHT_NAMES[: self.light_terms]),
            (SHARED + LIGHT_TERMS, TREND_NAMES[: self.light_terms]),
        ):
            to[first : first + len(names)] = [self.index(n, frame) for n in names]
        if nuisance:
            to[COLUMNS:] = [self.index(n, frame) for n in NUISANCE_NAMES]
        return to

    def light(self, x: Vector, frame: int = 0) -> Vector:
        """Expected light of the bands `(L,)`, relative."""
        at = self.index(LIGHT_NAMES[0], frame)
        return np.exp(self.polynomials.astype(np.float64) @ x[at : at + LIGHT_TERMS])

    def trend(self, x: Vector, frame: int = 0) -> Vector:
        """Change of the logarithm of the light from the middle of the scene to its right, by band `(L,)`."""
        at = self.index(TREND_NAMES[0], frame)
        return self.polynomials[:, :TREND_TERMS].astype(np.float64) @ x[at : at + TREND_TERMS]

    def _patches(
        self, x: Vector, frame: int, index: Indices, nuisance: bool, information: bool
    ) -> tuple[Vector, Vector, Vector, Vector]:
        """Scores, information, log likelihoods and misfits of some patches of one snapshot."""
        snapshot = self.snapshots[frame]
        p = x[:SHARED]
        base = self.index(NUISANCE_NAMES[0], frame)
        weights = np.exp(x[base : base + 2 * len(SCALES_PX)]).reshape(len(SCALES_PX), 2)
        noise = np.exp(x[base + weights.size : base + weights.size + 2])
        alpha = np.deg2rad(p[7])
        travel = self.dispersion.travel(p[5], p[6])
        kernels = self._kernels(weights, travel * np.cos(alpha), snapshot.patch[1], merged=not nuisance)
        distance = np.arange(snapshot.patch[0])
        row_kernels = np.array([np.exp(-((distance / scale) ** 2) / 2) for scale in SCALES_PX], np.float32)
        count = COLUMNS + (len(NUISANCE_NAMES) if nuisance else 0)
        scores, infos = np.zeros((len(index), count)), np.zeros((len(index), count, count))
        likelihoods, misfits = np.zeros(len(index)), np.zeros(len(index))
        fixed = (
            self.mask.spline(float(p[8]), float(p[9])),
            self.mask.mean,
            self.mask.variance + self.mask.mean**2,
            p,
            self.held,
            self.dispersion.s_nom,
            self.places,
            (np.array(snapshot.picture.shape) - 1) / 2,
            self.edge_px,
            (travel * np.sin(alpha)).astype(np.float32),
            self.light(x, frame).astype(np.float32),
            self.trend(x, frame).astype(np.float32),
            self.polynomials,
            TREND_TERMS,
            snapshot.rows[index],
            snapshot.cols[index],
            *snapshot.patch,
            self.mask.mask.shape[1],
            snapshot.picture,
            snapshot.brightness,
            snapshot.amplitude,
            snapshot.smooth,
            snapshot.bad,
            noise,
            float(weights.sum()),
            UNKNOWN_WEIGHT,
            self.mask.alias(float(p[8]), snapshot.patch),
            kernels,
            row_kernels,
            np.array([1 / scale**2 for scale in SCALES_PX], np.float32),
            nuisance,
            information,
            FREEDOM,
            scores,
            infos,
            likelihoods,
            misfits,
        )

        def work(first: int) -> None:
            self.control.checkpoint()
            evaluate_patches(first, min(first + chunk, len(index)), *fixed)

        chunk = min(CHUNK, max(1, -(-len(index) // self.threads)))
        starts = range(0, len(index), chunk)
        if self.threads == 1 or len(starts) == 1:
            for first in starts:
                work(first)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(work, starts))
        return scores, infos, likelihoods, misfits

    def _kernels(self, weights: Vector, offsets: Vector, width: int, *, merged: bool) -> NDArray[np.float32]:
        """Covariance of the scene between bands `(S, T, 2 width - 1, L, L)` by column distance; `merged`: of both kinds of spectrum together."""
        bands = len(offsets)
        apart = np.arange(-(width - 1), width)[:, None, None] - (offsets[:, None] - offsets)
        kernels = np.empty((len(SCALES_PX), 1 if merged else 2, 2 * width - 1, bands, bands), np.float32)
        for s, scale in enumerate(SCALES_PX):
            near = np.exp(-((apart / scale) ** 2) / 2)
            parts = [w * r for w, r in zip(weights[s], self.spectra, strict=True)]
            for t, part in enumerate([parts[0] + parts[1]] if merged else parts):
                # The kernel multiplies from the right: by the band that is looked from.
                kernels[s, t] = (near * part).transpose(0, 2, 1)
        return kernels


_warm = threading.Event()


def ensure_likelihood_compiled(control: RunControl) -> None:
    """Compile the kernel of the likelihood, or load it from the disk cache, while the caller stays cancellable."""

    def compile_all() -> None:
        rng = np.random.default_rng(0)
        picture, mask = rng.random((16, 18), np.float32), rng.random((16, 16), np.float32)
        inputs = CalibrationInputs.from_arrays(picture, mask, Dispersion.constant(2, 2.0))
        problem = RigProblem([RigModel.from_frame(inputs, inputs.frames[0], margin_px=2)], 2, 1, RunControl())
        problem.evaluate(problem.start())
        _warm.set()

    if not _warm.is_set():
        compile_with(compile_all, control, "compile-likelihood")
