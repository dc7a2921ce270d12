"""The page that sets the optimizers side by side: curves, steps, floors, sensitivity, noise."""

from __future__ import annotations

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.plot.levels import end_level
from convex_analyzer.reporting.document import Block, Column, Heading, Note, Table
from convex_analyzer.reporting.figures import drawn, drawn_if_any
from convex_analyzer.reporting.noise_page import floor_table
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.sensitivity import Sensitivity, sensitivity
from convex_analyzer.theory.stochastic.floor import NoiseFloor

__all__ = ["optimizer_blocks", "stochastic_blocks"]


def optimizer_blocks(comparison: Comparison) -> list[Block]:
    """Return figure 10 and the table behind it."""
    panels = drawn_if_any("optimizer_panels", comparison)  # without a gap the table says why
    blocks: list[Block] = [Heading("Optimizers compared"), *([panels] if panels else [])]
    rows = [_row(comparison, entry) for entry in comparison.entries]
    columns = (
        Column("optimizer", width=0.2),
        Column("steps", "right", 0.12),
        Column("gap at the end", "right", 0.14),
        Column("highest gap", "right", 0.13),
        Column("λmax may be larger by", "right", 0.17),
        Column("× steps when λ is 10 % off", "right", 0.24),
    )
    note = (
        "Gaps over that of the start. At the end: the last of the run, or the level at which it "
        "hovers (under noise the floor by its formula); – where the run is too long to simulate. "
        "The last column: steps per digit when λmin or λmax is 10 % off, over those of the best "
        "setting there."
    )
    return [*blocks, Table(columns, rows, caption="What each costs, and what it forgives.",
                           note=note)]  # fmt: skip


def _row(comparison: Comparison, entry: Entry) -> tuple[str, ...]:
    first = abs(float(entry.gap[0]))
    end = end_level(comparison, entry) if first > 0 and entry.complete else None
    found = _sensitivity(entry)
    margin = cost = "–"
    if found is not None:
        if found.margin is not None:
            share = format_number(100 * found.margin, 3)
            margin = "any share" if found.margin == float("inf") else f"{share} %"
        costs = [truth.cost for truth in found.truths[1:] if truth.cost is not None]
        lost = any(not truth.is_stable for truth in found.truths[1:])
        cost = "diverges" if lost else f"×{format_number(max(costs), 3)}" if costs else "–"
    steps = entry.simulated_text() if entry.complete else format_count(entry.predicted_steps)
    rise = "–"
    if entry.overshoot is not None and entry.complete:
        rise = f"×{format_number(max(entry.overshoot, 1.0), 3)}"
    return (entry.label, steps, format_number(end, 3), rise, margin, cost)


def _sensitivity(entry: Entry) -> Sensitivity | None:
    if entry.analysis is None or not entry.analysis.is_stable:
        return None
    try:
        return sensitivity(entry.analysis)
    except ConvexAnalyzerError:
        return None


def stochastic_blocks(comparison: Comparison) -> list[Block]:
    """Return figure 11 and the noise floors, for noisy gradients; nothing for exact ones."""
    noisy = [entry for entry in comparison.entries if entry.trajectory.noise is not None]
    if not noisy:
        return []
    blocks: list[Block] = [Heading("What the noise leaves")]
    try:
        blocks.append(drawn("stochastic_gap", comparison))
    except ConvexAnalyzerError as error:
        blocks.append(Note(f"{error}"))
    rows = []
    for entry in noisy:
        floor = _floor(comparison, entry)
        if floor is not None:
            first = float(entry.gap[0])
            share = f"×{format_number(floor.value / first, 3)}" if first > 0 else "–"
            rows.append((entry.label, format_number(floor.value, 4), share,
                         format_number(floor.first_order, 4), floor.kind, floor.words))  # fmt: skip
    if rows:
        columns = (
            Column("optimizer", width=0.16),
            Column("E (J − J*)", "right", 0.12),
            Column("of the first gap", "right", 0.12),
            Column("for small α", "right", 0.12),
            Column("kind", width=0.12),
            Column("in words", width=0.36),
        )
        caption = (
            "The noise floor: where the loss hovers in the end, on average. For small α it is "
            "about α tr Σ/4, with α/(1 − μ) in place of α under momentum."
        )
        blocks.append(Table(columns, rows, caption=caption))
    linear = [entry for entry in noisy if entry.analysis is not None]
    moved = floor_table(comparison, linear[0]) if linear else None
    return [*blocks, moved] if moved is not None else blocks


def _floor(comparison: Comparison, entry: Entry) -> NoiseFloor | None:
    if entry.analysis is None:
        return None
    try:
        return entry.analysis.noise_floor(entry.trajectory.noise, comparison.problem)
    except ConvexAnalyzerError:
        return None
