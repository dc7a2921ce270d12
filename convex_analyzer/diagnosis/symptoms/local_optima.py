"""Local optima: decided by the sign of the curvature, exactly, for a quadratic."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.tables import format_number

ROW = Row(2, "local_optimum", "local optima", "(hard)", "random restarts")


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
