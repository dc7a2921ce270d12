"""Plateaux: the loss stays where it is, far from where it could go."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

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
    """Look for a long flat stretch at a high level, with a small gradient where that is known.

    Flat is less than 1 % of change, or 5 % where the gradient is known to be below a tenth of its
    largest (both heuristic). A converged run is flat as well: restarts that end at the same level,
    or a model without hidden units (convex), say that nothing lower is there.
    """
    curve = reading.curve
    if curve is None or len(curve) < 8:
        return Sign(None, lacks="a loss curve")
    small = _small_gradient(reading)
    begin, end = curve.flat if small is None else curve.flat_within(0.05)
    length = end - begin
    used, lacks = ["loss"], "gradient norms"
    if float(np.ptp(curve.values)) == 0 and len(curve.values) >= 8:
        text = "the loss is the same to the last digit: are the parameters updated at all "
        text += "(α, a missing step, a gradient that is zero)?"
        return Sign(0.9, text, "exact", ("loss",), "gradient norms and update norms")
    text = f"flat within {1 if small is None else 5} % over {100 * length:.0f} % of the run"
    if end > 0.97:
        strength = _at_the_end(reading, length)
        text += f", at {format_number(curve.left, 3)} of its start"
        chance = _chance(reading)
        if chance:
            strength = max(strength, 0.97 * beyond(length, 0.3, 1.4))
            text += f": chance level, ln {chance}"
        if reading.nothing_lower:
            strength *= 0.1
            text += "; nothing lower was found from other starts"
    else:
        strength = 0.84 * beyond(length, 0.35, 1.4) * beyond(curve.level_at(begin), 0.1, 1.6)
        where = "at first" if begin < 0.05 else "in between"
        text += f" {where}, then it falls"
    if small is not None:
        share = small(begin, end)
        # where it falls ever faster the curvature is negative: no slow descent looks like that
        downhill = (reading.negative_curvature or 0.0) > 0.5
        least = 0.35 if curve.picks_up > 1.5 or downhill else 0.1
        strength *= 1 - beyond(share, least, 1.8)
        text += f", with a gradient of {format_number(share, 2)} of what it could be"
        used, lacks = ["loss", "gradient_norm"], ""
    if not reading.hidden_layers and _steep_beside(reading):
        strength *= 0.4
    return Sign(0.95 * strength, text, "heuristic", tuple(used), lacks)


def _at_the_end(reading: Reading, length: float) -> float:
    """Judge a run that ends flat: stuck, or converged to a floor that the task has.

    Stuck near its start (nothing learned), or falling ever faster (leaving), or flat for all but
    the very beginning; a fall that runs out over a good part of the run is convergence.
    """
    curve = reading.curve
    assert curve is not None
    near_start = beyond(curve.left, 0.88, 1.05)
    leaving = beyond(curve.picks_up, 1.3, 1.3) * beyond(curve.left, 0.2, 1.6)
    at_once = beyond(length, 0.93, 1.04) * beyond(curve.left, 0.2, 1.6)
    if reading.gradient_fall is not None:
        at_once *= 0.3  # with the gradient known, a floor and a plateau can be told apart
    ran_out = 0.3 + 0.7 * beyond(curve.picks_up, 0.05, 2.0)
    return beyond(length, 0.35, 1.5) * max(near_start, leaving, at_once * ran_out)


def _small_gradient(reading: Reading) -> Callable[[float, float], float] | None:
    """Return how small ‖g‖ is on a stretch: against its largest, or ‖g‖‖θ‖/J if smaller."""
    norms = reading.evidence.gradient_norm
    cosine = reading.cosine(0.5, 1.0)
    if norms is None or (reading.stochastic and (cosine is None or cosine < 0.5)):
        return None  # the norm of a mini-batch gradient is that of its noise
    good = np.isfinite(norms.values)
    if good.sum() < 8 or not float(norms.values[good].max()) > 0:
        return None
    steps, values = norms.steps[good], norms.values[good]

    def share(begin: float, end: float) -> float:
        inside = (steps >= begin * steps[-1]) & (steps <= end * steps[-1])
        fallen = float(np.median(values[inside]) / values.max()) if inside.any() else 1.0
        slope = reading.log_slope(begin, end)
        return fallen if slope is None else min(fallen, slope)

    return share


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


def _steep_beside(reading: Reading) -> bool:
    """Return whether α already serves a direction that is a hundred times steeper: that is κ."""
    kappa, most = reading.condition, reading.largest
    return kappa is not None and most is not None and kappa > 100 and most > 0.2 * reading.limit
