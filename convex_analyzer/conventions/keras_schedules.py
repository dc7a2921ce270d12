"""Schedules of Keras 3.15 as ours, and ours as its calls. Both count steps from 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from convex_analyzer.conventions.rows import Draft, Native, Obstacle
from convex_analyzer.conventions.typed import arguments_text
from convex_analyzer.schedules import (
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    MultiStep,
    Polynomial,
    Step,
    WarmRestarts,
    WarmUp,
)
from convex_analyzer.schedules.base import Schedule

__all__ = ["READERS", "text", "write"]

_FIRST = "initial_learning_rate"

# -- reading -------------------------------------------------------------------------------------


def _exponential(o: Native) -> Schedule:
    if o.flag("staircase"):
        return Step(o[_FIRST], o["decay_rate"], o["decay_steps"])
    return Exponential(o[_FIRST], o["decay_rate"], o["decay_steps"])


def _piecewise(o: Native) -> Schedule:
    places, values = list(o["boundaries"]), list(o["values"])
    if len(values) != len(places) + 1:
        raise o.error("values must be one more than boundaries", "values")
    milestones = [math.floor(place) + 1 for place in places]  # the drop comes after the boundary
    return MultiStep(values[0], milestones=milestones, values=values[1:])


def _polynomial(o: Native) -> Schedule:
    if o.flag("cycle"):
        raise o.error("cycle=True has no equal among our schedules", "cycle")
    first, last, steps = o[_FIRST], o["end_learning_rate"], o["decay_steps"]
    return (
        Linear(first, last, steps)
        if o["power"] == 1
        else Polynomial(first, last, steps, o["power"])
    )


def _inverse(o: Native) -> Schedule:
    if o.flag("staircase"):
        raise o.error("staircase=True has no equal among our schedules", "staircase")
    return InverseTime(o[_FIRST], o.number("decay_rate") / o.number("decay_steps"))


def _cosine(o: Native) -> Schedule:
    target, steps = o["warmup_target"], o["decay_steps"]
    if target is None:
        return Cosine(o[_FIRST], steps, o.number("alpha") * o.number(_FIRST))
    schedule = Cosine(target, steps, o.number("alpha") * target)
    if not o["warmup_steps"]:
        return schedule
    if target == 0:
        raise o.error("warmup_target must not be zero", "warmup_target")
    return WarmUp(o["warmup_steps"], schedule, o.number(_FIRST) / target)


def _restarts(o: Native) -> Schedule:
    times = o.number("t_mul")
    if o["m_mul"] != 1 or times != int(times):
        raise o.error("only m_mul=1 and a whole t_mul have an equal among our schedules", "m_mul")
    last = o.number("alpha") * o.number(_FIRST)
    return WarmRestarts(o[_FIRST], o["first_decay_steps"], int(times), last)


READERS: Mapping[str, Callable[[Native], Any]] = {
    "ExponentialDecay": _exponential,
    "PiecewiseConstantDecay": _piecewise,
    "PolynomialDecay": _polynomial,
    "InverseTimeDecay": _inverse,
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _restarts,
}

# -- writing -------------------------------------------------------------------------------------


def write(schedule: Schedule, steps: int | None) -> Draft | Obstacle:
    """Return the call for a schedule; for a run of so many steps, if they are known."""
    if isinstance(schedule, Cosine):
        return _write_cosine(schedule, steps)
    writer = _WRITERS.get(type(schedule))
    if writer is None:
        return Obstacle(f"Keras has no schedule like {type(schedule).__name__}")
    return writer(schedule)


def _write_polynomial(s: Any) -> Draft:
    options = {_FIRST: s.initial, "decay_steps": s.steps, "end_learning_rate": s.final}
    power = {"power": s.power} if isinstance(s, Polynomial) else {}
    return Draft("PolynomialDecay", {**options, **power})


def _write_exponential(s: Any) -> Draft | Obstacle:
    rate = {"decay_steps": s.steps, "decay_rate": s.rate}
    draft = Draft("ExponentialDecay", {_FIRST: s.initial, **rate})
    told = "Keras's ExponentialDecay does not stop at a final value"
    return draft if s.final is None else Obstacle(told, draft)


def _write_stairs(s: Any) -> Draft:
    rate = {"decay_steps": s.every, "decay_rate": s.factor, "staircase": True}
    return Draft("ExponentialDecay", {_FIRST: s.initial, **rate})


def _write_levels(s: Any) -> Draft:
    boundaries = [place - 1 for place in s.milestones]
    return Draft("PiecewiseConstantDecay", {"boundaries": boundaries, "values": list(s.levels)})


def _write_cosine(s: Any, steps: int | None) -> Draft | Obstacle:
    if s.initial == 0:
        return Obstacle("Keras's CosineDecay starts above zero")
    options = {_FIRST: s.initial, "decay_steps": s.steps}
    draft = Draft("CosineDecay", {**options, **_alpha(s)})
    if s.after == "hold":
        return draft
    if steps is not None and steps <= s.steps + 1:
        return draft.adding(f"for runs of at most {s.steps + 1} steps")
    return Obstacle(
        f"Keras's CosineDecay stays down after {s.steps} steps, where this schedule climbs again",
        draft,
    )


def _alpha(s: Any) -> dict[str, float]:
    return {"alpha": s.final / s.initial} if s.final else {}


def _write_restarts(s: Any) -> Draft | Obstacle:
    if s.initial == 0:
        return Obstacle("Keras's CosineDecayRestarts starts above zero")
    options = {_FIRST: s.initial, "first_decay_steps": s.first, "t_mul": float(s.multiplier)}
    return Draft("CosineDecayRestarts", {**options, **_alpha(s)})


def _write_warm_up(s: Any) -> Draft | Obstacle:
    inner = s.schedule
    if not (isinstance(inner, Cosine) and inner.after == "hold" and inner.initial != 0):
        return Obstacle("Keras warms up before a CosineDecay only")
    options = {_FIRST: s.fraction * inner.initial, "decay_steps": inner.steps, **_alpha(inner)}
    target = {"warmup_target": inner.initial, "warmup_steps": s.steps}
    return Draft("CosineDecay", {**options, **target})


_WRITERS: Mapping[type[Schedule], Callable[[Any], Draft | Obstacle]] = {
    Linear: _write_polynomial,
    Polynomial: _write_polynomial,
    Exponential: _write_exponential,
    Step: _write_stairs,
    MultiStep: _write_levels,
    InverseTime: lambda s: Draft(
        "InverseTimeDecay", {_FIRST: s.initial, "decay_steps": 1, "decay_rate": s.rate}
    ),
    WarmRestarts: _write_restarts,
    WarmUp: _write_warm_up,
}


def text(draft: Draft) -> str:
    """Return what is to be typed."""
    return f"keras.optimizers.schedules.{draft.name}({arguments_text(draft.arguments)})"
