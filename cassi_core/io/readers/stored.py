"""Arrays that stay in their file until a region of them is asked for, then read block by block.

Whoever reads gives the array to read into, so that memory holds the region in its final type and one block, never the
region twice. A region is a tuple of slices with whole numbers and step 1, one for each axis.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cassi_core.io.readers.meter import ReadMeter

Region = tuple[slice, ...]

BLOCK_BYTES = 4 * 2**20
"""Read at a time: large enough to be quick, small enough to be forgotten beside a region and to cancel within 0.1 s.

Measured with 1, 4 and 16 MB on files of 4 GB: no difference in time; a region of narrow rows costs up to four times a block in mapped
pages, because a page holds neighbours that are not wanted."""


class StoredArray(Protocol):
    """An array in a file: its shape and type are known, its values are read when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def read_into(self, out: NDArray[Any], region: Region, meter: ReadMeter) -> None:
        """Write the values of a region into an array of the region's shape, of any type and memory order."""
        ...


def whole(shape: Sequence[int]) -> Region:
    """The region that is everything."""
    return tuple(slice(0, n) for n in shape)


def region_shape(region: Region) -> tuple[int, ...]:
    """How many values a region has along each axis."""
    return tuple(s.stop - s.start for s in region)


def read_region(stored: StoredArray, region: Region | None = None, meter: ReadMeter | None = None) -> NDArray[np.generic]:
    """A region (None: everything) as an array of its own in C order and in the byte order of this machine."""
    region = whole(stored.shape) if region is None else region
    out: NDArray[np.generic] = np.empty(region_shape(region), stored.dtype.newbyteorder("="))
    stored.read_into(out, region, meter or ReadMeter())
    return out


def tiles(region: Region, chunks: Sequence[int], item_bytes: int, budget: int = BLOCK_BYTES) -> Iterator[Region]:
    """Cut a region into blocks of about `budget` bytes that follow the grid of `chunks`, in the order of the file.

    A block is never smaller than a chunk, so that a compressed chunk is unpacked once.
    """
    sizes = [min(c, n) for c, n in zip(chunks, region_shape(region), strict=True)]
    for axis in reversed(range(len(sizes))):
        room = budget // max(1, item_bytes * int(np.prod(sizes)))
        length = region[axis].stop - region[axis].start
        sizes[axis] = min(length, sizes[axis] * max(1, room))
        if sizes[axis] < length:
            sizes[axis] = max(chunks[axis], sizes[axis] // chunks[axis] * chunks[axis])
            break
    cuts = [_cuts(s, size, chunk) for s, size, chunk in zip(region, sizes, chunks, strict=True)]
    yield from itertools.product(*cuts)


def _cuts(span: slice, size: int, chunk: int) -> list[slice]:
    """A span in pieces of `size` that begin on the grid of `chunk`."""
    if size >= span.stop - span.start:
        return [span]
    first = span.start // chunk * chunk
    edges = [span.start, *range(first + size, span.stop, size), span.stop]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def within(tile: Region, region: Region) -> Region:
    """A tile of the file counted from the beginning of the region."""
    return tuple(slice(t.start - r.start, t.stop - r.start) for t, r in zip(tile, region, strict=True))


@dataclass(frozen=True, eq=False)
class MemoryArray:
    """An array that its format can only give as a whole."""

    values: NDArray[np.generic]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype.newbyteorder("=")

    def read_into(self, out: NDArray[Any], region: Region, meter: ReadMeter) -> None:
        out[...] = self.values[region]
        meter.advance(out.nbytes)


@dataclass(frozen=True, eq=False)
class MappedArray:
    """Plain numbers in a file: they begin at byte `offset` in the order of `stored_shape`, whose axis `order[i]` is axis i here.

    `stored_dtype` has the byte order of the file. EOFError where the file is too short.
    """

    path: Path
    offset: int
    stored_dtype: np.dtype[Any]
    stored_shape: tuple[int, ...]
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        size, needed = self.path.stat().st_size, self.offset + self.stored_dtype.itemsize * int(np.prod(self.stored_shape))
        if size < needed:
            # The format that opened the file says it in its own words.
            raise EOFError(f"{size:,} bytes, {needed:,} are needed for {' x '.join(map(str, self.shape))} {self.dtype.name}")

    @property
    def axes(self) -> tuple[int, ...]:
        return self.order or tuple(range(len(self.stored_shape)))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.stored_shape[axis] for axis in self.axes)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.stored_dtype.newbyteorder("=")

    def read_into(self, out: NDArray[Any], region: Region, meter: ReadMeter) -> None:
        back = tuple(int(i) for i in np.argsort(self.axes))
        region = tuple(region[i] for i in back)
        target = out.transpose(back)
        for tile in tiles(region, (1,) * len(region), self.stored_dtype.itemsize):
            # A map of its own for each block: pages that were read do not pile up in this process's memory.
            first = tile[0].start
            row_bytes = self.stored_dtype.itemsize * int(np.prod(self.stored_shape[1:]))
            mapped = np.memmap(
                self.path,
                self.stored_dtype,
                "r",
                self.offset + first * row_bytes,
                (tile[0].stop - first, *self.stored_shape[1:]),
            )
            block = mapped[(slice(None), *tile[1:])]
            target[within(tile, region)] = block
            meter.advance(block.nbytes)
