"""Schedules that are constant between jumps: staircase, milestones, tables, growing batches."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, Any, ClassVar

import numpy as np

from convex_analyzer.domains import Choice, Domain, Interval, Real, UnitInterval, Whole
from convex_analyzer.errors import InputError
from convex_analyzer.schedules.arithmetic import faded, is_plain, power
from convex_analyzer.schedules.base import Schedule
from convex_analyzer.schedules.settings import Numbers, NumbersOrNone, RealOrNone, Wholes

__all__ = ["Growing", "MultiStep", "Step", "Table"]

_FROM_ONE = Interval(1.0, float("inf"), open_high=True)


class Step(Schedule):
    """Staircase: multiplied by `factor` after every `every` steps.

    ε(k) = ε₀ · factor^⌊k/every⌋.

    Parameters
    ----------
    initial
        ε₀.
    factor
        In [0, 1].
    every
        Number of steps between two drops.

    Examples
    --------
    The first 30 steps, t = 1 ... 30, are at the initial value:

    >>> stairs = Step(1.0, 0.5, every=30)
    >>> stairs.at(30), stairs.at(31), stairs.at(61)
    (1.0, 0.5, 0.25)
    """

    initial: Real
    factor: UnitInterval
    every: Whole

    aliases: ClassVar[tuple[str, ...]] = ("Staircase", "StepLR")
    source: ClassVar[str] = (
        "lecture 004, staircase; torch StepLR, optax.exponential_decay(staircase=True), "
        "Keras ExponentialDecay(staircase=True)"
    )

    def value_after(self, k: Any) -> Any:
        """ε₀ · factor^⌊k/every⌋."""
        return self.initial * power(self.factor, k // self.every)

    def ends(self) -> tuple[Any, ...]:
        """Return the first value and the limit."""
        return self.initial, self.limit

    @property
    def limit(self) -> Any:
        """Zero, unless the factor is 1."""
        return faded(self.initial, self.factor == 1) if is_plain(self.factor) else None


class MultiStep(Schedule):
    """Drops at milestones: multiplied by `factor` at each, or set to the next of `values`.

    A milestone m is the number of steps that are taken before the drop: step t = m + 1 is the first
    after it, in torch ``MultiStepLR`` and optax ``piecewise_constant_schedule`` too. Keras
    ``PiecewiseConstantDecay`` drops one step later: its boundary for the same steps is m - 1.

    Parameters
    ----------
    initial
        Value before the first milestone.
    factor
        Multiplies the value at each milestone; or None, if `values` are given.
    milestones
        Numbers of steps, not decreasing; one that stands there twice counts twice.
    values
        Value after each milestone.

    Examples
    --------
    >>> drops = MultiStep(1.0, 0.5, milestones=[30, 60])
    >>> drops.at(30), drops.at(31), drops.at(60), drops.at(61)
    (1.0, 0.5, 0.5, 0.25)
    >>> levels = MultiStep(1.0, milestones=[30, 60], values=[0.5, 0.25])
    >>> drops.table(90).tolist() == levels.table(90).tolist()
    True

    Keras keeps the old value while k ≤ boundary, counting k from 0:

    >>> keras = [1.0 if k <= 29 else 0.5 if k <= 59 else 0.25 for k in range(90)]
    >>> drops.table(90).tolist() == keras
    True
    """

    initial: Real
    factor: RealOrNone = None
    milestones: Annotated[Any, Wholes(0)] = ()
    values: NumbersOrNone = None

    aliases: ClassVar[tuple[str, ...]] = ("MultiStepLR", "Piecewise")
    source: ClassVar[str] = (
        "torch MultiStepLR, optax.piecewise_constant_schedule; Keras PiecewiseConstantDecay with "
        "boundaries one less"
    )

    def _check(self) -> None:
        if (self.factor is None) == (self.values is None):
            raise InputError(
                "MultiStep: give either factor or values",
                argument="factor",
                hint="MultiStep(1, 0.1, [30, 60]) is MultiStep(1, milestones=[30, 60], "
                "values=[0.1, 0.01])",
            )
        if self.values is not None and len(self.values) != len(self.milestones):
            raise InputError(
                f"MultiStep: {len(self.milestones)} milestones need as many values, "
                f"got {len(self.values)}",
                argument="values",
                value=self.values,
            )

    @property
    def levels(self) -> tuple[Any, ...]:
        """The value before the first milestone, and after each."""
        if self.values is not None:
            return (self.initial, *self.values)
        counts = range(len(self.milestones) + 1)
        return tuple(self.initial * power(self.factor, count) for count in counts)

    def value_after(self, k: Any) -> Any:
        """Return the level after as many milestones as are not above k."""
        if isinstance(k, int):
            return self.levels[bisect_right(self.milestones, k)]
        value: Any = self.initial
        for milestone, level in zip(self.milestones, self.levels[1:], strict=True):
            value = np.where(k >= milestone, level, value)
        return value

    def ends(self) -> tuple[Any, ...]:
        """Return all levels that are taken."""
        return self.levels[bisect_right(self.milestones, 0) :]

    @property
    def limit(self) -> Any:
        """The last level."""
        return self.levels[-1]


class Table(Schedule):
    """Given values, one for each step.

    Parameters
    ----------
    values
        Value of step 1, of step 2, ...
    after
        What follows the last: ``"error"`` refuses a longer run, ``"hold"`` keeps the last value,
        ``"repeat"`` starts again.

    Examples
    --------
    >>> Table([0.3, 0.2, 0.1], after="hold").table(5)
    array([0.3, 0.2, 0.1, 0.1, 0.1])
    >>> Table([0.3, 0.1], after="repeat").period
    2
    >>> Table([0.3, 0.1]).check_length(100)
    Traceback (most recent call last):
    ...
    convex_analyzer.errors.InputError: the schedule Table([0.3, 0.1]) covers 2 steps, but the run
    has 100; give it more values, or say what follows the last: Table(..., after='hold')
    """

    values: Annotated[Any, Numbers()]
    after: Annotated[str, Choice(("error", "hold", "repeat"))] = "error"

    source: ClassVar[str] = "the values themselves; torch LambdaLR"

    def value_after(self, k: Any) -> Any:
        """Return the value at place k."""
        count = len(self.values)
        if self.after == "error" and np.size(k) and np.max(k) >= count:
            self.check_length(int(np.max(k)) + 1)
        if isinstance(k, int):
            return self.values[k % count if self.after == "repeat" else min(k, count - 1)]
        k = k % count if self.after == "repeat" else np.minimum(k, count - 1)
        rows = np.stack(np.broadcast_arrays(*self.values))
        extra = rows.ndim - 1  # axes of values per run, for which k has axes of length one
        return rows[k.reshape(k.shape[: k.ndim - extra])]

    def ends(self) -> tuple[Any, ...]:
        """Return the smallest and the largest value; of symbols all."""
        if not all(map(is_plain, self.values)):
            return tuple(self.values)
        return min(map(np.min, self.values)), max(map(np.max, self.values))

    @property
    def period(self) -> int | None:
        """The number of values, if they repeat."""
        return len(self.values) if self.after == "repeat" else None

    @property
    def limit(self) -> Any:
        """The last value, if it is held."""
        return self.values[-1] if self.after == "hold" else None

    @property
    def length(self) -> int | None:
        """The number of values, if nothing follows."""
        return len(self.values) if self.after == "error" else None


class Growing(Schedule):
    """Whole numbers that grow in stairs: batch sizes.

    S(k) = initial · factor^⌊k/every⌋ to the nearest whole number, at most `largest`. Growing the
    batch by a factor instead of dropping the learning rate by it gives the same noise scale of
    stochastic gradients, α N / S, but leaves the steps, and the limit of stability, as they are.

    Parameters
    ----------
    initial
        First size.
    factor
        At least 1.
    every
        Number of steps between two jumps.
    largest
        Where to stop; the number of examples, usually.

    Examples
    --------
    >>> Growing(10, 2.0, every=2, largest=35).table(7)
    array([10, 10, 20, 20, 35, 35, 35])
    """

    initial: Whole
    factor: Annotated[Any, Domain("at least 1", _FROM_ONE, _FROM_ONE)]
    every: Whole
    largest: Whole

    source: ClassVar[str] = (
        "Smith, Kindermans, Ying & Le (2018), section 3; lecture 003, batch size and learning rate"
    )

    def _check(self) -> None:
        if not isinstance(self.factor, float):
            raise InputError(
                f"Growing: factor must be one number, got {self.factor!r}",
                argument="factor",
                value=self.factor,
            )
        if self.largest < self.initial:
            raise InputError(
                f"Growing: largest must not be below initial {self.initial}, got {self.largest}",
                argument="largest",
                value=self.largest,
            )

    def value_after(self, k: Any) -> Any:
        """Return initial · factor^⌊k/every⌋, rounded, at most largest."""
        growth = np.minimum(power(self.factor, k // self.every), self.largest)  # may be infinite
        sizes = np.minimum(self.initial * growth, self.largest)
        whole = np.rint(sizes).astype(np.int64)
        return int(whole) if whole.ndim == 0 else whole

    def ends(self) -> tuple[Any, ...]:
        """Return the first and the last size."""
        return self.initial, self.limit

    @property
    def limit(self) -> int:
        """The largest size, unless the factor is 1."""
        return int(self.largest if self.factor > 1 else self.initial)

    def transformed(self, function: Any) -> Growing:
        """Return itself: sizes are counts."""
        del function
        return self
