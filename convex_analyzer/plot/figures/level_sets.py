"""Figure 2: level sets of J, and the way each optimizer takes across them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.contour_data import LevelSetsData, level_sets_data
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.planes import Path
from convex_analyzer.plot.style import FAINT, HALF, INK, MUTED
from convex_analyzer.plot.ticks import linear_ticks
from convex_analyzer.plot.wording import count_text, subscript
from convex_analyzer.tables import format_count, format_number, join_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LevelSetsData", "alt", "caption", "finding", "level_sets", "level_sets_data", "series"]

Array = npt.NDArray[np.float64]

_GRID = 161
_DOTS = 60  # steps of each path that get a marker

# -- words ----------------------------------------------------------------------------------------


def finding(data: LevelSetsData) -> str:
    """Return who arrives and how, in a sentence."""
    place = data.plane.title
    return f"{_story(data)} ({place})" if place else _story(data)


def _story(data: LevelSetsData) -> str:
    gone = [path.label for path in data.paths if path.manner == "diverges"]
    arriving = sorted((p for p in data.paths if p.count is not None), key=lambda p: p.count or 0)
    if data.centre == "flat":
        return "J is flat: there is nowhere to go"
    if not np.any(data.start) and all(not np.any(path.points) for path in data.paths):
        return f"The start is the {data.centre} itself: nothing moves"
    if data.centre in {"saddle", "maximum"}:
        who = "Every path" if len(data.paths) > 1 else data.paths[0].label
        return f"{who} leaves the {data.centre}: J falls without end"
    if data.centre == "none":
        return "J falls without end along the flat direction: no path arrives"
    if gone:
        words = f"{join_words(gone)} {'diverges' if len(gone) == 1 else 'diverge'}"
        if arriving:
            return f"{words}; {_arrives(arriving[0])}"
        return f"{words}: every step lands farther out"
    if not arriving:
        return _nobody(data)
    first, last = arriving[0], arriving[-1]
    if first.count == last.count:
        who = "Every path" if len(arriving) > 1 else first.label
        return f"{who} arrives in {count_text(first.count)}"
    verb = {"zigzags": "zigzags for", "swings": "swings for"}.get(last.manner, "crawls for")
    return f"{_arrives(first)}; {last.label} {verb} {format_count(last.count)}"


def _nobody(data: LevelSetsData) -> str:
    """Say why no path arrives."""
    if any(path.manner == "hovers" for path in data.paths):
        return "Noise keeps the paths hovering around the minimum"
    settled = [path.label for path in data.paths if path.manner == "settles"]
    if settled:
        verb = "settles" if len(settled) == 1 else "settle"
        return f"{join_words(settled)} {verb}, but not at the minimum"
    return "No path arrives: the error does not decay"


def _arrives(path: Path) -> str:
    return f"{path.label} arrives in {count_text(path.count)}"


def alt(data: LevelSetsData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    ways = "; ".join(
        f"{path.label} {path.manner}"
        + (f", {count_text(path.count)}" if path.count is not None else "")
        for path in data.paths
    )
    return f"{finding(data)}. Paths across the level sets of J: {ways}."


def caption(data: LevelSetsData) -> str:
    """Return how to read the figure."""
    goal = format_number(data.tolerance)
    if data.plane.kind == "line":
        what = "The parabola J, and the points of each run on it"
    else:
        what = "Lines of equal J, each √10 times the next; one marker per step for the first steps"
    scale = "" if data.equal or data.plane.kind == "line" else " The axes have different scales."
    if data.plane.kind == "scaled":
        shape = ", so that level sets are circles" if data.equal else ""
        why = "in plain distances one direction would be far longer than the other"
        scale = f" Distances are multiplied by √λ{shape}: {why}.{scale}"
    arrive = f" Steps are counted until the gap is ×{goal}."
    arrive = arrive if any(path.count is not None for path in data.paths) else ""
    return f"{what}.{scale}{arrive}"


def series(data: LevelSetsData) -> Series:
    """Return what is drawn, as columns of numbers."""
    for path in data.paths:
        x, y = (path.points[:, 0], path.points[:, -1])
        across = {} if data.plane.kind == "line" else {"y": y}
        height = data.plane.value(path.points)
        yield path.label, {"step": path.steps, "x": x, **across, "J_minus_J_centre": height}


# -- drawing --------------------------------------------------------------------------------------


@figure(
    number=2,
    of="a comparison",
    answers="who zigzags, who crawls?",
    data=level_sets_data,
    width=HALF,
)
def level_sets(panel: Panel, data: LevelSetsData) -> None:
    """Draw level sets of J, and the way each optimizer takes across them."""
    _dress(panel, data)
    if data.plane.kind == "line":
        _draw_parabola(panel.axes, data)
    else:
        _draw_levels(panel.axes, data)
    placer = Placer(panel.axes)
    _draw_paths(panel.axes, data, placer)
    _draw_marks(panel.axes, data, placer)
    _name_paths(data, placer)


def _dress(panel: Panel, data: LevelSetsData) -> None:
    left, right, bottom, top = data.limits
    names = data.plane.names
    ylabel = "J − J*" if data.plane.kind == "line" else names[1]
    if data.plane.kind == "line" and data.centre in {"saddle", "maximum", "none"}:
        ylabel = "J − J(start)" if data.centre == "none" else "J − J(maximum)"
    ticks = linear_ticks(left, right, 5), linear_ticks(bottom, top, 6)
    panel.dress(finding(data), names[0], ylabel, *ticks)
    for _ in range(3 if data.equal else 0):  # margins depend on ticks, and these on the margins
        left, right, bottom, top = _expanded(data.limits, panel.axes)
        panel.mark(linear_ticks(left, right, 5), linear_ticks(bottom, top, 6))
    if data.equal:
        left, right, bottom, top = _expanded(data.limits, panel.axes)
    panel.axes.set_xlim(left, right)
    panel.axes.set_ylim(bottom, top)


def _expanded(
    limits: tuple[float, float, float, float], axes: Axes
) -> tuple[float, float, float, float]:
    """Return limits that hold the given ones and have one scale on both axes."""
    left, right, bottom, top = limits
    box = axes.get_window_extent()
    ratio = float(box.height / box.width)
    wide = max(right - left, (top - bottom) / ratio)
    x, y = (left + right) / 2, (bottom + top) / 2
    return x - wide / 2, x + wide / 2, y - wide * ratio / 2, y + wide * ratio / 2


def _draw_levels(axes: Axes, data: LevelSetsData) -> None:
    x = np.linspace(*axes.get_xlim(), _GRID)
    y = np.linspace(*axes.get_ylim(), _GRID)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    values = data.plane.value(grid)
    if data.centre == "none":
        axes.contour(x, y, values, 12, colors=FAINT, linewidths=0.5, linestyles="-")
        return
    size = float(np.abs(values).max())
    top = math.ceil(2 * math.log10(max(size / data.gap, 1.0))) if size > 0 else 0
    powers = data.gap * 10.0 ** (np.arange(-8, min(top, 8) + 1) / 2)
    for sign, dash in ((1, "-"), (-1, (0, (3, 2)))):
        levels = [level for level in powers if level <= float((sign * values).max())]
        if levels:
            axes.contour(x, y, sign * values, levels, colors=FAINT, linewidths=0.5,
                         linestyles=[dash])  # fmt: skip
    if data.centre == "saddle":
        axes.contour(x, y, values, [0.0], colors=MUTED, linewidths=0.6)


def _draw_parabola(axes: Axes, data: LevelSetsData) -> None:
    x = np.linspace(*axes.get_xlim(), 201)
    axes.plot(x, data.plane.value(x[:, None]), color=FAINT, lw=1.0)


def _xy(data: LevelSetsData, points: Array) -> Array:
    """Return what is drawn for coordinates: themselves, or points of the parabola."""
    if data.plane.kind != "line":
        return points
    return np.column_stack([points[:, 0], data.plane.value(points)])


def _draw_paths(axes: Axes, data: LevelSetsData, placer: Placer) -> None:
    for path, look in zip(data.paths, data.looks, strict=True):
        xy = _xy(data, path.points)
        fine = 0.6 if path.shown is not None else 1.0  # a path that was cut is a dense one
        axes.plot(xy[:, 0], xy[:, 1], color=look.color, ls=look.dash, lw=0.9 * fine, zorder=3)
        dots = xy[: _DOTS + 1]
        axes.plot(dots[:, 0], dots[:, 1], ls="", color=look.color, marker=look.marker,
                  ms=2.6 * fine, mew=0, zorder=3.5)  # fmt: skip
        placer.avoid_line(xy[:, 0], xy[:, 1], owner=path.label)


def _draw_marks(axes: Axes, data: LevelSetsData, placer: Placer) -> None:
    origin = _xy(data, np.zeros((1, len(data.start))))[0]
    start = _xy(data, data.start[None])[0]
    if data.plane.kind != "line" and data.centre != "none":
        _draw_axes_of_curvature(axes, data, placer)
    if data.centre == "valley":
        _draw_valley(axes, data, placer)
    if data.centre == "flat":
        pass
    elif data.centre in {"minimum", "valley"}:
        axes.plot(*origin, marker="*", ms=9, mfc=INK, mec="white", mew=0.5, zorder=5)
        placer.avoid_box(origin, 8, 8)
    elif data.centre != "none":
        axes.plot(*origin, marker="X", ms=7, mfc=INK, mec="white", mew=0.5, zorder=5)
        placer.avoid_box(origin, 7, 7)
        placer.place(data.centre, [tuple(origin)], gap=5)
    axes.plot(*start, marker="o", ms=6, mfc="white", mec=INK, mew=1.1, zorder=5)
    placer.avoid_box(start, 7, 7)
    placer.place("start", [tuple(start)], gap=4)


def _draw_axes_of_curvature(axes: Axes, data: LevelSetsData, placer: Placer) -> None:
    """Draw the two directions of curvature as arrows from the centre."""
    if not data.indices or data.eigenvalues[0] == data.eigenvalues[1]:
        return
    low = np.array([axes.get_xlim()[0], axes.get_ylim()[0]])
    high = np.array([axes.get_xlim()[1], axes.get_ylim()[1]])
    for k, number in enumerate(data.indices):
        direction = data.directions[:, k]
        if data.centre == "valley" and k == 0:
            continue
        reach = [_reach(low, high, sign * direction) for sign in (1, -1)]
        sign = 1 if reach[0] >= reach[1] else -1
        size = min(0.21 * float(np.min((high - low) / np.maximum(np.abs(direction), 1e-9))),
                   0.8 * max(reach))  # fmt: skip
        tip = sign * size * direction
        if float(np.max(np.abs(tip) / (high - low))) < 0.04:
            continue
        arrow: dict[str, Any] = {"arrowstyle": "-|>", "color": INK, "lw": 0.9, "shrinkA": 0,
                                 "shrinkB": 0, "mutation_scale": 7}  # fmt: skip
        axes.annotate("", tuple(tip), (0, 0), arrowprops=arrow, zorder=4)
        placer.avoid_line([0, tip[0]], [0, tip[1]], 2.0)
        placer.place(f"q{subscript(number)}", [tuple(tip)], gap=1.5, leader=False)


def _reach(low: Array, high: Array, direction: Array) -> float:
    """Return how far one can go from the origin before leaving the box."""
    edges = np.where(direction > 0, high, low)
    moving = np.abs(direction) > 1e-12
    return max(0.0, float(np.min(edges[moving] / direction[moving])))


def _draw_valley(axes: Axes, data: LevelSetsData, placer: Placer) -> None:
    """Draw the line of minima of a singular problem."""
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    reach = 2 * max(x1 - x0, y1 - y0)
    ends = np.outer([-reach, reach], data.directions[:, 0])
    axes.plot(ends[:, 0], ends[:, 1], color=INK, lw=0.9, ls=(0, (5, 2)), zorder=2.5)
    placer.avoid_line(ends[:, 0], ends[:, 1])
    along = np.linspace(-0.35, 0.35, 15)[:, None] * data.directions[:, 0] * min(x1 - x0, y1 - y0)
    placer.place("every point of this line is a minimum", along, gap=2)


def _name_paths(data: LevelSetsData, placer: Placer) -> None:
    """Write each optimizer's name where its path is alone, or its end when that can be seen."""
    left, right, bottom, top = data.limits
    for path, look in zip(data.paths, data.looks, strict=True):
        xy = _xy(data, path.points)
        middles = (xy[1:] + xy[:-1]) / 2
        spots = np.concatenate([xy[1:40], middles[:40]]) if len(xy) > 1 else xy
        inside = (spots[:, 0] > left) & (spots[:, 0] < right)
        inside &= (spots[:, 1] > bottom) & (spots[:, 1] < top)
        spots = spots[inside] if inside.any() else xy[:1]
        text = f"{look.glyph} {path.label}" + (" diverges" if path.manner == "diverges" else "")
        if path.shown is not None:
            text += f"\nfirst {count_text(path.shown)}"
        placer.place(text, spots, color=look.ink, gap=3, owner=path.label)
