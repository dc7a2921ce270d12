"""The epoch's sawtooth: a rhythm of exactly one pass over the rows."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Row, Sign, beyond
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.tables import format_number

ROW = Row(
    23,
    "epoch_sawtooth",
    "epoch sawtooth",
    "a rhythm of exactly one epoch",
    "none needed; shuffle with replacement to see it go",
    explains=("oscillation",),
    lecture=False,
    fault=False,
)


def examine(reading: Reading) -> Sign:
    """Compare the loss's rhythm with the steps of an epoch: rows come back in the same order."""
    curve, epoch = reading.curve, reading.steps_per_epoch
    if curve is None or reading.stochastic is not True or epoch < 3:
        return Sign(0.0, "no mini-batches, or their number is not known")
    rhythm = curve.rhythm
    if rhythm is None:
        return Sign(0.0, "no rhythm in the loss")
    period = rhythm.period * curve.series.stride
    ratio = period / epoch
    near = 1 - beyond(abs(ratio - round(ratio)) if ratio > 0.5 else 1.0, 0.06, 1.5)
    strength = 0.95 * near * beyond(rhythm.coherence, 0.3, 1.6)
    text = f"the loss has a rhythm of {format_number(period, 3)} steps; an epoch has {epoch}"
    return Sign(strength, text, used=("loss", "batch_size"))
