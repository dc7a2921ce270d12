"""How much room text takes, where it breaks, and how labels share a row.

All lengths are points (1/72 inch).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.style import letters, quiet, setting
from convex_analyzer.spelling import visible

__all__ = ["LINE", "PAD", "measure", "shortened", "spread", "wrap"]

Array = npt.NDArray[np.float64]

LINE = 1.25  # line height over font size
PAD = (3.0, 1.0)  # between a label and any other: sideways, upwards
_GENERIC = {"serif", "sans-serif", "cursive", "fantasy", "monospace"}
_SLACK = 1.03  # other renderers set text a little wider


@functools.lru_cache(maxsize=4096)
def _measure_line(text: str, size: float, weight: str, families: tuple[str, ...]) -> float:
    del families  # these tell results of different settings apart
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    # The font has no wide letters (Chinese, say): a viewer takes them from another, one em wide.
    narrow = "".join(c for c in visible(text) if unicodedata.east_asian_width(c) not in "WF")
    font = FontProperties(size=size, weight=weight)  # of the families in use
    with quiet():
        width, _, _ = text_to_path.get_text_width_height_descent(narrow, font, ismath=False)
    return float(width) + size * (len(text) - len(narrow))


def _families() -> tuple[str, ...]:
    """Return the fonts in use, the user's lists where a kind of font is named."""
    families: list[str] = []
    for name in setting("font.family"):
        families += setting(f"font.{name}") if name in _GENERIC else [name]
    return tuple(families)


def measure(text: str, size: float | None = None, weight: str = "normal") -> tuple[float, float]:
    """Return the width and height of a text, lines separated by newlines.

    Parameters
    ----------
    text
        What is written.
    size, weight
        Of the letters; that of labels when left out.

    Examples
    --------
    >>> width, height = measure("ten points", 10.0)
    >>> 50 < width < 65, height
    (True, 12.5)
    """
    size = letters().small if size is None else size
    lines, families = text.split("\n"), _families()
    width = max(_measure_line(line, size, weight, families) for line in lines)
    return _SLACK * width, len(lines) * LINE * size


def wrap(text: str, width: float, size: float | None = None, weight: str = "normal") -> str:
    """Break a text into lines of at most this width; a word that is longer stays whole.

    What stands around ``=``, ``−`` and the like is not torn apart.

    Examples
    --------
    >>> wrap("it is best at α = 0.5", 44.0).split(chr(10))
    ['it is best at', 'α = 0.5']
    """
    lines: list[str] = []
    text = re.sub(" ([=−+<≤≥×]) ", "\u00a0\\1\u00a0", text).replace(" %", "\u00a0%")
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure(longer, size, weight)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines).replace("\u00a0", " ")


def shortened(text: str, width: float, size: float | None = None, weight: str = "normal") -> str:
    """Return a text no wider than that: what is too long loses its end to an ellipsis.

    Examples
    --------
    >>> shortened("a label", 100.0), shortened("a label that is far too long", 40.0)[-1]
    ('a label', '…')
    """
    if measure(text, size, weight)[0] <= width:
        return text
    low, high = 0, len(text)
    while high - low > 1:  # the longest beginning that fits
        middle = (low + high) // 2
        if measure(text[:middle] + "…", size, weight)[0] <= width:
            low = middle
        else:
            high = middle
    return text[:low] + "…"


def spread(
    wanted: Sequence[float] | Array, widths: Sequence[float], low: float, high: float
) -> list[float]:
    """Return centres near the wanted ones for intervals that must not touch, in order.

    Touching intervals form a block that stands at the mean of what its members want (pooling of
    adjacent violators, which is the least-squares answer), kept inside [low, high].

    Examples
    --------
    >>> spread([5.0, 6.0], [4.0, 4.0], 0.0, 20.0)
    [2.0, 9.0]
    >>> spread([5.0, 19.0], [4.0, 4.0], 0.0, 20.0)
    [5.0, 18.0]
    """
    blocks: list[tuple[float, int, float]] = []  # sum of the left ends wanted, members, width
    gap = PAD[0]

    def left_of(block: tuple[float, int, float]) -> float:
        return max(low, min(block[0] / block[1], high - block[2]))

    for centre, width in zip(wanted, widths, strict=True):
        block = (float(centre) - width / 2, 1, width)
        while blocks and left_of(blocks[-1]) + blocks[-1][2] + gap > left_of(block):
            total, members, size = blocks.pop()
            moved = block[0] - block[1] * (size + gap)
            block = (total + moved, members + block[1], size + gap + block[2])
        blocks.append(block)
    centres: list[float] = []
    for block in blocks:
        left = left_of(block)
        for width in widths[len(centres) : len(centres) + block[1]]:
            centres.append(left + width / 2)
            left += width + gap
    return centres
