"""Less momentum, where the curvature cannot be read or only one direction swings."""

from __future__ import annotations

import math

from convex_analyzer.diagnosis.remedies.facts import Facts, along, steps_for
from convex_analyzer.diagnosis.remedies.remedy import Remedy, nothing
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.counting import steps_at_rate

__all__ = ["critical", "curvature_from_angle", "less_momentum", "ringing", "smaller_step"]

_SMALL = 1e-3  # share of a swing that counts as gone
_USUAL = 0.9
_NONE = 0.01  # momentum that is none


def smaller_step(rule: Optimizer) -> tuple[Remedy, ...]:
    """Say of heavy ball that α is not what makes it ring: det of its matrix is μ (THEORY 2.3)."""
    if not isinstance(rule, HeavyBall):
        return ()
    rate = math.sqrt(float(rule.values["momentum"]))
    text = f"no faster: what swings shrinks ×{format_number(rate, 3)} = √μ per step at every α"
    return (Remedy("a smaller α at the same μ", text, 1.0, formula="|r| = √μ", kind="exact"),)


def less_momentum(facts: Facts, rule: Optimizer, why: str) -> Remedy:
    """Without a curvature: what swings shrinks by √μ a step, at every α, so that μ is the cause.

    For the usual momentum, or half of the way to 0 from a smaller one; for a direction that then
    still swings, one that meets the critical μ before is no slower.
    """
    mu = float(rule.values["momentum"])
    new = _USUAL if mu > 1 - 0.6 * (1 - _USUAL) else mu / 2
    if not isinstance(rule, HeavyBall):
        return nothing(f"μ from {format_number(mu, 4)} to {format_number(new, 3)}", why)
    old_steps, new_steps = (steps_at_rate(1 - math.sqrt(m), _SMALL) for m in (mu, new))
    assert old_steps is not None
    assert new_steps is not None
    text = f"what swings shrinks ×√μ per step at every α: ×{format_number(math.sqrt(new), 3)} "
    text += f"instead of ×{format_number(math.sqrt(mu), 3)}, {format_count(old_steps)} → "
    text += f"{format_count(new_steps)} steps to 0.1 %, where it still swings; {why}"
    return with_momentum(
        facts, rule, new, text, (old_steps, new_steps), "|r| = √μ for complex roots"
    )


def with_momentum(
    facts: Facts, rule: Optimizer, new: float, text: str, steps: tuple[int, int], formula: str
) -> Remedy:
    """Return the remedy that changes μ alone, from the steps before and after."""
    old_steps, new_steps = steps
    return Remedy(
        f"μ from {format_number(float(rule.values['momentum']), 4)} to {format_number(new, 3)} "
        "at the same α",
        text,
        old_steps / new_steps,
        old_steps,
        new_steps,
        formula,
        "heuristic",
        facts.settings(momentum=new),
        alternatives=smaller_step(rule),
    )


def curvature_from_angle(rule: Optimizer, angle: float) -> float | None:
    """Return λ along which the roots of a rule with a velocity have this angle, in (0, π).

    For heavy ball αλ = 1 + μ - 2√μ cos φ, from cos φ = t/(2√d) (THEORY 2.3). A loss swings twice
    per turn of the root: φ = π/period of the loss.

    Examples
    --------
    >>> rule = HeavyBall(0.1, 0.81)
    >>> round(curvature_from_angle(rule, math.acos(1.6 / 1.8)), 9)  # αλ = 0.21
    2.1
    """
    if not 0 < angle < math.pi:
        return None
    alpha, mu = (float(rule.values[name]) for name in ("learning_rate", "momentum"))
    if isinstance(rule, Nesterov):  # cos φ = (1 + μ)√(1 - s)/(2√μ), complex for s < 1 only
        cosine = 2 * math.sqrt(mu) * math.cos(angle) / (1 + mu)
        return (1 - cosine**2) / alpha if angle < math.pi / 2 else None
    return (1 + mu - 2 * math.sqrt(mu) * math.cos(angle)) / alpha


def _critical_momentum(rule: Optimizer, eigenvalue: float) -> tuple[float, int, int] | None:
    """Return the best μ at this α along one direction, and steps before and after, if fewer."""
    fixed = {"learning_rate": float(rule.values["learning_rate"])}
    tuned = analyze(along(rule, eigenvalue).spectrum, type(rule), fixed).optimizer
    new = float(tuned.values["momentum"])
    old_steps, new_steps = (steps_for(each, eigenvalue, _SMALL) for each in (rule, tuned))
    if not new < float(rule.values["momentum"]) or not old_steps or not new_steps:
        return None
    return (new, old_steps, new_steps) if new_steps < old_steps else None


def ringing(rule: Optimizer, period: float) -> str:
    """Say what a swing of this many steps costs against critical damping; empty if nothing.

    Examples
    --------
    >>> print(ringing(HeavyBall(0.1, 0.95), 5.0))  # doctest: +NORMALIZE_WHITESPACE
    along that direction μ = 0.152 takes 10 steps to 0.1 % instead of 266; flatter directions
    need more momentum
    """
    eigenvalue = curvature_from_angle(rule, math.pi / period)
    found = None if eigenvalue is None else _critical_momentum(rule, eigenvalue)
    if found is None:
        return ""
    new, old_steps, new_steps = found
    chosen = f"μ = {format_number(new, 3)}" if new > _NONE else "no momentum"
    text = f"along that direction {chosen} takes {format_count(new_steps)} steps to 0.1 % instead "
    return f"{text}of {format_count(old_steps)}; flatter directions need more momentum"


def critical(facts: Facts, rule: Optimizer, eigenvalue: float) -> Remedy:
    """Damp the direction that swings critically, where flatter ones would not get faster."""
    found = _critical_momentum(rule, eigenvalue)
    if found is None:
        return nothing("leave α and μ", "no other μ is faster at this α, down to flat directions")
    new, old_steps, new_steps = found
    text = f"the direction that swings, αλ = {format_number(facts.unit * eigenvalue, 3)}, is then "
    text += f"damped critically: {format_count(old_steps)} → {format_count(new_steps)} steps to "
    text += "0.1 % along it; flatter directions, if there are any, take longer"
    formula = "φ = π/period of the loss → αλ; μ = (1 − √(αλ))²"
    return with_momentum(facts, rule, new, text, (old_steps, new_steps), formula)
