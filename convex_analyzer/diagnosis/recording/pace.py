"""How often arrays are looked at: at every step, at pairs of steps, or as time allows."""

from __future__ import annotations

import math
import time

from convex_analyzer.errors import InputError
from convex_analyzer.problems.checks import whole_number

__all__ = ["Pace"]

_WATCH = 16  # steps between two looks at the own share of the time
_RAREST = 4096


class Pace:
    """Steps k and k + 1 of every so many; more seldom while the recorder takes too much time.

    Parameters
    ----------
    every
        Distance of the pairs; 1 for every step.
    share
        Largest part of the time of the loop; None for no limit.
    """

    def __init__(self, every: int, share: float | None) -> None:
        if share is not None and not 0 < share < 1:
            raise InputError(f"share must lie between 0 and 1, got {share!r}", argument="share")
        self.every, self.share = whole_number(every, "every", 1), share
        self._least = self.every
        self._spent, self._started = 0.0, math.nan

    def looks(self, step: int) -> bool:
        """Whether arrays are looked at in this step."""
        return step % self.every <= 1

    def watch(self, began: float, steps: int) -> None:
        """Take note that the recorder has worked since `began`, in step number `steps`."""
        if self.share is None:
            return
        now = time.perf_counter()
        self._spent += now - began
        if math.isnan(self._started):
            self._started, self._spent = now, 0.0
        elif steps % _WATCH == 0:
            allowed = self.share * (now - self._started)  # since the beginning: no debt is forgiven
            if self._spent > allowed:
                self.every = min(max(4, 2 * self.every), _RAREST)
            elif self._spent < allowed / 2:
                self.every = max(self._least, self.every // 2 if self.every > 4 else 1)
