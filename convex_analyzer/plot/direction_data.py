"""What figure 6 shows, as plain arrays: each direction's part of the gap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.errors import InputError
from convex_analyzer.plot.style import Look, looks
from convex_analyzer.plot.wording import shown_steps, subscript
from convex_analyzer.tables import format_number

__all__ = ["ErrorByDirectionData", "Group", "Parts", "error_by_direction_data"]

Array = npt.NDArray[np.float64]

_SHOWN = 6  # directions with a picture of their own, or five and the rest
_SAME = 1e-9  # eigenvalues that differ by less, relatively, share one picture
_APART = 30.0  # step counts that differ by more are shown on a logarithmic axis
_ALL = 2000  # steps up to which theory is evaluated at each
_WORK = 200_000  # values of single directions that one curve may cost
_MARKERS = 6  # points of the run in each picture
_HIGHEST = 1e6  # times the first gap: what lies above is cut off


@dataclass(frozen=True)
class Group:
    """Directions that share a picture.

    Attributes
    ----------
    name
        ``q₁ (λ = 0.2)``, or how many there are.
    members
        Their places among the eigenvalues, from 0.
    """

    name: str
    members: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Parts:
    """What one optimizer leaves in each group.

    Attributes
    ----------
    label, look
        Name, and how it is drawn.
    steps, parts
        k, (K,), and each group's part of the gap over the first gap, (K, G); from theory where
        there is one, else from the run.
    run_steps, run_parts
        The same at some points of the run.
    marks
        0, the middle and the end: the step that meets the goal, or else the last one shown.
    shares
        Each group's share of the gap there, (3, G).
    arrives
        Whether the goal is met.
    """

    label: str
    look: Look
    steps: Array
    parts: Array
    run_steps: Array
    run_parts: Array
    marks: tuple[int, int, int]
    shares: Array
    arrives: bool


@dataclass(frozen=True, eq=False)
class ErrorByDirectionData:
    """What figure 6 shows.

    Attributes
    ----------
    groups
        One per picture, the smallest eigenvalue first.
    runs
        One per optimizer.
    log_steps
        Whether steps are on a logarithmic axis.
    last
        Last step that is shown.
    low, high
        Ends of the vertical axis.
    tolerance
        Goal, relative to the first gap.
    saddle
        Whether some part is negative, so that sizes are shown.
    """

    figure: ClassVar[str] = "error_by_direction"

    groups: tuple[Group, ...]
    runs: tuple[Parts, ...]
    log_steps: bool
    last: int
    low: float
    high: float
    tolerance: float
    saddle: bool


def error_by_direction_data(comparison: Comparison) -> ErrorByDirectionData:
    """Return what figure 6 shows, without drawing.

    Raises
    ------
    InputError
        Not a comparison; there is no critical point; the start is one; only the ends of the
        spectrum are known.

    Examples
    --------
    >>> import convex_analyzer as ca
    >>> data = error_by_direction_data(ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.4)]))
    >>> data.runs[0].shares.round(2)  # at the start, half-way and at the goal
    array([[0.05, 0.95],
           [1.  , 0.  ],
           [1.  , 0.  ]])
    """
    _check(comparison)
    spectrum = comparison.spectrum
    first = _parts_of_points(comparison, comparison.start[None, :])[0]
    total = float(np.abs(first).sum())
    if not total > 0:
        raise InputError(
            "the start is a critical point already, so there is no error to take apart",
            argument="comparison",
            hint="compare(..., start=...) from another point",
        )
    counts = [_end(entry) for entry in comparison.entries]
    last = max(counts)
    log_steps = last > _APART * min(counts) and last > 100
    found = [_curve(comparison, entry, last, log_steps, total) for entry in comparison.entries]
    groups = _grouped(spectrum.eigenvalues, [shares for *_, shares in found])
    styles = looks(
        [entry.optimizer for entry in comparison.entries],
        [bool(entry.analysis is not None and entry.analysis.tuned) for entry in comparison.entries],
    )
    gather = np.zeros((len(spectrum.eigenvalues), len(groups)))
    for g, group in enumerate(groups):
        gather[list(group.members), g] = 1.0
    runs = tuple(
        Parts(entry.label, look, steps, _gathered(parts, gather), run_steps,
              _gathered(run_parts, gather), marks, shares @ gather,
              shown_steps(entry) is not None)
        for entry, look, (steps, parts, run_steps, run_parts, marks, shares) in zip(
            comparison.entries, styles, found, strict=True)
    )  # fmt: skip
    low, high = _range(runs, comparison.tolerance)
    return ErrorByDirectionData(
        groups, runs, log_steps, last, low, high, comparison.tolerance, spectrum.lambda_min < 0
    )


def _check(comparison: Any) -> None:
    if not isinstance(comparison, Comparison):
        raise InputError(
            f"error_by_direction needs a comparison, got {type(comparison).__name__}",
            argument="comparison",
            hint="compare(problem, [optimizers]) makes one",
        )
    if comparison.problem.critical_point is None:
        raise InputError(
            "J has no critical point (it falls without end along a flat direction), so there is no "
            "error to take apart",
            argument="comparison",
            hint="a small l2 penalty, or another b, gives it one",
        )
    if comparison.spectrum.is_interval:
        raise InputError(
            "only the ends of the spectrum are known, so the error has no directions to be taken "
            "apart along",
            argument="comparison",
            hint="give A as a dense array, whose eigenvectors are computed",
        )


def _parts_of_points(comparison: Comparison, points: Array) -> Array:
    """Return ½ λ z² along every direction, (K, n), of points (K, d)."""
    spectrum, centre = comparison.spectrum, np.asarray(comparison.problem.critical_point)
    with np.errstate(all="ignore"):
        away = points - centre
        z = np.stack([spectrum.to_eigenbasis(row) for row in away])
        return np.asarray(spectrum.eigenvalues * z * z / 2)


def _gathered(parts: Array, gather: Array) -> Array:
    """Add up the parts of each group; what is not finite is left out of the picture."""
    with np.errstate(all="ignore"):
        usable = np.where(np.isfinite(parts), parts, 0.0) @ gather
        usable[~np.isfinite(parts).all(axis=1)] = np.nan
    return np.asarray(usable)


def _is_noisy(entry: Entry) -> bool:
    return entry.trajectory.noise is not None or entry.optimizer.random


def _end(entry: Entry) -> int:
    """Return the last step that is shown of an optimizer."""
    found = entry.simulated_steps if _is_noisy(entry) else shown_steps(entry)
    if found is not None:
        return max(1, found)
    finite = np.flatnonzero(np.isfinite(entry.gap))
    return max(1, int(entry.steps[finite[-1]]) if finite.size else 1)


def _curve(
    comparison: Comparison, entry: Entry, last: int, log_steps: bool, total: float
) -> tuple[Array, Array, Array, Array, tuple[int, int, int], Array]:
    """Return steps and parts (K, n), the same of the run, three steps, and the shares there."""
    end = _end(entry)
    recorded = entry.steps.astype(int)
    rows = np.flatnonzero(recorded <= last)
    goals = np.linspace(0, 1, _MARKERS + 1)[1:] * math.log1p(last) if log_steps else None
    wanted = np.expm1(goals) if goals is not None else np.linspace(0, last, _MARKERS + 1)[1:]
    chosen = rows[np.unique(np.minimum(np.searchsorted(recorded[rows], wanted), len(rows) - 1))]
    run_parts = _parts_of_points(comparison, entry.trajectory.theta[chosen]) / total
    marks = (0, end // 2, end)
    theory = None if _is_noisy(entry) else entry.analysis
    if theory is not None:
        steps = _steps(last, log_steps, comparison.spectrum.dimension)
        with np.errstate(all="ignore"):
            parts = theory.gap_by_direction(comparison.start, steps) / total
            three = theory.gap_by_direction(comparison.start, np.array(marks, dtype=float))
    else:
        most = max(2, _WORK // comparison.spectrum.dimension)
        some = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int))]
        steps = recorded[some].astype(float)
        parts = _parts_of_points(comparison, entry.trajectory.theta[some]) / total
        near = [int(np.argmin(np.abs(recorded - mark))) for mark in marks]
        marks = (0, int(recorded[near[1]]), int(recorded[near[2]]))
        three = _parts_of_points(comparison, entry.trajectory.theta[near])
    return steps, parts, recorded[chosen].astype(float), run_parts, marks, _shares(three)


def _shares(parts: Array) -> Array:
    """Return each direction's share of the sizes, (3, n); of a gap that is zero, that before it."""
    size = np.abs(parts)
    totals = size.sum(axis=1)
    shares = np.zeros_like(size)
    for row, total in enumerate(totals):
        known = 0 < total < math.inf
        shares[row] = size[row] / total if known else shares[max(row - 1, 0)]
    return shares


def _steps(last: int, log_steps: bool, dimension: int) -> Array:
    """Return step counts that show a curve: all, or neighbours in each of many columns."""
    if last <= min(_ALL, max(60, _WORK // dimension)):
        return np.arange(last + 1.0)
    columns = int(min(250, max(30, _WORK // dimension // 2)))
    edges = np.geomspace(1, last, columns) if log_steps else np.linspace(0, last, columns)
    return np.unique(np.floor(np.minimum(np.concatenate([[0.0], edges, edges + 1]), last)))


def _grouped(values: Array, shares: list[Array]) -> tuple[Group, ...]:
    """Return which directions share a picture: equal eigenvalues; the least important together."""
    curved = np.flatnonzero(values)
    if not curved.size:
        return ()
    known = values[curved]
    apart = np.abs(np.diff(known)) > _SAME * np.abs(known[1:])
    begins = np.concatenate([[0], np.flatnonzero(apart) + 1])
    ends = np.append(begins[1:], len(curved))

    def members(group: int) -> tuple[int, ...]:
        return tuple(curved[begins[group] : ends[group]].tolist())

    if len(begins) <= _SHOWN:
        each = [members(group) for group in range(len(begins))]
        return tuple(Group(_name(list(some), values), some) for some in each)
    weight = np.max(np.concatenate(shares), axis=0)
    order = np.argsort(-np.add.reduceat(weight[curved], begins), kind="stable")
    kept = [members(int(group)) for group in np.sort(order[: _SHOWN - 1])]
    rest = tuple(np.setdiff1d(curved, np.concatenate(kept)).tolist())
    named = [Group(_name(list(some), values), some) for some in kept]
    return (*named, Group(f"the other {len(rest)} directions", rest))


def _name(members: list[int], values: Array) -> str:
    lam = f"λ = {format_number(float(values[members[0]]), 4)}"
    first = f"q{subscript(members[0] + 1)}"
    if len(members) == 1:
        return f"{first} ({lam})"
    return f"{first}–q{subscript(members[-1] + 1)} ({lam})"


def _range(runs: tuple[Parts, ...], tolerance: float) -> tuple[float, float]:
    values = np.abs(np.concatenate([run.parts.ravel() for run in runs]))
    values = values[np.isfinite(values) & (values > 0)]
    largest = float(values.max(initial=1.0))
    high = min(max(2.0, 1.5 * largest), _HIGHEST)
    arrive = any(run.arrives for run in runs)
    low = tolerance / 30 if arrive else max(tolerance / 30, float(values.min(initial=1.0)) / 2)
    return min(low, high / 100), high
