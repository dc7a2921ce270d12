"""Instability: a root outside the unit circle, known before any run."""

from __future__ import annotations

import math

import numpy as np

from convex_analyzer.diagnosis.curves import Curve
from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.rise import TurnUp, turn_up
from convex_analyzer.tables import format_count, format_number, format_share

ROW = Row(
    5,
    "instability",
    "instability",
    "cost increases",
    "decrease α",
    explains=("oscillation", "fluctuation", "dead_or_saturated_units", "plateau", "slow_progress"),
)

_TURNED, _TALL = 0.35, 3.0  # above the lowest level; of the start
_GROWN = 1.5  # from the level before to the last finite value: less is noise


def test(prospect: Prospect) -> Finding:
    """Read the outcome; without a closed form, look at the run."""
    analysis = prospect.analysis
    if analysis is None:
        return _from_run(prospect)
    if analysis.outcome == "stable":
        alpha, limit = prospect.learning_rate, prospect.stability_limit
        if alpha is None or limit is None:
            return Finding("absent", f"every factor is at most {analysis.rate_text} in size")
        text = f"α = {format_number(alpha, 4)} is {format_share(alpha, limit)} the stability limit"
        return Finding("absent", text)
    if analysis.outcome == "unstable":
        return _unstable(prospect)
    if analysis.outcome == "marginal":
        text = "a root lies exactly on the unit circle: no decay, no growth"
        return Finding("possible", text, prediction=_cure(prospect))
    text = "no direction grows"
    if analysis.outcome == "drifting":
        text += f", but {prospect.problem.why_no_minimum}"
    return Finding("absent", text)


def _unstable(prospect: Prospect) -> Finding:
    analysis = prospect.analysis
    assert analysis is not None
    if prospect.spectrum.lambda_min < 0:
        return Finding("present", f"{analysis.verdict()} J is unbounded below: no α helps")
    return Finding("present", analysis.verdict(), prediction=_cure(prospect))


def _cure(prospect: Prospect) -> str:
    """Return what the same rule does at its best, if that converges."""
    best = prospect.best_of_class
    if best is None or not best[0].is_stable:
        return ""
    return f"{best[0].optimizer} converges in {format_count(best[1])} steps"


def _from_run(prospect: Prospect) -> Finding:
    run = prospect.entry.trajectory
    if run.has_diverged:
        return Finding("present", f"the run left all bounds at step {run.diverged_at}", "simulated")
    text = f"no divergence in {format_count(run.steps)} steps"
    return Finding("absent", text, "simulated")


def examine(reading: Reading) -> Sign:
    """Look for a loss that is lost, or ends well above its start.

    A loss of a right gradient and a stable step never ends above its start (exact for a quadratic
    without noise); 1.4 leaves room for a start that was better than average (heuristic).
    """
    curve = reading.curve
    if curve is None:
        return Sign(None, lacks="a loss curve")
    lost = _lost(curve)
    if lost is not None:
        return lost
    if len(curve) < 3:
        return Sign(None, lacks="more than two values of the loss")
    above, peak = curve.left, curve.peak
    if reading.monitored == "loss":
        above = max(above, float(curve.values[-1] / curve.start) if curve.start > 0 else above)
    else:  # one mini-batch may be far above the mean of all
        peak = max(curve.average_peak, peak / 30)
    strength = max(0.97 * beyond(peak, 50.0, 5.0), 0.93 * beyond(above, 1.4, 1.2))
    risen = turn_up(curve)
    late = _late(curve, risen)
    strength = max(strength, 0.9 * late * (1 - beyond(curve.noise, 0.05, 2.0)))
    if curve.dies_out:
        strength *= 0.2  # a swing along a direction that grows gets ever higher
    cosine = reading.cosine(0.2, 1.0)
    if cosine is not None and cosine > 0.5 and curve.peak < 1e3:
        strength *= 0.3  # a step that is too long turns the gradient round; here it keeps its way
    elif cosine is None and _smooth_rise(reading):
        strength *= 0.6
    turned = _told(curve, risen)
    if turned:
        return Sign(strength, turned, "heuristic", ("loss",))
    if strength < 0.3:
        text = f"the loss ends at {format_number(curve.final, 3)} of its start, "
        return Sign(strength, text + f"its peak is {format_number(curve.peak, 3)}", used=("loss",))
    return Sign(strength, _growth(reading), "heuristic", ("loss",))


def _late(curve: Curve, risen: TurnUp | None) -> float:
    """Return the chance that a loss which came down climbs again."""
    lowest = max(float(curve.trend.min()), 1e-300)
    late = beyond(curve.end / lowest, 2.2, 1.3) * beyond(curve.left, 0.1, 2.0)
    begin, end = curve.flat
    if end > 0.97:  # it has come to rest at the higher level: a plateau since
        late *= 1 - beyond(max(end - begin, 1e-3), 0.3, 1.4)
    return late if risen is None else max(late, 0.75 * beyond(risen.share, _TURNED, 1.5))


def _told(curve: Curve, risen: TurnUp | None) -> str:
    """Say that a loss has turned up, where it has; empty otherwise."""
    if risen is None or curve.peak >= _TALL or curve.left >= 1:
        return ""
    return f"the loss has turned up: {risen.words}"


def _lost(curve: Curve) -> Sign | None:
    """Judge a loss that is not finite somewhere, or that only changes its unit; None otherwise."""
    if curve.unit_jump is not None and curve.unit_jump[1] > 1:
        step, factor = curve.unit_jump
        text = (
            f"the loss jumps by ×{format_number(factor, 4)} at step {format_count(int(step))} and "
        )
        text += "is calm elsewhere: a change of units, or of mean against sum, looks like that"
        return Sign(0.3, text, used=("loss",))
    if curve.bad_step is not None and curve.recovers:
        when = format_count(int(curve.bad_step))
        text = f"the loss is not finite at step {when}, and finite again later"
        return Sign(0.85, text, "simulated", ("loss",))
    if curve.bad_step is not None:
        when = format_count(int(curve.bad_step))
        if curve.bad_step == 0:
            text = "the loss is not finite at step 0, before any update: data or model, not α"
            return Sign(0.6, text, "simulated", ("loss",))
        text = f"the loss is no longer finite at step {when}{_onset(curve)}"
        return Sign(0.97, text, "simulated", ("loss",))
    return None


def _onset(curve: Curve) -> str:
    """Say where a loss that is lost left its lowest level for good, by more than its noise."""
    values = curve.values
    if len(values) < 3 or not float(values.min()) > 0:
        return ""
    jumps = np.diff(np.log(values))
    noise = float(np.median(np.abs(jumps - np.median(jumps))))  # of ln J, near its deviation
    level = float(np.min(curve.running_median)) * math.exp(min(3 * noise, 1.0))
    calm = np.flatnonzero(values <= max(level, float(values.min())))
    last = int(calm[-1])
    if last + 1 >= len(values) or not values[-1] > _GROWN * values[last]:
        return ""
    factor = format_number(float(values[-1] / values[last]), 3)
    when = format_count(int(curve.finite.steps[last + 1]))
    return f"; it grows from step {when} on, to {factor} times what it was before"


def _smooth_rise(reading: Reading) -> bool:
    """Return whether the loss climbs steadily and ever more slowly: not how a step overshoots."""
    curve = reading.curve
    return curve is not None and curve.rises > 0.9 and curve.straightness_of_rise < 0.7


def _growth(reading: Reading) -> str:
    curve = reading.curve
    assert curve is not None
    text = f"the loss peaks at {format_number(curve.peak, 3)} and ends at "
    text += f"{format_number(curve.final, 3)} times its start"
    factor, alpha = curve.growth, reading.learning_rate
    if factor <= 1 or not reading.every_step:
        return text
    text += f"; it grows by {format_number(factor, 4)} a step"
    plain = reading.evidence.optimizer == "gradient_descent" and reading.constant_rate
    if alpha is None or not plain or reading.momentum or reading.stochastic:
        return text
    steep = (1 + factor**0.5) / alpha
    limit = format_number(2 / steep, 3)
    return f"{text}: λ = (1 + √ratio)/α = {format_number(steep, 3)}, so α < {limit}"
