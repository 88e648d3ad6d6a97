"""What the lenses do, in sentences: the terms of :mod:`cassi_core.optics` that a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cassi_core.dispersion import Dispersion
from cassi_core.formatting import format_value
from cassi_core.optics import OPTICS
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


def _words(term: OpticsTerm, dispersion: Dispersion) -> str:
    px, grows = f"{abs(term.value_px):.2g} px", term.value_px > 0
    if term.name == "colour1":
        return f"Colours are magnified differently: {_end(dispersion, last=True)} {px} {'more' if grows else 'less'} than {_end(dispersion, last=False)} at the edge."
    if term.name == "colour2":
        return f"Colours are magnified differently: both ends of the spectrum {px} {'more' if grows else 'less'} than its middle at the edge."
    if term.name == "radial":
        return f"The lens pulls the corners {'outwards' if grows else 'inwards'} by {px}."
    return (
        f"{OPTICS[term.name].description}: {px} at the edge."
        if grows
        else f"{OPTICS[term.name].description}, the other way: {px} at the edge."
    )


def _end(dispersion: Dispersion, *, last: bool) -> str:
    """`650 nm`, or the band by its place where no wavelength is known."""
    nm = dispersion.wavelengths_nm
    return f"{'the last' if last else 'the first'} band" if nm is None else f"{nm[-1 if last else 0]:.0f} nm"
