"""Fonts of the PDF report: the ones that every reader of PDF has, so that none has to be shipped."""

from __future__ import annotations

SANS, BOLD, MONO = "Helvetica", "Helvetica-Bold", "Courier"

_INSTEAD = str.maketrans(
    {"\u2212": "-", "\u2192": "->", "\u2264": "<=", "\u2265": ">=", "\u2248": "~", "\u00a0": " ", "\t": " "}
)


def printable(text: str) -> str:
    """The text with characters that these fonts lack (they hold those of Western Europe) written as `\\u4e2d`.

    Only names of files can hold such characters: written so, they stay unambiguous.
    """
    kept = text.translate(_INSTEAD)
    return kept.encode("cp1252", "backslashreplace").decode("cp1252")
