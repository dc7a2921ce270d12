"""Swings of momentum that have faded on the way to the floor: harmless at the end, not for free."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Row, Sign
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.remedies.damping import ringing
from convex_analyzer.diagnosis.remedies.facts import Facts
from convex_analyzer.diagnosis.rhythm import fading_period
from convex_analyzer.diagnosis.symptoms import oscillations
from convex_analyzer.tables import format_number

ROW = Row(
    25,
    "fading_swings",
    "swings of momentum",
    "swings that fade by μ per step",
    "a smaller μ, if fewer steps matter",
    lecture=False,
    fault=False,
)

_SURE, _SEEN = 0.9, 0.3


def examine(reading: Reading) -> Sign:
    """Hold the decay of the swings against μ, and count the steps that they cost."""
    curve, mu = reading.curve, reading.momentum
    if curve is None or not mu or reading.stochastic or not reading.every_step:
        return Sign(0.0, "no momentum is known, or its swings are not logged")
    if reading.adaptive or curve.bad_step is not None:
        return Sign(0.0, "no rule whose swings fade by μ per step")
    if (oscillations.examine(reading).strength or 0.0) >= _SEEN:
        return Sign(0.0, "its swings are judged as oscillations")
    period = fading_period(curve.values, mu)
    rule = Facts(reading).rule
    if period is None or rule is None or not rule.memory:
        return Sign(0.0, "the loss does not swing as momentum does")
    text = f"the loss swings every {format_number(period, 3)} steps and this fades by "
    text += f"×{format_number(mu, 3)} per step, as μ does at every α"
    told = ringing(rule, period)
    return Sign(_SURE, f"{text}; {told}" if told else text, "heuristic", ("loss", "optimizer"))
