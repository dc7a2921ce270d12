"""A regular swing of a curve, by the autocorrelation of what its trend leaves over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rhythm", "strongest_rhythm"]

Array = NDArray[np.float64]


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
