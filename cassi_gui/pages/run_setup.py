"""The left side of the Run page: what is searched, from where, what was found, and the stages. It takes data and knows no state."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, Palette
from cassi_gui.widgets.config_form import ConfigForm
from cassi_gui.widgets.naming import tip_tabs
from cassi_gui.widgets.parameter_table import ParameterTable
from cassi_gui.widgets.preset_bar import PresetBar
from cassi_gui.widgets.stage_list import StageLine, StageList

WIDTH_PX = 434
"""Room for a name, a start, a value with its error, and a unit, side by side."""
LOCKED = "Locked while it runs. Change it after it has ended."


class RunSetup(QWidget):
    """Search, values, stages and the button that starts; during a run the button is gone and nothing is edited."""

    def __init__(self, reset_tip: str) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH_PX)
        self.preset_bar = PresetBar()
        self.table = ParameterTable()
        self.form = ConfigForm()
        self._palette: Palette = LIGHT
        self.stages = StageList()
        self._build_values(reset_tip)
        self._build_stages()
        self.notice = self._words("run_notice")
        self.run_button = QPushButton("Run calibration")
        self.run_button.setObjectName("run_page_start")
        self.run_button.setProperty("role", "primary")
        self.run_button.setMinimumHeight(34)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.preset_bar)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.stage_card)
        column.addWidget(self.notice)
        column.addWidget(self.run_button)

    def _words(self, name: str) -> QLabel:
        label = QLabel()
        label.setObjectName(name)
        label.setWordWrap(True)
        label.setProperty("role", "small")
        label.hide()
        return label

    def _build_values(self, reset_tip: str) -> None:
        self.defaults_button = self._flat("Refine as the preset", "refine_defaults")
        self.defaults_button.setToolTip("Tick the parameters that the preset refines by default (can be undone)")
        self.reset_button = self._flat("Reset", "reset_parameters")
        self.reset_button.setToolTip(reset_tip)
        self.bounds_button = self._flat("Bounds", "show_bounds")
        self.bounds_button.setCheckable(True)
        self.bounds_button.setToolTip("Show and change the bounds of the values, in the place of what was found")
        self.bounds_button.toggled.connect(self.table.show_bounds)
        self.bounds_button.setChecked(True)
        self._edit_row = QWidget()
        row = QHBoxLayout(self._edit_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(HALF_SPACE)
        row.addWidget(self.defaults_button)
        row.addWidget(self.reset_button)
        row.addStretch(1)
        row.addWidget(self.bounds_button)
        self.sentence = self._words("run_sentence")
        values = QWidget()
        inner = QVBoxLayout(values)
        inner.setContentsMargins(0, SPACE, 0, 0)
        inner.setSpacing(HALF_SPACE)
        inner.addWidget(self.table, 1)
        inner.addWidget(self.sentence)
        inner.addWidget(self._edit_row)
        inner.addStretch(0)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("run_tabs")
        self.tabs.setAccessibleName("Parameters and settings")
        self.tabs.setToolTip("Which parameters are refined between which bounds, and the settings of the preset")
        self.tabs.addTab(values, "Parameters")
        self.tabs.addTab(self.form, "Settings")
        tip_tabs(self.tabs, ("Which parameters are refined, from where and between which bounds", "Settings of the preset"))

    def _flat(self, text: str, name: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        return button

    def _build_stages(self) -> None:
        self.stage_card = QFrame()
        self.stage_card.setObjectName("stage_card")
        self.stage_card.setProperty("role", "card")
        heading = QLabel("Stages")
        heading.setProperty("role", "heading")
        layout = QVBoxLayout(self.stage_card)
        layout.setContentsMargins(SPACE, HALF_SPACE, SPACE, HALF_SPACE)
        layout.setSpacing(2)
        layout.addWidget(heading)
        layout.addWidget(self.stages)
        self.stage_card.hide()

    # -- what the page says ---------------------------------------------------------------------------------------------
    def set_running(self, running: bool) -> None:
        """A run begins or has ended: what can be done here."""
        self.run_button.setVisible(not running)
        self._edit_row.setVisible(not running)
        self.tabs.tabBar().setVisible(not running)
        self.tabs.setStyleSheet("QTabWidget::pane { border: none; }" if running else "")
        if running:
            self.tabs.setCurrentIndex(0)
        self.table.set_locked(running)
        self.preset_bar.set_locked(LOCKED if running else "")

    def show_found(self, shown: bool) -> None:
        """Before anything is found the bounds matter and running is next; then what was found, and looking at it is next."""
        self.bounds_button.setChecked(not shown)
        self.run_button.setProperty("role", "" if shown else "primary")
        self.run_button.style().unpolish(self.run_button)
        self.run_button.style().polish(self.run_button)
        self._draw_icon()

    def _draw_icon(self) -> None:
        palette = self._palette
        colour = palette.accent_text if self.run_button.property("role") == "primary" else palette.text
        self.run_button.setIcon(make_icon("run", palette, colour))

    def set_stages(self, lines: Sequence[StageLine], chosen: str) -> None:
        """Show the stages of the run; none, no list."""
        self.stages.set_lines(lines)
        self.stages.show_chosen(chosen)
        self.stage_card.setVisible(bool(lines))

    def set_sentence(self, text: str) -> None:
        """Why no error stands beside the values; empty when there is one, or nothing was found."""
        self.sentence.setText(text)
        self.sentence.setVisible(bool(text))

    def set_notice(self, text: str, *, bad: bool) -> None:
        """What keeps a run from starting, or why an edit was refused."""
        self.notice.setText(f"\N{WARNING SIGN} {text}" if bad else text)
        self.notice.setProperty("status", "bad" if bad else "")
        self.notice.style().unpolish(self.notice)
        self.notice.style().polish(self.notice)
        self.notice.setVisible(bool(text))

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        for part in (self.preset_bar, self.table, self.stages):
            part.set_palette(palette)
        self._palette = palette
        self._draw_icon()
