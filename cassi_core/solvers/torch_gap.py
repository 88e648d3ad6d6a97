"""The GAP solver for any device of torch; candidates that share their offsets are solved as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.operators.blur import blur, smoother_of, taps_of
from cassi_core.operators.gathered import Gathered, MatrixBlur
from cassi_core.operators.shifts import ShiftPlan, add_back_projection, add_projection, plan_shifts
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import PHI_FLOOR, Candidate, GapSettings, split_offsets
from cassi_core.solvers.tv_torch import chambolle_tv

BATCH_BYTES_CPU = 32 * 2**20
"""Cubes of one batch on a processor: larger ones leave the caches and gain nothing."""
BATCH_SHARE_CUDA = 0.1
"""Share of a GPU's free memory for the cubes of one batch; an iteration needs about four times as much."""
MATRIX_SIDE = 400
"""Larger bands are blurred by slices on a GPU too: the work of a matrix grows with the third power of the side."""
TV_CHUNK_BYTES = 2 * 2**20
"""Bands denoised together by total variation on a processor: its dozen temporary images should stay in the cache."""


class TorchGapSolver:
    """GAP on a device of torch; the same numbers as the fused CPU kernel to 1e-4 relative.

    `gather` chooses few large operations instead of many small ones where all offsets are whole; default: on a GPU.
    """

    name = "torch"

    def __init__(self, device: str | torch.device = "cpu", *, gather: bool | None = None) -> None:
        self._device = torch.device(device)
        self.device = str(self._device)
        self._gather = self._device.type == "cuda" if gather is None else gather

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
        for group in self._batches(candidates):
            problem = _Batch(y, [candidates[i] for i in group], weight, self._device, self._gather)
            cubes = problem.solve(settings, control or RunControl())
            out[group] = problem.residual(cubes).cpu().numpy()
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
        problem = _Batch(y, [candidate], weight, self._device, self._gather)
        cubes = problem.solve(settings, control or RunControl())
        return candidate.lit(cubes[0].cpu().numpy()), problem.residual(cubes)[0].cpu().numpy()

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
        for group in self._batches([candidate] * len(images)):
            problem = _Batch(images[group], [candidate], weight, self._device, self._gather)
            out[group] = problem.residual(problem.solve(settings, control or RunControl())).cpu().numpy()
        return out

    def project(self, cube: NDArray[np.float32], candidate: Candidate, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The forward model ``A x`` of a cube ``(L, H, W)`` on a canvas ``(H, Wm)``; see the protocol."""
        problem = _Batch(np.zeros(shape, np.float32), [replace(candidate, light=None)], None, self._device, self._gather)
        cubes = torch.as_tensor(np.ascontiguousarray(cube, np.float32), device=self._device)[None]
        return np.asarray(-problem.residual(cubes)[0].cpu().numpy(), np.float32)

    def _batches(self, candidates: Sequence[Candidate]) -> Iterator[list[int]]:
        """Indices of candidates with the same offsets and shape of their masks, at most as many as fit the memory."""
        groups: dict[tuple[bytes, bytes, bool, tuple[int, ...]], list[int]] = {}
        for index, candidate in enumerate(candidates):
            where = (np.asarray(offsets, np.float64).tobytes() for offsets in (candidate.cols, candidate.rows))
            groups.setdefault((*where, candidate.light is None, candidate.mask.shape), []).append(index)  # type: ignore[arg-type]
        for members in groups.values():
            first = candidates[members[0]]
            cube_bytes = 4 * len(first.cols) * int(np.prod(first.mask.shape[-2:]))
            most = max(1, self._batch_bytes() // cube_bytes)
            for start in range(0, len(members), most):
                yield members[start : start + most]

    def _batch_bytes(self) -> int:
        if self._device.type != "cuda":
            return BATCH_BYTES_CPU
        return int(torch.cuda.mem_get_info(self._device)[0] * BATCH_SHARE_CUDA)


class _Batch:
    """Problems with the same offsets on the device: masks ``(B, 1 or L, H, W)``, canvases ``(B, Hc, Wc)``.

    One measurement ``(Hc, Wc)`` for all candidates, or several ``(B, Hc, Wc)`` for one candidate.
    """

    def __init__(
        self,
        y: NDArray[np.float32],
        candidates: Sequence[Candidate],
        weight: NDArray[np.float32] | None,
        device: torch.device,
        gather: bool = False,
    ) -> None:
        masks = np.stack([c.masks_of_scene() for c in candidates])
        self.bands = len(candidates[0].cols)
        if masks.shape[1] not in (1, self.bands):
            raise InputError(
                f"masks for {masks.shape[1]} bands and offsets for {self.bands}; one mask or one per band is needed"
            )
        self.y = torch.as_tensor(np.ascontiguousarray(y, np.float32), device=device)
        self.masks = torch.as_tensor(masks, dtype=torch.float32, device=device)
        if y.ndim == 3:
            self.masks = self.masks.expand(len(y), *self.masks.shape[1:])
        weights = np.ones(y.shape[-2:], np.float32) if weight is None else weight
        self.weight = torch.as_tensor(np.ascontiguousarray(weights, np.float32), device=device)
        cols, rows = (np.asarray(offsets, np.float64) for offsets in (candidates[0].cols, candidates[0].rows))
        shape, canvas = (masks.shape[2], masks.shape[3]), (y.shape[-2], y.shape[-1])
        self.plan: ShiftPlan = plan_shifts(cols, rows, shape, canvas)
        (whole_cols, col_fractions), (whole_rows, row_fractions) = split_offsets(cols), split_offsets(rows)
        whole = not (col_fractions.any() or row_fractions.any())
        self.gathered = Gathered(whole_cols, whole_rows, shape, canvas, device) if gather and whole else None

    @torch.no_grad()
    def inverse_normaliser(self) -> torch.Tensor:
        """``1 / phi`` of every candidate, ``(B, Hc, Wc)``."""
        if self.gathered is not None:
            phi = self.gathered.projected(self.masks.expand(-1, self.bands, -1, -1), self.masks)
        else:
            phi = self.y.new_zeros((self.masks.shape[0], *self.plan.canvas))
            add_projection(phi, self.masks, self.masks, self.plan)
        return 1 / phi.clamp_min_(PHI_FLOOR)

    @torch.no_grad()
    def solve(self, settings: GapSettings, control: RunControl) -> torch.Tensor:
        """The cubes ``(B, L, H, W)`` after all iterations."""
        inverse = self.inverse_normaliser()
        cubes = self.y.new_zeros((self.masks.shape[0], self.bands, *self.plan.shape))
        self._add_back_projection(cubes, self.weight * self.y * inverse)
        denoise = self._denoiser(settings, cubes, control)
        collected = torch.zeros_like(inverse)
        for _ in range(settings.n_iter):
            control.checkpoint()
            left = self.residual(cubes).mul_(self.weight)
            if settings.accelerated:
                # y1 - w.(A x), where w.(A x) is w.y less what is left
                collected += left
                left.add_(collected).sub_(self.weight * self.y)
            self._add_back_projection(cubes, left.mul_(inverse))
            control.checkpoint()
            cubes = denoise(cubes)
        if self.y.is_cuda:
            torch.cuda.synchronize(self.y.device)
        control.checkpoint()
        return cubes

    @torch.no_grad()
    def residual(self, cubes: torch.Tensor) -> torch.Tensor:
        """``y - A x`` of every candidate, ``(B, Hc, Wc)``."""
        if self.gathered is not None:
            return self.y - self.gathered.projected(cubes, self.masks)
        left = self.y.expand(cubes.shape[0], *self.y.shape[-2:]).clone()
        add_projection(left, cubes, self.masks, self.plan, -1.0)
        return left

    def _add_back_projection(self, cubes: torch.Tensor, canvas: torch.Tensor) -> None:
        if self.gathered is not None:
            self.gathered.add_back_projected(cubes, canvas, self.masks)
        else:
            add_back_projection(cubes, canvas, self.masks, self.plan)

    def _denoiser(
        self, settings: GapSettings, like: torch.Tensor, control: RunControl
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """What smooths the cubes after each iteration; may overwrite them."""
        if settings.denoiser == "tv":
            return lambda cubes: self._denoised_tv(cubes, settings, control)
        if self.gathered is not None and max(self.plan.shape) <= MATRIX_SIDE:
            return MatrixBlur(settings, (self.bands, *self.plan.shape), like.device)
        taps, smoother = taps_of(settings), smoother_of(settings.sigma_bands, self.bands, like)
        spare = torch.empty_like(like)

        def by_slices(cubes: torch.Tensor) -> torch.Tensor:
            nonlocal spare
            cubes, spare = blur(cubes, taps, smoother, spare=spare)
            return cubes

        return by_slices

    def _denoised_tv(self, cubes: torch.Tensor, settings: GapSettings, control: RunControl) -> torch.Tensor:
        images = cubes.flatten(0, 1)
        at_once = len(images) if images.is_cuda else max(1, TV_CHUNK_BYTES // (4 * images[0].numel()))
        for start in range(0, len(images), at_once):
            control.checkpoint()
            part = images[start : start + at_once]
            part.copy_(chambolle_tv(part, settings.tv_weight, settings.tv_iter))
        return cubes


def select_device(name: str) -> tuple[torch.device, str]:
    """The device for a setting ``auto``, ``cpu``, ``cuda`` or ``cuda:INDEX``, and a sentence that says what was picked.

    ``auto`` takes a GPU when one works and the processor otherwise; an InputError is raised for a named device that does not
    exist.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu":
        return torch.device("cpu"), f"running on the processor ({torch.get_num_threads()} threads)"
    if name == "auto":
        problem = _cuda_problem(0) if count else "no CUDA device found"
        if problem is None:
            return torch.device("cuda:0"), f"running on {torch.cuda.get_device_name(0)} (cuda:0)"
        return torch.device("cpu"), f"{problem}; running on the processor ({torch.get_num_threads()} threads)"
    kind, _, index = name.partition(":")
    if kind != "cuda" or not (index.isdigit() or name == "cuda"):
        raise InputError(f"unknown device '{name}'; use auto, cpu, cuda or cuda:INDEX")
    number = int(index or 0)
    if number >= count:
        raise InputError(f"device '{name}' does not exist: {count} CUDA devices found; use --device auto or cpu")
    problem = _cuda_problem(number)
    if problem is not None:
        raise InputError(f"device '{name}' cannot be used: {problem}; use --device auto or cpu")
    return torch.device("cuda", number), f"running on {torch.cuda.get_device_name(number)} (cuda:{number})"


def _cuda_problem(index: int) -> str | None:
    """Why a GPU that is there does not work (old driver, no memory), None when it does."""
    try:
        torch.zeros(8, device=f"cuda:{index}").sum().item()
    except RuntimeError as error:
        return f"warning: CUDA device {index} fails ({str(error).splitlines()[0]})"
    return None
