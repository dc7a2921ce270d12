"""Figure 7: the factor per step against the learning rate, and why the best sits at a corner."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import HALF, INK, MUTED, UNSTABLE, Look, look_of
from convex_analyzer.plot.ticks import linear_ticks
from convex_analyzer.plot.wording import rate_text, subscript, times_text
from convex_analyzer.tables import format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.modes import modes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RateData", "alt", "caption", "finding", "rate_curve", "rate_curve_data", "series"]

Array = npt.NDArray[np.float64]

_GRID = 301
_SHOWN = 6  # directions that are drawn; of more, these are spread over the spectrum


@dataclass(frozen=True, eq=False)
class RateData:
    """What figure 7 shows.

    Attributes
    ----------
    method, look
        The optimizer.
    learning_rates
        α, (K,).
    eigenvalues, numbers
        λ of the directions that are drawn, and their numbers from 1, (n,).
    factors
        |root| of each, (n, K).
    envelope
        The largest over all directions, (K,).
    chosen, chosen_one_minus_rate
        α, and 1 - ρ there.
    best, best_one_minus_rate
        The same at the lowest point of the envelope.
    limit
        Supremum of the stable learning rates; None when there are none.
    outcome
        As in `Analysis.outcome`.
    """

    figure: ClassVar[str] = "rate_curve"

    method: str
    look: Look
    learning_rates: Array
    eigenvalues: Array
    numbers: tuple[int, ...]
    factors: Array
    envelope: Array
    chosen: float
    chosen_one_minus_rate: float
    best: float
    best_one_minus_rate: float
    limit: float | None
    outcome: str


def rate_curve_data(analysis: Analysis) -> RateData:
    """Return what figure 7 shows, without drawing.

    Raises
    ------
    InputError
        The rule has no field ``learning_rate``.
    """
    rule, spectrum = analysis.optimizer, analysis.spectrum
    chosen = rule.values.get("learning_rate")
    if not isinstance(chosen, float):
        raise InputError(
            f"{type(rule).__name__} has no field learning_rate to draw its factor against",
            argument="analysis",
        )
    limit = analysis.stability_limit
    values = spectrum.eigenvalues
    size = float(np.max(np.abs(values))) or 1.0
    edge = limit if limit is not None and math.isfinite(limit) else 2 / size
    right = min(max(1.25 * edge, 1.12 * chosen), 4 * max(edge, chosen))
    alphas = np.linspace(right * 1e-3, right, _GRID)
    if math.isfinite(edge):
        alphas = np.unique(np.concatenate([alphas, [chosen, edge], *_corners(values, right)]))
    nonzero = np.flatnonzero(values)
    spread = np.linspace(0, len(nonzero) - 1, min(_SHOWN, len(nonzero))).round().astype(int)
    shown = np.unique(nonzero[spread]) if len(nonzero) else np.array([0])
    ends = nonzero[[0, -1]] if len(nonzero) else np.array([0, 0])
    every = np.unique(np.concatenate([shown, ends]))
    w = np.stack([
        modes(rule.unchecked(learning_rate=alphas), np.full(len(alphas), values[i])).one_minus_rate
        for i in every
    ])  # fmt: skip
    worst = w.min(axis=0)
    at = int(np.argmax(worst))
    return RateData(
        method=str(rule),
        look=look_of(rule),
        learning_rates=alphas,
        eigenvalues=values[every],
        numbers=tuple(int(i) + 1 for i in every),
        factors=1 - w,
        envelope=1 - worst,
        chosen=chosen,
        chosen_one_minus_rate=analysis.one_minus_rate,
        best=chosen if analysis.one_minus_rate >= worst[at] * (1 - 1e-9) else float(alphas[at]),
        best_one_minus_rate=max(float(worst[at]), analysis.one_minus_rate),
        limit=limit,
        outcome=analysis.outcome,
    )


def _corners(values: Array, right: float) -> list[list[float]]:
    """Return learning rates at which gradient descent has corners: zeros and the optimum."""
    positive = values[values > 0]
    if not positive.size:
        return []
    m, L = float(positive[0]), float(positive[-1])
    found = [1 / L, 1 / m, 2 / (m + L)]
    return [[alpha for alpha in found if 0 < alpha < right]]


# -- words ----------------------------------------------------------------------------------------


def finding(data: RateData) -> str:
    """Return what the learning rate costs, in a sentence."""
    alpha, best = format_number(data.chosen, 4), format_number(data.best, 4)
    rate = rate_text(data.best_one_minus_rate)
    if data.outcome == "flat":
        return "There is no curvature: every learning rate stands still"
    if float(data.eigenvalues[0]) < 0:
        lam = format_number(float(data.eigenvalues[0]), 4)
        return f"No learning rate converges: the direction with λ = {lam} escapes"
    if data.outcome == "drifting":
        return "J falls without end along a flat direction: no learning rate settles"
    if data.outcome == "marginal":
        return f"α = {alpha} is exactly on the boundary: the worst factor is 1"
    if data.outcome == "unstable":
        if data.limit is None:
            return "No learning rate converges"
        return f"α = {alpha} is beyond the limit {format_number(data.limit, 4)}: the error grows"
    if data.chosen_one_minus_rate >= data.best_one_minus_rate * (1 - 1e-3):
        return f"α = {alpha} is the best: worst factor {rate}"
    now = rate_text(data.chosen_one_minus_rate)
    return f"α = {alpha} gives the worst factor {now}; the best, α = {best}, gives {rate}"


def alt(data: RateData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    limit = "none" if data.limit is None else format_number(data.limit, 4)
    return (
        f"{finding(data)}. Factor per step of each direction against the learning rate; largest "
        f"stable learning rate: {limit}."
    )


def caption(data: RateData) -> str:
    """Return how to read the figure."""
    return (
        f"Thin lines: |factor| of single directions under {data.method} as α varies; thick: the "
        "worst. Hatched: the error grows. Ring: the chosen α; star: the best."
    )


def series(data: RateData) -> Series:
    """Return what is drawn, as columns of numbers."""
    for number, value, factor in zip(data.numbers, data.eigenvalues, data.factors, strict=True):
        yield f"direction {number}", {
            "learning_rate": data.learning_rates, "factor": factor, "eigenvalue": value,
        }  # fmt: skip
    yield "worst", {"learning_rate": data.learning_rates, "factor": data.envelope}
    for name, rate, w in (
        ("chosen", data.chosen, data.chosen_one_minus_rate),
        ("best", data.best, data.best_one_minus_rate),
    ):
        yield name, {"learning_rate": rate, "factor": 1 - w}


# -- drawing --------------------------------------------------------------------------------------


@figure(
    number=7,
    of="an analysis",
    answers="why is the best α where it is?",
    data=rate_curve_data,
    width=HALF,
)
def rate_curve(panel: Panel, data: RateData) -> None:
    """Draw the factor per step of every direction against the learning rate."""
    _dress(panel, data)
    placer = Placer(panel.axes)
    _draw(panel.axes, data, placer)
    _name(panel.axes, data, placer)


def _dress(panel: Panel, data: RateData) -> None:
    right = float(data.learning_rates[-1])
    top = min(max(1.35, 1.12 * (1 - data.chosen_one_minus_rate)), 6.0)
    panel.axes.set_xlim(0, right)
    panel.axes.set_ylim(0, top)
    panel.dress(
        finding(data), "learning rate α", "|factor| per step",
        linear_ticks(0, right, 5), linear_ticks(0, top, 6),
    )  # fmt: skip


def _draw(axes: Axes, data: RateData, placer: Placer) -> None:
    left, right = axes.get_xlim()
    axes.axhspan(1, axes.get_ylim()[1], facecolor=UNSTABLE, edgecolor="#b98f7d", hatch="///", lw=0,
                 zorder=0)  # fmt: skip
    axes.axhline(1, color="#9c3f00", lw=0.8, zorder=1)
    for y in np.linspace(1, axes.get_ylim()[1], 15):
        placer.avoid_line([left, right], [y, y], 0.3)
    placer.avoid_line([left, right], [1, 1])
    for factor in data.factors:
        axes.plot(data.learning_rates, factor, color=MUTED, lw=0.7, zorder=2)
        placer.avoid_line(data.learning_rates, factor)
    axes.plot(data.learning_rates, data.envelope, color=data.look.color, lw=2.0, zorder=3)
    placer.avoid_line(data.learning_rates, data.envelope, 1.5)


def _name(axes: Axes, data: RateData, placer: Placer) -> None:
    """Mark and name the chosen and the best learning rate, then the directions."""
    top = axes.get_ylim()[1]
    best, chosen = 1 - data.best_one_minus_rate, 1 - data.chosen_one_minus_rate
    same = abs(data.chosen - data.best) <= 1e-3 * data.best or chosen <= best * (1 + 1e-9)
    star, ring = (data.best, best), (data.chosen, min(chosen, top))
    has_star, has_ring = best < 1, not same or best >= 1
    if has_star:
        axes.plot(*star, marker="*", ms=11, mfc="white", mec=INK, mew=0.9, zorder=6, clip_on=False)
        placer.avoid_box(star, 11, 11)
    if has_ring:
        axes.plot(*ring, marker="o", ms=6.5, mfc="white", mec=INK, mew=1.2, zorder=6, clip_on=False)
        placer.avoid_box(ring, 8, 8)
        placer.place(f"chosen {times_text(data.chosen_one_minus_rate)}", [ring], gap=5)
    if has_star:
        name = "chosen = best" if same else "best"
        placer.place(f"{name} {times_text(data.best_one_minus_rate)}", [star], gap=6)
    one = float(placer.to_points(0, 1)[0, 1])
    region = (placer.left, one, placer.right, placer.top)
    placer.place("grows", [(0, (1 + top) / 2)], color="#8f3e00", gap=2, region=region,
                 leader=False)  # fmt: skip
    last = len(data.numbers) - 1
    named: list[int] = []
    for i in dict.fromkeys([0, last, *range(last)]):
        alike = [j for j in named if np.max(np.abs(data.factors[i] - data.factors[j])) < 0.06]
        if alike and i not in (0, last):
            continue  # two lines that cannot be told apart need one name
        y = data.factors[i]
        seen = (y > 0.02) & (y < min(top * 0.97, 1.001 if i != last else top))
        places = np.column_stack([data.learning_rates, y])[seen][:: max(1, int(seen.sum()) // 40)]
        value = format_number(float(data.eigenvalues[i]), 4)
        if len(places) and not (alike and data.eigenvalues[i] == data.eigenvalues[named[0]]):
            placer.place(f"λ{subscript(data.numbers[i])} = {value}", places, gap=2.5)
            named.append(i)
