"""Camera pictures: TIFF (8, 16, 32 bit and float, stacks) and PNG (8 and 16 bit), grey only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cassi_core.errors import InputError
from cassi_core.io.readers.container import ArrayInfo, problem_of, reading
from cassi_core.io.readers.meter import ReadMeter
from cassi_core.io.readers.stored import MappedArray, MemoryArray, Region, StoredArray


class TiffFormat:
    """The series of a TIFF file: one nameless array (a stack is `(N, H, W)`), or the keys `0`, `1`, ... where sizes differ.

    What ImageJ and OME say about channels, slices and times is left aside: a stack is its pictures in the order of the file.
    """

    name = "TIFF"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        with reading(path, self.name), _tiff(path) as file:
            many = len(file.series) > 1
            found = []
            for i, series in enumerate(file.series):
                shape = _stack_shape(series)
                problem = problem_of(np.dtype(series.dtype)) if series.dtype is not None else "values of an unknown type"
                found.append(
                    ArrayInfo(str(i) if many else "", shape, str(series.dtype), problem, 0 if len(shape) == 3 else None)
                )
            return found

    @contextmanager
    def open(self, path: Path, key: str) -> Iterator[StoredArray]:
        with reading(path, self.name), _tiff(path) as file:
            series = file.series[int(key or 0)]
            shape = _stack_shape(series)
            if series.dataoffset is not None and "S" not in series.axes:
                dtype = np.dtype(series.dtype).newbyteorder(file.byteorder)
                yield MappedArray(path, series.dataoffset, dtype, shape)
            else:
                yield TiffPages(path, series, shape)

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}

    def files(self, path: Path) -> tuple[Path, ...]:
        return (path,)


@dataclass(frozen=True, eq=False)
class TiffPages:
    """Pictures that are compressed or scattered over the file, read one after the other."""

    path: Path
    series: Any
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(self.series.dtype).newbyteorder("=")
        return dtype

    def read_into(self, out: NDArray[Any], region: Region, meter: ReadMeter) -> None:
        if len(self.series.pages) == 1 and len(self.shape) == 3:
            out[...] = self._page(0).reshape(self.shape)[region]
            return
        pages = range(1) if len(self.shape) == 2 else range(region[0].start, region[0].stop)
        for i, page in enumerate(pages):
            target = out if len(self.shape) == 2 else out[i]
            target[...] = self._page(page)[region[-2:]]
            meter.advance(target.nbytes)

    def _page(self, number: int) -> NDArray[np.generic]:
        page = self.series.pages[number]
        if page is None:
            raise InputError(f"{self.path}: picture {number} of the stack is missing; export it again")
        try:
            array = np.asarray(page.asarray())
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            # Compressions that tifffile leaves to an extra package; Pillow carries its own library for the usual ones.
            array = _page_with_pillow(self.path, page.index)
        return _to_grey(array, self.path) if "S" in page.axes else array


class PngFormat:
    """One nameless grey picture."""

    name = "PNG"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        with reading(path, self.name), Image.open(path) as image:
            deep = image.mode.startswith("I")
            return [ArrayInfo("", (image.height, image.width), "uint16" if deep else "uint8")]

    @contextmanager
    def open(self, path: Path, key: str) -> Iterator[StoredArray]:
        with reading(path, self.name):
            yield MemoryArray(_png(path))

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}

    def files(self, path: Path) -> tuple[Path, ...]:
        return (path,)


def _tiff(path: Path) -> Any:
    import tifffile

    # OME names companion files and orders of channels that need not be there: the pages themselves are what is read.
    return tifffile.TiffFile(path, is_ome=False)


def _stack_shape(series: Any) -> tuple[int, ...]:
    """`(H, W)` or `(N, H, W)` of a TIFF series: without its axis of colours, and with all axes before rows and columns as one."""
    axis = series.axes.find("S")
    shape = tuple(series.shape)
    shape = shape if axis < 0 else shape[:axis] + shape[axis + 1 :]
    count = int(np.prod(shape[:-2]))
    return (count, *shape[-2:]) if len(shape) > 2 and count > 1 else shape[-2:]


def _png(path: Path) -> NDArray[np.generic]:
    with Image.open(path) as image:
        if image.mode.startswith("I"):
            return np.asarray(image).astype(np.uint16)
        if image.mode == "L":
            return np.asarray(image)
        return _to_grey(np.asarray(image.convert("RGB")), path)


def _to_grey(array: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    """One channel of a picture whose red, green and blue are equal; a coloured one is refused."""
    axis = -1 if array.shape[-1] in (3, 4) else int(np.argmin(array.shape))
    channels = np.moveaxis(array, axis, 0)[:3]
    if not (channels == channels[0]).all():
        raise InputError(
            f"{path}: a colour picture; the single grey picture of the sensor is needed, without colour processing"
        )
    return np.asarray(channels[0])


def _page_with_pillow(path: Path, number: int) -> NDArray[np.generic]:
    with Image.open(path) as image:
        image.seek(number)
        return np.asarray(image)
