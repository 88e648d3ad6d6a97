"""The found values in plain words: `Shift right dx   +1.376 ± 0.014 px`, and how far they are off something that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.dispersion import Direction
from cassi_core.formatting import format_number
from cassi_core.parameters import Parameter, ParameterSet
from cassi_core.quality.names import screen_name, screen_value
from cassi_core.result import GridStep
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, TYPE_SMALL_PT, Palette
from cassi_gui.widgets.fold import FoldHeader
from cassi_gui.widgets.parameter_table import bound_words

NO_ERROR = "No ±: only a finished search knows its error."


@dataclass(frozen=True)
class Comparison:
    """What the found values are held against: the heading of the column, and a cell for each parameter by name."""

    heading: str
    cells: Mapping[str, str]


class FoundValues(QFrame):
    """A card with one line for each refined parameter; it can be folded to a line with the first values."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("found_values")
        self.setProperty("role", "card")
        self.setAccessibleName("Found values")
        self._palette: Palette = LIGHT
        self._values: ParameterSet | None = None
        self._start: ParameterSet | None = None
        self._steps: tuple[GridStep, ...] = ()
        self._comparison: Comparison | None = None
        self._direction: Direction = "right"
        self._narrow = self._unfinished = False
        self._instead = ""
        self.header = FoldHeader("found_values_fold", "Found values")
        self.header.toggled.connect(self._show_body)
        self._body = QWidget()
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self._held = QLabel()
        self._held.setObjectName("held_parameters")
        self._held.setProperty("role", "small")
        self._held.setWordWrap(True)
        self._cells: dict[str, tuple[QLabel, ...]] = {}
        self._labels: list[QLabel] = []
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN - 2, SPACE, MARGIN - 2, SPACE)
        layout.setSpacing(3)
        layout.addWidget(self.header)
        layout.addWidget(self._body)
        layout.addWidget(self._held)
        self.set_values(None, None)

    def set_values(
        self,
        values: ParameterSet | None,
        start: ParameterSet | None,
        *,
        direction: Direction = "right",
        unfinished: bool = False,
        steps: tuple[GridStep, ...] = (),
        comparison: Comparison | None = None,
        instead: str = "",
    ) -> None:
        """Show the refined values; of an `unfinished` search with the `steps` of its grid in place of errors.

        None: nothing was found, and `instead` says why (empty: the card goes).
        """
        self._instead = instead if values is None else ""
        self._values, self._start, self._direction = values, start, direction
        self._unfinished, self._steps, self._comparison = unfinished, steps, comparison
        self._fill()

    def set_narrow(self, narrow: bool) -> None:
        """Leave the last column to the tab Numbers where there is little room."""
        if narrow != self._narrow:
            self._narrow = narrow
            side = SPACE if narrow else MARGIN - 2
            self._layout.setContentsMargins(side, SPACE, side, SPACE)
            self._grid.setHorizontalSpacing(3 if narrow else SPACE)
            self._fill()

    def fold(self, *, foldable: bool) -> None:
        """Shrink to a line, or stand open without one."""
        self.header.setVisible(foldable and self._values is not None)
        self.header.setChecked(not foldable)
        self._show_body(not foldable)

    def text(self, name: str) -> str:
        """Value, error and unit of a parameter as shown."""
        return " ".join(label.text() for label in self._cells[name][1:3]).strip()

    def last_column(self, name: str) -> str:
        """The cell of the last column, empty where there is none."""
        cells = self._cells[name]
        return cells[3].text() if len(cells) > 3 else ""

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.header.set_palette(palette)
        self._fill()

    @Slot(bool)
    def _show_body(self, shown: bool) -> None:
        self._body.setVisible(shown and self._values is not None)
        self._held.setVisible(bool(self._held.text()) and (shown or self._values is None))

    def _fill(self) -> None:
        for label in self._labels:
            self._grid.removeWidget(label)
            label.hide()
            label.deleteLater()
        self._labels.clear()
        self._cells.clear()
        values = self._values
        self.setVisible(values is not None or bool(self._instead))
        if values is None:
            self.header.hide()
            self._body.hide()
            self._held.setText(self._instead)
            self._held.setVisible(bool(self._instead))
            return
        refined = [p for p in values if p.refine]
        self._headings()
        for row, p in enumerate(refined, start=1):
            self._add(row, p)
        held = ", ".join(screen_name(p.name, self._direction).words.lower() for p in values if not p.refine and p.value != 0)
        words = [NO_ERROR] if self._unfinished else []
        words += [f"Held at a value of its own: {held}."] if held else []
        self._held.setText(" ".join(words))
        self._held.setVisible(bool(words) and self._body.isVisibleTo(self))
        first = "  ".join(f"{p.name} {screen_value(p, error=not self._unfinished)}" for p in refined[:2])
        self.header.set_words("Found values", grey=first)

    def _headings(self) -> None:
        texts = ["Best so far" if self._unfinished else "Found", "value" if self._unfinished else "value ± error"]
        if self._unfinished:
            texts.append("step of the grid")
        elif self._comparison is not None and not self._narrow:
            texts.append(self._comparison.heading)
        for column, text in zip((0, 1, 3), texts, strict=False):
            label = QLabel(text)
            label.setProperty("role", "small")
            side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
            label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            self._place(label, 0, column)

    def _add(self, row: int, p: Parameter) -> None:
        name = screen_name(p.name, self._direction)
        small = f"font-size:{TYPE_SMALL_PT}pt; color:{self._palette.muted}"
        on_bound = bound_words(p)
        mark = f" <span style='color:{self._palette.bad}'>\N{WARNING SIGN}</span>" if on_bound else ""
        words = QLabel(f"{name.words} <span style='{small}'>{name.symbol}</span>{mark}")
        value = QLabel(screen_value(p, error=not self._unfinished))
        value.setObjectName(f"found_{p.name}")
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        unit = QLabel(name.unit)
        cells = [words, value, unit]
        last = self._last(p)
        if last is not None:
            cell = QLabel(last)
            cell.setProperty("role", "muted")
            cell.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            cells.append(cell)
        tip = self._tip(p)
        for column, label in enumerate(cells):
            label.setToolTip(tip)
            self._place(label, row, column)
        value.setAccessibleName(f"{name.words} {value.text()} {name.unit} {on_bound}".rstrip())
        self._cells[p.name] = tuple(cells)

    def _last(self, p: Parameter) -> str | None:
        if self._unfinished:
            name = screen_name(p.name, self._direction)
            steps = [s.step for s in self._steps if s.name == p.name]
            return f"{format_number(abs(steps[0]) * name.factor, name.digits)} {name.unit}" if steps else "not known"
        if self._comparison is None or self._narrow:
            return None
        return self._comparison.cells.get(p.name, "")

    def _tip(self, p: Parameter) -> str:
        name = screen_name(p.name, self._direction)
        lines = [f"{name.means} ({name.symbol})"]
        if self._start is not None:
            lines.append(f"Started from {screen_value(self._start[p.name], error=False)} {name.unit}")
        lines.append(f"Bounds {p.lower * name.factor:g} to {p.upper * name.factor:g} {name.unit}")
        if bound_words(p):
            lines.append(f"It ended {bound_words(p)}: the true value may lie beyond it")
        return "\n".join(lines)

    def _place(self, label: QLabel, row: int, column: int) -> None:
        self._grid.addWidget(label, row, column)
        # In a grid that is on show already it would only appear with the next event.
        label.show()
        self._labels.append(label)
