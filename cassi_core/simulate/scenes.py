"""Made-up scenes: cubes `(L, H, W)` in 0..1 whose content depends on kind, size and seed, not on the number of bands.

A scene is a set of materials with spectra and a map of how much of each material a pixel holds::

    cube[l, row, col] = shading[row, col] . sum_k amount[k, row, col] . spectrum_k(wavelength_l)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.errors import ConfigError
from cassi_core.simulate.spectra import Spectrum, grey_spectrum, narrow_spectrum, palette, smooth_spectrum

Cube = NDArray[np.float32]
Image = NDArray[np.float64]
Shape = tuple[int, int]


def make_scene(kind: str, shape: Shape, wavelengths_nm: NDArray[np.float64], seed: int = 0) -> Cube:
    """A made-up scene as ``(L, H, W)`` float32 in 0..1.

    Parameters
    ----------
    kind
        One of :data:`SCENE_KINDS`.
    shape
        ``(H, W)`` in pixels, at least 16 x 16.
    wavelengths_nm
        Band centres ``(L,)`` in nm; the same scene can be had at any bands.
    seed
        The same seed gives the same scene.

    Raises
    ------
    ConfigError
        For an unknown kind or a field that is too small.
    """
    if kind not in SCENE_KINDS:
        raise ConfigError(f"unknown scene '{kind}'; the scenes are {', '.join(SCENE_KINDS)}")
    if min(shape) < 16:
        raise ConfigError(f"a scene of {shape[0]} x {shape[1]} pixels; at least 16 x 16 are needed")
    cube = SCENE_KINDS[kind](shape, np.asarray(wavelengths_nm, np.float64), np.random.default_rng(seed))
    return np.ascontiguousarray(np.clip(cube, 0.0, 1.0), dtype=np.float32)


def cloud(rng: np.random.Generator, shape: Shape, power: float = 1.5) -> Image:
    """A random texture with amplitude ``1/frequency^power``, scaled to 0..1."""
    rows, cols = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    frequency = np.hypot(rows, cols)
    frequency[0, 0] = 1.0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) / frequency**power, s=shape)
    return np.asarray((field - field.min()) / max(float(np.ptp(field)), 1e-12), np.float64)


def _paint(labels: NDArray[np.int64], materials: Sequence[Spectrum], nm: NDArray[np.float64]) -> Image:
    """One material per pixel: ``(L, H, W)`` float64."""
    table = np.stack([spectrum(nm) for spectrum in materials], axis=1)
    return np.asarray(table[:, labels], np.float64)


def _grain(rng: np.random.Generator, shape: Shape, depth: float) -> Image:
    """Multiplicative fine texture between ``1 - depth`` and 1."""
    return 1.0 - depth * cloud(rng, shape, 0.7)


def _materials(shape: Shape, nm: NDArray[np.float64], rng: np.random.Generator) -> Image:
    """Patches (Voronoi cells) of 40 materials, each with its own grain, under uneven light."""
    count = 40
    seeds = rng.uniform(0, 1, (count, 2)) * np.array(shape)
    row, col = np.indices(shape)
    wobble = 0.06 * min(shape) * (cloud(rng, shape) - 0.5)
    distance = [(row - r + wobble) ** 2 + (col - c - wobble) ** 2 for r, c in seeds]
    labels = np.argmin(distance, axis=0)
    light = 0.45 + 0.55 * cloud(rng, shape, 2.0)
    return np.asarray(_paint(labels, palette(rng, count), nm) * light * _grain(rng, shape, 0.5), np.float64)


def _textures(shape: Shape, nm: NDArray[np.float64], rng: np.random.Generator) -> Image:
    """Eight materials that blend into each other, with fine grain."""
    fields = np.stack([cloud(rng, shape, 1.3) for _ in range(8)])
    amounts = np.exp(12.0 * fields)
    amounts /= amounts.sum(axis=0)
    spectra = np.stack([spectrum(nm) for spectrum in palette(rng, 8)], axis=1)
    return np.asarray(np.tensordot(spectra, amounts, 1), np.float64) * _grain(rng, shape, 0.7)


def _chart(shape: Shape, nm: NDArray[np.float64], rng: np.random.Generator) -> Image:
    """A colour chart of 4 x 6 patches: smooth and narrow colours and a row of greys, between dark gaps."""
    height, width = shape
    greys = [grey_spectrum(level) for level in (0.95, 0.6, 0.38, 0.2, 0.1, 0.05)]
    colours = [narrow_spectrum(rng) if i % 4 == 3 else smooth_spectrum(rng) for i in range(18)]
    materials = [grey_spectrum(0.02), *colours, *greys]
    row, col = np.indices(shape)
    v, u = (row + 0.5) / height * 4, (col + 0.5) / width * 6
    inside = (np.abs(v % 1 - 0.5) < 0.42) & (np.abs(u % 1 - 0.5) < 0.42)
    labels = np.where(inside, 1 + np.floor(v) * 6 + np.floor(u), 0).astype(np.int64)
    light = 1.0 - 0.25 * ((v / 4 - 0.5) ** 2 + (u / 6 - 0.5) ** 2)
    return np.asarray(_paint(labels, materials, nm) * light * _grain(rng, shape, 0.06), np.float64)


def _bars(shape: Shape) -> Image:
    """Groups of upright and lying bars with periods from a sixth of the field down to 2 px, and a star in the middle."""
    height, width = shape
    row, col = np.indices(shape)
    picture = np.zeros(shape)
    groups = 6
    for i in range(groups):
        period = max(2.0, min(shape) / 6 * 0.62**i)
        band = (row >= i * height / groups) & (row < (i + 0.86) * height / groups)
        upright = (col % period < period / 2) & (col < 0.46 * width)
        lying = (row % period < period / 2) & (col >= 0.54 * width)
        picture[band & (upright | lying)] = 1.0
    angle = np.arctan2(row - height / 2, col - width / 2)
    radius = np.hypot(row - height / 2, col - width / 2)
    star = radius < 0.22 * min(shape)
    picture[star] = (np.sin(18 * angle) > 0)[star]
    return picture


def _resolution(shape: Shape, nm: NDArray[np.float64], rng: np.random.Generator) -> Image:
    """A black and white resolution chart lit by four lamps whose spectra cross-fade over the field."""
    lamps = [grey_spectrum(0.8), smooth_spectrum(rng), smooth_spectrum(rng), narrow_spectrum(rng)]
    row, col = np.indices(shape) / np.reshape(np.array(shape, float), (2, 1, 1))
    amounts = np.stack([(1 - row) * (1 - col), (1 - row) * col, row * (1 - col), row * col])
    spectra = np.stack([lamp(nm) for lamp in lamps], axis=1)
    return np.asarray(np.tensordot(spectra, amounts, 1), np.float64) * (0.04 + 0.96 * _bars(shape))


def _leaves(shape: Shape, nm: NDArray[np.float64], rng: np.random.Generator, smallest_share: float = 0.012) -> Image:
    """Dead leaves: discs that hide each other, radii distributed as ``r^-3`` like the sizes of things in photographs."""
    smallest, largest, count, kinds = smallest_share * min(shape), 0.22 * min(shape), 900, 60
    u = rng.random(count)
    radius = np.sort(1 / np.sqrt(u / smallest**2 + (1 - u) / largest**2))[::-1]
    centre = rng.uniform(-0.05, 1.05, (count, 2)) * np.array(shape)
    kind = rng.integers(1, kinds + 1, count)
    labels = np.zeros(shape, np.int64)
    for (r, c), size, label in zip(centre, radius, kind, strict=True):
        top, left = max(0, int(r - size)), max(0, int(c - size))
        window = labels[top : int(r + size) + 2, left : int(c + size) + 2]
        if window.size:
            row, col = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
            window[(row - r) ** 2 + (col - c) ** 2 <= size**2] = label
    gain = rng.uniform(0.35, 1.0, kinds + 1)[labels]
    materials = [smooth_spectrum(rng), *palette(rng, kinds)]
    return np.asarray(_paint(labels, materials, nm) * gain * _grain(rng, shape, 0.35), np.float64)


def _mixed(shape: Shape, nm: NDArray[np.float64], rng: np.random.Generator) -> Image:
    """Four scenes in one: colour chart, small leaves, materials and large leaves, with soft light over all."""
    height, width = shape[0] // 2, shape[1] // 2
    rest_h, rest_w = shape[0] - height, shape[1] - width
    top = np.concatenate([_chart((height, width), nm, rng), _leaves((height, rest_w), nm, rng)], axis=2)
    bottom = np.concatenate([_materials((rest_h, width), nm, rng), _leaves((rest_h, rest_w), nm, rng, 0.06)], axis=2)
    light = 0.7 + 0.3 * ndi.gaussian_filter(cloud(rng, shape, 2.0), 3)
    return np.asarray(np.concatenate([top, bottom], axis=1) * light, np.float64)


SCENE_KINDS: dict[str, Callable[[Shape, NDArray[np.float64], np.random.Generator], Image]] = {
    "mixed": _mixed,
    "materials": _materials,
    "textures": _textures,
    "leaves": _leaves,
    "chart": _chart,
    "resolution": _resolution,
}
"""The scenes that :func:`make_scene` can make."""
