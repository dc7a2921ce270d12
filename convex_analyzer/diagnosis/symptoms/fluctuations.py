"""Fluctuations: gradient noise. Full-batch gradients have none."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.tables import format_number

ROW = Row(
    7,
    "fluctuation",
    "fluctuations",
    "fluctuations in training curve",
    "decay α; iterate averaging",
)

_LEVEL = 2.0  # a curve whose last thirds differ by less has no trend


def test(prospect: Prospect) -> Finding:
    """Look for a noise floor: a gap that stays where it is above the goal."""
    entry = prospect.entry
    noise = entry.trajectory.noise
    if noise is None and not entry.optimizer.random:
        return Finding("absent", "full-batch gradients: the noise is zero")
    source = "the rule's own draws" if noise is None else noise.describe()
    gap = np.abs(entry.gap[np.isfinite(entry.gap)])
    if entry.simulated_steps is not None or len(gap) < 9:
        return Finding("possible", f"{source}: the goal was reached in spite of the noise")
    middle, last = (float(np.median(part)) for part in np.array_split(gap, 3)[1:])
    level = format_number(last / float(gap[0]), 2) if gap[0] > 0 else format_number(last, 2)
    if max(middle, last) <= _LEVEL * max(min(middle, last), 1e-300):
        text = f"{source}: the gap of this run stays near ×{level} of its start (median)"
        return Finding("present", text + _floor(prospect, float(gap[0])))
    return Finding("possible", f"{source}: the gap still falls, at ×{level} of its start")


def _floor(prospect: Prospect, first: float) -> str:
    """Return the level that theory predicts, as the end of a sentence."""
    if prospect.analysis is None or not first > 0:
        return ""
    try:
        floor = prospect.analysis.noise_floor(prospect.entry.trajectory.noise, prospect.problem)
    except ConvexAnalyzerError:
        return ""
    if floor.value == float("inf"):
        return ""
    return f"; its noise floor, the mean, is ×{format_number(floor.value / first, 3)}"


def examine(reading: Reading) -> Sign:
    """Look for a loss on all rows that no longer falls and is shaken by the gradient's noise."""
    curve = reading.curve
    if reading.stochastic is False:
        return Sign(0.02, "full-batch gradients: the noise is zero", "exact", ("batch_size",))
    if curve is None or len(curve) < 12:
        return Sign(None, lacks="a loss curve of more than a dozen values")
    share = reading.noise_level
    if share is not None and reading.stochastic:
        return _from_gradients(reading, share)
    if reading.monitored == "batch_loss":
        return _from_batches(reading)
    trend = curve.late_trend
    # what the second half still takes, against how much the noise shakes it
    falls = beyond(max(curve.half_fall, 1e-3) / max(curve.noise, 1e-12), 1.5, 1.7)
    settled = 1 - falls * beyond(max(trend, 0.0), 4.0, 2.0)
    shaken = beyond(curve.noise, 0.055, 1.8) * beyond(curve.rises, 0.15, 1.5)
    matters = beyond(curve.left, 0.01, 4.0)
    known = 1.0 if reading.stochastic else 0.75
    if curve.rings or (curve.rhythm is not None and curve.rhythm.coherence > 0.6):
        known *= 0.3  # noise has no rhythm
    text = f"the loss is shaken by {format_number(100 * curve.noise, 2)} % about its trend, at "
    text += f"{_of_start(curve.left)},"
    text += " and no longer falls" if trend < 3 else " and still falls"
    lacks = "" if reading.evidence.batch_size else "the batch size"
    return Sign(0.96 * settled * shaken * matters * known, text, "heuristic", ("loss",), lacks)


def _of_start(left: float) -> str:
    times = " times" if left >= 1 else " of"
    return f"{format_number(left, 2)}{times} its start"


def _from_batches(reading: Reading) -> Sign:
    """Mini-batch losses: their own scatter is no fault; the level of their mean is."""
    curve = reading.curve
    assert curve is not None
    trend = curve.late_trend
    falls = beyond(max(curve.half_fall, 1e-3), 0.25, 1.6)
    settled = 1 - falls * beyond(max(trend, 0.0), 3.0, 2.0)
    high = beyond(curve.left, 0.15, 2.0)
    text = "mini-batch losses scatter by themselves; their mean "
    text += "no longer falls" if trend < 3 else "still falls"
    text += f" at {_of_start(curve.left)}"
    return Sign(0.7 * settled * high, text, "heuristic", ("batch_loss",), "gradient norms")


def _from_gradients(reading: Reading, share: float) -> Sign:
    """Hold the loss against what the gradient's noise keeps up at this α and batch size."""
    curve = reading.curve
    assert curve is not None
    strength = 0.95 * beyond(share, 0.12, 1.7) * beyond(curve.left, 0.008, 2.5)
    if reading.monitored == "loss":  # seen directly: what falls far faster than it shakes is fine
        falls = beyond(max(curve.half_fall, 1e-3) / max(curve.noise, 1e-9), 6.0, 1.6)
        strength *= 1 - falls * beyond(max(curve.late_trend, 0.0), 4.0, 2.0)
    much = f"about {100 * share:.0f} %" if share < 0.95 else "nearly all"
    text = f"gradient noise at this α keeps up {much} of the loss"
    text += f", which is at {_of_start(curve.left)}"
    used = ("loss", "gradient_norm", "learning_rate", "batch_size")
    return Sign(strength, text, "heuristic", used)
