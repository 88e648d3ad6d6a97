"""Camera pictures: TIFF (8, 16, 32 bit and float, stacks) and PNG (8 and 16 bit), grey only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cassi_core.errors import InputError
from cassi_core.io.readers.container import ArrayInfo, native, problem_of, reading


class TiffFormat:
    """The series of a TIFF file: one nameless array (a stack is `(N, H, W)`), or the keys `0`, `1`, ... where sizes differ."""

    name = "TIFF"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        import tifffile

        with reading(path, self.name), tifffile.TiffFile(path) as file:
            many = len(file.series) > 1
            return [
                ArrayInfo(str(i) if many else "", tuple(_grey_shape(s)), str(s.dtype), problem_of(np.dtype(s.dtype)))
                for i, s in enumerate(file.series)
            ]

    def load(self, path: Path, key: str) -> NDArray[np.generic]:
        import tifffile

        with reading(path, self.name), tifffile.TiffFile(path) as file:
            series = file.series[int(key or 0)]
            colour = _grey_shape(series) != series.shape
            try:
                array = np.asarray(series.asarray())
            except ValueError as error:
                if "imagecodecs" not in str(error):
                    raise
                # Compressions that tifffile leaves to an extra package; Pillow carries its own library for the usual ones.
                array = _read_with_pillow(path)
            return native(_to_grey(array, path) if colour else array)

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}


class PngFormat:
    """One nameless grey picture."""

    name = "PNG"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        with reading(path, self.name), Image.open(path) as image:
            deep = image.mode.startswith("I")
            return [ArrayInfo("", (image.height, image.width), "uint16" if deep else "uint8")]

    def load(self, path: Path, key: str) -> NDArray[np.generic]:
        with reading(path, self.name), Image.open(path) as image:
            if image.mode.startswith("I"):
                return native(np.asarray(image).astype(np.uint16))
            if image.mode == "L":
                return native(np.asarray(image))
            return native(_to_grey(np.asarray(image.convert("RGB")), path))

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}


def _grey_shape(series: Any) -> tuple[int, ...]:
    """The shape of a TIFF series without its axis of colours."""
    axis = series.axes.find("S")
    shape = tuple(series.shape)
    return shape if axis < 0 else shape[:axis] + shape[axis + 1 :]


def _to_grey(array: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    """One channel of a picture whose red, green and blue are equal; a coloured one is refused."""
    axis = -1 if array.shape[-1] in (3, 4) else int(np.argmin(array.shape))
    channels = np.moveaxis(array, axis, 0)[:3]
    if not (channels == channels[0]).all():
        raise InputError(
            f"{path}: a colour picture; the single grey picture of the sensor is needed, without colour processing"
        )
    return np.asarray(channels[0])


def _read_with_pillow(path: Path) -> NDArray[np.generic]:
    with Image.open(path) as image:
        pages = []
        for page in range(getattr(image, "n_frames", 1)):
            image.seek(page)
            pages.append(np.asarray(image))
    return pages[0] if len(pages) == 1 else np.stack(pages)
