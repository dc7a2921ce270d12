"""Worst case, average and this instance of one optimizer, with the limit of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import HALF, INK, MUTED
from convex_analyzer.plot.ticks import log_ticks
from convex_analyzer.plot.wording import count_text
from convex_analyzer.tables import format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.views import View, Views, worst_average_instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "ViewCurvesData",
    "alt",
    "caption",
    "finding",
    "series",
    "view_curves",
    "view_curves_data",
]

Array = npt.NDArray[np.float64]

_POINTS = 240
_FARTHEST = 10_000_000  # steps that are drawn for a method that never arrives
_LOOKS = {
    "worst case": ("#9c3f00", "-", "s"),
    "average": ("#0064a4", (0, (5, 2)), "o"),
    "this instance": (INK, (0, (1, 1.2)), "^"),
}
_LIMIT_OF = {
    "worst-case limit": "worst case",
    "limit on average": "average",
    "limit here": "this instance",
}


@dataclass(frozen=True, eq=False)
class ViewCurvesData:
    """What the figure shows.

    Attributes
    ----------
    method
        The optimizer.
    steps
        k ≥ 1, (K,).
    views
        Curves and limits, as in `Views.views`.
    tolerance
        Goal, relative to the first gap.
    low, high
        Ends of the vertical axis.
    """

    figure: ClassVar[str] = "view_curves"

    method: str
    steps: Array
    views: tuple[View, ...]
    tolerance: float
    low: float
    high: float


def view_curves_data(result: Analysis | Views) -> ViewCurvesData:
    """Return what the figure shows, without drawing.

    Parameters
    ----------
    result
        What `Analysis.views` returned; or an analysis, for its worst case and its average.
    """
    views = result if isinstance(result, Views) else _followed(result)
    shown = views.steps >= 1
    kept = tuple(
        View(v.name, v.gap[shown], v.reached, v.kind, is_limit=v.is_limit) for v in views.views
    )
    own = np.concatenate([v.gap for v in kept if not v.is_limit])
    high = min(max(2.0, 1.5 * float(np.max(own[np.isfinite(own)], initial=1.0))), 1e6)
    return ViewCurvesData(
        views.name, views.steps[shown], kept, views.tolerance, views.tolerance / 30, high
    )


def _followed(analysis: Analysis) -> Views:
    last = min(analysis.steps_to(1e-6) or 1000, _FARTHEST)
    steps = np.unique(np.round(np.geomspace(1, max(10.0, 1.2 * last), _POINTS)))
    return worst_average_instance(analysis, steps=steps)


# -- words ----------------------------------------------------------------------------------------


def finding(data: ViewCurvesData) -> str:
    """Return how much the worst case overstates, in a sentence."""
    goal = f"×{format_number(data.tolerance)}"
    counts = {v.name: v.reached for v in data.views if not v.is_limit}
    worst = counts.pop("worst case")
    if worst is None:
        return f"{goal} is never reached from the worst start"
    milder = [(n, name) for name, n in counts.items() if n is not None and n < worst]
    if not milder:
        return f"{goal} of the gap takes {count_text(worst)}, whatever the start"
    count, name = min(milder)
    subject = "on average" if name == "average" else "from this start"
    return f"{goal} takes {count_text(worst)} from the worst start, {count:,} {subject}"


def alt(data: ViewCurvesData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    counts = "; ".join(
        f"{v.name}: {'never' if v.reached is None else count_text(v.reached)}" for v in data.views
    )
    return f"{finding(data)}. Steps to the goal: {counts}."


def caption(data: ViewCurvesData) -> str:
    """Return how to read the figure."""
    return (
        f"Gap of {data.method} after k steps, relative to the first one. Thin grey lines: what no "
        "method that adds up past gradients goes below, in the same sense."
    )


def series(data: ViewCurvesData) -> Series:
    """Return what is drawn, as columns of numbers."""
    for view in data.views:
        yield view.name, {"step": data.steps, "relative_gap": view.gap}


# -- drawing --------------------------------------------------------------------------------------


@figure(
    of="an analysis, or its views",
    answers="how typical is the worst case?",
    data=view_curves_data,
    width=HALF,
)
def view_curves(panel: Panel, data: ViewCurvesData) -> None:
    """Draw the gap in the worst case, on average and on this instance, with the limit of each."""
    _dress(panel, data)
    placer = Placer(panel.axes)
    _draw(panel.axes, data, placer)


def _dress(panel: Panel, data: ViewCurvesData) -> None:
    panel.axes.set_xscale("log")
    panel.axes.set_yscale("log")
    last = float(data.steps[-1]) * 1.3
    panel.axes.set_xlim(1, last)
    panel.axes.set_ylim(data.low, data.high)
    panel.dress(
        finding(data), "steps k", "gap / first gap",
        log_ticks(1, last, 6), log_ticks(data.low, data.high, 6),
    )  # fmt: skip


def _draw(axes: Axes, data: ViewCurvesData, placer: Placer) -> None:
    axes.axhline(data.tolerance, color=MUTED, lw=0.7, ls=(0, (1, 2)), zorder=1)
    placer.avoid_line(axes.get_xlim(), [data.tolerance] * 2)
    for view in data.views:
        y = np.maximum(view.gap, data.low * 0.3)
        if view.is_limit:
            color, dash, mark = MUTED, _LOOKS[_LIMIT_OF[view.name]][1], ""
        else:
            color, dash, mark = _LOOKS[view.name]
        axes.plot(
            data.steps, y, color=color, ls=dash, lw=0.9 if view.is_limit else 1.3, marker=mark,
            markevery=max(1, len(y) // 9), ms=3.6, mfc="white", mew=0.9,
            zorder=2 if view.is_limit else 3,
        )  # fmt: skip
        placer.avoid_line(data.steps, y, owner=view.name)
    for view in sorted(data.views, key=lambda v: v.is_limit):
        _name(data, view, placer)


def _name(data: ViewCurvesData, view: View, placer: Placer) -> None:
    """Name a curve where it is alone, with its count of steps."""
    seen = (view.gap >= data.low) & (view.gap <= data.high)
    if not seen.any():
        return
    places = np.column_stack([data.steps, view.gap])[seen]
    places = places[:: max(1, len(places) // 50)]
    color = MUTED if view.is_limit else _LOOKS[view.name][0]
    count = "" if view.reached is None or view.is_limit else f": {count_text(view.reached)}"
    placer.place(f"{view.name}{count}", places, color=color, gap=3, owner=view.name)
