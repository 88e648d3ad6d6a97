"""How the camera's pictures and the mask's are read: which of a stack, which region, turned how, from where on saturated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from cassi_gui.style.boxes import ChoiceBox, CountBox, NumberBox
from cassi_gui.style.theme import MARGIN, SPACE

AUTO = "found"
STACKS = (
    ("", "Each a snapshot"),
    ("one", "Only picture …"),
    ("file", "Mean of each file"),
    ("all", "Mean of all files"),
)
"""What is done with the pictures of a stack; `one` is not an average but a choice."""
ORIENTATIONS = (
    ((False, 0), "As it is"),
    ((False, 1), "Turned 90° left"),
    ((False, 2), "Turned 180°"),
    ((False, 3), "Turned 90° right"),
    ((True, 0), "Mirrored left-right"),
    ((True, 2), "Mirrored up-down"),
    ((True, 1), "Mirrored, then 90° left"),
    ((True, 3), "Mirrored, then 90° right"),
)
"""(Left and right swapped, quarter turns to the left) and what it is called."""
COLUMNS = 4


@dataclass(frozen=True)
class CameraValues:
    """What a person set; empty texts and None: everything, as it is, found in the picture."""

    picture: int | None = None
    average: str = ""
    roi: str = ""
    turn: tuple[bool, int] = (False, 0)
    saturation: float | None = None
    mask_roi: str = ""
    mask_turn: tuple[bool, int] = (False, 0)


class CameraForm(QFrame):
    """A card with seven fields; emits `edited` with :class:`CameraValues`."""

    edited = Signal(object)
    region_requested = Signal(str)
    """Choose a region in the picture of the measurement or of the mask."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("camera_form")
        self.setProperty("role", "card")
        self.setAccessibleName("Pictures")
        self._filling = False
        self.choose: dict[str, QToolButton] = {}
        title = QLabel("Pictures")
        title.setProperty("role", "heading")
        self.note = QLabel("Dark, flat and bad pixels are cut and turned like the measurement.")
        self.note.setObjectName("camera_note")
        self.note.setProperty("role", "small")
        self.note.setWordWrap(True)
        self.stack = _combo([text for _, text in STACKS])
        self.picture = CountBox()
        self.picture.setRange(0, 999_999)
        self.roi, self.mask_roi = QLineEdit(), QLineEdit()
        self.turn, self.mask_turn = (_combo([text for _, text in ORIENTATIONS]) for _ in range(2))
        self.saturation = NumberBox()
        self.saturation.setRange(0.0, 1e12)
        self.saturation.setSpecialValueText(AUTO)
        region = "Rows and columns in px that are used, as FIRST:END,FIRST:END with the ends excluded; empty: all of it"
        fields = (
            ("stack", "Several pictures", self.stack, "What the pictures of a stack (or of several files) are"),
            ("picture", "Picture", self.picture, "Number of the picture in the stack, counted from 0"),
            ("roi", "Region", self.roi, f"{region}. Dark, flat and bad pixels are cut alike"),
            ("turn", "Turned", self.turn, "How the pictures are mirrored and turned after that"),
            (
                "saturation",
                "Saturated from",
                self.saturation,
                "Raw value of saturated pixels, in counts of the camera; found: told from the picture",
            ),
            ("mask_roi", "Mask region", self.mask_roi, f"{region}, of the mask's picture"),
            ("mask_turn", "Mask turned", self.mask_turn, "How the mask is mirrored and turned"),
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(SPACE // 2)
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.note, 0, 1, 1, COLUMNS - 1)
        for i, (name, text, widget, tip) in enumerate(fields):
            label = QLabel(text)
            label.setBuddy(widget)
            label.setProperty("role", "small")
            label.setToolTip(tip)
            widget.setObjectName(f"camera.{name}")
            widget.setAccessibleName(text)
            widget.setToolTip(tip)
            grid.addWidget(label, 1 + 2 * (i // COLUMNS), i % COLUMNS)
            cell: QWidget | QHBoxLayout = widget
            if isinstance(widget, QLineEdit):
                cell = self._with_button(widget, name, text)
            place = (2 + 2 * (i // COLUMNS), i % COLUMNS)
            if isinstance(cell, QWidget):
                grid.addWidget(cell, *place)
            else:
                grid.addLayout(cell, *place)
        for column in range(COLUMNS):
            grid.setColumnStretch(column, 1)
        for edit in (self.roi, self.mask_roi):
            edit.setPlaceholderText("whole picture")
            edit.editingFinished.connect(self._on_edited)
        for spin in (self.picture, self.saturation):
            spin.valueChanged.connect(self._on_edited)
        for combo in (self.stack, self.turn, self.mask_turn):
            combo.currentIndexChanged.connect(self._on_edited)
        self.set_values(CameraValues())

    def _with_button(self, edit: QLineEdit, name: str, text: str) -> QHBoxLayout:
        """A line for a region with a button beside it that lets it be drawn."""
        button = QToolButton()
        button.setText("…")
        button.setObjectName(f"camera.{name}.choose")
        button.setAccessibleName(f"Choose the {text.lower()} in the picture")
        button.setToolTip(f"Choose the {text.lower()} in the picture …")
        button.clicked.connect(partial(self._on_region, "mask" if name == "mask_roi" else "measurement"))
        self.choose[name] = button
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(edit, 1)
        row.addWidget(button)
        return row

    def _on_region(self, role: str, checked: bool = False) -> None:
        self.region_requested.emit(role)

    def values(self) -> CameraValues:
        """What the fields say."""
        stack = STACKS[self.stack.currentIndex()][0]
        return CameraValues(
            self.picture.value() if stack == "one" else None,
            stack if stack != "one" else "",
            "".join(self.roi.text().split()),
            ORIENTATIONS[self.turn.currentIndex()][0],
            self.saturation.value() or None,
            "".join(self.mask_roi.text().split()),
            ORIENTATIONS[self.mask_turn.currentIndex()][0],
        )

    def set_values(self, values: CameraValues, *, locked: bool = False) -> None:
        """Fill the fields; see :meth:`set_locked`."""
        self._filling = True
        kinds = [kind for kind, _ in STACKS]
        self.stack.setCurrentIndex(kinds.index("one" if values.picture is not None else values.average))
        self.picture.setValue(values.picture or 0)
        self.roi.setText(values.roi)
        self.mask_roi.setText(values.mask_roi)
        turns = [turn for turn, _ in ORIENTATIONS]
        self.turn.setCurrentIndex(turns.index(values.turn))
        self.mask_turn.setCurrentIndex(turns.index(values.mask_turn))
        self.saturation.setValue(values.saturation or 0.0)
        self._filling = False
        self.set_locked(locked)

    def set_locked(self, locked: bool) -> None:
        """Of a locked form (the demo's) only the mask can be turned."""
        for widget in (self.stack, self.roi, self.turn, self.saturation, self.mask_roi, *self.choose.values()):
            widget.setEnabled(not locked)
        self.picture.setEnabled(STACKS[self.stack.currentIndex()][0] == "one" and not locked)

    @Slot()
    def _on_edited(self) -> None:
        if not self._filling:
            self.edited.emit(self.values())


def _combo(texts: list[str]) -> QComboBox:
    combo = ChoiceBox()
    combo.addItems(texts)
    # Without this the longest text decides how narrow the page can be.
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    return combo
