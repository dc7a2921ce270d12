"""The expected loss under noise after any number of steps, and how many steps a goal takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.noise import MiniBatch
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.arguments import checked_counts, checked_tolerance
from convex_analyzer.theory.counting import steps_at_rate
from convex_analyzer.theory.products import MOST_FACTORS
from convex_analyzer.theory.stochastic.batches import BatchMoments, can_be_exact
from convex_analyzer.theory.stochastic.epochs import MOST_BATCHES, epoch_variances
from convex_analyzer.theory.stochastic.moments import Moments, noisy_steps, period_of
from convex_analyzer.theory.stochastic.variances import (
    as_additive,
    noise_of_rule,
    row_variances,
    variances,
)

__all__ = ["expected_noisy_gap", "noisy_steps_to"]

Array = npt.NDArray[np.float64]

_BLOCK = 2_000_000  # entries of (steps, directions) held at once
_SCANNED = 4096  # steps that are all looked at, where noise may make the loss turn
_SAMPLES = 512  # step counts looked at beyond


def expected_noisy_gap(
    analysis: Analysis, start: Any, steps: Any, noise: Any = None, problem: Any = None
) -> Any:
    """Return E (J - J*) after k steps under noise, from a given start.

    For gradient descent ½Σλ[(1 - s)^{2k} x₀² + (1 - (1 - s)^{2k})V], with s = αλ.

    Parameters
    ----------
    analysis
        A linear rule: constant, periodic, scheduled or averaging.
    start
        θ₀, shape (d,).
    steps
        k: a number or shape (K,). Any k costs the same, unless the rule changes with its steps.
    noise, problem
        As for `noise_floor`, with the same approximations: in the end the curve is at the floor.
        Of shuffled epochs it rises and falls within each of them, and the floor is its mean.

    Returns
    -------
    float or array of shape (K,)

    Examples
    --------
    >>> from convex_analyzer.noise import AdditiveNoise
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(0.5))
    >>> expected_noisy_gap(rule, [2.0], [0, 1, 10**9], AdditiveNoise(1.0)).round(6)
    array([2.      , 0.625   , 0.166667])
    """
    counts = checked_counts(steps)
    noise = noise_of_rule(analysis, noise)
    total = _curve(analysis, start, noise, problem)(counts)
    return float(total[0]) if np.ndim(steps) == 0 else total


def _curve(analysis: Analysis, start: Any, noise: Any, problem: Any) -> Callable[[Array], Array]:
    """Return E (J - J*) as a function of step counts."""
    fresh = _of_fresh_draws(analysis, start, noise, problem)
    if not isinstance(noise, MiniBatch) or noise.replacement or analysis.scope != "global":
        return fresh
    if -(-len(problem.y) // noise.size_at(1)) > MOST_BATCHES:
        return fresh
    saved = _saved_by_epochs(analysis, noise, problem)

    def shuffled(counts: Array) -> Array:
        with np.errstate(all="ignore"):
            total = fresh(counts) - saved(counts)
            return np.asarray(np.fmax(total, analysis.gap(start, counts)))

    return shuffled


def _saved_by_epochs(
    analysis: Analysis, noise: MiniBatch, problem: Any
) -> Callable[[Array], Array]:
    """Return how much less the noise at the minimiser leaves in shuffled epochs, as a curve."""
    fresh = variances(analysis.spectrum, as_additive(noise, problem))
    one = row_variances(analysis.spectrum, problem)
    rows, size, values = len(problem.y), noise.size_at(1), analysis.modes.eigenvalues

    def saved(counts: Array) -> Array:
        kept = _weighted(epoch_variances(analysis, one, rows, size, counts), values)
        return _repeating(analysis, fresh, values, counts) - kept

    return saved


def _of_fresh_draws(
    analysis: Analysis, start: Any, noise: Any, problem: Any
) -> Callable[[Array], Array]:
    """Return the same for batches that are drawn anew at every step."""
    additive = as_additive(noise, problem)
    if isinstance(noise, MiniBatch) and can_be_exact(problem, analysis.optimizer):
        moments = BatchMoments(problem, analysis.optimizer, noise)
        return lambda counts: moments.gaps(start, counts)
    sigma2 = variances(analysis.spectrum, additive)
    values = analysis.modes.eigenvalues if analysis.scope != "product" else None
    values = analysis.products.eigenvalues if values is None else values

    def total(counts: Array) -> Array:
        spread = _repeating if analysis.scope in {"global", "periodic"} else _followed
        with np.errstate(all="ignore"):
            noisy = spread(analysis, sigma2, values, counts)
        return np.asarray(analysis.gap(start, counts)) + noisy

    return total


def _repeating(analysis: Analysis, sigma2: Array, values: Array, counts: Array) -> Array:
    """Return ½ Σ λ Var, (K,), by powers of the map of moments."""
    moments = Moments(period_of(analysis), sigma2)
    rows = max(1, _BLOCK // (len(sigma2) * (1 + moments.size**2)))
    found = np.empty(len(counts))
    for top in range(0, len(counts), rows):
        variance = moments.variances_after(counts[top : top + rows])
        found[top : top + rows] = _weighted(variance, values)
    return found


def _weighted(variance: Array, values: Array) -> Array:
    curved = values != 0
    return np.asarray(variance[..., curved] @ values[curved] / 2)


def _followed(analysis: Analysis, sigma2: Array, values: Array, counts: Array) -> Array:
    """Return the same step by step, for a rule whose map changes."""
    if counts.max(initial=0) > MOST_FACTORS:
        analysis.gap(np.zeros(analysis.spectrum.dimension), counts)  # says what can be followed
    wanted = {int(count) for count in counts}
    kept = {0: 0.0}
    last = max(wanted, default=0)
    moments: Moments | None = None
    for k, step in enumerate(noisy_steps(analysis.optimizer, values), 1):
        if k > last:
            break
        if moments is None:
            moments = Moments([step], sigma2)
            covariance = np.zeros_like(step.change)
        covariance = covariance + step.moved(covariance) + step.drive(sigma2)
        if k in wanted:
            kept[k] = float(_weighted(moments.reported(covariance, step), values))
    return np.array([kept[int(count)] for count in counts])


def noisy_steps_to(
    analysis: Analysis,
    tolerance: float,
    start: Any,
    noise: Any = None,
    problem: Any = None,
) -> int | None:
    """Return the first step at which E (J - J*) is at most `tolerance` times the initial one.

    Parameters
    ----------
    analysis
        A linear rule.
    tolerance
        Between 0 and 1.
    start
        θ₀, shape (d,).
    noise, problem
        As for `noise_floor`.

    Returns
    -------
    int or None
        None when the floor lies above the goal, and the loss does not dip below it on the way.
        Every step is looked at up to 4096, beyond that 512 up to the stationary state.

    Examples
    --------
    >>> from convex_analyzer.noise import AdditiveNoise
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(0.01))
    >>> noisy_steps_to(rule, 0.01, [1.0], AdditiveNoise(0.01))
    230
    >>> noisy_steps_to(rule, 0.01, [1.0], AdditiveNoise(10.0)) is None
    True
    """
    tolerance = checked_tolerance(tolerance)
    noise = noise_of_rule(analysis, noise)
    curve = _curve(analysis, start, noise, problem)
    goal = tolerance * float(curve(np.zeros(1))[0])
    settles = analysis.scope in {"global", "periodic"}
    if not settles:
        return _scanned(curve, goal, _SCANNED * 4)
    slow = steps_at_rate(max(analysis.one_minus_rate, 0.0), 1e-9 * tolerance) or 0
    found = _scanned(curve, goal, min(_SCANNED, slow + 1))
    if found is not None or slow <= _SCANNED:
        return found
    k = np.unique(np.floor(np.geomspace(_SCANNED, slow, _SAMPLES)))
    found = _first_in(curve, goal, k)
    if found is None:
        return None
    low = int(k[np.searchsorted(k, found) - 1])
    while found - low > max(1, math.ulp(float(found))):
        middle = (low + found) // 2
        if float(curve(np.array([float(middle)]))[0]) <= goal:
            found = middle
        else:
            low = middle
    return found


def _scanned(curve: Callable[[Array], Array], goal: float, most: int) -> int | None:
    """Look at every step below `most`, in stretches that grow: a curve may cost as many steps."""
    low, high = 0, 64
    while low < most:
        found = _first_in(curve, goal, np.arange(float(low), float(min(high, most))))
        if found is not None:
            return found
        low, high = high, 4 * high
    return None


def _first_in(curve: Callable[[Array], Array], goal: float, counts: Array) -> int | None:
    hits = np.flatnonzero(curve(counts) <= goal)
    return int(counts[hits[0]]) if hits.size else None
