"""Page 1: what the problem is, three findings, the spectrum ruler and the two tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.diagnosis.recap import Recap
from convex_analyzer.noise.batches import MiniBatch
from convex_analyzer.notation import symbol_of
from convex_analyzer.problems.least_squares import LOSSES, LeastSquares
from convex_analyzer.reporting.document import (
    Block,
    Column,
    Heading,
    KeyValues,
    Note,
    Table,
    Title,
)
from convex_analyzer.reporting.figures import drawn
from convex_analyzer.reporting.verdict_cards import verdict_cards
from convex_analyzer.tables import (
    format_count,
    format_factor,
    format_number,
    join_words,
)
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.directions import format_root

__all__ = ["verdict_blocks"]

_ROWS = 8  # directions in the table of a page


def verdict_blocks(comparison: Comparison, table: Recap) -> list[Block]:
    """Return the blocks of the verdict page."""
    subject = comparison.entries[0]
    blocks: list[Block] = [
        Title(f"Convergence report: {comparison.problem.name}", _subtitle(comparison)),
        KeyValues(_echo(comparison), columns=1),
        verdict_cards(comparison, table),
    ]
    if subject.analysis is not None:
        blocks += [
            Heading("The spectrum against the step size"),
            drawn("spectrum_ruler", subject.analysis),
        ]
        blocks += [Heading("Eigendirections"), _directions(comparison, subject.analysis)]
    blocks += [Heading("Optimizers on this spectrum"), _optimizers(comparison)]
    notes = _notes(comparison)
    return [*blocks, Note(" ".join(notes))] if notes else blocks


def _subtitle(comparison: Comparison) -> tuple[str, ...]:
    problem = comparison.problem
    return (problem.describe().partition(": ")[2], f"start: {comparison.start_name}")


def _echo(comparison: Comparison) -> list[tuple[str, str]]:
    problem, spectrum = comparison.problem, comparison.spectrum
    items = []
    if problem.labels:
        names = list(problem.labels)
        shown = names if len(names) <= 12 else [*names[:6], "…", *names[-5:]]
        what = "columns" if isinstance(problem, LeastSquares) else "coordinates"
        items.append((what, ", ".join(shown)))
    items.append(("Hessian", f"{spectrum.definiteness}, {_rank(comparison)}; {spectrum.method}"))
    items.append(("condition number", _kappa(comparison)))
    if isinstance(problem, LeastSquares):
        limits = problem.learning_rate_limits()
        parts = [
            f"{LOSSES[loss].partition(' (')[0]}: α\u00a0<\u00a0{format_number(limit, 4)}"
            for loss, limit in limits.items()
        ]
        items.append(("gradient descent is stable for", "; ".join(parts)))
    if problem.why_no_minimum:
        items.append(("no minimum", problem.why_no_minimum))
    noises = [entry.trajectory.noise for entry in comparison.entries]
    if any(noise is not None for noise in noises):
        kinds = {_noise(noise, comparison) for noise in noises}
        text = kinds.pop() if len(kinds) == 1 else " ".join(comparison.noise_notes())
        items.append(("gradients", text))
    return items


def _noise(noise: Any, comparison: Comparison) -> str:
    """Say in words where noise is from."""
    if not isinstance(noise, MiniBatch) or not isinstance(comparison.problem, LeastSquares):
        return str(noise.describe())
    how = "drawn with replacement" if noise.replacement else "each row once per epoch"
    return f"from {noise.size} of {len(comparison.problem.X):,} rows at a time, {how}"


def _rank(comparison: Comparison) -> str:
    spectrum = comparison.spectrum
    return (
        f"d = {spectrum.dimension}"
        if spectrum.is_interval
        else f"rank {spectrum.rank} of {spectrum.dimension}"
    )


def _kappa(comparison: Comparison) -> str:
    spectrum = comparison.spectrum
    text = f"κ(A) = {spectrum.describe_condition_number()}"
    bracket = spectrum.condition_number_bracket
    if bracket is not None and bracket.high > bracket.low and np.isfinite(bracket.high):
        half = (bracket.high - bracket.low) / (bracket.high + bracket.low)
        text += f", relative error ≤ {format_number(half, 1)}"
    if spectrum.data is not None:
        text += f"; κ(X) = {format_number(spectrum.data.condition_number, 7)}, 2-norm"
    return text


# -- figure and tables ---------------------------------------------------------------------------


def _shown(size: int) -> list[int]:
    if size <= _ROWS:
        return list(range(size))
    half = _ROWS // 2
    return [*range(half), *range(size - half, size)]


def _directions(comparison: Comparison, analysis: Analysis) -> Table:
    directions = analysis.directions
    if comparison.spectrum.is_interval:
        indices: Sequence[int] = (0, len(directions) - 1)
        shares = None
    else:
        indices = _shown(len(directions))
        lowest = comparison.problem.why_no_minimum is None
        shares = _gap_shares(comparison, analysis) if lowest else None
    rows = []
    for i in indices:
        one = directions[i]
        half = "–" if one.half_life is None else format_number(one.half_life, 3)
        share = "–" if shares is None else f"{format_number(100 * shares[i], 3)} %"
        rows.append(
            (
                _direction_name(comparison, i, len(directions)),
                format_number(one.eigenvalue, 6),
                share,
                format_root(one.factors[0], float(analysis.modes.one_minus_rate[i])),
                half,
                one.regime,
            )
        )
    hidden = len(directions) - len(rows)
    whole = not comparison.spectrum.is_interval
    note = f"{hidden} directions between are not shown." if hidden and whole else ""
    right = [Column(name, "right") for name in ("eigenvalue λ", "share of the first gap",
             "factor per step", "half-life (steps)")]  # fmt: skip
    columns = (Column("direction"), *right, Column("regime"))
    return Table(columns, rows, caption=f"What {analysis.optimizer} does.", note=note)


def _direction_name(comparison: Comparison, i: int, size: int) -> str:
    if comparison.spectrum.is_interval:
        return "flattest" if i == 0 else "steepest"
    name = f"q{i + 1}"
    if size > 1 and i in {0, size - 1}:
        signed = comparison.spectrum.lambda_min < 0  # then the flattest is somewhere between
        ends = ("lowest", "highest") if signed else ("flattest", "steepest")
        name += f" ({ends[i > 0]})"
    return name


def _gap_shares(comparison: Comparison, analysis: Analysis) -> Any:
    parts = np.abs(analysis.gap_by_direction(comparison.start, 0))
    total = parts.sum()
    return parts / total if total > 0 else parts


def _optimizers(comparison: Comparison) -> Table:
    rows = []
    for entry in comparison.entries:
        analysis = entry.analysis
        rows.append(
            (
                entry.label,
                _settings(entry),
                entry.outcome_text if analysis is None else analysis.rate_text,
                _stable_for(analysis),
                entry.predicted_text().replace("≤ ", "≤\u00a0"),
                entry.simulated_text() if entry.complete else "too many",
                "–" if entry.deviation is None else format_number(entry.deviation, 1),
            )
        )
    columns = (
        Column("optimizer", width=0.15),
        Column("settings (* tuned)", width=0.26),
        Column("worst ρ", "right", 0.13),
        Column("stable for", "right", 0.13),
        Column("steps, predicted", "right", 0.11),
        Column("steps, simulated", "right", 0.11),
        Column("theory − simulation", "right", 0.11),
    )
    goal = format_number(comparison.tolerance, 2)
    caption = f"Steps until the gap J − J* is {goal} of its start."
    if comparison.problem.why_no_minimum:
        caption = "J has no minimum, so that no rule arrives: how fast it leaves."
    if any(entry.trajectory.noise is not None for entry in comparison.entries):
        caption += " Predicted without noise; the runs have it."
    if (comparison.krylov_limit or 0) > 1:
        limit = format_count(comparison.krylov_limit)
        caption += f" No method that only adds up past gradients needs fewer than {limit} here."
    return Table(columns, rows, caption=caption)


def _stable_for(analysis: Analysis | None) -> str:
    if analysis is None or "learning_rate" not in analysis.optimizer.values:
        return "–"
    limit = analysis.stability_limit
    return "none" if limit is None else f"α < {format_number(limit, 4)}"


def _settings(entry: Entry) -> str:
    """Return the hyper-parameters with four digits; a star marks what was tuned."""
    tuned = entry.tuned
    parts = []
    for name, value in entry.optimizer.told.items():
        text = str(value)
        if isinstance(value, float) and name == "learning_rate":
            text = format_number(value, 4)
        elif isinstance(value, float):
            text = format_factor(value, 1 - value, 4)
        parts.append(f"{symbol_of(name)} = {text}{'*' if name in tuned else ''}")
    return ", ".join(parts)


def _notes(comparison: Comparison) -> list[str]:
    notes = []
    short = [entry.label for entry in comparison.entries if not entry.complete]
    if short:
        notes.append(
            f"{join_words(short)}: the whole run is too long to simulate; theory was checked on "
            "its first steps only."
        )
    refuted = [entry.label for entry in comparison.entries if entry.status == "refuted"]
    if refuted:
        notes.append(f"{join_words(refuted)}: the run contradicts the theory beyond rounding.")
    remarks = [hint for entry in comparison.entries for hint in entry.optimizer.hints()]
    return notes + [f"{remark}." for remark in dict.fromkeys(remarks)]
