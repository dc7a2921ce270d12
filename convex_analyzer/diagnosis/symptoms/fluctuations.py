"""Fluctuations: gradient noise. Full-batch gradients have none."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.tables import format_number

ROW = Row(
    7,
    "fluctuation",
    "fluctuations",
    "fluctuations in training curve",
    "decay α; iterate averaging",
)

_LEVEL = 2.0  # a curve whose last thirds differ by less has no trend


def test(prospect: Prospect) -> Finding:
    """Look for a noise floor: a gap that stays where it is above the goal."""
    entry = prospect.entry
    noise = entry.trajectory.noise
    if noise is None and not entry.optimizer.random:
        return Finding("absent", "full-batch gradients: the noise is zero")
    source = "the rule's own draws" if noise is None else str(noise)
    gap = np.abs(entry.gap[np.isfinite(entry.gap)])
    if entry.simulated_steps is not None or len(gap) < 9:
        return Finding("possible", f"noise from {source}; the goal was reached in spite of it")
    middle, last = (float(np.median(part)) for part in np.array_split(gap, 3)[1:])
    level = format_number(last / float(gap[0]), 2) if gap[0] > 0 else format_number(last, 2)
    if max(middle, last) <= _LEVEL * max(min(middle, last), 1e-300):
        return Finding("present", f"noise from {source}: the gap stays near ×{level} of its start")
    return Finding("possible", f"noise from {source}; the gap still falls, ×{level} of its start")
