"""From frames of the mask in light of known wavelengths to the dispersion of the rig and the place of its mask.

Each frame is registered to the nominal mask by itself (:mod:`.registration`); rotation and magnification, which all frames share,
are averaged and held, and the displacements are fitted again. What is left differs by wavelength: the displacement along the
dispersion axis gives the curve, the one across gives alpha. Band 0 has offset 0 (:mod:`cassi_core.dispersion`); where it lies is
the place of the mask, `dx dy theta scale_x scale_y`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Direction, vector_from_dispersion_frame, vector_to_dispersion_frame
from cassi_core.dispersion_measurement.coarse import CoarsePlace, coarse_place, frame_spectrum, mask_spectrum
from cassi_core.dispersion_measurement.common_pose import CommonPose, common_pose
from cassi_core.dispersion_measurement.curve import DispersionCurve, find_outliers, fit_curve
from cassi_core.dispersion_measurement.registration import Pose, RegisteredMask, Registration, refine, register
from cassi_core.errors import InputError
from cassi_core.inputs import check_image
from cassi_core.parameters import ParameterSet, format_value
from cassi_core.run import RunControl

Float64 = NDArray[np.float64]
Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Answer = TypeVar("Answer")

SMALLEST_Z = 9.0
"""A match below this height above the noise of all shifts may be chance: noise alone reaches 5 to 6, simulated frames 40 and more."""
SMALLEST_AGREEMENT = 0.2
LARGEST_SIGMA_PX = 0.25
REACH_DEG = 3.0
ANGLE_SCOUTS = 3
"""So many frames, the ones that match best as they are, are tried at all angles."""
OUTLIER_ORDER = 3
MOST_THREADS = 8
LARGE_CHI2, WORTH_SAYING_PX = 9.0, 0.02


@dataclass(frozen=True, eq=False)
class MonochromaticFrame:
    """A picture `(H, Wf)` of the mask in light of one wavelength, and which pixels are usable (None: all)."""

    name: str
    wavelength_nm: float
    image: NDArray[np.float32]
    usable: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class LeftOut:
    """A frame that was not used and why, in words."""

    name: str
    reason: str


@dataclass(frozen=True)
class MeasuredFrame:
    """Where the mask lies in a frame: displacement along and across the dispersion axis in pixels, counted from the nominal place.

    `residual_along` and `residual_across` are the distances from the fitted curve and line; `agreement` is the correlation of frame
    and mask after the fit (0..1), `z` the height of the coarse match above its noise.
    """

    name: str
    wavelength_nm: float
    along_px: float
    across_px: float
    sigma_along_px: float
    sigma_across_px: float
    agreement: float
    z: float
    residual_along_px: float = 0.0
    residual_across_px: float = 0.0


@dataclass(frozen=True, eq=False)
class DispersionMeasurement:
    """The measured dispersion: frames with residuals, the curve of the travel over wavelength, alpha in degrees, the mask's common pose.

    `place(reference_nm)` gives the parameters of the mask when the band at that wavelength is band 0.
    """

    frames: tuple[MeasuredFrame, ...]
    left_out: tuple[LeftOut, ...]
    curve: DispersionCurve
    alpha_deg: float
    alpha_sigma_deg: float
    across_at_zero_px: float
    across_sigma_px: float
    pose: CommonPose
    direction: Direction
    notes: tuple[str, ...] = ()

    def columns(self) -> tuple[Float64, Float64, Float64, Float64, Float64]:
        """Wavelengths, travel, its standard errors, residuals along and across of the frames, each `(N,)`, for plots and tables."""
        names = ("wavelength_nm", "along_px", "sigma_along_px", "residual_along_px", "residual_across_px")
        nm, travel, sigma, along, across = (np.array([getattr(f, name) for f in self.frames]) for name in names)
        return nm, travel, sigma, along, across

    @property
    def residual_rms_px(self) -> float:
        """Root mean square distance of the frames from the curve in pixels."""
        return float(np.sqrt(np.mean(self.columns()[3] ** 2)))

    def words(self) -> str:
        """Curve, scatter, axis and notes in a few sentences."""
        angle = format_value(self.alpha_deg, self.alpha_sigma_deg, "degrees")
        text = (
            f"{len(self.frames)} frames from {self.curve.low_nm:g} to {self.curve.high_nm:g} nm, bands to the {self.direction}. Polynomial of "
            f"order {self.curve.order}, {self.residual_rms_px:.4f} px rms left over. The axis is turned by {angle}."
        )
        return " ".join((text, *(f"{note[:1].upper()}{note[1:]}." for note in self.notes)))

    def place(self, reference_nm: float) -> ParameterSet:
        """Start values of a calibration whose band 0 has this wavelength: pose and alpha with standard errors, rig's frame."""
        at = np.array([reference_nm])
        travel, sigma = float(self.curve.travel(at)[0]), float(self.curve.sigma(at)[0])
        angle = np.deg2rad(self.alpha_deg)
        # The curve holds the travel along the tilted axis, counted from the point where it meets the frame's zero.
        along, across = travel * np.cos(angle), self.across_at_zero_px + travel * np.sin(angle)
        right, down = vector_from_dispersion_frame(along, across, self.direction)
        sigma_right, sigma_down = (abs(v) for v in vector_from_dispersion_frame(sigma, self.across_sigma_px, self.direction))
        dx, dy = self.pose.as_mask_shift(right, down)
        values = {"dx": dx, "dy": dy, **self.pose.values(), "alpha": self.alpha_deg}
        sigmas = {"dx": sigma_right, "dy": sigma_down, **self.pose.sigmas(), "alpha": self.alpha_sigma_deg}
        return ParameterSet.default((), values).with_sigmas(sigmas)


def measure_dispersion(
    frames: Sequence[MonochromaticFrame],
    mask: NDArray[np.float32],
    *,
    order: int | None = None,
    direction: Direction | None = None,
    left_out: Sequence[LeftOut] = (),
    control: RunControl | None = None,
    progress: Progress | None = None,
) -> DispersionMeasurement:
    """Register every frame, separate what the wavelengths share from what differs, and fit the curve.

    Parameters
    ----------
    frames
        Pictures of one size of the mask at two or more wavelengths, in any order, some may be unusable.
    mask
        Nominal mask `(H, W)` float32.
    order
        Order of the polynomial (None: chosen).
    direction
        Where the later bands lie (None: right or down, as the mask moves; the band order follows).
    left_out
        Frames that could not even be read, to be listed with the others.
    progress
        Called with (frames done, all).

    Raises
    ------
    InputError
        Fewer than two usable frames, frames of different sizes, an order that they cannot carry.
    RunCancelled
        After ``control.cancel()``.
    """
    control = control or RunControl()
    dropped = list(left_out)
    check_image(mask, "mask")
    good = _of_one_size(frames, dropped)
    model = RegisteredMask.of(mask)
    coarse, theta = _coarse(good, mask, control)
    steps = 2 * len(good)

    def first(item: tuple[MonochromaticFrame, CoarsePlace]) -> tuple[str, Registration | None]:
        control.checkpoint()
        return _register(*item, model, theta)

    found: list[tuple[MonochromaticFrame, CoarsePlace, Registration]] = []
    pairs = list(zip(good, coarse, strict=True))
    for i, ((frame, place), (problem, registration)) in enumerate(zip(pairs, _in_parallel(first, pairs), strict=True)):
        if registration is None:
            dropped.append(LeftOut(frame.name, problem))
        else:
            found.append((frame, place, registration))
        if progress is not None:
            progress(i + 1, steps)
    _enough({f.wavelength_nm for f, _, _ in found}, dropped)
    pose = common_pose([r for _, _, r in found])

    def second(item: tuple[MonochromaticFrame, CoarsePlace, Registration]) -> Registration | None:
        control.checkpoint()
        frame, _, before = item
        start = pose.at(before.pose.right, before.pose.down)
        return refine(frame.image, _usable(frame), model, start, fit=("right", "down"))

    placed = []
    for i, ((frame, place, _), again) in enumerate(zip(found, _in_parallel(second, found), strict=True)):
        if again is not None:
            placed.append((frame, place, again))
        if progress is not None:
            progress(len(good) + i + 1, steps)
    return _separate(placed, mask, pose, order, direction, dropped)


def _in_parallel(work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Answer]:
    """Answers in the order of the items; the filters behind them let other threads run."""
    with ThreadPoolExecutor(max(1, min(MOST_THREADS, os.cpu_count() or 1))) as pool:
        yield from pool.map(work, items)


def _of_one_size(frames: Sequence[MonochromaticFrame], dropped: list[LeftOut]) -> list[MonochromaticFrame]:
    """The frames that hold a picture of the commonest size; the others are left out."""
    checked = []
    for frame in frames:
        try:
            check_image(frame.image, frame.name)
        except InputError as error:
            dropped.append(LeftOut(frame.name, str(error).removeprefix(f"{frame.name}: ")))
            continue
        checked.append(frame)
    shapes = [f.image.shape for f in checked]
    if not shapes:
        _enough(set(), dropped)
    usual = max(shapes, key=shapes.count)
    for frame in checked:
        if frame.image.shape != usual:
            dropped.append(LeftOut(frame.name, f"it has {_size(frame.image.shape)} pixels and the others {_size(usual)}"))
    return [f for f in checked if f.image.shape == usual]


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)


def _usable(frame: MonochromaticFrame) -> NDArray[np.bool_]:
    return np.ones(frame.image.shape, bool) if frame.usable is None else frame.usable


def _coarse(
    frames: Sequence[MonochromaticFrame], mask: NDArray[np.float32], control: RunControl
) -> tuple[list[CoarsePlace], float]:
    """Whole-pixel places of all frames at the angle where the best few match most."""
    shape = (mask.shape[0], mask.shape[1])
    spectra = [frame_spectrum(f.image, _usable(f), shape) for f in frames]
    at: dict[float, NDArray[np.complex64]] = {}

    def match(index: int, angle: float) -> CoarsePlace:
        control.checkpoint()
        if angle not in at:
            at[angle] = mask_spectrum(mask, angle, spectra[0].size)
        return coarse_place(spectra[index], at[angle], shape)

    upright = [match(i, 0.0) for i in range(len(frames))]
    step = min(0.5, float(np.rad2deg(1 / (0.41 * max(shape)))))
    n = int(np.ceil(REACH_DEG / step))
    angles = np.linspace(-REACH_DEG, REACH_DEG, 2 * n + 1)
    scouts = sorted(range(len(frames)), key=lambda i: -upright[i].z)[:ANGLE_SCOUTS]
    heights = [sum(match(i, float(a)).z for i in scouts) for a in angles]
    theta = float(angles[int(np.argmax(heights))])
    return (upright if theta == 0 else [match(i, theta) for i in range(len(frames))]), theta


def _register(
    frame: MonochromaticFrame, place: CoarsePlace, model: RegisteredMask, theta: float
) -> tuple[str, Registration | None]:
    """Sub-pixel place in one frame, or why there is none."""
    nothing = "is it a picture of this mask, lit and not overexposed?"
    if place.z < SMALLEST_Z:
        return (
            f"the mask is not found in it (its best match stands {place.z:.1f} times above chance, {SMALLEST_Z:g} is needed); {nothing}",
            None,
        )
    registration = register(frame.image, _usable(frame), model, Pose(place.right, place.down, theta))
    if registration is None or not registration.converged:
        return f"the fit of the mask did not settle; {nothing}", None
    if registration.agreement < SMALLEST_AGREEMENT:
        return (
            f"mask and picture agree too little ({registration.agreement:.2f} of 1, {SMALLEST_AGREEMENT:g} is needed); {nothing}",
            None,
        )
    sigma = max(registration.sigma("right"), registration.sigma("down"))
    if sigma > LARGEST_SIGMA_PX:
        return f"the place of the mask is uncertain by {sigma:.2f} px ({LARGEST_SIGMA_PX:g} px is allowed); {nothing}", None
    return "", registration


def _enough(wavelengths: set[float], dropped: Sequence[LeftOut]) -> None:
    if len(wavelengths) >= 2:
        return
    count = f"{len(wavelengths)} wavelength{'s have' if len(wavelengths) != 1 else ' has'} a usable frame"
    reasons = "; ".join(f"{d.name}: {d.reason}" for d in dropped[:6])
    more = f"; and {len(dropped) - 6} more" if len(dropped) > 6 else ""
    raise InputError(f"{count}, two at least are needed" + (f". Left out: {reasons}{more}" if dropped else ""))


def _separate(
    placed: Sequence[tuple[MonochromaticFrame, CoarsePlace, Registration]],
    mask: NDArray[np.float32],
    pose: CommonPose,
    order: int | None,
    direction: Direction | None,
    dropped: list[LeftOut],
) -> DispersionMeasurement:
    """Along and across, without the frames that do not belong to the curve of the others."""
    shifts = np.array([(r.pose.right, r.pose.down) for _, _, r in placed])
    sigmas = np.array([(r.sigma("right"), r.sigma("down")) for _, _, r in placed])
    nm = np.array([f.wavelength_nm for f, _, _ in placed])
    chosen: Direction = direction or ("right" if np.ptp(shifts[:, 0]) >= np.ptp(shifts[:, 1]) else "down")
    frame_shape = placed[0][0].image.shape
    # Where band 0 lies nominally: at the side of the frame from which the bands move away.
    base = (
        frame_shape[1] - mask.shape[1] if chosen == "left" else 0,
        frame_shape[0] - mask.shape[0] if chosen == "up" else 0,
    )
    turned = np.array([vector_to_dispersion_frame(r - base[0], d - base[1], chosen) for r, d in shifts])
    errors = np.abs([vector_to_dispersion_frame(r, d, chosen) for r, d in sigmas])
    stray: dict[int, str] = {}
    for axis, degree, word in ((0, min(OUTLIER_ORDER, order or OUTLIER_ORDER), "along"), (1, 1, "across")):
        for i, distance in find_outliers(nm, turned[:, axis], errors[:, axis], degree):
            stray.setdefault(
                i,
                f"the mask lies {abs(distance):.2f} px {word} the dispersion from where the other frames say; is {nm[i]:g} nm the right "
                "wavelength, and was nothing moved?",
            )
    dropped += [LeftOut(placed[i][0].name, reason) for i, reason in stray.items()]
    kept = [i for i in range(len(placed)) if i not in stray]
    _enough({float(nm[i]) for i in kept}, dropped)
    along, across, s_along, s_across = (v[kept] for v in (turned[:, 0], turned[:, 1], errors[:, 0], errors[:, 1]))
    line = fit_curve(along, across, s_across, 1)
    middle, half = (line.high_nm + line.low_nm) / 2, max((line.high_nm - line.low_nm) / 2, 1e-9)
    tangent, tangent_sigma = line.coefficients[1] / half, float(np.sqrt(line.covariance[1, 1])) / half
    angle = float(np.arctan(tangent))
    at_zero = float(line.coefficients[0] - tangent * middle)
    travel = along * np.cos(angle) + (across - at_zero) * np.sin(angle)
    curve = fit_curve(nm[kept], travel, s_along, order)
    measured = []
    fitted_along, fitted_across = curve.travel(nm[kept]), line.travel(along)
    for n, i in enumerate(kept):
        frame, place, registration = placed[i]
        measured.append(
            MeasuredFrame(
                frame.name,
                frame.wavelength_nm,
                float(travel[n]),
                float(across[n]),
                float(s_along[n]),
                float(s_across[n]),
                registration.agreement,
                place.z,
                float(travel[n] - fitted_along[n]),
                float(across[n] - fitted_across[n]),
            )
        )
    return DispersionMeasurement(
        tuple(sorted(measured, key=lambda m: m.wavelength_nm)),
        tuple(dropped),
        curve,
        float(np.rad2deg(angle)),
        float(np.rad2deg(tangent_sigma)),
        at_zero,
        float(np.sqrt(line.covariance[0, 0])),
        pose,
        chosen,
        (*_notes(frame_shape, mask, chosen, pose), *_curve_notes(curve, measured)),
    )


def _notes(frame_shape: tuple[int, ...], mask: NDArray[np.float32], direction: Direction, pose: CommonPose) -> tuple[str, ...]:
    notes = []
    across = 0 if direction in ("right", "left") else 1
    if frame_shape[across] != mask.shape[across]:
        notes.append(
            f"the frames ({_size(frame_shape)}) are not cut like a snapshot of this mask ({_size(mask.shape)}); dx and dy count from their "
            "own corner and do not start a calibration of snapshots that are cut otherwise"
        )
    notes += [
        f"{name} differs from frame to frame by more than its errors ({scatter:.1f} times): the optics magnify or turn the colours differently"
        for name, scatter in pose.scatter.items()
        if scatter > 5
    ]
    return tuple(notes)


def _curve_notes(curve: DispersionCurve, frames: Sequence[MeasuredFrame]) -> tuple[str, ...]:
    """Frames that scatter about the curve by more than their registration explains: mostly their wavelengths are rounded."""
    rms = float(np.sqrt(np.mean([f.residual_along_px**2 for f in frames])))
    if curve.chi2 is None or curve.chi2 < LARGE_CHI2 or rms < WORTH_SAYING_PX:
        return ()
    ends = curve.travel(np.array([curve.low_nm, curve.high_nm]))
    nm = rms / max(abs(float(ends[1] - ends[0])) / (curve.high_nm - curve.low_nm), 1e-9)
    return (
        f"the frames scatter about the curve by {rms:.3f} px, {np.sqrt(curve.chi2):.0f} times what their registration explains; that is "
        f"{nm:.2f} nm: are the wavelengths rounded, or does the curve need another order? The errors of the offsets allow for it",
    )
