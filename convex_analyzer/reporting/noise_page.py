"""What moves the noise floor, and at what price: smaller steps, or more rows for each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.domains import is_schedule
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.reporting.document import Column, Table
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.stochastic import noise_floor, noisy_steps_to

__all__ = ["floor_table"]

_MOST = 500  # directions up to which following the expectation takes no time
_ENDLESS = "none: the gap grows"
_SMALLER, _LARGER = (2, 4, 16), (2, 4, 16)  # what α is divided by, what a batch is multiplied by


def floor_table(comparison: Comparison, entry: Entry) -> Table | None:
    """Return what the noise floor of a rule becomes under smaller α, or larger batches.

    Parameters
    ----------
    comparison
        What was run, with noise.
    entry
        A rule in it.

    Returns
    -------
    Table or None
        None where there is no floor, or nothing that could be changed.
    """
    if entry.analysis is None or comparison.spectrum.dimension > _MOST:
        return None
    noise = entry.trajectory.noise
    rows: list[tuple[str, str, str, str]] = []
    for name, analysis, other, gradients in _choices(entry.analysis, noise, comparison.problem):
        row = _row(comparison, analysis, other, gradients)
        if row is not None:
            rows.append((name, *row))
    if len(rows) < 2 or all(row[1] == _ENDLESS for row in rows):
        return None
    in_rows = isinstance(noise, MiniBatch)
    columns = (
        Column(entry.label, width=0.34),
        Column("floor, of the first gap", "right", 0.22),
        Column("steps to twice the floor", "right", 0.22),
        Column("rows read for them" if in_rows else "gradients taken for them", "right", 0.22),
    )
    caption = "What moves the noise floor, and what it costs to come down to it."
    return Table(columns, rows, caption=caption)


def _choices(
    analysis: Analysis, noise: Any, problem: Any
) -> Iterator[tuple[str, Analysis, Any, int]]:
    """Yield changes: in words, the rule and the noise after it, and gradients (rows) per step."""
    changing = isinstance(noise, MiniBatch) and is_schedule(noise.size)
    if not isinstance(noise, MiniBatch | AdditiveNoise) or changing:
        return
    size = noise.size if isinstance(noise, MiniBatch) else 1
    yield "as chosen", analysis, noise, size
    rule = analysis.optimizer
    rate = rule.values.get("learning_rate")
    if isinstance(rate, float):
        for share in _SMALLER:
            smaller = rule.replace(learning_rate=rate / share)
            words = f"α = {format_number(rate / share, 4)}, 1/{share} of it"
            yield words, Analysis(analysis.spectrum, smaller), noise, size
    for times in _LARGER:
        if isinstance(noise, AdditiveNoise):
            mean = AdditiveNoise(noise.covariance / times)
            yield f"the mean of {times} gradients", analysis, mean, times
        elif noise.replacement or size * times < len(problem.y):
            larger = dataclasses.replace(noise, size=size * times)
            yield f"batches of {size * times} rows", analysis, larger, size * times


def _row(
    comparison: Comparison, analysis: Analysis, noise: Any, gradients: int
) -> tuple[str, str, str] | None:
    problem, start = comparison.problem, comparison.start
    first = float(analysis.gap(start, 0))
    try:
        floor = noise_floor(analysis, noise, problem).value
        if not first > 0:
            return None
        share = floor / first
        if not math.isfinite(share):
            return _ENDLESS, "–", "–"
        steps = noisy_steps_to(analysis, 2 * share, start, noise, problem) if share < 0.5 else 0
    except ConvexAnalyzerError:
        return None
    read = None if steps is None else gradients * steps
    return f"×{format_number(share, 3)}", format_count(steps), format_count(read)
