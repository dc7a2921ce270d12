"""Local optima: decided by the sign of the curvature, exactly, for a quadratic."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_number

ROW = Row(
    2,
    "local_optimum",
    "local optima",
    "(hard)",
    "random restarts",
    explains=("plateau", "slow_progress"),
)


def test(prospect: Prospect) -> Finding:
    """A quadratic with λmin ≥ 0 is convex; with λmin < 0 it has no minimum of any kind."""
    spectrum = prospect.spectrum
    lowest = format_number(spectrum.lambda_min, 4)
    if spectrum.lambda_min < 0:
        what = "a saddle" if spectrum.lambda_max > 0 else "no positive curvature"
        return Finding("absent", f"λmin = {lowest} < 0: {what}, and no minimum of any kind")
    if spectrum.lambda_min > 0:
        return Finding("absent", f"λmin = {lowest} > 0: convex, one minimum")
    if prospect.problem.why_no_minimum:
        return Finding("absent", "λmin = 0: convex, and no minimum of any kind")
    return Finding("absent", "λmin = 0: convex, every minimum is global (a flat valley of them)")


def examine(reading: Reading) -> Sign:
    """Compare with restarts, once the run has converged: gradient gone, loss still."""
    curve, restarts = reading.curve, reading.evidence.restarts
    if restarts is None or not np.isfinite(restarts).any():
        return Sign(None, lacks="the final losses of restarts from other random starts")
    if curve is None or len(curve) < 5:
        return Sign(None, lacks="a loss curve")
    best = float(np.nanmin(restarts))
    gain = (curve.end - best) / max(curve.size, 1e-300)
    better = int(np.sum(restarts < curve.end - 0.5 * (curve.end - best)))
    still = 1 - beyond(abs(curve.late_fall), 0.003, 2.0)
    fall = reading.gradient_fall
    gone = 0.7 if fall is None else 1 - beyond(fall, 3e-3, 3.0)
    worse = beyond(gain, 0.02, 2.0) if gain > 0 else 0.0
    settled = max(still * max(gone, 0.2), 0.9 * gone * still)
    spread = float(np.nanmax(restarts) - np.nanmin(restarts)) / max(curve.size, 1e-300)
    apart = 0.4 * beyond(spread, 0.03, 1.5) * beyond(curve.left, 0.05, 2.0)  # levels exist
    worse = max(worse, apart)
    text = f"{better} of {len(restarts)} restarts end lower, the best at {format_number(best, 3)} "
    text += f"against {format_number(curve.end, 3)}"
    if worse < 0.5:
        text = f"no restart ends much lower (best {format_number(best, 3)}, this run "
        text += f"{format_number(curve.end, 3)})"
    elif settled < 0.5:
        text += ", but this run has not converged"
    return Sign(0.95 * worse * settled, text, "heuristic", ("restarts", "loss"))
