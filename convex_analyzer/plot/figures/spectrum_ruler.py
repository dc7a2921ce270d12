"""Figure 1: every eigenvalue on a ruler of αλ, against what the method does there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FULL, HATCH, INK, MUTED, letters, look_of
from convex_analyzer.plot.text import measure
from convex_analyzer.plot.ticks import log_ticks
from convex_analyzer.plot.wording import factor_text, name_of, subscript, times_text
from convex_analyzer.plot.zones import MEANING, ZONES, find_zones
from convex_analyzer.tables import format_number, format_share
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.modes import modes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "RulerData",
    "alt",
    "caption",
    "finding",
    "series",
    "spectrum_ruler",
    "spectrum_ruler_data",
]

Array = npt.NDArray[np.float64]

CROWDED = 40  # more eigenvalues than this are drawn as a density
_NAMED = 8  # up to this many distinct eigenvalues are all labelled, if there is room
_BINS = 64


@dataclass(frozen=True, eq=False)
class RulerData:
    """What figure 1 shows.

    Attributes
    ----------
    method
        The optimizer, as text.
    family
        The optimizer, for its colour.
    learning_rate
        α; None when the rule has none: then x is λ.
    limit
        Supremum of the stable learning rates; None when there are none.
    eigenvalues, x, factors, one_minus_rate
        λ, αλ, the dominant root and 1 - |root| per direction, (n,), in ascending order of λ.
    zones
        Names of what happens along the ruler, from left to right.
    borders
        Values of αλ between them, (len(zones) - 1,).
    low, high
        Ends of the ruler.
    negative, zero
        How many eigenvalues a logarithmic ruler cannot show.
    slowest
        Index of the direction that sets the rate.
    outcome
        As in `Analysis.outcome`.
    is_interval
        Whether only the ends of the spectrum are known.
    """

    figure: ClassVar[str] = "spectrum_ruler"

    method: str
    family: Any
    learning_rate: float | None
    limit: float | None
    eigenvalues: Array
    x: Array
    factors: npt.NDArray[np.complex128]
    one_minus_rate: Array
    zones: tuple[str, ...]
    borders: Array
    low: float
    high: float
    negative: int
    zero: int
    slowest: int
    outcome: str
    is_interval: bool


def spectrum_ruler_data(analysis: Analysis) -> RulerData:
    """Return what figure 1 shows, without drawing."""
    spectrum, rule = analysis.spectrum, analysis.optimizer
    rate = rule.values.get("learning_rate")
    alpha = float(rate) if isinstance(rate, float) else None
    scale = 1.0 if alpha is None else alpha
    if spectrum.is_interval:
        parts = modes(rule, spectrum.eigenvalues)
        slowest = int(np.argmin(parts.one_minus_rate))
    else:
        parts, slowest = analysis.modes, analysis.slowest
    x = scale * parts.eigenvalues
    positive = x[x > 0]
    low, high, zones, borders = find_zones(rule, scale, positive)
    return RulerData(
        method=str(rule),
        family=rule,
        learning_rate=alpha,
        limit=analysis.stability_limit if alpha is not None else None,
        eigenvalues=parts.eigenvalues,
        x=x,
        factors=parts.roots[:, 0],
        one_minus_rate=parts.one_minus_rate,
        zones=zones,
        borders=borders,
        low=low,
        high=high,
        negative=int(np.count_nonzero(x < 0)),
        zero=int(np.count_nonzero(x == 0)),
        slowest=slowest,
        outcome=analysis.outcome,
        is_interval=spectrum.is_interval,
    )


# -- words ----------------------------------------------------------------------------------------


def _share(data: RulerData) -> str:
    """Say where α lies relative to its limit."""
    assert data.learning_rate is not None
    assert data.limit is not None
    share = data.learning_rate / data.limit
    limit, alpha = format_number(data.limit, 4), format_number(data.learning_rate, 4)
    if abs(share - 1) < 5e-4:
        return f"α = {alpha} is just {'below' if share < 1 else 'above'} its limit"
    if share < 0.01:
        return f"α = {alpha} is far below the limit {limit}"
    return f"α = {alpha} is {format_share(data.learning_rate, data.limit)} the limit {limit}"


def _pace(data: RulerData) -> str:
    """Say what the slowest direction does."""
    w = data.one_minus_rate
    worst = float(w[data.slowest])
    rate = f"{times_text(worst)} per step"
    if worst >= 1 - 1e-12:
        return "every direction is finished at once"
    active = w[data.eigenvalues != 0]
    if len(active) > 1 and np.ptp(active) <= 1e-9 * abs(worst):
        return f"every direction shrinks alike, {rate}"
    ends = [i for i in (0, len(w) - 1) if data.eigenvalues[i] != 0]
    tied = [abs(float(w[i]) - worst) <= 1e-3 * abs(worst) for i in ends]
    if len(set(ends)) == 2 and all(tied) and data.eigenvalues[0] < data.eigenvalues[-1]:
        return f"both ends of the spectrum set the pace, {rate}"
    return f"{name_of(data.slowest, data.eigenvalues[data.slowest])} is the slowest, {rate}"


def finding(data: RulerData) -> str:
    """Return what the figure shows, in a sentence."""
    slow = name_of(data.slowest, data.eigenvalues[data.slowest])
    growth = f"{times_text(float(data.one_minus_rate[data.slowest]))} per step"
    match data.outcome:
        case "flat":
            return "There is no curvature: nothing limits the step"
        case "drifting":
            return "Along a flat direction J falls without end: no step size settles"
    if data.negative:
        return f"{slow} is negative: that direction escapes at every learning rate"
    if data.learning_rate is None or data.limit is None or math.isinf(data.limit):
        if data.outcome == "stable":
            return f"Every direction contracts; {_pace(data)}"
        if data.outcome == "marginal":
            return "The error never decays, whatever the learning rate"
        return f"{slow} grows {growth}, whatever the learning rate"
    if data.outcome == "stable":
        return f"{_share(data)}; {_pace(data)}"
    if data.outcome == "marginal":
        alpha = format_number(data.learning_rate, 4)
        return f"α = {alpha} is exactly on the boundary: along {slow} the error never decays"
    return f"{_share(data)}: along {slow} the error grows {growth}"


def alt(data: RulerData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    count = "both" if len(data.x) == 2 else f"all {len(data.x)}"
    count = "the two ends of the spectrum" if data.is_interval else f"{count} eigenvalues"
    extra = "".join(
        f" {number} of them {'is' if number == 1 else 'are'} {word}."
        for number, word in ((data.negative, "negative"), (data.zero, "zero"))
        if number
    )
    return f"{finding(data)}. The ruler shows {count}, times α.{extra}"


def caption(data: RulerData) -> str:
    """Return how to read the figure."""
    zones = "; ".join(f"{zone}: {MEANING[zone]}" for zone in dict.fromkeys(data.zones))
    what = "eigenvalue" if data.learning_rate is None else "eigenvalue times the learning rate"
    ticks = f"Each tick is one {what}"
    if len(data.x) > CROWDED:
        ticks = f"Bars count {what.replace('eigenvalue', 'eigenvalues', 1)}"
    pair = " (|x|: the size of a complex pair)" if np.any(data.factors.imag != 0) else ""
    first = f"{ticks}, with its factor per step under {data.method}{pair}."
    return f"{first} {zones[0].upper()}{zones[1:]}."


def series(data: RulerData) -> Series:
    """Return what is drawn, as columns of numbers."""
    yield "eigenvalues", {
        "eigenvalue": data.eigenvalues, "alpha_lambda": data.x, "root_real": data.factors.real,
        "root_imag": data.factors.imag, "one_minus_rho": data.one_minus_rate,
    }  # fmt: skip
    ends = np.concatenate([data.borders, [data.high]])
    yield "zones, up to", {"alpha_lambda": ends, "zone": data.zones}


# -- drawing --------------------------------------------------------------------------------------


@figure(
    number=1,
    of="an analysis",
    answers="is α safe, and which direction is slow?",
    data=spectrum_ruler_data,
    width=FULL,
    height=lambda data, width: 1.7 * letters().scale,
)
def spectrum_ruler(panel: Panel, data: RulerData) -> None:
    """Draw every eigenvalue on a ruler of αλ, against what the method does there."""
    left = _left_end(data)
    _dress(panel, data, left)
    _draw_zones(panel.axes, data)
    placer = Placer(panel.axes)
    band = placer.top - 15
    _draw_ticks(panel.axes, data, left, placer)
    _name_zones(data, placer, band)
    _name_ticks(data, left, placer, band)


def _left_end(data: RulerData) -> float:
    """Return the left end of the drawn axis: farther out when there is a block for λ ≤ 0."""
    if not data.negative and not data.zero:
        return data.low
    share = 0.2 if data.negative and data.zero else 0.13
    return float(data.low * (data.low / data.high) ** (share / (1 - share)))


def _dress(panel: Panel, data: RulerData, left: float) -> None:
    axes = panel.axes
    axes.set_xscale("log")
    axes.set_xlim(left, data.high)
    axes.set_ylim(0, 1)
    axes.spines["left"].set_visible(False)
    axes.spines["top"].set_visible(True)
    ticks = log_ticks(data.low, data.high, 9)
    alpha = data.learning_rate
    name = "eigenvalue λ" if alpha is None else f"αλ at α = {format_number(alpha, 6)}"
    panel.dress(finding(data), name, "", ticks, None, above=0 if alpha is None else 15, right=9)
    if alpha is None:
        return

    def divide(x: Any) -> Any:
        return x / alpha

    def multiply(x: Any) -> Any:
        return x * alpha

    upper = axes.secondary_xaxis("top", functions=(divide, multiply))
    marks = log_ticks(data.low / alpha, data.high / alpha, 9)
    labels = list(marks.labels)
    for i, position in enumerate(marks.positions):  # the first that has room names the scale
        if math.log(position * alpha / left) > 0.04 * math.log(data.high / left):
            labels[i] = f"λ = {labels[i]}"
            break
    upper.xaxis.set_ticks(list(marks.positions), labels=labels)
    upper.xaxis.set_ticks(list(marks.minor), labels=[""] * len(marks.minor), minor=True)
    upper.tick_params(axis="x", pad=1.5)


def _draw_zones(axes: Axes, data: RulerData) -> None:
    edges = [data.low, *data.borders, data.high]
    for zone, (a, b) in zip(data.zones, pairwise(edges), strict=True):
        color, hatch = ZONES[zone]
        axes.axvspan(a, b, facecolor=color, edgecolor=HATCH, hatch=hatch, lw=0, zorder=0)
    for zone, border in zip(data.zones[1:], data.borders, strict=True):
        heavy = zone == "no decay"
        axes.axvline(border, color="#9c3f00" if heavy else "#9a9a9a", lw=1.5 if heavy else 0.6)


def _name_zones(data: RulerData, placer: Placer, band: float) -> None:
    """Write what happens in each zone along the top."""
    symbol = "λ" if data.learning_rate is None else "αλ"
    edges = [data.low, *data.borders, data.high]
    texts = []
    for i, (zone, (a, b)) in enumerate(zip(data.zones, pairwise(edges), strict=True)):
        limit = data.zones[i + 1 : i + 2] == ("no decay",)
        start, end = format_number(a, 3), format_number(b, 4 if limit else 3)
        where = f"{start} to {end}"
        if i == len(data.zones) - 1:
            where = f"{symbol} ≥ {format_number(a, 4)}"
        elif i == 0:
            where = f"{symbol} < {end}"
        texts.append(zone if len(data.zones) == 1 else f"{zone}, {where}")
    places = [float(x) for x in placer.to_points(edges, np.full(len(edges), 0.5))[:, 0]]
    room = placer.right - placer.left - 8 * len(texts)
    if sum(measure(text)[0] for text in texts) > room:
        texts = list(data.zones)
    placer.put_row(texts, list(pairwise(places)), (band + placer.top) / 2)


def _draw_ticks(axes: Axes, data: RulerData, left: float, placer: Placer) -> None:
    color = look_of(data.family).color
    seen = data.x > 0
    if np.count_nonzero(seen) > CROWDED:
        _draw_density(axes, data, placer)
    else:
        axes.vlines(data.x[seen], 0, 0.42, color=INK, lw=2.0, zorder=4)
    if data.x[data.slowest] > 0:
        axes.plot([data.x[data.slowest]], [0.42], marker="o", ms=4, color=color, zorder=5)
    for first, _ in _groups(data) if np.count_nonzero(seen) <= CROWDED else ():
        placer.avoid_line([data.x[first]] * 2, [0, 0.42], 2.0, owner=f"{first}")
    if left < data.low:
        _draw_block(axes, data, left, placer)


def _draw_density(axes: Axes, data: RulerData, placer: Placer) -> None:
    seen = data.x[data.x > 0]
    logs = np.log(seen)
    ends = (float(logs[0]) - 1e-9, float(logs[-1]) + 1e-9)
    bins = min(_BINS, max(12, len(seen) // 5))
    counts, edges = np.histogram(logs, bins=bins, range=ends)
    heights = 0.4 * counts / counts.max()
    edges = np.exp(edges)
    axes.fill_between(edges, np.append(heights, heights[-1]), step="post", color="#6b7680", lw=0,
                      zorder=3)  # fmt: skip
    axes.vlines(seen[[0, -1]], 0, 0.42, color=INK, lw=1.6, zorder=4)
    for share in (0.2, 0.4, 0.6, 0.8, 1.0):
        placer.avoid_line(np.repeat(edges, 2)[1:-1], np.repeat(share * heights, 2))


def _draw_block(axes: Axes, data: RulerData, left: float, placer: Placer) -> None:
    """Draw the block at the left edge that holds what a logarithmic axis cannot."""
    axes.axvspan(left, data.low, facecolor="#e4e4e4", lw=0)
    axes.axvline(data.low, color=MUTED, lw=1.0, ls=(0, (2, 2)))
    texts = []
    if data.negative:
        worst = data.eigenvalues[0]
        factor = factor_text(data.factors[0], data.one_minus_rate[0])
        many = f"{data.negative} × λ < 0"
        first = f"λ₁ = {format_number(worst, 3)}" if data.negative == 1 else many
        texts.append(f"{first}\nescapes, ×{factor}")
    if data.zero:
        texts.append(("λ = 0" if data.zero == 1 else f"{data.zero} × λ = 0") + "\nflat: stays")
    middle = math.sqrt(left * data.low)
    edge = float(placer.to_points(data.low, 0.5)[0, 0])
    region = (placer.left, placer.bottom, edge, placer.top)
    for row, text in enumerate(texts):
        height = 0.5 if len(texts) == 1 else 0.75 - 0.5 * row
        placer.place(text, [(middle, height)], region=region, gap=0, leader=False)


def _groups(data: RulerData) -> list[tuple[int, int]]:
    """Return (first, last) index of each run of positive eigenvalues that look the same."""
    groups: list[tuple[int, int]] = []
    for i in np.flatnonzero(data.x > 0):
        if groups and data.x[i] <= data.x[groups[-1][0]] * (1 + 1e-9):
            groups[-1] = (groups[-1][0], int(i))
        else:
            groups.append((int(i), int(i)))
    return groups


def _name_ticks(data: RulerData, left: float, placer: Placer, band: float) -> None:
    """Write eigenvalue and factor beside the ticks: the ends first, the rest if there is room."""
    groups = _groups(data)
    if not groups:
        return
    slow = next((g for g in groups if g[0] <= data.slowest <= g[1]), groups[0])
    order = list(dict.fromkeys([groups[0], groups[-1], slow]))
    if len(groups) <= _NAMED:
        order += [group for group in groups if group not in order]
    start = float(placer.to_points(data.low, 0.5)[0, 0]) if left < data.low else placer.left
    region = (start, placer.bottom, placer.right, band)
    for rank, (first, last) in enumerate(order):
        value = format_number(data.eigenvalues[first], 4)
        factor = factor_text(data.factors[first], data.one_minus_rate[first])
        index = subscript(first + 1) if not data.is_interval else ("min", "max")[first]
        name = f"λ{index}" if first == last else f"λ{index}…λ{subscript(last + 1)}"
        long = rank < 2 or len(order) <= 3
        text = f"{name} = {value}: factor {factor}" if long else f"{name}: {factor}"
        anchors = [(data.x[first], height) for height in np.linspace(0.1, 0.42, 5)]
        placer.place(text, anchors, region=region, upright=1.5, gap=3.0, owner=f"{first}")
