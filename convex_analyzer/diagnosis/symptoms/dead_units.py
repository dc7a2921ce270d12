"""Dead or saturated units: needs the activations of a network."""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.units import units

ROW = Row(
    8,
    "dead_or_saturated_units",
    "dead/saturated units",
    "activation histograms",
    "initial scale of W; ReLU",
    explains=("plateau", "slow_progress", "local_optimum", "ill_conditioning"),
)


def test(prospect: Prospect) -> Finding:
    """A quadratic has no units."""
    del prospect
    return Finding("not tested", "", needs="the activations of a network")


def examine(reading: Reading) -> Sign:
    """Count units that no row activates, and units whose slope is below 5 % of its largest.

    A unit active on 0 of N rows is active on fewer than 1 - 0.05^(1/N) of all, at 95 % (exact).
    Saturated units of a network that has learned are no fault: they count while the loss is high.
    """
    found = [each for each in map(units, reading.evidence.layers) if each is not None]
    seen = [each for each in found if each.rows]
    found = [each for each in seen if each.kind != "unknown"]
    if seen and not found:
        return Sign(0.05, "the units are neither dead nor saturated", used=("layers",))
    curve = reading.curve
    if not found:
        return _from_curve(reading)
    worst = max(found, key=lambda each: float(np.nanmax(each.dead + each.saturated, initial=0.0)))
    dead = float(np.nanmax([each.dead[-1] for each in found]))
    born = float(np.nanmax([each.dead[0] for each in found]))
    early = float(np.nanmax([each.saturated[0] for each in found]))
    late = float(np.nanmax([each.saturated[-1] for each in found]))
    left = curve.left if curve is not None else 1.0
    stuck = beyond(left, 0.25, 1.8)
    strength = max(
        0.98 * beyond(dead, 0.75, 1.15) * (0.35 + 0.65 * stuck),
        0.95 * beyond(min(born, dead), 0.45, 1.25) * (0.4 + 0.6 * beyond(left, 0.05, 1.8)),
        0.97 * beyond(early, 0.5, 1.3) * (0.3 + 0.7 * stuck),
        0.93 * beyond(min(early, late), 0.5, 1.3) * beyond(left, 0.01, 2.0),
        0.6 * beyond(late, 0.7, 1.2) * stuck,
    )
    upper = 1 - 0.05 ** (1 / max(worst.rows, 1))
    if worst.kind == "relu":
        text = f"{worst.name}: {100 * dead:.0f} % of {worst.count} units are zero on all "
        text += f"{worst.rows} rows (active on < {100 * upper:.1f} % of all, at 95 %)"
    else:
        text = f"{worst.name}: {100 * early:.0f} % of {worst.count} units are saturated at the "
        text += f"start, {100 * late:.0f} % at the end (slope below 5 %)"
    return Sign(strength, text, "numerical", ("layers",))


def _from_curve(reading: Reading) -> Sign:
    """Read the start: equal answers for all rows, and nearly no change ever after.

    With every hidden unit dead only the output biases learn: a loss that starts at ln C exactly
    ends at the entropy of the class frequencies, a little below.
    """
    curve, lacks = reading.curve, "activations of the hidden layers"
    if curve is None or len(curve) < 5:
        return Sign(None, lacks=lacks)
    if curve.chance and curve.left > 0.85 and curve.flat[1] > 0.97:
        strength = 0.9 * beyond(curve.flat[1] - curve.flat[0], 0.3, 1.5)
        text = f"the loss starts at ln {curve.chance} exactly (equal outputs for every row) and "
        text += "hardly moves, as with dead hidden units or weights near zero"
        return Sign(strength, text, "heuristic", ("loss",), lacks)
    return Sign(None, lacks=lacks)
