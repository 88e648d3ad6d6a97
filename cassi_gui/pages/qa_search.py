"""In place of a proof, where no mask was found: picture against mask at every shift, every way round, and both inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.search_map import SearchPair
from cassi_gui.pages.qa_offers import AS_IT_IS, ways_possible
from cassi_gui.pages.qa_proof import card_of
from cassi_gui.plots.image_panel import ImagePanel
from cassi_gui.plots.search_map import SearchMapPanel, Way, WaysList
from cassi_gui.style.theme import SPACE, Palette

if TYPE_CHECKING:
    from cassi_core.quality.orientation import Orientation

NAMES = ("As it is", "Turned 90", "Turned 180", "Turned 270", "Mirrored", "Mirrored, 90", "Mirrored, 180", "Mirrored, 270")
"""Short names, mirrored or not by quarter turns counter-clockwise."""
WITHOUT_INPUTS = "The picture of this run is not loaded any more. Load it again to look for its mask."
LONG_WORDS_PX = 1000
"""From this width on the long words fit."""
DARK_SHARE = 0.02
"""Light below this share of full scale shows no mask."""


class SearchProof(QWidget):
    """Signals: `way_used` (an Orientation), `export_requested`, `cursor_text`."""

    way_used = Signal(object)
    export_requested = Signal(object)
    cursor_text = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("search_proof")
        self._tried: tuple[Orientation, ...] = ()
        self._inputs: CalibrationInputs | None = None
        self._pair: SearchPair | None = None
        self._least = 8.0
        self.map = SearchMapPanel()
        self.ways = WaysList()
        self.picture_panel = ImagePanel("search_picture", "The picture", axes=False)
        self.mask_panel = ImagePanel("search_mask", "The mask", axes=False)
        self.picture_words, self.mask_words = QLabel(), QLabel()
        above, below = QHBoxLayout(), QHBoxLayout()
        for row in (above, below):
            row.setSpacing(SPACE + 2)
        above.addWidget(card_of(self.map), 58)
        above.addWidget(card_of(self.ways), 42)
        for panel, words in ((self.picture_panel, self.picture_words), (self.mask_panel, self.mask_words)):
            words.setWordWrap(True)
            words.setProperty("role", "small")
            panel.below.addWidget(words)
            below.addWidget(card_of(panel), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE + 2)
        layout.addLayout(above, 1)
        layout.addLayout(below, 1)
        self.ways.used.connect(self._on_used)
        self.map.cursor_text.connect(self.cursor_text)
        for plot in self.panels:
            plot.export_requested.connect(self.export_requested)

    @property
    def panels(self) -> tuple[SearchMapPanel | ImagePanel, ...]:
        return (self.map, self.picture_panel, self.mask_panel)

    def set_inputs(self, inputs: CalibrationInputs | None, least: float) -> None:
        """The inputs of the run (None: they are not loaded any more) and how many times the noise a mask reaches that is there."""
        self._inputs, self._least, self._pair = inputs, least, None
        self.map.set_pair(None, least, **({"empty": WITHOUT_INPUTS} if inputs is None else {}))
        self.set_tried(())
        self.picture_panel.set_image(None if inputs is None else inputs.frames[0].image, empty=WITHOUT_INPUTS)
        self.mask_panel.set_image(None if inputs is None else inputs.mask, empty=WITHOUT_INPUTS)
        if inputs is None:
            return
        image = inputs.frames[0].image
        lit = float(np.mean(image > DARK_SHARE * float(np.quantile(image, 0.999))))
        self.picture_panel.set_detail(f"{image.shape[0]} × {image.shape[1]} px")
        self.mask_panel.set_detail(f"{inputs.mask.shape[0]} × {inputs.mask.shape[1]} px")
        self.picture_words.setText(f"The mask shows only where there is light: in {100 * lit:.0f} % of the picture.")
        opened = float(np.mean(inputs.mask > 0.5 * float(inputs.mask.max())))
        self.mask_words.setText(f"{100 * opened:.0f} % of it is open. Is this the mask of this rig?")

    def set_pair(self, pair: SearchPair) -> None:
        """Bring the maps that were computed in the background."""
        self._pair = pair
        self.map.set_pair(pair, self._least)
        self.set_tried(self._tried)

    def set_tried(self, tried: Sequence[Orientation]) -> None:
        """The orientations that were tried so far."""
        self._tried = tuple(tried)
        if self._inputs is None:
            return
        square = ways_possible(self._inputs) == 8
        known = {(w.mirrored, w.quarter_turns): w.z for w in self._tried}
        if (False, 0) not in known and self._pair is not None:
            known[False, 0] = self._pair.here.z
        places = [(k >= 4, k % 4) for k in range(8) if square or k % 2 == 0]
        ways = [
            Way(NAMES[4 * m + t], known.get((m, t)), NAMES[4 * m + t] != AS_IT_IS and known.get((m, t), 0.0) >= self._least)
            for m, t in places
        ]
        self.ways.set_ways(ways, self._least)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.map.set_narrow(self.width() < LONG_WORDS_PX)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        for panel in self.panels:
            panel.set_palette(palette)
        self.ways.set_palette(palette)

    @Slot(int)
    def _on_used(self, index: int) -> None:
        words = self.ways.ways[index].words
        place = NAMES.index(words)
        self.way_used.emit(next(w for w in self._tried if (w.mirrored, w.quarter_turns) == (place >= 4, place % 4)))
