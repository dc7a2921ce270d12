"""Largest stable learning rate and floor under mini-batches of given data, in mean square.

For gradient descent T = I - αK₁ + α²K₂ on symmetric matrices, so that α_c = 1/λmax(K₁⁻¹K₂): one
generalised eigenproblem. For other rules with one gradient per step, ρ(T) = 1 is solved.

Sources: Mulayoff & Michaeli (2024); THEORY 5.6.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from convex_analyzer.errors import InputError
from convex_analyzer.noise import MiniBatch
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.stochastic.batches import BatchMoments, one_gradient

__all__ = ["BatchStability", "batch_stability"]


@dataclass(frozen=True, eq=False)
class BatchStability(Result):
    """A rule on least squares, a few rows at a time; made by `batch_stability`.

    Attributes
    ----------
    rate
        ρ(T): the factor per step of the second moments in the end; stable below 1.
    critical_learning_rate
        Where ρ(T) = 1, the other settings unchanged; None for a rule without a learning rate.
    noiseless_limit
        The same with all rows in every step.
    excess
        Stationary E (J - J*) of the reported point, the bias of weight decay left out; infinite
        when unstable.
    kind
        ``exact`` with replacement, else ``heuristic``: epochs are taken as independent batches
        without repeated rows.
    """

    schema: ClassVar[str] = "convex_analyzer.batch_stability/1"

    rate: float
    critical_learning_rate: float | None
    noiseless_limit: float | None
    excess: float
    kind: str

    @property
    def is_stable(self) -> bool:
        """Whether second moments settle."""
        return self.rate < 1

    @property
    def words(self) -> str:
        """One sentence or two."""
        if self.critical_learning_rate is None or not self.noiseless_limit:
            return "Stable in mean square." if self.is_stable else "Unstable in mean square."
        share = self.critical_learning_rate / self.noiseless_limit
        return (
            f"{'Stable' if self.is_stable else 'Unstable'} in mean square: batches of this size "
            f"are stable up to α = {format_number(self.critical_learning_rate, 4)}, "
            f"{format_number(100 * share, 3)} % of what all rows allow. A single run may still "
            "come down beyond that, with rare large excursions."
        )

    def summary(self) -> Table:
        """Return the facts as a table."""
        rows = (
            ("second moments per step", f"×{format_number(self.rate)}"),
            ("largest stable α, in mean square", format_number(self.critical_learning_rate)),
            ("largest stable α with all rows", format_number(self.noiseless_limit)),
            ("J − J* in the end, on average", format_number(self.excess)),
            ("kind", self.kind),
        )
        return Table(("quantity", "value"), rows, title="mini-batches", notes=(self.words,))


def batch_stability(
    problem: LeastSquares, optimizer: Optimizer, noise: MiniBatch
) -> BatchStability:
    """Return what mini-batches do to the stability of a rule on given data.

    Parameters
    ----------
    problem
        Least squares with up to 32 parameters (16 with a velocity).
    optimizer
        A linear rule with one gradient per step.
    noise
        The batches.

    Raises
    ------
    NotDerivableError
        The rule asks for several gradients per step; too many parameters.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.problems.least_squares import least_squares
    >>> data = least_squares([[1.0], [2.0]], [0.0, 0.0])  # curvatures 1 and 4: mean 5/2
    >>> batch = MiniBatch(1, replacement=True)
    >>> found = batch_stability(data, GradientDescent(0.1), batch)
    >>> round(found.critical_learning_rate, 6)  # 2 E h / E h² = 5/8.5
    0.588235
    """
    if not isinstance(problem, LeastSquares):
        raise InputError(
            "mini-batches need data: make the problem with least_squares(X, y)", argument="problem"
        )
    if not isinstance(noise, MiniBatch):
        raise InputError(f"noise must be a MiniBatch, got {noise!r}", argument="noise")
    moments = BatchMoments(problem, optimizer, noise)
    settled = moments.stationary()
    excess = math.inf
    if settled is not None:
        excess = float(moments.reported(settled) @ moments.eigenvalues / 2)
    analysis = analyze(problem, optimizer)
    limit, critical = analysis.stability_limit, None
    if limit is not None and math.isfinite(limit):
        critical = _critical(problem, optimizer, noise, limit)
    kind = "exact" if noise.replacement else "heuristic"
    return BatchStability(moments.rate, critical, limit, excess, kind)


def _critical(
    problem: LeastSquares, optimizer: Optimizer, noise: MiniBatch, limit: float
) -> float | None:
    plain = _of_descent(problem, optimizer, noise)
    if plain is not None:
        return plain
    from scipy.optimize import brentq

    def excess(rate: float) -> float:
        return _moments_at(problem, optimizer, noise, rate).rate - 1

    top = limit * (1 - 1e-9)
    if excess(top) < 0:
        return limit
    low = top / 2
    while excess(low) >= 0:
        top, low = low, low / 2
        if low < 1e-9 * limit:
            return None
    return float(brentq(excess, low, top, xtol=1e-12 * limit, rtol=1e-12))


def _moments_at(problem: Any, optimizer: Optimizer, noise: Any, rate: float) -> BatchMoments:
    return BatchMoments(problem, optimizer.replace(learning_rate=rate), noise)


def _of_descent(problem: LeastSquares, optimizer: Optimizer, noise: MiniBatch) -> float | None:
    """Return α_c by the generalised eigenproblem, for a rule that is θ ← θ - αg."""
    rule = one_gradient(optimizer)
    rate = optimizer.values.get("learning_rate")
    if rule is None or rate is None or len(rule.kick) != 1:
        return None
    if not (rule.carry[0, 0] == rule.taken[0] == 1):
        return None
    from scipy.linalg import eigh

    moments = BatchMoments(problem, optimizer, noise)
    moments.rule = dataclasses.replace(rule, kick=np.array([-1.0]))
    basis = moments.matrix_of(np.eye(len(moments.second)))
    A = np.diag(moments.eigenvalues)
    K1 = moments.coordinates(A @ basis + basis @ A).T
    K2 = moments.second - np.eye(len(K1)) + K1
    step = 1 / float(eigh(K2, K1, eigvals_only=True)[-1])
    found = step * float(rate) / -rule.kick[0]
    again = one_gradient(optimizer.replace(learning_rate=found))
    if again is None or not math.isclose(again.kick[0], -step, rel_tol=1e-9):
        return None
    return float(found)
