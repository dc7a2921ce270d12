"""Healthy: most of the loss is gone, nothing shakes it, and the rest goes on falling or is done."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Row, Sign, beyond
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.rise import turn_up
from convex_analyzer.tables import format_number

ROW = Row(
    12,
    "healthy",
    "healthy",
    "the loss falls and settles",
    "none needed",
    lecture=False,
    fault=False,
)


def examine(reading: Reading) -> Sign:
    """Judge by what is left; three quarters gone is progress (heuristic)."""
    curve = reading.curve
    if curve is None or len(curve) < 5:
        return Sign(None, lacks="a loss curve")
    if curve.bad_step is not None and not curve.recovers:
        return Sign(0.0, "the loss is lost", used=("loss",))
    gone = beyond(1 / max(curve.left, 1e-12), 3.0, 2.0)
    settled = 1 - beyond(abs(curve.late_fall), 0.004, 2.0)
    ran_out = 1 - beyond(curve.picks_up, 0.5, 1.6)  # the fall ran out, as a convergent one does
    floor = 0.65 * settled * ran_out * beyond(1 / max(curve.left, 1e-12), 1.2, 1.1)
    gone = max(gone, floor * (1 - 0.6 * beyond(curve.flat[1] - curve.flat[0], 0.93, 1.04)))
    if reading.nothing_lower:
        gone = max(gone, 0.9 * settled)
    if reading.restarts_agree:
        gone = max(gone, 0.8 * (1 - beyond(abs(curve.late_fall), 0.05, 1.6)))
    creeping = beyond(max(curve.late_fall, 0.0), 0.02, 2.0) * beyond(curve.left, 0.2, 1.3)
    gone *= 1 - 0.5 * creeping
    rising = beyond(max(curve.end / max(curve.trend.min(), 1e-300), 1e-3), 2.5, 2.0)
    if curve.left < 0.02:
        rising *= 0.3
    text = f"the loss is down to {format_number(curve.final, 3)} of its start"
    late = curve.late_fall
    risen = turn_up(curve)
    if risen is not None:
        rising = max(rising, beyond(risen.share, 0.2, 1.6))
        text = f"the loss has turned up: {risen.words}"
        return Sign(0.95 * gone * (1 - rising), text, "heuristic", ("loss",))
    text += ", still falling" if late > 0.01 else " and has settled"
    return Sign(0.95 * gone * (1 - rising), text, "heuristic", ("loss",))
