"""A budget of work that is asked between steps; nothing is interrupted.

Work is counted, not timed: each step spends as many microseconds as it takes on one processor of a
usual machine. So verdicts and repairs are the same on a slow machine, and whatever else runs. The
processor time itself is a safety net, far above the budget.
"""

from __future__ import annotations

import threading
import time

__all__ = ["Clock", "OutOfTime", "spend", "spent"]

_PER_SECOND = 1_000_000
_PATIENCE = 10.0  # seconds of the processor for each second of the budget
_LOOK = 50_000  # units of work between two looks at the processor time, which are slow themselves
_STEP = 25


class OutOfTime(Exception):  # noqa: N818  # a signal that is always caught, no error of a user
    """The budget is spent."""


class _Meter(threading.local):
    units = 0


_METER = _Meter()


def spend(units: int) -> None:
    """Note some work that this thread does: about a microsecond for each unit."""
    _METER.units += units


def spent() -> int:
    """Return how many units of work this thread has done."""
    return _METER.units


class Clock:
    """Counts down from `seconds`: of work, which is the same everywhere.

    Examples
    --------
    >>> clock = Clock(0.5)
    >>> spend(200_000)
    >>> clock.left
    0.3
    >>> spend(400_000)
    >>> clock.check()
    Traceback (most recent call last):
    convex_analyzer.derivations.judging.clock.OutOfTime
    """

    def __init__(self, seconds: float) -> None:
        self._end = _METER.units + round(seconds * _PER_SECOND)
        self._stop = time.thread_time() + _PATIENCE * max(seconds, 0.0)
        self._look = _METER.units + _LOOK

    @property
    def left(self) -> float:
        """Seconds that are left; negative when it is over."""
        units = _METER.units
        if units >= self._look:
            self._look = units + _LOOK
            if time.thread_time() > self._stop:
                self._end = units - 1
        return (self._end - units) / _PER_SECOND

    def check(self) -> None:
        """Spend a step, and raise when the budget is spent.

        Raises
        ------
        OutOfTime
            No time is left.
        """
        _METER.units += _STEP
        if self.left < 0:
            raise OutOfTime

    def share(self, seconds: float) -> Clock:
        """Return a clock with at most `seconds` of what is left."""
        part = Clock(min(seconds, self.left))
        part._stop = min(part._stop, self._stop)
        return part
