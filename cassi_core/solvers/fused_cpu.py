"""The GAP solver for processors: compiled streaming rows, one candidate per thread, code cached on disk."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.run import RunControl
from cassi_core.solvers import gap_kernel
from cassi_core.solvers.protocol import PHI_FLOOR, TV_TAU, Candidate, GapSettings, gaussian_taps, split_offsets


class FusedCpuSolver:
    """GAP on the processor by the fused kernel; the same numbers as the torch solver to 1e-4 relative.

    `threads` is how many candidates are solved side by side (0: one per core). The result does not depend on it.
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
        control = control or RunControl()

        def one(index: int) -> None:
            out[index] = _Problem(y, candidates[index], weight).solve(settings, control)[1]

        self._in_threads(one, len(candidates), control)
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
        return np.ascontiguousarray(x.transpose(1, 0, 2)), residual

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
        control = control or RunControl()

        def one(index: int) -> None:
            out[index] = _Problem(images[index], candidate, weight).solve(settings, control)[1]

        self._in_threads(one, len(images), control)
        return out

    def project(self, cube: NDArray[np.float32], candidate: Candidate, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The forward model ``A x`` of a cube ``(L, H, W)`` on a canvas ``(H, Wm)``; see the protocol."""
        return _Problem(np.zeros(shape, np.float32), candidate, None).project(cube)

    def _in_threads(self, work: Callable[[int], None], count: int, control: RunControl) -> None:
        control.checkpoint()
        if self.threads == 1 or count == 1:
            for index in range(count):
                work(index)
            return
        with ThreadPoolExecutor(min(self.threads, count)) as pool:
            futures: list[Future[None]] = [pool.submit(work, index) for index in range(count)]
            pending = set(futures)
            while pending:
                _, pending = wait(pending, timeout=0.05)
                if control.cancelled:
                    for future in pending:
                        future.cancel()
            control.checkpoint()
            for future in futures:
                future.result()


class _Problem:
    """One candidate laid out for the kernel: padded canvas, split offsets, row-major cube ``x[row, band, col]``."""

    def __init__(self, y: NDArray[np.float32], candidate: Candidate, weight: NDArray[np.float32] | None) -> None:
        masks = candidate.mask if candidate.mask.ndim == 3 else candidate.mask[None]
        self.masks = np.ascontiguousarray(masks, np.float32)
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

    def solve(
        self, settings: GapSettings, control: RunControl, pool: ThreadPoolExecutor | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        masks = self.masks
        offsets = (self.cols, self.col_fractions, self.rows, self.row_fractions)
        inverse = np.empty_like(self.y)
        gap_kernel.inverse_normaliser(masks, self.y.shape[0], self.bands, *offsets, np.float32(PHI_FLOOR), inverse)
        gap_kernel.start_cube(self.y, self.weight, inverse, masks, *offsets, self.x)
        y1 = np.zeros_like(self.y)
        total_variation = settings.denoiser == "tv"
        taps = gaussian_taps(0.0 if total_variation else settings.sigma_px)
        band_taps = gaussian_taps(0.0 if total_variation else settings.sigma_bands)
        for _ in range(settings.n_iter):
            control.checkpoint()
            gap_kernel.gap_step(
                self.y, y1, self.weight, inverse, masks, *offsets, taps, band_taps, settings.accelerated, self.x
            )
            if total_variation and settings.tv_weight > 0:
                self._denoise_tv(settings, control, pool)
        residual = np.empty_like(self.y)
        gap_kernel.residual_image(self.y, masks, *offsets, self.x, residual)
        return self.x, residual[:, self.inner]

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


_warm = threading.Event()


def ensure_compiled(control: RunControl | None = None) -> None:
    """Compile the kernel, or load it from the disk cache, while the caller stays cancellable.

    The first use on a machine takes some ten seconds; afterwards the compiled code lies beside the source (or in
    ``NUMBA_CACHE_DIR``).
    """
    if _warm.is_set():
        return
    control = control or RunControl()
    error: list[BaseException] = []

    def compile_all() -> None:
        try:
            rng = np.random.default_rng(0)
            y = rng.random((12, 14), np.float32)
            candidate = Candidate(rng.random((12, 10), np.float32), np.array([0.0, 2.5]), np.array([0.0, 0.5]))
            solver = FusedCpuSolver(1)
            solver.residuals(y, [candidate], GapSettings(2, 0.7, 1.0))
            solver.reconstruct(y, candidate, GapSettings(1, denoiser="tv"))
            _warm.set()
        except BaseException as problem:
            error.append(problem)

    thread = threading.Thread(target=compile_all, name="compile-kernel", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
        control.checkpoint()
    if error:
        raise error[0]
