"""Plateaux: the loss stays where it is, far from where it could go."""

from __future__ import annotations

import math

from convex_analyzer.diagnosis.findings import Row, Sign, beyond
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_number

ROW = Row(
    10,
    "plateau",
    "plateaux",
    "flat stretch of the training curve",
    "initialisation; smaller α; a loss with slope (cross-entropy)",
    lecture=False,
)


def examine(reading: Reading) -> Sign:
    """Look for a long flat stretch at a high level, or at chance level ln(classes)."""
    curve = reading.curve
    if curve is None or len(curve) < 8:
        return Sign(None, lacks="a loss curve")
    begin, end = curve.flat
    length = end - begin
    level = curve.left
    text = f"flat within 1 % over {100 * length:.0f} % of the run"
    if end > 0.97:
        strength = beyond(length, 0.35, 1.5) * beyond(level, 0.2, 1.6)
        text += f", at {format_number(level, 3)} of its start"
        chance = _chance(reading)
        if chance:
            strength = max(strength, 0.92 * beyond(length, 0.3, 1.4))
            text += f": chance level, ln {chance}"
        return Sign(0.95 * strength, text, "heuristic", ("loss",))
    strength = 0.8 * beyond(length, 0.35, 1.4)
    where = "at first" if begin < 0.05 else "in between"
    return Sign(strength, f"{text} {where}, then it falls", "heuristic", ("loss",))


def _chance(reading: Reading) -> int:
    """Return the number of classes whose chance level the loss ends at; 0 if none."""
    curve = reading.curve
    assert curve is not None
    known = reading.evidence.classes
    for classes in (known,) if known else (10, 100, 1000, 2, 3, 4, 5):
        near = abs(curve.end - math.log(classes)) < 0.02 * math.log(classes)
        if near and abs(curve.start - math.log(classes)) < 0.35 * math.log(classes):
            return classes
    return 0
