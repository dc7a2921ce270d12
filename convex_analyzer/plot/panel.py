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
_BESIDE = 55.0  # of the width, what an axis label cannot use: it is centred below the axes
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
    _around: tuple[float, float, float] = (0.0, 0.0, 0.0)
    _above: float = 4.0

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
        axes = self.axes
        if self.owned:
            room = self._width - _BESIDE
            xlabel = "\n".join(wrap(line, room, AXIS) for line in xlabel.split("\n"))
        axes.set_xlabel(xlabel, fontsize=AXIS, labelpad=2.5)
        axes.set_ylabel(ylabel, fontsize=AXIS, labelpad=2.5)
        self._around = (right, below, above)
        text = ""
        if self.title and self.owned:
            text = wrap(title, 72 * float(self.figure.get_figwidth()) - 2 * _EDGE, TITLE, "bold")
            self._write(text)
        elif self.title:
            room = float(axes.get_window_extent().width) * 72 / float(self.figure.dpi)
            axes.set_title(wrap(title, room, TITLE, "bold"), loc="left", fontsize=TITLE,
                           fontweight="bold", pad=4 + above)  # fmt: skip
        self._above = measure(text, TITLE, "bold")[1] + 4 if text else 4.0
        self.mark(xticks or Ticks(), yticks or Ticks())

    def _write(self, text: str) -> None:
        x, y = _EDGE / self._width, 1 - _EDGE / self._height
        self.figure.text(x, y, text, ha="left", va="top", fontsize=TITLE, fontweight="bold",
                         linespacing=1.1)  # fmt: skip

    @property
    def _width(self) -> float:
        return 72 * float(self.figure.get_figwidth())

    @property
    def _height(self) -> float:
        return 72 * float(self.figure.get_figheight())

    def mark(self, xticks: Ticks, yticks: Ticks) -> None:
        """Set ticks and, on our own figure, margins that fit them; also after `dress`."""
        axes = self.axes
        set_ticks(axes, "x", xticks)
        set_ticks(axes, "y", yticks)
        if not self.owned:
            return
        right, below, above = self._around
        xlabel, ylabel = axes.get_xlabel(), axes.get_ylabel()
        widest = max((measure(label)[0] for label in yticks.labels), default=0.0)
        first, last = (measure(xticks.labels[i])[0] / 2 if xticks.labels else 0.0 for i in (0, -1))
        left = _EDGE + widest + (_TICK if yticks.positions else 0.0)
        left = max(left + (measure(ylabel, AXIS)[1] + 3 if ylabel else 0.0), _EDGE + first)
        edge = _EDGE + (right or last)
        bottom = _EDGE + below + (SMALL * LINE + _TICK if xticks.labels else 0.0)
        bottom += (measure(xlabel, AXIS)[1] + 3) if xlabel else 0.0
        top = _EDGE + above + self._above
        width, height = self._width, self._height
        axes.set_position(
            (left / width, bottom / height, (width - left - edge) / width,
             (height - bottom - top) / height)
        )  # fmt: skip


def open_panel(ax: Axes | None, width: float, height: float, *, title: bool = True) -> Panel:
    """Return the caller's axes, or one on a new figure of this size in inches."""
    if ax is not None:
        return Panel(ax, owned=False, title=title)
    figure = new_figure(width, height)
    return Panel(figure.add_axes((0.1, 0.1, 0.8, 0.8)), owned=True, title=title)
