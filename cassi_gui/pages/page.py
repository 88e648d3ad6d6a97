"""What every page of the window has: signals that the window listens to, and what it asks of a page."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from cassi_gui.pages.status import Badge
from cassi_gui.style.theme import Palette


class Page(QWidget):
    """Base of the pages; a page overrides what it has more to say about, and never reaches for the window."""

    cursor_text = Signal(str)
    """Row, column and value of the pixel under the cursor."""
    logged = Signal(str, str)
    """Level and text of a line for the log."""
    page_requested = Signal(str)
    """Identifier of another page that what was done here leads to."""
    next_requested = Signal()
    input_requested = Signal(str)
    """What is to be given anew on the Load page: `measurement`, `mask`, or `dispersion` for bands and step."""
    session_given = Signal(str)
    """Path of a session that was given where inputs are expected."""
    calibration_given = Signal(str)
    """Path of a calibration that was given where inputs are expected."""
    look_requested = Signal(bool)
    """The mask is to be looked for in the picture again, or (False) the search is to stop."""
    cancel_requested = Signal()
    """Reading of the inputs is to end."""
    again_requested = Signal()
    """The inputs are to be read again."""
    badge_changed = Signal()

    title = ""
    help_html = ""
    can_blink = False

    @property
    def next_problems(self) -> tuple[str, ...]:
        """Why the next page has nothing to show yet, in words; empty when it has."""
        return ()

    @property
    def next_is_primary(self) -> bool:
        """Whether most go on to the next page from here; False where the page has a strong button of its own."""
        return True

    @property
    def badge(self) -> Badge | None:
        """What the step of this page says, for pages that know more than the session does."""
        return None

    @property
    def first_control(self) -> QWidget:
        """What gets the focus when the page is shown by keyboard."""
        return self

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""

    def forget(self) -> None:
        """Another session is in place: nothing that is said about what happened in the old one stays."""

    def reset_layout(self) -> None:
        """Sizes as at the first start."""

    def toggle_blink(self) -> None:
        """Start or stop flipping between two states of the picture, where :attr:`can_blink`."""

    def show_reading(self, text: str, fraction: float) -> None:
        """Progress of reading the inputs, 0..1; a negative fraction ends it."""
