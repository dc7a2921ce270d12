"""First and second moments of a linear rule under noise, along eigendirections.

A step is z ← M z + N ε, with N the noise channel that `step` itself shows: what an error of the
gradient does to every slot of the state. The covariance follows S ← M S Mᵀ + N E[ε²] Nᵀ. All
gradients of one step share its error, so that their channels add up.

Everything is kept as M - I, so that αλ = 1e-12 is as precise as αλ = 1. Covariances are vectors
of the s(s+1)/2 entries on and above the diagonal.

Source: the discrete Lyapunov equation; THEORY 5.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.forms import Direction, Form, Trace, draw_of
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.precise import DoubleDouble
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.iteration import Iteration, dense, linearise
from convex_analyzer.theory.local import local_iteration
from convex_analyzer.theory.products import MOST_FACTORS

__all__ = ["Moments", "NoisyStep", "affine_powers", "noisy_steps", "period_of"]

Array = npt.NDArray[np.float64]

_LONGEST_PERIOD = 10_000


@dataclass(frozen=True)
class NoisyStep:
    """One step along n directions.

    Attributes
    ----------
    change
        M - I, (n, s, s).
    kick
        N: what an error of the gradient does to the state, (n, s).
    own
        Covariance that random numbers of the rule itself add, (n, s, s).
    report
        C, (n, s).
    """

    change: Array
    kick: Array
    own: Array
    report: Array

    def take(self, chosen: npt.NDArray[np.bool_]) -> NoisyStep:
        """Return some of the directions."""
        parts = (self.change, self.kick, self.own, self.report)
        return NoisyStep(*(part[chosen] for part in parts))

    def drive(self, variance: Array) -> Array:
        """Return the covariance added in a step, (n, s, s), for variances (n,) of the gradient."""
        outer = self.kick[:, :, None] * self.kick[:, None, :]
        return np.asarray(variance[:, None, None] * outer + self.own)

    def moved(self, covariance: Array) -> Array:
        """Return M S Mᵀ - S for S of shape (..., n, s, s), without cancellation.

        S Dᵀ is not taken as the transpose of D S: rounding makes S a little asymmetric, and that
        would grow like 1 + det D per step.
        """
        right = self.change.swapaxes(-1, -2)
        left = self.change @ covariance
        return np.asarray(left + covariance @ right + left @ right)


def noisy_steps(
    optimizer: Optimizer, eigenvalues: Array, precise: bool = False
) -> Iterator[NoisyStep]:
    """Yield the steps of a linear rule, from the first on; `precise` in double-double.

    Raises
    ------
    NotDerivableError
        A step is not linear.
    """
    for t in range(1, MOST_FACTORS + 1):
        rule = optimizer.at(t)
        if precise:
            iteration = linearise(rule.transformed(_lifted), DoubleDouble(eigenvalues), t)
        else:
            iteration = linearise(rule, eigenvalues, t)
        if iteration.reasons:
            raise NotDerivableError(
                f"{type(optimizer).__name__} is not linear (its step contains "
                f"{'; '.join(iteration.reasons)}), so noise does not simply add to it; simulate it "
                "with noise=..."
            )
        yield _as_step(iteration, eigenvalues, _own_draws(rule, eigenvalues, t))


def _lifted(value: Any) -> Any:
    return DoubleDouble(value) if isinstance(value, (float, np.ndarray)) else value


def _as_step(iteration: Iteration, eigenvalues: Array, own: Array | None) -> NoisyStep:
    shape, size = eigenvalues.shape, len(iteration.slots)
    calls = [dense(call, shape) for call in iteration.noise]
    return NoisyStep(
        change=np.stack([dense(row, shape) for row in iteration.minus_identity], axis=-2),
        kick=np.sum(calls, axis=0) if calls else np.zeros((*shape, size)),
        own=np.zeros((*shape, size, size)) if own is None else own,
        report=dense(iteration.report, shape),
    )


def _own_draws(optimizer: Optimizer, eigenvalues: Array, t: int) -> Array | None:
    """Return the covariance that the rule's own random numbers add, (n, s, s); None for none."""
    if not optimizer.random:
        return None
    trace = Trace()
    direction = Direction(eigenvalues, trace)
    state = [Form(0, {name: 1}, trace) for name in ("theta", *optimizer.memory)]
    returned = as_state(optimizer, optimizer.step(direction, t, *state))
    total = np.zeros((len(eigenvalues), len(state), len(state)))
    for number, variance in enumerate(direction.draws, 1):
        parts = [f.parts.get(draw_of(number), 0) if isinstance(f, Form) else 0 for f in returned]
        channel = np.stack([np.broadcast_to(part, eigenvalues.shape) for part in parts], axis=-1)
        total += float(variance) * channel[:, :, None] * channel[:, None, :]
    return total


def period_of(analysis: Analysis) -> list[NoisyStep]:
    """Return the steps of one period of a rule that repeats, or tends to one that does.

    Raises
    ------
    NotDerivableError
        The rule is not linear, or never settles.
    """
    optimizer = analysis.optimizer
    if analysis.scope == "product" or (analysis.scope == "asymptotic" and optimizer.random):
        raise NotDerivableError(
            f"{type(optimizer).__name__} changes with the step index and never settles, so there "
            "is no stationary state; expected_noisy_gap(analysis, start, steps, noise) gives the "
            "whole curve"
        )
    if analysis.scope == "local":
        next(noisy_steps(optimizer, np.ones(1)))  # says why it is not linear
    eigenvalues = analysis.modes.eigenvalues
    if analysis.scope in {"global", "periodic"}:
        length = optimizer.cycle or 1
        if length > _LONGEST_PERIOD:
            raise NotDerivableError(
                f"{type(optimizer).__name__} repeats only after {length:,} steps; "
                "expected_noisy_gap follows its steps one by one"
            )
        made = noisy_steps(optimizer, eigenvalues, precise=True)
        return [next(made) for _ in range(length)]
    return [_as_step(local_iteration(optimizer, eigenvalues), eigenvalues, None)]


class Moments:
    """Covariances along n directions under a rule that repeats after its `steps`.

    Parameters
    ----------
    steps
        One period.
    variance
        Of the error of the gradient along each direction, (n,).
    """

    def __init__(self, steps: list[NoisyStep], variance: Array) -> None:
        self.steps, self.variance = steps, variance
        self.size = steps[0].change.shape[-1]
        self._rows, self._columns = np.triu_indices(self.size)
        count = len(self._rows)
        basis = np.zeros((count, 1, self.size, self.size))
        for place, (i, j) in enumerate(zip(self._rows, self._columns, strict=True)):
            basis[place, 0, i, j] = basis[place, 0, j, i] = 1.0
        self._basis = basis

    def vector(self, matrices: Array) -> Array:
        """Return symmetric (..., s, s) as the entries on and above the diagonal."""
        return np.asarray(matrices[..., self._rows, self._columns])

    def matrix(self, vectors: Array) -> Array:
        """Return the symmetric matrices of such entries."""
        result = np.empty((*vectors.shape[:-1], self.size, self.size))
        result[..., self._rows, self._columns] = vectors
        result[..., self._columns, self._rows] = vectors
        return result

    def affine(self, step: NoisyStep) -> Array:
        """Return the map of (S, 1) in one step, less the identity, (n, q + 1, q + 1)."""
        count = len(self._rows)
        whole = np.zeros((len(self.variance), count + 1, count + 1))
        image = step.moved(np.broadcast_to(self._basis, (count, *step.change.shape)))
        whole[:, :count, :count] = np.moveaxis(self.vector(image), 0, -1)
        whole[:, :count, count] = self.vector(step.drive(self.variance))
        return whole

    def over_period(self) -> Array:
        """Return the same over a whole period."""
        total = self.affine(self.steps[0])
        for step in self.steps[1:]:
            one = self.affine(step)
            total = total + one + one @ total
        return total

    def stationary(self, settled: npt.NDArray[np.bool_]) -> Array:
        """Return S at the end of a period, (n, s, s); infinite where it is not `settled`."""
        whole = self.over_period()
        count = len(self._rows)
        solved = np.full((len(whole), count), np.inf)
        if settled.any():
            left, right = whole[settled, :count, :count], whole[settled, :count, count]
            solved[settled] = np.linalg.solve(-left, right[:, :, None])[:, :, 0]
        return self.matrix(solved)

    def reported(self, covariance: Array, step: NoisyStep) -> Array:
        """Return the variance of the reported point along each direction, (..., n)."""
        seen = (step.report[:, :, None] * step.report[:, None, :] * covariance).sum(axis=(-1, -2))
        return np.asarray(np.maximum(seen, 0.0))

    def phases(self, covariance: Array) -> Array:
        """Return the variance of the reported point after each step of a period, (p, n)."""
        found = []
        for step in self.steps:
            covariance = covariance + step.moved(covariance) + step.drive(self.variance)
            found.append(self.reported(covariance, step))
        return np.array(found)

    def variances_after(self, counts: Array, first: Array | None = None) -> Array:
        """Return the variance of the reported point after k steps, (K, n).

        From a fixed start, or from a covariance `first` of the state, (n, s, s).
        """
        begin = None
        if first is not None:
            begin = np.concatenate([self.vector(first), np.ones((len(first), 1))], axis=1)
        length = len(self.steps)
        result = np.empty((len(counts), len(self.variance)))
        rests = counts % length
        for rest in np.unique(rests):
            chosen = rests == rest
            vectors = affine_powers(self.over_period(), (counts[chosen] - rest) // length, begin)
            some = self.matrix(vectors[..., :-1])
            last = self.steps[-1]
            for step in self.steps[: int(rest)]:
                some = some + step.moved(some) + step.drive(self.variance)
                last = step
            result[chosen] = self.reported(some, last)
        return result


def affine_powers(change: Array, counts: Array, first: Array | None = None) -> Array:
    """Return (I + B)^k applied to vectors (n, p), shape (K, n, p), for B of (n, p, p).

    Without vectors to (0, ..., 0, 1). Powers are doubled as I + B, B ← 2B + B², so that what is
    slow keeps all its digits.
    """
    size = change.shape[-1]
    vectors = np.zeros((len(change), len(counts), size))  # directions first: one product for each
    if first is None:
        vectors[..., -1] = 1.0
    else:
        vectors[:] = first[:, None, :]
    left = [int(count) for count in counts]
    power = change
    with np.errstate(all="ignore"):
        while any(left):
            odd = np.array([count & 1 == 1 for count in left])
            if odd.any():
                some = vectors[:, odd]
                vectors[:, odd] = some + some @ power.swapaxes(-1, -2)
            left = [count >> 1 for count in left]
            if any(left):
                power = 2 * power + power @ power
    return np.asarray(np.where(np.isnan(vectors), np.inf, vectors).swapaxes(0, 1))
