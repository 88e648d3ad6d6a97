"""The GAP solver for any device of torch; candidates that share their offsets are solved as one batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.operators.blur import blur, smoother_of, taps_of
from cassi_core.operators.shifts import ShiftPlan, add_back_projection, add_projection, plan_shifts
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import PHI_FLOOR, Candidate, GapSettings
from cassi_core.solvers.tv_torch import chambolle_tv

BATCH_BYTES_CPU = 32 * 2**20
"""Cubes of one batch on a processor: larger ones leave the caches and gain nothing."""
BATCH_SHARE_CUDA = 0.1
"""Share of a GPU's free memory for the cubes of one batch; an iteration needs about four times as much."""
TV_CHUNK_BYTES = 2 * 2**20
"""Bands denoised together by total variation on a processor: its dozen temporary images should stay in the cache."""


class TorchGapSolver:
    """GAP on a device of torch; the same numbers as the fused CPU kernel to 1e-4 relative."""

    name = "torch"

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self._device = torch.device(device)
        self.device = str(self._device)

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
            problem = _Batch(y, [candidates[i] for i in group], weight, self._device)
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
        problem = _Batch(y, [candidate], weight, self._device)
        cubes = problem.solve(settings, control or RunControl())
        return cubes[0].cpu().numpy(), problem.residual(cubes)[0].cpu().numpy()

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
            problem = _Batch(images[group], [candidate], weight, self._device)
            out[group] = problem.residual(problem.solve(settings, control or RunControl())).cpu().numpy()
        return out

    def filter_transposed(
        self,
        images: NDArray[np.float32],
        candidate: Candidate,
        settings: GapSettings,
        *,
        weight: NDArray[np.float32] | None = None,
        control: RunControl | None = None,
    ) -> NDArray[np.float32]:
        """The transpose of :meth:`filter_images`, ``(B, H, Wm)``; see the protocol."""
        inverse = _Batch(images[0], [candidate], weight, self._device).inverse_normaliser()[0].cpu().numpy()
        lifted = images / inverse if weight is None else weight * images / inverse
        filtered = self.filter_images(lifted, candidate, settings, weight=weight, control=control)
        filtered *= inverse
        return filtered if weight is None else filtered * weight

    def project(self, cube: NDArray[np.float32], candidate: Candidate, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The forward model ``A x`` of a cube ``(L, H, W)`` on a canvas ``(H, Wm)``; see the protocol."""
        problem = _Batch(np.zeros(shape, np.float32), [candidate], None, self._device)
        cubes = torch.as_tensor(np.ascontiguousarray(cube, np.float32), device=self._device)[None]
        return np.asarray(-problem.residual(cubes)[0].cpu().numpy(), np.float32)

    def _batches(self, candidates: Sequence[Candidate]) -> Iterator[list[int]]:
        """Indices of candidates with the same offsets and mask shape, at most as many as fit the memory."""
        groups: dict[tuple[bytes, bytes, tuple[int, ...]], list[int]] = {}
        for index, candidate in enumerate(candidates):
            where = (np.asarray(offsets, np.float64).tobytes() for offsets in (candidate.cols, candidate.rows))
            groups.setdefault((*where, candidate.mask.shape), []).append(index)  # type: ignore[arg-type]
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
    ) -> None:
        masks = np.stack([c.mask if c.mask.ndim == 3 else c.mask[None] for c in candidates])
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
        self.plan: ShiftPlan = plan_shifts(cols, rows, (masks.shape[2], masks.shape[3]), (y.shape[-2], y.shape[-1]))

    @torch.no_grad()
    def inverse_normaliser(self) -> torch.Tensor:
        """``1 / phi`` of every candidate, ``(B, Hc, Wc)``."""
        phi = self.y.new_zeros((self.masks.shape[0], *self.plan.canvas))
        add_projection(phi, self.masks, self.masks, self.plan)
        return 1 / phi.clamp_min_(PHI_FLOOR)

    @torch.no_grad()
    def solve(self, settings: GapSettings, control: RunControl) -> torch.Tensor:
        """The cubes ``(B, L, H, W)`` after all iterations."""
        masks, plan = self.masks, self.plan
        inverse = self.inverse_normaliser()
        cubes = self.y.new_zeros((masks.shape[0], self.bands, *plan.shape))
        add_back_projection(cubes, self.weight * self.y * inverse, masks, plan)
        spare = torch.empty_like(cubes)
        collected = torch.zeros_like(inverse)
        taps, smoother = taps_of(settings.sigma_px), smoother_of(settings.sigma_bands, self.bands, cubes)
        for _ in range(settings.n_iter):
            control.checkpoint()
            left = self.residual(cubes).mul_(self.weight)
            if settings.accelerated:
                # y1 - w.(A x), where w.(A x) is w.y less what is left
                collected += left
                left.add_(collected).sub_(self.weight * self.y)
            add_back_projection(cubes, left.mul_(inverse), masks, plan)
            control.checkpoint()
            if settings.denoiser == "tv":
                self._denoise_tv(cubes, settings, control)
            else:
                cubes, spare = blur(cubes, taps, smoother, spare=spare)
        if self.y.is_cuda:
            torch.cuda.synchronize(self.y.device)
        control.checkpoint()
        return cubes

    @torch.no_grad()
    def residual(self, cubes: torch.Tensor) -> torch.Tensor:
        """``y - A x`` of every candidate, ``(B, Hc, Wc)``."""
        left = self.y.expand(cubes.shape[0], *self.y.shape[-2:]).clone()
        add_projection(left, cubes, self.masks, self.plan, -1.0)
        return left

    def _denoise_tv(self, cubes: torch.Tensor, settings: GapSettings, control: RunControl) -> None:
        images = cubes.flatten(0, 1)
        at_once = len(images) if images.is_cuda else max(1, TV_CHUNK_BYTES // (4 * images[0].numel()))
        for start in range(0, len(images), at_once):
            control.checkpoint()
            part = images[start : start + at_once]
            part.copy_(chambolle_tv(part, settings.tv_weight, settings.tv_iter))


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
