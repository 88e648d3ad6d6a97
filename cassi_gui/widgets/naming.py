"""Names and tips for the controls of dialogs: what tests, screen readers and hovering persons go by."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QDialog,
    QLineEdit,
    QPlainTextEdit,
    QTabWidget,
    QTextEdit,
)

FIELDS = (QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit)


def slug(text: str) -> str:
    """`Don't save …` as `dont-save`: a piece of an object name."""
    words = "".join(c if c.isalnum() else " " if c != "'" else "" for c in text.lower()).split()
    return "-".join(words)


def name_controls(dialog: QDialog, what: str = "") -> None:
    """Give every control of a dialog that has none an object name, a name for screen readers and a tip.

    Buttons are named by their own words, fields by `what` (else the title of the dialog).
    """
    prefix = slug(dialog.objectName() or dialog.windowTitle() or "dialog")
    if not dialog.objectName():
        dialog.setObjectName(f"dialog.{prefix}")
    for button in dialog.findChildren(QAbstractButton):
        words = button.text().replace("&", "") or "button"
        _complete(button, f"{prefix}.{slug(words)}", words)
    for kind in FIELDS:
        for field in dialog.findChildren(kind):
            if not isinstance(field, FIELDS):
                continue
            words = what or dialog.windowTitle()
            _complete(field, f"{prefix}.{slug(kind.__name__.removeprefix('Q'))}", words)
    for text in dialog.findChildren(QTextEdit):
        # Qt lets the mouse alone into the details of a message.
        text.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def tip_tabs(tabs: QTabWidget, tips: Sequence[str]) -> None:
    """Say at each tab what it holds."""
    for index, tip in enumerate(tips):
        tabs.setTabToolTip(index, tip)


def _complete(
    widget: QAbstractButton | QAbstractItemView | QComboBox | QLineEdit | QPlainTextEdit | QTextEdit, name: str, words: str
) -> None:
    if not widget.objectName() or widget.objectName().startswith("qt_"):
        widget.setObjectName(name)
    if not widget.accessibleName():
        widget.setAccessibleName(words)
    if not widget.toolTip():
        widget.setToolTip(words)
