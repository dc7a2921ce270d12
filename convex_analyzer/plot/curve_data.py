"""What the gap curves of figure 3 show, as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.comparison.limit import krylov_gaps
from convex_analyzer.plot.style import Look, looks
from convex_analyzer.plot.wording import shown_steps

__all__ = ["Curve", "GapCurvesData", "decimate", "gap_curves_data"]

Array = npt.NDArray[np.float64]

_APART = 30.0  # step counts that differ by more are shown on a logarithmic axis
_COLUMNS = 300  # columns of the picture: of each, the least and the largest value are drawn
_WORK = 400_000  # values of single directions that one curve may cost
_FEWEST = 40  # steps at which theory is evaluated at least
_AT_ONCE = 2_000_000  # values of single directions held at once
_MARKERS = 11
_LIMIT = 3  # times its steps to the goal, as far the limit curve is followed
_HIGHEST = 1e6  # times the first gap: what lies above is cut off


@dataclass(frozen=True, eq=False)
class Curve:
    """The gap of one optimizer.

    Attributes
    ----------
    label, look
        Name, and how it is drawn.
    steps, gap
        From theory (the bound, when only the ends of the spectrum are known), relative to the first
        gap; empty when the rule has none.
    run_steps, run_gap
        From the run, every recorded step, relative to its first gap.
    markers
        Which of these get a marker.
    reached
        Step at which the gap first meets the tolerance; None if never.
    simulated
        Last step that was run.
    complete
        Whether the run went all the way.
    kind
        ``exact``, ``bound`` or ``simulated``.
    outcome
        As in `Analysis.outcome`; empty without theory.
    """

    label: str
    look: Look
    steps: Array
    gap: Array
    run_steps: Array
    run_gap: Array
    markers: npt.NDArray[np.intp]
    reached: int | None
    simulated: int
    complete: bool
    kind: str
    outcome: str


@dataclass(frozen=True, eq=False)
class GapCurvesData:
    """What figure 3 shows.

    Attributes
    ----------
    curves
        One per optimizer.
    log_steps
        Whether steps are on a logarithmic axis.
    last
        Last step that is shown.
    tolerance
        Goal, relative to the first gap.
    low, high
        Ends of the vertical axis.
    quantity
        What is drawn: ``gap``, ``size of the gap`` (a saddle) or ``descent`` (no critical point).
    deviation
        Largest deviation of a run from its theory; None when nothing was compared.
    confirmed
        Whether no run contradicts its theory.
    limit
        Steps and gaps (2, K) that no method of past gradients can undercut; None without one.
    noisy
        Whether gradients are noisy in the runs, and not in the theory.
    """

    figure: ClassVar[str] = "gap_curves"

    curves: tuple[Curve, ...]
    log_steps: bool
    last: int
    tolerance: float
    low: float
    high: float
    quantity: str
    deviation: float | None
    confirmed: bool
    limit: Array | None = None
    noisy: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no gap is ever positive, so that a logarithmic axis has nothing to show."""
        return not any(np.any(c.gap > 0) or np.any(c.run_gap > 0) for c in self.curves)


def gap_curves_data(comparison: Comparison) -> GapCurvesData:
    """Return what figure 3 shows, without drawing."""
    entries = comparison.entries
    log_steps, last = _range_of_steps(entries)
    quantity = _quantity(comparison)
    tuned = [bool(e.analysis is not None and e.analysis.tuned) for e in entries]
    styles = looks([entry.optimizer for entry in entries], tuned)
    curves = tuple(
        _curve(comparison, entry, look, last, log_steps, quantity, (rank, len(entries)))
        for rank, (entry, look) in enumerate(zip(entries, styles, strict=True))
    )
    low, high = _range_of_gaps(curves, comparison.tolerance, quantity)
    if all(curve.reached is None for curve in curves):
        last = _last_seen(curves, high, last)
    deviations = [entry.deviation for entry in entries if entry.deviation is not None]
    return GapCurvesData(
        curves=curves,
        log_steps=log_steps,
        last=last,
        tolerance=comparison.tolerance,
        low=low,
        high=high,
        quantity=quantity,
        deviation=max(deviations, default=None),
        confirmed=comparison.confirmed,
        limit=_limit(comparison, last, low),
        noisy=any(entry.trajectory.noise is not None for entry in entries),
    )


def _limit(comparison: Comparison, last: int, low: float) -> Array | None:
    """Return the limit curve down to the lower edge of the picture."""
    reached = comparison.krylov_limit
    if not reached:
        return None
    steps = np.arange(min(last, _LIMIT * reached) + 1.0)
    gaps = krylov_gaps(comparison, steps)
    if gaps is None:
        return None
    end = int(np.argmax(gaps < low)) + 1 if (gaps < low).any() else len(gaps)
    return np.stack([steps[:end], gaps[:end]])


def _range_of_steps(entries: tuple[Entry, ...]) -> tuple[bool, int]:
    """Return whether the axis is logarithmic, and the last step that is shown."""
    counts = []
    for entry in entries:
        count, run = shown_steps(entry), int(entry.steps[-1])
        counts.append(max(1, run if count is None else math.ceil(1.05 * count)))
    last = max(counts)
    return last > _APART * min(counts) and last > 100, max(last, 1)


def _quantity(comparison: Comparison) -> str:
    if comparison.problem.critical_point is None:
        return "descent"
    return "size of the gap" if comparison.spectrum.lambda_min < 0 else "gap"


def _curve(
    comparison: Comparison,
    entry: Entry,
    look: Look,
    last: int,
    log_steps: bool,
    quantity: str,
    rank: tuple[int, int],
) -> Curve:
    run = _relative(entry.gap, entry.gap[0], quantity)
    steps, gap, kind = np.empty(0), np.empty(0), "simulated"
    if entry.analysis is not None:
        steps = _chosen_steps(last, log_steps, entry)
        kind = "bound" if comparison.spectrum.is_interval else "exact"
        steps, gap = _theory(comparison, entry, steps, quantity)
    run_steps = entry.steps.astype(float)
    shown = run_steps <= last
    return Curve(
        label=entry.label,
        look=look,
        steps=steps,
        gap=gap,
        run_steps=run_steps[shown],
        run_gap=run[shown],
        markers=_marked(run_steps[shown], log_steps, last, rank),
        reached=shown_steps(entry),
        simulated=int(entry.steps[-1]),
        complete=entry.complete,
        kind=kind,
        outcome="" if entry.analysis is None else entry.analysis.outcome,
    )


def _relative(gap: Array, first: float, quantity: str) -> Array:
    """Return gaps as they are drawn: relative to the first; not a number where negative."""
    with np.errstate(all="ignore"):
        values = first - gap if quantity == "descent" else gap / abs(first) if first else gap
        values = np.abs(values) if quantity == "size of the gap" else values
        return np.where((values >= 0) & np.isfinite(values), values, np.nan)


def _chosen_steps(last: int, log_steps: bool, entry: Entry) -> Array:
    """Return the steps at which theory is evaluated, ascending: all, or a few of each column."""
    assert entry.analysis is not None
    budget = max(_FEWEST, _WORK // len(entry.analysis.modes.eigenvalues))
    if last + 1 <= min(budget, 8 * _COLUMNS):
        return np.arange(last + 1.0)
    columns, end = min(_COLUMNS, budget), float(last)
    each = max(1, min(6, budget // columns))
    edges = np.geomspace(1, end, columns) if log_steps else np.linspace(0, end, columns)
    wide = np.diff(edges)
    # Neighbouring steps see both signs of an oscillation, distant ones its whole period.
    inside = [edges[:-1] + share * wide for share in np.linspace(0, 1, each, endpoint=False)]
    beside = [edges[:-1] + 1.0] if each > 1 else []
    steps = np.concatenate([[0.0], *inside, *beside, edges[-1:]])
    return np.unique(np.floor(np.minimum(steps, end)))


def _theory(
    comparison: Comparison, entry: Entry, steps: Array, quantity: str
) -> tuple[Array, Array]:
    analysis = entry.analysis
    assert analysis is not None
    if comparison.spectrum.is_interval:
        return decimate(steps, np.asarray(analysis.worst_error(steps)) ** 2, steps[-1])
    size = max(1, _AT_ONCE // comparison.spectrum.dimension)
    pieces = [
        np.asarray(analysis.gap(comparison.start, steps[first : first + size]))
        for first in range(0, len(steps), size)
    ]
    gap = np.concatenate(pieces)
    return decimate(steps, _relative(gap, float(gap[0]), quantity), steps[-1])


def decimate(steps: Array, values: Array, last: float) -> tuple[Array, Array]:
    """Keep the least and the largest value in each column of the picture.

    Examples
    --------
    >>> k = np.arange(1e6)
    >>> x, y = decimate(k, 2 + np.cos(k), 1e6)
    >>> len(x) <= 2 * 300 + 2, round(float(y.max()), 3), round(float(y.min()), 3)
    (True, 3.0, 1.0)
    """
    if len(steps) <= 8 * _COLUMNS and last <= 8 * _COLUMNS:
        return steps, values
    even = len(steps) > 2 and steps[2] - steps[1] == steps[-1] - steps[-2]
    place = steps / last if even else np.log1p(steps) / math.log1p(last)
    column = np.minimum((place * _COLUMNS).astype(int), _COLUMNS - 1)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    low = np.where(np.isfinite(values), values, np.inf)
    high = np.where(np.isfinite(values), values, -np.inf)
    order = np.arange(len(values))
    kept = [0, len(values) - 1]
    for a, b in pairwise([*first, len(values)]):
        kept += [int(order[a:b][np.argmin(low[a:b])]), int(order[a:b][np.argmax(high[a:b])])]
    chosen = np.unique(kept)
    return steps[chosen], values[chosen]


def _marked(
    steps: Array, log_steps: bool, last: int, rank: tuple[int, int]
) -> npt.NDArray[np.intp]:
    """Return which recorded steps get a marker, shifted so that those of two runs do not meet."""
    shift = (rank[0] + 0.5) / rank[1]
    shares = (np.arange(_MARKERS) + shift) / _MARKERS
    goals = np.expm1(shares * math.log1p(last)) if log_steps else shares * last
    goals = goals[goals <= steps[-1] * (1 + 1e-9)]
    found = np.searchsorted(steps, goals)
    first = [0] if rank[0] == 0 else []
    return np.unique(np.append(np.minimum(found, len(steps) - 1), first)).astype(np.intp)


def _range_of_gaps(
    curves: tuple[Curve, ...], tolerance: float, quantity: str
) -> tuple[float, float]:
    values = np.concatenate([np.concatenate([c.gap, c.run_gap]) for c in curves])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return tolerance / 10, 10.0
    smallest, largest = float(values.min()), float(values.max())
    if quantity == "descent":
        return max(smallest, largest * 1e-6) / 2, largest * 2
    high = min(max(2.0, largest * 1.5), _HIGHEST)
    reached = any(curve.reached is not None for curve in curves)
    low = tolerance / 30 if reached or smallest < tolerance else max(tolerance, smallest) / 2
    return min(low, high / 100), high


def _last_seen(curves: tuple[Curve, ...], high: float, last: int) -> int:
    """Return the step at which the last diverging curve leaves the picture."""
    seen = [1.0]
    for curve in curves:
        for steps, gap in ((curve.steps, curve.gap), (curve.run_steps, curve.run_gap)):
            seen.append(float(np.max(steps[gap <= high], initial=0.0)))
    return min(last, math.ceil(1.05 * max(seen)) + 1)
