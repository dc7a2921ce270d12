"""Ill-conditioning: κ, what it costs, and what each workaround buys, counted.

κ > 100 is called ill-conditioned, κ > 10 possibly so (heuristic); the counts are exact.
"""

from __future__ import annotations

import math

from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
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

    spectrum, parts, opening = prospect.spectrum, [], ""
    if prospect.problem.why_no_minimum:
        return ""
    new = prospect.standardised
    if new is not None:
        kappa = format_number(new.spectrum.condition_number, 3)
        opening = f"standardised columns: κ = {kappa}, GD {new.steps}; as they are: "
        if not new.helps(spectrum):
            opening = f"standardising the columns would not help (κ = {kappa}); "
    least = math.inf
    for rule in (HeavyBall, Nesterov):
        if not isinstance(prospect.entry.optimizer, rule):
            _, count = prospect.tuned(rule)
            least = min(least, math.inf if count is None else count)
            parts.append(f"{rule.__name__} {format_count(count)} steps")
    plain = prospect.comparison.plain_descent
    if plain is not None and plain.steps < least:  # what is not run is told where it is faster
        parts.insert(0, f"GradientDescent at 1/λmax {plain.count}")
    if not spectrum.is_interval:
        parts.append("Newton 1 step")
    return opening + join_words(parts)


def examine(reading: Reading) -> Sign:
    """Look for no slack in α (αλmax near its limit) and a curvature that has fallen far below.

    κ seen along the way is the largest over the late curvature along the gradient; beyond 100 it
    is called ill-conditioned (heuristic, THEORY 10).
    """
    curve = reading.curve
    if curve is None or len(curve) < 5:
        return Sign(None, lacks="a loss curve")
    kappa, largest = reading.condition, reading.largest
    falling = beyond(max(curve.late_fall, 0.0), 0.004, 3.0)
    much = beyond(curve.left, 0.02, 4.0)
    if kappa is not None and largest is not None:
        share = largest / reading.limit
        # in a network the curvature itself shrinks as the loss goes
        much = beyond(curve.left, 0.06 if reading.hidden_layers else 0.025, 2.5)
        least = reading.evidence.minimum
        if least is not None and reading.to_give is not None:
            gap, first = curve.end - least, float(curve.values[0]) - least
            given = reading.to_give * curve.size / max(gap, 1e-300)  # of the gap, one direction
            if first > 0:
                much = max(much, beyond(gap / first, 1e-6, 3.0) * beyond(given, 0.2, 1.6))
        if reading.to_give is not None:
            falling = max(falling, beyond(reading.to_give, 3e-3, 3.0))
        strength = beyond(share, 0.25, 1.6) * beyond(kappa, LARGE, 2.0) * falling * much
        strength *= 1 - beyond(share, 1.8, 1.3)  # beyond every limit: that is no quadratic
        text = f"αλ reached {format_number(largest, 3)} (no slack in α) and is now "
        text += f"{format_number(largest / kappa, 2)} along the gradient: κ ≥ "
        text += f"{format_number(kappa, 3)} along the way"
        if share < 0.2:
            text = f"αλ never exceeds {format_number(largest, 2)}: α has slack, κ is not the limit"
        used = ("loss", "curvature", "learning_rate")
        return Sign(0.95 * strength, text, "heuristic", used)
    quick = beyond(max(curve.half_time, 1e-3), 0.07, 1 / 1.8)
    if curve.half_time * (len(curve) - 1) < 3:
        quick *= 0.5  # within three values of the log: where the quick part ends is not seen
    strength = 0.5 * quick * falling * much * (1 - beyond(curve.rises, 0.3, 1.3))
    text = f"two slopes: half of the fall in {100 * curve.half_time:.0f} % of the run, then slowly"
    if quick < 0.3:
        text = "no quick fall before the slow one"
    return Sign(strength, text, "heuristic", ("loss",), "the curvature along the gradient")
