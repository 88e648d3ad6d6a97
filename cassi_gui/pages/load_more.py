"""Everything optional of the Load page: small slots, dispersion, how pictures are read; folded away, and counted."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from cassi_gui.inputs.intake import FIELDS, MORE_SLOTS
from cassi_gui.session.state import FileSelection
from cassi_gui.style.theme import SPACE, Palette
from cassi_gui.widgets.camera_form import CameraForm
from cassi_gui.widgets.dispersion_form import DispersionForm
from cassi_gui.widgets.file_slot import FileSlot
from cassi_gui.widgets.fold_card import FoldCard

HINT = "dark frame, flat field, dispersion, wavelengths, reference, region: all optional"


class MoreInputs(FoldCard):
    """A :class:`FoldCard` with the small slots by their role, the `form` of the dispersion and that of the `camera`."""

    def __init__(self, palette: Palette, parent: QWidget | None = None) -> None:
        content = QWidget()
        super().__init__("more_inputs", "More inputs", HINT, content, parent)
        self.slots = {spec.id: FileSlot(spec, palette) for spec in MORE_SLOTS}
        self.form = DispersionForm()
        self.camera = CameraForm()
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE)
        for i, slot in enumerate(self.slots.values()):
            grid.addWidget(slot, i // 2, i % 2)
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(SPACE, 0, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.form)
        layout.addLayout(grid)
        layout.addWidget(self.camera)

    def show_count(self, files: FileSelection) -> None:
        """Count what is given: a file each, a dispersion set by hand, pictures read otherwise than as they are."""
        self.set_count(count_given(files))

    def set_palette(self, palette: Palette) -> None:
        super().set_palette(palette)
        for slot in self.slots.values():
            slot.set_palette(palette)


def count_given(files: FileSelection) -> int:
    """How many optional inputs a selection has."""
    plain, values = vars(FileSelection()), vars(files)
    names = [FIELDS[spec.id] for spec in MORE_SLOTS]
    dispersion = ("n_bands", "step_px", "direction", "mode")
    camera = ("picture", "average", "roi", "turn", "mask_roi", "mask_turn", "saturation")
    groups = ((name,) for name in names)
    return sum(any(values[name] != plain[name] for name in group) for group in (*groups, dispersion, camera))
