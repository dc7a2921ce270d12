"""Mini-batches of Gaussian rows: how much smaller the stable learning rate is than 2/λmax.

The variance of a batch gradient grows with the distance from the minimum, so that it feeds itself.
With r_i the stationary variance per unit of gradient variance along a direction (from the rule's
own step), and w_i = r_i λ_i², a rule is stable in mean square iff it is stable without noise, all
w_i < B, and Σ w_i/(B - w_i) < 1.

Sources: Feuer & Weinstein (1985) for least mean squares; the loop is closed here for every rule
with one gradient per step. THEORY 5.7 to 5.9.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.stochastic.batches import one_gradient
from convex_analyzer.theory.stochastic.moments import Moments, period_of

__all__ = [
    "GaussianBatches",
    "almost_sure_limit",
    "gaussian_batches",
    "gaussian_critical_learning_rate",
]

Array = npt.NDArray[np.float64]

_LOWEST = 1e-6  # of the limit without noise, where the search for a stable rate gives up


@dataclass(frozen=True, eq=False)
class GaussianBatches(Result):
    """A rule on least squares with Gaussian rows, B of them per step.

    Attributes
    ----------
    feedback
        h = Σ w_i/(B - w_i): the noise that the noise causes; stable below 1. Infinite where one
        direction alone is unstable.
    excess
        Stationary E (J - J*) of the reported point; infinite when unstable. For gradient descent
        ½τ²h/(1 - h).
    batch_size, label_variance
        B and τ².
    """

    schema: ClassVar[str] = "convex_analyzer.gaussian_batches/1"
    kind: ClassVar[str] = "exact"

    feedback: float
    excess: float
    batch_size: int
    label_variance: float

    @property
    def is_stable(self) -> bool:
        """Whether second moments settle."""
        return self.feedback < 1

    @property
    def words(self) -> str:
        """One sentence."""
        if self.is_stable:
            more = format_number(1 / (1 - self.feedback), 3)
            return (
                f"Stable in mean square: noise that grows with the distance makes the floor {more} "
                "times what the noise at the minimum would."
            )
        return (
            "Unstable in mean square: the noise of the batches feeds itself. A smaller learning "
            "rate or a larger batch cures it."
        )

    def summary(self) -> Table:
        """Return the facts as a table."""
        rows = (
            ("feedback h (stable below 1)", format_number(self.feedback)),
            ("J − J* in the end, on average", format_number(self.excess)),
            ("batch size B", str(self.batch_size)),
            ("variance of the labels τ²", format_number(self.label_variance)),
            ("kind", self.kind),
        )
        return Table(("quantity", "value"), rows, title="Gaussian rows", notes=(self.words,))


def gaussian_batches(
    optimizer: Optimizer, eigenvalues: Any, batch_size: int = 1, label_variance: float = 0.0
) -> GaussianBatches:
    """Return what batches of independent Gaussian rows do to a rule.

    Parameters
    ----------
    optimizer
        A linear rule with one gradient per step.
    eigenvalues
        Of the covariance of a row, (d,), non-negative: then J = ½ E (xᵀθ - y)² has these.
    batch_size
        B, drawn afresh at every step.
    label_variance
        τ², of what the labels have besides xᵀθ*.

    Raises
    ------
    NotDerivableError
        The rule asks for several gradients per step, or is not linear.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> round(gaussian_batches(GradientDescent(0.5), [1.0], 1, 1.0).feedback, 12)
    0.5
    """
    values = _checked(eigenvalues, batch_size)
    rule = one_gradient(optimizer)
    if rule is None:
        raise NotDerivableError(
            f"{type(optimizer).__name__} is not a linear rule with one gradient per step, so the "
            "noise of batches does not act on it in a closed form"
        )
    analysis = Analysis(Spectrum.from_eigenvalues(values), optimizer)
    size, labels = int(batch_size), float(label_variance)
    if not analysis.is_stable:
        return GaussianBatches(math.inf, math.inf, size, labels)
    S = Moments(period_of(analysis), np.ones(len(values))).stationary(
        np.ones(len(values), dtype=bool)
    )
    response = np.einsum("a,nab,b->n", rule.taken, S, rule.taken)
    seen = np.einsum("a,nab,b->n", rule.report, S, rule.report)
    w = response * values**2
    if np.any(w >= size):
        return GaussianBatches(math.inf, math.inf, size, labels)
    h = float(np.sum(w / (size - w)))
    if h >= 1:
        return GaussianBatches(h, math.inf, size, labels)
    whole = labels / (1 - h)  # τ² + Σ λ_j p_j
    variance = values * whole / (size - w)  # of the gradient, along each direction
    return GaussianBatches(h, float(np.sum(values * seen * variance) / 2), size, labels)


def _checked(eigenvalues: Any, batch_size: Any) -> Array:
    values = np.array(eigenvalues, dtype=float)
    if values.ndim != 1 or not np.all(np.isfinite(values)) or np.any(values < 0):
        raise InputError(
            "eigenvalues must be a vector of non-negative numbers: those of a covariance",
            argument="eigenvalues",
        )
    if not np.any(values > 0):
        raise InputError("all eigenvalues are zero: there is no data", argument="eigenvalues")
    if batch_size != int(batch_size) or batch_size < 1:
        raise InputError(
            f"batch_size must be a whole number from 1, got {batch_size!r}", argument="batch_size"
        )
    return np.sort(values[values > 0])


def gaussian_critical_learning_rate(
    optimizer: Optimizer, eigenvalues: Any, batch_size: int = 1
) -> float:
    """Return the largest learning rate that is stable in mean square, for Gaussian rows.

    Parameters
    ----------
    optimizer
        A linear rule with one gradient per step; its other settings stay.
    eigenvalues
        Of the covariance of a row, (d,).
    batch_size
        B.

    Returns
    -------
    float
        Where `gaussian_batches` has a feedback of 1. For gradient descent with one direction
        2B/(λ(B + 2)); with d equal ones 2B/(λ(B + d + 1)).

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> round(gaussian_critical_learning_rate(GradientDescent(0.1), [1.0, 0.3]), 6)
    0.638107
    """
    values = _checked(eigenvalues, batch_size)
    analysis = Analysis(Spectrum.from_eigenvalues(values), optimizer)
    top = analysis.stability_limit
    if top is None or not math.isfinite(top):
        raise NotDerivableError(
            f"{type(optimizer).__name__} has no largest stable learning rate of its own"
        )

    from scipy.optimize import brentq

    def margin(rate: float) -> float:
        rule = optimizer.replace(learning_rate=rate)
        return 1 / gaussian_batches(rule, values, batch_size).feedback - 1

    high, low = top, top / 2
    while margin(low) <= 0:
        high, low = low, low / 2
        if low < _LOWEST * top / len(values):
            raise NotDerivableError(
                f"{type(optimizer).__name__} is not stable in mean square for any learning rate "
                "that was tried"
            )
    return float(brentq(margin, low, high, xtol=1e-15 * high, rtol=1e-14))


def almost_sure_limit(variance: float = 1.0, batch_size: int = 1) -> float:
    """Return the learning rate below which almost every path of one-parameter SGD converges.

    θ ← θ(1 - αh), h the mean of B squares of Gaussian inputs: E ln|1 - αh| = 0. Between the
    mean-square limit 2B/(v(B + 2)) and this one the variance over runs diverges while almost every
    run converges, even beyond the limit 2/v of gradient descent. So stability in mean square can
    never be seen by averaging simulations.

    Parameters
    ----------
    variance
        v, of the inputs.
    batch_size
        B.

    Examples
    --------
    >>> round(almost_sure_limit(), 5)
    2.42125
    """
    from scipy.integrate import quad
    from scipy.optimize import brentq

    size = int(_checked([variance], batch_size).size and batch_size)
    log_norm = (1 - size / 2) * math.log(2) - math.lgamma(size / 2)

    def mean_log(rate: float) -> float:
        edge = math.sqrt(size / rate)

        def inside(x: float) -> float:
            weight = math.exp(log_norm + (size - 1) * math.log(x) - x * x / 2) if x > 0 else 0.0
            return weight * math.log(abs(1 - rate * x * x / size) or 1e-300)

        far = edge + math.sqrt(size) + 40
        parts = [(0.0, edge), (edge, edge + 1), (edge + 1, far)]
        return float(sum(quad(inside, a, b, limit=400)[0] for a, b in parts))

    return float(brentq(mean_log, 0.5, 50.0, xtol=1e-12)) / variance
