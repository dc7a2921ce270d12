"""Slow progress: what a larger α and momentum would buy, from the curvature that was met."""

from __future__ import annotations

from convex_analyzer.diagnosis.remedies.confirming import confirm
from convex_analyzer.diagnosis.remedies.facts import GOAL, Facts, along, log_rate, steps_for
from convex_analyzer.diagnosis.remedies.remedy import Remedy, nothing
from convex_analyzer.optimizers.adam import Adam
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import analyze

__all__ = ["slow_progress"]

SHARE = 0.5  # of the limit from λmax; for gradient descent 1/λmax
CAREFUL = 0.1  # of the limit from the largest curvature met along the gradient: λmax is larger
_APART = 0.1  # late over largest curvature, above which slow directions have not been met yet
MU = 0.9  # the momentum that is suggested
_RANGE = 1.2  # of α′/α over the factor along late directions, above which both are said
_FAR = 0.1  # of (1 - √μ)², below which momentum multiplies α by 1/(1 - μ)


def slow_progress(facts: Facts) -> Remedy:
    """Raise α: factor ln ρ(α′)/ln ρ(α) at the curvature that the end of the run creeps along."""
    if facts.reading.adaptive:
        return _adaptive(facts)
    rule = facts.rule
    if rule is None:
        return nothing("raise α", facts.why_no_rule)
    if facts.spectrum is not None:
        return _known(facts, rule)
    largest = facts.largest
    if largest is None:
        return _doubled(facts, rule)
    measured = facts.reading.evidence.sharpness is not None
    share = SHARE if measured else CAREFUL
    limit = along(rule, largest / facts.unit).stability_limit or 0.0
    gain = share * limit / facts.unit
    if gain <= 1:
        text = f"αλ reaches {format_number(largest, 3)}: α has no slack, so that a larger one "
        return nothing("leave α", f"{text}would not pay; look at the conditioning")
    remedy = _raised(facts, rule, gain)
    caution = (
        ""
        if facts.late is None or facts.late < _APART * largest
        else ("; directions with less curvature have not been met yet and then set the pace")
    )
    if not measured:
        caution += f"; λmax may be larger than any λ met (αλ ≤ {format_number(largest, 2)}), so go "
        caution += "there in steps while the loss keeps falling"
    which = "λmax" if measured else "the largest curvature met"
    return Remedy(
        f"{facts.new_alpha(gain)}, {format_number(share, 2)} of the limit from {which}",
        remedy.prediction + caution + facts.assumed,
        remedy.factor,
        remedy.steps_before,
        remedy.steps_after,
        remedy.formula,
        "heuristic",
        facts.settings(gain),
        alternatives=_momentum(facts, rule),
    )


def _raised(facts: Facts, rule: Optimizer, gain: float) -> Remedy:
    """Return what multiplying α does to the slow direction."""
    change = facts.new_alpha(gain)
    late = facts.late
    after = rule.replace(learning_rate=gain * facts.unit)
    if late is None:
        text = f"about ×{format_number(gain, 3)} as fast (on a slope progress is proportional to α)"
        return Remedy(change, text, gain, formula="α′/α", settings=facts.settings(gain))
    eigenvalue = late / facts.unit
    factor = log_rate(after, eigenvalue) / log_rate(rule, eigenvalue)
    old, new = (steps_for(each, eigenvalue, GOAL**0.5) for each in (rule, after))
    text = f"×{format_number(factor, 3)} as fast: {format_count(old)} → {format_count(new)} steps "
    text += f"to a tenth of the gap along directions of the late αλ = {format_number(late, 2)}"
    if gain > _RANGE * factor:  # at the new α those are bound by √μ, flatter ones are not yet
        text += f", up to ×{format_number(gain, 3)} along flatter ones"
    return Remedy(change, text, factor, old, new, "ln ρ(α′)/ln ρ(α)", settings=facts.settings(gain))


def _doubled(facts: Facts, rule: Optimizer) -> Remedy:
    """Without λmax no target is known: double α as long as the loss falls."""
    once = _raised(facts, rule, 2.0)
    return Remedy(
        f"{facts.new_alpha(2.0)}, and again while the loss falls",
        f"each doubling makes it {once.prediction}; how often is not known, since the largest "
        f"curvature was not measured{facts.assumed}",
        once.factor,
        once.steps_before,
        once.steps_after,
        once.formula,
        "heuristic",
        facts.settings(2.0),
        alternatives=_momentum(facts, rule),
    )


def _momentum(facts: Facts, rule: Optimizer) -> tuple[Remedy, ...]:
    """Return what momentum 0.9 at the same α does, for a rule without any."""
    if not isinstance(rule, GradientDescent):
        return ()
    heavy = HeavyBall(facts.unit, MU)
    most = 1 / (1 - MU)
    change, formula = f"momentum {MU} at the same α", "ln ρ(μ)/ln ρ(0) → 1/(1−μ)"
    late = facts.late
    if late is None:
        text = f"up to ×{format_number(most, 3)} as fast, while αλ ≪ (1−√μ)²"
        return (Remedy(change, text, None, formula=formula, settings=facts.settings(momentum=MU)),)
    eigenvalue = late / facts.unit
    old, new = (steps_for(each, eigenvalue, GOAL**0.5) for each in (rule, heavy))
    factor = log_rate(heavy, eigenvalue) / log_rate(rule, eigenvalue)
    if old and new:
        factor = old / new  # with the steps in which the velocity builds up
    text = f"×{format_number(factor, 3)} as fast: {format_count(old)} → {format_count(new)} steps "
    text += f"to a tenth of the gap along directions of the late αλ = {format_number(late, 2)}, "
    text += "from rest"
    if late < _FAR * (1 - MU**0.5) ** 2:
        text += f" (once the velocity is there ×{format_number(most, 3)}, the most for αλ ≪ "
        text += "(1−√μ)²)"
    settings = facts.settings(momentum=MU)
    return (Remedy(change, text, factor, old, new, formula, "heuristic", settings),)


def _known(facts: Facts, rule: Optimizer) -> Remedy:
    """With the problem at hand: the best α for its spectrum, exactly."""
    assert facts.spectrum is not None
    if not facts.spectrum.positive.size:
        return nothing("leave α", "the problem has no positive curvature that could limit α")
    fixed = {"momentum": rule.values["momentum"]} if "momentum" in rule.values else {}
    after = analyze(facts.spectrum, type(rule), fixed).optimizer
    alpha = float(after.values["learning_rate"])
    gain = alpha / facts.unit
    remedy = Remedy(
        facts.new_alpha(gain),
        "",
        gain,
        formula="exact counts on the spectrum; ln ρ(α′)/ln ρ(α)",
        kind="exact",
        settings=facts.settings(gain),
        alternatives=_momentum(facts, rule),
    )
    return confirm(remedy, facts, after)


def _adaptive(facts: Facts) -> Remedy:
    """Return what α does to a rule that moves by about α a step, and hovers in a band like it."""
    usual = float(Adam().learning_rate)
    alpha = facts.alpha
    gain = usual / alpha if alpha is not None and alpha < usual / 2 else 2.0
    aim = f" (the usual α of Adam is {format_number(usual, 2)})" if gain != 2 else ""
    text = f"about ×{format_number(gain, 3)} as fast while gradients keep their sign: every step "
    text += "moves each coordinate by about α; the band in which it ends up hovering grows by "
    text += "the same factor. α is not held against 2/λmax"
    return Remedy(
        f"{facts.new_alpha(gain)}{aim}",
        text,
        gain,
        formula="α′/α",
        kind="heuristic",
        settings=facts.settings(gain),
    )
