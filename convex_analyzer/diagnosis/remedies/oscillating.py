"""Oscillations: a step that is too long for one direction, or momentum that is not damped."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from convex_analyzer.diagnosis.remedies.confirming import confirm, start_of, steps_from
from convex_analyzer.diagnosis.remedies.damping import (
    critical,
    curvature_from_angle,
    less_momentum,
    with_momentum,
)
from convex_analyzer.diagnosis.remedies.facts import Facts, along, log_rate, steps_for
from convex_analyzer.diagnosis.remedies.remedy import Remedy, nothing
from convex_analyzer.diagnosis.remedies.unstable import curvature_of_flip
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import analyze

__all__ = ["oscillation", "overshoot_of"]

_SMALL = 1e-3  # share of a swing that counts as gone
_USUAL = 0.9  # the momentum that the warning is about
_FEWEST = 6  # gradient norms that a factor is read from


def oscillation(facts: Facts) -> Remedy:
    """Overshoot: α → 1/λ. Under-damped momentum: μ → (1 - √(αλ))² of the flattest that matters.

    A log of a run with momentum hardly shows flat directions: all that swing shrink by the same √μ,
    and the steepest fill the gradient. With s between the critical one of the present μ and the
    least that was met, μ = (1 - √s₀)² costs a factor √(s/s₀) where s > s₀ and 2√(s₀/s) where
    s < s₀ against the best μ; the largest of the two is least at s₀ = √(s_critical s_met)/2.
    """
    if facts.reading.adaptive:
        text = f"{facts.why_no_rule}: its swings shrink with the band, in proportion to α"
        return nothing(facts.new_alpha(0.5), text, settings=facts.settings(0.5))
    rule = facts.rule
    if rule is None:
        return nothing("lower α or μ", facts.why_no_rule)
    if rule.memory:
        return _underdamped(facts, rule)
    return _overshoot(facts, rule)


# -- overshoot ---------------------------------------------------------------------------------


def overshoot_of(facts: Facts) -> float | None:
    """Return s = αλ of the direction that flips: of the problem, measured, or 1 + ‖g′‖/‖g‖."""
    if facts.spectrum is not None:
        return facts.largest
    measured = facts.reading.late_curvature
    if measured is not None and 1 < measured < 2:
        return measured
    ratio = _shrinking(facts)
    return None if ratio is None else 1 + ratio


def _swings(facts: Facts) -> bool:
    """Tell whether the rule is not known and the loss has a period that no flip has."""
    period = _period(facts)
    return facts.reading.evidence.optimizer is None and period is not None and period > 2.5


def _shrinking(facts: Facts) -> float | None:
    """Return ‖g′‖/‖g‖ of late steps, where every one of them turns the gradient round."""
    norms, cosine = facts.reading.evidence.gradient_norm, facts.reading.cosine(0.5, 1.0)
    if norms is None or facts.reading.stochastic or cosine is None or cosine > -0.9:
        return None
    late = norms.values[len(norms) // 2 :]
    late = late[np.isfinite(late) & (late > 1e-10 * np.nanmax(norms.values))]
    if len(late) < _FEWEST or norms.stride != 1:
        return None
    return math.exp(float(np.mean(np.diff(np.log(late)))))


def _overshoot(facts: Facts, rule: Optimizer) -> Remedy:
    s = overshoot_of(facts)
    if s is None and facts.reading.evidence.momentum is None and _swings(facts):
        text = "a loss that swings over more than two steps is momentum's, not that of a step that "
        text += "is too long: say momentum=... for a number (--momentum)"
        return nothing("lower μ, if the run has momentum", text)
    if s is None or not 1 < s < 2:
        text = "αλ of the direction that flips is not known: log gradient norms of every step, or "
        text += "the curvature along the gradient"
        if s is not None:
            text = f"no αλ beyond 1 was met (the largest is {format_number(s, 3)})"
        return nothing(facts.new_alpha(0.5), text, settings=facts.settings(0.5))
    eigenvalue = s / facts.unit
    gain = 1 / s
    old = steps_for(rule, eigenvalue, _SMALL)
    text = f"the direction with αλ = {format_number(s, 3)} dies in one step instead of shrinking "
    text += f"×{format_number(s - 1, 3)} per step ({format_count(old)} steps to 0.1 %); directions "
    text += f"with little curvature take ×{format_number(s, 3)} as many steps{facts.assumed}"
    remedy = Remedy(
        facts.new_alpha(gain),
        text,
        None,
        old,
        1,
        "|1 − αλ| → 0 at α = 1/λ",
        facts.kind,
        facts.settings(gain),
        alternatives=(_damped(facts, rule, eigenvalue, s), _warned(facts, rule, eigenvalue, s)),
    )
    if facts.spectrum is None or not facts.spectrum.positive.size:
        return remedy
    return _known_overshoot(facts, rule, s, remedy)


def _known_overshoot(facts: Facts, rule: Optimizer, s: float, told: Remedy) -> Remedy:
    """With the problem: what ends the swing and is no slower from this start, by exact counts.

    A smaller α where it does not cost more than it saves: 2/(m+L), or 1/L. Else momentum, which
    damps the direction that flips and speeds up the flat ones: the better of the best μ at this α
    and Polyak's pair. What is slower comes last.
    """
    assert facts.spectrum is not None
    spectrum, start = facts.spectrum, start_of(facts)
    now = steps_from(facts, rule, start)
    rules = [
        ("2/(m+L)", analyze(spectrum, GradientDescent).optimizer),
        ("α = 1/λmax", rule.replace(learning_rate=facts.unit / s)),
        ("best μ at this α", analyze(spectrum, HeavyBall, {"learning_rate": facts.unit}).optimizer),
        ("Polyak's pair", analyze(spectrum, HeavyBall).optimizer),
    ]
    smaller: list[tuple[float, str, Optimizer]] = []
    damped: list[tuple[float, str, Optimizer]] = []
    for formula, each in rules:
        alpha = float(each.values["learning_rate"])
        if not each.memory and alpha >= facts.unit:
            continue  # a larger α flips more
        steps = steps_from(facts, each, start)
        factor = now / steps if now and steps else 0.0
        (damped if each.memory else smaller).append((factor, formula, each))
    good = [each for each in smaller if each[0] >= 1]
    pool = good or damped
    _, formula, best = max(pool, key=lambda each: each[0])
    gain = float(best.values["learning_rate"]) / facts.unit
    change, settings = facts.new_alpha(gain), facts.settings(gain)
    if best.memory:
        mu = float(best.values["momentum"])
        change = f"heavy ball, {change if gain != 1 else 'the same α'}, μ = {format_number(mu, 4)}"
        settings = facts.settings(gain, momentum=mu)
    first = Remedy(
        change,
        "",
        formula=formula,
        settings=settings,
        alternatives=(dataclasses.replace(told, alternatives=()), *told.alternatives),
    )
    return confirm(first, facts, best)


def _damped(facts: Facts, rule: Optimizer, eigenvalue: float, s: float) -> Remedy:
    """Return critical momentum at the same α: ρ = |1 - √s| instead of s - 1."""
    tuned = analyze(along(rule, eigenvalue).spectrum, HeavyBall, {"learning_rate": facts.unit})
    mu = float(tuned.optimizer.values["momentum"])
    factor = log_rate(tuned.optimizer, eigenvalue) / log_rate(rule, eigenvalue)
    text = f"×{format_number(tuned.rate, 3)} instead of ×{format_number(s - 1, 3)} per step in "
    text += f"that direction: ×{format_number(factor, 3)} as fast, at the same α"
    return Remedy(
        f"momentum {format_number(mu, 3)} at the same α",
        text,
        factor,
        steps_for(rule, eigenvalue, _SMALL),
        steps_for(tuned.optimizer, eigenvalue, _SMALL),
        "μ = (√(αλ) − 1)²: s − 1 → √s − 1",
        facts.kind,
        facts.settings(momentum=mu),
    )


def _warned(facts: Facts, rule: Optimizer, eigenvalue: float, s: float) -> Remedy:
    """Say what the usual momentum does to a direction that flips: often harm."""
    heavy = HeavyBall(facts.unit, _USUAL)
    factor = log_rate(heavy, eigenvalue) / log_rate(rule, eigenvalue)
    rate = along(heavy, eigenvalue).rate
    how = "slower" if factor < 1 else "faster"
    text = f"{how} in that direction: ×{format_number(rate, 3)} instead of "
    text += f"×{format_number(s - 1, 3)} per step"
    if factor < 1:
        text = f"warning: {text}; at this α momentum helps only where √μ < |1 − αλ|"
    return Remedy(
        f"momentum {_USUAL} at the same α",
        text,
        factor,
        steps_for(rule, eigenvalue, _SMALL),
        steps_for(heavy, eigenvalue, _SMALL),
        "√μ < |1 − αλ|",
        facts.kind,
        facts.settings(momentum=_USUAL),
    )


# -- under-damped momentum ---------------------------------------------------------------------


def _period(facts: Facts) -> float | None:
    """Return the steps of one swing of the loss: the mean distance of its dips, if they agree."""
    curve = facts.reading.curve
    rhythm = curve.rhythm if curve is not None else None
    if curve is None:
        return None
    if rhythm is None:
        return curve.ring.period * curve.series.stride if curve.ring and curve.rings else None
    late = curve.values[len(curve) // 10 :]
    width = max(int(rhythm.period / 2), 1)
    windows = np.lib.stride_tricks.sliding_window_view(late, 2 * width + 1)
    dips = np.flatnonzero(np.argmin(windows, axis=1) == width)
    period = rhythm.period
    if len(dips) > 3:
        mean = float(dips[-1] - dips[0]) / (len(dips) - 1)
        period = mean if abs(mean / period - 1) < 0.25 else period
    return period * curve.series.stride


def _underdamped(facts: Facts, rule: Optimizer) -> Remedy:
    if facts.spectrum is not None:
        return _known(facts, rule)
    period, turns = _period(facts), facts.reading.cosine(0.5, 1.0)
    if period is None or period <= 2 or (turns is not None and turns < -0.5):
        return _flipping(facts, rule)  # a swing of the loss may be the alias of a flip
    eigenvalue = curvature_from_angle(rule, math.pi / period)
    if eigenvalue is None:
        text = f"no curvature makes the roots of this rule turn with a period of {2 * period:g}"
        return less_momentum(facts, rule, text)
    least = _least(facts, eigenvalue)
    border = _border(rule) / facts.unit
    slow = math.sqrt(border * least) / 2
    if slow <= border:
        text = f"directions down to αλ = {format_number(facts.unit * border, 2)} are damped "
        text += "critically by this μ, and the log has not met less than four times that"
        return nothing("leave μ; a smaller α", text)
    ends = Spectrum.from_eigenvalues([slow, eigenvalue])
    tuned = analyze(ends, type(rule), {"learning_rate": facts.unit})
    new = float(tuned.optimizer.values["momentum"])
    old_steps, new_steps = (
        max(steps_for(each, float(lam), _SMALL) or 0 for lam in np.geomspace(slow, eigenvalue, 7))
        for each in (rule, tuned.optimizer)
    )
    if not 0 < new_steps < old_steps:
        return critical(facts, rule, eigenvalue)
    text = f"the loss swings every {format_number(period, 3)} steps, so the root turns by "
    text += f"π/{format_number(period, 3)} and αλ = {format_number(facts.unit * eigenvalue, 3)}; "
    text += f"×{format_number(tuned.rate, 3)} instead of "
    text += f"×{format_number(analyze(ends, rule).rate, 3)} per step, "
    text += f"{format_count(old_steps)} → at most {format_count(new_steps)} steps to 0.1 %, in "
    text += f"that direction and in all down to αλ = {format_number(facts.unit * slow, 2)}; "
    text += _flatter(facts, rule, least, eigenvalue)
    if turns is None:
        text += "; if gradients flip at every step instead (their cosines would say), lower α"
    formula = "φ = π/period of the loss → αλ; μ = (1 − √s)², s = √(s_met s_critical)/2"
    return with_momentum(facts, rule, new, text, (old_steps, new_steps), formula)


def _flipping(facts: Facts, rule: Optimizer) -> Remedy:
    """Return what a smaller α does to a direction that flips every step in spite of momentum."""
    mu = float(rule.values["momentum"])
    border = 1.0 if isinstance(rule, Nesterov) else (1 + math.sqrt(mu)) ** 2
    s, ratio = facts.reading.late_curvature, _shrinking(facts)
    if (s is None or not s > border) and ratio is not None:
        s = facts.unit * curvature_of_flip(rule, ratio)
    limit = along(rule, 1.0).stability_limit
    if s is None or limit is None or not border < s < limit:
        text = "the loss shows no rhythm from which the curvature could be read (log every step)"
        return less_momentum(facts, rule, text)
    eigenvalue = s / facts.unit
    after = rule.replace(learning_rate=facts.unit / s)
    old, new = (steps_for(each, eigenvalue, _SMALL) for each in (rule, after))
    text = f"the direction with αλ = {format_number(s, 3)} flips every step and shrinks "
    text += f"×{format_number(along(rule, eigenvalue).rate, 3)}; at αλ = 1 it needs "
    text += f"{format_count(new)} instead of {format_count(old)} steps to 0.1 %; directions with "
    text += f"little curvature take ×{format_number(s, 3)} as many"
    return Remedy(
        facts.new_alpha(1 / s),
        text,
        None,
        old,
        new,
        "root −ρ of the rule at αλ → those at αλ = 1",
        "heuristic",
        facts.settings(1 / s),
    )


def _border(rule: Optimizer) -> float:
    """Return s of the direction that a rule damps critically; flatter ones do not swing."""
    mu = float(rule.values["momentum"])
    if isinstance(rule, Nesterov):
        return ((1 - mu) / (1 + mu)) ** 2
    return (1 - math.sqrt(mu)) ** 2


def _flatter(facts: Facts, rule: Optimizer, least: float, eigenvalue: float) -> str:
    """Say why μ is not lower still, and what it would be for what was met alone."""
    met = Spectrum.from_eigenvalues([least, eigenvalue] if least < eigenvalue else [eigenvalue])
    alone = analyze(met, type(rule), {"learning_rate": facts.unit}).optimizer
    mu = format_number(float(alone.values["momentum"]), 3)
    return (
        f"for the directions met alone (αλ from {format_number(facts.unit * least, 2)}) μ = {mu} "
        "would do; flatter ones, which momentum hides, would then set the pace: this μ loses the "
        "least where nothing is known of them, and still flatter ones take longer"
    )


def _least(facts: Facts, eigenvalue: float) -> float:
    """Return the least curvature met along the gradient, late or early, or that of the swing."""
    series = facts.reading.step_curvature
    met = np.empty(0) if series is None else series.values[series.values > 0]
    found = [eigenvalue]
    if len(met) > _FEWEST:
        found.append(float(np.quantile(met, 0.02)) / facts.unit)
    late = facts.reading.late_curvature
    if late is not None and late > 0:
        found.append(late / facts.unit)
    return min(found)


def _known(facts: Facts, rule: Optimizer) -> Remedy:
    """With the problem at hand: the best μ at this α, exactly."""
    assert facts.spectrum is not None
    if not facts.spectrum.positive.size:
        return nothing("leave μ", "the problem has no positive curvature")
    mu = float(rule.values["momentum"])
    tuned = analyze(facts.spectrum, type(rule), {"learning_rate": facts.unit}).optimizer
    new = float(tuned.values["momentum"])
    if not analyze(facts.spectrum, tuned).is_stable:
        return nothing(facts.new_alpha(0.5), "at this α no momentum makes the rule stable")
    told = Remedy(
        f"μ from {format_number(mu, 4)} to {format_number(new, 3)} at the same α",
        "",
        formula="best μ at this α",
        settings=facts.settings(momentum=new),
    )
    return confirm(told, facts, tuned)
