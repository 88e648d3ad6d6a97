"""Every modal call of the program in one class, so that tests can answer in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHeaderView,
    QInputDialog,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from cassi_gui.desktop.settings import UiSettings
from cassi_gui.style.theme import Palette
from cassi_gui.widgets.naming import name_controls

FILTERS: dict[str, str] = {
    "any": "All files (*)",
    "image": "Pictures and containers (*.mat *.h5 *.hdf5 *.npy *.npz *.tif *.tiff *.png *.hdr *.raw *.bin);;All files (*)",
    "bad": "Bad pixels (*.png *.tif *.tiff *.npy *.npz *.mat *.h5 *.hdf5 *.csv *.txt);;All files (*)",
    "wavelengths": "Tables and cubes (*.csv *.txt *.hdr *.mat *.h5 *.hdf5 *.npz);;All files (*)",
    "cube": "Cubes (*.mat *.h5 *.hdf5 *.npy *.npz *.tif *.tiff *.hdr *.raw);;All files (*)",
    "csv": "Tables (*.csv *.txt);;All files (*)",
    "calibration": "Calibration (*.cassi.json);;JSON (*.json);;All files (*)",
    "session": "Sessions (*.cassi.h5);;All files (*)",
    "logbook": "Logbooks (*.sqlite);;All files (*)",
    "png": "PNG (*.png)",
    "svg": "SVG (*.svg)",
}

SaveAnswer = Literal["save", "discard", "cancel"]


class Dialogs:
    """Modal questions; each returns a plain value (empty or None when the person cancelled)."""

    def __init__(self, settings: UiSettings, parent: QWidget | None = None) -> None:
        self.settings = settings
        self.parent = parent

    def open_files(self, purpose: str, title: str, *, kind: str = "any", multiple: bool = True) -> tuple[str, ...]:
        """Paths of existing files; the folder is remembered per purpose."""
        folder = self.settings.folder_for(purpose)
        if multiple:
            paths, _ = QFileDialog.getOpenFileNames(self.parent, title, folder, FILTERS[kind])
        else:
            path, _ = QFileDialog.getOpenFileName(self.parent, title, folder, FILTERS[kind])
            paths = [path] if path else []
        if paths:
            self.settings.remember_folder(purpose, paths[0])
        return tuple(paths)

    def save_file(self, purpose: str, title: str, name: str, *, kind: str = "any") -> str:
        """Path of a file to write, or an empty string."""
        folder = self.settings.folder_for(purpose)
        path, _ = QFileDialog.getSaveFileName(self.parent, title, f"{folder}/{name}", FILTERS[kind])
        if path:
            self.settings.remember_folder(purpose, path)
        return path

    def folder(self, purpose: str, title: str) -> str:
        """An existing folder, or an empty string."""
        path = QFileDialog.getExistingDirectory(self.parent, title, self.settings.folder_for(purpose))
        if path:
            self.settings.remember_folder(purpose, path)
        return path

    def confirm(self, title: str, text: str, *, yes: str = "Yes", no: str = "Cancel") -> bool:
        """A question with two answers; the harmless one is the default."""
        box = QMessageBox(QMessageBox.Icon.Question, title, text, QMessageBox.StandardButton.NoButton, self.parent)
        accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        reject = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(reject)
        box.setEscapeButton(reject)
        self._answer(box)
        return box.clickedButton() is accept

    def ask(self, title: str, text: str, answers: Sequence[str]) -> int | None:
        """Index of one of several answers shown as buttons, or None when cancelled."""
        box = QMessageBox(QMessageBox.Icon.Question, title, text, QMessageBox.StandardButton.Cancel, self.parent)
        buttons = [box.addButton(answer, QMessageBox.ButtonRole.AcceptRole) for answer in answers]
        box.setDefaultButton(buttons[0])
        self._answer(box)
        return next((i for i, b in enumerate(buttons) if box.clickedButton() is b), None)

    def ask_save(self, title: str, text: str) -> SaveAnswer:
        """Whether to save before something that ends the session; closing the question cancels."""
        box = QMessageBox(QMessageBox.Icon.Question, title, text, QMessageBox.StandardButton.NoButton, self.parent)
        save = box.addButton("Save", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Don't save", QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(save)
        box.setEscapeButton(cancel)
        self._answer(box)
        clicked = box.clickedButton()
        return "save" if clicked is save else "discard" if clicked is discard else "cancel"

    def text(self, title: str, label: str, initial: str = "", *, multiline: bool = False) -> str | None:
        """A text, or None when cancelled (an empty text is an answer)."""
        dialog = QInputDialog(self.parent)
        dialog.setWindowTitle(title)
        dialog.setLabelText(label)
        dialog.setOption(QInputDialog.InputDialogOption.UsePlainTextEditForTextInput, multiline)
        dialog.setTextValue(initial)
        dialog.sizeHint()  # makes the field that is named
        name_controls(dialog, label)
        answer = dialog.textValue() if dialog.exec() == QDialog.DialogCode.Accepted else None
        dialog.deleteLater()
        return answer

    def inform(self, title: str, text: str) -> None:
        """A message to be read."""
        box = QMessageBox(QMessageBox.Icon.Information, title, text, QMessageBox.StandardButton.Ok, self.parent)
        self._answer(box)

    def error(self, title: str, text: str, details: str = "") -> None:
        """Something went wrong: what, where, what to do; the details are for a report."""
        box = QMessageBox(QMessageBox.Icon.Warning, title, text, QMessageBox.StandardButton.Ok, self.parent)
        box.setDetailedText(details)
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._answer(box)

    def choose_array(
        self, path: str, arrays: Sequence[Any], request: Callable[[str, Any], None], purpose: str = ""
    ) -> str | None:
        """Key of one of several arrays of a container file, or None; `request` as in :class:`ContainerBrowser`."""
        from cassi_gui.widgets.container_browser import ContainerBrowser

        dialog = ContainerBrowser(path, arrays, request, purpose, self.parent)
        try:
            return dialog.key() if dialog.exec() == QDialog.DialogCode.Accepted else None
        finally:
            dialog.deleteLater()

    def show_dispersion(
        self, curve: Any, summary: str, left_out: str, bands: int, palette: Any, on_export: Callable[[Any], None]
    ) -> int | None:
        """Show a measured dispersion; the number of bands when it is to be used, else None."""
        from cassi_gui.widgets.dispersion_result import DispersionResult

        dialog = DispersionResult(curve, summary, left_out, bands, palette, self.parent)
        dialog.plot.export_requested.connect(on_export)
        try:
            return dialog.bands.value() if dialog.exec() == QDialog.DialogCode.Accepted else None
        finally:
            dialog.deleteLater()

    def describe_raw(self, path: str, size_bytes: int) -> str | None:
        """How a file of raw numbers is stored, as it stands behind `FILE::`, or None."""
        from cassi_gui.widgets.raw_form import RawDialog

        dialog = RawDialog(path, size_bytes, self.parent)
        try:
            return dialog.layout_text() if dialog.exec() == QDialog.DialogCode.Accepted else None
        finally:
            dialog.deleteLater()

    def choose_region(
        self, title: str, request: Callable[[Any], None], current: tuple[int, int, int, int] | None, palette: Palette
    ) -> tuple[int, int, int, int] | None:
        """First row, end row, first column and end column of a region of a picture, or None; `request` as in :class:`RegionDialog`."""
        from cassi_gui.widgets.region_dialog import RegionDialog

        dialog = RegionDialog(title, request, current, palette, self.parent)
        try:
            return dialog.region() if dialog.exec() == QDialog.DialogCode.Accepted else None
        finally:
            dialog.deleteLater()

    def open_folder(self, path: str) -> None:
        """Show a folder in the file manager of the desktop."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(path))

    def show_html(self, title: str, html: str) -> None:
        """A page of help."""
        dialog = QDialog(self.parent)
        dialog.setWindowTitle(title)
        dialog.resize(680, 560)
        browser = QTextBrowser(dialog)
        browser.setHtml(html)
        browser.setOpenExternalLinks(False)
        browser.setAccessibleName(title)
        self._run(dialog, browser)

    def show_text(self, title: str, text: str) -> None:
        """Plain text that can be copied (versions, a path)."""
        dialog = QDialog(self.parent)
        dialog.setWindowTitle(title)
        dialog.resize(560, 360)
        view = QPlainTextEdit(text, dialog)
        view.setReadOnly(True)
        view.setAccessibleName(title)
        self._run(dialog, view)

    def show_table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
        """A table to be read (the overview of shortcuts)."""
        dialog = QDialog(self.parent)
        dialog.setWindowTitle(title)
        dialog.resize(720, 620)
        table = QTableWidget(len(rows), len(header), dialog)
        table.setHorizontalHeaderLabels(list(header))
        table.setAccessibleName(title)
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                table.setItem(i, j, QTableWidgetItem(cell))
        table.resizeColumnsToContents()
        table.horizontalHeader().setSectionResizeMode(len(header) - 1, QHeaderView.ResizeMode.Stretch)
        self._run(dialog, table, note)

    @staticmethod
    def _answer(box: QMessageBox) -> None:
        """Show a question or a message until it is answered."""
        name_controls(box)
        box.exec()
        box.deleteLater()

    @staticmethod
    def _run(dialog: QDialog, content: QWidget, note: str = "") -> None:
        layout = QVBoxLayout(dialog)
        if note:
            label = QLabel(note)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addWidget(content)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.reject)
        buttons.button(QDialogButtonBox.StandardButton.Close).setShortcut(QKeySequence("Esc"))
        layout.addWidget(buttons)
        name_controls(dialog)
        dialog.exec()
        dialog.deleteLater()
