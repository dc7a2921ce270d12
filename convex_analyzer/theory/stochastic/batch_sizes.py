"""How many steps a goal takes at every batch size, if the learning rate is tuned for each.

Small batches: twice the batch, half the steps (perfect scaling). Large ones: curvature limits the
learning rate, and more rows buy nothing. In between lies the critical batch size.

Sources: Shallue et al. (2018); Zhang et al. (2019), the noisy quadratic model; McCandlish et al.
(2018); lecture 001, slide 35. THEORY 5.14.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_count, format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.dynamics import follow, from_rest
from convex_analyzer.theory.stochastic.moments import Moments, period_of

__all__ = ["BatchCurve", "batch_curve"]

Array = npt.NDArray[np.float64]

_COARSE = 24  # learning rates tried, before the best is refined
_LOWEST = 1e-5  # of the stability limit
_RIPPLED = 64  # the same for rules with memory, whose steps have several local minima
_REFINED = 3  # of which so many are refined
_SCANNED = 512  # steps that are all looked at, for dips
_GRID = 48  # step counts looked at, at once


@dataclass(frozen=True, eq=False)
class BatchCurve(Result):
    """Steps to a goal, and the best learning rate, at each batch size; made by `batch_curve`.

    Attributes
    ----------
    batch_sizes, steps, learning_rates
        Shape (K,); steps are infinite where no learning rate reaches the goal.
    goal
        E (J - J*) that is to be reached.
    """

    schema: ClassVar[str] = "convex_analyzer.batch_curve/1"
    kind: ClassVar[str] = "numerical"

    batch_sizes: npt.NDArray[np.int64]
    steps: Array
    learning_rates: Array
    goal: float

    @property
    def examples(self) -> Array:
        """Examples used: steps times batch size, (K,)."""
        return np.asarray(self.steps * self.batch_sizes)

    @property
    def fewest_steps(self) -> float:
        """S_min: the fewest steps at any of the batch sizes."""
        return float(self.steps.min())

    @property
    def fewest_examples(self) -> float:
        """E_min: the fewest examples at any of the batch sizes."""
        return float(self.examples.min())

    @property
    def critical_batch(self) -> float:
        """E_min/S_min: beyond it more rows hardly save steps."""
        return self.fewest_examples / self.fewest_steps

    @property
    def trade_off(self) -> Array:
        """(S/S_min - 1)(E/E_min - 1), (K,): McCandlish et al. expect 1 between the two ends.

        That is a rule of thumb; on noisy quadratics it is 0.4 to 0.8. The batch sizes given must
        reach both ends.
        """
        return np.asarray(
            (self.steps / self.fewest_steps - 1) * (self.examples / self.fewest_examples - 1)
        )

    def seconds(self, per_step: float, per_example: float) -> Array:
        """Return the time to the goal when a step takes max(t₀, cB), (K,).

        Parameters
        ----------
        per_step
            t₀: what a step takes however small the batch.
        per_example
            c.
        """
        return np.asarray(np.maximum(per_step, per_example * self.batch_sizes) * self.steps)

    @property
    def words(self) -> str:
        """One sentence."""
        if not math.isfinite(self.fewest_steps):
            return "No learning rate reaches the goal with a batch of these sizes."
        edge = format_count(round(self.critical_batch))
        return (
            f"Up to a batch of about {edge} twice the rows take about half the steps; beyond, "
            f"steps stay near {format_count(self.fewest_steps)}."
        )

    def summary(self) -> Table:
        """Return one row for each batch size."""
        rows = tuple(
            (
                format_count(int(size)),
                format_count(count) if math.isfinite(count) else "never",
                format_count(count * size) if math.isfinite(count) else "never",
                format_number(rate, 3),
            )
            for size, count, rate in zip(
                self.batch_sizes, self.steps, self.learning_rates, strict=True
            )
        )
        columns = ("batch", "steps", "examples", "best α")
        return Table(columns, rows, title="steps to the goal", notes=(self.words,))


def batch_curve(
    optimizer: Optimizer,
    eigenvalues: Any,
    variance: Any,
    goal: float,
    batch_sizes: Any,
    spread: Any = 1.0,
) -> BatchCurve:
    """Return the fewest steps to a goal at each batch size, over all learning rates.

    Parameters
    ----------
    optimizer
        A linear rule with a ``learning_rate``, which is tuned; its other settings stay.
    eigenvalues
        Shape (n,), positive.
    variance
        Of the gradient of one example along each direction: a number or (n,). That of a batch of B
        is B times smaller.
    goal
        E (J - J*) to be reached.
    batch_sizes
        B, whole numbers, (K,).
    spread
        E x₀² along each direction: a number or (n,).

    Raises
    ------
    InputError
        A goal that is not positive; eigenvalues that are.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> lam = 1 / np.arange(1, 101)
    >>> batch_curve(GradientDescent(0.1), lam, lam, 0.02, [256, 4096]).steps
    array([98., 60.])
    """
    sizes = np.atleast_1d(np.asarray(batch_sizes))
    values = np.sort(np.array(eigenvalues, dtype=float))
    if values.ndim != 1 or not values.size or not np.all(values > 0):
        raise InputError("eigenvalues must be a vector of positive numbers", argument="eigenvalues")
    if not 0 < goal < math.inf:
        raise InputError(f"goal must be positive, got {goal!r}", argument="goal")
    if np.any(sizes < 1) or np.any(sizes != np.floor(sizes)):
        raise InputError("batch_sizes must be whole numbers from 1", argument="batch_sizes")
    order = np.argsort(np.array(eigenvalues, dtype=float), kind="stable")
    sigma2, start = (
        np.broadcast_to(np.asarray(given, dtype=float), values.shape)[order]
        for given in (variance, spread)
    )
    limit = Analysis(Spectrum.from_eigenvalues(values), optimizer).stability_limit
    if limit is None or not math.isfinite(limit):
        raise NotDerivableError(f"{type(optimizer).__name__} has no learning rate to tune here")
    coarse = _COARSE if len(optimizer.memory) == 0 else _RIPPLED
    found = [
        _best(_counter(optimizer, values, sigma2 / float(size), start, goal), limit, coarse)
        for size in sizes
    ]
    steps, rates = (np.array(column) for column in zip(*found, strict=True))
    return BatchCurve(sizes.astype(np.int64), steps, rates, float(goal))


def _best(
    count: Callable[[float], tuple[float, float]], limit: float, coarse: int
) -> tuple[float, float]:
    """Return the fewest steps over learning rates, and the rate."""
    from scipy.optimize import minimize_scalar

    logs = np.linspace(math.log(_LOWEST * limit), math.log(limit * (1 - 1e-9)), coarse)
    tried = {float(x): count(math.exp(x)) for x in logs}
    exact = np.array([tried[float(x)][1] for x in logs])
    if not np.isfinite(exact).any():
        return math.inf, math.nan

    def smooth(x: float) -> float:
        tried[float(x)] = count(math.exp(x))
        return min(tried[float(x)][1], 1e300)

    for place in np.argsort(exact)[: _REFINED if coarse > _COARSE else 1]:
        if math.isfinite(exact[place]):
            ends = logs[max(place - 1, 0)], logs[min(place + 1, coarse - 1)]
            minimize_scalar(smooth, bounds=ends, method="bounded", options={"xatol": 1e-4})
    steps, _, x = min((steps, real, x) for x, (steps, real) in tried.items())
    return steps, math.exp(x)


def _counter(
    optimizer: Optimizer, values: Array, sigma2: Array, start: Array, goal: float
) -> Callable[[float], tuple[float, float]]:
    """Return what tells the steps to the goal at a learning rate: whole, and interpolated."""

    def count(rate: float) -> tuple[float, float]:
        analysis = Analysis(
            Spectrum.from_eigenvalues(values), optimizer.replace(learning_rate=rate)
        )
        if not analysis.is_stable:
            return math.inf, math.inf
        spread = _spread_of(analysis, sigma2)
        if float(spread(np.array([2.0**60]))[0] @ values) / 2 >= goal:
            return math.inf, math.inf

        def gap(k: Array) -> Array:
            means = from_rest(analysis.modes, k) ** 2 * start
            return np.asarray((means + spread(k)) @ values / 2)

        return _crossing(gap, goal)

    return count


def _spread_of(analysis: Analysis, sigma2: Array) -> Callable[[Array], Array]:
    """Return the variance of the reported point after k steps, (K, n), of a stable rule.

    It is the stationary one less what that becomes in k steps, S - Mᵏ S Mᵏᵀ.
    """
    moments = Moments(period_of(analysis), sigma2)
    if len(moments.steps) > 1:
        return moments.variances_after
    S = moments.stationary(np.ones(len(sigma2), dtype=bool))
    end = moments.reported(S, moments.steps[0])
    values, vectors = np.linalg.eigh(S)
    roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]

    def spread(k: Array) -> Array:
        parts = [follow(analysis.modes, roots[:, :, j], k) ** 2 for j in range(moments.size)]
        return np.asarray(np.maximum(end - sum(parts), 0.0))

    return spread


def _crossing(gap: Callable[[Array], Array], goal: float) -> tuple[float, float]:
    """Return the first k with gap at most the goal, and a real number that varies smoothly."""
    grid = np.concatenate([[0.0], 2.0 ** np.arange(41)])
    while True:
        losses = gap(grid)
        hits = np.flatnonzero(losses <= goal)
        if not hits.size:
            return math.inf, math.inf
        place = int(hits[0])
        if grid[place] <= _SCANNED and len(grid) != grid[place] + 1:
            grid = np.arange(grid[place] + 1)
            continue
        if place == 0:
            return 0.0, 0.0
        low, high = float(grid[place - 1]), float(grid[place])
        before, after = float(losses[place - 1]), float(losses[place])
        if high - low <= 1:
            return high, low + (before - goal) / (before - after)
        grid = np.unique(np.floor(np.linspace(low, high, _GRID)))
