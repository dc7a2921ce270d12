"""At which gap a method ends: its floor, where its run hovers, or the last it reached."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.comparison.floors import floor_of

__all__ = ["end_level", "has_floor", "plateau"]

Array = npt.NDArray[np.float64]

_LEVEL = 1.5  # means of the last two quarters of a run that stalls differ by less
_FALLS = 1.01  # the same of a run that never rises
_QUARTER = 3  # points that a quarter of a run must have


def has_floor(entry: Entry, floor: float | None) -> bool:
    """Tell whether noise keeps a rule with a closed form at a level that is known."""
    noisy = entry.trajectory.noise is not None or entry.optimizer.random
    return noisy and entry.analysis is not None and floor is not None


def end_level(comparison: Comparison, entry: Entry) -> float:
    """Return the gap over the first at which a method ends.

    Under noise its floor by the formula, else where a run without theory hovers, else its last gap.
    """
    floor = floor_of(comparison, entry)
    if floor is not None and has_floor(entry, floor):
        return floor
    with np.errstate(all="ignore"):
        run = np.abs(entry.gap / entry.gap[0])
    level = plateau(entry.steps.astype(float), run) if entry.analysis is None else None
    return float(run[-1]) if level is None else level


def plateau(steps: Array, gap: Array) -> float | None:
    """Return the gap around which the last half of a run hovers; None when it still falls."""
    half = (steps >= steps[-1] / 2) & np.isfinite(gap)
    late = half & (steps >= 0.75 * steps[-1])
    before, after = gap[half & ~late], gap[late]
    if min(len(before), len(after)) < _QUARTER:
        return None
    first, second = float(np.mean(before)), float(np.mean(after))
    falls = bool(np.all(np.diff(gap[half]) <= 0))
    if not second > 0 or not 1 / _LEVEL < first / second < (_FALLS if falls else _LEVEL):
        return None
    return second
