"""Edge of stability: the curvature hovers at the limit of the step, and the loss still falls."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Row, Sign, beyond
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_number

ROW = Row(
    21,
    "edge_of_stability",
    "edge of stability",
    "αλmax hovers at its limit while the loss falls",
    "none needed; a smaller α would only let λmax grow further",
    explains=("oscillation", "instability", "fluctuation"),
    lecture=False,
    fault=False,
)


def examine(reading: Reading) -> Sign:
    """Look for αλ beyond 2(1 + μ) without growth: impossible on a quadratic, usual on networks.

    Cohen et al. (2021): full-batch training sharpens until αλmax reaches the limit and stays there.
    """
    series, curve = reading.step_curvature, reading.curve
    if reading.adaptive or reading.stochastic:
        return Sign(0.0, "not full-batch descent with one learning rate")
    if series is None or curve is None:
        return Sign(None, lacks="the curvature along the gradient, or λmax")
    limit = reading.limit
    late = series.values[len(series) // 3 :]
    if len(late) < 5 or curve.bad_step is not None or curve.peak > 10:
        return Sign(0.0, "the loss grows" if curve.peak > 10 else "too few measurements")
    beyond_limit = float(np.mean(late > limit))
    sharpness = reading.evidence.sharpness
    if sharpness is not None and reading.learning_rate is not None and len(sharpness) > 2:
        values = reading.learning_rate * sharpness.values[len(sharpness) // 3 :]
        beyond_limit = max(beyond_limit, float(np.nanmean(values > 0.97 * limit)))
    falls = beyond(max(curve.fall(1 / 3, 1), 0.0) / max(curve.left, 1e-12), 0.1, 3.0)
    text = f"αλ is beyond its limit {format_number(limit, 3)} on {100 * beyond_limit:.0f} % of the "
    text += "measurements, and the loss falls all the same: no quadratic does that"
    return Sign(0.95 * beyond(beyond_limit, 0.1, 2.0) * falls, text, used=("curvature", "loss"))
