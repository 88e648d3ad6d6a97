"""The row below the picture of the Check page: which snapshot and band, how strongly the mask covers, blink, move the mask."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QSlider, QWidget

from cassi_gui.style.boxes import ChoiceBox, CountBox
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import SPACE, Palette

BLINK_MS = 400
FIRST_PERCENT = 45


class OverlayControls(QWidget):
    """Emits `frame_chosen` for another snapshot and `changed` for everything about the mask that lies over it."""

    frame_chosen = Signal()
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._visible_phase = True
        self._timer = QTimer(self)
        self._timer.setInterval(BLINK_MS)
        self._timer.timeout.connect(self._on_tick)
        self.frame = ChoiceBox()
        # Without this the longest file name decides how narrow the page can be.
        self.frame.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.frame.setMinimumContentsLength(8)
        self.frame.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._name(self.frame, "frame", "Snapshot", "Which snapshot is shown: all of them are fitted together")
        self.frame.currentIndexChanged.connect(self.frame_chosen)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(FIRST_PERCENT)
        self.opacity.setMinimumWidth(60)
        self.opacity.setMaximumWidth(140)
        self._name(self.opacity, "opacity", "Strength of the mask", "How strongly the mask covers the picture, in percent")
        self.opacity.valueChanged.connect(self.changed)
        self.blink = QPushButton("Blink")
        self.blink.setCheckable(True)
        self._name(self.blink, "blink", "Blink", "Switch the mask on and off (B)")
        self.blink.toggled.connect(self._on_blink)
        self.band = CountBox()
        self.band.setPrefix("band ")
        self._name(self.band, "band", "Band", "The band whose light the mask is laid over; band 1 is the undispersed end")
        self.band.valueChanged.connect(self.changed)
        self.movable = QCheckBox("Move the mask")
        self._name(
            self.movable,
            "movable",
            "Move the mask",
            "Drag the frame in the picture, or move it with Ctrl and the arrow keys by 1 px (with Shift 0.1 px): "
            "sets the start of dx and dy in px",
        )
        self.movable.toggled.connect(self._on_movable)
        self.place = QLabel()
        self.place.setObjectName("check.place")
        self.place.setProperty("role", "muted")
        mask_label = QLabel("&Mask")
        mask_label.setBuddy(self.opacity)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        for widget in (self.frame, mask_label, self.opacity, self.blink, self.band, self.movable, self.place):
            row.addWidget(widget, 1 if widget is self.frame else 0)
        row.addStretch(1)
        self.place.hide()
        self.set_choices((), 1)

    @staticmethod
    def _name(widget: QWidget, name: str, accessible: str, tip: str) -> None:
        widget.setObjectName(f"check.{name}")
        widget.setAccessibleName(accessible)
        widget.setToolTip(tip)

    def set_choices(self, frames: Sequence[str], bands: int) -> None:
        """Names of the snapshots and the number of bands; the first snapshot and the middle band are chosen."""
        for widget in (self.frame, self.band):
            widget.blockSignals(True)
        self.frame.clear()
        self.frame.addItems([f"{i + 1}: {name}" for i, name in enumerate(frames)])
        self.band.setRange(1, bands)
        self.band.setSuffix(f" of {bands}")
        self.band.setValue((bands + 1) // 2)
        for widget in (self.frame, self.band):
            widget.blockSignals(False)
        self.frame.setVisible(len(frames) > 1)

    @property
    def frame_index(self) -> int:
        return max(0, self.frame.currentIndex())

    @property
    def band_index(self) -> int:
        """Index of the band, from 0."""
        return self.band.value() - 1

    @property
    def strength(self) -> float:
        """Opacity of the mask, 0..1; 0 in the dark half of a blink."""
        return self.opacity.value() / 100 if self._visible_phase else 0.0

    def set_palette(self, palette: Palette) -> None:
        self.blink.setIcon(make_icon("blink", palette))

    def hideEvent(self, event: QHideEvent) -> None:
        self.blink.setChecked(False)
        super().hideEvent(event)

    @Slot(bool)
    def _on_movable(self, on: bool) -> None:
        self.place.setVisible(on)
        self.changed.emit()

    @Slot(bool)
    def _on_blink(self, on: bool) -> None:
        self._visible_phase = True
        if on:
            self._timer.start()
        else:
            self._timer.stop()
        self.changed.emit()

    @Slot()
    def _on_tick(self) -> None:
        self._visible_phase = not self._visible_phase
        self.changed.emit()
