"""What monochromatic frames said about the dispersion: the curve, the numbers, what was left out; and how many bands to make of it."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from cassi_gui.plots.dispersion_curve import CurveData, DispersionCurvePlot
from cassi_gui.style.boxes import CountBox
from cassi_gui.style.theme import MARGIN, SPACE, Palette
from cassi_gui.widgets.naming import name_controls

LARGEST_BANDS = 999


class DispersionResult(QDialog):
    """Asks whether to use a measured dispersion, and for how many bands (`bands.value()`)."""

    def __init__(
        self, data: CurveData, summary: str, left_out: str, bands: int, palette: Palette, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dispersion_result")
        self.setWindowTitle("Dispersion measured with monochromatic frames")
        self.resize(760, 680)
        self.plot = DispersionCurvePlot("dispersion_result_plot")
        self.plot.set_palette(palette)
        self.plot.set_data(data)
        self.summary = QLabel(summary)
        self.summary.setObjectName("dispersion_result.summary")
        self.summary.setWordWrap(True)
        self.left_out = QPlainTextEdit(left_out)
        self.left_out.setObjectName("dispersion_result.left_out")
        self.left_out.setAccessibleName("Frames that were left out, and why")
        self.left_out.setReadOnly(True)
        self.left_out.setMaximumHeight(110)
        heading = QLabel("Left out:")
        heading.setProperty("role", "muted")
        for widget in (heading, self.left_out):
            widget.setVisible(bool(left_out))
        self.bands = CountBox()
        self.bands.setObjectName("dispersion_result.bands")
        self.bands.setAccessibleName("Bands")
        self.bands.setToolTip("So many bands, in equal steps on the sensor, from the first to the last measured wavelength")
        self.bands.setRange(2, LARGEST_BANDS)
        self.bands.setValue(bands)
        label = QLabel("&Bands in equal steps on the sensor")
        label.setBuddy(self.bands)
        line = QHBoxLayout()
        line.addWidget(label)
        line.addWidget(self.bands)
        line.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.use = buttons.addButton("Save as a table and use it …", QDialogButtonBox.ButtonRole.AcceptRole)
        self.use.setObjectName("dispersion_result.use")
        self.use.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACE)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.summary)
        layout.addWidget(heading)
        layout.addWidget(self.left_out)
        layout.addLayout(line)
        layout.addWidget(buttons)
        name_controls(self)
        self.use.setFocus()
