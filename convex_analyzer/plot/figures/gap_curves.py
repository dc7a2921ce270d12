"""Figure 3: the gap after k steps, from theory (lines) and from the run (markers)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.curve_data import Curve, GapCurvesData, decimate, gap_curves_data
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import HALF, INK, MUTED, letters
from convex_analyzer.plot.text import measure
from convex_analyzer.plot.ticks import linear_ticks, log_ticks
from convex_analyzer.plot.wording import count_text
from convex_analyzer.tables import format_count, format_number, join_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GapCurvesData", "alt", "caption", "finding", "gap_curves", "gap_curves_data", "series"]

Array = npt.NDArray[np.float64]

DIRECT = 6  # up to this many curves are named where they are; more get a key below
_LIMIT = "Krylov limit"
_HANDLE, _ROW = 27.0, 8.7  # points: the sample of a curve in the key, and one row of it


# -- words ----------------------------------------------------------------------------------------


def finding(data: GapCurvesData) -> str:
    """Return who wins, by how much, and whether the runs agree, in a sentence."""
    if not data.confirmed:
        return "A run contradicts its theory"
    arriving = sorted(
        (c for c in data.curves if c.reached is not None), key=lambda c: c.reached or 0
    )
    goal = f"×{format_number(data.tolerance)}"
    if data.is_empty:
        flat = any(curve.outcome == "flat" for curve in data.curves)
        return "J is flat: there is no gap to close" if flat else "The start is the minimum already"
    if data.quantity == "descent":
        return "J falls without end: there is no gap to close"
    if not arriving:
        growing = [c.label for c in data.curves if c.outcome == "unstable"]
        if data.quantity == "size of the gap":
            return f"{_who(data)} the critical point: the distance in J grows without end"
        if growing:
            return f"{join_words(growing)} {'diverges' if len(growing) == 1 else 'diverge'}"
        return _nobody(data, goal)
    return _winner(data, arriving, goal)


def _winner(data: GapCurvesData, arriving: list[Curve], goal: str) -> str:
    """Say who is there first, and who last or never."""
    first, last = arriving[0], arriving[-1]
    if data.noisy:
        count = count_text(first.reached)
        return f"Noise stops the runs; without it {first.label} reaches {goal} in {count}"
    start = f"{first.label} reaches {goal} of the gap in {count_text(first.reached)}"
    lost = [c.label for c in data.curves if c.outcome == "unstable"]
    if lost:
        return f"{start}; {join_words(lost)} {'diverges' if len(lost) == 1 else 'diverge'}"
    if first is last:
        return start
    if first.reached == last.reached:
        return f"All reach {goal} of the gap in {count_text(first.reached)}"
    return f"{start}, {last.label} in {format_count(last.reached)}"


def _nobody(data: GapCurvesData, goal: str) -> str:
    """Say why no run arrives."""
    elsewhere = [curve.label for curve in data.curves if curve.outcome == "stable"]
    if elsewhere:
        verb = "settles" if len(elsewhere) == 1 else "settle"
        return f"{join_words(elsewhere)} {verb}, but not at the minimum"
    if all(curve.kind == "simulated" for curve in data.curves):
        last = max(curve.simulated for curve in data.curves)
        return f"No run reaches {goal} of the gap within {count_text(last)}"
    return f"No run reaches {goal}: the error does not decay"


def _who(data: GapCurvesData) -> str:
    return "Every run leaves" if len(data.curves) > 1 else f"{data.curves[0].label} leaves"


def _agreement(data: GapCurvesData) -> str:
    if data.deviation is None:
        return ""
    size = format_number(data.deviation, 1)
    return f"largest |run − theory|: {size}"


def _count(data: GapCurvesData, curve: Curve) -> str:
    if curve.reached is not None:
        return count_text(curve.reached)
    return "not known (its run has noise)" if data.noisy and curve.kind == "simulated" else "never"


def alt(data: GapCurvesData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    counts = "; ".join(f"{curve.label}: {_count(data, curve)}" for curve in data.curves)
    agree, where = _agreement(data), " without noise" if data.noisy else ""
    return f"{finding(data)}. Steps needed{where}: {counts}.{f' The {agree}.' if agree else ''}"


def caption(data: GapCurvesData) -> str:
    """Return how to read the figure."""
    kinds = {curve.kind for curve in data.curves}
    lines = "Lines: theory" if kinds != {"bound"} else "Lines: worst case over the spectrum"
    run = "the run, with noise" if data.noisy else "the run"
    parts = [f"{lines}; hollow markers: {run}"] if kinds != {"simulated"} else ["Simulated only"]
    if "simulated" in kinds and len(kinds) > 1:
        parts.append("a thin line joins the points of a run that has no theory")
    if any(not curve.complete for curve in data.curves):
        parts.append("a line without markers was not simulated: too many steps")
    if data.limit is not None:
        parts.append("grey: no method that adds up past gradients goes below")
    if len(data.curves) > DIRECT:
        parts.append("numbers: steps to the goal")
    if data.deviation is not None:
        parts.append("the deviation of θ is relative to the largest θ so far")
    text = "; ".join(parts)
    if all(curve.reached is None for curve in data.curves):
        return f"{text}. A straight line changes by the same factor in every step."
    return f"{text}. Straight lines are geometric decay; the tick marks where a run meets the goal."


def left_out(data: GapCurvesData) -> str:
    """Return what a figure for a paper leaves to its caption."""
    agree = _agreement(data)
    return f" The {agree}." if agree else ""


def series(data: GapCurvesData) -> Series:
    """Return what is drawn, as columns of numbers."""
    names = {"gap": "relative_gap", "size of the gap": "relative_gap_size"}
    name = names.get(data.quantity, "descent")
    for curve in data.curves:
        kind = "bound" if curve.kind == "bound" else "theory"
        if curve.steps.size:
            yield f"{curve.label}, {kind}", {"step": curve.steps, name: curve.gap}
        steps, gap = decimate(curve.run_steps, curve.run_gap, float(curve.run_steps[-1]))
        yield f"{curve.label}, run", {"step": steps, name: gap}
    if data.limit is not None:
        yield _LIMIT, {"step": data.limit[0], name: data.limit[1]}


# -- drawing --------------------------------------------------------------------------------------


def _columns(data: GapCurvesData, width: float) -> int:
    """Return how many columns the key has room for."""
    widest = max(measure(_text(data, curve))[0] for curve in data.curves)
    return max(1, min(3, int((width * 72 - 6) / (widest + _HANDLE * letters().scale))))


def _key_height(data: GapCurvesData, width: float) -> float:
    """Return the height (inches) of the key below the axes; 0 when curves are named directly."""
    if len(data.curves) <= DIRECT or data.is_empty:
        return 0.0
    rows = math.ceil(len(data.curves) / _columns(data, width))
    return rows * _ROW * letters().scale / 72 + 0.1


@figure(
    number=3,
    of="a comparison",
    answers="who is fastest, and does the run match the theory?",
    data=gap_curves_data,
    width=HALF,
    below=_key_height,
)
def gap_curves(panel: Panel, data: GapCurvesData) -> None:
    """Draw the gap after k steps, from theory (lines) and from the run (markers)."""
    _dress(panel, data, 72 * _key_height(data, panel.width) if panel.owned else 0.0)
    placer = Placer(panel.axes)
    _draw(panel.axes, data, placer)
    _name(panel, data, placer)


def _dress(panel: Panel, data: GapCurvesData, below: float) -> None:
    axes = panel.axes
    axes.set_yscale("log")
    axes.set_ylim(data.low, data.high)
    first = 1.0 if data.log_steps else 0.0
    last = data.last * 1.3 if data.log_steps else data.last * 1.02
    if data.log_steps:
        axes.set_xscale("log")
    axes.set_xlim(first, last)
    xticks = log_ticks(first, last, 6) if data.log_steps else linear_ticks(first, last, 6)
    names = {
        "gap": "(J − J*) / first gap",
        "size of the gap": "|J − J(critical point)| / first",
        "descent": "J at the start − J",
    }
    agree = "" if panel.paper else _agreement(data)
    xlabel = f"steps k\n{agree}" if agree else "steps k"
    yticks = log_ticks(data.low, data.high, 6)
    panel.dress(finding(data), xlabel, names[data.quantity], xticks, yticks, below=below)


def _draw(axes: Axes, data: GapCurvesData, placer: Placer) -> None:
    if data.low < data.tolerance < data.high and data.quantity != "descent":
        axes.axhline(data.tolerance, color=MUTED, lw=0.7, ls=(0, (1, 2)), zorder=1)
        placer.avoid_line(axes.get_xlim(), [data.tolerance] * 2)
    floor = data.low * 0.3  # a gap of zero is drawn just below the picture
    if data.limit is not None:
        x, y = _seen(data.limit[0], data.limit[1], floor)
        axes.plot(x, y, color=MUTED, lw=0.9, zorder=2)
        placer.avoid_line(x, y, owner=_LIMIT)
    for curve in data.curves:
        look = curve.look
        x, y = _seen(curve.steps, curve.gap, floor)
        axes.plot(x, y, color=look.color, ls=look.dash, lw=1.2, zorder=3)
        placer.avoid_line(x, y, owner=curve.label)
        if curve.kind == "simulated":
            x, y = decimate(curve.run_steps, curve.run_gap, float(curve.run_steps[-1]))
            x, y = _seen(x, y, floor)
            axes.plot(x, y, color=look.color, ls=look.dash, lw=0.7, zorder=3)
            placer.avoid_line(x, y, owner=curve.label)
        x, y = _seen(curve.run_steps[curve.markers], curve.run_gap[curve.markers], floor)
        axes.plot(x, y, ls="", marker=look.marker, ms=3.8, mfc="white", mec=look.color, mew=0.9,
                  zorder=4)  # fmt: skip
        placer.avoid_markers(x, y, 4.5)
        if curve.reached is not None and not data.is_empty:
            axes.plot([curve.reached], [data.tolerance], ls="", marker="|", ms=9, mew=1.4,
                      color=look.color, zorder=5)  # fmt: skip
            placer.avoid_markers([curve.reached], [data.tolerance], 8)


def _seen(x: Array, y: Array, floor: float) -> tuple[Array, Array]:
    seen = np.isfinite(y)
    return np.asarray(x)[seen], np.maximum(np.asarray(y)[seen], floor)


def _name(panel: Panel, data: GapCurvesData, placer: Placer) -> None:
    """Name every curve where it is alone, with its step count; then the goal."""
    axes = panel.axes
    if data.is_empty:
        middle = float(np.mean(axes.get_xlim())), math.sqrt(data.low * data.high)
        placer.place("the gap is zero from the start", [middle], gap=0)
        return
    if len(data.curves) > DIRECT:
        _key(panel, data)
    else:
        for curve in data.curves:
            spots = _spots(axes, data, curve)
            text = f"{curve.look.glyph} {_text(data, curve)}"
            placer.place(text, spots, color=curve.look.ink, gap=3.5,
                         owner=curve.label)  # fmt: skip
    if data.limit is not None:
        x, y = data.limit
        seen = (y >= data.low) & (x >= axes.get_xlim()[0])
        if seen.any():
            placer.place(_LIMIT, np.column_stack([x, y])[seen], color=MUTED, gap=3, owner=_LIMIT)
    if data.low < data.tolerance < data.high and data.quantity != "descent":
        left, right = axes.get_xlim()
        shares = np.linspace(0.02, 0.98, 25)
        x = left * (right / left) ** shares if data.log_steps else left + shares * (right - left)
        spots = np.column_stack([x, np.full(len(x), data.tolerance)])
        placer.place(f"goal ×{format_number(data.tolerance)}", spots, color=MUTED, gap=1.5,
                     leader=False)  # fmt: skip


def _text(data: GapCurvesData, curve: Curve) -> str:
    if curve.reached is not None:
        most = "≤ " if curve.kind == "bound" else ""
        short = len(data.curves) > DIRECT
        count = format_count(curve.reached) if short else count_text(curve.reached)
        return f"{curve.label}: {most}{count}"
    grows = "escapes" if data.quantity == "size of the gap" else "diverges"
    words = {
        "unstable": grows,
        "drifting": "falls",
        "marginal": "never arrives",
        "stable": "settles elsewhere",
    }
    return f"{curve.label} {words.get(curve.outcome, '')}".rstrip()


def _spots(axes: Axes, data: GapCurvesData, curve: Curve) -> Array:
    """Return places along a curve, evenly spread over the part that can be seen."""
    x, y = (curve.steps, curve.gap) if curve.steps.size else (curve.run_steps, curve.run_gap)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    seen = (x >= left) & (x <= right) & (y >= low) & (y <= high)
    if not seen.any():
        return np.array([[right if data.log_steps else (left + right) / 2, low]])
    last = int(np.flatnonzero(seen)[-1]) + 2  # follow the line out of the picture
    x, y = x[:last], y[:last]
    known = np.isfinite(y)
    x, y = x[known], np.maximum(y[known], data.low * 0.3)
    place = np.log(np.maximum(x, left)) if data.log_steps else x
    goals = np.linspace(place[0], min(place[-1], math.log(right) if data.log_steps else right), 60)
    heights = np.exp(np.interp(goals, place, np.log(y)))
    kept = (heights >= low) & (heights <= high)
    across = np.exp(goals) if data.log_steps else goals
    return np.asarray(np.column_stack([across, heights])[kept])


def _key(panel: Panel, data: GapCurvesData) -> None:
    """Write a key below the axes."""
    from matplotlib.lines import Line2D

    figure, axes = panel.figure, panel.axes
    handles = [
        Line2D([], [], color=c.look.color, ls=c.look.dash, marker=c.look.marker, ms=3.8, lw=1.2,
               mfc="white", mew=0.9, label=_text(data, c))
        for c in data.curves
    ]  # fmt: skip
    style: dict[str, Any] = {
        "frameon": False, "fontsize": letters().small, "labelcolor": INK, "borderaxespad": 0.0,
        "handlelength": 2.5, "columnspacing": 0.7, "labelspacing": 0.2, "borderpad": 0.2,
        "handletextpad": 0.5,
    }  # fmt: skip
    columns = _columns(data, float(figure.get_figwidth()))
    if panel.owned:
        figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 0.005),
                      ncols=columns, **style)  # fmt: skip
    else:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, -0.25), ncols=1, **style)
