"""Pictures of the camera as they are read: which of a stack, averaged or not, which region, turned how, without bad pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.inputs import BoolImage, Float32Image, Frame, Source, check_image
from cassi_core.io.bad_pixels import read_bad_pixels
from cassi_core.io.detector import correct_frame, saturation_level
from cassi_core.io.readers import ChosenArray, ReadMeter, Roi, Role, Selection, Turn, opened, source_of
from cassi_core.io.readers.select import joined_spec
from cassi_core.io.readers.selection import AS_IT_IS, MEAN, split_selection

Spec = str | Path
Average = Literal["", "file", "all"]


@dataclass(frozen=True)
class CameraReading:
    """How the camera's pictures are read; what a file's own `::KEY[...]` says comes before it.

    Parameters
    ----------
    picture
        The only picture that is taken of a stack, counted from 0; None: all.
    average
        Pictures are repeated exposures of one scene and are averaged: those of each file (`file`), or of all files together (`all`).
    roi
        The region that is taken of each picture, and of dark, flat and bad-pixel map where these show the whole sensor.
    turn
        How the pictures are mirrored and turned after that.
    bad_pixels
        A map or list of bad pixels (:mod:`cassi_core.io.bad_pixels`).
    saturation
        Raw value from which on a pixel is saturated; None: found in each picture.
    """

    picture: int | None = None
    average: Average = ""
    roi: Roi | None = None
    turn: Turn = AS_IT_IS
    bad_pixels: Spec | None = None
    saturation: float | None = None

    def __post_init__(self) -> None:
        if self.picture is not None and self.average == "file":
            raise InputError("one picture of each stack and the mean of each stack are asked for; choose one of them")

    @property
    def selection(self) -> Selection:
        """What is taken of each file."""
        picture = MEAN if self.average == "file" else self.picture
        return Selection(picture, self.roi, turn=self.turn)


@dataclass(frozen=True, eq=False)
class RawPicture:
    """Raw counts of a snapshot before any correction, cut but not turned; `saturated` and `bad` pixels (None: not known yet, none).

    `picture_shape` and `roi` say where on the sensor it lies, `turn` how it is to be turned.
    """

    image: NDArray[np.generic]
    source: Source
    picture_shape: tuple[int, int]
    roi: Roi | None
    turn: Turn
    saturated: BoolImage | None = None
    bad: BoolImage | None = None


@dataclass(eq=False)
class _Mean:
    """Repeated exposures on their way to a mean: a pixel that is saturated in one of them is saturated."""

    saturation: float | None
    total: NDArray[np.float64] | None = None
    saturated: BoolImage | None = None
    count: int = 0

    def add(self, picture: RawPicture) -> None:
        image = picture.image
        level = _level(image, picture.bad) if self.saturation is None else self.saturation
        clipped = np.zeros(image.shape, bool) if level is None else np.asarray(np.greater_equal(image, level))
        if self.total is None or self.saturated is None:
            self.total, self.saturated = image.astype(np.float64), clipped
        elif self.total.shape != image.shape:
            raise InputError(
                f"{picture.source.path}: shape {image.shape} differs from {self.total.shape} of the pictures before it; "
                "repeated exposures have one size"
            )
        else:
            np.add(self.total, image, out=self.total)
            self.saturated |= clipped
        self.count += 1

    @property
    def image(self) -> NDArray[np.float64]:
        assert self.total is not None
        return self.total / self.count


def read_frames(
    specs: Sequence[Spec],
    camera: CameraReading,
    *,
    dark: Spec | None = None,
    flat: Spec | None = None,
    meter: ReadMeter | None = None,
) -> tuple[Frame, ...]:
    """The snapshots of some files, corrected for dark and flat, cut and turned.

    Raises
    ------
    InputError
        A file cannot be used, or pictures that belong together have different sizes; one sentence says which.
    """
    meter = meter or ReadMeter()
    references = _References(camera, dark, flat, meter)
    return tuple(references.correct(picture) for picture in _snapshots(specs, camera, references, meter))


def read_camera_image(
    spec: Spec, role: Role, picture_shape: tuple[int, int], roi: Roi | None = None, meter: ReadMeter | None = None
) -> Float32Image:
    """A dark or flat frame (the mean of a stack), cut to a region where it shows the whole sensor of `picture_shape`."""
    with opened(spec, role, meter=meter) as chosen:
        cut = roi if chosen.selection.roi is None and chosen.picture_shape == picture_shape else None
        number = chosen.selection.picture
        image = chosen.read_picture(number, cut) if isinstance(number, int) else chosen.read_mean(cut)
        return np.asarray(chosen.selection.turn.apply(image), np.float32)


def _snapshots(specs: Sequence[Spec], camera: CameraReading, references: _References, meter: ReadMeter) -> Iterator[RawPicture]:
    """The raw pictures that count as snapshots, averaged where that was asked for."""
    together = _Mean(camera.saturation)
    first: RawPicture | None = None
    named: list[str] = []
    for spec in specs:
        with opened(spec, "measurement", camera.selection, meter) as chosen:
            if camera.average == "all":
                for picture in _pictures(chosen, references):
                    first = first or picture
                    together.add(picture)
                named.append(joined_spec(chosen.path, chosen.entry.key, chosen.selection))
            elif chosen.selection.picture == MEAN and chosen.pictures > 1:
                yield _mean_of(chosen, references, camera.saturation)
            else:
                yield from _pictures(chosen, references)
    if first is not None:
        source = replace(first.source, averaged_with=tuple(named[1:]), key=_mean_key(first.source.key, together, len(specs)))
        yield replace(first, image=together.image, saturated=together.saturated, source=source)


def _mean_key(key: str, mean: _Mean, files: int) -> str:
    """The key of the first picture, saying that it stands for the mean of its stack when it does."""
    bare, selection = split_selection(key)
    if selection is None or mean.count == files:
        return key
    return f"{bare}{replace(selection, picture=MEAN)}"


def _pictures(chosen: ChosenArray, references: _References) -> Iterator[RawPicture]:
    """The chosen pictures of a file one by one; a picture of a stack is named with its number."""
    source: Source | None = None
    for number in chosen.chosen():
        selection = replace(chosen.selection, picture=number if chosen.pictures > 1 else None)
        raw = chosen.read_picture(number)
        source = source or source_of(chosen, selection)
        named = replace(source, key=f"{chosen.entry.key}{selection}")
        yield references.checked(
            RawPicture(raw, named, chosen.picture_shape, chosen.selection.roi, chosen.selection.turn), chosen.pictures > 1
        )


def _mean_of(chosen: ChosenArray, references: _References, saturation: float | None) -> RawPicture:
    mean = _Mean(saturation)
    last: RawPicture | None = None
    for number in range(chosen.pictures):
        where = Source(str(chosen.path), f"{chosen.entry.key}[{number}]")
        last = references.checked(
            RawPicture(chosen.read_picture(number), where, chosen.picture_shape, chosen.selection.roi, chosen.selection.turn),
            True,
        )
        mean.add(last)
    assert last is not None
    return replace(last, image=mean.image, saturated=mean.saturated, source=source_of(chosen))


class _References:
    """Dark, flat and bad pixels for each size and region of picture, read once."""

    def __init__(self, camera: CameraReading, dark: Spec | None, flat: Spec | None, meter: ReadMeter) -> None:
        self._camera, self._dark, self._flat, self._meter = camera, dark, flat, meter
        self._images: dict[tuple[Role, tuple[int, int], Roi | None], Float32Image] = {}
        self._maps: dict[tuple[tuple[int, int], Roi | None], BoolImage] = {}

    def checked(self, picture: RawPicture, of_stack: bool) -> RawPicture:
        """The picture with its bad pixels marked; refused where it cannot be calibrated with."""
        bad = self._bad(picture)
        image = picture.image
        if bad is not None and image.dtype.kind == "f":
            # What stands in a bad pixel does not matter: it may be NaN.
            image = np.where(bad & ~np.isfinite(image), 0, image)
        key = picture.source.key
        check_image(image, f"{picture.source.path}::{key}" if of_stack and key else picture.source.path)
        return replace(picture, image=image, bad=bad)

    def correct(self, picture: RawPicture) -> Frame:
        """The frame that is fitted: corrected, repaired, turned."""
        saturation = self._camera.saturation
        if picture.saturated is None and saturation is None and picture.bad is not None:
            saturation = _level(picture.image, picture.bad)
            saturation = np.inf if saturation is None else saturation
        image, usable = correct_frame(
            picture.image,
            self._image("dark", self._dark, picture),
            self._image("flat", self._flat, picture),
            saturation=saturation,
            saturated=picture.saturated,
            bad=picture.bad,
            name=picture.source.path,
        )
        turn = picture.turn
        return Frame(
            turn.apply(image),
            picture.source,
            None if usable is None else turn.apply(usable),
            None if picture.bad is None else turn.apply(picture.bad),
        )

    def _image(self, role: Role, spec: Spec | None, picture: RawPicture) -> Float32Image | None:
        if spec is None:
            return None
        key = (role, picture.picture_shape, picture.roi)
        if key not in self._images:
            self._images[key] = read_camera_image(spec, role, picture.picture_shape, picture.roi, self._meter)
        return self._images[key]

    def _bad(self, picture: RawPicture) -> BoolImage | None:
        if self._camera.bad_pixels is None:
            return None
        key = (picture.picture_shape, picture.roi)
        if key not in self._maps:
            self._maps[key] = read_bad_pixels(self._camera.bad_pixels, *key, self._meter)
        return self._maps[key]


def _level(image: NDArray[np.generic], bad: BoolImage | None) -> float | None:
    """The saturation level without the bad pixels, whose values mean nothing."""
    return saturation_level(image if bad is None else image[~bad])
