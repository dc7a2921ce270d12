"""Regular swings of a curve: one that goes on, by autocorrelation; one that dies out, by crests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rhythm", "Ring", "dying_swing", "fading_period", "strongest_rhythm"]

Array = NDArray[np.float64]

_LEAST_PERIOD = 4.0  # values: crests of noise are three apart
_FEWEST = 4  # crests
_UNEVEN = 0.2  # of the distance of crests, or one value
_FADED = 1e-6  # of the largest difference: what is smaller has faded
_SCATTER = 0.8  # of the turns in equal times, of eight: noise has 1.4
_SEEN = 0.1  # of ln J: how far a crest stands above the valley beside it


@dataclass(frozen=True)
class Rhythm:
    """A regular swing of the loss.

    Parameters
    ----------
    period
        In recorded values.
    coherence
        Autocorrelation at that period, in [-1, 1].
    amplitude
        Standard deviation of the swing of ln J over the part where it was found.
    """

    period: float
    coherence: float
    amplitude: float


@dataclass(frozen=True)
class Ring:
    """A swing that dies out, as that of one damped direction does.

    Parameters
    ----------
    period
        Distance of two crests, in recorded values.
    factor
        Height of a crest over that of the one before.
    crests
        How many there are.
    begin, end
        Of the stretch from its first crest to its last, as shares of the curve.
    """

    period: float
    factor: float
    crests: int
    begin: float
    end: float


def dying_swing(curve: Array) -> Ring | None:
    """Return the crests of ln J from the highest on, while evenly spaced and ever lower.

    The loss along one under-damped direction is ρ²ᵏ(1 + cos 2φk) times a constant: its crests
    stand π/φ steps apart, each ρ^(2π/φ) times the one before. Noise does neither.
    """
    from scipy.signal import find_peaks

    top = int(np.argmax(curve))
    height = curve[top:] - curve[top]
    if len(height) < _FEWEST * _LEAST_PERIOD:
        return None
    crests = np.concatenate([[0], find_peaks(height, prominence=_SEEN)[0]])
    if len(crests) < _FEWEST:
        return None
    gaps = np.diff(crests)
    period = float(np.median(gaps[: _FEWEST - 1]))
    even = np.abs(gaps - period) <= max(1.0, _UNEVEN * period)
    lower = height[crests[1:]] < height[crests[:-1]]
    going = np.concatenate([even & lower, [False]])
    last = int(np.argmin(going))
    length = float(crests[last])
    if last + 1 < _FEWEST or length < _LEAST_PERIOD * last:
        return None
    factor = float(np.exp(height[crests[last]] / last))
    whole = max(len(curve) - 1, 1)
    return Ring(length / last, factor, last + 1, top / whole, (top + length) / whole)


def fading_period(values: Array, momentum: float) -> float | None:
    """Return the steps of a swing that fades as those of momentum do; None: there is none.

    Along a direction that heavy ball does not damp the loss swings twice a turn of the root, with a
    size that shrinks by μ per step whatever the curvature, onto whatever floor: so do the
    differences of the loss, in which no floor is seen. Noise does not fade.

    Examples
    --------
    >>> k = np.arange(400)
    >>> ringing = 0.2 + 0.5 * 0.95**k * np.cos(k * np.pi / 3) ** 2
    >>> round(fading_period(ringing, 0.95), 1), fading_period(ringing, 0.8)
    (3.0, None)
    """
    steps = np.diff(values)
    size = float(np.abs(steps).max()) if len(steps) else 0.0
    if not 0 < momentum < 1 or not 0 < size < np.inf:
        return None
    rounding = 1e3 * float(np.spacing(np.abs(values).max()))
    loud = np.flatnonzero(np.abs(steps) > max(_FADED * size, rounding))
    if not len(loud):
        return None
    steps = steps[: loud[-1] + 1]
    turns = np.flatnonzero(np.diff(np.sign(steps)) != 0)
    if len(turns) < 2 * _FEWEST:
        return None
    parts = np.array_split(np.abs(steps[turns[0] :]), min(len(turns) // 2, 12))
    middles = np.cumsum([len(part) for part in parts]) - np.array([len(p) for p in parts]) / 2
    slope = np.polynomial.polynomial.polyfit(middles, np.log([p.max() for p in parts]), 1)[1]
    windows = np.linspace(turns[0], turns[-1], max(len(turns) // 8, 2) + 1)
    counts = np.histogram(turns, windows)[0]
    uneven = float(counts.std()) > _SCATTER or float(np.ptp(counts)) > _UNEVEN * len(turns)
    if uneven or abs(slope / np.log(momentum) - 1) > _UNEVEN:
        return None
    return 2 * float(turns[-1] - turns[0]) / (len(turns) - 1)


def strongest_rhythm(curve: Array) -> Rhythm | None:
    """Return the first peak of the autocorrelation of a curve without its trend."""
    n = len(curve)
    x = np.linspace(-1, 1, n)
    rest = curve - np.polynomial.polynomial.polyval(
        x, np.polynomial.polynomial.polyfit(x, curve, min(6, n // 8))
    )
    rest = rest[n // 10 :]  # the steep start bends the fit
    n = len(rest)
    power = float(rest @ rest)
    if power <= 1e-20 * n * max(float(np.ptp(curve)) ** 2, 1e-30):
        return None
    spectrum = np.fft.rfft(rest, 2 * n)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:n] / power
    lags = np.arange(n)
    correlation = correlation * n / np.maximum(n - lags, 1)  # unbiased
    upto = n // 3
    inner = correlation[1:upto]
    peaks = 1 + np.flatnonzero(
        (inner[1:-1] >= inner[:-2]) & (inner[1:-1] >= inner[2:]) & (inner[1:-1] > 0)
    )
    peaks = peaks + 1  # index into `correlation`
    if upto > 3 and correlation[2] > correlation[1] and correlation[2] >= correlation[3]:
        peaks = np.union1d(peaks, [2])
    if not len(peaks):
        return None
    best = int(peaks[np.argmax(correlation[peaks])])
    for peak in peaks:  # the first peak that is nearly as high is the period, not a multiple of it
        if correlation[peak] >= 0.8 * correlation[best]:
            best = int(peak)
            break
    return Rhythm(float(best), float(correlation[best]), float(np.sqrt(power / n)))
