"""Adam's spikes: short jumps of the loss that heal by themselves."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Row, Sign, beyond
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_number

ROW = Row(
    22,
    "adam_spikes",
    "spikes of adaptive methods",
    "rare short jumps that heal",
    "none needed; larger ε or smaller β₂ if they grow",
    explains=("instability", "oscillation", "fluctuation"),
    lecture=False,
    fault=False,
)

_HIGH = 2.0  # times the running median: a spike
_RARE = 0.05  # of all steps


def examine(reading: Reading) -> Sign:
    """Look for rare values far above their neighbourhood, with the trend unharmed."""
    curve = reading.curve
    if not reading.adaptive:
        return Sign(0.0, "not an adaptive method")
    if curve is None or len(curve) < 40:
        return Sign(None, lacks="a loss curve of every step")
    if curve.bad_step is not None or not curve.positive:
        return Sign(0.0, "the loss is lost")
    ratio = curve.values / np.maximum(curve.running_median, 1e-300)
    ratio = ratio[len(ratio) // 10 :]
    high = ratio > _HIGH
    share = float(high.mean())
    if not high.any():
        return Sign(0.0, "no spikes")
    rare = 1 - beyond(share, _RARE, 1.7)
    heals = beyond(1 / max(curve.left, 1e-12), 4.0, 2.0)
    count = int(np.sum(np.diff(high.astype(int)) == 1)) + int(high[0])
    text = f"{count} spikes up to {format_number(float(ratio.max()), 2)} times the running median, "
    text += f"on {format_number(100 * share, 2)} % of the steps; the trend goes on falling"
    return Sign(0.9 * rare * heals, text, used=("loss", "optimizer"))
