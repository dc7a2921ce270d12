"""Instability: the curvature that grows, from how fast it grows, and an α at which it does not."""

from __future__ import annotations

import math

import numpy as np

from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.remedies.confirming import confirm
from convex_analyzer.diagnosis.remedies.facts import Facts, along
from convex_analyzer.diagnosis.remedies.remedy import Remedy, nothing
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.momentum import Nesterov
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_factor, format_number
from convex_analyzer.theory.analysis import analyze

__all__ = ["curvature_from_growth", "curvature_of_flip", "instability", "settled_growth"]

SHARE = 0.5  # of the limit: for gradient descent 1/λ, where the direction dies in one step
_EVEN = 0.02  # scatter of the growth of ln J per step, relative, up to which it counts as settled


def settled_growth(reading: Reading) -> float | None:
    """Return the factor of the loss per step at its end, once it is the same in every step.

    Examples
    --------
    >>> from convex_analyzer.diagnosis.evidence import Evidence, Series
    >>> round(settled_growth(Reading(Evidence(loss=Series(0.3 * 1.5 ** np.arange(40))))), 6)
    1.5
    """
    curve = reading.curve
    if curve is None or not reading.every_step or reading.stochastic or not curve.positive:
        return None
    values = curve.values[int(np.argmin(curve.values)) :] if len(curve) else curve.values
    values = values[(values > 0) & (values < 1e280)]
    tail = np.log(values[len(values) // 2 :])
    tail = tail[-40:]
    if len(tail) < 4:
        return None
    growth = np.diff(tail)
    mean = float(growth.mean())
    if not mean > 0 or float(np.ptp(growth)) > _EVEN * mean:
        return None
    return math.exp(mean)


def curvature_from_growth(rule: Optimizer, growth: float) -> float | None:
    """Return λ along which a rule makes the loss grow by this factor per step: ρ(λ) = √growth.

    The root -ρ beyond the stability limit, put into the characteristic polynomial (THEORY 2.2).
    For gradient descent (1 + √growth)/α.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> round(curvature_from_growth(GradientDescent(0.1), 1.44), 9)
    22.0
    """
    return curvature_of_flip(rule, math.sqrt(growth)) if growth > 1 else None


def curvature_of_flip(rule: Optimizer, rho: float) -> float:
    """Return λ along which an error flips its sign every step and is multiplied by ρ: root -ρ.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> round(curvature_of_flip(GradientDescent(0.1), 0.9), 9)  # αλ = 1.9
    19.0
    """
    alpha, mu = float(rule.values["learning_rate"]), float(rule.values.get("momentum", 0.0))
    if isinstance(rule, Nesterov):  # r = -ρ in r² - (1 + μ)(1 - s)r + μ(1 - s) = 0
        return (1 + rho * rho / ((1 + mu) * rho + mu)) / alpha
    return (1 + mu + rho + mu / rho) / alpha  # r = -ρ in r² - (1 + μ - s)r + μ = 0


def instability(facts: Facts) -> Remedy:
    """Lower α below the limit of the curvature that grows."""
    if facts.reading.adaptive:
        return _adaptive(facts)
    rule = facts.rule
    if rule is None:
        return nothing("lower α", facts.why_no_rule)
    if facts.spectrum is not None:
        return _known(facts, rule)
    growth = settled_growth(facts.reading)
    seen = None if growth is None else curvature_from_growth(rule, growth)
    met = None if facts.largest is None else facts.largest / facts.unit
    eigenvalue = max((each for each in (seen, met) if each is not None), default=None)
    if eigenvalue is None:
        return nothing(
            f"{facts.new_alpha(0.5)}, and again until the loss falls",
            "the growth of the loss has not settled to one factor per step, and no curvature was "
            "measured (Recorder.probe)",
            settings=facts.settings(0.5),
        )
    limit = along(rule, eigenvalue).stability_limit
    if limit is None or limit > facts.unit:
        text = "no curvature that was measured is beyond the limit of this α"
        return nothing(facts.new_alpha(0.5), text, settings=facts.settings(0.5))
    return _below(facts, rule, eigenvalue, limit, growth if seen == eigenvalue else None)


def _below(
    facts: Facts, rule: Optimizer, eigenvalue: float, limit: float, growth: float | None
) -> Remedy:
    gain = SHARE * limit / facts.unit
    after = rule.replace(learning_rate=SHARE * limit)
    rate = along(after, eigenvalue)
    share = format_factor(rate.rate, rate.one_minus_rate, 3)
    how = "dies in one step" if rate.rate < 1e-9 else f"shrinks ×{share} per step"
    known = facts.alpha is not None
    text = f"stable below α = {format_number(limit, 4)}" if known else "stable"
    if not known:
        text = f"stable below {format_number(limit, 4)} of the present α"
    text += f": the direction that grows (αλ = {format_number(facts.unit * eigenvalue, 4)}"
    if growth is not None:
        text += f", from the loss growing ×{format_number(growth, 4)} a step"
    text += f") {how}{facts.assumed}"
    best = _best(facts, rule, eigenvalue)
    kind = "numerical" if growth is not None else "heuristic"
    if growth is None:
        text += "; λmax may be larger than the largest curvature met"
    formula = "2/λ with λ = (1+√ratio)/α" if not rule.memory else "ρ(αλ) = √ratio, limit(μ)/λ"
    return Remedy(
        facts.new_alpha(gain),
        text,
        formula=formula if growth is not None else "limit(μ)/λ",
        kind=kind,
        settings=facts.settings(gain),
        alternatives=best,
    )


def _best(facts: Facts, rule: Optimizer, eigenvalue: float) -> tuple[Remedy, ...]:
    """Return α* for the curvatures met before the loss was lost, if there is more than one."""
    series = facts.reading.step_curvature
    if series is None:
        return ()
    early = series.values[(series.steps <= facts.reading.blow_up) & (series.values > 0)]
    if not len(early):
        return ()
    low = float(early.min()) / facts.unit
    if not 0 < low < eigenvalue / 1.05:
        return ()
    fixed = {"momentum": rule.values["momentum"]} if "momentum" in rule.values else {}
    analysis = analyze(Spectrum.from_eigenvalues([low, eigenvalue]), type(rule), fixed)
    gain = float(analysis.optimizer.values["learning_rate"]) / facts.unit
    text = f"the fastest α for the curvatures met: ×{analysis.rate_text} per step"
    return (
        Remedy(
            facts.new_alpha(gain),
            text,
            steps_after=analysis.steps_to(1e-6),
            formula="2/(m+L)" if not rule.memory else "best α at this μ on [m, L]",
            settings=facts.settings(gain),
        ),
    )


def _known(facts: Facts, rule: Optimizer) -> Remedy:
    assert facts.spectrum is not None
    if facts.spectrum.lambda_min < 0:
        lowest = format_number(facts.spectrum.lambda_min, 3)
        return nothing("another loss", f"λmin = {lowest} < 0: J is unbounded below, no α helps")
    if not facts.spectrum.positive.size:
        return nothing("leave α", "the problem has no curvature that could limit α")
    fixed = {"momentum": rule.values["momentum"]} if "momentum" in rule.values else {}
    analysis = analyze(facts.spectrum, rule)
    best = analyze(facts.spectrum, type(rule), fixed)
    gain = float(best.optimizer.values["learning_rate"]) / facts.unit
    limit = format_number(analysis.stability_limit, 4)
    remedy = Remedy(
        facts.new_alpha(gain),
        "",
        formula="2/(m+L)" if not rule.memory else "best α at this μ",
        kind="exact",
        settings=facts.settings(gain),
    )
    return confirm(remedy, facts, best.optimizer, f"; stable below α = {limit}")


def _adaptive(facts: Facts) -> Remedy:
    """No bound on α from λ: next to the minimum only ε limits it, elsewhere nothing does."""
    text = f"{facts.why_no_rule}; α is not held against 2/λmax. The band in which it hovers is "
    text += "proportional to α"
    settings = facts.settings(0.5)
    if facts.spectrum is None or facts.alpha is None:
        return nothing(f"{facts.new_alpha(0.5)}; warm-up", text, settings=settings)
    from convex_analyzer.optimizers.adam import Adam

    limit = analyze(facts.spectrum, Adam(facts.alpha)).stability_limit
    if limit is not None:
        text += f"; next to the minimum errors shrink only below α = {format_number(limit, 3)}, "
        text += "where ε takes over (Adam's defaults)"
    return nothing(f"{facts.new_alpha(0.5)}; warm-up", text, settings=settings)
