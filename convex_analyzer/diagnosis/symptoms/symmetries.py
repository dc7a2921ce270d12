"""Symmetries: duplicate units; needs the weights of a network."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.units import units
from convex_analyzer.tables import format_number

ROW = Row(
    3,
    "symmetry",
    "symmetries",
    "visualize W",
    "initialize W randomly",
    explains=(
        "plateau",
        "saddle",
        "local_optimum",
        "slow_progress",
        "ill_conditioning",
        "dead_or_saturated_units",
    ),
)


def test(prospect: Prospect) -> Finding:
    """A quadratic has no units that could be exchanged."""
    del prospect
    return Finding("not tested", "", needs="the weights of a network")


def examine(reading: Reading) -> Sign:
    """Count hidden units that repeat another one: gradient descent keeps equal units equal.

    Equal incoming weights with equal outgoing ones get equal gradients at every step (exact,
    THEORY 9.5), so copies at the end were copies at the start.
    """
    found = [each for each in map(units, reading.evidence.layers) if each is not None]
    found = [each for each in found if np.isfinite(each.copies).any()]
    if not found:
        return _from_curve(reading)
    worst = max(found, key=lambda each: float(np.nanmax(each.copies)))
    finite = worst.copies[np.isfinite(worst.copies)]
    late, early = float(finite[-1]), float(finite[0])
    strength = max(0.97 * beyond(late, 0.15, 1.5), 0.6 * beyond(early, 0.3, 1.5))
    distinct = round((1 - late) * worst.count)
    text = f"{worst.name}: {format_number(distinct, 3)} of {worst.count} hidden units are distinct"
    if early > late + 1e-9:
        text += f" at the end, {round((1 - early) * worst.count)} at the start"
    return Sign(strength, text, "exact", ("layers",))


def _from_curve(reading: Reading) -> Sign:
    """Read the start: equal outputs for every row, kept for long, and then left."""
    curve, lacks = reading.curve, "the weights of the hidden layers"
    if curve is None or len(curve) < 5:
        return Sign(None, lacks=lacks)
    begin, end = curve.flat
    if curve.chance and begin < 0.05 and end < 0.97:
        strength = 0.85 * beyond(end - begin, 0.15, 1.5)
        text = f"the loss starts at ln {curve.chance} exactly (equal outputs for every row) and "
        text += f"stays there for {100 * (end - begin):.0f} % of the run, as from zero weights"
        return Sign(strength, text, "heuristic", ("loss",), lacks)
    return Sign(None, lacks=lacks)
