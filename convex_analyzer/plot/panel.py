"""The frame of a figure: size, margins, title, axes; so that nothing is cut or overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from convex_analyzer.plot.style import letters, new_figure, setting
from convex_analyzer.plot.text import LINE, PAD, measure, wrap
from convex_analyzer.plot.ticks import Ticks, set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["Panel", "open_panel"]

_EDGE = 3.0  # points of white around everything
_BESIDE = 55.0  # of the width, what an axis label cannot use: it is centred below the axes
_CLOSER = 1.5  # labels may stand so much closer than marks and their padding say


@dataclass
class Panel:
    """An axes to draw on; ours, with margins made to measure, or the caller's.

    Attributes
    ----------
    axes
        Where to draw.
    owned
        Whether the figure is ours.
    title
        Whether the finding is written above.
    paper
        Whether it is for a paper, where what is said in words belongs to the caption.
    """

    axes: Axes
    owned: bool
    title: bool
    paper: bool = False
    _around: tuple[float, float, float] = (0.0, 0.0, 0.0)
    _above: float = 4.0

    @property
    def figure(self) -> Figure:
        """The figure that holds the axes."""
        figure = self.axes.get_figure(root=True)
        assert figure is not None
        return figure

    @property
    def lines(self) -> list[Line2D]:
        """All lines on the axes, and on those of a figure of ours."""
        every = list(self.figure.axes) if self.owned else [self.axes]
        return [line for axes in every for line in axes.lines]

    @property
    def width(self) -> float:
        """Width that there is for everything, in inches."""
        if self.owned:
            return float(self.figure.get_figwidth())
        return float(self.axes.get_window_extent().width) / float(self.figure.dpi)

    def dress(
        self,
        title: str,
        xlabel: str = "",
        ylabel: str = "",
        xticks: Ticks | None = None,
        yticks: Ticks | None = None,
        *,
        right: float = 0.0,
        below: float = 0.0,
        above: float = 0.0,
    ) -> None:
        """Set title, axis labels, ticks and, on our own figure, margins that fit them.

        Parameters
        ----------
        title
            The finding; wrapped to the width that there is.
        xlabel, ylabel
            Names of the axes; may have several lines.
        xticks, yticks
            Marks; None leaves the axis without any.
        right, below, above
            Further room (points) beside, below and above the axes.
        """
        axes, size = self.axes, letters()
        if self.owned:
            room = self._width - _BESIDE
            xlabel = "\n".join(wrap(line, room, size.axis) for line in xlabel.split("\n"))
        axes.set_xlabel(xlabel, fontsize=size.axis, labelpad=2.5)
        axes.set_ylabel(ylabel, fontsize=size.axis, labelpad=2.5)
        self._around = (right, below, above)
        text = ""
        if self.title and self.owned:
            text = wrap(title, self._width - 2 * _EDGE, size.title, "bold")
            self._write(text)
        elif self.title:
            text_above = wrap(title, 72 * self.width, size.title, "bold")
            axes.set_title(text_above, loc="left", fontsize=size.title, fontweight="bold",
                           pad=4 + above)  # fmt: skip
        self._above = measure(text, size.title, "bold")[1] + 4 if text else 4.0
        self.mark(xticks or Ticks(), yticks or Ticks())

    def _write(self, text: str) -> None:
        x, y = _EDGE / self._width, 1 - _EDGE / self._height
        self.figure.text(x, y, text, ha="left", va="top", fontsize=letters().title,
                         fontweight="bold", linespacing=1.1)  # fmt: skip

    @property
    def _width(self) -> float:
        return 72 * float(self.figure.get_figwidth())

    @property
    def _height(self) -> float:
        return 72 * float(self.figure.get_figheight())

    def split(self, boxes: Sequence[tuple[float, float, float, float]]) -> list[Axes]:
        """Draw on several axes instead of one.

        Parameters
        ----------
        boxes
            Left, bottom, width and height of each, as shares of the figure, or of the axes of the
            caller.
        """
        self.axes.set_axis_off()
        if self.owned:
            self.axes.set_position((0, 0, 1, 1))
        box = self.axes.get_position()
        return [
            self.figure.add_axes(
                (box.x0 + x * box.width, box.y0 + y * box.height, w * box.width, h * box.height)
            )
            for x, y, w, h in boxes
        ]

    def mark(self, xticks: Ticks, yticks: Ticks) -> None:
        """Set ticks and, on our own figure, margins that fit them; also after `dress`."""
        axes = self.axes
        set_ticks(axes, "x", xticks)
        set_ticks(axes, "y", yticks)
        if not self.owned:
            return
        right, below, above = self._around
        xlabel, ylabel = axes.get_xlabel(), axes.get_ylabel()
        size = letters()
        widest = max((measure(label)[0] for label in yticks.labels), default=0.0)
        first, last = (measure(xticks.labels[i])[0] / 2 if xticks.labels else 0.0 for i in (0, -1))
        left = _EDGE + widest + (_outside("y") if yticks.positions else 0.0)
        left = max(left + (measure(ylabel, size.axis)[1] + 3 if ylabel else 0.0), _EDGE + first)
        edge = _EDGE + (right or last)
        bottom = _EDGE + below + (size.small * LINE + _outside("x") if xticks.labels else 0.0)
        bottom += (measure(xlabel, size.axis)[1] + 3) if xlabel else 0.0
        top = _EDGE + above + self._above
        width, height = self._width, self._height
        axes.set_position(
            (left / width, bottom / height, max(width - left - edge, 1.0) / width,
             max(height - bottom - top, 1.0) / height)
        )  # fmt: skip
        set_ticks(axes, "x", self._apart(xticks))

    def _apart(self, ticks: Ticks) -> Ticks:
        """Leave out labels until those that stay do not touch each other."""
        axes, count = self.axes, len(ticks.labels)
        low, high = sorted(axes.get_xlim())
        if not count or not (low <= ticks.positions[0] and ticks.positions[-1] <= high):
            return ticks
        places = [(float(position), axes.get_ylim()[0]) for position in ticks.positions]
        scale = 72 / float(self.figure.dpi)
        middles = [float(x) * scale for x in axes.transData.transform(places)[:, 0]]
        half = [measure(label)[0] / 2 + PAD[0] / 2 for label in ticks.labels]
        for stride in range(1, count):
            kept = range((count - 1) % stride, count, stride)
            if all(middles[b] - half[b] >= middles[a] + half[a] for a, b in pairwise(kept)):
                break
        else:
            kept = range(count - 1, count)
        others = [position for i, position in enumerate(ticks.positions) if i not in kept]
        return Ticks(
            tuple(ticks.positions[i] for i in kept),
            tuple(ticks.labels[i] for i in kept),
            tuple(sorted([*ticks.minor, *others])),
        )


def _outside(axis: str) -> float:
    """Return the distance (points) from an axis to the labels of its marks."""
    size = float(setting(f"{axis}tick.major.size"))
    inside = setting(f"{axis}tick.direction") == "in"
    return (0.0 if inside else size) + float(setting(f"{axis}tick.major.pad")) - _CLOSER


def open_panel(
    ax: Axes | None, width: float, height: float, *, title: bool = True, paper: bool = False
) -> Panel:
    """Return the caller's axes, or one on a new figure of this size in inches."""
    if ax is not None:
        return Panel(ax, owned=False, title=title, paper=paper)
    figure = new_figure(width, height)
    return Panel(figure.add_axes((0.1, 0.1, 0.8, 0.8)), owned=True, title=title, paper=paper)
