"""What the lenses do, in sentences: the terms of :mod:`cassi_core.optics` that a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cassi_core.dispersion import Dispersion
from cassi_core.formatting import format_value
from cassi_core.result import OpticsTerm

SURE = 2.0
"""A term within so many of its errors of zero is not listed."""


@dataclass(frozen=True)
class OpticsSentence:
    """One thing that the lenses do, and its number: `Colours are magnified differently: ...`, `+1.49 ± 0.05 px`."""

    name: str
    words: str
    number: str


def optics_sentences(terms: Sequence[OpticsTerm], dispersion: Dispersion) -> tuple[OpticsSentence, ...]:
    """The terms beyond two of their errors, in the order of the terms."""
    return tuple(
        OpticsSentence(t.name, _words(t, dispersion), f"{format_value(t.value_px, t.sigma_px, 'px')} at the edge")
        for t in terms
        if abs(t.value_px) > SURE * t.sigma_px
    )


def optics_lines(terms: Sequence[OpticsTerm], dispersion: Dispersion) -> tuple[str, ...]:
    """Sentence and number of every term in one line, for text."""
    return tuple(f"{s.words} {s.number}" for s in optics_sentences(terms, dispersion))


def _words(term: OpticsTerm, dispersion: Dispersion) -> str:
    grows = term.value_px > 0
    # The first band lies as far on the other side as the last one: between them is twice the term.
    px = f"{abs(term.value_px) * (2 if term.name == 'colour1' else 1):.2g} px"
    first, last = _end(dispersion, last=False), _end(dispersion, last=True)
    if term.name == "colour1":
        return f"Colours are magnified differently: {last} {px} {'more' if grows else 'less'} than {first} at the edge."
    if term.name == "colour2":
        return f"Colours are magnified differently: both ends of the spectrum {px} {'more' if grows else 'less'} than its middle at the edge."
    if term.name == "radial":
        return f"The lens pulls the edges {'outwards' if grows else 'inwards'} by {px}."
    if term.name == "bow_u2":
        return f"Lines along the dispersion are bent: their ends lie {px} further {'down' if grows else 'up'}."
    if term.name == "bow_uv":
        return f"Lines along the dispersion fan out towards the {'right' if grows else 'left'}, by {px} at the edge."
    return f"The picture is stretched at its {'lower' if grows else 'upper'} edge, by {px}."


def _end(dispersion: Dispersion, *, last: bool) -> str:
    """`650 nm`, or the band by its place where no wavelength is known."""
    nm = dispersion.wavelengths_nm
    return f"{'the last' if last else 'the first'} band" if nm is None else f"{nm[-1 if last else 0]:.0f} nm"
