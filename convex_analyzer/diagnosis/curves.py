"""Measures of one loss curve: its trend, what is left, its noise, its rhythm, its flat parts.

All are relative to the curve itself, so that a loss in nats, squared metres or dollars reads the
same. Everything here is a statistic of the log; what it means is said in ``symptoms``.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Series
from convex_analyzer.diagnosis.rhythm import Rhythm, Ring, dying_swing, strongest_rhythm

__all__ = ["Curve", "Rhythm"]

Array = NDArray[np.float64]

_BLOCKS = 60  # of the trend: fine enough for the shape, coarse enough to average noise
_MOST = 6000  # values of a running median
_FLAT = 0.01  # of the curve's own size: less is "no change"
_CLEAR, _LARGE = 0.6, 0.1  # autocorrelation and amplitude of a swing that is no ripple
_HALVED = math.log(2)
_MOST_OF_IT, _DONE = 0.4, 0.5  # of the curve, of the loss
_MAD = 1.4826  # makes the median absolute deviation a standard deviation for Gaussian noise


@dataclass(frozen=True, eq=False)
class Curve:
    """A loss curve and what can be measured on it.

    Parameters
    ----------
    series
        The values as recorded.
    per_block
        Values that belong together, such as one epoch of mini-batches; 1 for none.
    """

    series: Series
    per_block: int = 1

    @functools.cached_property
    def finite(self) -> Series:
        """The part before the first value that is not finite; all finite ones if it recovers."""
        good = np.isfinite(self.series.values)
        if self.recovers:
            return Series(self.series.values[good], self.series.steps[good])
        return self.series.finite

    @functools.cached_property
    def recovers(self) -> bool:
        """Whether values that are not finite are followed by finite ones to the end."""
        good = np.isfinite(self.series.values)
        return bool(len(good)) and not good.all() and bool(good[-1]) and float(good.mean()) > 0.3

    @functools.cached_property
    def holes(self) -> bool:
        """Whether NaN means "not logged": at regular places, with finite values in between."""
        bad = np.isnan(self.series.values)
        if not self.recovers or bad.sum() < 3 or np.isinf(self.series.values).any():
            return False
        kept = np.diff(np.flatnonzero(~bad))
        return bool(len(kept)) and float(np.mean(kept == np.median(kept))) > 0.9

    @property
    def bad_step(self) -> float | None:
        """Step of the first value that is NaN or infinite; None if all are finite."""
        bad = ~np.isfinite(self.series.values)
        return float(self.series.steps[np.argmax(bad)]) if bad.any() and not self.holes else None

    @functools.cached_property
    def final(self) -> float:
        """Where it ends, in units of the start: the last value, or the level if that is noisy."""
        last = float(self.values[-1]) if self.noise < 0.02 else self.end
        first = float(self.values[0]) if self.noise < 0.02 else self.start
        floor = 0.0 if self.positive else float(self.values.min())
        return (last - floor) / (first - floor) if first > floor else self.left

    @functools.cached_property
    def unit_jump(self) -> tuple[float, float] | None:
        """(step, factor) where the loss jumps once by 10, 100, 1000 ... and is calm elsewhere."""
        values = self.values
        if len(values) < 8 or not float(values.min()) > 0:
            return None
        jumps = np.diff(np.log10(values))
        place = int(np.argmax(np.abs(jumps)))
        others = np.delete(jumps, place)
        size = float(jumps[place])
        calm = float(np.abs(others).max()) < 0.15
        if calm and abs(size) > 0.9 and abs(size - round(size)) < 0.03:
            return float(self.finite.steps[place + 1]), 10.0 ** round(size)
        return None

    @functools.cached_property
    def values(self) -> Array:
        """The finite values."""
        return self.finite.values

    def __len__(self) -> int:
        return len(self.values)

    @functools.cached_property
    def blocks(self) -> tuple[Array, ...]:
        """The finite values cut into at most 60 equal parts, of whole epochs where known."""
        n = len(self.values)
        count = max(min(_BLOCKS, n // max(self.per_block, 1)), min(n, 4), 1)
        return tuple(np.array_split(self.values, count))

    @functools.cached_property
    def trend(self) -> Array:
        """Median of each block; the first value stands for the first block of a steep start."""
        means = np.array([float(np.median(block)) for block in self.blocks if len(block)])
        if len(means) and len(self.blocks[0]) > 1:
            means[0] = self.values[0] if self.per_block == 1 else np.median(self.values[:5])
        return means

    @property
    def start(self) -> float:
        """Level at the start."""
        return float(self.trend[0])

    @property
    def end(self) -> float:
        """Level at the end: mean of the last three blocks' medians."""
        return float(np.mean(self.trend[-min(3, len(self.trend)) :]))

    @property
    def level(self) -> float:
        """Mean of the last quarter of the values: of mini-batches, the loss on all rows."""
        return float(self.values[-max(1, len(self.values) // 4) :].mean())

    @functools.cached_property
    def positive(self) -> bool:
        """Whether no finite value is negative, so that zero is a natural floor."""
        return bool(len(self.values)) and float(self.values.min()) >= 0

    @functools.cached_property
    def size(self) -> float:
        """Size of the curve: its start above zero, or its range when values are negative."""
        spread = float(self.values.max() - self.values.min()) if len(self) else 0.0
        return max(abs(self.start), 1e-300) if self.positive else max(spread, 1e-300)

    @functools.cached_property
    def left(self) -> float:
        """J_end / J_start for a loss that is never negative; else relative to its range."""
        floor = 0.0 if self.positive else float(self.values.min())
        top = self.start - floor
        return float((self.end - floor) / top) if top > 0 else 1.0

    @functools.cached_property
    def peak(self) -> float:
        """Largest finite value, in units of the start."""
        return float(self.values.max() - (0 if self.positive else self.values.min())) / self.size

    def fall(self, begin: float, end: float) -> float:
        """Return how much of the start's size the trend falls between two shares of the run."""
        grid = np.linspace(0, 1, len(self.trend))
        levels = np.interp([begin, end], grid, self.trend)
        return float(levels[0] - levels[1]) / self.size

    def level_at(self, share: float) -> float:
        """Return the trend at a share of the run, in units of the start."""
        return float(np.interp(share, np.linspace(0, 1, len(self.trend)), self.trend)) / self.size

    @functools.cached_property
    def late_fall(self) -> float:
        """1 - J_end/J(¾ of the run): how much of what is left goes in the last quarter."""
        grid = np.linspace(0, 1, len(self.trend))
        before = float(np.interp(0.75, grid, self.trend))
        floor = 0.0 if self.positive else float(self.values.min())
        return (before - self.end) / (before - floor) if before > floor else 0.0

    @functools.cached_property
    def half_fall(self) -> float:
        """1 - J_end/J(½ of the run): what the second half takes of what it began with."""
        grid = np.linspace(0, 1, len(self.trend))
        before = float(np.interp(0.5, grid, self.trend))
        floor = 0.0 if self.positive else float(self.values.min())
        return (before - self.end) / (before - floor) if before > floor else 0.0

    @functools.cached_property
    def straightness(self) -> float:
        """Mean slope in the last third over that in the first: 1 for a line, 0 if it levels off."""
        first, last = self.fall(0, 1 / 3), self.fall(2 / 3, 1)
        if first <= 0:
            return 0.0 if last <= 0 else math.inf
        return last / first

    @functools.cached_property
    def half_time(self) -> float:
        """Share of the run after which half of the whole fall is done; 1 if there is no fall."""
        goal = (self.start + self.end) / 2
        if not self.end < self.start:
            return 1.0
        smooth = self.values if self.noise < 0.02 else self.running_median
        reached = np.flatnonzero(smooth <= goal)
        return float(reached[0]) / max(len(smooth) - 1, 1) if len(reached) else 1.0

    @functools.cached_property
    def picks_up(self) -> float:
        """Fall in the last third over that in the middle one: above 1 it falls ever faster."""
        middle, last = self.fall(1 / 3, 2 / 3), self.fall(2 / 3, 1)
        if last <= 0:
            return 0.0
        return last / middle if middle > 0 else math.inf

    @functools.cached_property
    def average_peak(self) -> float:
        """Largest mean of a block over that of the first: a single value does not count."""
        means = [float(block.mean()) for block in self.blocks if len(block)]
        return max(means) / means[0] if means and means[0] > 0 else 1.0

    @functools.cached_property
    def smoothness(self) -> float:
        """Autocorrelation of consecutive differences in the second half: 1 smooth, -½ noise."""
        steps = np.diff(self.late_half)
        steps = steps - steps.mean() if len(steps) else steps
        power = float(steps @ steps)
        return float(steps[1:] @ steps[:-1]) / power if power > 0 else 0.0

    @functools.cached_property
    def straightness_of_rise(self) -> float:
        """Mean climb in the last third over that in the first; below 1 it slows down."""
        first, last = -self.fall(0, 1 / 3), -self.fall(2 / 3, 1)
        return last / first if first > 0 else math.inf

    @functools.cached_property
    def running_median(self) -> Array:
        """Median of each value's neighbourhood, a sixtieth of the run wide."""
        from scipy.ndimage import median_filter

        n = len(self.values)
        stride = -(-n // _MOST)  # every value of a short log, every so many of a long one
        width = max(5, 2 * (n // stride // (2 * _BLOCKS)) + 1)
        smooth: Array = median_filter(self.values[::stride], size=width, mode="nearest")
        if stride == 1:
            return smooth
        return np.interp(np.arange(n), np.arange(0, n, stride), smooth)

    @functools.cached_property
    def noise(self) -> float:
        """Scatter of the second half about its own straight line, relative to its level.

        The median absolute deviation: spikes do not count, slow wandering does.
        """
        late = self.late_half
        if len(late) < 5:
            return 0.0
        x = np.linspace(-1, 1, len(late))
        parts = np.array_split(np.arange(len(late)), 4 if len(late) >= 40 else 1)
        rest = np.concatenate(
            [
                late[part]
                - np.polynomial.polynomial.polyval(
                    x[part], np.polynomial.polynomial.polyfit(x[part], late[part], 1)
                )
                for part in parts
            ]
        )
        level = float(np.median(np.abs(late)))
        return _MAD * float(np.median(np.abs(rest))) / level if level > 0 else 0.0

    @functools.cached_property
    def chance(self) -> int:
        """Number of classes C if the loss starts at ln C to four digits; 0 otherwise.

        Cross-entropy of equal answers for all classes: every output of the network is the same.
        """
        if not len(self) or not self.values[0] > 0:
            return 0
        classes = round(math.exp(min(float(self.values[0]), 12.0)))
        if classes < 2 or abs(float(self.values[0]) - math.log(classes)) > 1e-4:
            return 0
        return classes

    @functools.cached_property
    def rises(self) -> float:
        """Share of the second half's differences that rise by more than rounding."""
        late = self.values[len(self.values) // 2 :]
        if len(late) < 2:
            return 0.0
        return float(np.mean(np.diff(late) > 1e-9 * np.abs(late[:-1])))

    @functools.cached_property
    def late_half(self) -> Array:
        """The second half in units of its largest value, so that squares stay in range."""
        late = self.values[len(self.values) // 2 :]
        top = float(np.abs(late).max()) if len(late) else 0.0
        return late / top if top > 0 else late

    @functools.cached_property
    def late_trend(self) -> float:
        """Fall over the last half in standard errors of its noise: above 3 is a trend."""
        late = self.late_half
        if len(late) < 8:
            return 0.0
        x = np.linspace(-1, 1, len(late))
        slope = float(x @ (late - late.mean()) / (x @ x))
        rest = late - late.mean() - slope * x
        scale = float(np.sqrt(np.mean(rest**2) / (x @ x)))
        if scale <= 1e-12 * abs(float(late.mean())):
            return math.inf if slope < 0 else (-math.inf if slope > 0 else 0.0)
        lag = float(rest[1:] @ rest[:-1] / (rest @ rest)) if rest @ rest > 0 else 0.0
        widen = math.sqrt((1 + max(lag, 0.0)) / max(1 - max(lag, 0.0), 1e-3))  # correlated noise
        return -slope / (scale * widen)

    @functools.cached_property
    def flat(self) -> tuple[float, float]:
        """Longest stretch without change (1 %), as shares of the run: (begin, end)."""
        return self.flat_within(_FLAT)

    def flat_within(self, tolerance: float) -> tuple[float, float]:
        """Return the longest stretch that changes by less than a share of its level."""
        level, n = self.trend, len(self.trend)
        best = (0.0, 0.0)
        begin = 0
        for end in range(1, n):
            while np.ptp(level[begin : end + 1]) > tolerance * max(
                abs(float(level[begin])), 1e-300
            ):
                begin += 1
            if (end - begin) / (n - 1) > best[1] - best[0]:
                best = (begin / (n - 1), end / (n - 1))
        return best

    @functools.cached_property
    def geometric(self) -> float:
        """How little the slope of ln J varies over the second half: std over mean; inf if not."""
        late = self.values[len(self.values) // 2 :]
        if len(late) < 10 or float(late.min()) <= 0:
            return math.inf
        slopes = np.diff(np.log(late))
        mean = float(slopes.mean())
        return float(slopes.std()) / -mean if mean < 0 else math.inf

    @functools.cached_property
    def growth(self) -> float:
        """Factor per recorded value of a loss that keeps growing at its end; 1 if it does not."""
        values = self.values[np.argmin(self.values) :] if len(self) else self.values
        if len(values) < 4 or not self.positive or values[0] < 0:
            return 1.0
        tail = values[len(values) // 2 :] if len(values) > 8 else values
        tail = tail[tail > 0]
        if len(tail) < 3 or tail[-1] <= 1.05 * tail[0]:
            return 1.0
        return float((tail[-1] / tail[0]) ** (1 / (len(tail) - 1)))

    @functools.cached_property
    def rhythm(self) -> Rhythm | None:
        """The strongest regular swing of ln J after the start, if it repeats three times."""
        values = self.values[len(self.values) * 2 // 5 :] if len(self) >= 40 else self.values
        if len(values) < 16 or not self.positive or float(values.min()) <= 0:
            return None
        return strongest_rhythm(np.log(values))

    @functools.cached_property
    def ring(self) -> Ring | None:
        """A swing that dies out from the highest value on; None if there is none."""
        if len(self) < 16 or not self.positive or float(self.values.min()) <= 0:
            return None
        return dying_swing(np.log(self.values))

    @functools.cached_property
    def rings(self) -> bool:
        """Whether a swing that dies out takes most of the run: before, it has done no harm."""
        return self.ring is not None and self.ring.end - self.ring.begin > _MOST_OF_IT

    @functools.cached_property
    def dies_out(self) -> bool:
        """Whether it swings and its highs come down: a step that is too long would raise them."""
        rhythm = self.rhythm
        if self.ring is not None and (self.rings or self.left < _DONE):
            return True
        if rhythm is None or rhythm.coherence < _CLEAR or rhythm.amplitude < _LARGE:
            return False
        parts = np.array_split(np.log(self.values[int(np.argmax(self.values)) :]), 4)
        tops = np.array([float(part.max()) for part in parts if len(part)])
        lower = len(tops) == 4 and bool((np.diff(tops) < 0).all()) and tops[-1] < tops[0] - _HALVED
        return lower and self.left < 1
