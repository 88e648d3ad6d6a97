"""What the optics do, in sentences that a technician can act on."""

from __future__ import annotations

from collections.abc import Sequence

from cassi_core.result import OpticsTerm

SENTENCES = {
    "colour1": (
        "Colours are magnified differently: the last band {size} px more than the middle at the edge",
        "Colours are magnified differently: the last band {size} px less than the middle at the edge",
    ),
    "colour2": (
        "The bands at both ends are magnified {size} px more than the middle ones at the edge",
        "The bands at both ends are magnified {size} px less than the middle ones at the edge",
    ),
    "radial": ("The lens pulls the edges outwards by {size} px", "The lens pulls the edges inwards by {size} px"),
    "bow_u2": (
        "Lines along the dispersion are bent: their ends lie {size} px further down",
        "Lines along the dispersion are bent: their ends lie {size} px further up",
    ),
    "bow_uv": (
        "Lines along the dispersion fan out to the right by {size} px",
        "Lines along the dispersion fan out to the left by {size} px",
    ),
    "bow_v2": (
        "The picture is stretched downwards by {size} px at its lower edge",
        "The picture is stretched upwards by {size} px at its upper edge",
    ),
}
"""Of each term: what a positive and what a negative value means, in the frame in which the bands move to the right."""


def optics_sentence(term: OpticsTerm) -> str:
    """One term as a sentence with its number and error, without a full stop."""
    size = f"{abs(term.value_px):.2f} ± {term.sigma_px:.2f}"
    return SENTENCES[term.name][0 if term.value_px > 0 else 1].format(size=size)


def optics_lines(terms: Sequence[OpticsTerm]) -> tuple[str, ...]:
    """All terms, the largest first; empty when nothing beyond the mask's place was found."""
    return tuple(optics_sentence(term) for term in sorted(terms, key=lambda t: -abs(t.value_px)))
