"""When a run that diverges shows it: falling losses that turn, saddles that rounding leaves.

A falling loss does not certify α < 2/λmax. The direction that grows may start so small that the
others, which shrink, hide it for hundreds of steps; and a start exactly on the stable manifold of a
saddle stays there only until rounding has put something into the growing direction.

Source: elementary; the turn is the sign change of a sum of exponentials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count, format_factor, format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.pairs import log_rates

__all__ = ["Escape", "Turn", "hidden_instability", "round_off_escape"]

Array = npt.NDArray[np.float64]

_AFFORDABLE = 20_000_000  # entries of a curve that a scan may cost
_SEEDS = (1e-18, 1e-15)  # what rounding leaves along a direction, relative to the start
_LATEST = 2**60


@dataclass(frozen=True, eq=False)
class Turn(Result):
    """Where the loss of a diverging run is lowest.

    Attributes
    ----------
    step
        The step with the lowest loss; 0 when it rises from the start, None when it never turns.
    fraction
        The gap there, over the gap of the start; None when it never turns, or when the gap of a
        saddle has another sign than a loss.
    eigenvalue
        Of the direction that takes over; None when it never turns.
    growth
        Factor of the loss per step in the end; None when it never turns.
    kind
        ``exact`` (bisection on the exact condition) or ``numerical`` (exact losses, scanned).
    words
        One sentence or two.
    """

    schema: ClassVar[str] = "convex_analyzer.turn/1"

    step: int | None
    fraction: float | None
    eigenvalue: float | None
    growth: float | None
    kind: str
    words: str

    @property
    def hidden(self) -> bool:
        """Whether the loss falls first, although the run diverges."""
        return bool(self.step)

    def summary(self) -> Table:
        """Return the turn as a table."""
        rows = (
            ("lowest loss at step", format_count(self.step)),
            ("gap there / gap of the start", format_number(self.fraction)),
            ("eigenvalue λ that takes over", format_number(self.eigenvalue)),
            ("loss per step in the end", f"×{format_number(self.growth)}" if self.growth else "–"),
            ("kind", self.kind),
        )
        return Table(("quantity", "value"), rows, title="hidden instability", notes=(self.words,))


def hidden_instability(analysis: Analysis, start: Any) -> Turn:
    """Return the step at which the loss of a diverging run is lowest, and turns for good.

    Parameters
    ----------
    analysis
        A rule that is linear.
    start
        θ₀, shape (d,).

    Raises
    ------
    NotDerivableError
        The rule is not linear, or changes with the step index.

    Notes
    -----
    For a rule without memory on a convex problem the loss is a sum of exponentials with positive
    weights, convex in k, so that the first rise is the turn: the first k where
    Σ ½ λ x₀² (f² - 1) f^(2k) > 0. Both signs of that sum are monotone in k, so it is bisected, in
    logarithms, for any k. A rule with memory ripples on the way down; its exact losses are scanned
    for the lowest.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([0.01, 1.0]), GradientDescent(2.05))
    >>> hidden_instability(rule, [10.0, 1e-6]).step
    193
    """
    if analysis.scope != "global":
        raise NotDerivableError(
            f"{type(analysis.optimizer).__name__} has no single map that holds everywhere, so the "
            "turn of its loss has no closed form; gap or simulate shows it"
        )
    excited = np.abs(analysis.errors(start, [0, 1, 2])).max(axis=0) > 0
    growing = (analysis.modes.one_minus_rate < 0) & excited
    flat = analysis.modes.eigenvalues == 0
    if not (growing & ~flat).any():
        return _never(_why_not(analysis, growing))
    log = np.where(growing & ~flat, log_rates(analysis.modes), -np.inf)
    last = int(np.argmax(log))
    if analysis.modes.eigenvalues[last] < 0:
        return _never(
            "A direction of negative curvature grows fastest: the loss falls without end, and "
            "never turns."
        )
    step, kind = _bisected(analysis, start, excited), "exact"
    if step is None:
        step, kind = _scanned(analysis, start, float(log[last])), "numerical"
    first, lowest = (float(gap) for gap in analysis.gap(start, [0, step]))
    fraction = lowest / first if 0 <= lowest <= first and first > 0 else None
    eigenvalue = float(analysis.modes.eigenvalues[last])
    excess = math.expm1(min(2 * float(log[last]), 700.0))
    words = _words(step, fraction, eigenvalue, format_factor(1 + excess, -excess, 5))
    return Turn(step, fraction, eigenvalue, 1 + excess, kind, words)


def _never(words: str) -> Turn:
    return Turn(None, None, None, None, "exact", words)


def _why_not(analysis: Analysis, growing: npt.NDArray[np.bool_]) -> str:
    if growing.any() or analysis.outcome == "drifting":
        return "The loss falls without end along a flat direction, and never turns."
    if analysis.outcome != "unstable":
        return "No direction grows: the loss does not turn for good."
    return (
        "The start has no part along the directions that grow: in exact arithmetic the loss never "
        "turns. Rounding puts one there (see round_off_escape)."
    )


def _words(step: int, fraction: float | None, eigenvalue: float, growth: str) -> str:
    factor = f"×({growth})" if " " in growth else f"×{growth}"
    where = f"the direction λ = {format_number(eigenvalue, 4)}"
    then = f"{where} grows, the loss {factor} per step in the end"
    if step == 0:
        return f"The loss rises from the start: {then}."
    depth = "" if fraction is None else f", to {format_number(fraction, 3)} of its start,"
    return (
        f"The loss falls for {format_count(step)} steps{depth} before it shows: {then}. A falling "
        "loss does not certify a stable learning rate."
    )


def _bisected(analysis: Analysis, start: Any, excited: npt.NDArray[np.bool_]) -> int | None:
    """Return the first k with J(k+1) > J(k) where that is monotone in k; else None."""
    m = analysis.modes
    flat = m.eigenvalues == 0
    settled = np.abs(m.fixed[:, 0] * m.eigenvalues + 1) < 1e-13  # no weight decay
    if m.slots > 1 or (m.eigenvalues < 0).any() or not (settled | flat).all():
        return None
    if (m.trace[flat] != 1).any():
        return None
    parts = analysis.gap_by_direction(start, [0, 1])[:, flat]
    drop = float(np.sum(parts[0] - parts[1]))  # per step, for ever
    active = (m.eigenvalues > 0) & excited
    logs, w = log_rates(m)[active], m.one_minus_rate[active]
    weights = m.eigenvalues[active] * analysis.errors(start, 0)[active] ** 2
    with np.errstate(divide="ignore"):
        sizes = np.log(weights / 2) + np.log(np.abs(w) * (2 - w))  # f² - 1 = -w (2 - w)
        slope = float(np.log(drop))
    up = w < 0

    def rises(k: int) -> bool:
        with np.errstate(invalid="ignore"):
            terms = np.where(np.isneginf(logs) & (k == 0), sizes, sizes + 2 * k * logs)
        return _log_sum(terms[up]) > _log_sum(np.append(terms[~up], slope))

    if rises(0):
        return 0
    low, high = 0, 1
    while not rises(high):
        low, high = high, 2 * high
        if high > _LATEST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if rises(middle) else (middle, high)
    return high


def _log_sum(logs: Array) -> float:
    """Return the logarithm of a sum of exponentials; minus infinity for none."""
    top = float(np.max(logs, initial=-np.inf))
    return top if math.isinf(top) else top + math.log(float(np.sum(np.exp(logs - top))))


def _scanned(analysis: Analysis, start: Any, log_growth: float) -> int:
    """Return where the exact loss is lowest, looking until it is above the start for a while."""
    initial = abs(float(analysis.gap(start, 0)))
    width = max(64, math.ceil(4 / log_growth))  # the loss grows by e⁸ meanwhile
    end = width
    while end * len(analysis.directions) <= _AFFORDABLE:
        window = np.unique(np.floor(np.linspace(end, end + width, 129)))
        if np.min(analysis.gap(start, window)) > initial:
            return int(np.argmin(analysis.gap(start, np.arange(end + 1.0))))
        end *= 2
    raise NotDerivableError(
        "the growth is so slow that its turn is beyond what can be scanned; gap(start, steps) "
        "gives the loss at any step"
    )


# -- rounding ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Escape(Result):
    """When rounding drives a run off the stable manifold of a saddle.

    Attributes
    ----------
    steps
        ln(1/ε)/ln(growth), with ε = 2.2e-16: a typical number.
    earliest, latest
        For 1e-15 and 1e-18 of the start left by rounding along the growing direction: 19 of 20
        random rotations lie between; where roundings happen to cancel a run stays far longer.
    eigenvalue
        The direction that grows.
    growth
        Its factor per step.
    """

    schema: ClassVar[str] = "convex_analyzer.escape/1"
    kind: ClassVar[str] = "heuristic"

    steps: int
    earliest: int
    latest: int
    eigenvalue: float
    growth: float

    @property
    def words(self) -> str:
        """What it means for a simulation."""
        return (
            f"Started exactly on the stable manifold, a run in float64 leaves the saddle after "
            f"about {format_count(self.steps)} steps ({format_count(self.earliest)} to "
            f"{format_count(self.latest)}), driven by rounding alone; theory and simulation can "
            "be compared only before that. Where the axes are the eigendirections zeros stay "
            "exact, and it never leaves."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, the kind included."""
        return {**super().to_dict(), "kind": self.kind}

    def summary(self) -> Table:
        """Return the escape as a table."""
        rows = (
            ("steps, about", format_count(self.steps)),
            ("window", f"{format_count(self.earliest)} to {format_count(self.latest)}"),
            ("eigenvalue λ", format_number(self.eigenvalue)),
            ("factor per step", format_number(self.growth)),
            ("kind", self.kind),
        )
        return Table(("quantity", "value"), rows, title="round-off escape", notes=(self.words,))


def round_off_escape(analysis: Analysis, reach: float = 1.0) -> Escape | None:
    """Return after how many steps rounding alone makes a run leave a saddle (or diverge).

    Parameters
    ----------
    analysis
        A linear rule.
    reach
        How far away counts as having left, relative to the size of the start.

    Returns
    -------
    Escape or None
        None when no direction grows.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> saddle = analyze(Spectrum.from_eigenvalues([-1.0, 3.0]), GradientDescent(0.1))
    >>> escape = round_off_escape(saddle)
    >>> escape.earliest, escape.steps, escape.latest
    (363, 379, 435)
    """
    if not 0 < reach < math.inf:
        raise InputError(f"reach must be positive and finite, got {reach!r}", argument="reach")
    logs = np.where(analysis.modes.eigenvalues != 0, log_rates(analysis.modes), -np.inf)
    fastest = int(np.argmax(logs))
    log = float(logs[fastest])
    if not log > 0:
        return None
    seeds = (float(np.finfo(float).eps), _SEEDS[1], _SEEDS[0])
    steps, earliest, latest = (max(1, math.ceil(math.log(reach / seed) / log)) for seed in seeds)
    eigenvalue = float(analysis.modes.eigenvalues[fastest])
    return Escape(steps, earliest, latest, eigenvalue, math.exp(min(log, 700.0)))
