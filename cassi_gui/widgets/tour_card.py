"""Five steps in a minute: a quiet card over the corner of the page, which follows the steps and goes at a click."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cassi_gui.style.theme import MARGIN, SPACE

WIDTH_PX = 380
TOUR = (
    (
        "load",
        "Load: two pictures",
        "The picture that the imager took and the picture of its mask. Drop them anywhere; everything else is optional. "
        "The demo has both.",
    ),
    (
        "check",
        "Check: is the mask in the picture?",
        "That is looked for by itself. Blink lays the mask over the picture; findings at the right say what is wrong, and what to do.",
    ),
    (
        "run",
        "Run: one button",
        "The preset auto finds the mask's place in seconds. What is found stands beside what it started from; you may stop at any time and "
        "keep the best.",
    ),
    (
        "qa",
        "QA: can I believe it?",
        "A verdict in one sentence, how far off the mask may still be, and pictures that prove it. Accept makes it the calibration in force.",
    ),
    (
        "export",
        "Export: files",
        "A calibration file for later, and masks as reconstruction programs expect them. Help has this tour again.",
    ),
)
"""Page, heading and words of every stop."""


class TourCard(QFrame):
    """Lies over the lower left corner of its parent; `page_wanted` names the page of the stop, `closed` comes when it goes."""

    page_wanted = Signal(str)
    closed = Signal()

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("tour")
        self.setProperty("role", "card")
        self.setProperty("state", "inviting")
        self.setAccessibleName("Tour")
        self.setFixedWidth(WIDTH_PX)
        self._stop = 0
        self.heading, self.text, self._place = QLabel(), QLabel(), QLabel()
        self.heading.setProperty("role", "heading")
        self.text.setWordWrap(True)
        self._place.setProperty("role", "small")
        self.back = self._button("tour.back", "Back", self._on_back)
        self.next = self._button("tour.next", "Next", self._on_next)
        self.close_ = self._button("tour.close", "Close", self.end)
        row = QHBoxLayout()
        row.addWidget(self._place)
        row.addStretch(1)
        for button in (self.close_, self.back, self.next):
            row.addWidget(button)
        self._over = over
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.heading)
        layout.addWidget(self.text)
        layout.addLayout(row)
        over.installEventFilter(self)
        self.hide()

    def _button(self, name: str, text: str, slot: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAccessibleName(f"{text} (tour)")
        button.setToolTip(
            {"Back": "The stop before", "Next": "The next stop", "Close": "End the tour; Help has it again"}[text]
        )
        button.clicked.connect(slot)
        return button

    @Slot()
    def begin(self) -> None:
        """Show the first stop."""
        self._go(0)

    @Slot()
    def end(self) -> None:
        """Away with it."""
        self.hide()
        self.closed.emit()

    def _go(self, stop: int) -> None:
        self._stop = stop
        page, heading, text = TOUR[stop]
        self.heading.setText(heading)
        self.text.setText(text)
        self._place.setText(f"{stop + 1} of {len(TOUR)}")
        self.back.setEnabled(stop > 0)
        self.next.setText("Done" if stop == len(TOUR) - 1 else "Next")
        self.page_wanted.emit(page)
        self.show()
        self._settle()
        self.raise_()
        self.next.setFocus()

    def _settle(self) -> None:
        self.setFixedHeight(self._layout.heightForWidth(WIDTH_PX))
        self.move(QPoint(MARGIN, self._over.height() - self.height() - MARGIN))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._settle()
        return False

    @Slot()
    def _on_back(self) -> None:
        self._go(self._stop - 1)

    @Slot()
    def _on_next(self) -> None:
        if self._stop == len(TOUR) - 1:
            self.end()
        else:
            self._go(self._stop + 1)
