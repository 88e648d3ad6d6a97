"""A form for the science settings, generated from their metadata: a setting added to the core appears here by itself."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from cassi_core.config import CalibrationConfig
from cassi_gui.style.boxes import DECIMALS, ChoiceBox, CountBox, NumberBox
from cassi_gui.style.theme import HALF_SPACE, SPACE
from cassi_gui.widgets.config_fields import FieldSpec, GroupSpec, Path, describe, value_at

CONTROL_WIDTH = 132
HUGE = 1e9


class ConfigForm(QScrollArea):
    """Settings of the chosen preset, of the proof after the fit, and the general ones.

    `edited` carries (path, value); nothing is changed here until :meth:`set_config` brings the new configuration.
    `reset_requested` asks for the defaults of everything on show.
    """

    edited = Signal(object, object)
    reset_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("config_form")
        self.setAccessibleName("Settings")
        self.setToolTip("Settings of the chosen preset; each says its range, unit and default")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._spec = describe(CalibrationConfig())
        self._controls: dict[Path, QWidget] = {}
        self._labels: dict[Path, QLabel] = {}
        self._fields: dict[Path, FieldSpec] = {}
        self._sections: dict[str, QWidget] = {}
        self._bodies: dict[Path, QWidget] = {}
        content = QWidget()
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, SPACE, SPACE, SPACE)
        self._layout.setSpacing(SPACE)
        for group in self._spec.groups:
            section = self._group(group, top=True)
            self._sections[group.path[0]] = section
            self._layout.addWidget(section)
        general = self._group(GroupSpec((), "General", self._spec.fields, ()), top=True)
        self._sections["general"] = general
        self._layout.addWidget(general)
        self.reset_button = QPushButton("All settings to their defaults")
        self.reset_button.setObjectName("config_form_reset")
        self.reset_button.setToolTip("Give every setting of this preset its default value (can be undone)")
        self.reset_button.clicked.connect(self.reset_requested)
        self._layout.addWidget(self.reset_button)
        self._layout.addStretch(1)
        self.setWidget(content)
        self.set_config(CalibrationConfig())

    def set_config(self, config: CalibrationConfig) -> None:
        """Show the values of a configuration, and the groups that its preset uses."""
        for name, section in self._sections.items():
            section.setVisible(name in (config.preset, "quality", "general"))
        for path, control in self._controls.items():
            value = value_at(config, path)
            control.blockSignals(True)
            _write(control, value)
            control.blockSignals(False)
            if path in self._bodies:
                self._bodies[path].setEnabled(bool(value))
            if path in self._labels:
                changed = value != self._fields[path].default
                self._labels[path].setText(
                    f"<b>{self._fields[path].help}</b> (changed)" if changed else self._fields[path].help
                )

    def control(self, path: Path) -> QWidget:
        """The control of a setting."""
        return self._controls[path]

    @property
    def paths(self) -> tuple[Path, ...]:
        """All settings that the form has a control for."""
        return tuple(self._controls)

    # -- building -------------------------------------------------------------------------------------------------
    def _group(self, group: GroupSpec, *, top: bool) -> QWidget:
        frame = QFrame()
        name = "_".join(group.path) or "general"
        frame.setObjectName(f"settings_{name}")
        if top:
            frame.setProperty("role", "card")
        outer = QVBoxLayout(frame)
        margin = SPACE if top else 0
        outer.setContentsMargins(margin, SPACE, margin, SPACE)
        outer.setSpacing(HALF_SPACE)
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(HALF_SPACE)
        if group.switch is not None:
            box = self._make(group.switch)
            if isinstance(box, QCheckBox):
                box.setText(group.help)
                box.setAccessibleName(f"{group.help}: run this stage")
            self._bodies[group.switch.path] = body
            outer.addWidget(box)
            body.setContentsMargins(SPACE * 2, 0, 0, 0)
        else:
            title = QLabel(group.help)
            title.setProperty("role", "heading")
            title.setWordWrap(True)
            outer.addWidget(title)
        for field in group.fields:
            inner.addLayout(self._row(field))
        for sub in group.groups:
            inner.addWidget(self._group(sub, top=False))
        outer.addWidget(body)
        return frame

    def _row(self, field: FieldSpec) -> QHBoxLayout:
        control = self._make(field)
        control.setFixedWidth(CONTROL_WIDTH)
        label = QLabel(field.help)
        label.setWordWrap(True)
        label.setBuddy(control)
        label.setToolTip(self._tip(field))
        self._labels[field.path] = label
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(label, 1)
        row.addWidget(control, 0, Qt.AlignmentFlag.AlignTop)
        return row

    @staticmethod
    def _tip(field: FieldSpec) -> str:
        return f"{field.help}\n{'.'.join(field.path)}: {field.range_text()}"

    def _make(self, field: FieldSpec) -> QWidget:
        control = _control(field)
        control.setObjectName(f"setting_{'_'.join(field.path)}")
        control.setAccessibleName(field.help)
        control.setToolTip(self._tip(field))
        send = partial(self._changed, field.path)
        if isinstance(control, (QSpinBox, QDoubleSpinBox)):
            control.valueChanged.connect(send)
        elif isinstance(control, QCheckBox):
            control.toggled.connect(send)
        elif isinstance(control, QComboBox):
            control.currentTextChanged.connect(send)
        elif isinstance(control, QLineEdit):
            control.editingFinished.connect(partial(self._text_changed, field.path))
        self._controls[field.path] = control
        self._fields[field.path] = field
        return control

    def _changed(self, path: Path, value: Any) -> None:
        self.edited.emit(path, value)

    def _text_changed(self, path: Path) -> None:
        control = self._controls[path]
        if isinstance(control, QLineEdit) and control.isModified():
            control.setModified(False)
            self.edited.emit(path, control.text())


def _control(field: FieldSpec) -> QWidget:
    """A control of the right kind with the setting's range and unit."""
    if field.kind == "bool":
        return QCheckBox()
    if field.kind == "choice":
        combo = ChoiceBox()
        combo.addItems(list(field.choices))
        return combo
    if field.kind == "int":
        count = CountBox()
        count.setRange(int(field.lower or 0), int(min(field.upper if field.upper is not None else HUGE, 2**31 - 1)))
        count.setSuffix(f" {field.unit}" if field.unit else "")
        return count
    if field.kind == "float":
        box = NumberBox()
        lower = field.lower if field.lower is not None else -HUGE
        box.setRange(lower + (10.0**-DECIMALS if field.above_lower else 0.0), field.upper if field.upper is not None else HUGE)
        box.setSuffix(f" {field.unit}" if field.unit else "")
        return box
    line = QLineEdit()
    if field.pattern:
        line.setValidator(QRegularExpressionValidator(QRegularExpression(field.pattern)))
    return line


def _write(control: QWidget, value: Any) -> None:
    if isinstance(control, QSpinBox):
        control.setValue(int(value))
    elif isinstance(control, QDoubleSpinBox):
        control.setValue(float(value))
    elif isinstance(control, QCheckBox):
        control.setChecked(bool(value))
    elif isinstance(control, QComboBox):
        control.setCurrentText(str(value))
    elif isinstance(control, QLineEdit):
        control.setText(str(value))
        control.setModified(False)
