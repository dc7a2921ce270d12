"""Slow progress because the learning rate is small: slack in α that would pay.

"Slack" is a learning rate below a tenth of the stability limit (heuristic); it counts only if the
same rule with its best settings is at least twice as fast from this start (exact counts).
"""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_count, format_number, format_share

ROW = Row(
    4, "slow_progress", "slow progress", "slow, linear training curve", "increase α; momentum"
)

SLACK = 0.1


def test(prospect: Prospect) -> Finding:
    """Compare α with its limit, and the steps with those of the tuned rule."""
    analysis = prospect.analysis
    if analysis is None or not analysis.is_stable:
        return Finding("not tested", "", needs="a run that converges and has a closed form")
    alpha, limit = prospect.learning_rate, prospect.stability_limit
    if alpha is None:
        return Finding("not tested", "", needs="a hyper-parameter called learning_rate")
    if limit is None or limit == float("inf"):
        return Finding("absent", "no curvature limits the learning rate")
    share = alpha / limit
    sentence = f"α is {format_share(alpha, limit)} its stability limit {format_number(limit, 4)}"
    if share >= SLACK:
        return Finding("absent", sentence)
    now, found = prospect.entry.predicted_steps, _best(prospect)
    if now is None or found is None or now < 2 * found[1]:
        return Finding("absent", f"{sentence}, but a larger one would not pay from this start")
    name, then = found
    return Finding(
        "present",
        f"{sentence}: {format_count(now)} steps where {format_count(then)} would do",
        prediction=f"{name} needs {format_count(then)} step{'' if then == 1 else 's'}",
    )


def _best(prospect: Prospect) -> tuple[str, int] | None:
    """Return the better settings of the same rule, and their steps from this start."""
    best, plain = prospect.best_of_class, prospect.comparison.plain_descent
    tuned = None if best is None or best[1] is None else (str(best[0].optimizer), best[1])
    if plain is None or type(prospect.entry.optimizer).__name__ != "GradientDescent":
        return tuned
    return tuned if tuned is not None and tuned[1] <= plain.steps else (plain.name, plain.steps)


def examine(reading: Reading) -> Sign:
    """Look for a steady fall that leaves much, and for slack in α: αλmax far below its limit.

    αλmax < 0.2 is slack (heuristic); the measured curvature is a lower bound of λmax, so only
    curvature met over the whole run counts.
    """
    curve = reading.curve
    if curve is None or len(curve) < 5:
        return Sign(None, lacks="a loss curve")
    slack = reading.largest is not None and reading.largest < 0.03 * reading.limit
    much = beyond(curve.left, 0.12 if slack and not reading.adaptive else 0.22, 1.4)
    falling = beyond(max(curve.late_fall, 0.0), 0.012, 2.5)
    # however little: what falls as fast at the end as at the start has not arrived
    straight_on = beyond(min(curve.straightness, 1e3), 0.3, 1.5)
    falling = max(falling, straight_on * beyond(max(curve.late_trend, 0.0), 8.0, 2.0))
    if curve.noise > 0.02:  # a fall that noise may fake has to be significant
        falling *= beyond(max(curve.late_trend, 0.0), 3.0, 1.6)
    steady = 1 - beyond(curve.rises, 0.35, 1.3)
    straight = 0.6 + 0.4 * beyond(min(curve.straightness, 1e3), 0.25, 2.0)
    even = 1 - beyond(curve.picks_up, 2.0, 1.4)  # what falls ever faster leaves a flat place
    strength = much * falling * max(steady, _steady_on_average(reading)) * straight * even
    text = f"the loss falls steadily and is still at {format_number(curve.final, 3)} of its start"
    used, lacks = ["loss"], ""
    largest = reading.largest
    if largest is not None:
        share = largest / reading.limit
        strength = max(strength, 0.9 * much * falling * even) * (1 - beyond(share, 0.25, 1.6))
        text += f"; αλ reaches {format_number(largest, 3)} where "
        text += f"{format_number(reading.limit, 3)} is the limit"
        used.append("curvature")
    else:
        lacks = "the curvature along the gradient (Recorder.probe) to see the slack in α"
        strength *= 0.5 + 0.45 * beyond(max(curve.half_time, 1e-3), 0.07, 1.8)
    negative = reading.negative_curvature
    if negative is not None:
        strength *= 1 - beyond(negative, 0.5, 1.3)  # downhill all around: α is not what holds it
    fall = reading.gradient_fall
    if fall is not None and not reading.stochastic:
        strength *= beyond(fall, 0.07, 1.8)  # where the gradient is gone, α is not what is small
        slope = reading.log_slope(0.5, 1.0)
        if slope is not None:
            strength *= beyond(slope, 0.1, 2.0)
        used.append("gradient_norm")
    cosine = reading.cosine(0.1, 1.0)
    if cosine is not None and not reading.stochastic:
        strength *= beyond(1 + cosine, 1.5, 1.15)
        keep = "keep their way" if cosine > 0 else "do not keep their way"
        text += f", gradients {keep} (cos {format_number(cosine, 3)})"
        used.append("gradient_cosine")
    return Sign(0.96 * strength, text, "heuristic", tuple(used), lacks)


def _steady_on_average(reading: Reading) -> float:
    """Mini-batch noise hides a steady fall; its trend shows it."""
    curve = reading.curve
    assert curve is not None
    return beyond(max(curve.late_trend, 0.0), 6.0, 2.0)
