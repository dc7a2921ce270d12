"""What random starts do on average, for any linear rule.

A rule multiplies the deviation along each direction by a factor p_k(λ) of its own. Over starts with
E x₀ = 0 and E x₀² = w along a direction, the expected gap is ½ Σ λ w p_k(λ)². The worst case looks
at the largest |p_k| alone, and says nothing about which directions carry the loss.

Sources: Pedregosa & Scieur (2020); Scieur & Pedregosa (2020).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.spectra.density import Density
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory import wording
from convex_analyzer.theory.arguments import checked_counts, checked_tolerance
from convex_analyzer.theory.counting import first_crossing, steps_at_rate
from convex_analyzer.theory.dynamics import from_rest
from convex_analyzer.theory.polynomials import (
    compressed,
    merged,
    require_level,
    require_minimum,
    smallest_gaps,
)
from convex_analyzer.theory.products import MOST_FACTORS, Products

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis

__all__ = [
    "Weights",
    "average_limit",
    "average_steps_to",
    "expected_gap",
    "expected_squared_gradient",
]

Array = npt.NDArray[np.float64]
Weights = npt.ArrayLike | Density | Callable[[Array], Any] | None

_BLOCK = 4_000_000  # factors in memory at once
_STILL = 1000  # steps without any change after which a schedule is taken to have ended


# -- any linear rule ------------------------------------------------------------------------------


def expected_gap(
    analysis: Analysis, steps: Any, variance: float = 1.0, weights: Weights = None
) -> Any:
    """Return E (J - J*) after k steps over random starts around the minimiser.

    Parameters
    ----------
    analysis
        A linear rule on known eigenvalues: constant, scheduled, periodic or averaging.
    steps
        k: a number or shape (K,).
    variance
        σ² = E x₀² along every direction, where x₀ = θ₀ - θ*.
    weights
        What multiplies σ² along each direction (a source condition): shape (n,) in the order of
        `analysis.spectrum.eigenvalues`, a function of these, or the `Density` whose nodes are
        analysed (then the result is per direction). 1 when left out.

    Returns
    -------
    float or array of shape (K,)
        ½ σ² Σ λ w p_k(λ)², with the part of a fixed point other than the minimiser (weight decay)
        added. Of a saddle: E (J - J(critical point)). Kind: exact; for very many eigenvalues these
        are first replaced by Gauss rules, which is felt at 1e-11 of the value.

    Raises
    ------
    NotDerivableError
        The rule is not linear; only the ends of the spectrum are known.
    InputError
        J falls without end; a variance or weights that are negative, not finite or do not fit.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0, 4.0]), GradientDescent(0.3))
    >>> round(expected_gap(rule, 3), 7)
    0.0589525
    """
    half = analysis.spectrum.eigenvalues / 2
    return _expected(analysis, steps, half, variance, weights)


def expected_squared_gradient(
    analysis: Analysis, steps: Any, variance: float = 1.0, weights: Weights = None
) -> Any:
    """Return E |∇J|² after k steps over random starts: σ² Σ λ² w p_k(λ)².

    Parameters, result and errors are those of `expected_gap`.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0, 4.0]), GradientDescent(0.25))
    >>> expected_squared_gradient(rule, [0, 1])
    array([17.    ,  0.5625])
    """
    square = analysis.spectrum.eigenvalues**2
    return _expected(analysis, steps, square, variance, weights)


def _expected(
    analysis: Analysis, steps: Any, curvature: Array, variance: float, weights: Weights
) -> Any:
    """Return Σ curvature · E e_k² over directions with curvature."""
    k = checked_counts(steps)
    shares = checked_weights(analysis.spectrum, variance, weights)
    require_level(analysis.spectrum)
    if analysis.scope == "global":
        total = _sum_of_squares(*_fewer(analysis, k, curvature * shares))
        total = total + _elsewhere(analysis, k, curvature)
    else:
        last = int(k.max(initial=0))
        stream = itertools.islice(_stream(analysis, curvature, shares), last + 1)
        total = np.array(list(stream))[k.astype(int)]
    return float(total[0]) if np.ndim(steps) == 0 else total


def checked_weights(spectrum: Spectrum, variance: float, weights: Weights) -> Array:
    """Return E x₀² along each direction, (n,), or say what is wrong."""
    if spectrum.is_interval:
        raise NotDerivableError(
            "only the ends of the spectrum are known, and an average needs to know how often each "
            "eigenvalue occurs; analyse the eigenvalues, or density.spectrum() of a Density"
        )
    if not 0 <= variance < math.inf:
        raise InputError(
            f"variance must be at least 0 and finite, got {variance!r}", argument="variance"
        )
    values = spectrum.eigenvalues
    if weights is None:
        return np.full(len(values), float(variance))
    if isinstance(weights, Density):
        if not np.array_equal(weights.nodes, values):
            raise InputError(
                "weights is a Density whose nodes are not the eigenvalues that are analysed",
                argument="weights",
                hint="analyse density.spectrum()",
            )
        weights = weights.weights
    with np.errstate(all="ignore"):
        shares = np.asarray(weights(values) if callable(weights) else weights, dtype=float)
    if shares.shape != values.shape:
        raise InputError(
            f"weights must have shape {values.shape}, got {shares.shape}", argument="weights"
        )
    shares = np.where(values == 0, 0.0, shares)  # flat directions carry no loss
    if not np.all(np.isfinite(shares)) or shares.min() < 0:
        raise InputError("weights must be finite and at least 0", argument="weights")
    return variance * shares


def _fewer(analysis: Analysis, k: Array, coefficients: Array) -> tuple[Analysis, Array, Array]:
    """Return an analysis of fewer eigenvalues with the same sums, where that saves work.

    Factors after k steps are polynomials of λ of degree k, or 2k for rules that ask twice a step.
    """
    used = coefficients > 0
    values, top = analysis.spectrum.eigenvalues[used], 2 * k.max(initial=0)
    if len(values) * len(k) < _BLOCK or 100 * top > len(values) or values[0] <= 0:
        return analysis, k, coefficients
    nodes, weights = compressed(*merged(values, coefficients[used], 0.0), int(top) + 1)
    smaller = dataclasses.replace(analysis, spectrum=Spectrum.from_eigenvalues(nodes))
    return smaller, k, weights


def _sum_of_squares(analysis: Analysis, k: Array, coefficients: Array) -> Array:
    """Return Σ c p_k(λ)² for each k, (K,), of a rule that is the same at every step."""
    used = np.flatnonzero(coefficients)
    weights = coefficients[used]
    total = np.zeros(len(k))
    chosen = analysis.modes if len(used) == len(coefficients) else analysis.modes.take(used)
    rows = max(1, _BLOCK // max(1, len(used)))
    with np.errstate(all="ignore"):
        for first in range(0, len(k), rows):
            part = slice(first, first + rows)
            total[part] = from_rest(chosen, k[part]) ** 2 @ weights
    return total


def _stream(analysis: Analysis, curvature: Array, shares: Array) -> Iterator[float]:
    """Yield Σ curvature · E e_k² for k = 0, 1, ... of a rule that changes from step to step."""
    if analysis.scope not in {"periodic", "asymptotic", "product"}:
        raise NotDerivableError(wording.no_whole_run(analysis))
    spectrum = analysis.spectrum
    used = np.flatnonzero(curvature * shares)
    values = spectrum.eigenvalues[used]
    factors = Products(analysis.optimizer, values, 0 * values).walk(np.ones(len(values)))
    centre = _centre(spectrum)
    paths = itertools.repeat(centre) if centre is None else analysis.products.walk(centre)
    for factor, path in zip(factors, paths, strict=False):
        with np.errstate(all="ignore"):
            total = float(factor**2 @ (curvature * shares)[used])
        if centre is not None and path is not None:
            total += float(_beyond_rounding(path - centre, centre) ** 2 @ curvature)
        yield total


def _centre(spectrum: Spectrum) -> Array | None:
    """Return the critical point in the eigenbasis; None where it is the origin."""
    if spectrum.linear is None or not spectrum.linear.any():
        return None
    active = spectrum.eigenvalues != 0
    return np.where(active, -spectrum.linear / np.where(active, spectrum.eigenvalues, 1.0), 0.0)


def _beyond_rounding(errors: Array, centre: Array) -> Array:
    return np.where(np.abs(errors) > 1e-12 * np.max(np.abs(centre)), errors, 0.0)


def _elsewhere(analysis: Analysis, k: Array, curvature: Array) -> Any:
    """Return Σ curvature · (E e_k)²: what a start at the minimiser does, for it need not stay."""
    centre = _centre(analysis.spectrum)
    if centre is None:
        return 0.0
    start = analysis.spectrum.from_eigenbasis(centre[None])[0]
    total = np.zeros(len(k))
    rows = max(1, _BLOCK // len(centre))
    for first in range(0, len(k), rows):
        part = slice(first, first + rows)
        mean = np.where(curvature != 0, analysis.errors(start, k[part]), 0.0)
        with np.errstate(all="ignore"):
            total[part] = _beyond_rounding(mean, centre) ** 2 @ curvature
    return total


def average_steps_to(
    analysis: Analysis, tolerance: float = 1e-6, weights: Weights = None
) -> int | None:
    """Return the first k at which the expected gap is at most tolerance x the first, or None.

    Parameters
    ----------
    analysis, weights
        As for `expected_gap`.
    tolerance
        Between 0 and 1.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([0.2, 4.0]), GradientDescent)
    >>> average_steps_to(rule, 1e-6), rule.steps_to(1e-6)
    (70, 70)
    """
    tolerance = checked_tolerance(tolerance)
    first = float(expected_gap(analysis, 0, 1.0, weights))
    if first == 0:
        return 0
    if analysis.scope != "product" and analysis.outcome != "stable":
        return None

    def error(k: Array) -> Array:
        return np.asarray(expected_gap(analysis, k, 1.0, weights)) / first

    if analysis.scope == "global":
        return first_crossing(
            error,
            tolerance,
            hint=float(steps_at_rate(analysis.one_minus_rate, tolerance) or 1),
            directions=len(analysis.spectrum.eigenvalues),
            monotone=analysis.modes.slots == 1,
        )
    shares = checked_weights(analysis.spectrum, 1.0, weights)
    return _first_of_stream(
        _stream(analysis, analysis.spectrum.eigenvalues / 2, shares), tolerance * first
    )


def _first_of_stream(gaps: Iterator[float], goal: float) -> int | None:
    """Return the first step whose gap is at most the goal; None when the curve stands still."""
    last, still = math.nan, 0
    for k, gap in enumerate(itertools.islice(gaps, MOST_FACTORS + 1)):
        if gap <= goal:
            return k
        still = still + 1 if gap == last else 0
        if still >= _STILL:
            return None
        last = gap
    return None


def average_limit(
    spectrum: Spectrum, steps: Any, variance: float = 1.0, weights: Weights = None
) -> Any:
    """Return the smallest expected gap of any k-step Krylov method that is fixed in advance.

    ½ min Σ λ E x₀² p(λ)² over p(0) = 1: its coefficients may know the spectrum, not the start.
    Conjugate gradients adapt to each start, so their mean gap is below it; in the limit of many
    directions the two agree.

    Parameters
    ----------
    spectrum, steps, variance, weights
        As for `expected_gap`.

    Returns
    -------
    float or array of shape (K,)
        Kind: numerical.

    Examples
    --------
    >>> law = Density.marchenko_pastur(1.0, nodes=10)
    >>> round(average_limit(law.spectrum(), 3, weights=law), 12) == round(3 / (4 * 5 * 9), 12)
    True
    """
    k = checked_counts(steps)
    shares = checked_weights(spectrum, variance, weights)
    require_minimum(spectrum)
    active = spectrum.eigenvalues > 0
    values = spectrum.eigenvalues[active]
    values, loads = merged(values, values * shares[active], spectrum.zero_tolerance)
    curve = smallest_gaps(values, loads, int(min(float(k.max(initial=0)), len(values))))
    found = np.where(k >= len(curve), 0.0, curve[np.minimum(k, len(curve) - 1).astype(int)])
    return float(found[0]) if np.ndim(steps) == 0 else found
