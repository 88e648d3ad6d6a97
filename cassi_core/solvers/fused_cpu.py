"""The GAP solver for processors: compiled streaming rows, a candidate or a strip of one per thread, code cached on disk."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cassi_core.compiling import compile_with
from cassi_core.errors import InputError
from cassi_core.run import RunControl
from cassi_core.solvers import gap_kernel
from cassi_core.solvers.protocol import (
    PHI_FLOOR,
    TV_TAU,
    Candidate,
    GapSettings,
    spectral_roughness,
    split_offsets,
)

LEAST_STRIP = 3
"""Strips are at least so many times as tall as what they share with a neighbour: below that the shared rows cost what a thread gains."""


class FusedCpuSolver:
    """GAP on the processor by the fused kernel; the same numbers as the torch solver to 1e-4 relative.

    `threads` is how many candidates, or strips of one candidate's rows, are solved side by side (0: one per core). The result does not
    depend on it.
    """

    name = "fused-cpu"
    device = "cpu"

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads if threads > 0 else os.cpu_count() or 1

    def residuals(
        self,
        y: NDArray[np.float32],
        candidates: Sequence[Candidate],
        settings: GapSettings,
        *,
        weight: NDArray[np.float32] | None = None,
        control: RunControl | None = None,
    ) -> NDArray[np.float32]:
        """Residual images ``(B, H, Wm)`` float32 of all candidates; see the protocol."""
        out = np.empty((len(candidates), *y.shape), np.float32)
        self._solve_all(lambda i: _Problem(y, candidates[i], weight), out, settings, control or RunControl())
        return out

    def reconstruct(
        self,
        y: NDArray[np.float32],
        candidate: Candidate,
        settings: GapSettings,
        *,
        weight: NDArray[np.float32] | None = None,
        control: RunControl | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Cube ``(L, H, W)`` and residual ``(H, Wm)`` with one candidate; see the protocol."""
        control = control or RunControl()
        with ThreadPoolExecutor(self.threads) as pool:
            x, residual = _Problem(y, candidate, weight).solve(settings, control, pool)
        return candidate.lit(np.ascontiguousarray(x.transpose(1, 0, 2))), residual

    def filter_images(
        self,
        images: NDArray[np.float32],
        candidate: Candidate,
        settings: GapSettings,
        *,
        weight: NDArray[np.float32] | None = None,
        control: RunControl | None = None,
    ) -> NDArray[np.float32]:
        """Residual images ``(B, H, Wm)`` of several measurements with one candidate; see the protocol."""
        out = np.empty(images.shape, np.float32)
        self._solve_all(lambda i: _Problem(images[i], candidate, weight), out, settings, control or RunControl())
        return out

    def project(self, cube: NDArray[np.float32], candidate: Candidate, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The forward model ``A x`` of a cube ``(L, H, W)`` on a canvas ``(H, Wm)``; see the protocol."""
        return _Problem(np.zeros(shape, np.float32), replace(candidate, light=None), None).project(cube)

    def _solve_all(
        self, problem: Callable[[int], _Problem], out: NDArray[np.float32], settings: GapSettings, control: RunControl
    ) -> None:
        """Residuals of all problems into `out`: one a thread, and by strips those that do not fill a round."""

        def one(index: int) -> None:
            out[index] = problem(index).solve(settings, control)[1]

        control.checkpoint()
        count = len(out)
        side_by_side = count - count % self.threads if self.threads > 1 else 0
        with ThreadPoolExecutor(self.threads) as pool:
            futures: list[Future[None]] = [pool.submit(one, index) for index in range(side_by_side)]
            pending = set(futures)
            while pending:
                _, pending = wait(pending, timeout=0.05)
                if control.cancelled:
                    for future in pending:
                        future.cancel()
            control.checkpoint()
            for future in futures:
                future.result()
            for index in range(side_by_side, count):
                out[index] = problem(index).solve(settings, control, pool if self.threads > 1 else None)[1]


class _Problem:
    """One candidate laid out for the kernel: padded canvas, split offsets, row-major cube ``x[row, band, col]``."""

    def __init__(self, y: NDArray[np.float32], candidate: Candidate, weight: NDArray[np.float32] | None) -> None:
        self.masks = np.ascontiguousarray(candidate.masks_of_scene(), np.float32)
        self.bands = len(candidate.cols)
        if self.masks.shape[0] not in (1, self.bands) or self.masks.shape[1] != y.shape[0]:
            raise InputError(
                f"a mask of shape {candidate.mask.shape} for {self.bands} bands and a measurement of {y.shape[0]} rows; "
                "(H, W) or (L, H, W) with the rows of the measurement is needed"
            )
        cols, self.col_fractions = split_offsets(np.asarray(candidate.cols, np.float64))
        self.rows, self.row_fractions = split_offsets(np.asarray(candidate.rows, np.float64))
        width = self.masks.shape[2]
        self.left = max(0, -int(cols.min()))
        right = max(0, int(cols.max()) + 1 + width - y.shape[1])
        pad = ((0, 0), (self.left, right))
        self.inner = slice(self.left, self.left + y.shape[1])
        self.cols = cols + self.left
        self.y = np.pad(np.asarray(y, np.float32), pad)
        self.weight = np.pad(np.ones_like(y, np.float32) if weight is None else np.asarray(weight, np.float32), pad)
        self.x = np.empty((y.shape[0], self.bands, width), np.float32)

    def project(self, cube: NDArray[np.float32]) -> NDArray[np.float32]:
        x = np.ascontiguousarray(cube.transpose(1, 0, 2), np.float32)
        out = np.empty_like(self.y)
        gap_kernel.residual_image(self.y, self.masks, self.cols, self.col_fractions, self.rows, self.row_fractions, x, out)
        return np.asarray(-out[:, self.inner], np.float32)

    def inverse_normaliser(self) -> NDArray[np.float32]:
        """``1 / phi`` on the canvas."""
        strip = _Strip(self, 0, self.y.shape[0], 0)
        strip.normalise()
        return strip.inverse[:, self.inner]

    def solve(
        self, settings: GapSettings, control: RunControl, pool: ThreadPoolExecutor | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The cube ``x[row, band, col]`` and the residual, by strips of rows on the pool's threads."""
        total_variation = settings.denoiser == "tv"
        taps, factors = settings.taps(), spectral_factors(settings.spectral_width(), self.bands)
        strips = self._strips(pool._max_workers if pool is not None else 1, len(taps) - 1)

        def everywhere(work: Callable[[_Strip], None]) -> None:
            control.checkpoint()
            if pool is None or len(strips) == 1:
                for strip in strips:
                    work(strip)
            else:
                list(pool.map(work, strips))

        everywhere(lambda strip: strip.begin())
        for _ in range(settings.n_iter):
            self._exchange(strips)
            everywhere(lambda strip: strip.step(taps, factors, settings.accelerated))
            if total_variation and settings.tv_weight > 0:
                self._gather(strips)
                self._denoise_tv(settings, control, pool)
                if len(strips) > 1:
                    for strip in strips:
                        strip.x[:] = self.x[strip.rows_held]
        self._exchange(strips)
        residual = np.empty_like(self.y)

        def compare(strip: _Strip) -> None:
            residual[strip.rows_own] = strip.residual()[strip.own]

        everywhere(compare)
        self._gather(strips)
        return self.x, residual[:, self.inner]

    def _strips(self, wanted: int, reach: int) -> list[_Strip]:
        """The rows in so many strips, each with the neighbours' rows that one iteration reads."""
        height = self.y.shape[0]
        moved = int(np.abs(self.rows).max()) + (1 if self.row_fractions.any() else 0)
        halo = reach + 2 * moved
        count = max(1, min(wanted, height // max(1, LEAST_STRIP * halo)))
        cuts = np.linspace(0, height, count + 1).astype(int).tolist()
        return [_Strip(self, cuts[i], cuts[i + 1], halo) for i in range(count)]

    def _exchange(self, strips: Sequence[_Strip]) -> None:
        """Give every strip its neighbours' rows as they are now."""
        for left, right in pairwise(strips):
            n = left.rows_held.stop - left.rows_own.stop
            right_own, left_own = right.own.start, left.own.stop
            left.x[left_own:] = right.x[right_own : right_own + n]
            n = right.own.start
            right.x[:n] = left.x[left_own - n : left_own]

    def _gather(self, strips: Sequence[_Strip]) -> None:
        if len(strips) > 1:
            for strip in strips:
                self.x[strip.rows_own] = strip.x[strip.own]

    def _denoise_tv(self, settings: GapSettings, control: RunControl, pool: ThreadPoolExecutor | None) -> None:
        shape = (self.x.shape[0], self.x.shape[2])

        def bands(part: range) -> None:
            buffers = [np.empty(shape, np.float32) for _ in range(3)]
            for band in part:
                if control.cancelled:
                    return
                strength, tau = np.float32(settings.tv_weight), np.float32(TV_TAU)
                gap_kernel.chambolle_band(self.x, band, strength, tau, settings.tv_iter, *buffers)

        if pool is None:
            bands(range(self.bands))
        else:
            n = pool._max_workers
            list(pool.map(bands, [range(i, self.bands, n) for i in range(n)]))
        control.checkpoint()


class _Strip:
    """Rows of a problem that one thread iterates: its own and, at either end, rows of its neighbours that go stale and are renewed."""

    def __init__(self, problem: _Problem, first: int, last: int, halo: int) -> None:
        height = problem.y.shape[0]
        held = slice(max(0, first - halo), min(height, last + halo))
        self.rows_own, self.rows_held = slice(first, last), held
        self.own = slice(first - held.start, last - held.start)
        self.y, self.weight = problem.y[held], problem.weight[held]
        self.masks = np.ascontiguousarray(problem.masks[:, held])
        self.offsets = (problem.cols, problem.col_fractions, problem.rows, problem.row_fractions)
        self.bands = problem.bands
        whole = held == slice(0, height)
        self.x = problem.x if whole else np.empty((self.y.shape[0], *problem.x.shape[1:]), np.float32)
        self.inverse = np.empty_like(self.y)
        self.collected = np.zeros_like(self.y)

    def normalise(self) -> None:
        gap_kernel.inverse_normaliser(
            self.masks, self.y.shape[0], self.bands, *self.offsets, np.float32(PHI_FLOOR), self.inverse
        )

    def begin(self) -> None:
        self.normalise()
        gap_kernel.start_cube(self.y, self.weight, self.inverse, self.masks, *self.offsets, self.x)

    def step(self, taps: NDArray[np.float32], factors: NDArray[np.float32], accelerated: bool) -> None:
        gap_kernel.gap_step(
            self.y, self.collected, self.weight, self.inverse, self.masks, *self.offsets, taps, factors, accelerated, self.x
        )

    def residual(self) -> NDArray[np.float32]:
        """``y - A x`` of the rows held; right on the strip's own."""
        out = np.empty_like(self.y)
        gap_kernel.residual_image(self.y, self.masks, *self.offsets, self.x, out)
        return out


def spectral_factors(sigma: float, bands: int) -> NDArray[np.float32]:
    """``1 / D`` and the two diagonals below the main one of ``L``, where ``L D L^T`` is the spectral roughness; ``(3, bands)``, or ``(3, 0)``.

    Row ``k`` holds ``L[i, i - k]`` at place `i`.
    """
    if sigma <= 0:
        return np.empty((3, 0), np.float32)
    half = np.linalg.cholesky(spectral_roughness(sigma, bands))
    unit = half / np.diag(half)
    factors = np.zeros((3, bands))
    factors[0] = np.diag(half) ** -2.0
    for k in (1, 2):
        factors[k, k:] = np.diag(unit, -k)
    return factors.astype(np.float32)


_warm = threading.Event()


def ensure_compiled(control: RunControl | None = None) -> None:
    """Compile the kernel, or load it from the disk cache, while the caller stays cancellable (:mod:`cassi_core.compiling`)."""

    def compile_all() -> None:
        rng = np.random.default_rng(0)
        y = rng.random((12, 14), np.float32)
        candidate = Candidate(rng.random((12, 10), np.float32), np.array([0.0, 2.5]), np.array([0.0, 0.5]))
        solver = FusedCpuSolver(1)
        solver.residuals(y, [candidate], GapSettings(2, 0.7, 1.0))
        solver.reconstruct(y, candidate, GapSettings(1, denoiser="tv"))
        _warm.set()

    if not _warm.is_set():
        compile_with(compile_all, control or RunControl(), "compile-kernel")
