"""Fluctuations: how much lower the noise floor gets, by α, by averaging, by larger batches."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from convex_analyzer.diagnosis.evidence import Series
from convex_analyzer.diagnosis.remedies.facts import Facts, along
from convex_analyzer.diagnosis.remedies.remedy import Remedy, nothing
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import Analysis, analyze
from convex_analyzer.theory.stochastic import averaging_limit, noise_floor

__all__ = ["curvature_from_noise", "fluctuation"]

_UNIT = AdditiveNoise(1.0)  # the floor is proportional to the variance, so any will do
_LARGER = 4  # times the batch
_LESS = (
    ", or lower: less where the noise fades near the minimum, and where rows are not drawn anew in "
    "every step but shuffled"
)
_FEWEST = 10  # gradients that a correlation is read from
_RUNS, _AFFORDABLE = 64, 3e8  # of a simulation that confirms a floor


def curvature_from_noise(facts: Facts) -> float | None:
    """Return s = αλ of what fluctuates: of the measured curvature, or from corr(g, g′) = -s/2.

    The second is exact for stationary SGD along one direction; of several a mean. The correlation
    weighs cosines with the norms; without norms their mean stands for it (many directions).
    """
    measured = facts.reading.late_curvature
    if measured is not None and 0 < measured < 2:
        return measured
    series, norms = facts.reading.cosines, facts.reading.evidence.gradient_norm
    if series is None or not isinstance(facts.rule, GradientDescent):
        return None
    half = len(series) // 2
    products, scale = series.values[half:], 1.0
    if norms is not None:
        size = norms.values / max(float(np.nanmax(norms.values, initial=0.0)), 1e-300)
        relative = Series(size, norms.steps)
        after, before = relative.at(series.steps[half:]), relative.at(series.steps[half:] - 1)
        both = np.isfinite(after) & np.isfinite(before)
        if both.sum() > len(products) // 2:
            products = (products * after * before)[both]
            scale = float(np.mean((after**2 + before**2)[both] / 2))
    if len(products) < _FEWEST or not scale > 0:
        return None
    s = -2 * float(np.mean(products)) / scale
    error = 2 * float(np.std(products)) / scale / math.sqrt(len(products))
    return s if 0 < s < 2 and s > 2 * error else None


def fluctuation(facts: Facts) -> Remedy:
    """α/2, averaging, larger batches: what each leaves of the floor."""
    if facts.reading.stochastic is False:
        return nothing("none", "gradients are of all rows: there is no noise to reduce")
    if facts.reading.adaptive:
        return _adaptive(facts)
    rule = facts.rule
    if rule is None:
        return nothing("decay α; average iterates", facts.why_no_rule)
    known = _known(facts, rule)
    if known is not None:
        return known
    s = curvature_from_noise(facts)
    more = (*_averaged(rule, s, facts.unit), _batches(facts))
    if s is None:
        text = "the noise floor falls to about ×0.5 (for αλ ≪ 1), at half the speed; αλ of what "
        text += f"fluctuates is not known (gradient cosines, or the curvature){_level(facts, 0.5)}"
        return Remedy(
            facts.new_alpha(0.5),
            text,
            0.5,
            formula="floor ×½(2−s)/(2−s/2), s → 0",
            kind="asymptotic",
            settings=facts.settings(0.5),
            alternatives=more,
        )
    eigenvalue = s / facts.unit
    halved = rule.replace(learning_rate=facts.unit / 2)
    factor = _floor(along(halved, eigenvalue)) / _floor(along(rule, eigenvalue))
    text = f"the noise floor falls to about ×{format_number(factor, 3)} at αλ = "
    text += f"{format_number(s, 2)}{_LESS}"
    text += f"{_level(facts, factor)}, and every direction then takes twice the steps"
    text += facts.assumed
    return Remedy(
        facts.new_alpha(0.5),
        text,
        factor,
        formula="floor ×½(2−s)/(2−s/2)" if not rule.memory else "floor(α/2)/floor(α) of the rule",
        kind="heuristic",
        settings=facts.settings(0.5),
        alternatives=more,
    )


def _floor(analysis: Analysis, noise: Any = _UNIT, problem: Any = None) -> float:
    return noise_floor(analysis, noise, problem).value


def _level(facts: Facts, factor: float) -> str:
    """Say what that means for the loss of the log, of which an unknown part is noise."""
    curve = facts.reading.curve
    if curve is None or not len(curve) or not curve.positive:
        return ""
    low, high = format_number(factor * curve.end, 3), format_number(curve.end, 3)
    return f"; the loss ends between {low} and {high}, as its {high} is all noise or none"


def _averaged(rule: Optimizer, s: float | None, unit: float) -> tuple[Remedy, ...]:
    """Return iterate averaging: tr(ΣA⁻¹)/(2k), independent of α, and when it wins."""
    if s is None:
        return ()
    here = along(rule, s / unit)
    if not here.is_stable:
        return ()
    wins = averaging_limit(here, 1, _UNIT) / _floor(here)
    memory = 1 / here.one_minus_rate  # shorter averages are of one iterate, in effect
    after = math.ceil(2 * max(wins, memory))
    text = f"the mean of the last k iterates leaves {format_number(wins, 3)}/k of the floor for k "
    text += f"≫ {format_count(math.ceil(memory))}: from k = {format_count(after)} on it is better "
    text += "than α/2, at the full speed of α"
    return (
        Remedy(
            "average the iterates",
            text,
            None,
            steps_after=after,
            formula="tr(ΣA⁻¹)/(2k)",
            kind="asymptotic",
        ),
    )


def _batches(facts: Facts, exact: Callable[[int], float] | None = None) -> Remedy:
    """Return larger batches: the variance of the gradient is Σ/B, at the same parameters."""
    batch, rows = facts.reading.evidence.batch_size, facts.reading.evidence.rows
    if not batch:
        text = f"the noise floor falls to about 1/{_LARGER} for {_LARGER} times the work{_LESS}"
        return Remedy(f"batch ×{_LARGER}", text, 1 / _LARGER, formula="floor/c", kind="asymptotic")
    new = _LARGER * batch
    settings = {"batch_size": new}
    if rows and new >= rows:
        text = "gradients of all rows have no noise, and the floor is gone"
        settings = {"batch_size": rows}
        return Remedy(f"all {rows} rows", text, 0.0, kind="exact", settings=settings)
    work = f"at the same α, for {_LARGER} times the work"
    change = f"batch from {batch} to {new}"
    if exact is None:
        text = f"the noise floor falls to about 1/{_LARGER} {work}{_LESS}"
        formula = "floor/c for noise that does not depend on θ"
        return Remedy(
            change, text, 1 / _LARGER, formula=formula, kind="asymptotic", settings=settings
        )
    factor = exact(new)
    text = f"the noise floor falls to ×{format_number(factor, 3)} {work}"
    formula = "stationary second moments of the batches"
    return Remedy(change, text, factor, formula=formula, kind="numerical", settings=settings)


def _adaptive(facts: Facts) -> Remedy:
    """Adaptive rules divide by the noise: floor about (α/4) Σσ_j, whatever λ (THEORY 6.11)."""
    text = "the noise floor falls to about ×0.5, for small α whatever the curvature"
    text += f"{_level(facts, 0.5)}; a batch of c times the rows lowers it by √c only"
    return Remedy(
        facts.new_alpha(0.5),
        text,
        0.5,
        formula="floor ≈ (α/4) Σσ",
        kind="asymptotic",
        settings=facts.settings(0.5),
    )


# -- the problem is known ----------------------------------------------------------------------


def _known(facts: Facts, rule: Optimizer) -> Remedy | None:
    """With the data and the batch size: the floors themselves, and a simulation of the new one."""
    batch = facts.reading.evidence.batch_size
    if facts.spectrum is None or not isinstance(facts.problem, LeastSquares) or not batch:
        return None
    noise = MiniBatch(batch, replacement=True)
    halved = rule.replace(learning_rate=facts.unit / 2)
    try:
        old, new = (
            noise_floor(analyze(facts.spectrum, each), noise, facts.problem)
            for each in (rule, halved)
        )
    except ConvexAnalyzerError:
        return None
    if not (math.isfinite(old.value) and old.value > 0):
        return nothing(facts.new_alpha(0.5), old.words, settings=facts.settings(0.5))
    factor = new.value / old.value
    text = f"the noise floor falls from {format_number(old.value, 3)} to "
    text += f"{format_number(new.value, 3)} (×{format_number(factor, 3)})"

    def of_batch(size: int) -> float:
        larger = MiniBatch(size, replacement=True)
        return noise_floor(analyze(facts.spectrum, rule), larger, facts.problem).value / old.value

    remedy = Remedy(
        facts.new_alpha(0.5),
        text,
        factor,
        formula="stationary second moments of the batches",
        kind=new.kind,
        settings=facts.settings(0.5),
        alternatives=(_batches(facts, of_batch),),
    )
    return dataclasses.replace(remedy, confirmed=_run(facts, halved, noise, new.value))


def _run(facts: Facts, rule: Optimizer, noise: MiniBatch, floor: float) -> dict[str, Any] | None:
    """Measure the floor on runs that have forgotten their start, where that is affordable."""
    from convex_analyzer.simulation.engine import simulate

    assert facts.spectrum is not None
    centre = facts.problem.critical_point
    slow = analyze(facts.spectrum, rule).one_minus_rate
    if centre is None or not slow > 0:
        return None
    steps = math.ceil(8 / slow)
    if steps * _RUNS * facts.problem.dimension**2 > _AFFORDABLE:
        return None
    at = np.unique(np.linspace(steps // 2, steps, 32).astype(int))
    start = np.tile(centre, (_RUNS, 1))
    apart = dataclasses.replace(noise, independent=True)  # every run draws its own batches
    run = simulate(facts.problem, rule, start, steps, noise=apart, seed=0, record=at)
    error = run.theta - centre
    gaps = (error * facts.problem.hessian_vector(error, error)).sum(axis=-1) / 2
    return {"predicted": floor, "measured": float(gaps.mean())}
