"""What the annotated training curve shows, as plain arrays: the curve, marks, chances, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.diagnosis.curves import Curve
from convex_analyzer.diagnosis.evidence import Series
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.results import Diagnosis
from convex_analyzer.errors import InputError
from convex_analyzer.plot.diagnosis_marks import Mark, marks_of
from convex_analyzer.plot.thinning import thinned
from convex_analyzer.tables import format_number

__all__ = ["AnnotatedCurveData", "Proof", "annotated_curve_data"]

Array = npt.NDArray[np.float64]

_NAMES = {"loss": "loss on all rows", "batch_loss": "mini-batch loss"}
_ROWS, _LEAST = 4, 0.02  # chances that are drawn: so many, and none below
_PERIODS = 7  # of a rhythm in the close-up
_DOTS = 1000  # cosines that are drawn
_SHAKY = 0.01  # scatter from which the trend is drawn on top
_TURNING = 0.4  # share of cosines below −½ that shows an overshoot better than a close-up does
_RHYTHMIC = {"oscillation", "epoch_sawtooth"}
_LIMITED = {"instability", "slow_progress", "ill_conditioning", "edge_of_stability", "saddle"}


@dataclass(frozen=True, eq=False)
class Proof:
    """The small panel below the curve: what decides the verdict.

    Attributes
    ----------
    kind
        ``cosines``, ``curvature`` or ``close-up``.
    label
        What it shows.
    steps, values
        What is drawn.
    borders
        Values with what they mean.
    period
        First and last step of one period, in a close-up.
    period_text
        Its length in words.
    log
        Whether the vertical axis is logarithmic.
    """

    kind: str
    label: str
    steps: Array
    values: Array
    borders: tuple[tuple[float, str], ...] = ()
    period: tuple[float, float] = (0.0, 0.0)
    period_text: str = ""
    log: bool = False


@dataclass(frozen=True, eq=False)
class AnnotatedCurveData:
    """What the figure shows.

    Attributes
    ----------
    title
        The verdict, short.
    monitored
        What the curve is, in words.
    steps, values
        The curve, thinned so that the picture stays the same, (n,); finite.
    length
        Values that were logged.
    trend_steps, trend
        Medians of parts of it; empty for a smooth curve.
    beside_steps, beside
        Mini-batch losses behind a loss on all rows; empty where there are none.
    last
        The last step of the log.
    log
        Whether the vertical axis is logarithmic.
    marks
        What the verdict talks about.
    proof
        The panel below; None when nothing was logged that could be shown there.
    chances
        The likeliest rows with their chances.
    decided
        Whether the first one is the verdict.
    """

    figure: ClassVar[str] = "annotated_curve"

    title: str
    monitored: str
    steps: Array
    values: Array
    length: int
    trend_steps: Array
    trend: Array
    beside_steps: Array
    beside: Array
    last: float
    log: bool
    marks: tuple[Mark, ...]
    proof: Proof | None
    chances: tuple[tuple[str, float], ...]
    decided: bool


def annotated_curve_data(diagnosis: Diagnosis) -> AnnotatedCurveData:
    """Return what the annotated training curve shows, without drawing.

    Parameters
    ----------
    diagnosis
        What `diagnose` returned for a log.

    Raises
    ------
    InputError
        A forecast, or evidence without a loss curve: there is nothing to draw.
    """
    reading = diagnosis.reading
    if reading is None:
        raise InputError("a forecast has no curve: it is made before training", argument="result")
    curve, name = reading.curve, _NAMES.get(reading.monitored, "")
    if curve is None and reading.evidence.validation_loss is not None:
        curve, name = Curve(reading.evidence.validation_loss), "validation loss"
    if curve is None or not len(curve.series):
        raise InputError("this evidence has no loss curve to draw", argument="result")
    finite = curve.finite
    proof = _proof(diagnosis, reading, curve)
    smooth = proof is not None and proof.kind == "close-up"
    trend_steps, trend = (np.empty(0), np.empty(0)) if smooth else _trend(curve)
    beside = _beside(reading)
    usable = len(curve) > 0 and float(curve.values.min()) >= 0 and float(curve.values.max()) > 0
    steps, values = thinned(finite.steps, finite.values)
    return AnnotatedCurveData(
        title=_title(diagnosis),
        monitored=name,
        steps=steps,
        values=values,
        length=len(curve.series),
        trend_steps=trend_steps,
        trend=trend,
        beside_steps=beside.steps,
        beside=beside.values,
        last=float(curve.series.steps[-1]),
        log=usable,
        marks=marks_of(diagnosis, reading, curve),
        proof=proof,
        chances=_chances(diagnosis),
        decided=diagnosis.decided,
    )


def _title(diagnosis: Diagnosis) -> str:
    """Return the verdict without what does not fit above a figure."""
    first = diagnosis.primary
    if diagnosis.decided:
        return _short(f"{first.problem[:1].upper()}{first.problem[1:]}: {first.evidence}")
    if first.confidence < 0.1:
        return _short(diagnosis.headline)
    names = [f"{each.problem} ({100 * each.confidence:.0f} %)" for each in diagnosis.candidates]
    return _short(f"Undecided: {' or '.join(names)}")


def _short(text: str, most: int = 118) -> str:
    """Return as many clauses as fit.

    Examples
    --------
    >>> _short("Slow: it is at 0.6; the step could be longer, much longer.", 40)
    'Slow: it is at 0.6'
    """
    text = text.rstrip(".")
    while len(text) > most:
        cut = max(text.rfind(mark, 0, most) for mark in (". ", "; ", ", ", ": "))
        text = text[: cut if cut > most // 3 else text.rfind(" ", 0, most)]
        if text.count("(") > text.count(")"):
            text = text[: text.rfind("(")]
    return text.rstrip(" .,;:")


def _chances(diagnosis: Diagnosis) -> tuple[tuple[str, float], ...]:
    likely = [each for each in diagnosis.findings[:_ROWS] if each.confidence >= _LEAST]
    return tuple((each.problem, each.confidence) for each in likely)


def _trend(curve: Curve) -> tuple[Array, Array]:
    shaken = len(curve) >= 120 and curve.noise > _SHAKY and 0.2 < curve.rises < 0.8
    if not shaken:
        return np.empty(0), np.empty(0)
    sizes = [len(block) for block in curve.blocks]
    parts = np.split(curve.finite.steps, np.cumsum(sizes)[:-1])
    places = np.array([float(part.mean()) for part in parts if len(part)])
    if len(places) and curve.per_block == 1:
        places[0] = curve.finite.steps[0]
    return places, curve.trend


def _beside(reading: Reading) -> Series:
    both = reading.evidence.batch_loss
    if reading.monitored != "loss" or both is None or not reading.stochastic:
        return Series(np.empty(0))
    return Series(*reversed(thinned(both.finite.steps, both.finite.values)))


# -- what decides ---------------------------------------------------------------------------------


def _proof(diagnosis: Diagnosis, reading: Reading, curve: Curve) -> Proof | None:
    """Return what to show below the curve: what the verdict rests on, if it can be shown."""
    first = diagnosis.primary
    shown = [first, *diagnosis.shown]
    if {each.name for each in shown} & _RHYTHMIC and not (reading.overshooting or 0) > _TURNING:
        found = _close_up(curve)
        if found is not None:
            return found
    makers = [_cosines, _curvature]
    if {each.name for each in shown} & _LIMITED:
        makers.reverse()
    for make in makers:
        found = make(reading, first.name)
        if found is not None:
            return found
    return None


def _cosines(reading: Reading, name: str) -> Proof | None:
    del name
    series = reading.cosines
    if series is None:
        return None
    every = max(1, len(series) // _DOTS)  # dots: their density is the picture, not their extremes
    steps, values = series.steps[::every], np.clip(series.values[::every], -1.0, 1.0)
    border = "below −½: they turn round"
    if not reading.momentum and not reading.adaptive:
        border = "below −½ the step overshoots: αλ > 1"
    return Proof("cosines", "cosine of consecutive gradients", steps, values, ((-0.5, border),))


def _curvature(reading: Reading, name: str) -> Proof | None:
    """Return αλmax, or αR along the gradient, against its limit."""
    series, label = reading.step_curvature, "αR, R the curvature along the gradient"
    sharp, alpha = reading.evidence.sharpness, reading.learning_rate
    if sharp is not None and alpha is not None and len(sharp) > 2 and not reading.adaptive:
        series, label = Series(alpha * sharp.values, sharp.steps).finite, "α × λmax of the Hessian"
    if series is None or len(series) < 2:
        return None
    mu = reading.momentum
    nesterov = reading.evidence.optimizer == "nesterov"
    limit = 2 * (1 + mu) / (1 + 2 * mu) if nesterov else 2 * (1 + mu)
    steps, values = thinned(series.steps, series.values)
    log = name in {"ill_conditioning", "slow_progress"} and bool((values > 0).all())
    border = (limit, f"stable below {format_number(limit, 3)}")
    return Proof("curvature", label, steps, values, (border,), log=log)


def _close_up(curve: Curve) -> Proof | None:
    """Return a few periods of the rhythm near the end of the run."""
    rhythm = curve.rhythm
    if rhythm is None or rhythm.coherence < 0.3:
        return None
    period = round(rhythm.period)
    n, length = len(curve), _PERIODS * period + 1
    if n < 2 * period + 1:
        return None
    first = max(n - max(length, 12) - n // 20, n // 10 if n > 2 * length else 0)
    part = slice(first, min(first + max(length, 12), n))
    steps, values = curve.finite.steps[part], curve.values[part]
    top = int(np.argmax(values[: len(values) - period]))
    while top - period >= period:
        top -= period
    stride = curve.series.stride
    count = format_number(period * stride, 3)
    ends = (float(steps[top]), float(steps[top + period]))
    steps, values = thinned(steps, values)
    log = bool((values > 0).all())
    return Proof("close-up", "the shaded part", steps, values, (), ends, f"{count} steps", log)
