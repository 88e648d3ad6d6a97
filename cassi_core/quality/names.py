"""What parameters are called where people read them: plain words, with the field's term beside them.

Signs in tables are those of the file (``Shift down -0.848``); sentences turn them into words (``0.85 px up``).
"""

from __future__ import annotations

from dataclasses import dataclass

from cassi_core.dispersion import QUARTER_TURNS, Direction
from cassi_core.formatting import format_value
from cassi_core.parameters import Parameter, ParameterSet

PERCENT = 100.0


@dataclass(frozen=True)
class ScreenName:
    """Plain `words` for a parameter, its `symbol` in files, `means` in a sentence; a value is shown times `factor` in `unit`."""

    words: str
    symbol: str
    unit: str
    means: str
    factor: float = 1.0
    digits: int = 3


ALONG = ScreenName("Larger along", "scale_x", "%", "The mask appears larger along the dispersion than its file says.", PERCENT)
ACROSS = ScreenName(
    "Larger across", "scale_y", "%", "The mask appears larger across the dispersion than its file says.", PERCENT
)
NAMES: dict[str, ScreenName] = {
    n.symbol: n
    for n in (
        ScreenName(
            "Shift right", "dx", "px", "The mask sits this far to the right of where its file puts it; minus: to the left."
        ),
        ScreenName("Shift down", "dy", "px", "The mask sits this far down from where its file puts it; minus: up."),
        ScreenName("Turned left", "theta", "deg", "The mask is turned counter-clockwise on the screen; minus: clockwise."),
        ALONG,
        ACROSS,
        ScreenName(
            "Step longer", "slope", "px/band", "Each band lies this much further from the one before than was said.", digits=4
        ),
        ScreenName("Step changes", "curve", "px/band^2", "The step between bands grows along the spectrum.", digits=5),
        ScreenName("Axis tilted", "alpha", "deg", "The bands move along a line that is turned from its nominal direction."),
        ScreenName("Blur of the mask", "psf", "px", "The optics blur the mask's edges by this much (sigma of a Gaussian)."),
    )
}
"""By the parameter's name in files, for a dispersion along the columns; see :func:`screen_name`."""


def screen_name(name: str, direction: Direction = "right") -> ScreenName:
    """The words for a parameter: for a dispersion along the rows `along` and `across` change places, the symbols do not."""
    found = NAMES[name]
    if QUARTER_TURNS[direction] % 2 and found in (ALONG, ACROSS):
        other = ACROSS if found is ALONG else ALONG
        return ScreenName(other.words, found.symbol, found.unit, other.means, found.factor, found.digits)
    return found


def screen_value(p: Parameter, *, error: bool = True) -> str:
    """`+1.376 ± 0.014`: value and error of a parameter in the unit of the screen, without that unit; the value alone without `error`."""
    shown = NAMES[p.name]
    sigma = p.sigma * shown.factor if error and p.sigma is not None else None
    return format_value(p.value * shown.factor, sigma, "", shown.digits)


def where_it_sits(parameters: ParameterSet) -> str:
    """`1.38 px to the right and 0.85 px up, turned 0.415 deg to the left`, or `where its file puts it`."""
    dx, dy, theta = (parameters[n].value for n in ("dx", "dy", "theta"))
    moved = [
        f"{abs(value):.2f} px {positive if value > 0 else negative}"
        for value, positive, negative in ((dx, "to the right", "to the left"), (dy, "down", "up"))
        if round(abs(value), 2) > 0
    ]
    words = " and ".join(moved) or "where its file puts it"
    if round(abs(theta), 3) > 0:
        words += f", turned {abs(theta):.3f} deg to the {'left' if theta > 0 else 'right'}"
    return words


@dataclass(frozen=True)
class Term:
    """A plain name on the screen, the term of the field behind it, and what it is in a sentence."""

    words: str
    term: str
    means: str


GLOSSARY: tuple[Term, ...] = (
    *(Term(n.words, n.symbol, n.means) for n in NAMES.values()),
    Term("Across", "registration error across the dispersion", "How far off the mask may be across the bands' direction, rms over the lit picture."),
    Term("Pattern", "registration error of the mask detail", "How far off fine detail of the mask may be along the bands' direction, rms over the lit picture."),
    Term("Wavelength", "error of the colour scale", "How far the bands may be renamed along the spectrum. It blurs nothing."),
    Term("±", "standard error, sigma", "In two of three cases the truth lies within one of it, in nineteen of twenty within two."),
    Term("What the fit cannot explain", "residual", "The light of the picture that the best scene seen through the mask does not account for."),
    Term("Predicts pixels that it did not see", "held-out residual", "Some pixels are hidden from the fit; how badly they are predicted."),
    Term("Which values this picture can tell", "identifiability", "Some values change the picture in nearly the same way, or hardly at all."),
    Term("How values hang together", "correlation matrix", "Near +1 or −1 an error of one value is made up for by an error of the other."),
    Term("Shifts left over", "local shifts", "How far the mask's pattern still lies off in each block of the picture."),
    Term("Pattern in the shifts", "systematic part of the local shifts", "Shifts that follow a rule: a magnification, a turn, a bent image."),
    Term("Pattern in what is left", "structure of the residual beyond noise", "Stripes or other regular patterns that the fit leaves."),
    Term("Match", "correlation", "1: picture and calculation are alike over the square; 0: they have nothing in common."),
)  # fmt: skip
"""Every plain name of the window beside its term."""


def glossary_html() -> str:
    """The glossary as a table for the help."""
    rows = "".join(
        f"<tr><td><b>{t.words}</b>&nbsp;&nbsp;</td><td>{t.term}&nbsp;&nbsp;</td><td>{t.means}</td></tr>" for t in GLOSSARY
    )
    return f"<h3>Words</h3><table>{rows}</table>"
