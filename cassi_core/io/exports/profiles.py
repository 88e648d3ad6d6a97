"""Export profiles: the calibrated mask in the layouts that public reconstruction code loads, each checked after writing.

================  =======================  ==================  ==========================================================
profile           key                      shape               meaning
================  =======================  ==================  ==========================================================
mst-real          ``mask``                 H x W               warped mask; the loaders of real data tile and shift it
                                                               themselves by whole pixels (``roll`` by ``step*l``)
                  ``mask_3d_shift``        H x Wc x L          the same after that shift
mst-simulation    ``mask_3d_shift``        H x Wc x L          band l in the columns ``o_l .. o_l + W``, zeros elsewhere
                  ``mask``                 H x W               warped mask
dauhst            ``Phi``                  L x H x Wc          ``mask_3d_shift`` with the bands first
                  ``Phi_s``                H x Wc              ``sum_l Phi^2``, 1 where no light arrives
plain             ``mask_3d_shift``        H x Wc x L          as above
                  ``mask``                 H x W               warped mask
                  ``band_offsets_px``      L x 2               calibrated offsets (right, down), exact
================  =======================  ==================  ==========================================================

All are float32, in the canonical frame (bands to the right), with ``Wc = W + o_(L-1)`` and ``o_l = round(s_nom[l])``; the forward model
of all of them is ``y[:, o_l : o_l + W] += M_l . x_l``. Beside the arrays each file says ``step_px``, ``n_bands``, ``offsets_px``
(``o_l``), ``shifts``, ``quarter_turns`` and, if known, ``wavelengths_nm``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import ConfigError, OutputError
from cassi_core.io.exports.containers import write_arrays
from cassi_core.io.exports.rig_masks import CalibratedMask, Float32, Shifts, shifted

SELF_CHECK_TOLERANCE = 1e-5
"""Largest deviation of the reloaded file's forward model from ours, relative to the brightest pixel (float32 sums: 1e-6)."""
NEGLECTED_PX = 0.1
"""From this much on a whole-pixel layout loses something that reconstructions show."""


@dataclass(frozen=True)
class Layout:
    """One array of a profile: key, shape in words, meaning."""

    key: str
    shape: str
    text: str


@dataclass(frozen=True)
class ExportProfile:
    """A layout named after its consumer; `folder_files` are the names and keys when a folder is given instead of a file."""

    id: str
    label: str
    description: str
    shifts: Shifts
    layout: tuple[Layout, ...]
    folder_files: tuple[tuple[str, tuple[str, ...]], ...]
    fixed_steps: bool = False
    """The public code of this consumer has 28 bands and 2 px per band built in."""


@dataclass(frozen=True)
class ExportReport:
    """What was written, the largest relative deviation of the self-check, and what the user should know."""

    paths: tuple[Path, ...]
    deviation: float
    notes: tuple[str, ...] = ()


_MASK = Layout("mask", "H x W", "warped mask")
_SHIFTED = Layout("mask_3d_shift", "H x Wc x L", "band l in the columns o_l .. o_l + W, zeros elsewhere")
PROFILES: dict[str, ExportProfile] = {
    p.id: p
    for p in (
        ExportProfile(
            "mst-real",
            "Mask for MST / TSA-Net (real data)",
            "the mask as the public loaders of real data read it (mask.mat); they shift it by whole pixels themselves",
            "integer",
            (_MASK, _SHIFTED),
            (("mask.mat", ("mask", "mask_3d_shift")),),
            True,
        ),
        ExportProfile(
            "mst-simulation",
            "Shifted mask for MST / DAUHST (simulation)",
            "the masks of all bands as the public simulation code reads them (mask_3d_shift.mat)",
            "integer",
            (_SHIFTED, _MASK),
            (("mask_3d_shift.mat", ("mask_3d_shift",)), ("mask.mat", ("mask",))),
            True,
        ),
        ExportProfile(
            "dauhst",
            "Phi and Phi_s for DAUHST",
            "the pair (Phi, Phi_s) that unfolding networks take, with the sub-pixel pattern of every band",
            "interpolated",
            (Layout("Phi", "L x H x Wc", "shifted masks, bands first"), Layout("Phi_s", "H x Wc", "sum_l Phi^2, 1 where dark")),
            (("phi.mat", ("Phi", "Phi_s")),),
        ),
        ExportProfile(
            "plain",
            "Calibrated mask, all arrays",
            "mask, shifted masks with the sub-pixel pattern of every band, and the exact band offsets",
            "interpolated",
            (_SHIFTED, _MASK, Layout("band_offsets_px", "L x 2", "calibrated offsets (right, down)")),
            (("calibrated_mask.mat", ("mask_3d_shift", "mask", "band_offsets_px")),),
        ),
    )
}


def export_mask(
    rig: CalibratedMask, profile: str, path: str | Path, *, shifts: Shifts | None = None, normalise: bool = False
) -> ExportReport:
    """Write the calibrated mask in the layout of a profile, reload it and compare its forward model with ours.

    Parameters
    ----------
    rig
        The mask with its calibration.
    profile
        A key of :data:`PROFILES`.
    path
        A file whose suffix chooses the format (.mat, .h5, .npz, .npy), or a folder for the consumer's own file names.
    shifts
        `integer` or `interpolated` (:mod:`cassi_core.io.exports.rig_masks`); None: what the consumer assumes.
    normalise
        Scale so that the largest value written is exactly 1 (sub-pixel sampling lowers the peaks of a sharp mask a little);
        otherwise values are transmissions relative to the brightest pixel of the nominal mask.

    Raises
    ------
    ConfigError
        An unknown profile or kind of file.
    OutputError
        The file cannot be written, or does not give back our forward model; the old file, if any, is untouched.
    """
    if profile not in PROFILES:
        raise ConfigError(f"unknown profile '{profile}'; the profiles are {', '.join(PROFILES)}")
    chosen = PROFILES[profile]
    kind = shifts or chosen.shifts
    masks, warped = scaled_masks(rig, kind, normalise=normalise)
    arrays, notes = profile_arrays(rig, masks, warped, chosen), _notes(rig, kind)
    expected = _Expected.of(masks, rig.whole_offsets)
    deviations: list[float] = []
    path = Path(path)
    paths: list[Path] = []
    for name, keys in chosen.folder_files if path.is_dir() else ((None, tuple(arrays)),):
        part = {key: arrays[key] for key in keys}
        check = partial(_check, expected, kind, deviations, path)
        paths += write_arrays(path if name is None else path / name, part, notes, check)
    return ExportReport(tuple(paths), max(deviations, default=0.0), _remarks(rig, chosen, kind))


def scaled_masks(rig: CalibratedMask, shifts: Shifts, *, normalise: bool) -> tuple[Float32, Float32]:
    """The masks of the bands `(L, H, W)` and the warped mask `(H, W)`; `normalise` scales both to a largest value of 1."""
    masks, warped = rig.band_masks(shifts), rig.warped()
    return (masks / masks.max(), warped / warped.max()) if normalise else (masks, warped)


def profile_arrays(rig: CalibratedMask, masks: Float32, warped: Float32, profile: ExportProfile) -> dict[str, NDArray[Any]]:
    """The arrays of a profile by key, in the order of its layout; `masks` `(L, H, W)` at whole offsets."""
    canvas = shifted(masks, rig.whole_offsets)
    makers: dict[str, Callable[[], NDArray[Any]]] = {
        "mask": lambda: warped,
        "mask_3d_shift": lambda: np.ascontiguousarray(canvas.transpose(1, 2, 0)),
        "Phi": lambda: canvas,
        "Phi_s": lambda: normaliser(canvas),
        "band_offsets_px": lambda: np.stack(rig.exact_offsets(), axis=1),
    }
    return {layout.key: makers[layout.key]() for layout in profile.layout}


def normaliser(phi: Float32) -> Float32:
    """``Phi_s = sum_l Phi_l^2`` `(H, Wc)` float32, 1 where no light arrives (so that a division does no harm)."""
    total = np.sum(phi.astype(np.float64) ** 2, axis=0)
    total[total == 0] = 1
    return np.asarray(total, np.float32)


def _notes(rig: CalibratedMask, shifts: Shifts) -> dict[str, Any]:
    d = rig.dispersion
    notes: dict[str, Any] = {
        "step_px": d.step_px,
        "n_bands": d.n_bands,
        "offsets_px": rig.whole_offsets.astype(np.float64),
        "shifts": shifts,
        "quarter_turns": rig.quarter_turns,
    }
    if d.wavelengths_nm is not None:
        notes["wavelengths_nm"] = d.wavelengths_nm
    return notes


def _remarks(rig: CalibratedMask, profile: ExportProfile, shifts: Shifts) -> tuple[str, ...]:
    remarks = []
    neglected = rig.neglected_px()
    if shifts == "integer" and neglected > NEGLECTED_PX:
        remarks.append(
            f"whole-pixel shifts leave out up to {neglected:.2f} px of the calibrated dispersion; use interpolated shifts "
            "where the consumer takes a mask for every band"
        )
    if profile.id == "mst-real" and shifts == "interpolated":
        remarks.append(
            "the public loaders read `mask` and shift it by whole pixels; hand them `mask_3d_shift` to use the sub-pixel one"
        )
    steps = np.diff(rig.whole_offsets)
    if profile.fixed_steps and (rig.dispersion.n_bands != 28 or np.any(steps != 2)):
        remarks.append(
            f"the public code has 28 bands and 2 px per band built in; this rig has {rig.dispersion.n_bands} bands and "
            f"{rig.dispersion.step_px:.4g} px: change them there"
        )
    if rig.quarter_turns:
        remarks.append(
            f"the rig disperses {rig.dispersion.direction}: the arrays are turned so that the bands go to the right; turn "
            f"measurements by numpy.rot90(measurement, {rig.quarter_turns}) before using them"
        )
    return tuple(remarks)


@dataclass(frozen=True, eq=False)
class _Expected:
    """A random cube and what our forward model makes of it with the masks that are to be written."""

    cube: Float32
    offsets: NDArray[np.int64]
    y: NDArray[np.float64]

    @classmethod
    def of(cls, masks: Float32, offsets: NDArray[np.int64]) -> _Expected:
        from cassi_core.solvers.fused_cpu import FusedCpuSolver
        from cassi_core.solvers.protocol import Candidate

        cube = np.random.default_rng(5).random(masks.shape, np.float32)
        shape = (masks.shape[1], masks.shape[2] + int(offsets[-1]))
        candidate = Candidate(masks, offsets.astype(np.float64), np.zeros(len(offsets)))
        y = FusedCpuSolver(1).project(cube, candidate, shape)
        return cls(cube, offsets, y.astype(np.float64))


def _check(expected: _Expected, shifts: Shifts, deviations: list[float], path: Path, stored: dict[str, NDArray[Any]]) -> None:
    """Compare the forward models that a consumer computes from the stored arrays with ours."""
    models: dict[str, NDArray[np.float64]] = {}
    if "mask_3d_shift" in stored:
        models["mask_3d_shift"] = _forward(np.moveaxis(stored["mask_3d_shift"], -1, 0), expected)
    if "Phi" in stored:
        models["Phi"] = _forward(stored["Phi"], expected)
    if "mask" in stored and shifts == "integer":
        tiled = np.broadcast_to(stored["mask"], expected.cube.shape)
        models["mask"] = _forward(shifted(tiled, expected.offsets), expected)
    if "Phi_s" in stored and not np.array_equal(stored["Phi_s"], normaliser(stored["Phi"])):
        raise OutputError(f"{path}: Phi_s does not belong to the Phi that was read back; nothing was written")
    top = float(np.abs(expected.y).max()) or 1.0
    for key, y in models.items():
        deviation = float(np.abs(y - expected.y).max()) / top
        deviations.append(deviation)
        if not deviation <= SELF_CHECK_TOLERANCE:
            raise OutputError(
                f"{path}: the forward model of '{key}' read back from the file deviates by {deviation:.1e} from ours "
                f"(at most {SELF_CHECK_TOLERANCE:g} is allowed); nothing was written"
            )


def _forward(phi: NDArray[Any], expected: _Expected) -> NDArray[np.float64]:
    """``y = sum_l Phi_l . shift_l(x_l)`` with whole offsets, as networks compute it; `phi` `(L, H, Wc)`."""
    if phi.shape != (*expected.cube.shape[:2], expected.y.shape[1]):
        return np.full(expected.y.shape, np.nan)
    y = np.zeros(expected.y.shape)
    width = expected.cube.shape[2]
    for band, offset in enumerate(expected.offsets):
        columns = slice(int(offset), int(offset) + width)
        y[:, columns] += phi[band][:, columns].astype(np.float64) * expected.cube[band]
    return y
