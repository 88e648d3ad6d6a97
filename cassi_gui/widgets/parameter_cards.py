"""The fitted numbers: `value ± sigma unit` on the right, what they mean on the left, the held ones in one line."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.parameters import Parameter, ParameterSet, format_value
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, TYPE_SMALL_PT, Palette, font
from cassi_gui.widgets.parameter_table import bound_words


class ParameterCards(QFrame):
    """Refined parameters one below the other, numbers right-aligned; then which ones were held, and at what."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("parameter_cards")
        self.setProperty("role", "card")
        self.setAccessibleName("Fitted parameters")
        self._palette: Palette = LIGHT
        self._title = QLabel("Parameters")
        self._title.setProperty("role", "heading")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE)
        self._grid.setVerticalSpacing(HALF_SPACE)
        self._grid.setColumnStretch(0, 1)
        self._held = QLabel()
        self._held.setObjectName("held_parameters")
        self._held.setProperty("role", "small")
        self._held.setWordWrap(True)
        self._cards: dict[str, tuple[QLabel, QLabel]] = {}
        self._bounds: list[QLabel] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE * 3 // 2, SPACE, SPACE * 3 // 2, SPACE * 3 // 2)
        layout.setSpacing(SPACE)
        layout.addWidget(self._title)
        layout.addLayout(self._grid)
        layout.addWidget(self._held)
        self.set_parameters(None, None)

    def set_parameters(self, fitted: ParameterSet | None, start: ParameterSet | None) -> None:
        """Show a fitted set beside the values that it started from; None: there is no run yet."""
        for widgets in self._cards.values():
            for widget in widgets:
                self._grid.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        self._cards.clear()
        self._bounds.clear()
        if fitted is None:
            self._held.setText("No run yet: the fitted values and their errors appear here.")
            return
        for row, p in enumerate(p for p in fitted if p.refine):
            self._add(row, p, start[p.name] if start is not None else None)
        held = [f"{p.name} {p.value:g} {p.unit}".rstrip() for p in fitted if not p.refine]
        self._held.setText(f"Held: {', '.join(held)}" if held else "")
        self._colour()

    def _add(self, row: int, p: Parameter, start: Parameter | None) -> None:
        words = bound_words(p)
        name = QLabel(f"<b>{p.name}</b><br><span style='font-size: {TYPE_SMALL_PT}pt'>{p.spec.description}</span>")
        name.setWordWrap(True)
        name.setProperty("on_bound", bool(words))
        value = QLabel(format_value(p.value, p.sigma, p.unit, p.spec.digits))
        value.setObjectName(f"card_{p.name}")
        value.setFont(font(fixed=True))
        value.setStyleSheet("font-family: 'DejaVu Sans Mono', Consolas, Menlo, monospace;")
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        tip = f"{p.spec.description}: {format_value(p.value, p.sigma, p.unit, p.spec.digits)}"
        if start is not None:
            tip += f"\nStarted from {format_value(start.value, None, p.unit, p.spec.digits)}"
        tip += f"\nBounds {p.lower:g} to {p.upper:g} {p.unit}".rstrip()
        if p.sigma is None:
            tip += "\nThis algorithm gives no standard error"
        if words:
            name.setText(f"{name.text()}<br><b>\N{WARNING SIGN} {words}: widen it and run again</b>")
            self._bounds.append(name)
        for label in (name, value):
            label.setToolTip(tip)
        value.setAccessibleName(f"{p.name}: {value.text()} {words}".rstrip())
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(value, row, 1)
        self._cards[p.name] = (name, value)

    def text(self, name: str) -> str:
        """The number of a refined parameter as it is shown."""
        return self._cards[name][1].text()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self._colour()

    def _colour(self) -> None:
        for label in self._bounds:
            label.setStyleSheet(f"color: {self._palette.bad};")
