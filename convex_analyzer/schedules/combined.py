"""Schedules made of schedules: warm-up before one, products of two."""

from __future__ import annotations

import itertools
import math
from typing import Any, ClassVar

import numpy as np

from convex_analyzer.domains import UnitInterval, Whole
from convex_analyzer.schedules.arithmetic import is_plain, ratio
from convex_analyzer.schedules.base import Schedule
from convex_analyzer.schedules.settings import InnerSchedule

__all__ = ["Product", "WarmUp"]


class WarmUp(Schedule):
    """A straight ramp up to the first value of a schedule, which starts when the ramp is done.

    ε(k) = (f + (1 - f) k/n) s(0) for k < n, and s(k - n) from then on. It is optax's
    ``join_schedules`` of a linear schedule and `schedule` at boundary n, and torch's
    ``SequentialLR([LinearLR(optimizer, f, 1, n), ...], milestones=[n])``. With f = 1 the first
    value is held for n steps (optax: ``transition_begin=n``). A ramp that multiplies a schedule
    which is already running is the product ``Linear(f, 1, n) * schedule`` (torch's
    ``ChainedScheduler``).

    Parameters
    ----------
    steps
        n: step n + 1 is the first that is not on the ramp.
    schedule
        What follows; a number stands for a constant.
    fraction
        f in [0, 1]: with 0 the first step is a step of size zero; 1/(n + 1) spaces the values
        evenly from the first, as ramps with k + 1 in place of k do.

    Examples
    --------
    >>> WarmUp(4, 1.0).table(6)
    array([0.  , 0.25, 0.5 , 0.75, 1.  , 1.  ])
    >>> WarmUp(3, 1.0, fraction=1 / 4).table(5)
    array([0.25, 0.5 , 0.75, 1.  , 1.  ])
    """

    steps: Whole
    schedule: InnerSchedule
    fraction: UnitInterval = 0.0

    source: ClassVar[str] = (
        "Goyal et al. (2017), section 2.2; torch SequentialLR with LinearLR, optax.join_schedules "
        "with linear_schedule"
    )

    def value_after(self, k: Any) -> Any:
        """(f + (1 - f) k/n) s(0), then s(k - n)."""
        if isinstance(k, int):
            return self._ramp(k) if k < self.steps else self.schedule.value_after(k - self.steps)
        later = self.schedule.value_after(np.maximum(k - self.steps, 0))
        return np.where(k < self.steps, self._ramp(k), later)

    def _ramp(self, k: Any) -> Any:
        share = ratio(k, self.steps, *self.numbers())
        return (self.fraction + (1 - self.fraction) * share) * self.schedule.at(1)

    def ends(self) -> tuple[Any, ...]:
        """Return the first value, and the ends of the schedule."""
        return self._ramp(0), *self.schedule.ends()

    @property
    def limit(self) -> Any:
        """That of the schedule."""
        return self.schedule.limit

    @property
    def length(self) -> int | None:
        """The ramp and the schedule."""
        return None if self.schedule.length is None else self.steps + self.schedule.length


class Product(Schedule):
    """One schedule times another; ``2 * schedule`` and ``schedule * schedule`` write it.

    Parameters
    ----------
    first, second
        Schedules; a number stands for a constant.

    Examples
    --------
    >>> from convex_analyzer.schedules import Linear, Step
    >>> (2 * Step(0.5, 0.1, 30)).at(31)
    0.1
    >>> (Linear(0.0, 1.0, 4) * Step(1.0, 0.5, 2)).table(5)
    array([0.   , 0.25 , 0.25 , 0.375, 0.25 ])
    """

    first: InnerSchedule
    second: InnerSchedule

    source: ClassVar[str] = "torch ChainedScheduler of schedulers that multiply"

    def value_after(self, k: Any) -> Any:
        """Multiply the values."""
        return self.first.value_after(k) * self.second.value_after(k)

    def ends(self) -> tuple[Any, ...]:
        """Return the products of all ends: the values lie between them."""
        pairs = itertools.product(_known(self.first), _known(self.second))
        return _outermost([a * b for a, b in pairs])

    @property
    def period(self) -> int | None:
        """The common period."""
        if self.first.period is None or self.second.period is None:
            return None
        return math.lcm(self.first.period, self.second.period)

    @property
    def limit(self) -> Any:
        """The product of the limits; zero if one is zero, for values are bounded."""
        limits = self.first.limit, self.second.limit
        if None not in limits:
            return limits[0] * limits[1]
        known = next((limit for limit in limits if limit is not None), None)
        return known if is_plain(known) and not np.any(known) else None

    @property
    def length(self) -> int | None:
        """That of the shorter one."""
        lengths = [part.length for part in (self.first, self.second) if part.length is not None]
        return min(lengths, default=None)


def _known(schedule: Schedule) -> list[Any]:
    return [end for end in schedule.ends() if end is not None]


def _outermost(ends: list[Any]) -> tuple[Any, ...]:
    """Return the least and the greatest of numbers, so that products of products stay short."""
    if not all(map(is_plain, ends)):
        return tuple(ends)
    each = np.broadcast_arrays(*ends)
    return np.minimum.reduce(each), np.maximum.reduce(each)
