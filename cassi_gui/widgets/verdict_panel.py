"""The verdict in words, with every check behind it: its number, its threshold, and what it means."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.quality.check_text import check_numbers
from cassi_core.quality.registration_text import registration_line
from cassi_core.result import Reason, RegistrationError, Verdict
from cassi_gui.style.icons import make_pixmap
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, Palette

HEADLINES = {
    "pass": "The mask is right",
    "warn": "The mask is probably right, with warnings",
    "fail": "The mask is not right",
}
ADVICE = {
    "pass": "Every check passed. The proof beside this shows why to believe it.",
    "warn": "Read the warnings below before you use it.",
    "fail": "Do not use this calibration. The checks below say what is wrong.",
}
WORDS = {"pass": "passed", "warn": "warning", "fail": "failed"}
ICONS = {"pass": "ok", "warn": "warn", "fail": "bad"}
UNFINISHED = "Search not finished"
ICON_PX = 28
ROW_ICON_PX = 18


class VerdictPanel(QFrame):
    """Headline with icon and word, then one row a check, the worst first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("verdict_panel")
        self.setProperty("role", "card")
        self.setAccessibleName("Verdict")
        self._palette = LIGHT
        self._verdict: Verdict | None = None
        self._icon = QLabel()
        self._icon.setObjectName("verdict_icon")
        self._headline = QLabel()
        self._headline.setObjectName("verdict_headline")
        self._headline.setProperty("role", "title")
        self._headline.setWordWrap(True)
        self._advice = QLabel()
        self._advice.setObjectName("verdict_advice")
        self._advice.setWordWrap(True)
        self._advice.setProperty("role", "muted")
        self._off_by = QLabel()
        self._off_by.setObjectName("registration_error")
        self._off_by.setWordWrap(True)
        self._off_by.setToolTip(
            "Expected errors over the lit picture. Across the dispersion and along it they blur pictures and spectra; the wavelength error only "
            "renames bands"
        )
        self._rows = QGridLayout()
        self._rows.setHorizontalSpacing(SPACE)
        self._rows.setVerticalSpacing(2)
        self._rows.setColumnStretch(1, 1)
        self._row_widgets: list[QWidget] = []
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._headline, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE * 3 // 2, SPACE, SPACE * 3 // 2, SPACE * 3 // 2)
        layout.setSpacing(HALF_SPACE)
        layout.addLayout(head)
        layout.addWidget(self._off_by)
        layout.addWidget(self._advice)
        layout.addLayout(self._rows)
        self.set_verdict(None)

    def set_verdict(self, verdict: Verdict | None, off_by: RegistrationError | None = None) -> None:
        """Show a verdict and how far off the mask may be; None: there is no run yet, or nothing is known of it."""
        self._verdict = verdict
        self._off_by.setText("" if off_by is None else f"The mask may be off by: {registration_line(off_by)}")
        self._off_by.setVisible(off_by is not None)
        for widget in self._row_widgets:
            self._rows.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._row_widgets.clear()
        self._icon.setVisible(verdict is not None)
        if verdict is None:
            self._headline.setText("No verdict yet")
            self._advice.setText("Run a calibration: the checks and their thresholds appear here.")
            return
        unfinished = any(reason.check == "search not finished" for reason in verdict.reasons)
        headline = UNFINISHED if unfinished else HEADLINES[verdict.status]
        self._headline.setText(headline)
        self._headline.setAccessibleName(f"Verdict {WORDS[verdict.status]}: {headline}")
        self._advice.setText(ADVICE[verdict.status])
        order = {"fail": 0, "warn": 1, "pass": 2}
        for reason in sorted(verdict.reasons, key=lambda r: order[r.status]):
            self._add_row(reason)
        self._paint_icons()

    def _add_row(self, reason: Reason) -> None:
        row = len(self._row_widgets) // 3
        icon = QLabel()
        icon.setProperty("reason_status", reason.status)
        icon.setToolTip(WORDS[reason.status])
        icon.setAccessibleName(WORDS[reason.status])
        head = QLabel(f"<b>{reason.title}: {WORDS[reason.status]}</b>")
        head.setObjectName(f"reason_{reason.check.replace(' ', '_')}")
        words = reason.text[:1].upper() + reason.text[1:].rstrip(".")
        numbers = check_numbers(reason)
        text = QLabel(f"{words}{'' if words.endswith('?') else '.'}{f' Value {numbers}.' if numbers else ''}")
        text.setWordWrap(True)
        text.setProperty("role", "small")
        text.setToolTip(reason.means)
        self._rows.addWidget(icon, 2 * row, 0)
        self._rows.addWidget(head, 2 * row, 1)
        self._rows.addWidget(text, 2 * row + 1, 1)
        self._row_widgets += [icon, head, text]

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self._paint_icons()

    def _paint_icons(self) -> None:
        if self._verdict is None:
            return
        p = self._palette
        self._icon.setPixmap(make_pixmap(ICONS[self._verdict.status], p, ICON_PX, p.colour(self._verdict.status)))
        for widget in self._row_widgets:
            status = widget.property("reason_status")
            if status is not None and isinstance(widget, QLabel):
                widget.setPixmap(make_pixmap(ICONS[status], p, ROW_ICON_PX, p.colour(status)))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Heads of the rows, from the worst to the best: `Residual: passed`."""
        return tuple(w.text().replace("<b>", "").replace("</b>", "") for w in self._row_widgets[1::3] if isinstance(w, QLabel))

    @property
    def headline(self) -> str:
        return self._headline.text()
