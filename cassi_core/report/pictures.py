"""Arrays as pictures inside a page: PNG data that need no other file."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cassi_core.quality.display import reduced_copies, robust_levels

LARGEST_PX = 760
"""Pictures with a longer side are shown reduced: more does not fit on a printed page."""

# Corner colours at equal distances; between them colours run straight. Blue - white - red for signed values; dark - bright for scores.
_DIVERGING = ((5, 48, 97), (67, 147, 195), (247, 247, 247), (214, 96, 77), (103, 0, 31))
_SEQUENTIAL = (
    *((253, 231, 37), (160, 218, 57), (74, 193, 109), (31, 161, 135)),
    *((39, 127, 142), (54, 92, 141), (70, 50, 126), (68, 1, 84)),
)


def colour_table(name: str) -> NDArray[np.uint8]:
    """256 colours `(256, 3)` uint8 of `diverging`, `sequential` or `grey`."""
    if name == "grey":
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    corners = np.array(_DIVERGING if name == "diverging" else _SEQUENTIAL, float)
    at = np.linspace(0, len(corners) - 1, 256)
    return np.stack([np.interp(at, np.arange(len(corners)), corners[:, k]) for k in range(3)], axis=1).round().astype(np.uint8)


def colour_of(value: float, low: float, high: float, table: NDArray[np.uint8]) -> str:
    """The `#rrggbb` of a value between two limits."""
    share = 0.5 if high <= low else min(1.0, max(0.0, (value - low) / (high - low)))
    red, green, blue = (int(v) for v in table[round(255 * share)])
    return f"#{red:02x}{green:02x}{blue:02x}"


def image_uri(
    image: NDArray[np.floating], levels: tuple[float, float] | None = None, table: str = "grey", gamma: float = 1.0
) -> str:
    """An image `(H, W)` as a `data:` address of a PNG with 256 colours; NaN is drawn as the lower limit.

    `levels` are the values at both ends of the colours (None: 1st to 99th percentile); ``gamma`` below 1 lifts the dark parts.
    """
    small = next(copy for copy in reversed(reduced_copies(image, LARGEST_PX)))
    low, high = levels if levels is not None else robust_levels(image)
    share = np.clip((np.nan_to_num(np.asarray(small, np.float64), nan=low) - low) / max(high - low, 1e-30), 0, 1)
    picture = Image.fromarray(np.round(255 * share**gamma).astype(np.uint8), "L")
    if table != "grey":
        picture.putpalette(colour_table(table).tobytes())
    return _uri(picture)


def rgb_uri(picture: NDArray[np.uint8]) -> str:
    """A colour picture `(H, W, 3)` uint8 as a `data:` address of a PNG, reduced by whole factors where it is larger than a page."""
    factor = max(1, -(-max(picture.shape[:2]) // LARGEST_PX))
    image = Image.fromarray(np.ascontiguousarray(picture))
    return _uri(image.reduce(factor) if factor > 1 else image)


def _uri(picture: Image.Image) -> str:
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
