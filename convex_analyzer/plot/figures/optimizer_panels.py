"""Figure 10: one small picture per optimizer, the best first; who stalls, and at what level."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.comparison.floors import floor_of
from convex_analyzer.errors import InputError
from convex_analyzer.plot.curve_data import Curve, gap_curves_data
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.levels import has_floor, plateau
from convex_analyzer.plot.multiples import Grid, columns_of, open_grid, row_height, thin
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FAINT, FULL, INK, MUTED
from convex_analyzer.plot.ticks import linear_ticks, log_ticks
from convex_analyzer.plot.wording import count_text
from convex_analyzer.tables import format_number, join_words

__all__ = [
    "OptimizerPanelsData",
    "alt",
    "caption",
    "finding",
    "optimizer_panels",
    "optimizer_panels_data",
    "series",
]

Array = npt.NDArray[np.float64]

_MOST = 12  # pictures; of more optimizers the best are shown
_BEHIND = 30  # columns of pixels that a grey curve is cut into
_RISES = 3.0  # times the goal: a run that hovers higher has left it again
_NAMED = 2  # optimizers that the title names
_ROOM = 88.0  # points: height of one picture


@dataclass(frozen=True, eq=False)
class OptimizerPanel:
    """One optimizer.

    Attributes
    ----------
    curve
        As in figure 3.
    fate
        ``arrives``, ``stalls``, ``falls`` (still, where its run ends), ``diverges`` or ``stays``.
    level
        Over the first gap: where its run hovers, or its last gap; 0 if theory says it arrives.
    floor
        The same by a formula; None without one.
    """

    curve: Curve
    fate: str
    level: float
    floor: float | None


@dataclass(frozen=True, eq=False)
class OptimizerPanelsData:
    """What figure 10 shows.

    Attributes
    ----------
    panels
        One per optimizer, the best first.
    left_out
        How many more there are.
    log_steps, last, tolerance, low, high
        As in figure 3: axes and goal.
    quantity
        ``gap``, or ``size of the gap`` (a saddle).
    """

    figure: ClassVar[str] = "optimizer_panels"

    panels: tuple[OptimizerPanel, ...]
    left_out: int
    log_steps: bool
    last: int
    tolerance: float
    low: float
    high: float
    quantity: str


def optimizer_panels_data(comparison: Comparison) -> OptimizerPanelsData:
    """Return what figure 10 shows, without drawing.

    Raises
    ------
    InputError
        Not a comparison; J has no critical point; there is no gap to close.

    Examples
    --------
    >>> import convex_analyzer as ca
    >>> data = optimizer_panels_data(ca.compare(ca.gallery.toy()))
    >>> [(panel.curve.label, panel.fate) for panel in data.panels][0]
    ('HeavyBall', 'arrives')
    """
    if not isinstance(comparison, Comparison):
        raise InputError(
            f"optimizer_panels needs a comparison, got {type(comparison).__name__}",
            argument="comparison",
            hint="compare(problem, [optimizers]) makes one",
        )
    if comparison.problem.critical_point is None:
        raise InputError(
            "J falls without end along a flat direction, so there is no gap to close",
            argument="comparison",
            hint="a small l2 penalty, or another b, gives J a minimum",
        )
    curves = gap_curves_data(comparison)
    if curves.is_empty:
        raise InputError(
            "the start is a critical point already, so there is no gap to close",
            argument="comparison",
            hint="compare(..., start=...) from another point",
        )
    panels = []
    for curve, entry in zip(curves.curves, comparison.entries, strict=True):
        floor = floor_of(comparison, entry)
        shown = _as_run(curve, entry, floor, comparison.tolerance)
        panels.append(_panel(shown, entry, floor))
    panels.sort(key=_rank)
    return OptimizerPanelsData(
        tuple(panels[:_MOST]),
        max(0, len(panels) - _MOST),
        curves.log_steps,
        curves.last,
        curves.tolerance,
        curves.low,
        curves.high,
        curves.quantity,
    )


def _as_run(curve: Curve, entry: Entry, floor: float | None, tolerance: float) -> Curve:
    """Return a curve without the theory of exact gradients, where they are not exact.

    A run whose floor lies above the goal meets it by luck, and does not stay there.
    """
    if entry.trajectory.noise is None and not entry.optimizer.random:
        return curve
    lucky = floor is not None and floor > tolerance
    reached = None if lucky else entry.simulated_steps
    none = np.empty(0)
    return dataclasses.replace(curve, reached=reached, kind="simulated", steps=none, gap=none)


def _panel(curve: Curve, entry: Entry, floor: float | None) -> OptimizerPanel:
    fate, level = _fate(curve, entry, floor)
    return OptimizerPanel(curve, fate, level, floor)


def _fate(curve: Curve, entry: Entry, floor: float | None) -> tuple[str, float]:
    """Return how a run ends, and at which gap over the first."""
    with np.errstate(all="ignore"):
        run = np.abs(entry.gap / entry.gap[0])  # the whole of it, which may not be in the picture
    last, level = float(run[-1]), plateau(entry.steps.astype(float), run)
    level = floor if has_floor(entry, floor) else level
    if curve.reached is not None:  # it may rise again
        return "arrives", (level or last) if curve.kind == "simulated" else 0.0
    if curve.outcome in {"unstable", "drifting"} or not math.isfinite(last):
        return "diverges", math.inf
    if curve.outcome in {"marginal", "flat"}:
        return "stays", last
    if level is not None:
        return ("stalls", level) if level < 1 or floor is not None else ("stays", level)
    if curve.outcome == "stable" and floor is not None:
        return "stalls", floor
    return ("falls", last) if last < 1 else ("stays", last)


def _rank(panel: OptimizerPanel) -> tuple[int, float, str]:
    order = ("arrives", "stalls", "falls", "stays", "diverges")
    reached = panel.curve.reached
    key = float(reached) if reached is not None else panel.level
    group = 1 if panel.fate == "falls" else order.index(panel.fate)
    return group, key, panel.curve.label


# -- words -----------------------------------------------------------------------------------------


def finding(data: OptimizerPanelsData) -> str:
    """Return who arrives and who stalls at what level, in a sentence."""
    by = {fate: [p for p in data.panels if p.fate == fate]
          for fate in ("arrives", "stalls", "falls", "stays", "diverges")}  # fmt: skip
    if data.quantity == "size of the gap":
        return "J has no minimum here: every run leaves the critical point"
    parts = [_arriving(by["arrives"], data)]
    for fate, word in (("stalls", "stall"), ("falls", "still fall")):
        if by[fate]:
            parts.append(_at_levels(by[fate], word))
    lost = by["diverges"] + by["stays"]
    if lost:
        names = _some([p.curve.label for p in lost])
        verb = "diverge" if by["diverges"] else "get nowhere"
        parts.append(f"{names} {_agree(verb, len(lost))}")
    said = [part for part in parts if part]
    text = "; ".join(said)
    while len(text) > 138 and len(said) > 1:
        said.pop()
        text = "; ".join(said)
    return text


def _arriving(panels: list[OptimizerPanel], data: OptimizerPanelsData) -> str:
    goal = f"×{format_number(data.tolerance)}"
    if not panels:
        return f"Not one of {len(data.panels)} reaches {goal}" if len(data.panels) > 1 else ""
    first = panels[0].curve
    most = "at most " if first.kind == "bound" else ""
    count = f"in {most}{count_text(first.reached)}"
    best = f"{first.label} {'first, ' if len(panels) > 1 else ''}{count}"
    if len(data.panels) == 1:
        return f"{first.label} reaches {goal} {count}"
    many = "All" if len(panels) == len(data.panels) else f"{len(panels)} of {len(data.panels)}"
    verb = "reaches" if len(panels) == 1 else "reach"
    return f"{many} {verb} {goal}, {best}"


def _at_levels(panels: list[OptimizerPanel], verb: str) -> str:
    if len(panels) > _NAMED:
        low, high = (format_number(f(p.level for p in panels), 2) for f in (min, max))
        return f"{len(panels)} {verb}, at {low} to {high} of the first gap"
    head, _, word = verb.rpartition(" ")
    single = f"{head} {_agree(word, 1)}".strip()
    first, *others = [(p.curve.label, format_number(p.level, 2)) for p in panels]
    more = "".join(f", {label} at {level}" for label, level in others)
    return f"{first[0]} {single} at {first[1]} of the first gap{more}"


def _some(names: list[str]) -> str:
    return join_words(names) if len(names) <= _NAMED else f"{len(names)} others"


def _agree(verb: str, count: int) -> str:
    if count > 1:
        return verb
    head, _, tail = verb.partition(" ")
    return f"{head}s {tail}".rstrip()


def _status(panel: OptimizerPanel, tolerance: float) -> str:
    """Return what the heading of a picture says."""
    curve = panel.curve
    if curve.reached is not None:
        most = "≤ " if curve.kind == "bound" else ""
        rises = (
            f", then {format_number(panel.level, 2)}" if panel.level > _RISES * tolerance else ""
        )
        return f"{most}{count_text(curve.reached)}{rises}"
    if panel.fate == "stalls":
        return f"stalls at {format_number(panel.level, 3)}"
    if panel.fate == "falls":
        return f"at {format_number(panel.level, 2)}, still falling"
    return "diverges" if panel.fate == "diverges" else "does not decay"


def alt(data: OptimizerPanelsData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    said = "; ".join(
        f"{panel.curve.label}: {_status(panel, data.tolerance)}" for panel in data.panels
    )
    more = f" {data.left_out} more are not shown." if data.left_out else ""
    return f"{finding(data)}. From the best to the worst: {said}.{more}"


def caption(data: OptimizerPanelsData) -> str:
    """Return how to read the figure."""
    parts = ["One picture per optimizer, the best first; grey: the others"]
    kinds = {panel.curve.kind for panel in data.panels}
    if kinds != {"simulated"}:
        parts.append("thick lines: theory")
    parts.append("hollow markers: the run")
    if any(panel.floor is not None for panel in data.panels):
        parts.append(
            "dashed: the floor by its formula (RMSProp ends in a 2-cycle at α² sᵀAs/8, s its signs)"
        )
    parts.append("dotted: the goal")
    return f"{'; '.join(parts)}. Gaps are over that of the start."


def series(data: OptimizerPanelsData) -> Series:
    """Return the numbers: of each optimizer theory, run, level and floor."""
    for panel in data.panels:
        curve = panel.curve
        if curve.steps.size:
            yield f"{curve.label}, theory", {"step": curve.steps, "gap": curve.gap}
        yield f"{curve.label}, run", {"step": curve.run_steps, "gap": curve.run_gap}
    yield (
        "ends",
        {
            "optimizer": [panel.curve.label for panel in data.panels],
            "steps": [panel.curve.reached for panel in data.panels],
            "level": [panel.level for panel in data.panels],
            "floor": [panel.floor for panel in data.panels],
        },
    )


# -- drawing ---------------------------------------------------------------------------------------


def _height(data: OptimizerPanelsData, width: float) -> float:
    rows = -(-len(data.panels) // columns_of(width, len(data.panels)))
    return (rows * (_ROOM + 2 * row_height() + 6) + 52) / 72


@figure(
    number=10,
    of="a comparison",
    answers="which optimizers stall, and at what level?",
    data=optimizer_panels_data,
    width=FULL,
    height=_height,
)
def optimizer_panels(panel: Panel, data: OptimizerPanelsData) -> None:
    """Draw one small picture per optimizer, the others in grey behind it."""
    from matplotlib.collections import LineCollection

    names = {"gap": "(J − J*) / first gap", "size of the gap": "|J − J(critical point)| / first"}
    panel.dress(finding(data), "steps k", names[data.quantity], right=2.0)
    first, last = (1.0, 1.3 * data.last) if data.log_steps else (0.0, 1.02 * data.last)
    xticks = log_ticks(first, last, 4) if data.log_steps else linear_ticks(first, last, 4)
    wide = float(panel.axes.get_window_extent().width) / float(panel.figure.dpi)
    width = float(panel.figure.get_figwidth()) if panel.owned else wide
    columns = columns_of(width, len(data.panels))
    grid = open_grid(panel, len(data.panels), columns, xticks,
                     log_ticks(data.low, data.high, 5), x=(first, last, data.log_steps),
                     y=(data.low, data.high), header=2)  # fmt: skip
    behind = [np.column_stack(_points(one.curve, data, _BEHIND)) for one in data.panels]
    for place, one in enumerate(data.panels):
        _small(grid, place, one, data)
        others = [line for other, line in enumerate(behind) if other != place]
        grey = LineCollection(others, colors=FAINT, linewidths=0.5, zorder=1.5)
        grid.axes[place].add_collection(grey, autolim=False)


def _points(curve: Curve, data: OptimizerPanelsData, columns: int = 120) -> tuple[Array, Array]:
    """Return the line of an optimizer: theory, else its run."""
    exact = curve.steps.size > 0
    x, y = (curve.steps, curve.gap) if exact else (curve.run_steps, curve.run_gap)
    return thin(x, np.maximum(y, 0.3 * data.low), data.log_steps, columns)


def _spread(ends: tuple[float, float], log_steps: bool) -> Array:
    shares = np.linspace(0.02, 0.98, 15)
    if log_steps:
        return np.asarray(ends[0] * (ends[1] / ends[0]) ** shares)
    return np.asarray(ends[0] + shares * (ends[1] - ends[0]))


def _small(grid: Grid, place: int, one: OptimizerPanel, data: OptimizerPanelsData) -> None:
    axes, curve, look = grid.axes[place], one.curve, one.curve.look
    axes.axhline(data.tolerance, color=MUTED, lw=0.7, ls=(0, (1, 2)), zorder=1)
    x, y = _points(curve, data)
    axes.plot(x, y, color=look.color, ls=look.dash, lw=1.3 if curve.steps.size else 0.8, zorder=3)
    chosen = curve.markers
    heights = np.maximum(curve.run_gap[chosen], 0.3 * data.low)
    axes.plot(curve.run_steps[chosen], heights, ls="", marker=look.marker, ms=3.4, mfc="white",
              mec=look.color, mew=0.8, zorder=4)  # fmt: skip
    if one.floor is not None and data.low < one.floor < data.high:
        axes.axhline(one.floor, color=INK, lw=0.9, ls=(0, (4, 2)), zorder=5)
        placer = Placer(axes)
        placer.avoid_line(x, y)
        placer.avoid_line(axes.get_xlim(), [data.tolerance] * 2)
        spots = [(float(step), one.floor) for step in _spread(axes.get_xlim(), data.log_steps)]
        placer.place(f"floor {format_number(one.floor, 3)}", spots, gap=1.5, leader=False)
    title = f"{place + 1}  {look.glyph} {curve.label}"
    grid.head(place, [(title, look.ink, "bold"), (_status(one, data.tolerance), INK, "normal")])
