"""The loss fell because α was dropped: the noise floor went down, not the error of the mean."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Row, Sign, beyond
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_count, format_number

ROW = Row(
    24,
    "learning_rate_drop",
    "loss fell because the learning rate was dropped",
    "a step down of the loss right where α steps down",
    "compare at equal α; drop later: what is gained at once is the floor's share",
    lecture=False,
    fault=False,
)


def examine(reading: Reading) -> Sign:
    """Compare the loss before and after each drop of α (lecture 001, slide 39)."""
    curve, drops = reading.curve, reading.drops
    if reading.evidence.learning_rate is None:
        return Sign(None, lacks="the learning rate of each step")
    if curve is None or not len(drops):
        return Sign(0.0, "α is never dropped")
    steps, values = curve.finite.steps, curve.values
    width = max(0.04 * float(steps[-1]), 5 * curve.series.stride)
    best, text = 0.0, "α was dropped, and the loss took no notice"
    for drop in drops:
        before = values[(steps < drop) & (steps >= drop - width)]
        after = values[(steps >= drop + width / 4) & (steps < drop + 1.25 * width)]
        earlier = values[(steps < drop - width) & (steps >= drop - 2 * width)]
        if min(len(before), len(after), len(earlier)) < 3:
            continue
        level, low = float(np.median(before)), float(np.median(after))
        trend = max(float(np.median(earlier)) - level, 0.0)
        step = level - low - 1.5 * trend
        scatter = float(np.median(np.abs(before - level))) + 1e-300
        strength = 0.95 * beyond(step / level if level > 0 else 0.0, 0.05, 2.0)
        strength *= beyond(step / scatter, 0.5, 2.0) if step > 0 else 0.0
        if strength > best:
            best = strength
            text = f"α was dropped at step {format_count(int(drop))} and the loss stepped from "
            text += f"{format_number(level, 3)} to {format_number(low, 3)}: mostly the noise floor"
    return Sign(best, text, used=("loss", "learning_rate"))
