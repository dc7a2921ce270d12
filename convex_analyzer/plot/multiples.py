"""Small multiples: a grid of small axes inside one, with shared scales and headings above each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import INK, Look, letters
from convex_analyzer.plot.text import LINE, measure
from convex_analyzer.plot.thinning import thinned
from convex_analyzer.plot.ticks import Ticks, set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Grid",
    "columns_of",
    "draw_key",
    "key_height",
    "open_grid",
    "row_height",
    "shortened",
    "thin",
]

Array = npt.NDArray[np.float64]

_TICK = 5.0  # from an axis to its labels
_BESIDE, _BETWEEN = 9.0, 7.0  # between columns, and above a heading
_NARROW = 92.0  # least width of a column
_SAMPLE = 22.0  # of a line in the key
_THIN = 120  # columns of pixels that a small curve is cut into


def row_height() -> float:
    """Return the height of a line of a heading, in points."""
    return letters().small * LINE


def columns_of(width: float, count: int, most: int = 4) -> int:
    """Return how many columns a grid in a figure of this width (inches) has.

    Examples
    --------
    >>> columns_of(3.3, 6), columns_of(6.85, 6), columns_of(6.85, 12), columns_of(6.85, 1)
    (2, 3, 4, 1)
    """
    room = max(1, int(72 * width / (_NARROW + _BESIDE)))
    columns = max(1, min(room, most, count))
    rows = -(-count // columns)
    return -(-count // rows)  # as few empty places as these rows allow


@dataclass(frozen=True)
class Grid:
    """Small axes, row by row.

    Attributes
    ----------
    axes
        One per place.
    width
        Of each, in points.
    """

    axes: tuple[Axes, ...]
    width: float

    def head(self, place: int, lines: Sequence[tuple[str, str, str]]) -> None:
        """Write lines (text, colour, weight) above one of them, cut off where it ends."""
        axes = self.axes[place]
        for row, (text, color, wanted) in enumerate(reversed(lines)):
            fits = measure(text, weight=wanted)[0] <= self.width
            weight = wanted if fits else "normal"  # which is narrower
            axes.annotate(
                shortened(text, self.width, weight=weight), (0, 1), (0.0, 1.5 + row * row_height()),
                xycoords="axes fraction", textcoords="offset points", ha="left", va="bottom",
                fontsize=letters().small, color=color, fontweight=weight, annotation_clip=False,
            )  # fmt: skip


def open_grid(
    panel: Panel,
    count: int,
    columns: int,
    xticks: Ticks,
    yticks: Ticks,
    *,
    x: tuple[float, float, bool],
    y: tuple[float, float],
    header: int,
    key: float = 0.0,
) -> Grid:
    """Cut the axes of a panel, dressed and without marks of its own, into small ones.

    Parameters
    ----------
    panel
        Where to draw; the sizes of its axes are final.
    count, columns
        Of the small axes.
    xticks, yticks
        Of all of them; written at the left and at the bottom only.
    x, y
        Ends of the axes, and whether the horizontal one is logarithmic, as the vertical one is.
    header
        Lines above each.
    key
        Room (points) for the key, which on axes of the caller is inside them.
    """
    outer = panel.axes
    for spine in outer.spines.values():
        spine.set_visible(False)
    outer.patch.set_visible(False)
    scale = 72.0 / float(panel.figure.dpi)
    box = outer.get_window_extent()
    width, height = float(box.width) * scale, float(box.height) * scale
    rows = -(-count // columns)
    left = max((measure(label)[0] for label in yticks.labels), default=0.0) + _TICK
    first, last = (measure(xticks.labels[i])[0] / 2 if xticks.labels else 0.0 for i in (0, -1))
    beside = max(_BESIDE, first + last + 3.0)
    below, above = row_height() + _TICK + (0.0 if panel.owned else key), header * row_height() + 2.0
    wide = (width - left - last - (columns - 1) * beside) / columns
    high = (height - below - rows * above - (rows - 1) * _BETWEEN) / rows
    made = []
    for place in range(count):
        row, column = divmod(place, columns)
        across = left + column * (wide + beside)
        up = height - (row + 1) * (above + high) - row * _BETWEEN
        inner = outer.inset_axes((across / width, up / height, wide / width, high / height))
        if x[2]:
            inner.set_xscale("log")
        inner.set_yscale("log")
        inner.set_xlim(*x[:2])
        inner.set_ylim(*y)
        lowest = place + columns >= count
        set_ticks(inner, "x", _marks(xticks, written=lowest))
        set_ticks(inner, "y", _marks(yticks, written=column == 0))
        made.append(inner)
    return Grid(tuple(made), wide)


def _marks(ticks: Ticks, *, written: bool) -> Ticks:
    """Return marks without those between, which take most of the time, and maybe without text."""
    return Ticks(ticks.positions, ticks.labels if written else ("",) * len(ticks.labels))


def shortened(text: str, room: float, size: float | None = None, weight: str = "normal") -> str:
    """Return a text that is no wider than the room (points), cut off with an ellipsis if need be.

    Examples
    --------
    >>> shortened("a label", 100.0), shortened("a label that is far too long", 40.0)
    ('a label', 'a label t…')
    """
    if measure(text, size, weight)[0] <= room:
        return text
    low, high = 0, len(text)
    while high - low > 1:  # longest beginning that fits
        middle = (low + high) // 2
        if measure(text[:middle] + "…", size, weight)[0] <= room:
            low = middle
        else:
            high = middle
    return text[:low] + "…"


def thin(x: Array, y: Array, log_steps: bool, columns: int = _THIN) -> tuple[Array, Array]:
    """Return the points of a small curve that can be told apart on the axis that it has."""
    kept = np.isfinite(y)
    x, y = x[kept], y[kept]
    place = np.log1p(x) if log_steps else x
    if len(x) < 2:
        return x, y
    found, values = thinned(place, y, columns)
    return np.asarray(np.round(np.expm1(found)) if log_steps else found, dtype=float), values


# -- the key ---------------------------------------------------------------------------------------


def _key_columns(labels: Sequence[str], width: float) -> int:
    widest = max((measure(label)[0] for label in labels), default=0.0)
    return max(1, min(len(labels), 4, int((72 * width - 6) / (widest + _SAMPLE + 8))))


def key_height(labels: Sequence[str], width: float) -> float:
    """Return the height (points) of a key below a figure of this width (inches)."""
    if not labels:
        return 0.0
    return -(-len(labels) // _key_columns(labels, width)) * row_height() + 4.0


def draw_key(panel: Panel, entries: Sequence[tuple[str, Look]]) -> None:
    """Write which line is which, in columns: at the lower edge of our figure, or of the axes."""
    from matplotlib.lines import Line2D

    figure = panel.figure
    scale = 72.0 / float(figure.dpi)
    size = 72 * float(figure.get_figwidth()), 72 * float(figure.get_figheight())
    labels = [label for label, _ in entries]
    left, bottom, width = 4.0, 2.0, size[0] - 8.0
    if not panel.owned:
        box = panel.axes.get_window_extent()
        left, bottom, width = (float(v) * scale for v in (box.x0, box.y0, box.width))
    columns = _key_columns(labels, width / 72 + 0.08)
    rows = -(-len(labels) // columns)
    widest = max((measure(label)[0] for label in labels), default=0.0)
    apart = min(width / columns, widest + _SAMPLE + 14)
    for place, (label, look) in enumerate(entries):
        row, column = divmod(place, columns)
        x, y = left + column * apart, bottom + (rows - row - 0.5) * row_height()
        line: dict[str, Any] = {"color": look.color, "lw": 1.2, "mfc": "white", "mew": 0.9}
        across = [(x + share * (_SAMPLE - 4)) / size[0] for share in (0.0, 0.5, 1.0)]
        figure.add_artist(
            Line2D(across, [y / size[1]] * 3, ls=look.dash, marker=look.marker, ms=3.6,
                   markevery=[1], **line)
        )  # fmt: skip
        figure.text((x + _SAMPLE) / size[0], y / size[1],
                    shortened(label, apart - _SAMPLE - 4), ha="left",
                    va="center_baseline", fontsize=letters().small, color=INK)  # fmt: skip
