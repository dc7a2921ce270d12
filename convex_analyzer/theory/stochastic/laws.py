"""Small exact laws of noisy descent: dropping α, averaging, one best step, decay, reshuffling.

Sources: Polyak & Juditsky (1992); McCandlish et al. (2018); Smith & Le (2018); Goyal et al. (2017);
lecture 001, slides 34 to 39. THEORY 5.3, 5.4, 5.10 to 5.13, 5.15.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.arguments import checked_counts, checked_start
from convex_analyzer.theory.stochastic.batches import gradient_covariance
from convex_analyzer.theory.stochastic.moments import Moments, period_of
from convex_analyzer.theory.stochastic.variances import as_additive, noise_of_rule, variances

__all__ = [
    "Drop",
    "OneStep",
    "after_drop",
    "averaging_limit",
    "epoch_factor",
    "linear_scaling",
    "noise_scale",
    "one_step",
    "optimal_decay",
    "signal_to_noise",
]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Drop(Result):
    """What the loss does when the learning rate is dropped in the stationary state.

    Attributes
    ----------
    steps, gap
        Numbers of steps after the drop, and E (J - J*) there, (K,).
    before, after
        The two floors.
    fast
        Eigenvalue of the direction that gives most of the fall, and ``fast_time`` the steps in
        which it does; ``slower`` the factor by which the slowest direction now needs more steps.
    """

    schema: ClassVar[str] = "convex_analyzer.drop/1"
    kind: ClassVar[str] = "exact"

    steps: Array
    gap: Array
    before: float
    after: float
    fast: float
    fast_time: float
    slower: float

    @property
    def words(self) -> str:
        """The warning of lecture 001, slide 39, with numbers."""
        return (
            f"The loss falls ×{format_number(self.after / self.before, 3)}, most of it along "
            f"λ = {format_number(self.fast, 3)} within about {format_number(self.fast_time, 2)} "
            "steps: that is noise that leaves, not progress. The slowest direction now takes "
            f"{format_number(self.slower, 3)} times as many steps: too early a drop costs more "
            "than it shows."
        )

    def summary(self) -> Table:
        """Return the facts as a table."""
        rows = (
            ("floor before", format_number(self.before)),
            ("floor after", format_number(self.after)),
            ("steps of the sudden part", format_number(self.fast_time)),
            ("slowest direction: steps, times", format_number(self.slower)),
            ("kind", self.kind),
        )
        return Table(("quantity", "value"), rows, title="a dropped rate", notes=(self.words,))


def after_drop(
    before: Analysis, learning_rate: float, steps: Any, noise: Any = None, problem: Any = None
) -> Drop:
    """Return the loss after the learning rate is dropped in the stationary state.

    The state (velocities too) is carried over. For gradient descent the variance is
    V₂ + (V₁ - V₂)(1 - α₂λ)^{2k}.

    Parameters
    ----------
    before
        The rule at its old learning rate, in its stationary state.
    learning_rate
        The new one.
    steps
        Numbers of steps after the drop, (K,).
    noise, problem
        As for `noise_floor`; of mini-batches with the covariance at the minimiser.

    Raises
    ------
    NotDerivableError
        One of the two has no stationary state.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([0.01, 1.0]), GradientDescent(0.5))
    >>> after_drop(rule, 0.05, [0, 10, 1000], AdditiveNoise(0.1)).gap.round(5)
    array([0.0292 , 0.01922, 0.00668])
    """
    later = Analysis(before.spectrum, before.optimizer.replace(learning_rate=learning_rate))
    for analysis in (before, later):
        if not analysis.is_stable or (analysis.modes.one_minus_rate <= 0).any():
            raise NotDerivableError(
                f"{analysis.optimizer} has no stationary state on this spectrum"
            )
    sigma2 = variances(before.spectrum, as_additive(noise_of_rule(before, noise), problem))
    every = np.ones(len(sigma2), dtype=bool)
    old, new = Moments(period_of(before), sigma2), Moments(period_of(later), sigma2)
    if len(old.steps) != len(new.steps):
        raise NotDerivableError("the two rules repeat after different numbers of steps")
    first = old.stationary(every)
    counts, half = checked_counts(steps), before.modes.eigenvalues / 2
    curve = new.variances_after(counts, first) @ half
    ends = [half * m.reported(m.stationary(every), m.steps[-1]) for m in (old, new)]
    fast = int(np.argmax(ends[0] - ends[1]))
    share = before.one_minus_rate / later.one_minus_rate
    return Drop(
        counts,
        curve,
        float(ends[0].sum()),
        float(ends[1].sum()),
        float(before.modes.eigenvalues[fast]),
        -len(new.steps) / (2 * math.log(max(float(later.modes.rates[fast]), 1e-300))),
        float(share),
    )


def averaging_limit(analysis: Analysis, steps: Any, noise: Any, problem: Any = None) -> Any:
    """Return tr(ΣA⁻¹)/(2k): the loss of the mean of many iterates, whatever the rule.

    Neither the learning rate nor momentum is in it. For the curve from the start, bias included,
    pass ``Averaged(rule)`` to `expected_noisy_gap`. Kind: asymptotic.

    Parameters
    ----------
    analysis
        Gives the spectrum, all of it positive.
    steps
        k, a number or shape (K,), from 1.
    noise, problem
        As for `noise_floor`.
    """
    values = analysis.spectrum.eigenvalues
    counts = checked_counts(steps)
    if np.any(values <= 0) or np.any(counts < 1):
        raise InputError("averaging needs positive eigenvalues and at least one step")
    sigma2 = variances(analysis.spectrum, as_additive(noise, problem))
    found = np.sum(sigma2 / values) / (2 * counts)
    return float(found[0]) if np.ndim(steps) == 0 else found


# -- one step ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class OneStep(Result):
    """The best learning rate for the next step, if gradients are noisy.

    Attributes
    ----------
    learning_rate, decrease
        The best rate, and the expected fall of the loss with it.
    noiseless_rate, noiseless_decrease
        The same with the true gradient.
    noise_batch
        B_n = tr(HΣ)/gᵀHg: the batch size at which noise halves both.
    signal_to_noise
        |g|²/tr(Σ/B).
    """

    schema: ClassVar[str] = "convex_analyzer.one_step/1"
    kind: ClassVar[str] = "exact"

    learning_rate: float
    decrease: float
    noiseless_rate: float
    noiseless_decrease: float
    noise_batch: float
    signal_to_noise: float

    def summary(self) -> Table:
        """Return the facts as a table."""
        rows = (
            ("best learning rate now", format_number(self.learning_rate)),
            ("expected fall of the loss", format_number(self.decrease)),
            ("best rate without noise", format_number(self.noiseless_rate)),
            ("fall without noise", format_number(self.noiseless_decrease)),
            ("noise batch B_n", format_number(self.noise_batch)),
            ("signal / noise |g|²/tr Σ_B", format_number(self.signal_to_noise)),
        )
        return Table(("quantity", "value"), rows, title="one step under noise")


def one_step(problem: Any, theta: Any, noise: Any) -> OneStep:
    """Return the learning rate that lowers the expected loss most in the next step.

    α = α_max/(1 + B_n/B) and Δ = Δ_max/(1 + B_n/B), with α_max = |g|²/gᵀHg and
    Δ_max = |g|⁴/(2gᵀHg). With additive noise B = 1; without replacement 1/B is
    (N - B)/(B(N - 1)).

    Parameters
    ----------
    problem
        A quadratic; least squares for `MiniBatch`.
    theta
        The point, (d,).
    noise
        `AdditiveNoise` or `MiniBatch`.

    Raises
    ------
    InputError
        The gradient is zero, or the loss has no positive curvature along it.

    Examples
    --------
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> one_step(Quadratic.diagonal([1.0, 4.0]), [1.0, 1.0], AdditiveNoise(1.0)).noise_batch
    0.07692307692307693
    """
    point = checked_start(theta, problem.dimension)
    gradient = np.asarray(problem.gradient(point), dtype=float)
    bend = float(gradient @ problem.hessian_vector(point, gradient))
    if not bend > 0:
        raise InputError(
            "the loss has no positive curvature along its gradient here, so that no step is best",
            argument="theta",
        )
    covariance = _covariance(problem, point, noise)
    vectors = np.eye(problem.dimension)
    H = np.stack([problem.hessian_vector(point, row) for row in vectors])
    size = noise.size_at(1) if isinstance(noise, MiniBatch) else 1
    spread = float(np.sum(H * covariance))
    square = float(gradient @ gradient)
    shrink = 1 + spread / bend
    best, fall = square / bend, square**2 / (2 * bend)
    trace = float(np.trace(covariance))
    return OneStep(
        best / shrink,
        fall / shrink,
        best,
        fall,
        size * spread / bend,
        square / trace if trace > 0 else math.inf,
    )


def _covariance(problem: Any, point: Array, noise: Any) -> Array:
    if isinstance(noise, MiniBatch):
        return gradient_covariance(problem, noise, point)
    if not isinstance(noise, AdditiveNoise):
        raise InputError(
            f"noise must be AdditiveNoise or MiniBatch, got {noise!r}", argument="noise"
        )
    noise.check(problem, 1)
    array: Array = noise.covariance
    return array if array.ndim == 2 else array * np.eye(problem.dimension)


def signal_to_noise(problem: Any, theta: Any, noise: Any) -> float:
    """Return |g|²/tr Σ at a point: below 1 the gradient is mostly noise.

    Examples
    --------
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> signal_to_noise(Quadratic.diagonal([1.0, 4.0]), [1.0, 1.0], AdditiveNoise(2.0))
    4.25
    """
    point = checked_start(theta, problem.dimension)
    gradient = np.asarray(problem.gradient(point), dtype=float)
    trace = float(np.trace(_covariance(problem, point, noise)))
    return float(gradient @ gradient) / trace if trace > 0 else math.inf


# -- rules of thumb, and what is exact in their place --------------------------------------------


def noise_scale(learning_rate: float, rows: int, batch_size: int, momentum: float = 0.0) -> float:
    """Return Smith & Le's g = ε(N/B - 1)/(1 - μ), for a loss that is a sum over N rows.

    Kind: asymptotic, for αλ ≪ 1 and B ≪ N. The floor of a quadratic depends on α and B through
    ασ²/(B(2 - αλ)) instead.

    Examples
    --------
    >>> noise_scale(0.1, 1000, 10)
    9.9
    """
    return learning_rate * (rows / batch_size - 1) / (1 - momentum)


def linear_scaling(curvature: float, factor: float) -> float:
    """Return by what the floor changes when learning rate and batch are both multiplied by c.

    (2 - s)/(2 - cs) with s = αλ: 1 only while cs stays small.

    Examples
    --------
    >>> round(linear_scaling(0.01, 8), 3), round(linear_scaling(0.2, 8), 3)
    (1.036, 4.5)
    """
    return (2 - curvature) / (2 - factor * curvature) if factor * curvature < 2 else math.inf


def optimal_decay(eigenvalue: float, variance: float, spread: float, steps: int) -> Array:
    """Return the learning rates that lower the variance most in every step, (steps,).

    α_k = λV_k/(λ²V_k + σ²), with 1/V_k = 1/V₀ + kλ²/σ²: in the end 1/(λk).

    Parameters
    ----------
    eigenvalue, variance
        λ > 0 and σ² > 0 along the direction.
    spread
        V₀ = E x₀².
    steps
        How many.

    Examples
    --------
    >>> optimal_decay(1.0, 1.0, 1.0, 3)
    array([0.5       , 0.33333333, 0.25      ])
    """
    if not (eigenvalue > 0 and variance > 0 and spread > 0):
        raise InputError("eigenvalue, variance and spread must be positive")
    k = np.arange(steps)
    V = 1 / (1 / spread + k * eigenvalue**2 / variance)
    return np.asarray(eigenvalue * V / (eigenvalue**2 * V + variance))


def epoch_factor(learning_rate: float, squares: Any) -> tuple[float, float | None]:
    """Return what one epoch of single rows does to one parameter, in any order, and its bound.

    Parameters
    ----------
    learning_rate
        α.
    squares
        x_i², (N,): the curvature of each row.

    Returns
    -------
    factor, bound
        Π(1 - αx_i²), and (1 - α mean x_i²)^N: what N steps with replacement do on average, which is
        never less (arithmetic and geometric means). The bound is None when some αx_i² > 1, where
        it fails.

    Examples
    --------
    >>> epoch_factor(0.5, [1.0, 0.0]), epoch_factor(1.0, [3.0, 3.0, 0.0])
    ((0.5, 0.5625), (4.0, None))
    """
    curvature = learning_rate * np.asarray(squares, dtype=float)
    if curvature.ndim != 1 or not curvature.size or np.any(curvature < 0):
        raise InputError("squares must be a vector of non-negative numbers", argument="squares")
    bound = float((1 - curvature.mean()) ** len(curvature)) if curvature.max() <= 1 else None
    return float(np.prod(1 - curvature)), bound
