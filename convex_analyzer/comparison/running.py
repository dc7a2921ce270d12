"""Running one optimizer: how long, what to record, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison.confirmation import (
    against_bound,
    against_products,
    against_theory,
    count,
    measured_gap,
    merged,
)
from convex_analyzer.comparison.results import Entry
from convex_analyzer.comparison.slices import simulate_in_slices
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.noise import Noise
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_count
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.local import LATE
from convex_analyzer.theory.wording import limit_sentence

__all__ = ["MOST_STEPS", "Request", "run"]

Array = npt.NDArray[np.float64]

MOST_STEPS = 1_000_000  # a run that needs more is predicted, and not started
WORK = 5e9  # multiplications that one run may cost
PREFIX = 1000  # steps over which theory is checked when the whole run is too long
SHORTEST = 100  # the same where a step is dear
PREFIX_WORK = 5e8  # multiplications that so short a run may cost
_ALL_ROWS = 2000  # up to this many steps every point is recorded
_FACTORS = 20_000  # steps of a changing rule that are multiplied out for a comparison
_CHANGING = {"periodic", "asymptotic", "product"}
_COARSE = 50  # even points of a curve below which only the goal and the step before are added
_ELEMENTS = 20_000_000  # numbers (160 MB) that the recorded points of one run may take


def _work(problem: Quadratic) -> int:
    """Return how many multiplications a product with A takes."""
    matrix = getattr(problem.operator, "matrix", None)
    work = getattr(matrix, "nnz", problem.dimension**2 + 1)
    return max(1, problem.dimension if problem.operator.kind == "diagonal" else int(work))


def _cap(problem: Quadratic) -> int:
    """Return the longest run that is affordable here."""
    return int(min(MOST_STEPS, max(PREFIX, WORK / _work(problem))))


def _prefix(problem: Quadratic) -> int:
    """Return over how many steps theory is checked when the whole run is too long."""
    return int(min(PREFIX, max(SHORTEST, PREFIX_WORK / _work(problem))))


@dataclass(frozen=True)
class _Plan:
    steps: int
    complete: bool
    predicted: int | None
    reason: str = ""


def _plan(request: Request, analysis: Analysis | None) -> _Plan:
    """Decide how long to run."""
    predicted = None
    if analysis is not None:
        where = None if analysis.spectrum.is_interval else request.start
        predicted = analysis.steps_to(request.tolerance, where)
    cap, steps, prefix = _cap(request.problem), request.steps, _prefix(request.problem)
    if steps is not None:
        short = steps > cap
        reason = _too_many(steps, prefix) if short else ""
        return _Plan(prefix if short else steps, not short, predicted, reason)
    if predicted is None:
        if analysis is None:
            return _Plan(min(cap, PREFIX), complete=True, predicted=None)
        growth = -math.log1p(-analysis.one_minus_rate) if analysis.one_minus_rate < 1 else 0.0
        length = 40 if growth >= 0 else math.ceil(math.log(1e6) / -growth)
        length = int(min(max(length, 40), prefix, cap))
        return _Plan(length, complete=True, predicted=None)
    if predicted > cap:
        reason = _too_many(predicted, prefix)
        return _Plan(prefix, complete=False, predicted=predicted, reason=reason)
    return _Plan(int(predicted * 1.1) + 10, complete=True, predicted=predicted)


def _too_many(steps: int, prefix: int) -> str:
    return (
        f"{format_count(steps)} steps are too many to run; "
        f"the first {format_count(prefix)} are held against theory"
    )


def _record(steps: int, predicted: int | None, dimension: int) -> npt.NDArray[np.int64]:
    """Return the steps to record: all of a short run, else enough for a curve and the count."""
    affordable = max(20, _ELEMENTS // dimension)
    if steps <= min(_ALL_ROWS, affordable):
        return np.arange(steps + 1)
    size = min(400, affordable // 2)
    even, early = np.linspace(0, steps, size), np.geomspace(1, steps, size)
    near = (np.arange(-3, 4) if size > _COARSE else np.arange(-1, 1)) + (predicted or 0)
    rows = np.unique(np.concatenate([even, early, near]).round().astype(np.int64))
    return rows[(rows >= 0) & (rows <= steps)]


@dataclass(frozen=True, eq=False)
class Request:
    """What all optimizers of one comparison share.

    Attributes
    ----------
    problem, spectrum, start
        What is minimised, and from where.
    steps
        Length of every run, or None: until the tolerance is reached.
    tolerance
        Goal: gap ≤ tolerance x the first gap.
    noise, seed
        What is added to the gradients of every run.
    progress
        Called with numbers of steps done.
    """

    problem: Quadratic
    spectrum: Spectrum
    start: Array
    steps: int | None
    tolerance: float
    noise: Noise | None = None
    seed: int | None = None
    progress: Callable[[int], None] | None = None


def _from_products(request: Request, rule: Optimizer, trajectory: Trajectory) -> dict[str, Any]:
    """Hold a run of a changing linear rule against the product of its steps; else say nothing."""
    nothing = {
        "predicted_gap": None,
        "deviation": None,
        "budget": None,
        "status": "simulated only",
    }
    theory = Analysis(request.spectrum, rule)
    exact = trajectory.noise is None and not rule.random and not request.spectrum.is_interval
    work = trajectory.steps * request.problem.dimension
    if not exact or theory.scope not in _CHANGING or work > _ELEMENTS:
        return nothing
    if trajectory.steps > _FACTORS:
        return nothing
    found = against_products(theory, trajectory, request.start, request.tolerance)
    reason = (
        f"{type(rule).__name__} changes from step to step, so it has no closed form; its steps "
        "were multiplied out"
    )
    return {**found, "reason": reason}


def _theory(
    spectrum: Spectrum, rule: Optimizer, tuned: tuple[str, ...]
) -> tuple[Analysis | None, str]:
    """Return what holds for every start, or None and why there is no such thing."""
    noisy = rule.random or getattr(rule, "noise", None) is not None
    analysis = Analysis(spectrum, rule, () if noisy else tuned)  # noise is tuned for by running
    try:
        _ = analysis.modes
    except NotDerivableError as error:
        return None, str(error)
    if analysis.scope == "global":
        return analysis, ""
    limit = limit_sentence(analysis)
    if analysis.scope in _CHANGING:
        return None, (
            f"{type(rule).__name__} changes from step to step, so there is no closed form of a "
            f"run; in the long run {limit}"
        )
    reasons = "; ".join(linearise(rule, 1.0, LATE).reasons)
    return None, (
        f"{type(rule).__name__} is not linear (its step contains {reasons}), so there is no closed "
        f"form of a run; next to the minimum {limit}"
    )


def _trajectory(request: Request, rule: Optimizer, plan: _Plan, *, linear: bool) -> Trajectory:
    """Run; of a rule that is known to be `linear` some coordinates at a time where that works."""
    problem, progress = request.problem, request.progress
    rows = _record(plan.steps, plan.predicted, problem.dimension)
    if linear and request.noise is None and not rule.random:
        found = simulate_in_slices(problem, rule, request.start, plan.steps, rows, progress)
        if found is not None:
            return found
    return simulate(
        problem, rule, request.start, plan.steps, request.noise, request.seed, rows, progress
    )


def _simulated(
    request: Request, rule: Optimizer, plan: _Plan, *, linear: bool
) -> tuple[Trajectory, Array, int | None]:
    """Return a run, its gap, and the step at which it reaches the goal."""
    problem = request.problem
    trajectory = _trajectory(request, rule, plan, linear=linear)
    gap = measured_gap(problem, trajectory)
    if problem.why_no_minimum is not None:
        return trajectory, gap, None
    counted = count(trajectory, gap, request.tolerance)
    rows = _between(problem, trajectory.recorded, counted)
    if counted is None or rows is None:
        return trajectory, gap, counted
    again = simulate(
        problem, rule, request.start, counted, request.noise, request.seed, record=rows
    )
    found = count(again, measured_gap(problem, again), request.tolerance)
    assert found is not None  # the same run arrives at `counted` again, if not before
    near = np.flatnonzero(np.isin(rows, (found - 1, found)))
    trajectory = merged(trajectory, again, near)
    return trajectory, measured_gap(problem, trajectory), found


def _between(
    problem: Quadratic, recorded: npt.NDArray[np.int64], counted: int | None
) -> npt.NDArray[np.int64] | None:
    """Return the steps to look at again for an exact count; None where there is no need.

    All of them up to the first recorded one at the goal, where they are few enough; of very many
    unknowns those after the recorded one before. Not where running again is dear: then the count
    is said to be at most that.
    """
    if not counted or counted - 1 in recorded or counted * _work(problem) > PREFIX_WORK:
        return None
    last = int(recorded[np.searchsorted(recorded, counted) - 1])
    whole = (counted + 1) * problem.dimension <= _ELEMENTS
    rows = np.arange(0 if whole else last, counted + 1)
    rows[0] = 0  # the first gap, of which the goal is a share
    return rows if len(rows) * problem.dimension <= _ELEMENTS else None


def _mean_gap(analysis: Analysis, trajectory: Trajectory, start: Array) -> Array:
    """Return the gap of the mean run: that without noise."""
    return np.asarray(analysis.gap(start, trajectory.recorded))


def run(request: Request, rule: Optimizer, tuned: tuple[str, ...], label: str) -> Entry:
    """Predict, simulate and confirm one optimizer."""
    problem, spectrum, start = request.problem, request.spectrum, request.start
    analysis, reason = _theory(spectrum, rule, () if request.noise is not None else tuned)
    plan = _plan(request, analysis)
    linear = analysis is not None
    trajectory, gap, counted = _simulated(request, rule, plan, linear=linear)
    longer = min(_cap(problem), 10 * PREFIX)
    if analysis is None and request.steps is None and counted is None and plan.steps < longer:
        plan = _Plan(longer, complete=True, predicted=None)
        trajectory, gap, counted = _simulated(request, rule, plan, linear=linear)
    if counted == 0 and analysis is not None and plan.predicted is None:
        counted = None  # a start where nothing happens is no success
    common: dict[str, Any] = {
        "label": label,
        "optimizer": rule,
        "analysis": analysis,
        "trajectory": trajectory,
        "gap": gap,
        "predicted_steps": plan.predicted,
        "simulated_steps": counted,
        "complete": plan.complete,
        "reason": reason or plan.reason,
        "tuned": tuned,
    }
    if analysis is not None and (trajectory.noise is not None or rule.random):
        return Entry(
            **common,
            predicted_gap=None if spectrum.is_interval else _mean_gap(analysis, trajectory, start),
            deviation=None,
            budget=None,
            status="simulated with noise",
        )
    if analysis is None:
        return Entry(**{**common, **_from_products(request, rule, trajectory)})
    if spectrum.is_interval:
        return Entry(**common, **against_bound(analysis, trajectory, gap))
    return Entry(**common, **against_theory(problem, analysis, trajectory, start))
