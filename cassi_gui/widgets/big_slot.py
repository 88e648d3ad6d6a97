"""One of the two places that matter on the Load page: large, tinted while it comes next, filled by the picture of its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.icons import make_icon, make_pixmap
from cassi_gui.style.paths import breakable, short_name
from cassi_gui.style.theme import HALF_SPACE, LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.drops import dropped_paths
from cassi_gui.widgets.elided_label import ElidedLabel

ICON_PX = 48
Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class BigSlotSpec:
    """What a slot is for: `number` and `title` are its heading, `hint` and `formats` stand in it while it is empty."""

    id: str
    number: int
    title: str
    icon: str
    hint: str
    formats: str
    multiple: bool = False


class SlotPicture(QWidget):
    """An 8-bit grey picture as large as the room allows, upright and in its own proportions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self.setMinimumHeight(60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(220, 200)

    @property
    def shown(self) -> bool:
        """True when there is a picture."""
        return self._image is not None

    def set_levels(self, levels: Levels | None) -> None:
        """Show a grey array `(rows, cols)`, or nothing."""
        self._image = None
        if levels is not None:
            rows, cols = levels.shape
            self._image = QImage(levels.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8).copy()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        where = QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(where, self._image)


class BigSlot(QFrame):
    """A place for the measurement or the mask; intents are signals with the slot's id first."""

    choose_requested = Signal(str)
    paths_given = Signal(str, object)
    """Dropped: (slot id, tuple of paths)."""
    array_requested = Signal(str)
    remove_requested = Signal(str, int)
    """Remove the file with an index (always 0 for single slots)."""
    shown_changed = Signal(str)
    """Another of several files is looked at."""

    def __init__(self, spec: BigSlotSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self._palette: Palette = LIGHT
        self._entries: tuple[str, ...] = ()
        self._next = self._fixed = False
        self.setObjectName(f"slot.{spec.id}")
        self.setProperty("role", "slot")
        self.setAcceptDrops(True)
        self.setAccessibleName(f"{spec.title} file{'s' if spec.multiple else ''}")
        self.setMinimumHeight(196)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._build_empty())
        self._pages.addWidget(self._build_filled())
        self.set_entries(())

    # -- building -------------------------------------------------------------------------------------------------
    def _build_empty(self) -> QWidget:
        spec = self.spec
        page = QWidget()
        self._icon = QLabel()
        title = QLabel(f"{spec.number}  {spec.title}")
        title.setProperty("role", "title")
        self.hint = QLabel(spec.hint)
        self.hint.setObjectName(f"slot.{spec.id}.hint")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter)
        self.hint.setWordWrap(True)
        # The slots stay alike, whatever stands in them.
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._choose = self._button("choose", "Choose …", f"Choose the {spec.title.lower()}")
        self._choose.clicked.connect(self._on_choose)
        formats = QLabel(spec.formats)
        formats.setProperty("role", "small")
        formats.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column = QVBoxLayout(page)
        column.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        column.setSpacing(SPACE)
        column.addStretch(1)
        for widget in (self._icon, title):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        # A label that wraps has no width of its own: it takes the slot's.
        column.addWidget(self.hint)
        column.addWidget(self._choose, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(formats)
        column.addStretch(1)
        return page

    def _build_filled(self) -> QWidget:
        spec = self.spec
        page = QWidget()
        self._mark = QLabel()
        self.heading = QLabel()
        self.heading.setObjectName(f"slot.{spec.id}.heading")
        self.heading.setProperty("role", "heading")
        self.pick = self._tool("array", "cube", "Choose another array of this file")
        self.pick.clicked.connect(self._on_array)
        self.remove = self._tool("remove", "reject", "Take this file out")
        self.remove.clicked.connect(self._on_remove)
        self._change = self._button("change", "Change …", f"Choose another {spec.title.lower()}")
        self._change.clicked.connect(self._on_choose)
        self.picture = SlotPicture()
        self.picture.setAccessibleName(f"Picture of the {spec.title.lower()}")
        self.name = ElidedLabel()
        self.name.setObjectName(f"slot.{spec.id}.name")
        self.name.setProperty("role", "strong")
        self.names = ChoiceBox()
        self.names.setObjectName(f"slot.{spec.id}.names")
        self.names.setAccessibleName(f"{spec.title} on show")
        self.names.setToolTip("Which of the files is shown here; all of them are used together")
        self.names.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.names.setMinimumContentsLength(10)
        self.names.currentIndexChanged.connect(self._on_shown)
        self.light = QLabel()
        self.light.setObjectName(f"slot.{spec.id}.light")
        self.light.setProperty("role", "small")
        self.facts = QLabel()
        self.facts.setObjectName(f"slot.{spec.id}.facts")
        self.facts.setProperty("role", "small")
        self.facts.setWordWrap(True)
        self.facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head, line = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self._mark)
        head.addWidget(self.heading, 1)
        head.addWidget(self._change)
        for widget in (self.name, self.names, self.pick, self.remove):
            line.addWidget(widget, 1 if widget in (self.name, self.names) else 0)
        last = QHBoxLayout()
        last.addWidget(self.facts, 1)
        last.addWidget(self.light, 0, Qt.AlignmentFlag.AlignTop)
        for row in (head, line, last):
            row.setSpacing(HALF_SPACE)
        column = QVBoxLayout(page)
        column.setContentsMargins(12, SPACE, 12, SPACE)
        column.setSpacing(HALF_SPACE)
        column.addLayout(head)
        column.addWidget(self.picture, 1)
        column.addLayout(line)
        column.addLayout(last)
        return page

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"slot.{self.spec.id}.{name}")
        button.setToolTip(tip)
        button.setAccessibleName(f"{text.rstrip(' …')} ({self.spec.title.lower()})")
        return button

    def _tool(self, name: str, icon: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"slot.{self.spec.id}.{name}")
        button.setToolTip(tip)
        button.setAccessibleName(f"{tip} ({self.spec.title.lower()})")
        button.setProperty("role", "flat")
        button.setProperty("icon_name", icon)
        return button

    # -- data -----------------------------------------------------------------------------------------------------
    @property
    def entries(self) -> tuple[str, ...]:
        """The paths that are in it."""
        return self._entries

    @property
    def shown_index(self) -> int:
        """Which of the entries is on show."""
        return max(0, self.names.currentIndex())

    @property
    def choose(self) -> QPushButton:
        """The button that asks for a file: *Choose …*, or *Change …* when there is one."""
        return self._change if self._entries else self._choose

    def set_entries(self, entries: Sequence[str]) -> None:
        """Put paths in (`FILE` or `FILE::key`), the last one on show; facts and picture start empty."""
        self._entries = tuple(entries)
        several = len(self._entries) > 1
        self.names.blockSignals(True)
        self.names.clear()
        for entry in self._entries if several else ():
            self.names.addItem(short_name(entry))
            self.names.setItemData(self.names.count() - 1, entry, Qt.ItemDataRole.ToolTipRole)
        self.names.setCurrentIndex(self.names.count() - 1)
        self.names.blockSignals(False)
        self.names.setVisible(several)
        self.name.setVisible(not several)
        what = f"{len(self._entries)} snapshots" if several else self.spec.title
        self.heading.setText(f"{self.spec.number}  {what}")
        whole = "" if several or not self._entries else short_name(self._entries[0])
        self.name.setToolTip("" if several or not self._entries else self._entries[0])
        self.name.setText(whole)
        self._pages.setCurrentIndex(1 if self._entries else 0)
        self.set_facts("")
        self.set_light("")
        self.set_picture(None)
        self._show_state()

    def set_fixed(self, fixed: bool) -> None:
        """A fixed file (the demo's) can be taken out but has no other arrays."""
        self._fixed = fixed
        self.pick.setVisible(not fixed)

    def set_next(self, comes_next: bool) -> None:
        """Whether this is what most do next: tinted, with the one strong button of the page."""
        if comes_next != self._next:
            self._next = comes_next
            self._show_state()

    def set_picture(self, levels: Levels | None) -> None:
        """An 8-bit grey array, or None for no picture."""
        self.picture.set_levels(levels)

    def set_facts(self, text: str, status: str = "") -> None:
        """Size, bits, light and saturation in one line; or what is wrong with the file, whole (status bad)."""
        shown = breakable(text).replace(" %", "\N{NO-BREAK SPACE}%")
        for label in (self.facts, self.hint):
            label.setText(shown if label is self.facts else shown or self.spec.hint)
            _set_property(label, "status", status)
        _set_property(self, "status", status)
        self._show_mark()

    def set_light(self, text: str, status: str = "") -> None:
        """A word on the light, right of the name."""
        self.light.setText(text)
        _set_property(self.light, "status", status)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for tool in (self.pick, self.remove):
            tool.setIcon(make_icon(str(tool.property("icon_name")), palette))
        self._icon.setPixmap(make_pixmap(self.spec.icon, palette, ICON_PX, palette.accent))
        self._show_state()

    # -- showing --------------------------------------------------------------------------------------------------
    def _show_state(self) -> None:
        state: Literal["filled", "next", "empty"] = "filled" if self._entries else "next" if self._next else "empty"
        _set_property(self, "state", state)
        _set_property(self._choose, "role", "primary" if state == "next" else "")
        colour = self._palette.accent_text if state == "next" else ""
        self._choose.setIcon(make_icon("folder", self._palette, colour))
        self._show_mark()

    def _show_mark(self) -> None:
        status = str(self.property("status") or "ok")
        self._mark.setPixmap(make_pixmap(status, self._palette, 18, self._palette.colour(status)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # In a low slot the words and the button come first.
        self._icon.setVisible(event.size().height() > 240)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event):
            event.acceptProposedAction()
            _set_property(self, "over", "true")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        _set_property(self, "over", "")

    def dropEvent(self, event: QDropEvent) -> None:
        _set_property(self, "over", "")
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self.paths_given.emit(self.spec.id, paths)

    @Slot()
    def _on_choose(self) -> None:
        self.choose_requested.emit(self.spec.id)

    @Slot()
    def _on_array(self) -> None:
        self.array_requested.emit(self.spec.id)

    @Slot()
    def _on_remove(self) -> None:
        self.remove_requested.emit(self.spec.id, self.shown_index)

    @Slot()
    def _on_shown(self) -> None:
        self.shown_changed.emit(self.spec.id)


def _set_property(widget: QWidget, name: str, value: str) -> None:
    """Set what the style sheet looks at, and let it look again."""
    if str(widget.property(name) or "") != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
