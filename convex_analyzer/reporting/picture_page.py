"""The pictures: level sets, gap curves, stability map, roots."""

from __future__ import annotations

import numpy as np

from convex_analyzer.comparison import Comparison
from convex_analyzer.reporting.document import (
    Block,
    Card,
    Cards,
    FigureRow,
    Heading,
)
from convex_analyzer.reporting.figures import drawn
from convex_analyzer.reporting.pictures import subjects_in
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import Analysis

__all__ = ["picture_blocks", "picture_row"]

_WORTH = 0.95  # of the steps: what saves less is not worth a card
_QUICK = 20_000  # steps times directions up to which tuning for a tolerance takes a second


def picture_row(comparison: Comparison) -> list[Block]:
    """Return the two pictures of a brief report."""
    return [FigureRow((drawn("level_sets", comparison), drawn("gap_curves", comparison)))]


def picture_blocks(comparison: Comparison) -> list[Block]:
    """Return the page of pictures of a full report."""
    blocks: list[Block] = [Heading("What it looks like"), *picture_row(comparison)]
    linear = subjects_in(comparison)[1:]
    if not linear:
        return blocks
    subject = linear[0]
    root_plane = drawn("roots", comparison)
    if "learning_rate" in subject.optimizer.values:
        blocks.append(FigureRow((drawn("stability_map", subject), root_plane)))
    else:  # there is no α to draw a map over
        blocks.append(root_plane)
    return [*blocks, *_transients(comparison)]


def _transients(comparison: Comparison) -> list[Block]:
    cards = []
    for entry in comparison.entries:
        if entry.analysis is None or entry.analysis.outcome != "stable":
            continue
        peak = entry.analysis.transient_peak
        if peak.size > 1.001:
            cards.append(
                Card(
                    "warn",
                    f"Transient growth: {entry.label}.",
                    f"From rest the error along λ = {format_number(peak.eigenvalue, 4)} grows "
                    f"to ×{format_number(peak.size, 4)} after {format_count(peak.step)} "
                    f"step{'' if peak.step == 1 else 's'}, and that direction's loss to "
                    f"×{format_number(peak.size**2, 4)}, before both decay: "
                    f"{_why_it_grows(entry.analysis, peak.eigenvalue)}.",
                )
            )
    finite = _finite_goal(comparison)
    cards += [finite] if finite is not None else []
    return [Cards(tuple(cards))] if cards else []


def _why_it_grows(analysis: Analysis, eigenvalue: float) -> str:
    index = int(np.argmin(np.abs(analysis.directions.eigenvalue - eigenvalue)))
    if analysis.directions[index].regime == "critically damped":
        return "a double root behaves like (c₁ + c₂k) ρᵏ"
    return "its modes first add up"


def _finite_goal(comparison: Comparison) -> Card | None:
    """Say how many steps the best setting for this tolerance needs, where that is quick to find."""
    best = comparison.best
    if best is None or best.analysis is None or not best.analysis.tuned:
        return None
    count, spectrum = best.predicted_steps or 0, comparison.spectrum
    if spectrum.is_interval or count * spectrum.dimension > _QUICK:
        return None
    from convex_analyzer.theory.goals import settling_steps, tune

    goal, start = comparison.tolerance, comparison.start
    better = tune(spectrum, type(best.optimizer), "steps", goal, start)
    before = settling_steps(best.analysis, goal, start)
    after = settling_steps(Analysis(spectrum, better), goal, start)
    if before is None or after is None or after > _WORTH * before:
        return None
    plain = comparison.plain_descent
    if plain is not None and plain.steps <= after:
        return None  # what is said there is faster
    first = "" if count == before else f" (first met at step {format_count(count)})"
    return Card(
        "info",
        "Best for this tolerance.",
        f"{better} brings the gap below {format_number(goal, 2)} for good in {format_count(after)} "
        f"steps instead of {format_count(before)}{first}: the best asymptotic rate is not the best "
        "finite run.",
    )
