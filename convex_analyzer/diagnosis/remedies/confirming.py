"""With the problem itself at hand a prediction is exact, and a run can confirm it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from convex_analyzer.comparison import compare, default_start
from convex_analyzer.diagnosis.remedies.facts import Facts
from convex_analyzer.diagnosis.remedies.remedy import Remedy
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import Analysis, analyze

__all__ = ["confirm", "count_steps", "start_of", "steps_from"]

TOLERANCE = 1e-6
_AFFORDABLE = 8_000  # steps of a run that confirms: well below a second
_WORK = 2e9  # multiplications
_COUNTED = 50_000  # steps of a rule with memory up to which they are counted from the start
_STEEP = 1e5  # κ beyond which counts from a start take too long


def start_of(facts: Facts) -> Any:
    """Return the first logged iterate, if it fits the problem; else a start of all directions."""
    spectrum = facts.spectrum
    assert spectrum is not None
    iterates = facts.reading.evidence.iterates
    if iterates is not None and iterates.values.ndim == 2 and len(iterates):
        first = iterates.values[0]
        if first.shape == (facts.problem.dimension,) and np.isfinite(first).all():
            return first
    return default_start(facts.problem, spectrum)[0]


def confirm(remedy: Remedy, facts: Facts, after: Optimizer, note: str = "") -> Remedy:
    """Return the remedy with exact step counts for the known problem, and run both rules.

    The goal is a gap of 1e-6 of its start; counts are exact (theory), `confirmed` holds what runs
    measured. Without a problem the remedy comes back as it is.
    """
    spectrum, before = facts.spectrum, facts.rule
    if spectrum is None or before is None:
        return remedy
    start = start_of(facts)
    old, new = (steps_from(facts, rule, start) for rule in (before, after))
    factor = old / new if old and new else remedy.factor
    text = f"{format_count(old) if old is not None else 'never'} → "
    text += f"{format_count(new) if new is not None else 'never'} steps to a gap of 1e−6"
    text += facts.of_model
    if old and new:
        text += f" (×{format_number(old / new, 3)})"
    return dataclasses.replace(
        remedy,
        prediction=f"{text}{note}",
        factor=factor,
        steps_before=old,
        steps_after=new,
        kind="asymptotic" if _steep(facts) else "bracketed" if spectrum.is_interval else "exact",
        confirmed=_run(facts, after, start, old, new),
    )


def _steep(facts: Facts) -> bool:
    return facts.spectrum is not None and (facts.spectrum.condition_number or 1) > _STEEP


def steps_from(facts: Facts, rule: Optimizer, start: Any) -> int | None:
    """Return the steps to the goal on the known problem; by the rate where κ is very large."""
    assert facts.spectrum is not None
    analysis = analyze(facts.spectrum, rule)
    if _steep(facts):
        return analysis.steps_to(TOLERANCE**0.5, criterion="rate")
    try:
        return count_steps(analysis, None if facts.spectrum.is_interval else start)
    except ConvexAnalyzerError:
        return analysis.steps_to(TOLERANCE**0.5, criterion="rate")


def count_steps(analysis: Analysis, start: Any) -> int | None:
    """Return the steps to the goal; of a rule with memory that needs very many, by its rate."""
    if analysis.optimizer.memory:
        about = analysis.steps_to(TOLERANCE**0.5, criterion="rate")
        if about is not None and about > _COUNTED:
            return about
    return analysis.steps_to(TOLERANCE, start)


def _run(
    facts: Facts, after: Optimizer, start: Any, old: int | None, new: int | None
) -> dict[str, Any] | None:
    """Return predicted and measured steps, where runs are affordable."""
    affordable = min(_AFFORDABLE, _WORK / facts.problem.dimension**2)
    if new is None or new > affordable:
        return None
    chosen: list[Optimizer] = [after]
    if facts.rule is not None and old is not None and old <= affordable:
        chosen.append(facts.rule)
    entries = compare(facts.problem, chosen, start, tolerance=TOLERANCE).entries
    found: dict[str, Any] = {"predicted": new, "measured": entries[0].simulated_steps}
    if len(entries) > 1:
        found |= {"predicted_before": old, "measured_before": entries[1].simulated_steps}
    return found
