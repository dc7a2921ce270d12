"""Figure 8: steps to the goal against the condition number; what momentum buys."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison
from convex_analyzer.errors import InputError
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import HALF, INK, MUTED, Look, look_of, looks
from convex_analyzer.plot.ticks import log_ticks
from convex_analyzer.plot.wording import shown_steps
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.counting import steps_at_rate
from convex_analyzer.theory.limits import krylov_steps

__all__ = [
    "StepsByKappaData",
    "alt",
    "caption",
    "finding",
    "series",
    "steps_by_kappa",
    "steps_by_kappa_data",
]

Array = npt.NDArray[np.float64]

_POINTS = 10  # per decade of κ at most
_MOST = 60  # points of a curve
_DIRECT = 6  # dots up to which each is named
_TOLERANCE = 1e-6  # of an analysis, which brings none
_LONG = 138  # letters that the title has room for
_NEVER = 2.0**62
_DESCENT = Look("#D55E00", "-", "o")
_MOMENTUM = Look("#0072B2", (0, (4.5, 1.5)), "s")


@dataclass(frozen=True)
class Dot:
    """One optimizer on this problem.

    Attributes
    ----------
    label, look
        Name, and how it is drawn.
    steps
        To the goal, from its start; None when it never arrives.
    tuned
        Whether its settings were chosen for this spectrum.
    """

    label: str
    look: Look
    steps: int | None
    tuned: bool


@dataclass(frozen=True, eq=False)
class StepsByKappaData:
    """What figure 8 shows.

    Attributes
    ----------
    kappas
        (K,), this problem's among them.
    descent, momentum, limit
        Steps from the worst start, (K,): gradient descent and heavy ball, each tuned for its κ, and
        what no method that adds up past gradients undercuts.
    kappa
        Of this problem.
    here
        The three at this κ.
    dots
        This problem's optimizers, from the start of the comparison; of an analysis from the worst.
    tolerance
        Goal, relative to the first gap.
    """

    figure: ClassVar[str] = "steps_by_kappa"

    kappas: Array
    descent: Array
    momentum: Array
    limit: Array
    kappa: float
    here: tuple[float, float, float]
    dots: tuple[Dot, ...]
    tolerance: float


def steps_by_kappa_data(result: Comparison | Analysis) -> StepsByKappaData:
    """Return what figure 8 shows, without drawing.

    Raises
    ------
    InputError
        Neither a comparison nor an analysis; there is no minimum, or no curvature.

    Examples
    --------
    >>> import convex_analyzer as ca
    >>> data = steps_by_kappa_data(ca.compare(ca.gallery.toy()))
    >>> round(data.kappa), data.here  # gradient descent, heavy ball, the limit
    (20, (70.0, 24.0, 17.0))
    """
    if not isinstance(result, (Comparison, Analysis)):
        raise InputError(
            f"steps_by_kappa needs a comparison or an analysis, got {type(result).__name__}",
            argument="result",
            hint="compare(problem, [optimizers]) or analyze(problem, optimizer) makes one",
        )
    kappa = _kappa(result.spectrum)
    if isinstance(result, Comparison):
        tolerance, dots = result.tolerance, _dots_of(result)
    else:
        tolerance = _TOLERANCE
        count = result.steps_to(tolerance)
        dots = (Dot(type(result.optimizer).__name__, look_of(result.optimizer), count,
                    bool(result.tuned)),)  # fmt: skip
    top = 10.0 ** max(3, math.ceil(math.log10(kappa) + 0.7))
    count = min(_MOST, int(_POINTS * math.log10(top)) + 1)
    kappas = np.unique(np.append(np.geomspace(1.0, top, count), kappa))
    curves = _curves(tuple(kappas.tolist()), tolerance)
    at = int(np.searchsorted(kappas, kappa))
    return StepsByKappaData(
        kappas,
        *curves,
        kappa,
        (float(curves[0][at]), float(curves[1][at]), float(curves[2][at])),
        dots,
        tolerance,
    )


def _kappa(spectrum: Spectrum) -> float:
    if spectrum.lambda_min < 0:
        raise InputError(
            f"λ = {format_number(spectrum.lambda_min, 4)} is negative, so J has no minimum, and no "
            "number of steps reaches one",
            argument="result",
            hint="steps against κ need a convex problem",
        )
    kappa = spectrum.condition_number
    if kappa is None or not math.isfinite(kappa):
        raise InputError(
            "J has no curvature, so there is no condition number", argument="result",
            hint="steps against κ need an A other than zero",
        )  # fmt: skip
    return max(1.0, float(kappa))


def _dots_of(comparison: Comparison) -> tuple[Dot, ...]:
    entries = comparison.entries
    tuned = [bool(e.analysis is not None and e.analysis.tuned) for e in entries]
    styles = looks([entry.optimizer for entry in entries], tuned)
    return tuple(
        Dot(entry.label, look, shown_steps(entry), bool(entry.tuned))
        for entry, look in zip(entries, styles, strict=True)
    )


# -- counts ----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def _curves(kappas: tuple[float, ...], tolerance: float) -> tuple[Array, Array, Array]:
    counters: tuple[Callable[[float, float], float], ...] = (_descent, _momentum, _limit)
    found = [np.array([count(kappa, tolerance) for kappa in kappas]) for count in counters]
    return found[0], found[1], found[2]


def _descent(kappa: float, tolerance: float) -> float:
    """Return the steps of α = 2/(m + L): the gap falls by ρ² with ρ = (κ - 1)/(κ + 1)."""
    found = steps_at_rate(2 / (kappa + 1), math.sqrt(tolerance))
    return float(found) if found is not None else _NEVER


def _momentum(kappa: float, tolerance: float) -> float:
    """Return the steps of Polyak's heavy ball from rest: (1 + k(1 + r)) rᵏ ≤ √tolerance.

    r = (√κ - 1)/(√κ + 1) is a double root at both ends of the spectrum; at λmax, where the first
    step overshoots, the error is the largest: it rises once and falls from there, so that it meets
    the goal once.
    """
    near = 2 / (math.sqrt(kappa) + 1)  # 1 - r
    if near >= 1:
        return 1.0
    log_r, goal = math.log1p(-near), math.log(tolerance) / 2 + 1e-14

    def above(k: int) -> bool:
        return math.log1p(k * (2 - near)) + k * log_r > goal

    high = 1
    while above(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if above(middle) else (low, middle)
    return float(high)


def _limit(kappa: float, tolerance: float) -> float:
    found = krylov_steps(1.0, kappa, tolerance, "gap")
    return float(max(1, found)) if found is not None else _NEVER


# -- words -----------------------------------------------------------------------------------------


def finding(data: StepsByKappaData) -> str:
    """Return what momentum buys at this κ, in a sentence with numbers."""
    plain, with_momentum = _counts(data)
    kappa = format_number(data.kappa, 4)
    if plain <= with_momentum:
        return f"At κ = {kappa} momentum buys nothing: {_steps(plain)} without it"
    ratio = format_number(plain / with_momentum, 3)
    text = (
        f"At κ = {kappa} momentum buys a factor {ratio}: {format_count(with_momentum)} steps "
        f"instead of {format_count(plain)}"
    )
    lost = [dot.label for dot in data.dots if dot.steps is None]
    more = f"{text}; {lost[0]} as chosen never arrives" if len(lost) == 1 else text
    return more if len(more) < _LONG else text


def _counts(data: StepsByKappaData) -> tuple[float, float]:
    """Return the steps without and with momentum: those of the runs, or from the worst start."""
    best = {dot.label: dot.steps for dot in data.dots if dot.tuned and dot.steps}
    momentum = [best[name] for name in ("HeavyBall", "Nesterov") if name in best]
    if "GradientDescent" in best and momentum:
        return best["GradientDescent"], min(momentum)
    return data.here[:2]


def _steps(count: float) -> str:
    return f"{format_count(count)} step{'' if count == 1 else 's'}"


def _said(dot: Dot) -> str:
    return f"{dot.label} {'never arrives' if dot.steps is None else _steps(dot.steps)}"


def alt(data: StepsByKappaData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    said = "; ".join(_said(dot) for dot in data.dots)
    return (
        f"{finding(data)}. Steps grow in proportion to κ without momentum, and to its square root "
        f"with it; none needs fewer than {format_count(data.here[2])} in the worst case. Here: "
        f"{said}."
    )


def caption(data: StepsByKappaData) -> str:
    """Return how to read the figure."""
    return (
        f"Steps to a gap of ×{format_number(data.tolerance)}. Lines: exact counts from the worst "
        "start, tuned for every κ. Filled: this problem, tuned; hollow: as chosen, from the start "
        "at hand, which may be kinder. Grey: no method that adds up past gradients needs fewer."
    )


def series(data: StepsByKappaData) -> Series:
    """Return the numbers: the curves, and the dots."""
    yield (
        "curves",
        {
            "condition number": data.kappas,
            "gradient descent": data.descent,
            "heavy ball": data.momentum,
            "Krylov limit": data.limit,
        },
    )
    yield (
        "this problem",
        {
            "optimizer": [dot.label for dot in data.dots],
            "condition number": [data.kappa for _ in data.dots],
            "steps": [dot.steps for dot in data.dots],
        },
    )


# -- drawing ---------------------------------------------------------------------------------------


@figure(
    number=8,
    of="a comparison or an analysis",
    answers="what does momentum buy at this κ?",
    data=steps_by_kappa_data,
    width=HALF,
)
def steps_by_kappa(panel: Panel, data: StepsByKappaData) -> None:
    """Draw steps to the goal against κ, with and without momentum, and this problem's."""
    axes = panel.axes
    counts = [dot.steps for dot in data.dots if dot.steps]
    left, right = 0.75, float(data.kappas[-1])
    top = max([float(data.descent[-1]), *(1.6 * count for count in counts)]) * 1.5
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(0.7, top)
    ylabel = f"steps to ×{format_number(data.tolerance)} of the gap"
    panel.dress(finding(data), "condition number κ", ylabel, log_ticks(left, right, 6),
                log_ticks(0.7, top, 6))  # fmt: skip
    placer = Placer(axes)
    lines = (
        ("gradient descent: slope 1", data.descent, _DESCENT),
        ("momentum: slope ½", data.momentum, _MOMENTUM),
        ("Krylov limit", data.limit, None),
    )
    for name, counted, look in lines:
        color, dash = (look.color, look.dash) if look else (MUTED, (0, (1, 1.2)))
        axes.plot(data.kappas, counted, color=color, ls=dash, lw=1.2 if look else 1.0, zorder=3)
        placer.avoid_line(data.kappas, counted, owner=name)
    axes.axvline(data.kappa, color=MUTED, lw=0.6, ls=(0, (1, 2)), zorder=1)
    placer.avoid_line([data.kappa] * 2, [0.7, top], weight=0.5)
    _draw_dots(axes, data, placer)
    _name_dots(data, placer, top)
    for name, counted, look in lines:
        placer.place(name, np.column_stack([data.kappas, counted])[1:], gap=3, owner=name,
                     color=look.ink if look else MUTED)  # fmt: skip
    spots = [(data.kappa, float(y)) for y in np.geomspace(0.8, top / 1.2, 20)]
    placer.place(f"κ = {format_number(data.kappa, 4)}", spots, color=INK, gap=2, leader=False)


def _draw_dots(axes: Any, data: StepsByKappaData, placer: Placer) -> None:
    for dot in data.dots:
        if dot.steps is None:
            continue
        y = max(dot.steps, 1)
        axes.plot([data.kappa], [y], ls="", marker=dot.look.marker, ms=5.0, mew=1.1, zorder=6,
                  mec=dot.look.color, mfc=dot.look.color if dot.tuned else "white")  # fmt: skip
        placer.avoid_markers([data.kappa], [y], 7)


def _name_dots(data: StepsByKappaData, placer: Placer, top: float) -> None:
    """Name the dots, and say who never arrives; of many only the best and the worst."""
    arriving = sorted((dot for dot in data.dots if dot.steps is not None),
                      key=lambda dot: dot.steps or 0)  # fmt: skip
    if len(arriving) > _DIRECT:
        arriving = [arriving[0], arriving[-1]]
    for dot in arriving:
        text = f"{dot.look.glyph} {_short(dot.label)}: {format_count(dot.steps)}"
        placer.place(text, [(data.kappa, max(dot.steps or 1, 1))], color=dot.look.ink, gap=5)
    lost = [dot for dot in data.dots if dot.steps is None]
    if lost:
        name = f"{lost[0].look.glyph} {_short(lost[0].label)}" if len(lost) == 1 else f"{len(lost)}"
        placer.place(f"{name} never", [(data.kappa, top / 1.4)], gap=4, leader=False,
                     color=lost[0].look.ink if len(lost) == 1 else INK)  # fmt: skip


def _short(label: str, most: int = 18) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
