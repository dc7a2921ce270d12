"""What of a training curve the verdict talks about, as marks: steps, stretches, levels, spikes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.diagnosis.curves import Curve
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.results import Diagnosis, Verdict
from convex_analyzer.tables import format_count, format_number

__all__ = ["Mark", "marks_of"]

Array = npt.NDArray[np.float64]

_DROPS = 8  # a learning rate that is lowered more often follows a schedule
_SPIKE = 2.0  # times the running median, as in `symptoms.adam_spikes`
_CIRCLES = 12  # spikes that are circled: the highest
_RISE = 1.2  # times the lowest loss at the end: it has begun to grow
_SHORT = 0.08  # of the run: a flat stretch that is not worth shading
_FLAT_ROWS = {"plateau", "saddle", "symmetry", "dead_or_saturated_units", "local_optimum"}
_LEVEL_ROWS = {"slow_progress", "healthy", "plateau", "instability", "fluctuation"}


@dataclass(frozen=True)
class Mark:
    """One thing to point at.

    Attributes
    ----------
    kind
        ``lost`` (from `begin` on there is no number), ``event`` (at `begin`), ``drop`` (α lowered
        at `begin`), ``stretch`` (from `begin` to `end`), ``band`` (between `low` and `high` there),
        ``level`` (at `low`), ``end`` (the last value, at `low`) or ``spikes`` (at `points`).
    text
        What to write beside it; may be empty.
    begin, end
        Steps.
    low, high
        Losses.
    points
        Steps and losses.
    """

    kind: str
    text: str = ""
    begin: float = 0.0
    end: float = 0.0
    low: float = 0.0
    high: float = 0.0
    points: tuple[tuple[float, float], ...] = ()


def marks_of(diagnosis: Diagnosis, reading: Reading, curve: Curve) -> tuple[Mark, ...]:
    """Return what to mark in a curve: what happened to it, and what the verdict says of it."""
    said = diagnosis.candidates
    names = {each.name for each in said} | {each.name for each in diagnosis.shown}
    marks = [*_lost(curve), *_growth(reading, curve, names), *_drops(reading)]
    marks += _chance(reading, curve, said)
    if names & _FLAT_ROWS:
        marks += _flat(curve, reading.blow_up)
    if "adam_spikes" in names:
        marks += _spikes(curve)
    if names & {"fluctuation", "noisy_monitoring"}:
        marks += _noise(curve)
    if "ill_conditioning" in names:
        marks += _slopes(curve)
    if "local_optimum" in names:
        marks += _restarts(reading)
    if "incorrect_gradient" in names:
        marks += _check(reading)
    if names & _LEVEL_ROWS:
        marks += _left(curve)
    return tuple(marks)


def _percent(share: float) -> str:
    """Write a share in percent, two digits and no power of ten.

    Examples
    --------
    >>> _percent(0.0123), _percent(2.0)
    ('1.2 %', '200 %')
    """
    percent = 100 * share
    return f"{format_number(percent, 2) if percent < 10 else f'{percent:,.0f}'} %"


def _lost(curve: Curve) -> list[Mark]:
    if curve.bad_step is None:
        return []
    where = f"not finite from step {format_count(int(curve.bad_step))} on"
    last = float(curve.series.steps[-1])
    return [Mark("lost", where, curve.bad_step, max(last, curve.bad_step))]


def _growth(reading: Reading, curve: Curve, names: set[str]) -> list[Mark]:
    """Return where an unstable run leaves a thousand times its start, or begins to grow."""
    if "instability" not in names or len(curve) < 2:
        return []
    if math.isfinite(reading.blow_up) and reading.blow_up != curve.bad_step:
        when = format_count(int(reading.blow_up))
        return [Mark("event", f"1000 times the start at step {when}", reading.blow_up)]
    low = int(np.argmin(curve.values))
    if low < 0.05 * len(curve) or not curve.values[-1] > _RISE * abs(curve.values[low]):
        return []
    step = float(curve.finite.steps[low])
    return [Mark("event", f"lowest at step {format_count(int(step))}", step)]


def _drops(reading: Reading) -> list[Mark]:
    series, drops = reading.evidence.learning_rate, reading.drops
    if series is None or not 0 < len(drops) <= _DROPS:
        return []
    marks = []
    for drop in drops:
        place = int(np.searchsorted(series.steps, drop))
        ratio = series.values[place] / series.values[place - 1]
        marks.append(Mark("drop", f"α × {format_number(ratio, 2)}", float(drop)))
    return marks


def _chance(reading: Reading, curve: Curve, said: tuple[Verdict, ...]) -> list[Mark]:
    """Return the loss of equal answers for all classes, where it is known to be one."""
    told = re.search(r"\bln (\d+)", said[0].evidence)
    classes = reading.evidence.classes or curve.chance or (int(told[1]) if told else 0)
    if classes < 2 or not len(curve):
        return []
    level = math.log(classes)
    if not 0.5 * level < curve.start < 2 * level:
        return []
    return [Mark("level", f"chance level, ln {classes}", low=level)]


def _flat(curve: Curve, blow_up: float) -> list[Mark]:
    begin, end = curve.flat
    if end - begin < _SHORT:
        return []
    places = np.quantile(curve.finite.steps, [begin, end])
    if places[0] >= blow_up:  # flat because the loss has left all bounds
        return []
    text = f"flat within 1 % for {format_count(round(float(places[1] - places[0])))} steps"
    return [Mark("stretch", text, float(places[0]), float(places[1]))]


def _spikes(curve: Curve) -> list[Mark]:
    ratio = curve.values / np.maximum(curve.running_median, 1e-300)
    ratio[: len(ratio) // 10] = 0.0
    high = ratio > _SPIKE
    begins = np.flatnonzero(np.diff(high.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(high.astype(int), append=0) == -1) + 1
    tops = [b + int(np.argmax(ratio[b:e])) for b, e in zip(begins, ends, strict=True)]
    tops = sorted(tops, key=lambda top: -ratio[top])[:_CIRCLES]
    if not tops:
        return []
    points = tuple((float(curve.finite.steps[k]), float(curve.values[k])) for k in sorted(tops))
    times = format_number(float(ratio[tops[0]]), 3)
    return [Mark("spikes", f"up to {times} × the median around", points=points)]


def _noise(curve: Curve) -> list[Mark]:
    """Return the scatter of the second half about its level."""
    steps, level = curve.finite.steps, curve.end
    if len(steps) < 12 or not curve.noise > 0:
        return []
    half = curve.noise * abs(level)
    text = f"± {_percent(curve.noise)}, one standard deviation"
    middle = float(steps[len(steps) // 2])
    return [Mark("band", text, middle, float(steps[-1]), level - half, level + half)]


def _slopes(curve: Curve) -> list[Mark]:
    """Return the quick part of a fall that is slow later."""
    whole = curve.fall(0, 1)
    if not whole > 0:
        return []
    share = curve.fall(0, 0.1) / whole
    if not 0.3 < share <= 1:
        return []
    steps = curve.finite.steps
    text = f"{_percent(share)} of the fall in a tenth of the steps"
    return [Mark("stretch", text, float(steps[0]), float(np.quantile(steps, 0.1)))]


def _restarts(reading: Reading) -> list[Mark]:
    restarts = reading.evidence.restarts
    if restarts is None or not np.isfinite(restarts).any():
        return []
    best = float(np.nanmin(restarts))
    text = f"best of {len(restarts)} restarts: {format_number(best, 3)}"
    return [Mark("level", text, low=best)]


def _check(reading: Reading) -> list[Mark]:
    from convex_analyzer.diagnosis.gradient_errors import check_error

    found = check_error(reading)
    if found is None:
        return []
    text = f"gradient check: off by {_percent(found.error)}"
    return [Mark("event", text, float(found.step))]


def _left(curve: Curve) -> list[Mark]:
    if len(curve) < 3 or not curve.positive or not curve.start > 0:
        return []
    times = "×" if curve.left > 1 else "of"
    text = f"{format_number(curve.left, 3)} {times} its start"
    return [Mark("end", text, float(curve.finite.steps[-1]), low=curve.end)]
