"""A place for a file: drop it, type its path or choose it; shows a thumbnail and what is inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from cassi_gui.style.icons import make_icon, make_pixmap
from cassi_gui.style.paths import short_name
from cassi_gui.style.theme import HALF_SPACE, SPACE, Palette
from cassi_gui.widgets.drops import dropped_paths

THUMBNAIL_PX = 64
LIST_ROWS = 3


@dataclass(frozen=True)
class SlotSpec:
    """What a slot is for."""

    id: str
    title: str
    icon: str
    hint: str
    required: bool = False
    multiple: bool = False


def gray_pixmap(levels: Any, size: int) -> QPixmap:
    """A picture from an 8-bit grey array `(rows, cols)`, scaled to fit into a square of `size` pixels."""
    rows, cols = levels.shape
    image = QImage(levels.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8).copy()
    mode = Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image).scaled(size, size, Qt.AspectRatioMode.KeepAspectRatio, mode)


class FileSlot(QFrame):
    """One slot; intents are signals with the slot's id first."""

    choose_requested = Signal(str)
    paths_given = Signal(str, object)
    """Typed or dropped: (slot id, tuple of paths)."""
    array_requested = Signal(str)
    remove_requested = Signal(str, int)
    """Remove the file with an index (always 0 for single slots)."""

    def __init__(self, spec: SlotSpec, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec, self._palette = spec, palette
        self._entries: tuple[str, ...] = ()
        self._thumbnail: Any = None
        self.setObjectName(f"slot.{spec.id}")
        self.setProperty("role", "card")
        self.setAcceptDrops(True)
        self.setAccessibleName(f"{spec.title} file{'s' if spec.multiple else ''}")
        self.setToolTip(spec.hint)
        self._build()
        self.set_palette(palette)
        self.clear()

    def _build(self) -> None:
        spec = self.spec
        self.picture = QLabel()
        self.picture.setFixedSize(THUMBNAIL_PX, THUMBNAIL_PX)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName(f"Thumbnail of the {spec.title.lower()}")
        title = QLabel(spec.title)
        title.setProperty("role", "heading")
        need = QLabel("required" if spec.required else "")
        need.setProperty("role", "small")
        self.facts = QLabel()
        self.facts.setObjectName(f"slot.{spec.id}.facts")
        self.facts.setProperty("role", "small")
        self.facts.setWordWrap(True)
        self.facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.path = QLineEdit()
        self.path.setObjectName(f"slot.{spec.id}.path")
        self.path.setAccessibleName(f"Path of the {spec.title.lower()}")
        self.path.setPlaceholderText("Drop files, or type a path" if spec.multiple else "Drop a file, or type a path")
        self.path.setToolTip("Type a path and press Enter; FILE::key chooses an array inside a container")
        self.path.returnPressed.connect(self._on_typed)
        self.list = QListWidget()
        self.list.setObjectName(f"slot.{spec.id}.list")
        self.list.setAccessibleName(f"{spec.title} files")
        self.list.setToolTip(f"The files of the {spec.title.lower()}; all of them are used together")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.choose = self._button("choose", "folder", f"Choose the {spec.title.lower()} …", "Choose")
        self.choose.clicked.connect(self._on_choose)
        self.pick = self._button("array", "cube", "Choose another array of this file …", "Array")
        self.pick.clicked.connect(self._on_array)
        self.remove = self._button("remove", "reject", "Remove this file", "")
        self.remove.clicked.connect(self._on_remove)
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(title)
        head.addWidget(need)
        head.addStretch(1)
        for button in (self.pick, self.remove):
            head.addWidget(button)
        line = QHBoxLayout()
        line.setSpacing(HALF_SPACE)
        line.addWidget(self.path, 1)
        line.addWidget(self.choose)
        grid = QGridLayout(self)
        grid.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        grid.setHorizontalSpacing(SPACE + HALF_SPACE)
        grid.setVerticalSpacing(HALF_SPACE)
        grid.addWidget(self.picture, 0, 0, 4, 1, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(head, 0, 1)
        grid.addLayout(line, 1, 1)
        grid.addWidget(self.list, 2, 1)
        grid.addWidget(self.facts, 3, 1)
        grid.setColumnStretch(1, 1)

    def _button(self, name: str, icon: str, tip: str, text: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"slot.{self.spec.id}.{name}")
        button.setToolTip(tip)
        button.setAccessibleName(tip.rstrip(" …"))
        button.setText(text)
        button.setToolButtonStyle(
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly
        )
        button.setIconSize(QSize(14, 14))
        button.setProperty("icon_name", icon)
        if name != "choose":
            button.setProperty("role", "flat")
        return button

    @property
    def entries(self) -> tuple[str, ...]:
        """The paths that are shown."""
        return self._entries

    def clear(self) -> None:
        """No file: the hint says what belongs here."""
        self.set_entries(())

    def set_entries(self, entries: Sequence[str]) -> None:
        """Show paths (`FILE` or `FILE::key`); facts and thumbnail start empty."""
        self._entries = tuple(entries)
        several = len(self._entries) > 1
        self.list.setVisible(several)
        self.list.clear()
        for entry in self._entries if several else ():
            self.list.addItem(short_name(entry))
            self.list.item(self.list.count() - 1).setToolTip(entry)
        if several:
            rows = min(LIST_ROWS, len(self._entries))
            self.list.setFixedHeight(rows * max(20, self.list.sizeHintForRow(0)) + 6)
        self.path.setText("" if several or not self._entries else self._entries[0])
        self.path.setCursorPosition(len(self.path.text()))
        for button in (self.remove, self.pick):
            button.setVisible(bool(self._entries))
        self.set_facts(self.spec.hint if not self._entries else "")
        self.set_thumbnail(None)

    def set_fixed(self, fixed: bool) -> None:
        """A fixed slot (the demo's) can be emptied but its file not be edited."""
        self.path.setReadOnly(fixed)
        self.pick.setVisible(bool(self._entries) and not fixed)

    def set_facts(self, text: str, status: str = "") -> None:
        """Size, bit depth, range, saturation in one line; or what is wrong with the file (status bad)."""
        self.facts.setText(text)
        self.facts.setProperty("status", status)
        self.facts.style().unpolish(self.facts)
        self.facts.style().polish(self.facts)

    def set_thumbnail(self, levels: Any) -> None:
        """An 8-bit grey array, or None for the icon."""
        self._thumbnail = levels
        if levels is None:
            self.picture.setPixmap(make_pixmap(self.spec.icon, self._palette, 32, self._palette.muted))
        else:
            self.picture.setPixmap(gray_pixmap(levels, THUMBNAIL_PX))

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        for button in (self.choose, self.pick, self.remove):
            button.setIcon(make_icon(str(button.property("icon_name")), palette))
        self.set_thumbnail(self._thumbnail)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event):
            event.acceptProposedAction()
            self._mark(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._mark(False)
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self.paths_given.emit(self.spec.id, paths)

    def _mark(self, over: bool) -> None:
        self.setStyleSheet(f"QFrame#{self._css_name()} {{ border: 2px solid {self._palette.accent}; }}" if over else "")

    def _css_name(self) -> str:
        return self.objectName().replace(".", "\\.")

    @Slot()
    def _on_typed(self) -> None:
        text = self.path.text().strip().strip('"')
        if text and text not in self._entries:
            self.paths_given.emit(self.spec.id, (text,))
        elif not text and self._entries:
            self.remove_requested.emit(self.spec.id, 0)

    @Slot()
    def _on_choose(self) -> None:
        self.choose_requested.emit(self.spec.id)

    @Slot()
    def _on_array(self) -> None:
        self.array_requested.emit(self.spec.id)

    @Slot()
    def _on_remove(self) -> None:
        row = self.list.currentRow()
        self.remove_requested.emit(self.spec.id, row if len(self._entries) > 1 and row >= 0 else len(self._entries) - 1)
