"""The frame of a figure: size, margins, title, axes; so that nothing is cut or overlaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from convex_analyzer.plot.style import SMALL, new_figure
from convex_analyzer.plot.text import LINE, measure, wrap
from convex_analyzer.plot.ticks import Ticks, set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Panel", "open_panel"]

TITLE, AXIS = 8.5, 7.5  # font sizes
_EDGE = 3.0  # points of white around everything
_TICK = 5.0  # from an axis to its labels


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
    """

    axes: Axes
    owned: bool
    title: bool

    @property
    def figure(self) -> Figure:
        """The figure that holds the axes."""
        figure = self.axes.get_figure(root=True)
        assert figure is not None
        return figure

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
        axes, width = self.axes, float(self.figure.get_figwidth()) * 72
        xticks, yticks = xticks or Ticks(), yticks or Ticks()
        set_ticks(axes, "x", xticks)
        set_ticks(axes, "y", yticks)
        axes.set_xlabel(xlabel, fontsize=AXIS, labelpad=2.5)
        axes.set_ylabel(ylabel, fontsize=AXIS, labelpad=2.5)
        if not self.owned:
            room = float(axes.get_window_extent().width) * 72 / float(self.figure.dpi)
            if self.title:
                axes.set_title(wrap(title, room, TITLE, "bold"), loc="left", fontsize=TITLE,
                               fontweight="bold", pad=4 + above)  # fmt: skip
            return
        widest = max((measure(label)[0] for label in yticks.labels), default=0.0)
        left = _EDGE + widest + (_TICK if yticks.positions else 0.0)
        left += (measure(ylabel, AXIS)[1] + 3) if ylabel else 0.0
        last = measure(xticks.labels[-1])[0] / 2 if xticks.labels else 0.0
        edge = _EDGE + max(right, last if not right else 0.0)
        first = measure(xticks.labels[0])[0] / 2 if xticks.labels else 0.0
        left = max(left, _EDGE + first)
        bottom = _EDGE + below + (SMALL * LINE + _TICK if xticks.labels else 0.0)
        bottom += (measure(xlabel, AXIS)[1] + 3) if xlabel else 0.0
        text = wrap(title, width - 2 * _EDGE, TITLE, "bold") if self.title else ""
        top = _EDGE + above + (measure(text, TITLE, "bold")[1] + 4 if text else 4.0)
        height = float(self.figure.get_figheight()) * 72
        axes.set_position(
            (left / width, bottom / height, (width - left - edge) / width,
             (height - bottom - top) / height)
        )  # fmt: skip
        if text:
            self.figure.text(_EDGE / width, 1 - _EDGE / height, text, ha="left", va="top",
                             fontsize=TITLE, fontweight="bold", linespacing=1.1)  # fmt: skip

    def dress_ticks(self, xticks: Ticks, yticks: Ticks) -> None:
        """Replace the marks, after limits were adapted to the size of the axes."""
        set_ticks(self.axes, "x", xticks)
        set_ticks(self.axes, "y", yticks)


def open_panel(ax: Axes | None, width: float, height: float, *, title: bool = True) -> Panel:
    """Return the caller's axes, or one on a new figure of this size in inches."""
    if ax is not None:
        return Panel(ax, owned=False, title=title)
    figure = new_figure(width, height)
    return Panel(figure.add_axes((0.1, 0.1, 0.8, 0.8)), owned=True, title=title)
