"""What an analysis says in words; the numbers are all in `Analysis`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from convex_analyzer.tables import Table, format_count, format_factor, format_number

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis

__all__ = ["explain", "summary", "verdict"]


def verdict(analysis: Analysis) -> str:
    """Return one sentence: does it converge, how fast, limited by what."""
    name, slowest = str(analysis.optimizer), analysis.slowest
    match analysis.outcome:
        case "stable":
            w = analysis.one_minus_rate
            loss = format_factor(analysis.rate**2, w * (2 - w), 7)
            loss = "0" if analysis.rate_text == "0" else loss
            return (
                f"{name} converges: error ×{_bracketed(analysis.rate_text)} per step, "
                f"loss ×{_bracketed(loss)}, set by {_direction(analysis, slowest)}."
            )
        case "marginal":
            return f"{name} is exactly on the boundary: it neither converges nor diverges."
        case "drifting":
            return f"{name} has no minimum to go to: J falls without end along a flat direction."
        case "flat":
            return f"{name}: there is no curvature; nothing limits the step."
    where = _direction(analysis, slowest)
    distance = float(analysis.modes.one_minus_rate[slowest])
    growth = _bracketed(format_factor(float(analysis.modes.rates[slowest]), distance, 6))
    if analysis.modes.eigenvalues[slowest] < 0:
        return (
            f"{name} leaves the saddle: along {where} the distance grows ×{growth} per step, "
            "for any α."
        )
    return (
        f"{name} diverges: along {where} the error grows ×{growth} per step; "
        f"{limit_sentence(analysis)}."
    )


def _direction(analysis: Analysis, i: int) -> str:
    value = f"λ = {format_number(analysis.modes.eigenvalues[i], 4)}"
    return value if analysis.spectrum.is_interval else f"q{i + 1} ({value})"


def _bracketed(text: str) -> str:
    return f"({text})" if " " in text else text


def limit_sentence(analysis: Analysis) -> str:
    """Say for which learning rates the rule is stable."""
    intervals = analysis.stable_learning_rates
    if intervals is None:
        return "its stable learning rates have no closed form"
    if not intervals:
        return "no learning rate is stable"
    low, high = intervals[-1]
    if math.isinf(high):
        return "every learning rate is stable"
    left = format_number(low) if low else "0"
    return f"it needs {left} < α < {format_number(high)}"


def explain(analysis: Analysis) -> str:
    """Return sentences that say where the numbers come from."""
    optimizer, tuned = analysis.optimizer, analysis.tuned
    chosen = f"{', '.join(tuned)} tuned for this spectrum" if tuned else "settings as given"
    origin = (
        f"The state is ({', '.join(('θ', *optimizer.memory))}); its iteration matrix follows from "
        "`step` itself, run on linear forms at every eigenvalue, which also proves that the rule "
        f"is linear ({chosen})."
    )
    lines = [
        verdict(analysis),
        origin,
        f"Stability: {limit_sentence(analysis)} (Jury's conditions, exact).",
        f"Source of the rule: {optimizer.source or 'not stated'}.",
    ]
    return "\n".join([*lines, *optimizer.hints()])


def summary(analysis: Analysis) -> Table:
    """Return a table of the main facts."""
    steps, peak = analysis.steps_to(1e-6), analysis.transient_peak
    transient = f"× {format_number(peak.size, 4)} after {format_count(peak.step)} steps"
    rows = (
        ("outcome", analysis.outcome),
        ("rate ρ (error per step)", analysis.rate_text),
        ("1 − ρ", format_number(analysis.one_minus_rate, 6)),
        ("stable learning rates", limit_sentence(analysis).removeprefix("it needs ")),
        ("steps to gap × 1e-6, worst start", format_count(steps)),
        ("largest transient", "grows without end" if peak.grows else transient),
        ("scope", f"{analysis.scope}: linear on quadratics"),
    )
    head = (str(analysis.optimizer), analysis.spectrum.name)
    return Table(head, rows, notes=(verdict(analysis),), left=2)
