"""A simulated rig: what a camera records behind a mask that does not sit where the nominal mask says.

It shares no code with the fitted model on purpose: a calibration tested on data of its own warp and its own dispersion
only proves that it can invert itself. Here the mask is sampled by a cubic spline from a capture LARGER than the field, so that
content really enters at the borders, for every band at the place where the rig's own direction brings it from; and a band may
smear over its own width (``subbands``).

Conventions as in :mod:`cassi_core.geometry` and :mod:`cassi_core.dispersion`; for a detector pixel at (col, row) from the
centre the mask pixel looked at is::

    col_in =  cos(theta) col/(1+scale_x) - sin(theta) row/(1+scale_y) - dx
    row_in =  sin(theta) col/(1+scale_x) + cos(theta) row/(1+scale_y) - dy
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.dispersion import Dispersion
from cassi_core.errors import ConfigError
from cassi_core.parameters import PARAMETER_NAMES, SPECS, check_names
from cassi_core.simulate.camera import Camera
from cassi_core.simulate.lens import Lens

AXIS_DEG = {"right": 0.0, "down": 90.0, "left": 180.0, "up": 270.0}
"""Direction in which the bands move, measured from columns-right towards rows-down."""
LIMITS = {
    "dx": 200.0,
    "dy": 200.0,
    "theta": 45.0,
    "scale_x": 0.5,
    "scale_y": 0.5,
    "slope": 5.0,
    "curve": 0.5,
    "alpha": 45.0,
    "psf": 20.0,
}
"""How far off a simulated rig may be: far beyond what a calibration reaches, near enough to fit into memory."""


@dataclass(frozen=True)
class Misalignment:
    """The true state of a simulated rig: the eight parameters and the blur, units as in :data:`cassi_core.parameters.SPECS`."""

    dx: float = 0.0
    dy: float = 0.0
    theta: float = 0.0
    scale_x: float = 0.0
    scale_y: float = 0.0
    slope: float = 0.0
    curve: float = 0.0
    alpha: float = 0.0
    psf: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self.values().items():
            limit = LIMITS[name]
            if not abs(value) <= limit or (name == "psf" and value < 0):
                low = 0.0 if name == "psf" else -limit
                raise ConfigError(
                    f"{name} is {value:g}; between {low:g} and {limit:g} {SPECS[name].unit}".rstrip() + " is possible"
                )

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Misalignment:
        """From a mapping; ConfigError for unknown names."""
        check_names(values)
        return cls(**{name: float(value) for name, value in values.items()})

    def values(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: float(getattr(self, name)) for name in PARAMETER_NAMES}


@dataclass(frozen=True, eq=False)
class SimulatedRig:
    """A snapshot `(H, Wm)` float32 with the nominal mask `(H, W)`, the true cube `(L, H, W)` and the true misalignment.

    `true_mask` `(H, W)` is the mask as the rig really shows it; `gain` is the measurement per unit of light.
    """

    measurement: NDArray[np.float32]
    mask: NDArray[np.float32]
    true_mask: NDArray[np.float32]
    gain: float
    cube: NDArray[np.float32]
    dispersion: Dispersion
    truth: Misalignment
    camera: Camera
    seed: int
    subbands: int = 1
    lens: Lens = field(default_factory=Lens)


def needed_margin(shape: tuple[int, int], truth: Misalignment, lens: Lens | None = None) -> int:
    """Pixels that a mask capture must hold round a field `(H, W)` so that the true mask nowhere leaves it."""
    corners = [(r * (shape[0] - 1) / 2, c * (shape[1] - 1) / 2) for r in (-1, 1) for c in (-1, 1)]
    reach = 0.0
    for row, col in corners:
        row_in, col_in = _look_up(np.array(row), np.array(col), truth)
        reach = max(reach, abs(float(row_in)) - (shape[0] - 1) / 2, abs(float(col_in)) - (shape[1] - 1) / 2)
    # At a corner, sqrt(2) times as far out as the edge, a cubic term is 2.8 times as large as there.
    bent = 0.0 if lens is None else 3 * sum(abs(v) for v in lens.values().values())
    return math.ceil(reach + 4 * truth.psf + bent) + 4


def simulate_rig(
    scene: NDArray[np.float32],
    capture: NDArray[np.floating],
    dispersion: Dispersion,
    truth: Misalignment,
    camera: Camera | None = None,
    *,
    seed: int = 0,
    origin: tuple[int, int] | None = None,
    subbands: int = 1,
    lens: Lens | None = None,
) -> SimulatedRig:
    """Simulate one snapshot of a misaligned rig.

    Parameters
    ----------
    scene
        Cube ``(L, H, W)`` float32, not negative.
    capture
        The aperture with its surroundings, larger than ``(H, W)`` by :func:`needed_margin` on every side.
    dispersion
        Nominal dispersion with the rig's direction; the number of bands must be L.
    truth
        Where mask and bands really are.
    camera
        None: the default camera.
    origin
        Row and column of the nominal mask inside the capture; None: in the middle.
    subbands
        Parts that each band is split into, each at its own offset: the smear of a band over its own width.
    lens
        What the lenses do besides; None: nothing.

    Returns
    -------
    SimulatedRig
        Its measurement has the nominal canvas's shape, 1.0 is saturation.

    Raises
    ------
    ConfigError
        When shapes do not fit, the capture is too small or `subbands` is below 1.
    """
    n, height, width = scene.shape
    if n != dispersion.n_bands:
        raise ConfigError(f"the scene has {n} bands and the dispersion {dispersion.n_bands}; both must be equal")
    if subbands < 1:
        raise ConfigError(f"{subbands} subbands; at least 1 is needed")
    top, left = origin or ((capture.shape[0] - height) // 2, (capture.shape[1] - width) // 2)
    nominal = capture[max(0, top) : top + height, max(0, left) : left + width]
    if min(top, left) < 0 or nominal.shape != (height, width):
        raise ConfigError(
            f"the mask capture {capture.shape} does not cover the field {height} x {width} at row {top}, column {left}; "
            f"a margin of {needed_margin((height, width), truth, lens)} px round the field is needed"
        )
    mask = true_mask(capture, (top, left), (height, width), truth)
    lens = lens or Lens()
    light = expose(scene, capture, (top, left), dispersion, truth, subbands, lens)
    camera = camera or Camera()
    return SimulatedRig(
        measurement=camera.expose(light, np.random.default_rng(seed)),
        mask=np.ascontiguousarray(nominal, np.float32),
        true_mask=mask.astype(np.float32),
        gain=camera.gain(light),
        cube=np.asarray(scene, np.float32),
        dispersion=dispersion,
        truth=truth,
        camera=camera,
        seed=seed,
        subbands=subbands,
        lens=lens,
    )


def true_mask(
    capture: NDArray[np.floating], origin: tuple[int, int], shape: tuple[int, int], truth: Misalignment
) -> NDArray[np.float64]:
    """The mask as the rig shows it, ``(H, W)`` float64: a cubic spline through the capture, then the blur of the optics."""
    height, width = shape
    row, col = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    row_in, col_in = _look_up(row, col, truth)
    points = [row_in + (height - 1) / 2 + origin[0], col_in + (width - 1) / 2 + origin[1]]
    mask = np.clip(ndi.map_coordinates(np.asarray(capture, np.float64), points, order=3, mode="nearest"), 0.0, None)
    return np.asarray(ndi.gaussian_filter(mask, truth.psf) if truth.psf > 0 else mask, np.float64)


def expose(
    scene: NDArray[np.float32],
    capture: NDArray[np.floating],
    origin: tuple[int, int],
    dispersion: Dispersion,
    truth: Misalignment,
    subbands: int = 1,
    lens: Lens | None = None,
) -> NDArray[np.float64]:
    """The light on the detector without noise, ``(H, Wm)`` float64, in the order of the light.

    A detector pixel sees light of a band through the place of the mask, and from the place of the scene, that lie where the dispersion of
    that band comes from: both are looked up there, once, and multiplied. Nothing that was sampled is sampled again.
    """
    n, height, width = scene.shape
    out_height, out_width = dispersion.canvas_shape((height, width))
    # Bands that move left or up start at the far side of the canvas, so that all of the nominal travel fits on it.
    first_row = out_height - height if dispersion.direction == "up" else 0
    first_col = out_width - width if dispersion.direction == "left" else 0
    axis = math.radians(AXIS_DEG[dispersion.direction])
    angle = axis + math.radians(truth.alpha)
    edge = max(height, width) / 2
    capture = np.asarray(capture, np.float64)
    spline = ndi.spline_filter(ndi.gaussian_filter(capture, truth.psf) if truth.psf > 0 else capture, 3, mode="nearest")
    rows, cols = np.meshgrid(np.arange(out_height, dtype=float), np.arange(out_width, dtype=float), indexing="ij")
    if lens is not None and not lens.straight:
        rows, cols = lens.undistorted(rows, cols, (out_height, out_width), edge)
    light = np.zeros((out_height, out_width))
    for band in range(n):
        for part in range(subbands):
            position = band + (part + 0.5) / subbands - 0.5
            s = _travel(dispersion.s_nom, position) + truth.slope * position + truth.curve * position * (position - (n - 1))
            row, col = rows - first_row - s * math.sin(angle), cols - first_col - s * math.cos(angle)
            lit = _covered(row, height) * _covered(col, width)
            inside = lit > 0
            row, col = row[inside], col[inside]
            on_row, on_col = row - (height - 1) / 2, col - (width - 1) / 2
            if lens is not None and not lens.straight:
                place = 2 * position / (n - 1) - 1 if n > 1 else 0.0
                on_row, on_col = lens.on_mask(on_row, on_col, place, edge, axis)
            row_in, col_in = _look_up(on_row, on_col, truth)
            points = [row_in + (height - 1) / 2 + origin[0], col_in + (width - 1) / 2 + origin[1]]
            mask = np.clip(ndi.map_coordinates(spline, points, order=3, mode="nearest", prefilter=False), 0.0, None)
            seen = ndi.map_coordinates(_between_bands(scene, position), [row, col], order=1, mode="nearest")
            light[inside] += lit[inside] * mask * seen / subbands
    return light


def _covered(at: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The share of a pixel, seen at this place of the field, that lies within its `size` pixels."""
    return np.clip(np.minimum(at + 1, size - at), 0.0, 1.0)


def _look_up(
    row: NDArray[np.float64], col: NDArray[np.float64], truth: Misalignment
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mask coordinates from the centre seen at detector coordinates from the centre."""
    t = math.radians(truth.theta)
    col, row = col / (1 + truth.scale_x), row / (1 + truth.scale_y)
    return math.sin(t) * col + math.cos(t) * row - truth.dy, math.cos(t) * col - math.sin(t) * row - truth.dx


def _travel(s_nom: NDArray[np.float64], position: float) -> float:
    """Nominal travel at a fractional band, straight on beyond the first and the last."""
    if s_nom.size == 1:
        return 0.0
    low = min(max(math.floor(position), 0), s_nom.size - 2)
    return float(s_nom[low] + (position - low) * (s_nom[low + 1] - s_nom[low]))


def _between_bands(scene: NDArray[np.float32], position: float) -> NDArray[np.float64]:
    """The scene at a fractional band, linear between neighbours, constant beyond the ends."""
    last = scene.shape[0] - 1
    position = min(max(position, 0.0), float(last))
    low = min(math.floor(position), max(last - 1, 0))
    t = position - low
    upper = scene[min(low + 1, last)]
    return np.asarray((1 - t) * scene[low].astype(np.float64) + t * upper, np.float64)
