"""Help of the QA page: three glances, what to do, one legend for every symbol, and the glossary."""

from __future__ import annotations

from cassi_core.quality.names import glossary_html

LEGEND = (
    ("Circle with a tick, triangle, octagon, flag", "passed, wants a look, failed, search not finished"),
    (
        "Square with an ellipse",
        "one camera pixel; the ellipse is the error of the mask's place (1 sigma), the dashed circle the limit",
    ),
    (
        "Orange line through a picture",
        "left of it the picture, right of it calculated from the mask (above and below for bands that go down)",
    ),
    ("Five dots", "centre and corners of the picture: where the loupe lies"),
    ("Blue and orange in the residual", "the picture is darker, or brighter, than the fit says; white: as the fit says"),
    ("Thin grey arrow", "a shift left over within two errors of its block: it tells nothing"),
    ("Thick orange arrow", "a shift left over beyond two errors"),
    ("Grey circle", "the error of the block"),
    (
        "Line, dotted line, dots",
        "a spectrum with the found values, with the start values, and of the reference; the colour tells the point",
    ),
    ("White ring", "the strongest place of a search"),
    ("Dashed green line", "from there on a mask counts as found"),
)

HELP = (
    "<p>Is the mask right? Three glances tell.</p>"
    "<ol><li><b>The verdict</b> in a sentence, with what to do where a check wants a look. Each check opens into what it means, typical causes "
    "and what to do; its buttons do it, and bring you back here with the new result.</li>"
    "<li><b>How far off may the mask be in this picture?</b> Two numbers: across the bands, and the mask's pattern along them. Below 0.10 px "
    "reconstructions do not suffer. The found values stand below.</li>"
    "<li><b>The proof</b>, for your own eyes. <i>Mask edges</i>: streaks that run on across the line prove the place. <i>What the fit cannot "
    "explain</i> should look like noise after the fit. <i>Shifts left over</i> should be thin and grey. <i>Before and after</i>, <i>Blink</i> "
    "(B) and <i>Difference</i> change mask edges and residual together.</li></ol>"
    "<p><b>Accept</b> makes the run the calibration in force, which Export writes, and adds it to the <b>logbook</b>; <b>Reject</b> marks it. "
    "Both keep your note and can be undone. After a failed or unfinished run accepting asks once more.</p>"
    "<p><b>Numbers</b> has every number and how the values hang together, <b>Runs</b> compares the runs so far, <b>Tune by hand</b> puts three "
    "candidates side by side.</p>"
    "<h3>Symbols</h3><table>"
    + "".join(f"<tr><td><b>{symbol}</b>&nbsp;&nbsp;</td><td>{means}</td></tr>" for symbol, means in LEGEND)
    + "</table>"
    + glossary_html()
)
