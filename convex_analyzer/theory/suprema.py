"""The worst error over a whole interval of eigenvalues: max |p_k(λ)| for λ in [m, L].

After k steps from rest the error along an eigenvalue is p_k(λ) times the first, with p_k a
polynomial of degree N (k times the gradients of one step). Over all quadratics with spectrum in
[m, L], and all starts, the worst ratio |θ_k - θ*|/|θ_0 - θ*| is max |p_k|, and that of the gaps its
square. The maximum may lie inside, where momentum makes p_k oscillate.

With λ = m + (L - m) sin²(φ/2), p_k is a cosine polynomial q(φ) of degree N, and near a maximum φ*
|q(φ)| ≥ max|q| cos(N(φ - φ*)) (M. Riesz). So on a grid of 8N steps a point next to φ* is within a
factor cos(π/16) of the largest value seen: all such peaks of the grid are followed by Newton's
method, none can be missed, and the values there come from the closed form.

Sources: M. Riesz (1914); Ehlich & Zeller (1964).
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.forms import Direction, Form, Trace
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory import wording
from convex_analyzer.theory.arguments import checked_counts
from convex_analyzer.theory.dynamics import from_rest
from convex_analyzer.theory.products import Products

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis

__all__ = ["worst_eigenvalues_between", "worst_error_between"]

Array = npt.NDArray[np.float64]

_PER_DEGREE = 8  # steps of the grid per degree
_HIGHEST, _SAMPLED = 8192, 65_536  # degree up to which peaks are followed; grid for higher ones
_HIGHEST_STEPPED, _SAMPLED_STEPPED = 1024, 512  # the same where steps are multiplied out one by one
_ROWS = 64  # numbers of steps treated at once
_NEWTON = 5  # from at most π/16 of a period away: the last digits are reached at the fourth


def worst_error_between(analysis: Analysis, steps: Any) -> Array:
    """Return the largest |e_k/e_0| from rest over all eigenvalues in [λmin, λmax], shape (K,).

    Parameters
    ----------
    analysis
        A linear rule, on a spectrum whose ends are taken; λmax at its safe end.
    steps
        Numbers of steps, (K,). Beyond degree 8192 (1024 for a rule whose steps differ), and where
        p_k is no polynomial (rules that invert the Hessian), the maximum over 65,537 eigenvalues
        (513) is returned: a lower bound.

    Raises
    ------
    NotDerivableError
        The rule is not linear.

    Examples
    --------
    A heavy ball that is slow at neither end: after twelve steps the worst eigenvalue lies inside.

    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> from convex_analyzer.theory.analysis import analyze
    >>> analysis = analyze(Spectrum.between(1.0, 100.0), HeavyBall(0.01, 0.9))
    >>> worst_error_between(analysis, [1, 12]).round(8)
    array([0.99      , 0.59232861])
    """
    return _suprema(analysis, steps)[0]


def worst_eigenvalues_between(analysis: Analysis, steps: Any) -> Array:
    """Return the eigenvalue at which `worst_error_between` is attained, shape (K,).

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> from convex_analyzer.theory.analysis import analyze
    >>> analysis = analyze(Spectrum.between(1.0, 100.0), HeavyBall(0.01, 0.9))
    >>> worst_eigenvalues_between(analysis, [1, 12]).round(6)
    array([ 1.      , 89.224654])
    """
    return _suprema(analysis, steps)[1]


def _suprema(analysis: Analysis, steps: Any) -> tuple[Array, Array]:
    """Return the largest ratios and where they occur, (K,), (K,)."""
    if analysis.scope not in {"global", "periodic", "asymptotic", "product"}:
        raise NotDerivableError(wording.no_whole_run(analysis))
    k = checked_counts(steps)
    steady = analysis.scope == "global"
    degrees = _degrees(analysis, k, _HIGHEST if steady else _HIGHEST_STEPPED)
    values, where = np.ones(len(k)), np.full(len(k), analysis.spectrum.lambda_min)
    order = np.argsort(degrees, kind="stable")
    followed = int(np.isfinite(degrees).sum())
    for group in (order[:followed], order[followed:]):
        for first in range(0, len(group), _ROWS):
            rows = group[first : first + _ROWS]
            values[rows], where[rows] = _block(analysis, k[rows], degrees[rows])
    return values, where


# -- the degree ----------------------------------------------------------------------------------


class _Counting(Direction):
    """Counts multiplications by λ, which bound the degree; one inversion makes it infinite."""

    degree: float = 0

    def gradient(self, theta: Form) -> Form:
        self.degree += 1
        return super().gradient(theta)

    def hessian_vector(self, theta: Any, vector: Any) -> Any:
        self.degree += 1
        return super().hessian_vector(theta, vector)

    def inverse_hessian_vector(self, theta: Any, vector: Any, damping: Any = 0) -> Any:
        self.degree = math.inf
        return super().inverse_hessian_vector(theta, vector, damping)


def _degrees(analysis: Analysis, k: Array, highest: int) -> Array:
    """Return an upper bound of the degree of p_k for each k; infinite beyond the highest."""
    rule = analysis.optimizer
    counter = _Counting(1.0, Trace())
    state = [Form(0.0, {name: 1.0}, counter.trace) for name in ("theta", *rule.memory)]
    rule.start(counter, state[0])
    totals = [counter.degree]
    steady = analysis.scope == "global"
    for t in range(1, int(min(k.max(initial=0.0), 1 if steady else highest)) + 1):
        if totals[-1] > highest:
            break
        rule.at(t).step(counter, t, *state)
        totals.append(counter.degree)
    if steady and totals[-1] < math.inf:
        degrees = totals[0] + k * (totals[-1] - totals[0])
    else:
        degrees = np.array([*totals, math.inf])[np.minimum(k, len(totals)).astype(int)]
    return np.where(degrees > highest, math.inf, degrees)


# -- the maximum ---------------------------------------------------------------------------------


def _ratios(analysis: Analysis, eigenvalues: Array, k: Array) -> Array:
    """Return p_k(λ), shape (K, n)."""
    if analysis.scope == "global":
        spectrum = Spectrum.from_eigenvalues(eigenvalues)
        return from_rest(dataclasses.replace(analysis, spectrum=spectrum).modes, k)
    none = 0 * eigenvalues
    ratios = Products(analysis.optimizer, eigenvalues, none).reported(none + 1, k)
    return np.asarray(np.where(np.isnan(ratios), np.inf, ratios))  # ∞ - ∞ of a diverged run


def _block(analysis: Analysis, k: Array, degrees: Array) -> tuple[Array, Array]:
    """Return the maxima for numbers of steps that share a grid, and their places."""
    m, L = analysis.spectrum.lambda_min, analysis.spectrum.lambda_max_bracket.high
    beyond = _SAMPLED if analysis.scope == "global" else _SAMPLED_STEPPED
    top = float(np.max(degrees))
    size = max(1, int(top)) * _PER_DEGREE if top < math.inf else beyond
    angles = np.linspace(0, math.pi, size + 1)
    grid = _eigenvalues(m, L, angles)
    ratios = _ratios(analysis, grid, k)
    peaks = [_peaks(row, angles, n) for row, n in zip(ratios, degrees, strict=True)]
    places = np.concatenate(peaks)
    found = np.argsort(places)
    refined = _eigenvalues(m, L, places[found])
    heights = np.abs(_ratios(analysis, refined, k))
    owners = np.repeat(np.arange(len(k)), [len(p) for p in peaks])[found]
    heights = np.where(owners == np.arange(len(k))[:, None], heights, -1.0)
    sampled, best = np.abs(ratios), np.argmax(heights, axis=1)
    coarse = np.argmax(sampled, axis=1)
    rows = np.arange(len(k))
    kept = heights[rows, best] >= sampled[rows, coarse]
    values = np.where(kept, heights[rows, best], sampled[rows, coarse])
    return values, np.where(kept, refined[best], grid[coarse])


def _eigenvalues(m: float, L: float, angles: Array) -> Array:
    """Return λ(φ), with its digits near both ends, and exactly the ends there."""
    values = m + (L - m) * np.sin(angles / 2) ** 2
    return np.asarray(np.clip(np.where(angles >= math.pi, L, values), m, L))


def _peaks(row: Array, angles: Array, degree: float) -> Array:
    """Return the angles of the peaks of |q| that may be the highest."""
    sizes = np.abs(row)
    top = float(np.max(sizes))
    if degree == math.inf or not 0 < top < math.inf:
        return angles[[int(np.argmax(sizes))]]
    padded = np.concatenate([[0.0], sizes, [0.0]])
    peak = (sizes >= padded[:-2]) & (sizes >= padded[2:])
    near = np.flatnonzero(peak & (sizes >= top * math.cos(math.pi / (2 * _PER_DEGREE))))
    coefficients = _cosines(row / top)[: int(degree) + 1]
    width = angles[1]
    chunk = max(1, 2**20 // len(coefficients))
    pieces = [near[i : i + chunk] for i in range(0, len(near), chunk)]
    return np.concatenate([_newton(coefficients, angles[piece], width) for piece in pieces])


def _cosines(row: Array) -> Array:
    """Return the coefficients of Σ a_j cos(jφ) through values at evenly spaced angles."""
    size = len(row) - 1
    doubled = np.concatenate([row, row[-2:0:-1]])
    coefficients = np.fft.rfft(doubled).real / size
    coefficients[[0, -1]] /= 2
    return np.asarray(coefficients)


def _newton(coefficients: Array, angles: Array, width: float) -> Array:
    """Return the zeros of q' next to angles; a step of Newton's never leaves the cells around."""
    order = np.arange(len(coefficients))
    first, second = order * coefficients, order**2 * coefficients
    current = angles.copy()
    for _ in range(_NEWTON):
        phases = np.multiply.outer(current, order)
        slope, bend = -np.sin(phases) @ first, -np.cos(phases) @ second
        with np.errstate(all="ignore"):
            step = np.where(bend != 0, -slope / bend, 0.0)
        current = np.clip(current + step, angles - width, angles + width)
    return np.clip(current, 0.0, math.pi)
