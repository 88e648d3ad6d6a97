"""A question about a file of raw numbers: its shape and type, checked against the size of the file while they are typed."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.io.readers.raw_files import RAW_TYPES, RawLayout
from cassi_gui.style.boxes import ChoiceBox, CountBox
from cassi_gui.style.paths import short_name
from cassi_gui.style.theme import MARGIN, SPACE
from cassi_gui.widgets.naming import name_controls

ORDERS = (("little", "Little endian (PC)"), ("big", "Big endian"))
USUAL = ((2048, 2048), (1024, 1280), (1200, 1920), (2048, 2448), (1080, 1440), (1024, 1024), (512, 640), (512, 512), (480, 640))
"""Rows and columns that cameras often have: tried first on a file whose size they explain."""
LONGEST_HEADER = 4096


def likely_layout(size_bytes: int) -> RawLayout:
    """A layout that explains the size of a file, the usual sensors first; otherwise one picture of a megapixel.

    Files without a header go before those with a short one.
    """
    for longest in (0, LONGEST_HEADER):
        for dtype in RAW_TYPES[:2]:
            for rows, cols in USUAL:
                count, rest = divmod(size_bytes, RawLayout((rows, cols), dtype).size_bytes)
                if count and rest <= longest:
                    return RawLayout((rows, cols) if count == 1 else (count, rows, cols), dtype, offset=rest)
    return RawLayout((1024, 1280), "uint16")


class RawDialog(QDialog):
    """Rows, columns, pictures, type, byte order and the bytes before the first number; OK when they explain the file's size."""

    def __init__(self, path: str, size_bytes: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Raw numbers")
        self.setObjectName("raw_dialog")
        self._size = size_bytes
        guess = likely_layout(size_bytes)
        count, rows, cols = (1, *guess.shape) if len(guess.shape) == 2 else guess.shape
        title = QLabel(f"{short_name(path)} has no header that says what is in it. How are its {size_bytes:,} bytes stored?")
        title.setWordWrap(True)
        self.rows, self.cols, self.pictures, self.offset = (CountBox() for _ in range(4))
        for box, value, most in ((self.rows, rows, 99_999), (self.cols, cols, 99_999), (self.pictures, count, 9_999_999)):
            box.setRange(1, most)
            box.setValue(value)
        self.offset.setRange(0, 2**31 - 1)
        self.offset.setSuffix(" bytes")
        self.offset.setValue(guess.offset)
        self.dtype, self.order = ChoiceBox(), ChoiceBox()
        self.dtype.addItems(list(RAW_TYPES))
        self.dtype.setCurrentText(guess.dtype)
        self.order.addItems([text for _, text in ORDERS])
        form = QFormLayout()
        form.setVerticalSpacing(SPACE)
        for name, text, widget, tip in (
            ("rows", "Rows", self.rows, "Rows of a picture (px)"),
            ("columns", "Columns", self.cols, "Columns of a picture (px)"),
            ("pictures", "Pictures", self.pictures, "How many pictures follow each other"),
            ("type", "Type", self.dtype, "How a number is stored"),
            ("order", "Byte order", self.order, "Which byte of a number comes first"),
            ("offset", "Header to skip", self.offset, "Bytes before the first number"),
        ):
            widget.setObjectName(f"raw.{name}")
            widget.setAccessibleName(text)
            widget.setToolTip(tip)
            form.addRow(text, widget)
        for box in (self.rows, self.cols, self.pictures, self.offset):
            box.setKeyboardTracking(True)
            box.valueChanged.connect(self._refresh)
        for combo in (self.dtype, self.order):
            combo.currentIndexChanged.connect(self._refresh)
        self.verdict = QLabel()
        self.verdict.setObjectName("raw.verdict")
        self.verdict.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACE)
        layout.addWidget(title)
        layout.addLayout(form)
        layout.addWidget(self.verdict)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(420)
        name_controls(self)
        self._refresh()

    def layout_text(self) -> str:
        """The layout as it stands behind `FILE::`."""
        return str(self._layout())

    def _layout(self) -> RawLayout:
        one = (self.rows.value(), self.cols.value())
        count = self.pictures.value()
        order = ORDERS[self.order.currentIndex()][0]
        return RawLayout(one if count == 1 else (count, *one), self.dtype.currentText(), order, self.offset.value())

    @Slot()
    def _refresh(self) -> None:
        problem = self._layout().mismatch(self._size)
        self.verdict.setText(f"{problem[:1].upper()}{problem[1:]}." if problem else "This explains the size of the file.")
        self.verdict.setProperty("status", "bad" if problem else "ok")
        self.verdict.style().unpolish(self.verdict)
        self.verdict.style().polish(self.verdict)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not problem)
