"""Many settings of a linear rule at once, followed step by step: a wide search for few steps.

The number of steps is a discontinuous function of the setting, with many local minima: where one
ripple of the error passes below the goal, the count jumps. A population of settings is followed
through the whole run, all directions at once; exact curves decide about the ones that survive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.iteration import dense, linearise

__all__ = ["screen"]

Array = npt.NDArray[np.float64]

_STEPS = 30_000  # in all generations together
_ENTRIES = 150_000_000  # that are multiplied in all
_FEWEST = 8  # generations below which a search is not worth its time
_WIDTH = 1.2  # of the search, in logarithms


def screen(
    analysis: Analysis,
    values: Callable[[Array], dict[str, Any]],
    size: int,
    tolerance: float,
    start: Any,
) -> list[Array]:
    """Return promising offsets of a setting, shape (size,) each: one, or none if it takes too long.

    Parameters
    ----------
    analysis
        The setting to start from; stable.
    values
        Turns offsets (size, g) into hyper-parameters of g candidates.
    size
        Number of offsets.
    tolerance, start
        As for `tune`.
    """
    from scipy.optimize import differential_evolution

    steps = analysis.steps_to(tolerance, criterion="rate")
    if analysis.scope != "global" or analysis.modes.slots == 1 or steps is None:
        return []  # without memory nothing ripples, and a close search finds the best
    lam, deviations = _excited(analysis, start)
    horizon, people = int(1.3 * steps) + 30, 12 * size
    work = horizon * people * len(lam) * analysis.modes.slots
    generations = min(25, _STEPS // horizon, _ENTRIES // max(work, 1))
    if generations < _FEWEST or not len(lam):
        return []

    def cost(x: Array) -> Array:
        rows = x.reshape(size, -1)
        given = {name: np.reshape(v, (-1, 1)) for name, v in values(rows).items()}
        rule = analysis.optimizer.unchecked(**given)
        counts = _counts(rule, lam, deviations, tolerance, horizon, worst=start is None)
        return counts if x.ndim > 1 else counts[0]

    found = differential_evolution(
        cost,
        [(-_WIDTH, _WIDTH)] * size,
        maxiter=generations,
        popsize=people // size,
        x0=np.zeros(size),
        rng=np.random.default_rng(0),  # a search, not a result: the same every time
        polish=False,
        vectorized=True,
        updating="deferred",
        tol=0.0,
    )
    return [np.asarray(found.x)]


def _excited(analysis: Analysis, start: Any) -> tuple[Array, Array]:
    """Return the curvatures that carry loss, and the deviations to start from along them."""
    lam = analysis.modes.eigenvalues
    if start is None:
        active = lam != 0
        return lam[active], np.ones(int(active.sum()))
    deviations = analysis.errors(start, 0)
    active = (lam != 0) & (deviations != 0)
    return lam[active], deviations[active] / np.max(np.abs(deviations[active]), initial=1e-300)


def _counts(
    rule: Optimizer, lam: Array, deviations: Array, tolerance: float, horizon: int, *, worst: bool
) -> Array:
    """Return when the gap of each candidate falls below the goal for good, shape (g,).

    Between whole steps it is interpolated, and beyond the horizon extrapolated by the size of the
    gap, so that the search knows which way is down.
    """
    iteration = linearise(rule, lam)
    people = max(np.size(v) for v in rule.numbers().values())
    shape = (people, len(lam))
    matrix = np.stack([dense(row, shape) for row in iteration.matrix], axis=-2)
    report = dense(iteration.report, shape)
    state = dense(iteration.start, shape) * deviations[:, None]
    logs = np.empty((horizon + 1, people))
    with np.errstate(all="ignore"):
        for k in range(horizon + 1):
            errors = np.einsum("gni,gni->gn", report, state)
            square = np.max(errors**2, axis=1) if worst else (errors**2) @ lam
            logs[k] = np.log(square)
            state = (matrix @ state[..., None])[..., 0]
    logs = np.where(np.isnan(logs), 1e3, np.clip(logs - logs[0], -1e3, 1e3)) - np.log(tolerance)
    last = horizon - np.argmax(logs[::-1] > 0, axis=0)  # the start is above the goal
    after, one = np.minimum(last + 1, horizon), np.arange(people)
    share = logs[last, one] / np.maximum(logs[last, one] - logs[after, one], 1e-300)
    late = last == horizon
    return np.asarray(last + np.where(late, 1 + logs[horizon], np.clip(share, 0, 1)))
