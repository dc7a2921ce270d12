"""Figure 4: how fast every pair of learning rate and momentum is, and where it diverges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.figures import rate_curve as rates
from convex_analyzer.plot.figures.rate_curve import RateData
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.map_data import MapData, stability_map_data
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import HALF, HATCH, INK, UNSTABLE, letters
from convex_analyzer.plot.ticks import Ticks, linear_ticks, log_ticks
from convex_analyzer.plot.wording import per_digit, times_text
from convex_analyzer.tables import format_count, format_factor, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MapData", "alt", "caption", "finding", "series", "stability_map", "stability_map_data"]

Array = npt.NDArray[np.float64]

_EDGE, _WARN = "#9c3f00", "#8f3e00"

# -- words ----------------------------------------------------------------------------------------


def _cost(one_minus_rate: float) -> str:
    """Write the steps that one digit takes."""
    steps = per_digit(one_minus_rate)
    return "1 step" if steps <= 1 else f"{format_count(math.ceil(steps))} steps"


def finding(data: MapData | RateData) -> str:
    """Return how far the chosen pair is from the cliff and from the best, in a sentence."""
    if isinstance(data, RateData):
        return rates.finding(data)
    alpha, mu = data.chosen
    if data.escaping < 0:
        lam = format_number(data.escaping, 4)
        return f"No pair converges: the direction with λ = {lam} escapes everywhere on this map"
    if data.outcome == "drifting":
        return "J falls without end along a flat direction: no pair settles"
    if data.outcome == "unstable":
        limit = data.chosen_limit
        if limit is None or alpha < limit:
            return f"{data.method} diverges at μ = {format_number(mu, 4)}, for every learning rate"
        return (
            f"α = {format_number(alpha, 4)} is beyond the boundary {format_number(limit, 4)}: "
            f"{data.method} diverges"
        )
    if data.outcome == "marginal":
        return f"The chosen pair is exactly on the boundary: {data.method} never settles"
    if data.outcome == "flat":
        return "There is no curvature: every pair stands still"
    best, now = per_digit(data.best_one_minus_rate), per_digit(data.chosen_one_minus_rate)
    if data.tuned or now <= best * 1.001:
        cost = _cost(data.best_one_minus_rate)
        return f"{data.method}: the chosen pair is the best, {cost} per digit"
    return (
        f"{data.method} takes {_cost(data.chosen_one_minus_rate)} per digit here, "
        f"{_cost(data.best_one_minus_rate)} at the best pair"
    )


def alt(data: MapData | RateData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    if isinstance(data, RateData):
        return rates.alt(data)
    where = f"chosen {_pair(data.chosen)} ({times_text(data.chosen_one_minus_rate)} per step)"
    if data.escaping >= 0:
        where += f", best {_pair(data.best)} ({times_text(data.best_one_minus_rate)})"
    return f"{finding(data)}. Map of {data.method} over learning rate and momentum: {where}."


def _pair(pair: tuple[float, float]) -> str:
    alpha, mu = pair
    return f"α = {format_number(alpha, 4)}, μ = {format_factor(mu, 1 - mu, 4)}"


def caption(data: MapData | RateData) -> str:
    """Return how to read the figure."""
    if isinstance(data, RateData):
        return rates.caption(data)
    damping = (
        " White lines: critical damping of the least (dashed) and the most (dotted) curved "
        "direction; above a line that direction swings."
        if len(data.critical)
        else ""
    )
    return (
        "Lighter is faster: steps until the error is a tenth. Hatched: diverges. Ring: the chosen "
        f"pair; star: the best; bar at μ = 0: the limit of gradient descent, 2/λmax.{damping}"
    )


def series(data: MapData) -> Series:
    """Return what is drawn, as columns of numbers."""
    mu, alpha = np.meshgrid(data.momenta, data.learning_rates, indexing="ij")
    yield "map", {
        "learning_rate": alpha.ravel(), "momentum": mu.ravel(),
        "one_minus_rho": data.one_minus_rate.ravel(),
    }  # fmt: skip
    seen = np.isfinite(data.boundary)
    edge = {"learning_rate": data.boundary[seen], "momentum": data.momenta[seen]}
    yield "boundary", edge
    pairs = {"chosen": (data.chosen, data.chosen_one_minus_rate),
             "best": (data.best, data.best_one_minus_rate)}  # fmt: skip
    for name, ((rate, momentum), w) in pairs.items():
        yield name, {"learning_rate": rate, "momentum": momentum, "one_minus_rho": w}


# -- drawing --------------------------------------------------------------------------------------


@figure(
    number=4,
    of="an analysis",
    answers="how far from the cliff, and where to move?",
    data=stability_map_data,
    width=HALF,
)
def stability_map(panel: Panel, data: MapData) -> None:
    """Draw how fast every pair of learning rate and momentum is."""
    _dress(panel, data)
    if data.escaping == 0:
        _draw_bands(panel, data)
    else:
        panel.axes.axvspan(*panel.axes.get_xlim(), facecolor=UNSTABLE, edgecolor=HATCH,
                           hatch="///", lw=0)  # fmt: skip
    placer = Placer(panel.axes)
    lines = _draw_lines(panel.axes, data, placer) if data.escaping == 0 else []
    _draw_pairs(panel.axes, data, placer)
    _draw_plain_limit(panel.axes, data, placer)
    _name_lines(panel.axes, data, placer, lines)


def _height(data: MapData, mu: Any) -> Any:
    """Return where a momentum is drawn: μ itself, or 1 - μ on a logarithmic axis upside down."""
    return np.maximum(1 - np.asarray(mu), 1e-300) if data.log_momentum else np.asarray(mu)


def _dress(panel: Panel, data: MapData) -> None:
    axes = panel.axes
    left, right = float(data.learning_rates[0]), float(data.learning_rates[-1])
    bottom, top = float(_height(data, data.momenta[0])), float(_height(data, data.momenta[-1]))
    left = left if data.log_learning_rate else 0.0
    axes.set_xscale("log" if data.log_learning_rate else "linear")
    axes.set_yscale("log" if data.log_momentum else "linear")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    xticks = log_ticks(left, right, 5) if data.log_learning_rate else linear_ticks(left, right, 5)
    yticks = linear_ticks(bottom, top, 6)
    if data.log_momentum:
        found = log_ticks(top, bottom, 6)
        labels = tuple("0" if p == 1 else f"1 − {t}" for p, t in zip(found.positions, found.labels,
                                                                   strict=True))  # fmt: skip
        yticks = Ticks(found.positions, labels, found.minor)
    right_edge = 50 * letters().scale
    panel.dress(finding(data), "learning rate α", "momentum μ", xticks, yticks, right=right_edge)
    axes.set_facecolor(UNSTABLE)


def _draw_bands(panel: Panel, data: MapData) -> None:
    import matplotlib as mpl
    from matplotlib.colors import BoundaryNorm, ListedColormap

    axes = panel.axes
    with np.errstate(all="ignore"):
        w = np.minimum(data.one_minus_rate, 1 - 1e-12)
        cost = np.where(w > 0, np.log10(math.log(10) / -np.log1p(-w)), np.nan)
    levels = np.log10(data.levels)
    inner = np.concatenate([[levels[0] - 400], levels, [levels[-1] + 400]])
    colors = mpl.colormaps["cividis"](np.linspace(0.98, 0.12, len(inner) - 1))
    palette = ListedColormap(colors)
    # Where it diverges the cost is infinite: a very slow band fills up to the true boundary.
    filled = np.where(np.isnan(cost), levels[-1] + 300, cost)
    y = _height(data, data.momenta)
    axes.contourf(data.learning_rates, y, filled, inner, cmap=palette,
                  norm=BoundaryNorm(inner, palette.N))  # fmt: skip
    if np.any(data.one_minus_rate <= 0):
        size = float(np.abs(data.one_minus_rate).max())
        shown = axes.contourf(data.learning_rates, y, _signed(data.one_minus_rate),
                              [-2 * size - 1, 0.0], colors=[UNSTABLE], hatches=["///"])  # fmt: skip
        shown.set_edgecolor(HATCH)
        shown.set_linewidth(0.0)
    _draw_scale(panel, data, colors)


def _signed(w: Array) -> Array:
    """Return w with zeros made slightly negative, so that they count as diverging."""
    return np.where(w == 0, -1e-300, w)


def _draw_scale(panel: Panel, data: MapData, colors: Any) -> None:
    """Draw the scale of the bands at the right edge, one box each."""
    axes = panel.axes
    scale = axes.inset_axes((1.03, 0.0, 0.05, 1.0))
    count = len(colors)
    for i, color in enumerate(colors):
        scale.axhspan(i, i + 1, facecolor=color, lw=0)
    scale.set_xlim(0, 1)
    scale.set_ylim(0, count)
    scale.set_xticks([])
    scale.yaxis.tick_right()
    labels = [format_number(level, 3) for level in data.levels]
    scale.set_yticks(list(range(1, count)), labels=labels)
    scale.tick_params(axis="y", length=1.5, pad=1.5)
    scale.set_ylabel("steps per digit", fontsize=letters().small, labelpad=1.5)
    scale.yaxis.set_label_position("right")
    for spine in scale.spines.values():
        spine.set_linewidth(0.4)
        spine.set_visible(True)


def _draw_lines(axes: Axes, data: MapData, placer: Placer) -> list[tuple[str, Array]]:
    """Draw the boundary and critical damping; return names and points of the latter."""
    y = _height(data, data.momenta)
    seen = np.isfinite(data.boundary)
    if seen.any():
        axes.plot(data.boundary[seen], y[seen], color=_EDGE, lw=1.6, zorder=4)
        placer.avoid_line(data.boundary[seen], y[seen], 2.0)
    dashes = ((0, (4, 2)), (0, (1.5, 1.5)))
    names = ("λmin", "λmax")
    found: list[tuple[str, Array]] = []
    for values, dash, name in zip(data.critical, dashes, names, strict=False):
        if data.ends[0] == data.ends[1] and name == "λmin":
            continue
        inside = np.where(data.one_minus_rate > 0, values, np.nan)
        if not (np.nanmin(inside, initial=0.0) < 0 < np.nanmax(inside, initial=0.0)):
            continue
        lines = axes.contour(data.learning_rates, y, inside, [0.0], colors="white",
                             linewidths=0.9, linestyles=[dash], zorder=3)  # fmt: skip
        points = [np.asarray(path.vertices, dtype=float) for path in lines.get_paths()]
        points = [part for part in points if part.size]
        if points:
            every = np.concatenate(points)
            placer.avoid_markers(every[:, 0], every[:, 1], 1.0, 0.5)
            found.append((name, every))
    return found


def _name_lines(axes: Axes, data: MapData, placer: Placer, lines: list[tuple[str, Array]]) -> None:
    """Name the part that diverges, and the lines of critical damping."""
    right = axes.get_xlim()[1]
    seen = np.isfinite(data.boundary) & (data.boundary < right)
    if data.escaping < 0:
        middle = np.array([placer.left + placer.right, placer.bottom + placer.top]) / 2
        placer.place("no pair converges", [tuple(placer.to_data(middle))], color=_WARN, gap=0)
    elif seen.any():
        y = _height(data, data.momenta)
        edge = placer.to_points(data.boundary[seen], y[seen])
        row = int(np.argmin(edge[:, 0]))  # where most room is left
        region = (edge[row, 0] + 1, placer.bottom, placer.right, placer.top)
        x = (edge[row, 0] + placer.right) / 2
        across = placer.to_data(np.array([x, edge[row, 1]]))
        placer.place("diverges", [tuple(across)], color=_WARN, gap=0, region=region, leader=False)
    for name, points in lines:
        some = points[:: max(1, len(points) // 40)]
        placer.place(f"critical, {name}", some, gap=2)


def _draw_pairs(axes: Axes, data: MapData, placer: Placer) -> None:
    x, mu = data.chosen
    y = float(_height(data, mu))
    bx, by = data.best[0], float(_height(data, data.best[1]))
    same = data.tuned or (
        math.isclose(x, bx, rel_tol=1e-6) and math.isclose(1 - mu, 1 - data.best[1], rel_tol=1e-6)
    )
    low, high = axes.get_ylim()
    y = min(max(y, min(low, high)), max(low, high))
    if data.escaping == 0:
        axes.plot([bx], [by], marker="*", ms=11, mfc="white", mec=INK, mew=0.9, zorder=6,
                  clip_on=False)  # fmt: skip
        placer.avoid_box((bx, by), 11, 11)
    if not same:
        axes.plot([x], [y], marker="o", ms=6.5, mfc="white", mec=INK, mew=1.2, zorder=6,
                  clip_on=False)  # fmt: skip
        placer.avoid_box((x, y), 8, 8)
        placer.place(f"chosen {times_text(data.chosen_one_minus_rate)}", [(x, y)], gap=5)
    if data.escaping == 0:
        name = "chosen = best" if same else "best"
        placer.place(f"{name} {times_text(data.best_one_minus_rate)}", [(bx, by)], gap=6)


def _draw_plain_limit(axes: Axes, data: MapData, placer: Placer) -> None:
    """Mark on μ = 0 where gradient descent diverges."""
    left, right = axes.get_xlim()
    bottom = float(_height(data, 0.0))
    if left < data.plain_limit < right and data.momenta[0] <= 0 and data.escaping == 0:
        axes.plot([data.plain_limit], [bottom], marker="|", ms=11, mec=INK, mew=1.5, zorder=6,
                  clip_on=False)  # fmt: skip
        placer.place("GD limit", [(data.plain_limit, bottom)], gap=6)
