"""Saddles: slow at first, because the gradient is small, and then ever faster."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Row, Sign, beyond
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_number

ROW = Row(
    11,
    "saddle",
    "saddle points",
    "gradient norm that shrinks and grows again",
    "random perturbation; momentum",
    explains=("plateau",),
    lecture=False,
)


def examine(reading: Reading) -> Sign:
    """Look for a flat stretch on which the gradient grows, or for negative curvature there.

    Along a direction of curvature -ν the gradient grows by 1 + αν a step (exact): a flat loss
    with a growing gradient is a saddle being left, one with a dying gradient is not.
    """
    curve, norms = reading.curve, reading.evidence.gradient_norm
    if curve is None or len(curve) < 8:
        return Sign(None, lacks="a loss curve")
    begin, end = curve.flat
    length = end - begin
    flat = beyond(length, 0.15, 1.6)
    if norms is None:
        strength = 0.35 * beyond(length, 0.35, 1.4) * (0.2 if end > 0.97 else 1.0)
        return Sign(strength, "", used=("loss",), lacks="gradient norms and curvatures")
    last = float(norms.steps[-1])
    part = norms.values[(norms.steps >= begin * last) & (norms.steps <= end * last)]
    part = part[np.isfinite(part) & (part > 0)]
    if len(part) < 6:
        return Sign(0.05, "no flat stretch", used=("loss", "gradient_norm"))
    low = int(np.argmin(part))
    grows = float(np.max(part[low:]) / part[low])
    negative = _negative(reading, begin, end)
    away = beyond(grows, 6.0, 2.0) if low < 0.9 * len(part) else 0.0
    strength = 0.95 * flat * max(away, 0.25 * beyond(negative, 0.3, 1.6))
    if end > 0.97 and negative < 0.3:
        strength *= 0.4
    text = f"flat over {100 * length:.0f} % of the run while the gradient grows by "
    text += f"{format_number(grows, 3)}"
    if negative > 0:
        text += f"; negative curvature on {100 * negative:.0f} % of its measurements"
    cosine = reading.cosine(begin, end)
    if reading.stochastic and (cosine is None or cosine < 0.5):
        strength *= 0.2  # the norm of a mini-batch gradient is that of its noise
    return Sign(strength, text, "heuristic", ("loss", "gradient_norm", "curvature"))


def _negative(reading: Reading, begin: float, end: float) -> float:
    """Return the share of clearly negative curvatures on a stretch of the run."""
    series = reading.evidence.curvature
    if series is None:
        return 0.0
    last = float(series.steps[-1])
    inside = (series.steps >= begin * last) & (series.steps <= end * last)
    values = series.values[inside & np.isfinite(series.values)]
    if len(values) < 3:
        return 0.0
    return float(np.mean(values < -1e-4 * max(float(np.abs(values).max()), 1e-300)))
