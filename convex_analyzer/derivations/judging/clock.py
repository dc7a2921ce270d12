"""A time budget that is asked between steps of work; nothing is interrupted.

It counts the processor time of this thread, so that a busy machine gives the same verdicts.
"""

from __future__ import annotations

import time

__all__ = ["Clock", "OutOfTime"]


class OutOfTime(Exception):  # noqa: N818
    """The budget is spent."""


class Clock:
    """Counts down from `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; negative when it is over."""
        return self._end - time.thread_time()

    def check(self) -> None:
        """Raise when the budget is spent.

        Raises
        ------
        OutOfTime
            No time is left.
        """
        if self.left < 0:
            raise OutOfTime

    def share(self, seconds: float) -> Clock:
        """Return a clock with at most `seconds` of what is left."""
        return Clock(min(seconds, self.left))
