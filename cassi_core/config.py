"""The science configuration: every number of every algorithm is a setting here, with its default, range, unit and meaning.

Forms, command-line help and reference documentation are generated from the field metadata, so a setting is described once.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cassi_core.errors import ConfigError
from cassi_core.parameters import check_names

PresetName = Literal["auto", "reference", "algorithm1"]
CONFIG_VERSION = 1


def setting(default: Any, description: str, *, unit: str = "", **limits: Any) -> Any:
    """A configuration field: default, one sentence, unit, and limits (ge, le, gt, lt)."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


class Settings(BaseModel):
    """Base of all groups of settings: immutable, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


RETIRED_AUTO_SETTINGS = ("wide", "precise", "joint_n_iter", "noisy_sigma_px")
"""Settings of version 0.1 that mean nothing to the present estimator: left out where an older session or preset holds them."""


class AutoSettings(Settings):
    """Preset `auto`: matched filter, then the maximum of the likelihood of the picture."""

    reach_px: float = setting(25.0, "Largest mask shift that the pre-alignment looks for", unit="px", ge=2.0, le=200.0)
    reach_deg: float = setting(3.0, "Largest mask rotation that the pre-alignment looks for", unit="deg", ge=0.0, le=20.0)
    angle_step_deg: float = setting(0.5, "Spacing of the angles tried by the pre-alignment", unit="deg", gt=0.0, le=2.0)
    min_peak_z: float = setting(
        8.0, "Peak height, in units of its own noise, below which the mask counts as not found", ge=3.0, le=1000.0
    )
    smear_px: float = setting(
        0.0, "Length of a band's own smear along the dispersion (0: none; a broad band: its step)", unit="px", ge=0.0, le=20.0
    )
    prior_scale: float = setting(
        0.01, "How well the magnification is known before (standard error of scale_x and scale_y)", gt=0.0, le=1.0
    )
    prior_slope: float = setting(
        0.03, "How well the dispersion step is known before (standard error of slope)", unit="px/band", gt=0.0, le=10.0
    )
    prior_curve: float = setting(
        5e-4,
        "How well the dispersion is known to be straight before (standard error of curve)",
        unit="px/band^2",
        gt=0.0,
        le=1.0,
    )
    prior_alpha: float = setting(
        1.0, "How well the dispersion axis is known before (standard error of alpha)", unit="deg", gt=0.0, le=90.0
    )
    optics: bool = setting(
        True,
        "Look for what the lenses do besides placing the mask: colours magnified differently, distortion, bent lines; kept is what the "
        "picture shows",
    )
    max_steps: int = setting(6, "Most steps of the final fit on the whole picture", ge=1, le=50)
    tolerance: float = setting(
        0.1, "The final fit ends when the next step is below this share of the standard errors", gt=0.0, le=10.0
    )
    margin_px: int = setting(4, "Border of the measurement left out of the fit", unit="px", ge=0, le=64)

    @model_validator(mode="before")
    @classmethod
    def _without_retired(cls, given: object) -> object:
        return {k: v for k, v in given.items() if k not in RETIRED_AUTO_SETTINGS} if isinstance(given, dict) else given


class GridSettings(Settings):
    """Grid stages of Algorithm 2 (stages 0 and 1)."""

    n_dx: int = setting(9, "Grid points along dx in stage 0", ge=1, le=101)
    n_dy: int = setting(9, "Grid points along dy in stage 0", ge=1, le=101)
    n_theta: int = setting(7, "Grid points along theta in stage 0", ge=1, le=101)
    range_px: float = setting(3.0, "Stage 0 searches dx and dy this far to either side", unit="px", gt=0.0, le=50.0)
    range_deg: float = setting(1.0, "Stage 0 searches theta this far to either side", unit="deg", gt=0.0, le=10.0)
    n_iter: int = setting(8, "GAP iterations per candidate in stage 0", ge=1, le=200)
    sigma_px: float = setting(0.7, "Width of the denoiser in stages 0 and 1", unit="px", ge=0.0, le=10.0)
    top: int = setting(5, "Candidates of stage 0 that stage 1 looks round", ge=1, le=50)
    fine_n_shift: int = setting(5, "Points along dx and dy round each candidate in stage 1", ge=1, le=21)
    fine_n_theta: int = setting(3, "Points along theta round each candidate in stage 1", ge=1, le=21)
    fine_n_iter: int = setting(12, "GAP iterations per candidate in stage 1", ge=1, le=200)
    starts: int = setting(
        3,
        "Distinct candidates of stage 1 that compete, by line searches, for the start of the gradients; 0: the best as it is",
        ge=0,
        le=20,
    )
    widen: bool = setting(True, "Repeat stage 0 round a best candidate that lies on the border of the range")
    max_widenings: int = setting(4, "Most repeats of stage 0 when the best candidate stays on the border", ge=0, le=20)


class GradientStageSettings(Settings):
    """One gradient stage of Algorithm 2: Adam through the unrolled solver."""

    enabled: bool = setting(True, "Run this stage")
    steps: int = setting(50, "Adam steps", ge=1, le=2000)
    n_iter: int = setting(12, "Unrolled GAP iterations", ge=1, le=200)
    sigma_px: float = setting(0.5, "Width of the denoiser", unit="px", ge=0.0, le=10.0)
    lr_dx: float = setting(0.0, "First learning rate of dx (0: held)", unit="px", ge=0.0, le=10.0)
    lr_dy: float = setting(0.0, "First learning rate of dy (0: held)", unit="px", ge=0.0, le=10.0)
    lr_theta: float = setting(0.0, "First learning rate of theta (0: held)", unit="deg", ge=0.0, le=10.0)
    lr_end: float = setting(0.001, "Last learning rate of the cosine decay", gt=0.0, le=1.0)
    clip: float = setting(0.5, "Largest gradient norm", gt=0.0, le=1e6)


class ReferenceSettings(Settings):
    """Preset `reference`: Algorithm 2, grid stages 0 and 1 and gradient stages 2A, 2B and 2C."""

    grid: GridSettings = setting(GridSettings(), "Stages 0 and 1: grid search")
    stage_2a: GradientStageSettings = setting(
        GradientStageSettings(steps=50, n_iter=12, sigma_px=0.5, lr_dx=0.05, lr_end=0.002), "Stage 2A: dx"
    )
    stage_2b: GradientStageSettings = setting(
        GradientStageSettings(steps=60, n_iter=12, sigma_px=1.0, lr_dy=0.03, lr_theta=0.01, lr_end=0.001),
        "Stage 2B: dy and theta",
    )
    stage_2c: GradientStageSettings = setting(
        GradientStageSettings(steps=80, n_iter=15, sigma_px=0.7, lr_dx=0.01, lr_dy=0.01, lr_theta=0.005, lr_end=0.0005),
        "Stage 2C: all three",
    )
    checkpointing: bool = setting(True, "Recompute activations in the backward pass to save memory")
    margin_px: int = setting(4, "Border of the measurement left out of the score", unit="px", ge=0, le=64)


class Algorithm1Settings(Settings):
    """Preset `algorithm1`: hierarchical beam search without gradients (NumPy and SciPy only)."""

    range_px: float = setting(3.0, "Sweeps of dx and dy reach this far", unit="px", gt=0.0, le=50.0)
    n_shift: int = setting(13, "Points of the sweeps of dx and dy", ge=3, le=201)
    range_deg: float = setting(1.0, "Sweep of theta reaches this far", unit="deg", gt=0.0, le=10.0)
    n_theta: int = setting(7, "Points of the sweep of theta", ge=3, le=201)
    max_widenings: int = setting(4, "Most times that a sweep goes on beyond a border where the best point lies", ge=0, le=20)
    beam_width: int = setting(5, "Candidates kept by the beam", ge=1, le=50)
    beam_points: int = setting(5, "Points per axis of the beam round the sweeps", ge=3, le=21)
    beam_px: float = setting(0.5, "Half width of the beam along dx and dy", unit="px", gt=0.0, le=10.0)
    beam_deg: float = setting(0.1, "Half width of the beam along theta", unit="deg", gt=0.0, le=5.0)
    n_slope: int = setting(5, "Points along slope of the dispersion beam", ge=1, le=51)
    n_alpha: int = setting(7, "Points along alpha of the dispersion beam", ge=1, le=51)
    range_slope: float = setting(0.02, "Half width of the dispersion beam along slope", unit="px/band", ge=0.0, le=1.0)
    range_alpha: float = setting(0.5, "Half width of the dispersion beam along alpha", unit="deg", ge=0.0, le=10.0)
    rounds: int = setting(3, "Rounds of coordinate descent at the end", ge=0, le=20)
    n_iter: int = setting(8, "GAP iterations per candidate", ge=1, le=200)
    sigma_px: float = setting(0.7, "Width of the denoiser", unit="px", ge=0.0, le=10.0)
    margin_px: int = setting(4, "Border of the measurement left out of the score", unit="px", ge=0, le=64)


class QualitySettings(Settings):
    """What is computed after the fit to show why to believe it."""

    maps: bool = setting(
        True,
        "Residual maps, reconstructions and leftover shifts before and after; values, errors and verdict are the same without them",
    )
    n_iter: int = setting(20, "GAP iterations of the reconstructions", ge=1, le=500)
    tv_iter: int = setting(5, "Iterations of the total-variation denoiser in each of them", ge=1, le=100)
    tv_weight: float = setting(0.02, "Total-variation weight of the reconstructions", ge=0.0, le=10.0)
    blocks: int = setting(6, "Blocks per axis of the field of leftover shifts", ge=1, le=32)


class CalibrationConfig(Settings):
    """Everything that decides how a calibration is computed."""

    version: Literal[1] = setting(CONFIG_VERSION, "Version of this configuration format")
    preset: PresetName = setting("auto", "Which algorithm runs: auto (seconds), reference (Algorithm 2) or algorithm1")
    refine: tuple[str, ...] | None = setting(None, "Parameters to refine; empty: the preset's default choice")
    seed: int = setting(0, "Seed of everything random", ge=0, le=2**31 - 1)
    device: str = setting(
        "auto",
        "Where it runs: auto, cpu, cuda or cuda:INDEX; preset auto takes a GPU only when it is named",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
    )
    threads: int = setting(0, "Threads of the CPU kernel; 0: all cores", ge=0, le=256)
    auto: AutoSettings = setting(AutoSettings(), "Settings of the preset auto")
    reference: ReferenceSettings = setting(ReferenceSettings(), "Settings of the preset reference")
    algorithm1: Algorithm1Settings = setting(Algorithm1Settings(), "Settings of the preset algorithm1")
    quality: QualitySettings = setting(QualitySettings(), "Settings of the proof after the fit")

    @field_validator("refine")
    @classmethod
    def _known_names(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else check_names(names)


DEFAULT_REFINE: dict[str, tuple[str, ...]] = {
    "auto": ("dx", "dy", "theta", "scale_x", "scale_y", "slope", "alpha", "psf"),
    "reference": ("dx", "dy", "theta"),
    "algorithm1": ("dx", "dy", "theta", "slope", "alpha"),
}
"""What a preset refines when nobody says otherwise."""


def load_config(text: str, name: str = "configuration") -> CalibrationConfig:
    """A configuration from JSON text; ConfigError that names the field, the value and the allowed range otherwise."""
    try:
        return CalibrationConfig.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigError(f"{name}: {where}: {first['msg']} (got {first.get('input')!r})") from None
