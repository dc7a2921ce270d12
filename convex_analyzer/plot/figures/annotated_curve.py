"""The annotated training curve: what is wrong with a run, where that shows, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from convex_analyzer.plot.diagnosis_data import AnnotatedCurveData, annotated_curve_data
from convex_analyzer.plot.diagnosis_marks import Mark
from convex_analyzer.plot.diagnosis_parts import (
    AXIS_ROOM,
    BAD,
    CURVE,
    PROOF_HEIGHT,
    draw_chances,
    draw_proof,
    step_ticks,
    strip_height,
)
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import (
    FAINT,
    FLIPS,
    FULL,
    HATCH,
    INK,
    MUTED,
    SMALL,
    UNSTABLE,
    letters,
)
from convex_analyzer.plot.text import measure
from convex_analyzer.plot.ticks import Ticks, linear_ticks, log_ticks
from convex_analyzer.tables import format_count, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "AnnotatedCurveData",
    "alt",
    "annotated_curve",
    "annotated_curve_data",
    "caption",
    "finding",
    "series",
]

_PALE = "#86b9dc"
_MAIN, _GAP = 150.0, 13.0  # points: height of the curve, and what separates it from the rest
_BELOW, _AFTER = 100.0, 0.7  # how far below the curve, and after its end, the axes reach
_DECADES = 45  # what is higher than so many is drawn at the upper edge


# -- words ----------------------------------------------------------------------------------------


def finding(data: AnnotatedCurveData) -> str:
    """Return the verdict in a sentence."""
    return data.title


def alt(data: AnnotatedCurveData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    text = f"{finding(data)}."
    if len(data.values):
        first, last = (format_number(float(data.values[k]), 3) for k in (0, -1))
        text += f" The {data.monitored} goes from {first} to {last} in "
        text += f"{format_count(round(data.last))} steps."
    told = [mark.text for mark in data.marks if mark.text]
    if told:
        text += f" Marked: {'; '.join(told)}."
    chances = ", ".join(f"{name} {100 * share:.0f} %" for name, share in data.chances)
    return f"{text} Chances: {chances}." if chances else text


def caption(data: AnnotatedCurveData) -> str:
    """Return how to read the figure."""
    text = f"Above: the {data.monitored}"
    if len(data.trend):
        text += ", with medians of its parts as a dark line"
    if len(data.beside):
        text += ", mini-batch losses pale behind it"
    text += "; marked is what the verdict rests on." if data.marks else "."
    if len(data.values) and float(data.values.max()) > _limits(data)[1]:
        text += " What is larger is drawn at the upper edge."
    if data.proof is not None:
        text += {
            "cosines": " In the middle: cosine of consecutive gradients; −1 turns round, +1 keeps "
            "its way.",
            "curvature": " In the middle: what the step makes of the curvature that it meets.",
            "close-up": " In the middle: a few periods of the curve, where it is shaded above.",
        }[data.proof.kind]
    return f"{text} Bars: the chance of each row to be what is going on." if data.chances else text


def series(data: AnnotatedCurveData) -> Series:
    """Return what is drawn, as columns of numbers."""
    yield data.monitored, {"step": data.steps, "loss": data.values}
    if len(data.beside):
        yield "mini-batches", {"step": data.beside_steps, "loss": data.beside}
    if len(data.trend):
        yield "median", {"step": data.trend_steps, "loss": data.trend}
    if data.proof is not None:
        yield data.proof.label, {"step": data.proof.steps, "value": data.proof.values}
    for name, chance in data.chances:
        yield "chances", {"finding": name, "chance": chance}


# -- drawing --------------------------------------------------------------------------------------


def _below(data: AnnotatedCurveData) -> float:
    """Return the height (points) of what stands below the curve."""
    scale = letters().scale
    below = strip_height(data)
    if data.proof is not None:
        room = AXIS_ROOM if data.proof.kind == "close-up" else 1.0
        below += scale * (PROOF_HEIGHT + _GAP + room)
    return below


def _tall(data: AnnotatedCurveData, width: float) -> float:
    """Return the height of the figure, in inches."""
    del width
    scale = letters().scale
    return (scale * (_MAIN + AXIS_ROOM + 2.6 * SMALL * 1.25 + 6) + _below(data)) / 72


@figure(
    of="a diagnosis of a log",
    answers="what is wrong with a run, and where does it show?",
    data=annotated_curve_data,
    width=FULL,
    height=_tall,
)
def annotated_curve(panel: Panel, data: AnnotatedCurveData) -> None:
    """Draw a training curve with the marks of its diagnosis, what decides it, and chances."""
    _dress(panel, data, _below(data) if panel.owned else 0.0)
    _draw(panel.axes, data)
    if panel.owned:
        if data.proof is not None:
            draw_proof(panel, data, data.proof)
        draw_chances(panel, data)


def _limits(data: AnnotatedCurveData) -> tuple[float, float]:
    """Return the ends of the vertical axis."""
    levels = [mark.low for mark in data.marks if mark.kind == "level"]
    if data.log and len(data.values):  # what is far below is drawn at the lower edge
        positive = data.values[data.values > 0]
        levels = [max(level, float(positive.min()) / _BELOW) for level in levels]
    shown = np.concatenate([data.values, levels])
    if not len(shown):
        return 0.0, 1.0
    if not data.log:
        low, high = float(shown.min()), float(shown.max())
        room = 0.06 * (high - low) or 0.1 * max(abs(high), 1.0)
        return low - room, high + room
    positive = shown[shown > 0]
    if len(data.beside):
        positive = np.append(positive, np.quantile(data.beside, [0.02, 0.98]))
        positive = positive[positive > 0]
    low = float(positive.min())
    high = min(float(positive.max()), low * 10.0**_DECADES)
    room = max((high / low) ** 0.07, 1.02)
    return low / room, high * room


def _dress(panel: Panel, data: AnnotatedCurveData, below: float) -> None:
    axes = panel.axes
    low, high = _limits(data)
    if data.log:
        axes.set_yscale("log")
    first = float(data.steps[0]) if len(data.steps) else 0.0
    last, beyond = data.last, 0.012
    for mark in data.marks:
        if mark.kind == "lost":
            last, beyond = min(last, mark.begin + _AFTER * (mark.begin - first)), 0.04
    span = max(last - first, 1.0)
    left, right = first - 0.004 * span, last + beyond * span
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    narrow = panel.owned and panel.figure.get_figwidth() < 4
    xticks = step_ticks(linear_ticks(left, right, 5 if narrow else 8))
    yticks = log_ticks(low, high, 5) if data.log else linear_ticks(low, high, 5)
    edge = measure(xticks.labels[-1])[0] / 2 if xticks.labels else 0.0
    shared = panel.owned and data.proof is not None and data.proof.kind != "close-up"
    if shared:
        xticks = Ticks(xticks.positions, tuple("" for _ in xticks.labels))
    panel.dress(
        finding(data), "" if shared else "step", _axis_name(data), xticks, yticks,
        right=edge, below=below + (15.0 * letters().scale if shared else 0.0),
    )  # fmt: skip


def _axis_name(data: AnnotatedCurveData) -> str:
    return data.monitored if data.monitored.startswith("val") else "loss"


def _draw(axes: Axes, data: AnnotatedCurveData) -> None:
    low, high = axes.get_ylim()
    placer = Placer(axes)

    def inside(values: Any) -> Any:
        return np.clip(values, low, high)

    shaky = bool(len(data.trend))
    if len(data.beside):
        axes.plot(data.beside_steps, inside(data.beside), color=FAINT, lw=0.4, zorder=1.5)
    raw = _PALE if shaky else CURVE
    few = len(data.steps) <= 30
    axes.plot(data.steps, inside(data.values), color=raw, lw=0.6 if shaky else 1.2, zorder=3,
              marker="o" if few else "", ms=2.6)  # fmt: skip
    placer.avoid_line(data.steps, inside(data.values), owner="loss")
    if shaky:
        axes.plot(data.trend_steps, inside(data.trend), color=INK, lw=1.3, zorder=4)
        placer.avoid_line(data.trend_steps, inside(data.trend), 2.0, owner="trend")
    if data.proof is not None and data.proof.kind == "close-up":
        ends = float(data.proof.steps[0]), float(data.proof.steps[-1])
        axes.axvspan(*ends, facecolor=FLIPS, lw=0, zorder=0)
    for mark in data.marks:
        _draw_mark(axes, mark)
        _avoid(placer, axes, mark)
    for mark in data.marks:
        _name_mark(placer, axes, mark)
    _name_curve(placer, data, inside)


def _draw_mark(axes: Axes, mark: Mark) -> None:
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    match mark.kind:
        case "lost":
            axes.axvspan(mark.begin, right, facecolor=UNSTABLE, edgecolor=HATCH, hatch="////",
                         lw=0, zorder=0)  # fmt: skip
            axes.axvline(mark.begin, color=BAD, lw=1.0, zorder=2.5)
        case "event":
            axes.axvline(mark.begin, color=BAD, lw=1.0, ls=(0, (4, 1.5)), zorder=2.5)
        case "drop":
            axes.axvline(mark.begin, color=INK, lw=0.9, ls=(0, (1, 1.2)), zorder=3.5)
        case "stretch":
            axes.axvspan(mark.begin, mark.end, facecolor=FLIPS, lw=0, zorder=0)
        case "band":
            sides = np.clip([mark.low, mark.high], low, high)
            axes.fill_between([mark.begin, mark.end], *sides, facecolor=FLIPS, edgecolor=MUTED,
                              lw=0.6, ls=(0, (2, 1.5)), zorder=0.5)  # fmt: skip
        case "level":
            axes.axhline(max(mark.low, low), color=MUTED, lw=0.8, ls=(0, (5, 2)), zorder=2)
        case "end":
            axes.plot(mark.begin, np.clip(mark.low, low, high), marker="o", ms=4.5, mfc="white",
                      mec=INK, mew=1.0, zorder=6, clip_on=False)  # fmt: skip
        case "spikes":
            x, y = np.array(mark.points).T
            axes.plot(x, np.clip(y, low, high), ls="", marker="o", ms=7, mfc="none", mec=BAD,
                      mew=0.9, zorder=6, clip_on=False)  # fmt: skip


def _avoid(placer: Placer, axes: Axes, mark: Mark) -> None:
    if mark.kind in {"lost", "event", "drop"}:
        placer.avoid_line([mark.begin] * 2, axes.get_ylim(), 1.0)
    elif mark.kind == "level":
        placer.avoid_line(axes.get_xlim(), [mark.low] * 2, 1.0)
    elif mark.kind == "spikes":
        x, y = np.array(mark.points).T
        placer.avoid_markers(x, y, 8.0)


def _name_mark(placer: Placer, axes: Axes, mark: Mark) -> None:
    """Write what a mark means beside it."""
    left, right = axes.get_xlim()
    along = _spread(axes, 9)
    color = BAD if mark.kind in {"lost", "event", "spikes"} else INK
    match mark.kind:
        case "lost" | "event" | "drop":
            places = [(mark.begin, y) for y in along]
        case "stretch":
            places = [((mark.begin + mark.end) / 2, y) for y in along]
        case "band":
            places = [(x, mark.high) for x in np.linspace(mark.begin, mark.end, 5)]
        case "level":
            level = max(mark.low, axes.get_ylim()[0])
            places = [(x, level) for x in np.linspace(left, right, 11)[1:-1]]
        case "end":
            places = [(mark.begin, mark.low)]
        case _:
            places = list(mark.points)
    if mark.text:
        placer.place(mark.text, places, color=color, gap=3, near=14)


def _spread(axes: Axes, count: int) -> list[float]:
    """Return heights at equal distances on the screen, from top to bottom."""
    shares = np.linspace(0.92, 0.12, count)
    points = axes.transAxes.transform(np.column_stack([np.zeros(count), shares]))
    return [float(y) for y in axes.transData.inverted().transform(points)[:, 1]]


def _name_curve(placer: Placer, data: AnnotatedCurveData, inside: Any) -> None:
    if not len(data.steps):
        return
    if len(data.beside):
        far = np.column_stack([data.beside_steps, inside(data.beside)])
        far = far[:: max(1, len(far) // 200)]
        top, bottom = (np.quantile(far[:, 1], share) for share in (0.97, 0.03))
        far = far[(far[:, 1] >= top) | (far[:, 1] <= bottom)][:20]
        placer.place("mini-batches", far, color=MUTED, gap=2)
    places = np.column_stack([data.steps, inside(data.values)])
    places = places[:: max(1, len(places) // 40)]
    placer.place(data.monitored, places, color=CURVE, gap=3, owner="loss")
    if len(data.trend):
        trend = np.column_stack([data.trend_steps, inside(data.trend)])
        placer.place("median", trend, gap=3, owner="trend")
