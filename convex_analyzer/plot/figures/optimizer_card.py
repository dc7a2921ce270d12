"""The picture of one optimizer: its way on the toy and on a turned ravine, its gap, its memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.card_data import TOLERANCE, CardData, Scene, optimizer_card_data
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FAINT, FULL, INK, MUTED, letters
from convex_analyzer.plot.text import measure, shortened
from convex_analyzer.plot.ticks import Ticks, linear_ticks, log_ticks, set_ticks
from convex_analyzer.plot.wording import count_text
from convex_analyzer.tables import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "CardData",
    "alt",
    "caption",
    "finding",
    "optimizer_card",
    "optimizer_card_data",
    "series",
]

Array = npt.NDArray[np.float64]

_BOTTOM, _TOP, _INSIDE = 0.33, 0.19, 0.92  # inches: room below and above the axes, and they
_SHARES: tuple[float, ...] = (1.39, 1.39, 1.22, 1.42)  # of the width, for each of the axes
_WIDEST: tuple[str, ...] = ("−2.5", "−2.5", "1e−6", "−1")  # marks that need room beside them
_WIDE = 5.0  # inches from which on all four stand in a row
_MARK = 8.0  # points between an axis and what stands left of its marks
_DOTS = 60  # steps of each path that get a marker
_MARKERS = 12  # on a gap curve
_RAVINE = "#3a3a3a"  # the second run; the first has the colour of the optimizer
_SLOTS = (INK, "#a3243b", "#00738a")  # colours of the slots of a memory
_DASHES = ("-", (0, (1.2, 1.2)))  # of the first and the second coordinate
_FINEST = 0.008  # of the picture: shorter steps are not drawn

# -- words ----------------------------------------------------------------------------------------


def finding(data: CardData) -> str:
    """Return how many steps it takes, in a sentence."""
    toy, ravine = data.scenes
    if toy.settled is not None and ravine.settled is not None:
        ways = f"{count_text(toy.settled)} on the toy, {ravine.settled} on the ravine"
        return f"{data.name} needs {ways}"
    if toy.settled is None and ravine.settled is None:
        return f"{data.name} does not settle below {format_number(TOLERANCE)} of its first gap"
    arrives, other = (toy, ravine) if ravine.settled is None else (ravine, toy)
    return (
        f"{data.name} needs {count_text(arrives.settled)} on the {arrives.name}, and does not "
        f"arrive on the {other.name}"
    )


def alt(data: CardData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    ways = "; ".join(
        f"on the {scene.name} it {scene.manner}, {_end(scene)}" for scene in data.scenes
    )
    return f"{finding(data)}. Paths over level sets, gap and memory: {ways}."


def caption(data: CardData) -> str:
    """Return the settings and the counts of the two runs."""
    return "; ".join(f"{scene.name}: {_setting(scene)}{_end(scene)}" for scene in data.scenes) + "."


def _setting(scene: Scene) -> str:
    return "" if scene.rate is None else f"α = {format_number(scene.rate, 3)}, "


def _end(scene: Scene) -> str:
    """Say where a run ends."""
    if scene.settled is not None:
        return f"gap ×{format_number(TOLERANCE)} after {count_text(scene.settled)}"
    late = float(np.median(scene.gap[-(len(scene.gap) // 3 + 1) :]))
    return f"gap ×{format_number(late, 2)} after {len(scene.gap) - 1} steps"


def series(data: CardData) -> Series:
    """Return what is drawn, as columns of numbers."""
    for scene in data.scenes:
        yield scene.name, {
            "step": np.arange(len(scene.gap)), "theta_1": scene.points[:, 0],
            "theta_2": scene.points[:, 1], "relative_gap": scene.gap,
        }  # fmt: skip
        if scene.predicted.size:
            steps = np.arange(len(scene.predicted))
            yield f"{scene.name}, theory", {"step": steps, "relative_gap": scene.predicted}
    for trace in data.traces:
        for column in trace.values.T:
            scaled = {"step": np.arange(len(column)), "memory": column * trace.size}
            yield f"memory {trace.slot}", scaled


# -- drawing --------------------------------------------------------------------------------------


def _per_row(width: float) -> int:
    """Return how many axes stand side by side."""
    return 4 if width >= _WIDE * letters().scale else 2


def _tall(data: CardData, width: float) -> float:
    """Return the height of the figure, in inches."""
    del data
    columns = _per_row(width)
    row = (_BOTTOM + _TOP) * letters().scale + 4 * _INSIDE * width / FULL / columns
    return 4 // columns * row


def _boxes(panel: Panel) -> list[tuple[float, float, float, float]]:
    """Return where the four axes are, as shares of the figure: marks get the room they need."""
    width, columns = 72 * panel.width, _per_row(panel.width)
    box = panel.axes.get_window_extent()
    height = panel.figure.get_figheight() if panel.owned else box.height / panel.figure.dpi
    high = columns / 4
    bottom, top = (part * letters().scale / float(height) for part in (_BOTTOM, _TOP))
    boxes = []
    for row in range(4 // columns):
        part = slice(row * columns, (row + 1) * columns)
        beside = [measure(mark)[0] + _MARK for mark in _WIDEST[part]]
        free, x = width - sum(beside) - 6, 0.0
        for room, share in zip(beside, _SHARES[part], strict=True):
            wide = free * share / sum(_SHARES[part])
            y = 1 - (row + 1) * high + bottom
            boxes.append(((x + room) / width, y, wide / width, high - bottom - top))
            x += room + wide
    return boxes


@figure(
    of="a class of optimizers",
    answers="how does it move, how fast, and what does it remember?",
    data=optimizer_card_data,
    width=FULL,
    height=_tall,
)
def optimizer_card(panel: Panel, data: CardData) -> None:
    """Draw the way of an optimizer on the toy and on a turned ravine, its gap, its memory."""
    left, middle, gaps, memory = panel.split(_boxes(panel))
    _draw_scene(left, data, data.scenes[0])
    _draw_scene(middle, data, data.scenes[1])
    _draw_gaps(gaps, data)
    _draw_memory(memory, data)


def _title(axes: Axes, text: str) -> None:
    room = 72 * float(axes.get_window_extent().width) / float(axes.figure.dpi) + 2 * _MARK
    text = shortened(text, room, 1.043 * letters().small, "bold")
    axes.set_title(text, loc="left", fontsize=1.043 * letters().small, fontweight="bold", pad=3.5)


def _draw_scene(axes: Axes, data: CardData, scene: Scene) -> None:
    """Draw level sets, the path over them, its start and the minimum."""
    from matplotlib.patches import Ellipse

    limits = _limits(axes, scene.points)
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    set_ticks(axes, "x", linear_ticks(*limits[0], 4))
    set_ticks(axes, "y", linear_ticks(*limits[1], 5))
    angle = math.degrees(math.atan2(scene.directions[1, 0], scene.directions[0, 0]))
    first = float(scene.eigenvalues @ (scene.directions.T @ scene.points[0]) ** 2) / 2
    for power in range(-7, 5):
        axes_of = 2 * np.sqrt(2 * first * 10 ** (power / 2) / scene.eigenvalues)
        axes.add_patch(Ellipse((0, 0), *axes_of, angle=angle, fill=False, ec=FAINT, lw=0.45))
    shown = _thinned(scene.points, max(np.ptp(limits, axis=1)))
    axes.plot(shown[:, 0], shown[:, 1], color=data.look.color, lw=0.8, zorder=3)
    dots = _thinned(scene.points[: _DOTS + 1], max(np.ptp(limits, axis=1)))
    axes.plot(dots[:, 0], dots[:, 1], ls="", color=data.look.color, marker=data.look.marker, ms=2.3,
              mew=0, zorder=3.5)  # fmt: skip
    axes.plot(0, 0, marker="*", ms=6.5, mfc=INK, mec="white", mew=0.4, zorder=5)
    axes.plot(*scene.points[0], marker="o", ms=4.6, mfc="white", mec=INK, mew=0.9, zorder=5)
    _title(axes, scene.name if scene.rate is None else f"{scene.name}, {_setting(scene)[:-2]}")


def _limits(axes: Axes, points: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return limits with one scale on both axes that hold the path and the minimum."""
    known = points[np.all(np.isfinite(points), axis=1)]
    all_points = np.concatenate([known, np.zeros((1, 2))])
    low, high = all_points.min(axis=0), all_points.max(axis=0)
    box = axes.get_window_extent()
    ratio = float(box.height / box.width)
    wide = 1.16 * max(high[0] - low[0], (high[1] - low[1]) / ratio, 1e-6)
    x, y = (low + high) / 2
    return (x - wide / 2, x + wide / 2), (y - wide * ratio / 2, y + wide * ratio / 2)


def _thinned(points: Array, size: float) -> Array:
    """Leave out steps too short to be seen."""
    kept = [0]
    for i in range(1, len(points)):
        if np.max(np.abs(points[i] - points[kept[-1]])) > _FINEST * size:
            kept.append(i)
    return points[kept]


def _draw_gaps(axes: Axes, data: CardData) -> None:
    """Draw the gap of both runs; formulas as lines under the markers of the runs."""
    last = max(len(scene.gap) for scene in data.scenes) - 1
    values = np.concatenate([scene.gap for scene in data.scenes])
    seen = values[np.isfinite(values) & (values > 0)]
    low = max(TOLERANCE / 10, float(seen.min(initial=1.0)) / 3)
    high = max(2.0, float(seen.max(initial=1.0)) * 2)
    axes.set_yscale("log")
    axes.set_xlim(-0.02 * last, 1.02 * last)
    axes.set_ylim(low, high)
    set_ticks(axes, "x", linear_ticks(0, last, 4))
    set_ticks(axes, "y", log_ticks(low, high, 5))
    axes.set_xlabel("step", fontsize=letters().small, labelpad=1.0)
    placer = Placer(axes)
    if low < TOLERANCE:
        axes.axhline(TOLERANCE, color=MUTED, lw=0.5, ls=(0, (1.5, 2)))
    for scene, color, dash, marker in zip(
        data.scenes, (data.look.color, _RAVINE), ("-", (0, (3.5, 1.3))), ("o", "s"), strict=True
    ):
        gap = np.maximum(np.where(np.isfinite(scene.gap), scene.gap, np.nan), low * 0.3)
        steps = np.arange(len(gap))
        line = np.maximum(scene.predicted, low * 0.3) if scene.predicted.size else gap
        axes.plot(steps, line, color=color, ls=dash, lw=1.0)
        if scene.predicted.size:
            some = np.unique(np.linspace(0, len(gap) - 1, _MARKERS).round().astype(int))
            axes.plot(some, gap[some], ls="", marker=marker, ms=2.8, mfc="white", mec=color,
                      mew=0.7)  # fmt: skip
        placer.avoid_line(steps, gap, owner=scene.name)
    for scene, ink in zip(data.scenes, (data.look.ink, _RAVINE), strict=True):
        anchors = np.column_stack([np.arange(len(scene.gap)), scene.gap])
        placer.place(scene.name, anchors, color=ink, gap=2.5, owner=scene.name)
    _title(axes, "gap / first gap")


def _draw_memory(axes: Axes, data: CardData) -> None:
    """Draw what is remembered on the toy, each slot divided by its largest size."""
    last = len(data.scenes[0].gap) - 1
    low = min(float(np.nanmin(trace.values)) for trace in data.traces)
    bottom = -1.12 if low < -0.05 else -0.06
    axes.set_xlim(-0.02 * last, 1.02 * last)
    axes.set_ylim(bottom, 1.12)
    axes.axhline(0, color=FAINT, lw=0.5, zorder=1)
    set_ticks(axes, "x", linear_ticks(0, last, 4))
    heights = (-1.0, 0.0, 1.0) if bottom < -1 else (0.0, 1.0)
    set_ticks(axes, "y", Ticks(heights, tuple(format_number(height) for height in heights)))
    axes.set_xlabel("step", fontsize=letters().small, labelpad=1.0)
    placer = Placer(axes)
    colors = _SLOTS if data.has_memory else (data.look.color,)
    for trace, color in zip(data.traces, colors, strict=False):
        for column, dash in zip(trace.values.T, _DASHES, strict=False):
            axes.plot(column, color=color, ls=dash, lw=0.9)
            placer.avoid_line(np.arange(len(column)), column, owner=trace.slot)
    for trace, color in zip(data.traces, colors, strict=False):
        steps = np.arange(len(trace.values))
        anchors = np.concatenate([np.column_stack([steps, c]) for c in trace.values.T])
        text = f"{trace.slot} ÷ {format_number(trace.size, 3)}"
        placer.place(text, anchors[:: max(1, len(anchors) // 200)], color=color, gap=2.5,
                     owner=trace.slot)  # fmt: skip
    more = f", {data.hidden} more" if data.hidden else ""
    _title(axes, f"memory, toy{more}" if data.has_memory else "θ, toy: no memory")
