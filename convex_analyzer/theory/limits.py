"""What no method that adds up past gradients can beat: in the worst case, and on one instance.

A Krylov method is one with θ_k in θ₀ + span{g₀, ..., g_{k-1}}: gradient descent, momentum, any
schedule, conjugate gradients. Its error after k steps is p(A) e₀ for a polynomial of degree k with
p(0) = 1, so the best polynomial is a wall. Methods that treat coordinates one by one (sign descent,
Adam) or solve with A (Newton) are not Krylov methods of A and may stand on the other side of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.results import Result
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_count, format_number
from convex_analyzer.theory.arguments import checked_counts, checked_tolerance
from convex_analyzer.theory.polynomials import excited, smallest_gaps

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis

__all__ = [
    "DistanceToLimit",
    "cg_curve",
    "cg_steps",
    "distance_to_limit",
    "flat_gap_of_gradient_descent",
    "flat_limit",
    "krylov_bound",
    "krylov_steps",
    "log_krylov_bound",
]

Array = npt.NDArray[np.float64]

_WHOLE = 2**40  # below this neighbouring counts can be told apart by their bounds


# -- the worst case -------------------------------------------------------------------------------


def krylov_bound(m: float, L: float, steps: Any, criterion: str = "norm") -> Any:
    """Return the factor that no k-step Krylov method beats on every quadratic in [m, L].

    That is 2rᵏ/(1 + r²ᵏ) with r = (√κ - 1)/(√κ + 1), the largest value on [m, L] of the Chebyshev
    polynomial with p(0) = 1. It is exact: the Chebyshev steps reach it, and k + 1 eigenvalues at
    its extrema force it, so a problem needs more than k directions to be this hard.

    Parameters
    ----------
    m, L
        The smallest and the largest eigenvalue, 0 ≤ m ≤ L, L > 0.
    steps
        k: a number or shape (K,).
    criterion
        ``"norm"``: of |θ - θ*| (and of the gap's square root), relative to the start. ``"gap"``: of
        J - J*; relative to the first gap for m > 0. For m = 0 no method shrinks the worst error at
        all, and the gap is relative to L|θ₀ - θ*|²/2, the most it can be: 1/(2k + 1)².

    Raises
    ------
    InputError
        Not 0 ≤ m ≤ L; an unknown criterion; steps that are not whole numbers from 0.

    Notes
    -----
    Sources: Flanders & Shortley (1950); Nemirovsky & Yudin (1983); for m = 0 Nemirovsky (1992).

    Examples
    --------
    >>> round(krylov_bound(1.0, 100.0, 16), 7)
    0.0805233
    >>> krylov_bound(2.0, 2.0, 1), round(krylov_bound(0.0, 1.0, 2, "gap"), 12)
    (0.0, 0.04)
    """
    return _unwrapped(np.exp(np.atleast_1d(log_krylov_bound(m, L, steps, criterion))), steps)


def log_krylov_bound(m: float, L: float, steps: Any, criterion: str = "norm") -> Any:
    """Return the natural logarithm of `krylov_bound`, which does not underflow.

    Examples
    --------
    >>> round(log_krylov_bound(1.0, 100.0, 10**6), 3)
    -200670.002
    """
    if not (0 <= m <= L < math.inf and L > 0):
        raise InputError(
            f"need 0 <= m <= L and L > 0, got m = {m!r}, L = {L!r}",
            argument="m",
            hint="negative curvature has no minimum to approach",
        )
    if criterion not in {"norm", "gap"}:
        raise InputError(
            f"criterion must be 'norm' or 'gap', got {criterion!r}", argument="criterion"
        )
    k = checked_counts(steps)
    if m == 0:
        bound = -2 * np.log1p(2 * k) if criterion == "gap" else np.zeros(len(k))
        return _unwrapped(bound, steps)
    log_r = _log_of_root(float(m), float(L))
    with np.errstate(all="ignore"):
        power = np.where(k == 0, 0.0, k * log_r)
    bound = math.log(2) + power - np.log1p(np.exp(2 * power))
    return _unwrapped(2 * bound if criterion == "gap" else bound, steps)


def _log_of_root(m: float, L: float) -> float:
    """Return log of (√L - √m)/(√L + √m) without cancellation; -∞ for m = L."""
    total = math.sqrt(L) + math.sqrt(m)
    share = 2 * math.sqrt(m) / total
    if share < 0.5:
        return math.log1p(-share)
    return math.log((L - m) / total**2) if m < L else -math.inf


def krylov_steps(
    m: float, L: float, tolerance: float = 1e-6, criterion: str = "norm"
) -> int | None:
    """Return the smallest k with `krylov_bound` at most a tolerance; None for m = 0 and the norm.

    Examples
    --------
    >>> [krylov_steps(1.0, kappa) for kappa in (10.0, 100.0, 1e4, 1e6)]
    [23, 73, 726, 7255]
    """
    log_krylov_bound(m, L, 1, criterion)  # checks the arguments
    goal = math.log(checked_tolerance(tolerance))
    if m == 0 and criterion == "norm":
        return None
    if m == 0:
        guess = (math.exp(-goal / 2) - 1) / 2
    else:
        height = goal / 2 if criterion == "gap" else goal
        # 1/cosh(x) at x = -k log r is the bound
        guess = math.acosh(math.exp(-height)) / -_log_of_root(float(m), float(L))
    k = max(1, math.ceil(guess))
    if k > _WHOLE:
        return k
    while k > 1 and log_krylov_bound(m, L, k - 1, criterion) <= goal:
        k -= 1
    while log_krylov_bound(m, L, k, criterion) > goal:
        k += 1
    return k


def flat_limit(L: float, steps: Any, radius: float = 1.0) -> Any:
    """Return L R²/(2(2k + 1)²): the smallest worst gap of k Krylov steps on [0, L].

    Parameters
    ----------
    L
        The largest eigenvalue.
    steps
        k: a number or shape (K,).
    radius
        R = |θ₀ - θ*|.

    Notes
    -----
    Source: Nemirovsky (1992). The steps that reach it are 1/(L cos²((2j - 1)π/(4k + 2))).

    Examples
    --------
    >>> flat_limit(1.0, 2)
    0.02
    """
    k = _checked_flat(L, radius, steps)
    return _unwrapped(L * radius**2 / (2 * (2 * k + 1) ** 2), steps)


def flat_gap_of_gradient_descent(L: float, steps: Any, radius: float = 1.0) -> Any:
    """Return the worst gap of gradient descent with α = 1/L and eigenvalues in [0, L].

    (L R²/2) (1/(2k + 1)) (2k/(2k + 1))²ᵏ, taken at λ = L/(2k + 1): of order 1/k where `flat_limit`
    is of order 1/k². Parameters as there.

    Examples
    --------
    >>> round(flat_gap_of_gradient_descent(1.0, 50), 6)
    0.00183
    """
    k = _checked_flat(L, radius, steps)
    decay = np.exp(2 * k * np.log1p(-1 / (2 * np.maximum(k, 0.5) + 1)))
    return _unwrapped(L * radius**2 / 2 / (2 * k + 1) * decay, steps)


def _checked_flat(L: float, radius: float, steps: Any) -> Array:
    if not 0 < L < math.inf:
        raise InputError(f"L must be positive and finite, got {L!r}", argument="L")
    if not 0 <= radius < math.inf:
        raise InputError(f"radius must be at least 0 and finite, got {radius!r}", argument="radius")
    return checked_counts(steps)


def _unwrapped(values: Array, steps: Any) -> Any:
    return float(np.ravel(values)[0]) if np.ndim(steps) == 0 else values


# -- one instance ---------------------------------------------------------------------------------


def cg_curve(spectrum: Spectrum, start: Any, steps: Any) -> Any:
    """Return the smallest gap that any k-step Krylov method can have on this very instance.

    That is min over polynomials with p(0) = 1 of ½ Σ λ x₀² p(λ)², which is what conjugate gradients
    would reach without rounding: draw it as the line that gradient descent, momentum and schedules
    cannot cross. It is 0 from as many steps on as there are distinct excited eigenvalues.

    Parameters
    ----------
    spectrum
        The curvature; zero eigenvalues are left out.
    start
        θ₀, shape (d,).
    steps
        k: a number or shape (K,).

    Returns
    -------
    float or array of shape (K,)
        J - J*. Kind: numerical; rounding costs about √κ · 1e-16 of its value.

    Raises
    ------
    NotConvexError, InputError, NotDerivableError
        No minimum, or no instance: see `excited`.

    Notes
    -----
    Conjugate gradients in float64 lose orthogonality and stay above the true curve. Here the
    weighted least-squares problem is bidiagonalised in the eigenbasis with full
    reorthogonalisation, and the curve is a product of sines, in which nothing cancels.
    Sources: Hestenes & Stiefel (1952); Golub & Kahan (1965); Paige & Saunders (1982).

    Examples
    --------
    >>> repeated = Spectrum.from_eigenvalues([1.0, 2.0, 2.0, 2.0, 7.0, 7.0, 30.0])
    >>> cg_curve(repeated, [1.0] * 7, [0, 3, 4]).round(6)
    array([25.5    ,  0.08062,  0.     ])
    """
    k = checked_counts(steps)
    values, weights = excited(spectrum, start)
    most = int(min(float(k.max(initial=0)), len(values)))
    curve = smallest_gaps(values, weights, most)
    found = np.where(k >= len(curve), 0.0, curve[np.minimum(k, len(curve) - 1).astype(int)])
    return _unwrapped(found, steps)


def cg_steps(spectrum: Spectrum, start: Any, tolerance: float = 1e-6) -> int:
    """Return how many steps the best Krylov method needs for a gap of tolerance x the first.

    Parameters
    ----------
    spectrum, start
        As for `cg_curve`.
    tolerance
        Between 0 and 1.

    Examples
    --------
    >>> cg_steps(Spectrum.from_eigenvalues([1.0, 2.0, 2.0, 30.0]), [1.0, 1.0, 1.0, 1.0], 1e-12)
    3
    """
    tolerance = checked_tolerance(tolerance)
    values, weights = excited(spectrum, start)
    most = 64
    while True:
        curve = smallest_gaps(values, weights, min(most, len(values)))
        hits = np.flatnonzero(curve <= tolerance * curve[0])
        if hits.size:
            return int(hits[0])
        most *= 4


@dataclass(frozen=True, eq=False, repr=False)
class DistanceToLimit(Result):
    """How far an optimizer is from the best Krylov method on the same instance.

    Attributes
    ----------
    name
        The optimizer.
    steps
        Steps that it needs; None when it never arrives.
    limit
        Steps that conjugate gradients need in exact arithmetic.
    tolerance
        Of the gap, relative to the first.
    kind
        Of `steps`: ``exact`` when derived, ``simulated`` when counted.
    """

    schema: ClassVar[str] = "convex_analyzer.distance_to_limit/1"

    name: str
    steps: int | None
    limit: int
    tolerance: float
    kind: str = "exact"

    @property
    def ratio(self) -> float | None:
        """Steps needed / steps of the limit; below 1 only for what is no Krylov method."""
        if self.steps is None:
            return None
        if self.limit == 0:
            return 1.0 if self.steps == 0 else math.inf
        return self.steps / self.limit

    def verdict(self) -> str:
        """Return the distance as a sentence."""
        goal = f"{format_number(self.tolerance)} of the first gap"
        best = f"{format_count(self.limit)} for the best Krylov method"
        if self.ratio is None:
            return f"{self.name} never reaches {goal}; {best}."
        count = f"{self.name} needs {format_count(self.steps)} steps for {goal}, {best}"
        if self.ratio < 1:
            return (
                f"{count}: it crosses the limit, which it may, since it does more than add up past "
                "gradients."
            )
        return f"{count}: {format_number(self.ratio, 3)} times the limit."

    def summary(self) -> Table:
        """Return a table of one row."""
        row = (
            self.name,
            format_count(self.steps),
            format_count(self.limit),
            format_number(self.ratio, 3),
        )
        columns = ("optimizer", "steps", "Krylov limit", "distance")
        notes = (f"steps: {self.kind}; Krylov limit: numerical", self.verdict())
        return Table(columns, (row,), notes=notes)


def distance_to_limit(
    analysis: Analysis, start: Any, tolerance: float = 1e-6, steps: int | None = None
) -> DistanceToLimit:
    """Return how many times more steps an optimizer needs than the best Krylov method would.

    Parameters
    ----------
    analysis
        The optimizer on its spectrum.
    start
        θ₀, shape (d,).
    tolerance
        Of the gap, relative to the first.
    steps
        Steps that were counted in a run; without them they are derived, which takes a linear rule.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.theory.analysis import analyze
    >>> toy = analyze(Spectrum.from_eigenvalues([0.2, 4.0]), GradientDescent)
    >>> distance_to_limit(toy, [-5.0, -2.0]).ratio
    35.0
    """
    limit = cg_steps(analysis.spectrum, start, tolerance)
    kind = "exact" if steps is None else "simulated"
    needed = analysis.steps_to(tolerance, start) if steps is None else steps
    return DistanceToLimit(str(analysis.optimizer), needed, limit, float(tolerance), kind)
