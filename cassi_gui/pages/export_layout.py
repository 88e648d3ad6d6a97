"""Where the parts of the Export page stand: bundles above, the list of files, the folder below. It knows no state."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout

from cassi_gui.pages.export_items import BUNDLES
from cassi_gui.pages.page import Page
from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.elided import ElidedLabel
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import HALF_SPACE, MARGIN, SPACE, Palette
from cassi_gui.widgets.bundle_bar import BundleBar, BundleCard
from cassi_gui.widgets.file_list import FileList

SHIFTS = (
    ("Band shifts as each program assumes", None),
    ("Whole-pixel band shifts", "integer"),
    ("Sub-pixel pattern for each band", "interpolated"),
)


class ExportLayout(Page):
    """The controls of the page, without what they do."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._build(folder)

    def _build(self, folder: str) -> None:
        self.bundles = BundleBar([BundleCard(b.id, b.title, b.icon) for b in BUNDLES])
        self.files = FileList()
        card = QFrame()
        card.setProperty("role", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.addWidget(self.files)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(MARGIN, 12, MARGIN, 12)
        outer.setSpacing(SPACE)
        outer.addWidget(self.bundles)
        outer.addLayout(self._build_run_row())
        outer.addLayout(self._build_warning_row())
        outer.addWidget(card, 1)
        outer.addLayout(self._build_done_row())
        outer.addWidget(self._build_target_card(folder))

    def _build_run_row(self) -> QHBoxLayout:
        self.run = ChoiceBox()
        self.run.setObjectName("export.run")
        self.run.setAccessibleName("Run to export")
        self.run.setToolTip("The run whose calibration is written; the accepted one is proposed")
        self.run.setMinimumContentsLength(20)
        self.run.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.shifts = ChoiceBox()
        self.shifts.setObjectName("export.shifts")
        self.shifts.setAccessibleName("Band shifts of masks")
        self.shifts.setToolTip("One mask moved by whole pixels, or the pattern of each band where it really lies")
        self.shifts.setMinimumContentsLength(18)
        self.shifts.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for text, value in SHIFTS:
            self.shifts.addItem(text, value)
        self.normalise = QCheckBox("Scale to 1")
        self.normalise.setObjectName("export.normalise")
        self.normalise.setAccessibleName("Scale masks to 1")
        self.normalise.setToolTip(
            "The largest value written is exactly 1; otherwise values are relative to the nominal mask's brightest"
        )
        self.preview = self._button("Show calibration file", "export.preview", "What will stand in the calibration file")
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(QLabel("Calibration"))
        row.addWidget(self.run, 2)
        row.addWidget(QLabel("Masks"))
        row.addWidget(self.shifts, 1)
        row.addWidget(self.normalise)
        row.addWidget(self.preview)
        return row

    def _build_warning_row(self) -> QHBoxLayout:
        self.warning = QLabel()
        self.warning.setObjectName("export.warning")
        self.warning.setWordWrap(True)
        self.accept = self._button("Accept this run", "export.accept", "Make it the calibration in force; can be undone")
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.warning, 1)
        row.addWidget(self.accept)
        return row

    def _build_done_row(self) -> QHBoxLayout:
        self.done = ElidedLabel()
        self.done.setObjectName("export.done")
        self.open = self._button("Open folder", "export.open", "Open the folder of the written files")
        self.copy = self._button("Copy paths", "export.copy", "Copy the paths of the written files to the clipboard")
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.done, 1)
        row.addWidget(self.open)
        row.addWidget(self.copy)
        return row

    def _build_target_card(self, folder: str) -> QFrame:
        self.folder = QLineEdit(folder)
        self.folder.setObjectName("export.folder")
        self.folder.setAccessibleName("Folder")
        self.folder.setToolTip(self.folder.text())
        self.choose = self._button("Choose \N{HORIZONTAL ELLIPSIS}", "export.choose", "Choose the folder for the files")
        self.name = QLineEdit()
        self.name.setObjectName("export.name")
        self.name.setAccessibleName("Common name of the files")
        self.name.setToolTip("Beginning of the names of the files")
        self.name.setFixedWidth(150)
        self.write = QPushButton("Write files")
        self.write.setObjectName("export.write")
        self.write.setProperty("role", "primary")
        card = QFrame()
        card.setObjectName("export.target_card")
        card.setProperty("role", "card")
        row = QHBoxLayout(card)
        row.setContentsMargins(12, SPACE, 12, SPACE)
        row.setSpacing(SPACE)
        row.addWidget(QLabel("Folder"))
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        row.addWidget(QLabel("Name"))
        row.addWidget(self.name)
        row.addSpacing(HALF_SPACE)
        row.addWidget(self.write)
        return card

    def _button(self, text: str, name: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setToolTip(tip)
        return button

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.bundles.set_palette(palette)
        self.files.set_palette(palette)
        self.write.setIcon(make_icon("save", palette, palette.accent_text))
        icons = (
            (self.choose, "folder"),
            (self.copy, "copy"),
            (self.open, "folder"),
            (self.accept, "accept"),
            (self.preview, "log"),
        )
        for button, icon in icons:
            button.setIcon(make_icon(icon, palette))
