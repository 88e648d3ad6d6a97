"""What is taken of an array: written in brackets after its key, `FILE::KEY[...]`, so that a calibration file can name it again.

Items between the brackets, separated by commas:

| item | meaning |
|---|---|
| `3` | one picture of a stack, counted from 0 |
| `mean` | the mean of all pictures of a stack |
| `100:612,80:646` | rows 100 to 611 and columns 80 to 645 of each picture |
| `axis=2` | this axis counts the pictures (otherwise the shortest one, or the one that the format names) |
| `mirrored` | left and right swapped |
| `turned90` | then turned counter-clockwise by 90, 180 or 270 degrees |

Rows and columns are those of the picture in the file, before it is mirrored or turned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError

MEAN = "mean"
Span = tuple[int, int]


@dataclass(frozen=True)
class Roi:
    """A region of a picture: rows and columns as (first, end), the end excluded, in pixels of the picture in the file."""

    rows: Span
    cols: Span

    def __post_init__(self) -> None:
        for first, end in (self.rows, self.cols):
            if not 0 <= first < end:
                raise InputError(f"the region {self} is empty; give first and end as ROW:ROW,COL:COL, the end excluded")

    def __str__(self) -> str:
        return f"{self.rows[0]}:{self.rows[1]},{self.cols[0]}:{self.cols[1]}"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows[1] - self.rows[0], self.cols[1] - self.cols[0]

    @classmethod
    def parse(cls, text: str) -> Roi:
        """`ROW:ROW,COL:COL`; InputError for anything else."""
        match = re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*", text)
        if match is None:
            raise InputError(f"the region {text!r} is not ROW:ROW,COL:COL, for instance 100:612,80:646")
        a, b, c, d = (int(n) for n in match.groups())
        return cls((a, b), (c, d))

    def check(self, shape: tuple[int, int], name: str) -> None:
        """InputError when the region reaches beyond a picture of `shape`."""
        if self.rows[1] > shape[0] or self.cols[1] > shape[1]:
            raise InputError(f"{name}: the region {self} reaches beyond the picture of {shape[0]} rows and {shape[1]} columns")


@dataclass(frozen=True)
class Turn:
    """An orientation: left and right swapped (if `mirrored`), then turned counter-clockwise by quarter turns (0 to 3)."""

    mirrored: bool = False
    quarter_turns: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "quarter_turns", self.quarter_turns % 4)

    def __bool__(self) -> bool:
        return self.mirrored or self.quarter_turns != 0

    def apply(self, image: NDArray[Any]) -> NDArray[Any]:
        """A picture `(H, W)` in this orientation, in C order."""
        return np.ascontiguousarray(np.rot90(image[:, ::-1] if self.mirrored else image, self.quarter_turns))

    def then(self, other: Turn) -> Turn:
        """This orientation followed by another one."""
        # Mirroring after a turn is turning the other way after mirroring.
        own = -self.quarter_turns if other.mirrored else self.quarter_turns
        return Turn(self.mirrored != other.mirrored, own + other.quarter_turns)


AS_IT_IS = Turn()


@dataclass(frozen=True)
class Selection:
    """What is taken of an array; see the table above. All defaults: everything, as it is."""

    picture: int | str | None = None
    roi: Roi | None = None
    axis: int | None = None
    turn: Turn = AS_IT_IS

    def __str__(self) -> str:
        items = [] if self.picture is None else [str(self.picture)]
        items += [str(self.roi)] if self.roi else []
        items += [f"axis={self.axis}"] if self.axis is not None else []
        items += ["mirrored"] if self.turn.mirrored else []
        items += [f"turned{90 * self.turn.quarter_turns}"] if self.turn.quarter_turns else []
        return f"[{','.join(items)}]" if items else ""

    def over(self, other: Selection) -> Selection:
        """This selection where it says something, the other one elsewhere; orientations follow each other."""
        return Selection(
            other.picture if self.picture is None else self.picture,
            other.roi if self.roi is None else self.roi,
            other.axis if self.axis is None else self.axis,
            other.turn.then(self.turn),
        )


def split_selection(key: str) -> tuple[str, Selection | None]:
    """A key with brackets as key and selection; None where there are no brackets or they hold something else."""
    match = re.fullmatch(r"(.*)\[([^\[\]]*)\]", key)
    if match is None:
        return key, None
    selection = Selection()
    items = [item.strip() for item in match[2].split(",")]
    while items:
        item = items.pop(0)
        if re.fullmatch(r"\d+", item) or item == MEAN:
            selection = replace(selection, picture=item if item == MEAN else int(item))
        elif re.fullmatch(r"\d+:\d+", item) and items and re.fullmatch(r"\d+:\d+", items[0]):
            selection = replace(selection, roi=Roi.parse(f"{item},{items.pop(0)}"))
        elif found := re.fullmatch(r"axis=([0-2])", item):
            selection = replace(selection, axis=int(found[1]))
        elif item == "mirrored":
            selection = replace(selection, turn=replace(selection.turn, mirrored=True))
        elif found := re.fullmatch(r"turned(90|180|270)", item):
            selection = replace(selection, turn=replace(selection.turn, quarter_turns=int(found[1]) // 90))
        else:
            return key, None
    return match[1], selection
