"""Sub-pixel place of the mask in a monochromatic frame: Gauss-Newton on a local linear model of the light.

Conventions
-----------
The mask lies in the frame, displaced by `(right, down)` pixels of the frame after it was turned and magnified about its centre:

    (col_in, row_in) = R(theta) . diag(1/(1+scale_x), 1/(1+scale_y)) . ((col_out, row_out) - (right, down))

with the signs and the origin of :mod:`cassi_core.geometry`. The light on it and the background vary slowly, and nothing else is
said about them: in a window round every pixel

    y = gain . mask + background        gain, background: least squares in the window

so that uneven light, its colour and a pedestal cost nothing. What is left over, weighted by the inverse of its local energy, is
made small. The standard errors come from the scatter of the gradient over blocks of the frame (a sandwich estimate), because the
residuals of neighbouring pixels are not independent: the optics blur the mask and the model does not know it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.geometry import spline_coefficients

Float64 = NDArray[np.float64]

POSE_NAMES = ("right", "down", "theta", "scale_x", "scale_y")
WINDOW_PX = 31
"""Side of the window in which light and background are taken as constant."""
BLOCK_PX = 32
BORDER_PX = 3
"""So many pixels inside the mask's outline are left out: what lies beyond the outline is not known."""
COARSE_BLUR_PX = 2.0
MOST_STEPS = 12
SMALL_STEP_PX = 2e-4
SETTLED_PX = 0.01
"""Steps end when they are small; on nearly noise-free frames they may keep trembling a little below this."""
LEAST_PIXELS = 400


@dataclass(frozen=True)
class Pose:
    """Displacement in pixels, rotation in degrees and magnification errors of the mask in one frame."""

    right: float = 0.0
    down: float = 0.0
    theta: float = 0.0
    scale_x: float = 0.0
    scale_y: float = 0.0

    def vector(self) -> Float64:
        """The values in the order of :data:`POSE_NAMES`."""
        return np.array([getattr(self, name) for name in POSE_NAMES])


@dataclass(frozen=True, eq=False)
class Registration:
    """Where the mask was found: `covariance` `(k, k)` of the fitted names, `agreement` the correlation with the frame (0..1).

    `converged` is False when the steps did not become small.
    """

    pose: Pose
    fitted: tuple[str, ...]
    covariance: Float64
    agreement: float
    converged: bool

    def sigma(self, name: str) -> float:
        """Standard error of a fitted value."""
        i = self.fitted.index(name)
        return float(np.sqrt(max(0.0, self.covariance[i, i])))


@dataclass(frozen=True, eq=False)
class RegisteredMask:
    """The spline coefficients of a mask `(H, W)`, plain and blurred, made once for all frames."""

    shape: tuple[int, int]
    sharp: Float64
    blurred: Float64

    @classmethod
    def of(cls, mask: NDArray[np.float32]) -> RegisteredMask:
        smooth = ndi.gaussian_filter(mask.astype(np.float64), COARSE_BLUR_PX, mode="nearest")
        return cls((mask.shape[0], mask.shape[1]), spline_coefficients(mask), spline_coefficients(smooth))


def register(
    image: NDArray[np.float32],
    usable: NDArray[np.bool_],
    mask: RegisteredMask,
    start: Pose,
    *,
    fit: tuple[str, ...] = POSE_NAMES,
) -> Registration | None:
    """Refine the place of the mask in a frame `(H, Wf)`, from a start that is right to about two pixels.

    First with both blurred, which reaches further, then as they are. None when too little of the mask lies in the frame.
    """
    smooth = ndi.gaussian_filter(image, COARSE_BLUR_PX, mode="nearest")
    wide = _gauss_newton(smooth, usable, mask.blurred, mask.shape, start, fit, steps=6)
    if wide is None:
        return None
    return _gauss_newton(image, usable, mask.sharp, mask.shape, wide.pose, fit, steps=MOST_STEPS)


def refine(
    image: NDArray[np.float32], usable: NDArray[np.bool_], mask: RegisteredMask, start: Pose, *, fit: tuple[str, ...]
) -> Registration | None:
    """As :func:`register` from a start that is right to a fraction of a pixel."""
    return _gauss_newton(image, usable, mask.sharp, mask.shape, start, fit, steps=MOST_STEPS)


def _gauss_newton(
    image: NDArray[np.float32],
    usable: NDArray[np.bool_],
    coefficients: Float64,
    mask_shape: tuple[int, int],
    start: Pose,
    fit: tuple[str, ...],
    *,
    steps: int,
) -> Registration | None:
    pose, size = start, np.inf
    radius = 0.4 * max(mask_shape)
    one_pixel = {"right": 1.0, "down": 1.0, "theta": np.rad2deg(1 / radius), "scale_x": 1 / radius, "scale_y": 1 / radius}
    lengths = np.array([one_pixel[name] for name in fit])
    system = _system(image, usable, coefficients, mask_shape, pose, fit)
    for _ in range(steps):
        if system is None:
            return None
        step = np.linalg.solve(system.hessian, system.gradient)
        size = float(np.abs(step / lengths).max())
        if not np.isfinite(size):
            return None
        step *= min(1.0, 1.0 / max(size, 1e-12))
        pose = replace(pose, **{name: getattr(pose, name) + float(d) for name, d in zip(fit, step, strict=True)})
        system = _system(image, usable, coefficients, mask_shape, pose, fit)
        if size < SMALL_STEP_PX:
            break
    if system is None:
        return None
    return Registration(pose, fit, system.covariance(), system.agreement, size < SETTLED_PX)


@dataclass(frozen=True, eq=False)
class _System:
    """Normal equations of one step, and the gradient summed over each block of the frame `(blocks, k)`."""

    hessian: Float64
    gradient: Float64
    blocks: Float64
    agreement: float

    def covariance(self) -> Float64:
        inverse = np.linalg.inv(self.hessian)
        n, k = self.blocks.shape
        centred = self.blocks - self.blocks.mean(axis=0)
        meat = centred.T @ centred * (n / max(1, n - k))
        return np.asarray(inverse @ meat @ inverse, np.float64)


def _system(
    image: NDArray[np.float32],
    usable: NDArray[np.bool_],
    coefficients: Float64,
    mask_shape: tuple[int, int],
    pose: Pose,
    fit: tuple[str, ...],
) -> _System | None:
    rows, cols = _window(image.shape, mask_shape, pose)
    if rows.stop - rows.start < 8 or cols.stop - cols.start < 8:
        return None
    y = image[rows, cols].astype(np.float64)
    at_row, at_col, row_in, col_in = _coordinates(rows, cols, mask_shape, pose)
    inside = usable[rows, cols].copy()
    for value, size in ((row_in, mask_shape[0]), (col_in, mask_shape[1])):
        inside &= (value >= BORDER_PX) & (value <= size - 1 - BORDER_PX)
    if np.count_nonzero(inside) < LEAST_PIXELS:
        return None
    warped = ndi.map_coordinates(coefficients, (row_in, col_in), order=3, mode="nearest", prefilter=False)
    weight = inside.astype(np.float64)
    mean = _Window(weight)
    m, y_mean = warped - mean(warped), y - mean(y)
    variance, covariance = mean(m * m), mean(m * y_mean)
    gain = np.clip(covariance, 0, None) / (variance + 1e-6 * float(variance.max()) + 1e-30)
    residual = (y_mean - gain * m) * weight
    energy = mean(residual * residual)
    weight = weight / (energy + 1e-3 * float(mean(y_mean * y_mean)[inside].mean()) + 1e-30)
    down, right = np.gradient(warped)
    made = {
        "right": lambda: -right,
        "down": lambda: -down,
        "theta": lambda: (down * at_col - right * at_row) * np.deg2rad(1.0),
        "scale_x": lambda: -right * at_col / (1 + pose.scale_x),
        "scale_y": lambda: -down * at_row / (1 + pose.scale_y),
    }
    jacobian = []
    for name in fit:
        slope = made[name]()
        jacobian.append(gain * (slope - mean(slope)))
    stack = np.stack(jacobian)
    weighted = stack * weight
    hessian = np.tensordot(weighted, stack, axes=([1, 2], [1, 2]))
    score = weighted * residual
    explained = 1 - float((weight * residual**2).sum()) / max(float((weight * y_mean**2 * inside).sum()), 1e-30)
    ridge = 1e-9 * np.diag(np.diag(hessian)) + 1e-30 * np.eye(len(fit))
    return _System(hessian + ridge, score.sum(axis=(1, 2)), _block_sums(score), float(np.sqrt(max(0.0, explained))))


def _window(frame_shape: tuple[int, ...], mask_shape: tuple[int, int], pose: Pose) -> tuple[slice, slice]:
    """Rows and columns of the frame that the mask can reach."""
    slices = []
    for size, mask_size, other, shift in (
        (frame_shape[0], mask_shape[0], mask_shape[1], pose.down),
        (frame_shape[1], mask_shape[1], mask_shape[0], pose.right),
    ):
        more = (
            3 + 0.5 * abs(np.sin(np.deg2rad(pose.theta))) * other + 0.5 * max(abs(pose.scale_x), abs(pose.scale_y)) * mask_size
        )
        slices.append(slice(max(0, int(shift - more)), min(size, int(np.ceil(shift + mask_size + more)))))
    return slices[0], slices[1]


def _coordinates(
    rows: slice, cols: slice, mask_shape: tuple[int, int], pose: Pose
) -> tuple[Float64, Float64, Float64, Float64]:
    """Frame coordinates from the mask's displaced centre (row, column), and the mask coordinates that they look at."""
    centre_row, centre_col = (mask_shape[0] - 1) / 2, (mask_shape[1] - 1) / 2
    row = (np.arange(rows.start, rows.stop) - centre_row - pose.down)[:, None]
    col = (np.arange(cols.start, cols.stop) - centre_col - pose.right)[None, :]
    angle = np.deg2rad(pose.theta)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = col / (1 + pose.scale_x), row / (1 + pose.scale_y)
    shape = (row.shape[0], col.shape[1])
    row_in, col_in = sin * x + cos * y + centre_row, cos * x - sin * y + centre_col
    return np.broadcast_to(row, shape), np.broadcast_to(col, shape), row_in, col_in


class _Window:
    """Weighted means in a square window round every pixel."""

    def __init__(self, weight: Float64) -> None:
        self.weight = weight
        self.total = np.maximum(self._box(weight), 1e-6)

    def __call__(self, values: Float64) -> Float64:
        return np.asarray(self._box(values * self.weight) / self.total, np.float64)

    @staticmethod
    def _box(values: Float64) -> Float64:
        return np.asarray(ndi.uniform_filter(values, WINDOW_PX, mode="constant"), np.float64)


def _block_sums(score: Float64) -> Float64:
    """Sums `(blocks, k)` of `(k, rows, cols)` over blocks of the frame."""
    sums = np.add.reduceat(
        np.add.reduceat(score, np.arange(0, score.shape[1], BLOCK_PX), 1), np.arange(0, score.shape[2], BLOCK_PX), 2
    )
    return np.asarray(sums.reshape(score.shape[0], -1).T, np.float64)
