"""Expected seconds of the parts of a run by pictures, bands, frames and settings: what the progress of a run is counted in.

All constants are seconds of one core, measured at 128 x 128 x 8, 256 x 256 x 14, 256 x 256 x 28 and 660 x 660 x 28 (within 20 % there). Only their
ratios matter: :class:`cassi_core.progress.TimeEstimate` scales them by the pace of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cassi_core.calibration.likelihood.estimate import (
    COARSE_PATCHES,
    COARSE_STEPS,
    EVIDENCE_PATCHES,
    EVIDENCE_PLACES,
    FINAL_PATCHES,
    SUBSET_STEPS,
)
from cassi_core.calibration.likelihood.snapshot import PATCH_PX
from cassi_core.calibration.prealign import angles_tried
from cassi_core.calibration.rig_model import RigModel
from cassi_core.calibration.straighten import ROUNDS
from cassi_core.config import AutoSettings, QualitySettings
from cassi_core.progress import Part

COARSE_EXPECTED, SUBSET_EXPECTED, FINAL_EXPECTED = 9, 6, 4
"""Steps that the coarse fit, the first steps of the final one and those on the whole picture usually take before they come to rest."""
MATCHED_S = 0.055e-6
"""Of the matched filter, for a pixel and an angle."""
ITERATION_S = 2.4e-9
"""Of a GAP iteration with a Gaussian denoiser, for a pixel and a band."""
TV_S = 0.43e-9
"""Of an iteration of the total-variation denoiser within one, the same."""
SHIFTS_S = 36e-9
"""Of a field of block shifts, for a pixel, a band and a frame."""
LINE_S = 0.4e-6
"""Of the search for a pattern in a residual, for a pixel."""


@dataclass(frozen=True)
class Workload:
    """How large a run is: `pixels` of a frame with its padding, `bands`, `frames`, `patches` of all frames, longer `side` of the mask (px)."""

    pixels: int
    bands: int
    frames: int
    patches: int
    side: int

    @classmethod
    def of(cls, models: Sequence[RigModel]) -> Workload:
        first = models[0]
        patches = sum(max(1, m.y.shape[0] // PATCH_PX) * max(1, m.y.shape[1] // PATCH_PX) for m in models)
        return cls(first.y.size, first.dispersion.n_bands, len(models), patches, max(first.mask.shape))

    @property
    def voxels(self) -> int:
        return self.pixels * self.bands

    def patch_s(self, kind: str) -> float:
        """Of one patch in the likelihood: `everything` (with scene and noise), `geometry`, `likelihood` (no derivatives)."""
        fixed, band = {"everything": (1.4e-3, 0.115e-3), "geometry": (1.6e-3, 0.04e-3), "likelihood": (1.1e-3, 0.035e-3)}[kind]
        return fixed + band * self.bands

    def drawn(self, count: int) -> int:
        """Patches of a subset of about `count`: as many of every frame."""
        return min(-(-count // self.frames) * self.frames, self.patches)


def matched_filter(load: Workload, settings: AutoSettings) -> Part:
    """Pre-alignment with its straightening."""
    angles = angles_tried(load.side, settings.reach_deg, settings.angle_step_deg)
    return Part(1, load.pixels * angles * MATCHED_S + ROUNDS * load.frames * load.voxels * SHIFTS_S)


def coarse_fit(load: Workload) -> Part:
    """Blur, light, scene and noise on few patches."""
    return Part(min(COARSE_EXPECTED, COARSE_STEPS), load.drawn(COARSE_PATCHES) * load.patch_s("everything"))


NEEDLESS_EXPECTED = 2
"""Steps after the terms of the optics that the picture does not show were dropped."""


def final_fit(load: Workload, settings: AutoSettings) -> tuple[Part, ...]:
    """A subset, the evidence, the whole picture, again without the optics that the picture does not show, the errors."""
    return (
        Part(min(SUBSET_EXPECTED, SUBSET_STEPS), load.drawn(FINAL_PATCHES) * load.patch_s("everything")),
        Part(1, (EVIDENCE_PLACES + 1) * load.drawn(EVIDENCE_PATCHES) * load.patch_s("likelihood")),
        Part(min(FINAL_EXPECTED, settings.max_steps), load.patches * load.patch_s("geometry")),
        *((Part(NEEDLESS_EXPECTED, load.patches * load.patch_s("geometry")),) if settings.optics else ()),
        Part(1, load.pixels * 0.1e-6),
    )


def errors(load: Workload) -> tuple[Part, ...]:
    """The errors at a place that another search found."""
    return coarse_fit(load), Part(1, load.patches * load.patch_s("geometry"))


def proof(load: Workload, settings: QualitySettings) -> tuple[Part, ...]:
    """Residuals (two kinds, before and after), reconstructions and leftover shifts."""
    residuals = 2 * 2 * load.frames * load.voxels * 8 * ITERATION_S
    fields = (2 if settings.maps else 1) + (load.frames > 1)
    rest = fields * load.frames * load.voxels * SHIFTS_S + load.frames * load.pixels * LINE_S
    if settings.maps:
        rest += 2 * load.voxels * settings.n_iter * (ITERATION_S + TV_S * settings.tv_iter)
    return Part(2, residuals / 2), Part(1, rest)


def seconds(parts: Sequence[Part]) -> float:
    """Of several parts together."""
    return float(np.sum([part.seconds for part in parts]))
