"""Ill-conditioning: κ, what it costs, and what each workaround buys, counted.

κ > 100 is called ill-conditioned, κ > 10 possibly so (heuristic); the counts are exact.
"""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.tables import format_count, format_number, join_words

ROW = Row(
    9,
    "ill_conditioning",
    "ill-conditioning",
    "(hard)",
    "normalization; momentum; Adam; second-order opt.",
)

LARGE, MODERATE = 100.0, 10.0


def test(prospect: Prospect) -> Finding:
    """Judge κ, and count steps with and without the workarounds."""
    spectrum = prospect.spectrum
    kappa = spectrum.condition_number
    if kappa is None:
        return Finding("absent", "A is zero: there is no curvature")
    at_least = "" if spectrum.resolved else "≥ "
    text = f"κ = {at_least}{format_number(kappa, 4)}"
    if spectrum.data is not None:
        text += f" (κ(X) = {format_number(spectrum.data.condition_number, 4)})"
    kind = "exact" if spectrum.kind == "exact" else "bracketed"
    if kappa <= MODERATE:
        return Finding("absent", text, kind)
    steps = prospect.entry.predicted_steps
    if steps is not None:
        text += f": {type(prospect.entry.optimizer).__name__} needs {format_count(steps)} steps"
    verdict = "present" if kappa > LARGE else "possible"
    return Finding(verdict, text, kind, prediction=_what_helps(prospect))


def _what_helps(prospect: Prospect) -> str:
    """Return the predicted step count of each workaround that this version can count."""
    from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov

    spectrum, parts = prospect.spectrum, []
    if prospect.problem.why_no_minimum:
        return ""
    new = prospect.standardised
    if new is not None:
        curvature, _, steps = new
        kappa = curvature.condition_number
        parts.append(
            f"standardised columns κ = {format_number(kappa, 3)}, GD {format_count(steps)} steps"
        )
    for rule in (HeavyBall, Nesterov):
        if not isinstance(prospect.entry.optimizer, rule):
            _, count = prospect.tuned(rule)
            parts.append(f"{rule.__name__} {format_count(count)} steps")
    if not spectrum.is_interval:
        parts.append("Newton 1 step")
    return join_words(parts)
