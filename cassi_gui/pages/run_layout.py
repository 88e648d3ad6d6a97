"""Where the plots of a run stand: search in the middle, scene at the right; in a narrow window one of the two at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QSplitter, QTabBar, QVBoxLayout, QWidget

from cassi_gui.plots.convergence import ConvergencePanel
from cassi_gui.plots.cube_view import CubeView
from cassi_gui.plots.grid_score import GridScorePanel
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.spectrum import SpectrumPanel
from cassi_gui.style.theme import HALF_SPACE, SPACE

SIDE_BY_SIDE_PX = 720
"""Below this width two columns of plots would both be too narrow to read."""
LEAST_PX = 380
"""The width that either column needs alone."""
EMPTY = "What the run does is drawn here while it goes on: how well each place fits, how the values settle, the scene."
FIRST_STEP = "The first step is on its way \N{HORIZONTAL ELLIPSIS}"


class RunLayout(QWidget):
    """Cards of plots that are seen when they have content; any of them can be shown alone and put back."""

    export_requested = Signal(object)
    view_changed = Signal()
    """Another plot may have come to the front."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("run_plots")
        self.grid = GridScorePanel("run_grid")
        self.convergence = ConvergencePanel("run_convergence")
        self.cube = CubeView("run_cube", "Scene as rebuilt now")
        self.spectra = SpectrumPanel("run_spectra", "Spectra")
        self._content: dict[PlotPanel, bool] = dict.fromkeys(self.panels, False)
        self._alone: PlotPanel | None = None
        self._cards: dict[PlotPanel, QFrame] = {}
        for panel in self.panels:
            self._cards[panel] = self._card(panel)
            panel.export_requested.connect(self.export_requested)
            panel.allow_enlarge()
            panel.enlarge_requested.connect(partial(self.toggle_alone, panel))
        self.search = self._column("run_search", (self.grid, self.convergence), (3, 2))
        self.scene = self._column("run_scene", (self.cube, self.spectra), (3, 2))
        self._build()
        self.set_running(False)
        self._show_content()

    @property
    def panels(self) -> tuple[GridScorePanel, ConvergencePanel, CubeView, SpectrumPanel]:
        """All plots."""
        return (self.grid, self.convergence, self.cube, self.spectra)

    def _card(self, panel: PlotPanel) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        layout = QVBoxLayout(card)
        layout.setContentsMargins(SPACE, HALF_SPACE, SPACE, HALF_SPACE)
        layout.addWidget(panel)
        return card

    def _column(self, name: str, panels: tuple[PlotPanel, PlotPanel], shares: tuple[int, int]) -> QSplitter:
        column = QSplitter(Qt.Orientation.Vertical)
        column.setObjectName(name)
        column.setChildrenCollapsible(False)
        column.setHandleWidth(SPACE)
        for index, (panel, share) in enumerate(zip(panels, shares, strict=True)):
            column.addWidget(self._cards[panel])
            column.setStretchFactor(index, share)
        return column

    def _build(self) -> None:
        self.views = QTabBar()
        self.views.setObjectName("run_views")
        self.views.setAccessibleName("Search or scene")
        self.views.setToolTip("How the search goes, or the scene as it is rebuilt")
        self.views.setExpanding(False)
        self.views.addTab("Search")
        self.views.addTab("Scene and spectra")
        self.views.currentChanged.connect(self._on_view)
        self.columns = QSplitter(Qt.Orientation.Horizontal)
        self.columns.setObjectName("run_columns")
        self.columns.setChildrenCollapsible(False)
        self.columns.setHandleWidth(SPACE)
        # Side by side they need more than one of them alone, which is all that a narrow window shows.
        self.columns.setMinimumWidth(LEAST_PX)
        self.columns.addWidget(self.search)
        self.columns.addWidget(self.scene)
        self.columns.setStretchFactor(0, 4)
        self.columns.setStretchFactor(1, 3)
        self.hint = QLabel(EMPTY)
        self.hint.setObjectName("run_hint")
        self.hint.setProperty("role", "muted")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.hint.setMargin(2 * SPACE)
        self.hint.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_SPACE)
        layout.addWidget(self.views)
        layout.addWidget(self.columns, 1)
        layout.addWidget(self.hint, 1)
        self.reset_layout()

    # -- what is seen -------------------------------------------------------------------------------------------------
    def set_running(self, running: bool) -> None:
        """What is said while no plot has content, and of the scene."""
        self.hint.setText(FIRST_STEP if running else EMPTY)
        self.cube.set_title("Scene as rebuilt now" if running else "Scene as rebuilt")

    def set_content(self, content: Mapping[PlotPanel, bool]) -> None:
        """Say which plots have something to show."""
        if dict(content) != self._content:
            self._content = dict(content)
            self._show_content()

    @property
    def narrow(self) -> bool:
        """Whether search and scene take turns."""
        return self.width() < SIDE_BY_SIDE_PX

    def _show_content(self) -> None:
        if self._alone is not None and not self._content[self._alone]:
            self._alone = None
        seen = {p: has and self._alone in (None, p) for p, has in self._content.items()}
        search, scene = seen[self.grid] or seen[self.convergence], seen[self.cube] or seen[self.spectra]
        turns = self.narrow and search and scene
        for panel, card in self._cards.items():
            card.setVisible(seen[panel])
        self.views.setVisible(turns)
        self.search.setVisible(search and not (turns and self.views.currentIndex() == 1))
        self.scene.setVisible(scene and not (turns and self.views.currentIndex() == 0))
        self.columns.setVisible(search or scene)
        self.hint.setVisible(not (search or scene))
        self.view_changed.emit()

    def show_scene(self) -> None:
        """Bring scene and spectra to the front."""
        self.views.setCurrentIndex(1)

    @property
    def alone(self) -> PlotPanel | None:
        """The plot that is shown alone, or None."""
        return self._alone

    def toggle_alone(self, panel: PlotPanel) -> None:
        """Show one plot alone, or all of them again."""
        self._alone = None if self._alone is panel else panel
        self._show_content()

    def reset_layout(self) -> None:
        """All plots, with their sizes as at the first start."""
        self._alone = None
        self.columns.setSizes([4000, 3000])
        for column in (self.search, self.scene):
            column.setSizes([3000, 2000])
        self._show_content()

    @Slot(int)
    def _on_view(self, _index: int) -> None:
        self._show_content()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_content()
