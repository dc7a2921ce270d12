"""Monitored on mini-batches: the curve shakes because each value is of other rows."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Row, Sign, beyond
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_number

ROW = Row(
    20,
    "noisy_monitoring",
    "monitored on mini-batches",
    "mini-batch losses scatter about a falling mean",
    "log the loss on a fixed set of rows, or average over an epoch",
    explains=("fluctuation", "oscillation"),
    lecture=False,
    fault=False,
)


def examine(reading: Reading) -> Sign:
    """Look for scatter in mini-batch losses whose mean still falls (lecture 001, slide 30)."""
    curve = reading.curve
    if curve is None or reading.monitored != "batch_loss":
        return Sign(0.0, "the loss is of all rows" if curve else "")
    if len(curve) < 12:
        return Sign(None, lacks="more values")
    falls = beyond(max(curve.late_trend, 0.0), 3.0, 2.0)
    falls *= beyond(max(curve.half_fall, 1e-3), 0.25, 1.6)
    low = beyond(1 / max(curve.left, 1e-12), 5.0, 2.0)
    scatter = beyond(curve.noise, 0.02, 2.0)
    text = f"mini-batch losses scatter by {format_number(100 * curve.noise, 2)} % about their mean"
    text += f", which is down to {format_number(curve.left, 2)} of its start"
    return Sign(0.9 * scatter * max(falls, low), text, "heuristic", ("batch_loss",))
