"""What a camera makes of the light: exposure, shot and read noise, pedestal, hot pixels, saturation, quantisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import ConfigError


@dataclass(frozen=True)
class Camera:
    """A camera's settings; the defaults are a decent 12-bit machine-vision camera, well exposed.

    ``electrons = Poisson(light . exposure . full_well_e) + Normal(0, read_e)``,
    ``dn = electrons / full_well_e . (2^bits - 1) + pedestal_dn``, rounded and cut to ``0 .. 2^bits - 1``; hot pixels
    read full scale.
    """

    exposure: float = 0.9
    """Where the 99.9th percentile of the light lands, as a share of the full well; above 1 saturates."""
    full_well_e: float = 10000.0
    read_e: float = 5.0
    bits: int = 12
    pedestal_dn: float = 0.0
    hot_pixels: int = 0
    noise: bool = True
    """False: no noise and no rounding, the light itself with its pedestal and saturation."""

    def __post_init__(self) -> None:
        limits = {
            "exposure": (self.exposure, 1e-3, 100.0),
            "full_well_e": (self.full_well_e, 10.0, 1e9),
            "read_e": (self.read_e, 0.0, 1e6),
            "bits": (self.bits, 4, 24),
            "pedestal_dn": (self.pedestal_dn, 0.0, 2.0**self.bits - 1 if 4 <= self.bits <= 24 else 0.0),
            "hot_pixels": (self.hot_pixels, 0, 1_000_000),
        }
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise ConfigError(f"camera: {name} is {value:g}; between {low:g} and {high:g} is possible")

    def gain(self, light: NDArray[np.floating]) -> float:
        """Share of the full well that one unit of light makes at the chosen exposure; 0 for a dark field."""
        bright = float(np.quantile(light, 0.999))
        return self.exposure / bright if bright > 0 else 0.0

    def expose(self, light: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float32]:
        """The picture ``(H, W)`` float32, 1 at saturation, of an image of light in any unit."""
        levels = 2.0**self.bits - 1
        share = np.clip(light, 0, None) * self.gain(light)
        if self.noise:
            electrons = rng.poisson(share * self.full_well_e) + rng.normal(0.0, self.read_e, light.shape)
            dn = np.rint(electrons / self.full_well_e * levels + self.pedestal_dn)
        else:
            dn = share * levels + self.pedestal_dn
        if self.hot_pixels:
            dn.flat[rng.choice(dn.size, min(self.hot_pixels, dn.size), replace=False)] = levels
        return np.asarray(np.clip(dn, 0.0, levels) / levels, np.float32)
