"""A curve that falls, turns and climbs: how far above its lowest level it ends, and since when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convex_analyzer.diagnosis.curves import Curve
from convex_analyzer.tables import format_count, format_number

__all__ = ["TurnUp", "turn_up"]

_PARTS, _LATEST = 10, 8  # of the curve; the lowest of them must not be one of the last two
_LEAST = 0.05  # of the lowest level: less is no rise
_SHARE = 0.1  # of the whole fall that is lost again


@dataclass(frozen=True)
class TurnUp:
    """Where a curve was lowest, and what it has lost since.

    Parameters
    ----------
    step
        Of the lowest level.
    share
        How far above that level it ends, in its units.
    """

    step: float
    share: float

    @property
    def words(self) -> str:
        """The rise in words."""
        when = format_count(int(self.step))
        return f"lowest at step {when} and {_rise(self.share)} at the end"


def _rise(share: float) -> str:
    if share < 1:
        return f"{100 * share:.0f} % above that"
    return f"{format_number(1 + share, 3)} times that"


def turn_up(curve: Curve | None) -> TurnUp | None:
    """Return since when a positive curve climbs, by means of tenths; None: it does not.

    The rise must be beyond twice the scatter of the last tenths, and a tenth of the whole fall.

    Examples
    --------
    >>> from convex_analyzer.diagnosis.evidence import Series
    >>> down_and_up = np.abs(np.linspace(-1.0, 0.5, 151)) + 0.5
    >>> turn_up(Curve(Series(down_and_up))).words
    'lowest at step 99 and 91 % above that at the end'
    >>> turn_up(Curve(Series(down_and_up[:101]))) is None
    True
    """
    if curve is None or len(curve) < 2 * _PARTS or not curve.positive:
        return None
    values = curve.values / max(float(curve.values.max()), 1e-300)
    parts = np.array_split(values, _PARTS)
    means = np.array([part.mean() for part in parts])
    lowest = int(np.argmin(means))
    rest = [part - np.linspace(part[0], part[-1], len(part)) for part in parts[-3:]]
    scatter = max(float(part.std()) for part in rest)
    rise = float(means[-1] - means[lowest])
    fall = float(means[0] - means[lowest])
    climbs = bool((np.diff(means[lowest:]) > -scatter).all())
    if lowest >= _LATEST or lowest == 0 or not climbs or not means[lowest] > 0:
        return None
    if rise <= max(_LEAST * means[lowest], 2 * scatter, _SHARE * fall):
        return None
    smooth = curve.running_median
    low = float(smooth.min())
    step = float(curve.finite.steps[int(np.argmin(smooth))])
    return TurnUp(step, (curve.end - low) / low)
