"""Where noise makes a run hover: the stationary spread of any linear rule on a quadratic.

Source: the discrete Lyapunov equation; Zhang et al. (2019); Gitman et al. (2019); Mandt, Hoffman &
Blei (2017). THEORY 5.1 to 5.3.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import ConvexAnalyzerError, NotDerivableError
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number
from convex_analyzer.theory.analysis import Analysis, analyze
from convex_analyzer.theory.plane import plane
from convex_analyzer.theory.stochastic.batches import (
    batch_spread,
    can_be_exact,
)
from convex_analyzer.theory.stochastic.epochs import epoch_spread
from convex_analyzer.theory.stochastic.moments import Moments, NoisyStep, period_of
from convex_analyzer.theory.stochastic.variances import (
    as_additive,
    full_covariance,
    noise_of_rule,
    row_variances,
    variances,
)

__all__ = ["NoiseFloor", "lag_one_correlation", "noise_floor", "stationary_covariance"]

Array = npt.NDArray[np.float64]

_WALK = 2**30  # steps of a random walk from which its variance per step is read


@dataclass(frozen=True, eq=False)
class NoiseFloor(Result):
    """What is left of the loss when only noise keeps a rule away from the minimum.

    Attributes
    ----------
    value
        E (J - J*) in the stationary state; infinite when there is none. Of a rule that repeats
        after some steps, the mean over these.
    bias
        The part that is there without noise, too: a rule with weight decay ends elsewhere.
    eigenvalues, variance, by_direction
        λ, the variance of the reported point, and its part of the loss, along every eigendirection,
        (n,). Infinite along flat directions that wander.
    wandering
        Largest growth of the variance per step along a flat direction, which costs no loss.
    first_order
        The approximation for small learning rates, α tr Σ/4, with the effective learning rate
        (α/(1 - μ) for momentum); None where there is none.
    kind
        See `convex_analyzer.notation.KINDS`; ``asymptotic`` (for small learning rates) for
        mini-batches whose noise is taken as that at the minimiser, and for shuffled epochs;
        ``heuristic`` for epochs that are taken as independent batches.
    words
        One sentence or two.
    """

    schema: ClassVar[str] = "convex_analyzer.noise_floor/1"

    value: float
    bias: float
    eigenvalues: Array
    variance: Array
    by_direction: Array
    wandering: float
    first_order: float | None
    kind: str
    words: str

    @property
    def ratio(self) -> float | None:
        """The noise over its first-order approximation: 1 for small learning rates."""
        if not self.first_order:
            return None
        return (self.value - self.bias) / self.first_order

    def summary(self) -> Table:
        """Return the main facts as a table."""
        rows = [
            ("J − J* in the end, on average", format_number(self.value)),
            ("of which without noise", format_number(self.bias)),
            ("first order, α tr Σ/4", format_number(self.first_order)),
            ("exact / first order", format_number(self.ratio)),
        ]
        if self.wandering:
            rows.append(("variance per step along flat directions", format_number(self.wandering)))
        worst = int(np.argmax(np.where(self.eigenvalues != 0, self.by_direction, -np.inf)))
        rows.append(("direction that carries most, λ", format_number(self.eigenvalues[worst])))
        rows.append(("kind", self.kind))
        return Table(("quantity", "value"), tuple(rows), title="noise floor", notes=(self.words,))


def noise_floor(analysis: Analysis, noise: Any = None, problem: Any = None) -> NoiseFloor:
    """Return where noise makes the loss hover.

    Parameters
    ----------
    analysis
        A linear rule on known eigenvalues.
    noise
        `AdditiveNoise` or `MiniBatch`. Left out, what the rule itself brings: the mini-batches of
        `SGD`, the draws of `Langevin` (these are always added).
    problem
        For `MiniBatch`: the least-squares problem whose spectrum was analysed.

    Returns
    -------
    NoiseFloor
        Of batches drawn with replacement exactly (noise that grows with the distance included)
        where that is affordable; else with the noise at the minimiser. Of shuffled epochs the part
        of that noise that cancels within an epoch is taken off.

    Raises
    ------
    NotDerivableError
        The rule is not linear, or never settles; only the ends of the spectrum are known.
    InputError
        The noise does not fit.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(0.5))
    >>> floor = noise_floor(rule, AdditiveNoise(1.0))
    >>> round(floor.value, 9), round(floor.ratio, 9)
    (0.166666667, 1.333333333)
    """
    noise = noise_of_rule(analysis, noise)
    spread, kind = _spread(analysis, noise, problem)
    found = _assembled(analysis, spread, kind)
    if not math.isfinite(found.value):
        return dataclasses.replace(found, words=_why_not(analysis, spread))
    return dataclasses.replace(found, words=_words(analysis, found, noise, problem))


@dataclass(frozen=True)
class _Spread:
    """Stationary variances (n,) of the reported point, and what they come from."""

    variance: Array
    wandering: float
    first_order: float | None


def _spread(analysis: Analysis, noise: Any, problem: Any) -> tuple[_Spread, str]:
    additive = as_additive(noise, problem)
    sigma2 = variances(analysis.spectrum, additive)
    steps = period_of(analysis)
    flat = analysis.modes.eigenvalues == 0
    if isinstance(noise, MiniBatch):  # rows have no part along flat directions, but for rounding
        sigma2 = np.where(flat, 0.0, sigma2)
    moments = Moments(steps, sigma2)
    contracting = analysis.modes.one_minus_rate > 0
    stationary = moments.stationary(contracting)
    variance = np.full(len(sigma2), np.inf)
    some = Moments([step.take(contracting) for step in moments.steps], sigma2[contracting])
    variance[contracting] = some.phases(stationary[contracting]).mean(axis=0)
    kind = "exact" if isinstance(noise, AdditiveNoise) else "asymptotic"
    saved = None
    if isinstance(noise, MiniBatch) and not noise.replacement:
        saved = _saved_by_epochs(analysis, noise, problem, variance)
        kind = "heuristic" if saved is None else "asymptotic"
    if isinstance(noise, MiniBatch) and can_be_exact(problem, analysis.optimizer):
        variance = batch_spread(analysis, noise, problem)
        kind = "exact" if noise.replacement else kind
    if saved is not None:
        variance = np.maximum(variance - saved, 0.0)
    wandering = _wandering(moments, flat)
    return _Spread(variance, wandering, _first_order(analysis, steps, sigma2)), kind


def _saved_by_epochs(
    analysis: Analysis, noise: MiniBatch, problem: Any, variance: Array
) -> Array | None:
    """Return how much less the noise at the minimiser leaves in shuffled epochs, (n,)."""
    one = row_variances(analysis.spectrum, problem)
    try:
        epochs = epoch_spread(analysis, one, len(problem.y), noise.size_at(1))
    except NotDerivableError:
        return None
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(variance), variance - epochs, 0.0)


def _wandering(moments: Moments, flat: npt.NDArray[np.bool_]) -> float:
    """Return the largest variance per step of the random walk along flat directions."""
    if not flat.any():
        return 0.0
    some = Moments([step.take(flat) for step in moments.steps], moments.variance[flat])
    near, far, further = some.variances_after(len(moments.steps) * _WALK * np.array([1, 2, 4]))
    per_step = (further - far) / (2 * _WALK * len(moments.steps))
    steady = np.abs(further - far) < 3 * np.abs(far - near)  # else it gets faster: momentum 1
    return float(np.max(np.where(steady | (further == far), per_step, np.inf)))


def _first_order(analysis: Analysis, steps: list[NoisyStep], sigma2: Array) -> float | None:
    """Return α tr Σ/4, where there is one α for all directions and no noise of the rule's own."""
    alike = all(np.ptp(step.kick, axis=0).max() <= 1e-9 * np.abs(step.kick).max() for step in steps)
    if analysis.optimizer.random or not alike:
        return None
    with contextlib.suppress(NotDerivableError, ZeroDivisionError):  # Newton: none on a plane
        rate = plane(analysis.optimizer).effective_learning_rate
        if 0 < rate < math.inf:
            return float(rate * np.sum(sigma2[analysis.modes.eigenvalues != 0]) / 4)
    return None


def _assembled(analysis: Analysis, spread: _Spread, kind: str) -> NoiseFloor:
    m = analysis.modes
    curved = m.eigenvalues != 0
    parts = np.where(curved, m.eigenvalues, 0.0) / 2 * np.where(curved, spread.variance, 0.0)
    linear = analysis.spectrum.linear
    bias = 0.0
    if linear is not None:
        at = (m.report * m.fixed).sum(axis=-1) * linear
        apart = at + linear / np.where(curved, m.eigenvalues, 1.0)
        away = curved & (np.abs(apart) > 1e-13 * np.abs(at))
        bias = float(np.sum(np.where(away, m.eigenvalues * apart**2 / 2, 0.0)))
    total = float(np.sum(parts)) + bias
    if analysis.outcome not in {"stable", "flat"} or not math.isfinite(total):
        total = math.inf
    return NoiseFloor(
        total,
        bias,
        m.eigenvalues,
        spread.variance,
        parts,
        spread.wandering,
        spread.first_order,
        kind,
        "",
    )


def _why_not(analysis: Analysis, spread: _Spread) -> str:
    m = analysis.modes
    if analysis.outcome == "drifting":
        return "There is no floor: along a flat direction with slope the loss falls without end."
    w = np.where(m.eigenvalues != 0, m.one_minus_rate, np.inf)
    worst = int(np.argmin(w))
    value = format_number(m.eigenvalues[worst], 4)
    if w[worst] < 0:
        grown = format_number(m.rates[worst], 4)
        return (
            f"There is no floor: along λ = {value} errors grow ×{grown} per "
            f"{'step' if len(period_of(analysis)) == 1 else 'period'}, noise or not."
        )
    if w[worst] == 0 or analysis.outcome == "marginal":
        return (
            f"There is no floor: along λ = {value} nothing is forgotten, so that the noise of all "
            "steps adds up and the loss grows in proportion to their number."
        )
    return (
        "There is no floor: without noise the rule converges, but the noise of the batches grows "
        "with the distance, and feeds itself. Lower the learning rate or enlarge the batch."
    )


def _words(analysis: Analysis, floor: NoiseFloor, noise: Any, problem: Any) -> str:
    size = format_number(floor.value, 3)
    if floor.value == 0:
        text = "Noise leaves nothing: the loss ends at its minimum"
    elif floor.bias > floor.value / 2:
        text = (
            f"The loss ends {size} above its minimum, most of it without noise: the rule "
            "has another fixed point than the minimiser"
        )
    else:
        text = f"The loss hovers {size} above its minimum"
    halved = _halved(analysis, noise, problem)
    if halved is not None and math.isfinite(halved) and floor.value > 0:
        text += f": halve α and it falls ×{format_number(halved / floor.value, 3)}"
    text += "."
    if floor.wandering:
        text += (
            " Along flat directions the parameters wander: their variance grows by "
            f"{format_number(floor.wandering, 3)} per step, at no loss."
        )
    if floor.kind == "heuristic":
        text += " Taken for batches drawn anew at every step; epochs hover lower."
    return text


def _halved(analysis: Analysis, noise: Any, problem: Any) -> float | None:
    """Return the floor at half the learning rate."""
    rule = analysis.optimizer
    rate = rule.values.get("learning_rate")
    if not isinstance(rate, (float, int)):
        return None
    with contextlib.suppress(ConvexAnalyzerError):
        other = analyze(analysis.spectrum, rule.replace(learning_rate=rate / 2))
        spread, kind = _spread(other, noise, problem)
        return _assembled(other, spread, kind).value
    return None


# -- the whole covariance ------------------------------------------------------------------------


def stationary_covariance(analysis: Analysis, noise: Any, problem: Any = None) -> Array:
    """Return the stationary covariance of the reported point in the problem's coordinates, (d, d).

    Eigendirections are correlated when Σ does not commute with A: for gradient descent
    V_ij = αΣ_ij/(λ_i + λ_j - αλ_iλ_j).

    Parameters
    ----------
    analysis
        A linear rule that does the same in every step, stable.
    noise, problem
        As for `noise_floor`; of mini-batches, the covariance at the minimiser.

    Raises
    ------
    NotDerivableError
        There is no stationary state, or the rule changes within a period.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0, 2.0]), GradientDescent(0.5))
    >>> stationary_covariance(rule, AdditiveNoise([[1.0, 0.5], [0.5, 1.0]])).round(6)
    array([[0.333333, 0.125   ],
           [0.125   , 0.25    ]])
    """
    step = _only_step(analysis)
    additive = as_additive(noise_of_rule(analysis, noise), problem)
    sigma = full_covariance(analysis.spectrum, additive)
    D, size = step.change, step.change.shape[-1]
    unit = np.eye(size)
    result = np.empty_like(sigma)
    for i, row in enumerate(sigma):  # S_ij = M_i S_ij M_jᵀ + Σ_ij N_i N_jᵀ, row-major vectors
        left = np.kron(D[i], unit) + np.einsum("ab,nij->naibj", unit + D[i], D).reshape(
            len(D), size * size, size * size
        )
        drive = row[:, None, None] * step.kick[i][:, None] * step.kick[:, None, :]
        drive[i] += step.own[i]
        solved = np.linalg.solve(-left, drive.reshape(len(D), -1, 1))
        pairs = step.report[i][:, None] * step.report[:, None, :]
        result[i] = (pairs.reshape(len(D), -1) * solved[:, :, 0]).sum(axis=1)
    half = analysis.spectrum.from_eigenbasis(result)
    return np.asarray(analysis.spectrum.from_eigenbasis(half.T))


def _only_step(analysis: Analysis) -> Any:
    steps = period_of(analysis)
    if len(steps) > 1 or not analysis.is_stable or (analysis.modes.one_minus_rate <= 0).any():
        raise NotDerivableError(
            f"{type(analysis.optimizer).__name__} has no single stationary covariance here; "
            "noise_floor(noise).words says why, or gives the mean over a period"
        )
    return steps[0]


def lag_one_correlation(analysis: Analysis, noise: Any = None, problem: Any = None) -> Array:
    """Return the correlation of consecutive reported points along each direction, (n,).

    For two slots with trace t and determinant d it is t/(1 + d); for gradient descent 1 - αλ. Near
    1 a run wanders slowly, below 0 it jumps from side to side.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0, 3.0]), GradientDescent(0.5))
    >>> lag_one_correlation(rule, AdditiveNoise(1.0))
    array([ 0.5, -0.5])
    """
    step = _only_step(analysis)
    additive = as_additive(noise_of_rule(analysis, noise), problem)
    sigma2 = variances(analysis.spectrum, additive)
    S = Moments([step], sigma2).stationary(np.ones(len(sigma2), dtype=bool))
    outer = step.report[:, :, None] * step.report[:, None, :]
    moved = S + step.change @ S
    return np.asarray((outer * moved).sum(axis=(1, 2)) / (outer * S).sum(axis=(1, 2)))
