"""What a condition number costs: digits in a direct solve, steps in training, steps gone wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.krylov import ConjugateGradient
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.clusters import chebyshev_steps
from convex_analyzer.spectra.collinearity import find_intercept
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.data_sensitivity import solution_sensitivity
from convex_analyzer.spectra.scaling.rotations import prescaled
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.limits import cg_steps

__all__ = [
    "OPTIMIZERS",
    "DescentSteps",
    "Digits",
    "Mismatch",
    "cautious_descent",
    "cheap_steps",
    "descent_steps",
    "digits_lost",
    "mismatch",
    "steps_of",
]

Array = npt.NDArray[np.float64]

CARRIED = -math.log10(np.finfo(float).eps / 2)  # decimal digits of float64: 15.95
CHEAP_KAPPA = 100.0  # training that costs no more than this κ at worst is cheap (heuristic)
_SCANNED = 100_000  # steps times directions up to which every step is looked at
_FEW = 64  # directions
_SECTIONS = 30  # candidates that are tried at a time
_BLOCK = 4096  # entries of a block of the scan: temporaries that stay in the cache
GOOD_DIGITS = 8.0  # of 16: a direct solve that keeps these is no reason to worry (heuristic)
OPTIMIZERS = (GradientDescent, HeavyBall, Nesterov, ConjugateGradient)


@dataclass(frozen=True)
class Digits:
    """Decimal digits lost in a direct solve in float64, at worst to first order.

    QR and Cholesky do not care how columns are scaled (van der Sluis 1969; Demmel 1989), so that
    κ of columns of unit length counts: digits are lost to offsets and collinearity, never to units.

    Attributes
    ----------
    by_qr
        By QR of X; for a matrix, by Cholesky.
    by_svd
        By the SVD or pseudo-inverse of X as it is, which does care: κ(X) counts.
    by_normal_equations
        By solving XᵀXθ = Xᵀy; None for a matrix.
    """

    by_qr: float
    by_svd: float
    by_normal_equations: float | None

    @property
    def kept(self) -> float:
        """Digits that are left of the 15.95 of float64, by QR."""
        return max(CARRIED - self.by_qr, 0.0)

    @property
    def kept_by_normal_equations(self) -> float | None:
        """Digits that are left when XᵀX is formed."""
        lost = self.by_normal_equations
        return None if lost is None else max(CARRIED - lost, 0.0)

    @property
    def kept_by_svd(self) -> float:
        """Digits that are left by the SVD of X as it is."""
        return max(CARRIED - self.by_svd, 0.0)


def digits_lost(problem: Quadratic, spectrum: Spectrum) -> Digits:
    """Return the digits lost in a direct solve."""
    raw = spectrum.condition_number or 1.0
    if isinstance(problem, LeastSquares):
        found = solution_sensitivity(problem)
        kappa, whole = found.condition_number, found.amplification
        data = spectrum.data.condition_number if spectrum.data is not None else math.sqrt(raw)
        singular = not math.isfinite(kappa)
        qr = _log(max(whole, 1.0)) if math.isfinite(whole) else _log(kappa)
        return Digits(
            math.inf if singular else qr,
            math.inf if singular else max(_log(data), qr),
            math.inf if singular else max(2 * _log(kappa), qr),
        )
    if not problem.operator.can_decompose:
        return Digits(_log(raw), _log(raw), None)
    if spectrum.lambda_min <= 0:
        return Digits(math.inf, math.inf, None)
    scaled = compute_spectrum(prescaled(problem).problem).condition_number or 1.0
    return Digits(_log(scaled), _log(raw), None)


def _log(value: float) -> float:
    return math.log10(value) if value < math.inf else math.inf


def cheap_steps(tolerance: float) -> int:
    """Return the steps of gradient descent at κ = 100 from the worst start: a yardstick."""
    worst = analyze(Spectrum.between(1.0, CHEAP_KAPPA), GradientDescent).steps_to(tolerance)
    assert worst is not None  # tuned gradient descent always converges there
    return worst


def steps_of(problem: Quadratic, start: Array | None, tolerance: float) -> dict[str, int | None]:
    """Return exact numbers of steps of the tuned optimizers to the tolerance, by name.

    Gradient descent takes the better of 2/(λmin + λmax), best for the worst start, and 1/λmax, best
    for a start that has nothing to do along slow directions.

    Parameters
    ----------
    problem
        Convex.
    start
        θ₀, shape (d,); None for the worst start.
    tolerance
        Of the gap J - J*, relative to the first.

    Returns
    -------
    dict
        The first step that is within the tolerance. Where an error that swings would have to be
        looked at more than 100,000 times: a step that is, and follows one that is not. None where
        the tolerance is never reached. Conjugate gradients are counted as in exact arithmetic.
    """
    found = compute_spectrum(problem)
    point = None if found.is_interval else start
    if problem.operator.can_decompose and problem.why_no_minimum is not None:
        return {rule.__name__: None for rule in OPTIMIZERS}
    steps: dict[str, int | None] = {}
    steps[GradientDescent.__name__] = descent_steps(found, point, tolerance).fewest
    for rule in OPTIMIZERS[1:-1]:
        steps[rule.__name__] = analyze(found, rule).as_run().steps_to(tolerance, point)
    name = ConjugateGradient.__name__
    if point is None:
        kappa = found.condition_number
        steps[name] = None if kappa is None else chebyshev_steps(kappa, math.sqrt(tolerance))
    else:
        try:
            steps[name] = cg_steps(found, point, tolerance)
        except InputError:  # no minimum, or too many steps for exact arithmetic's basis
            steps[name] = None
    return steps


@dataclass(frozen=True)
class DescentSteps:
    """Steps of gradient descent at its two usual learning rates; None for never.

    Attributes
    ----------
    tuned
        At α = 2/(λmin + λmax), the best rate in the long run.
    cautious
        At α = 1/λmax.
    """

    tuned: int | None
    cautious: int | None

    @property
    def fewest(self) -> int | None:
        """Of the better one."""
        counts = [n for n in (self.tuned, self.cautious) if n is not None]
        return min(counts, default=None)

    def __str__(self) -> str:
        """Say both, or the one where they agree."""
        text = f"{format_count(self.tuned)} step{'' if self.tuned == 1 else 's'}"
        if self.tuned == self.cautious:
            return text
        return f"{text} at α = 2/(λmin + λmax), {format_count(self.cautious)} at 1/λmax"


def descent_steps(spectrum: Spectrum, start: Array | None, tolerance: float) -> DescentSteps:
    """Return the steps of gradient descent to a tolerance of the gap, from a start or the worst.

    Examples
    --------
    >>> found = descent_steps(Spectrum.from_eigenvalues([1.0, 10.0]), np.array([0.1, 1.0]), 1e-3)
    >>> str(found)
    '18 steps at α = 2/(λmin + λmax), 1 at 1/λmax'
    """
    tuned = analyze(spectrum, GradientDescent).as_run().steps_to(tolerance, start)
    cautious = analyze(spectrum, cautious_descent(spectrum)).steps_to(tolerance, start)
    return DescentSteps(tuned, cautious)


def cautious_descent(spectrum: Spectrum) -> GradientDescent:
    """Return gradient descent with α = 1/λmax, which is done with the widest direction at once."""
    return GradientDescent(1 / spectrum.lambda_max_bracket.high)


@dataclass(frozen=True)
class Mismatch:
    """Two weights whose gradients ask for the opposite of what they need (lecture 001, slide 24).

    Attributes
    ----------
    larger, smaller
        Names: the first has the larger gradient at the start.
    gradient_ratio
        |gradient of `larger`| / |gradient of `smaller`|, hence the ratio of their first updates.
    needed_ratio
        The same of the ways from the start to the minimum.
    """

    larger: str
    smaller: str
    gradient_ratio: float
    needed_ratio: float

    @property
    def is_reversed(self) -> bool:
        """Whether the weight with the smaller gradient has the longer way to go."""
        return self.needed_ratio < 1

    @property
    def is_large(self) -> bool:
        """Whether the two ratios differ tenfold."""
        return self.gradient_ratio >= 10 * self.needed_ratio

    @property
    def sentence(self) -> str:
        """Both ratios in words."""
        first = (
            f"The first gradient step moves {self.larger} {_size(self.gradient_ratio)} times as "
            f"far as {self.smaller}"
        )
        if self.is_reversed:
            way = _size(1 / self.needed_ratio)
            return f"{first}, the wrong way round: {self.smaller} has {way} times as far to go."
        way = _size(self.needed_ratio)
        return f"{first}, which has to go only {way} times as far."


def _size(ratio: float) -> str:
    """Write how many times: 203, but 5.1e4."""
    return format_number(ratio, 3 if 100 <= ratio < 1000 else 2)


def mismatch(problem: Quadratic, start: Array, labels: tuple[str, ...]) -> Mismatch | None:
    """Return the two weights whose first update is most out of proportion; None for fewer than two.

    The intercept does not count.
    """
    if problem.minimizer is None:
        return None
    gradient = np.abs(problem.gradient(start))
    needed = np.abs(problem.minimizer - start)
    kept = (gradient > 0) & (needed > 0)
    at: Any = find_intercept(problem.X) if isinstance(problem, LeastSquares) else None
    if at is not None:
        kept[at] = False
    index = np.flatnonzero(kept)
    if len(index) < 2:
        return None
    push = np.log(gradient[index]) - np.log(needed[index])
    high, low = int(index[np.argmax(push)]), int(index[np.argmin(push)])
    if high == low:
        return None
    if gradient[high] < gradient[low]:
        high, low = low, high
    return Mismatch(
        labels[high],
        labels[low],
        float(gradient[high] / gradient[low]),
        float(needed[high] / needed[low]),
    )
