"""Linear rules whose map changes from step to step: schedules, cycles, averages.

There is no single matrix, but the state after k steps is still exact algebra: the product of the k
maps, each read off `step` itself. Of a rule that repeats, the product over one period (the
monodromy matrix) gives the rate and the stability.

Source: THEORY 3.1; for periodic maps Floquet (1883), in discrete time Bittanti & Colaneri (2009).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.theory.iteration import Iteration, linearise

__all__ = ["MOST_FACTORS", "Products", "is_product_of_maps"]

Array = npt.NDArray[np.float64]

MOST_FACTORS = 100_000  # maps that are multiplied out
_LONGEST_PERIOD = 10_000  # steps whose maps are kept or multiplied to one


def is_product_of_maps(optimizer: Optimizer) -> bool:
    """Tell whether every step of the rule is linear, though not the same map each time.

    The first steps are looked at, and one far on: a rule is written once for all of them.

    Examples
    --------
    >>> from convex_analyzer.optimizers import find
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.schedules import Step
    >>> is_product_of_maps(GradientDescent(Step(0.1, 0.5, 30))), is_product_of_maps(find("Adam")())
    (True, False)
    """
    if optimizer.cycle == 1 and not optimizer.is_scheduled:
        return False
    try:
        looked = [linearise(optimizer.at(t), 1.0, t) for t in _samples(optimizer)]
    except (NotDerivableError, TypeError, ValueError):
        return False
    return all(iteration.is_linear for iteration in looked)


def _samples(optimizer: Optimizer) -> list[int]:
    lengths = [s.length for s in optimizer.schedules() if s.length is not None]
    last = min([*lengths, 1000])
    return sorted({1, 2, min(3, last), last} & set(range(1, last + 1)))


@dataclass(frozen=True, eq=False)
class _Map:
    """One step along n directions: z ← M z + B β, and what it reports."""

    matrix: Array
    offset: Array
    report: Array


def _stacked(entries: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    stacked = np.empty((*shape, len(entries)))
    for place, entry in enumerate(entries):
        stacked[..., place] = entry
    return stacked


def _as_map(iteration: Iteration, shape: tuple[int, ...]) -> _Map:
    size = len(iteration.slots)
    entries = tuple(entry for row in iteration.matrix for entry in row)
    return _Map(
        matrix=_stacked(entries, shape).reshape(*shape, size, size),
        offset=_stacked(iteration.offset, shape),
        report=_stacked(iteration.report, shape),
    )


class Products:
    """A changing linear rule on a quadratic, in the eigenbasis.

    Parameters
    ----------
    optimizer
        The rule.
    eigenvalues, linear
        λ and b along each direction, (n,).
    """

    def __init__(self, optimizer: Optimizer, eigenvalues: Array, linear: Array) -> None:
        self.optimizer = optimizer
        self.eigenvalues, self.linear = eigenvalues, linear
        self._kept: dict[int, _Map] = {}

    def _at(self, t: int) -> _Map:
        """Return the map of step t; of a rule that repeats, each is made once."""
        cycle = self.optimizer.cycle
        phase = (t - 1) % cycle + 1 if cycle is not None and cycle <= _LONGEST_PERIOD else None
        if phase is not None and phase in self._kept:
            return self._kept[phase]
        iteration = linearise(self.optimizer.at(t), self.eigenvalues, phase or t)
        if not iteration.is_linear:
            raise NotDerivableError(
                f"step {t} of {type(self.optimizer).__name__} is not linear: it contains "
                f"{'; '.join(iteration.reasons)}"
            )
        made = _as_map(iteration, self.eigenvalues.shape)
        if phase is not None:
            self._kept[phase] = made
        return made

    def _start(self, y0: Array) -> Array:
        first = linearise(self.optimizer.at(1), self.eigenvalues, 1)
        shape = self.eigenvalues.shape
        scale, shift = _stacked(first.start, shape), _stacked(first.start_offset, shape)
        return np.asarray(scale * y0[:, None] + shift * self.linear[:, None])

    def walk(self, y0: Array, jitter: float = 0.0) -> Iterator[Array]:
        """Yield the reported point along each direction, (n,), after 0, 1, 2, ... steps.

        Parameters
        ----------
        y0
            θ₀ along each direction, (n,).
        jitter
            Size of an error made in every step, relative to the largest direction: what rounding
            does, on purpose.
        """
        noise = np.random.Generator(np.random.Philox(1))
        state, report = self._start(y0), self._at(1).report
        for t in itertools.count(1):
            yield np.asarray(np.einsum("ni,ni->n", report, state))
            if t > MOST_FACTORS:
                raise NotDerivableError(
                    f"{type(self.optimizer).__name__} changes from step to step, and more than "
                    f"{MOST_FACTORS:,} steps are not multiplied out"
                )
            step = self._at(t)
            with np.errstate(all="ignore"):
                state = (step.matrix @ state[:, :, None])[:, :, 0]
                state = state + step.offset * self.linear[:, None]
                if jitter:  # in the original coordinates rounding reaches every direction
                    size = jitter * np.max(np.abs(state), axis=0)
                    state = state + size * noise.uniform(-1, 1, state.shape)
            report = step.report

    def reported(self, y0: Array, counts: Any, jitter: float = 0.0) -> Array:
        """Return the reported point after each number of steps, (K, n)."""
        wanted = {int(count) for count in counts}
        last = max(wanted, default=0)
        found = {}
        for k, point in enumerate(self.walk(y0, jitter)):
            if k in wanted:
                found[k] = point
            if k >= last:
                break
        return np.array([found[int(count)] for count in counts]).reshape(len(counts), len(y0))

    def factors(self) -> Array:
        """Return the factor of every step of a cycle, of a rule without memory, (cycle, n)."""
        cycle = self.optimizer.cycle or 1
        return np.stack([self._at(t).matrix[:, 0, 0] for t in range(1, cycle + 1)])

    # -- the same questions as `Dynamics` answers ------------------------------------------------

    @functools.cached_property
    def active(self) -> npt.NDArray[np.bool_]:
        """Directions with curvature; only these have a critical point."""
        return np.asarray(self.eigenvalues != 0)

    @functools.cached_property
    def _centre(self) -> Array:
        lam = np.where(self.active, self.eigenvalues, 1.0)
        return np.where(self.active, -self.linear / lam, 0.0)

    def errors(self, y0: Array, k: Array) -> Array:
        """Return the deviation from the critical point (from the start if none), (K, n)."""
        return self.reported(y0, k) - np.where(self.active, self._centre, y0)

    def moved(self, y0: Array, k: Array) -> Array:
        """Return the reported point minus the start, (K, n)."""
        return self.reported(y0, k) - y0

    def _parts(self, y0: Array, points: Array) -> Array:
        errors = points - np.where(self.active, self._centre, y0)
        with np.errstate(all="ignore"):
            bent = self.eigenvalues * errors**2 / 2
            return np.where(self.active, bent, self.linear * points)

    def gap_by_direction(self, y0: Array, k: Array) -> Array:
        """Return each direction's part of J - J(critical point), (K, n)."""
        return self._parts(y0, self.reported(y0, k))

    def gap(self, y0: Array, k: Array) -> Array:
        """Return J - J(critical point), (K,)."""
        return self.gap_at(y0, self.reported(y0, k))

    def gap_at(self, y0: Array, points: Array) -> Array:
        """Return J - J(critical point) at reported points (K, n), as `gap` does."""
        total = self._parts(y0, points).sum(axis=-1)
        return np.where(np.isnan(total), np.inf, total)

    def first_within(self, y0: Array, tolerance: float, criterion: str, most: int) -> int | None:
        """Return the first step at which the error is at most tolerance x the first, or None."""
        goal = math.nan
        weights = self.eigenvalues / 2 if criterion == "gap" else np.ones(len(self.eigenvalues))
        weights, centre = weights[self.active], self._centre[self.active]
        for k, point in enumerate(self.walk(y0)):
            errors = point[self.active] - centre
            with np.errstate(all="ignore"):
                size = float((weights * errors**2).sum())
            if k == 0:
                goal = size * (tolerance if criterion == "gap" else tolerance**2)
            if size <= goal:
                return k
            if k >= most:
                break
        return None
