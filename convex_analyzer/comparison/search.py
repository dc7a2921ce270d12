"""The best learning rate of a rule that has no theory: found by running it.

A rule that is not linear has no best setting for a spectrum, only one for a start and a goal. All
candidates run at once, as runs of one simulation: first a wide logarithmic grid, then a fine one
around the best.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.noise import Noise
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.progress import stage
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.tables import join_words
from convex_analyzer.theory.tuning import has_defaults

__all__ = ["tuned_by_running"]

Array = npt.NDArray[np.float64]

_STEPS = 1000  # of every candidate, when that is affordable
_LEAST_STEPS = 50
_WORK = 4e9  # multiplications that one search may cost
_WIDE, _FINE = 61, 21  # candidates
_DECADES = (-5.0, 2.0)  # around the two natural lengths of a step


def tuned_by_running(
    problem: Quadratic,
    start: Array,
    optimizer: type[Optimizer],
    given: Mapping[str, Any] | None = None,
    *,
    tolerance: float = 1e-6,
    noise: Noise | None = None,
    seed: int | None = None,
) -> tuple[Optimizer, tuple[str, ...]]:
    """Return an instance with the learning rate that does best from this start, and what was tuned.

    Best is the fewest steps to the tolerance, or the smallest gap at the end when no candidate gets
    there. Other hyper-parameters keep their defaults; a rule without a learning rate is returned
    as it is.

    Raises
    ------
    InputError
        A field has neither a default nor a value.

    Examples
    --------
    >>> from convex_analyzer.optimizers import find
    >>> toy = Quadratic.diagonal([0.2, 4.0])
    >>> rule, tuned = tuned_by_running(toy, np.array([-5.0, -2.0]), find("Adam"))
    >>> tuned, 0.1 < rule.learning_rate < 10
    (('learning_rate',), True)
    """
    fixed = dict(given or {})
    open_rate = "learning_rate" in optimizer.hyperparameters() and "learning_rate" not in fixed
    trial = {**fixed, "learning_rate": 1.0} if open_rate else fixed
    if not has_defaults(optimizer, trial):
        missing = [
            f.name for f in optimizer.fields() if f.default is MISSING and f.name not in trial
        ]
        raise InputError(
            f"{optimizer.__name__} needs {join_words(missing)}: only a learning rate is found by "
            "running",
            argument="optimizers",
            hint="give an instance",
        )
    if not open_rate:
        return optimizer(**fixed), ()
    lengths = _natural_steps(problem, start)
    low, high = np.log10(min(lengths)) + _DECADES[0], np.log10(max(lengths)) + _DECADES[1]
    rates = np.logspace(low, high, _WIDE)
    default = next(f.default for f in optimizer.fields() if f.name == "learning_rate")
    if default is not MISSING:
        rates = np.concatenate([[default], rates])  # first: it is kept when none does better

    def score(tried: Array) -> npt.NDArray[np.intp]:
        rule = optimizer(**{**fixed, "learning_rate": tried[:, None]})
        return _ranking(problem, rule, start, tolerance, noise, seed)

    with stage(f"tuning {optimizer.__name__}", 2, "searches") as advance:
        best = int(score(rates)[0])
        if default is not MISSING and best == 0:
            return optimizer(**fixed), ()
        advance()
        near = rates[rates != default] if default is not MISSING else rates
        place = int(np.searchsorted(near, rates[best]))
        fine = np.geomspace(near[max(0, place - 1)], near[min(len(near) - 1, place + 1)], _FINE)
        chosen = float(fine[score(fine)[0]])
    return optimizer(**{**fixed, "learning_rate": chosen}), ("learning_rate",)


def _ranking(
    problem: Quadratic,
    rule: Optimizer,
    start: Array,
    tolerance: float,
    noise: Noise | None,
    seed: int | None,
) -> npt.NDArray[np.intp]:
    """Return the candidates of a rule with one learning rate per run, best first."""
    runs = len(rule.values["learning_rate"])
    starts = np.broadcast_to(start, (runs, len(start)))
    most = _affordable(problem, runs)
    for steps in (min(_LEAST_STEPS, most), most):  # fast methods need no long search
        loss = simulate(problem, rule, starts, steps, noise, seed, record="loss").loss
        order, reached = _order(problem, loss, tolerance)
        if reached:
            break
    return order


def _natural_steps(problem: Quadratic, start: Array) -> tuple[float, float]:
    """Return 1/λmax, the length for gradients, and the distance to go, that for signs."""
    gradient = problem.gradient(start)
    bend = problem.hessian_vector(start, gradient)
    size = float(np.linalg.norm(gradient))
    curvature = float(np.linalg.norm(bend)) / size if size else 1.0
    away = float(np.max(np.abs(start - _centre(problem, start)), initial=0.0))
    return 1 / (curvature or 1.0), away or 1.0


def _centre(problem: Quadratic, start: Array) -> Array:
    centre = problem.critical_point
    return np.zeros(len(start)) if centre is None else centre


def _affordable(problem: Quadratic, runs: int) -> int:
    matrix = getattr(problem.operator, "matrix", None)
    work = getattr(matrix, "nnz", problem.dimension**2) + 20 * problem.dimension
    return int(min(_STEPS, max(_LEAST_STEPS, _WORK / (runs * work))))


def _order(problem: Quadratic, loss: Array, tolerance: float) -> tuple[npt.NDArray[np.intp], bool]:
    """Return the candidates, best first, and whether any reached the tolerance."""
    floor = problem.minimum
    if floor is None:
        floor = float(np.min(loss[np.isfinite(loss)], initial=float(loss[0, 0])))
    with np.errstate(all="ignore"):
        gap = np.where(np.isfinite(loss), loss - floor, np.inf)
    reached = gap <= tolerance * gap[0]
    first = np.where(reached.any(axis=0), reached.argmax(axis=0), len(loss))
    last = np.median(gap[-(len(gap) // 10 + 1) :], axis=0)
    last = np.where(reached.any(axis=0), 0.0, last)  # equally fast: the order of the candidates
    return np.lexsort((last, first)), bool(reached.any())
