"""What simulated runs of one rule end at, over the settings that were swept, or over the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.notation import symbol_of
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FULL, HATCH, INK, UNSTABLE, Look, look_of
from convex_analyzer.plot.thinning import thinned
from convex_analyzer.plot.ticks import Ticks, linear_ticks, log_ticks
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.tables import format_count, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SweepData", "alt", "caption", "finding", "series", "sweep", "sweep_data"]

Array = npt.NDArray[np.float64]

_MOST = 2  # settings that can be drawn over


@dataclass(frozen=True, eq=False)
class SweepData:
    """What the figure shows.

    Attributes
    ----------
    method, look
        The rule that ran.
    names
        Settings with more than one value, at most two: none for runs that differ in their start.
    values
        Of each of these, one value per run, (R,).
    first, last
        Loss at the start and after the last step, (R,); infinite where it left the
        range of numbers.
    diverged
        Which runs end above their start, or left the range of numbers, (R,).
    steps
        Recorded step indices, (K,).
    low, middle, high
        Smallest, median and largest loss over all runs at these steps, (K,).
    """

    figure: ClassVar[str] = "sweep"

    method: str
    look: Look
    names: tuple[str, ...]
    values: tuple[Array, ...]
    first: Array
    last: Array
    diverged: npt.NDArray[np.bool_]
    steps: Array
    low: Array
    middle: Array
    high: Array

    @property
    def best(self) -> int | None:
        """The run that ends lowest; None when all end above their start."""
        return None if self.diverged.all() else int(np.argmin(self.last))

    @property
    def is_logarithmic(self) -> bool:
        """Whether every loss that is drawn is above zero."""
        drawn = (self.low, self.middle, self.high) if not self.names else (self.last, self.first)
        return all(bool(np.all(one[np.isfinite(one)] > 0)) for one in drawn)


def sweep_data(trajectory: Trajectory) -> SweepData:
    """Return what the figure shows, without drawing.

    Raises
    ------
    InputError
        More than two settings were swept.
    """
    rule = trajectory.optimizer
    shape = trajectory.loss.shape[1:]
    swept = {n: v for n, v in rule.values.items() if isinstance(v, np.ndarray) and v.size > 1}
    if len(swept) > _MOST:
        raise InputError(
            f"at most two settings can be drawn over, this sweep has {', '.join(swept)}",
            argument="trajectory",
        )
    values = tuple(np.broadcast_to(v, (*shape, 1)).reshape(-1) for v in swept.values())
    loss = trajectory.loss.reshape(len(trajectory.recorded), -1)
    last = np.where(np.isfinite(loss[-1]), loss[-1], np.inf)
    return SweepData(
        method=type(rule).__name__,
        look=look_of(rule),
        names=tuple(swept),
        values=tuple(np.asarray(v, dtype=float) for v in values),
        first=loss[0],
        last=last,
        diverged=last > loss[0],
        steps=np.asarray(trajectory.recorded, dtype=float),
        low=loss.min(axis=1),
        middle=np.median(loss, axis=1),
        high=loss.max(axis=1),
    )


# -- words and numbers -----------------------------------------------------------------------------


def finding(data: SweepData) -> str:
    """Return which setting ends lowest, and which diverge."""
    runs, lost = data.last.size, int(data.diverged.sum())
    if data.best is None:
        return (
            "The run ends above its start"
            if runs == 1
            else f"All {format_count(runs)} runs end above their start"
        )
    end = format_number(float(data.last[data.best]), 3)
    if not data.names:
        said = "The run ends" if runs == 1 else f"The best of {format_count(runs)} runs ends"
        return f"{said} at the loss {end}{_lost(data, lost)}"
    setting = ", ".join(
        f"{symbol_of(name)} = {format_number(float(values[data.best]), 4)}"
        for name, values in zip(data.names, data.values, strict=True)
    )
    return f"{setting} ends lowest, at the loss {end}{_lost(data, lost)}"


def _lost(data: SweepData, lost: int) -> str:
    if not lost:
        return ""
    verb = "ends" if lost == 1 else "end"
    said = f"; {format_count(lost)} of {format_count(data.last.size)} runs {verb} above their start"
    if len(data.names) != 1:
        return said
    values = data.values[0]
    edge = float(values[data.diverged].min())
    whole = bool(np.all(data.diverged[values >= edge]))
    name = symbol_of(data.names[0])
    return f"{said}, from {name} = {format_number(edge, 4)} on" if whole else said


def alt(data: SweepData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    over = " and ".join(data.names) if data.names else "the steps"
    return f"{finding(data)}. Loss of {data.method} over {over}, simulated."


def caption(data: SweepData) -> str:
    """Return how to read the figure."""
    if not data.names:
        return "Line: the median run; band: from the lowest to the highest."
    hatched = " Hatched: the loss ends above its start." if data.diverged.any() else ""
    if len(data.names) == 1:
        return f"One mark per run, the star ends lowest; line: the median at each value.{hatched}"
    return f"The lighter, the lower the loss ends (median per cell); star: the lowest.{hatched}"


def series(data: SweepData) -> Series:
    """Return one row per run, or per step."""
    if data.names:
        columns = dict(zip(data.names, data.values, strict=True))
        yield "run", {**columns, "last_loss": data.last, "diverged": data.diverged}
    else:
        yield "steps", {"step": data.steps, "lowest_loss": data.low, "median_loss": data.middle,
                        "highest_loss": data.high}  # fmt: skip


# -- drawing ---------------------------------------------------------------------------------------


@figure(
    of="a trajectory of one or many runs",
    answers="which setting ends lowest, and which diverge?",
    data=sweep_data,
    width=FULL,
    height=0.5,
)
def sweep(panel: Panel, data: SweepData) -> None:
    """Draw the ends of simulated runs."""
    if not data.names:
        _draw_steps(panel, data)
    elif len(data.names) == 1:
        _draw_line(panel, data)
    else:
        _draw_map(panel, data)


def _scale(values: Array) -> tuple[bool, float, float, Ticks]:
    """Return whether an axis over these values is logarithmic, its ends, and its ticks."""
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > 8 * low:
        low, high = low / (high / low) ** 0.03, high * (high / low) ** 0.03
        return True, low, high, log_ticks(low, high)
    room = 0.03 * (high - low) or max(abs(high), 1.0) * 0.05
    return False, low - room, high + room, linear_ticks(low - room, high + room)


def _axis(axes: Axes, which: str, values: Array, logarithmic: bool) -> Ticks:
    finite = values[np.isfinite(values)]
    if not finite.size:
        finite = np.array([1.0, 10.0])
    if logarithmic:
        low, high = float(finite.min()), float(finite.max())
        room = max((high / low) ** 0.06, 1.3)
        low, high, ticks = low / room, high * room, log_ticks(low / room, high * room)
        getattr(axes, f"set_{which}scale")("log")
    else:
        is_log, low, high, ticks = _scale(finite)
        if is_log and which == "x":
            axes.set_xscale("log")
        elif is_log:
            ticks = linear_ticks(low, high)
    getattr(axes, f"set_{which}lim")(low, high)
    return ticks


def _draw_steps(panel: Panel, data: SweepData) -> None:
    axes, look = panel.axes, data.look
    yticks = _axis(axes, "y", np.concatenate([data.low, data.middle, data.high]),
                   data.is_logarithmic)  # fmt: skip
    right = max(float(data.steps[-1]), 1.0)
    axes.set_xlim(0, right)
    panel.dress(finding(data), "step k", "loss J", linear_ticks(0, right), yticks)
    seen = np.isfinite(data.high)
    if data.last.size > 1:
        axes.fill_between(data.steps[seen], data.low[seen], data.high[seen], color=look.color,
                          alpha=0.18, lw=0)  # fmt: skip
    x, y = thinned(data.steps[seen], data.middle[seen])
    axes.plot(x, y, color=look.color, ls=look.dash, lw=1.4)


def _draw_line(panel: Panel, data: SweepData) -> None:
    axes, look, values = panel.axes, data.look, data.values[0]
    tops = data.last[~data.diverged]
    shown = np.concatenate([tops, data.first[np.isfinite(data.first)]])
    yticks = _axis(axes, "y", shown, data.is_logarithmic)
    xticks = _axis(axes, "x", values, logarithmic=False)
    name = f"{data.names[0].replace('_', ' ')} {symbol_of(data.names[0])}"
    panel.dress(finding(data), name, "loss J after the last step", xticks, yticks)
    placer = Placer(axes)
    if data.diverged.any():
        left = float(values[data.diverged].min())
        right = min(float(values[data.diverged].max()), axes.get_xlim()[1])
        right = axes.get_xlim()[1] if right >= values.max() else right
        axes.axvspan(left, right, facecolor=UNSTABLE, edgecolor=HATCH, hatch="///", lw=0, zorder=0)
        middle = float(np.sqrt(np.prod(axes.get_ylim()))) if data.is_logarithmic else float(
            np.mean(axes.get_ylim()))  # fmt: skip
        placer.place("grows", [(left, middle)], color="#8f3e00", gap=4, leader=False)
    levels = np.unique(values)
    with np.errstate(invalid="ignore"):
        medians = np.array([np.median(data.last[values == level]) for level in levels])
    seen = np.isfinite(medians)
    axes.plot(levels[seen], medians[seen], color=look.color, ls=look.dash, lw=1.2, zorder=2)
    kept = ~data.diverged
    axes.plot(values[kept], data.last[kept], ls="", marker=look.marker, ms=3.4, mfc="white",
              mec=look.color, mew=0.8, zorder=3)  # fmt: skip
    placer.avoid_line(levels[seen], medians[seen], 2.0)
    if data.best is not None:
        _star(axes, placer, float(values[data.best]), float(data.last[data.best]))


def _star(axes: Axes, placer: Placer, x: float, y: float) -> None:
    axes.plot([x], [y], marker="*", ms=11, mfc="white", mec=INK, mew=0.9, zorder=6, clip_on=False)
    placer.avoid_box((x, y), 11, 11)
    placer.place("lowest", [(x, y)], gap=6)


def _draw_map(panel: Panel, data: SweepData) -> None:
    axes = panel.axes
    xs, ys = (np.unique(values) for values in data.values)
    ends = np.full((len(ys), len(xs)), np.nan)
    lost = np.zeros_like(ends)
    for i, y in enumerate(ys):
        for j, x in enumerate(xs):
            cell = (data.values[0] == x) & (data.values[1] == y)
            if cell.any():
                ends[i, j] = float(np.median(np.where(data.diverged, np.inf, data.last)[cell]))
                lost[i, j] = float(data.diverged[cell].any())
    xticks, xedges = _edges(axes, "x", xs)
    yticks, yedges = _edges(axes, "y", ys)
    labels = [f"{name.replace('_', ' ')} {symbol_of(name)}" for name in data.names]
    panel.dress(finding(data), labels[0], labels[1], xticks, yticks)
    ends = np.where(lost > 0, np.nan, ends)
    shown = np.ma.masked_invalid(np.log10(ends) if data.is_logarithmic else ends)
    seamless: dict[str, Any] = {"edgecolors": "face", "linewidth": 0.4}
    axes.pcolormesh(xedges, yedges, shown, cmap="cividis_r", rasterized=shown.size > 40_000,
                    **seamless)  # fmt: skip
    for i, j in zip(*np.nonzero(lost), strict=True):
        axes.fill_between(xedges[j : j + 2], yedges[i], yedges[i + 1], facecolor=UNSTABLE,
                          edgecolor=HATCH, hatch="///", lw=0)  # fmt: skip
    if data.best is not None:
        x, y = (float(values[data.best]) for values in data.values)
        axes.plot([x], [y], marker="*", ms=12, mfc="white", mec=INK, mew=0.9, zorder=6)
        right = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))[0] > 0.5
        axes.annotate("lowest", (x, y), xytext=(-9 if right else 9, 0), va="center", zorder=7,
                      ha="right" if right else "left", textcoords="offset points",
                      bbox={"fc": "white", "ec": "none", "pad": 1})  # fmt: skip


def _edges(axes: Axes, which: str, values: Array) -> tuple[Ticks, Array]:
    """Return ticks, and the borders of cells around the values."""
    logarithmic = _scale(values)[0]
    if logarithmic:
        getattr(axes, f"set_{which}scale")("log")
    places = np.log(values) if logarithmic else values
    gaps = np.diff(places) if len(places) > 1 else np.array([1.0])
    inner = places[:-1] + gaps / 2 if len(places) > 1 else np.array([])
    borders = np.concatenate([[places[0] - gaps[0] / 2], inner, [places[-1] + gaps[-1] / 2]])
    edges = np.exp(borders) if logarithmic else borders
    getattr(axes, f"set_{which}lim")(edges[0], edges[-1])
    make = log_ticks if logarithmic else linear_ticks
    return make(float(edges[0]), float(edges[-1])), edges
