"""Ill-conditioning: steps now, and what each workaround needs, at the condition number met."""

from __future__ import annotations

from convex_analyzer.diagnosis.remedies.confirming import TOLERANCE, confirm, count_steps
from convex_analyzer.diagnosis.remedies.facts import Facts, steps_for
from convex_analyzer.diagnosis.remedies.remedy import Remedy, nothing
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import Analysis, analyze
from convex_analyzer.theory.limits import krylov_steps

__all__ = ["ill_conditioning"]

_ROUGH = 1.05  # peaks above this are worth a warning


def ill_conditioning(facts: Facts) -> Remedy:
    """Tuned heavy ball first; Nesterov, normalisation, the Krylov limit and Newton beside it."""
    if facts.spectrum is not None:
        return _known(facts)
    late, met, top = facts.late, facts.largest, facts.upper
    beside = _beside(facts, None, None)
    if late is None or met is None or not 0 < late < met:
        text = "κ was not seen: log the curvature along the gradient (Recorder.probe)"
        return nothing("normalise the inputs; momentum", text, alternatives=beside)
    if top is None:
        text = "the run is not stable, so that nothing bounds λmax from above, which a larger α or "
        text += "momentum needs"
        return nothing("normalise the inputs; a smaller α", text, alternatives=beside)
    top = max(top, met)
    ends = Spectrum.from_eigenvalues([late / facts.unit, top / facts.unit])
    seen = Spectrum.from_eigenvalues([late / facts.unit, met / facts.unit])
    now = None
    if facts.rule is not None:
        now = steps_for(facts.rule, late / facts.unit, TOLERANCE**0.5)
    tuned = analyze(ends, HeavyBall)
    then = _steps(tuned)
    alpha, mu = (float(tuned.optimizer.values[name]) for name in ("learning_rate", "momentum"))
    factor = now / then if now and then else None
    text = f"in directions from the late αλ = {format_number(late, 2)} up to {_top(facts, top)}: "
    text += f"{format_count(now)} → at most " if now else "at most "
    text += f"{format_count(then)} steps to a gap of 1e−6"
    text += f" (×{format_number(factor, 3)})" if factor else ""
    text += f", κ between {format_number(met / late, 3)} and {format_number(top / late, 3)} there"
    text += f"{_transient(tuned)}; what is left in flatter directions takes longer by either"
    return Remedy(
        f"heavy ball, {facts.new_alpha(alpha / facts.unit)}, μ = {format_number(mu, 4)}",
        text + facts.assumed,
        factor,
        now,
        then,
        "Polyak's pair on [late λ, limit/α], stable for every λ up to that",
        "heuristic",
        facts.settings(alpha / facts.unit, momentum=mu),
        alternatives=_beside(facts, ends, seen, now),
    )


def _top(facts: Facts, top: float) -> str:
    """Say where the upper end of the curvature comes from."""
    if facts.reading.evidence.sharpness is not None:
        return f"the measured αλmax = {format_number(top, 3)}"
    return f"αλ = {format_number(top, 3)}, which no λ exceeds in a run that is stable"


def _known(facts: Facts) -> Remedy:
    """With the problem at hand: exact counts at both ends of its spectrum, or from the start."""
    known = facts.spectrum
    assert known is not None
    if known.lambda_min < 0 or not known.positive.size or not known.resolved:
        text = "the problem has no smallest positive curvature that float64 can tell from zero"
        beside = _beside(facts, None, None)
        return nothing("normalise the inputs; momentum", text, alternatives=beside)
    spectrum = Spectrum.from_eigenvalues([float(known.positive[0]), known.lambda_max])
    rule = facts.rule or GradientDescent(facts.unit)
    now = _steps(analyze(spectrum, rule))
    if now is None:  # rounding may have put α on the edge
        now = _steps(analyze(spectrum, GradientDescent))
    tuned = analyze(spectrum, HeavyBall)
    then = _steps(tuned)
    alpha, mu = (float(tuned.optimizer.values[name]) for name in ("learning_rate", "momentum"))
    kappa = format_number(known.lambda_max / float(known.positive[0]), 3)
    factor = now / then if now and then else None
    text = f"{format_count(now)} → {format_count(then)} steps to a gap of 1e−6{facts.of_model} at "
    text += f"κ = {kappa}"
    if factor:
        text += f" (×{format_number(factor, 3)})"
    remedy = Remedy(
        f"heavy ball, {facts.new_alpha(alpha / facts.unit)}, μ = {format_number(mu, 4)}",
        text + _transient(tuned) + facts.assumed,
        factor,
        now,
        then,
        "exact counts for eigenvalues at both ends of [m, L], Polyak's pair",
        facts.kind,
        facts.settings(alpha / facts.unit, momentum=mu),
        alternatives=_beside(facts, spectrum, spectrum, now),
    )
    if facts.rule is None:
        return remedy
    return confirm(remedy, facts, tuned.optimizer, _transient(tuned))


def _steps(analysis: Analysis) -> int | None:
    """Return steps from the worst start: along the slowest direction."""
    return count_steps(analysis, None)


def _transient(analysis: Analysis) -> str:
    """Warn of a loss that first rises (THEORY 2.9: the peak is about √κ/e at step √κ/2)."""
    peak = analysis.transient_peak
    if peak.size < _ROUGH:
        return ""
    rise = format_number(peak.size**2, 2)
    return f"; the loss may first rise up to ×{rise} by step {format_count(peak.step)}"


def _beside(
    facts: Facts, spectrum: Spectrum | None, seen: Spectrum | None, now: int | None = None
) -> tuple[Remedy, ...]:
    """Return the other workarounds, each with its count; `seen` is a κ that is surely there."""
    found: list[Remedy] = []
    if spectrum is not None:
        found.append(_tuned(facts, spectrum, Nesterov, now))
    if seen is not None:
        found.append(_limit(facts, seen))
    found.append(_normalised(facts))
    text = "helps only as far as the axes of the parameters are those of the curvature: κ drops to "
    text += "that of the matrix scaled to a unit diagonal, and stays as it is at 45°"
    found.append(nothing("Adam or another diagonal method", text, formula="κ → κ_J"))
    if spectrum is not None:
        newton = "1 step on a quadratic, whatever κ; the curvature must be at hand"
        found.append(
            Remedy(
                "Newton", newton, None, None, 1, "A⁻¹g", "exact" if facts.spectrum else "heuristic"
            )
        )
    return tuple(found)


def _tuned(
    facts: Facts, spectrum: Spectrum, rule: type[Optimizer], now: int | None = None
) -> Remedy:
    analysis = analyze(spectrum, rule)
    values = analysis.optimizer.values
    gain = float(values["learning_rate"]) / facts.unit
    mu = float(values["momentum"])
    count = _steps(analysis)
    bound = "" if facts.spectrum is not None else "at most "
    text = f"{bound}{format_count(count)} steps to a gap of 1e−6{facts.of_model}"
    return Remedy(
        f"{rule.__name__}, {facts.new_alpha(gain)}, μ = {format_number(mu, 4)}",
        text + _transient(analysis),
        now / count if now and count else None,
        now,
        count,
        "exact counts on [m, L]",
        facts.kind,
        facts.settings(gain, momentum=mu),
    )


def _limit(facts: Facts, spectrum: Spectrum) -> Remedy:
    """Return what no method that adds up past gradients can beat."""
    count = krylov_steps(float(spectrum.positive[0]), spectrum.lambda_max, TOLERANCE, "gap")
    text = f"{format_count(count)} steps at worst: no method that adds up past gradients beats that"
    text += " at this κ" if facts.spectrum is not None else " at the κ met, of which κ is no less"
    return Remedy("conjugate gradients", text, None, None, count, "2rᵏ/(1+r²ᵏ)", "exact")


def _normalised(facts: Facts) -> Remedy:
    """With the data at hand: κ and steps after standardising the columns."""
    if not isinstance(facts.problem, LeastSquares) or facts.spectrum is None:
        text = "κ after it depends on the data (problem=least_squares(X, y))"
        return nothing("standardise the inputs", text, formula="κ′/κ")
    new = compute_spectrum(facts.problem.standardized())
    analysis = analyze(new, GradientDescent)
    count = _steps(analysis)
    old, kappa = facts.spectrum.condition_number, new.condition_number
    text = f"κ from {format_number(old, 3)} to {format_number(kappa, 3)}: gradient descent needs "
    text += f"{format_count(count)} steps to a gap of 1e−6 (`condition` says what is left)"
    return Remedy("standardise the columns", text, None, None, count, "κ′/κ", "exact")
