"""Schedules of optax 0.2.8 as ours, and ours as its calls. Both count steps from 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from convex_analyzer.conventions.rows import REQUIRED, Draft, Native, Obstacle
from convex_analyzer.conventions.typed import Formula, arguments_text, value_text
from convex_analyzer.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    MultiStep,
    Polynomial,
    Power,
    Step,
    Table,
    WarmRestarts,
    WarmUp,
)
from convex_analyzer.schedules.base import Schedule

__all__ = ["FURTHER", "READERS", "text", "write"]

FURTHER: Mapping[str, Mapping[str, Any]] = {
    "join_schedules": {"schedules": REQUIRED, "boundaries": REQUIRED},
    "lambda": {"formula": REQUIRED},
}
_MOST_STAIRS = 10_000
_LISTED = 1000  # steps that listed restarts cover when the length of the run is not known

# -- reading -------------------------------------------------------------------------------------


def _later(o: Native, schedule: Schedule) -> Schedule:
    begin = o["transition_begin"]
    return WarmUp(begin, schedule, 1.0) if begin > 0 else schedule


def _polynomial(o: Native) -> Schedule:
    steps, first = o["transition_steps"], o["init_value"]
    power = o["power"] if "power" in o.known else 1
    if steps <= 0:
        return Constant(first)
    if power == 1:
        return _later(o, Linear(first, o["end_value"], steps))
    return _later(o, Polynomial(first, o["end_value"], steps, power))


def _exponential(o: Native, initial: str = "init_value") -> Schedule:
    first, steps, rate = o[initial], o["transition_steps"], o["decay_rate"]
    last = o["end_value"]
    if steps <= 0 or rate == 0:
        return Constant(first)
    if not o.flag("staircase"):
        return _later(o, Exponential(first, rate, steps, last))
    if last is None:
        return _later(o, Step(first, rate, steps))
    return _later(o, _stairs(o, first, steps, rate, last))


def _stairs(o: Native, first: float, steps: int, rate: float, last: float) -> Schedule:
    """Return stairs down (or up) to a last value."""
    clipped = max if rate < 1 else min
    levels = [float(clipped(first, last))]
    while levels[-1] != last and len(levels) < _MOST_STAIRS and rate != 1:
        levels.append(float(clipped(first * rate ** len(levels), last)))
    if len(levels) == _MOST_STAIRS:
        raise o.error("the stairs do not reach end_value", "end_value", "leave it out")
    if len(levels) == 1:
        return Constant(levels[0])
    places = [steps * (place + 1) for place in range(len(levels) - 1)]
    return MultiStep(levels[0], milestones=places, values=levels[1:])


def _cosine(first: float, steps: int, alpha: float, exponent: float) -> Schedule:
    if exponent == 1:
        return Cosine(first, steps, alpha * first)
    shares = [(1 + math.cos(math.pi * k / steps)) / 2 for k in range(steps + 1)]
    values = [first * ((1 - alpha) * share**exponent + alpha) for share in shares]
    return Table(values, after="hold")


def _piecewise(o: Native) -> Schedule:
    drops = sorted((o["boundaries_and_scales"] or {}).items())
    if any(scale < 0 for _, scale in drops):
        raise o.error("scales must not be negative", "boundaries_and_scales")
    if not drops:
        return Constant(o["init_value"])
    places = [place for place, _ in drops]
    if len({scale for _, scale in drops}) == 1:
        return MultiStep(o["init_value"], drops[0][1], places)
    levels = np.cumprod([o["init_value"], *(scale for _, scale in drops)]).tolist()
    return MultiStep(levels[0], milestones=places, values=levels[1:])


def _warmed(o: Native, schedule: Schedule) -> Schedule:
    steps, peak = o["warmup_steps"], o["peak_value"]
    if steps <= 0:
        return schedule
    if peak == 0:
        raise o.error("peak_value must not be zero", "peak_value")
    return WarmUp(steps, schedule, o["init_value"] / peak)


def _warm_cosine(o: Native) -> Schedule:
    peak = o["peak_value"]
    alpha = 0.0 if peak == 0 else o["end_value"] / peak
    steps = o["decay_steps"] - o["warmup_steps"]
    if steps <= 0:
        raise o.error("decay_steps must exceed warmup_steps, which they include", "decay_steps")
    return _warmed(o, _cosine(peak, steps, alpha, o["exponent"]))


def _restarts(o: Native) -> Schedule:
    known = {
        "init_value": REQUIRED,
        "peak_value": REQUIRED,
        "warmup_steps": REQUIRED,
        "decay_steps": REQUIRED,
        "end_value": 0.0,
        "exponent": 1.0,
    }
    values: list[float] = []
    for options in o["cosine_kwargs"]:
        wave = Native(o.label, options, known)
        schedule, steps = _warm_cosine(wave), wave.whole("decay_steps")
        values += schedule.table(steps).tolist()
        last = float(schedule.at(steps + 1))
    if not values:
        raise o.error("cosine_kwargs is empty", "cosine_kwargs")
    return Table([*values, last], after="hold")


def _one_cycle(o: Native) -> Schedule:
    steps, ratio = o.whole("transition_steps"), o.number("div_factor")
    final = o.number("final_div_factor")
    scales = {int(o.number("pct_start") * steps): ratio}
    straight = "pct_final" in o.known
    if straight:
        scales |= {int(o.number("pct_final") * steps): 1 / ratio, steps: 1 / final}
    else:
        scales[steps] = 1 / (ratio * final)
    ends = sorted(scales.items())
    places = [0, *(place for place, _ in ends)]
    levels = np.cumprod([o.number("peak_value") / ratio, *(scale for _, scale in ends)])
    values = []
    for k in range(steps):
        leg = sum(place <= k for place in places) - 1
        share = (k - places[leg]) / max(places[leg + 1] - places[leg], 1)
        if not straight:
            share = (1 - math.cos(math.pi * share)) / 2
        values.append(float(levels[leg] + (levels[leg + 1] - levels[leg]) * share))
    return Table([*values, float(levels[-1])], after="hold")


def _joined(o: Native) -> Schedule:
    parts, places = list(o["schedules"]), list(o["boundaries"])
    ramp = parts[0] if parts else None
    if len(parts) == 2 and len(places) == 1 and isinstance(ramp, Linear):
        first = parts[1].at(1)
        if ramp.steps == places[0] and ramp.final == first and first != 0:
            return WarmUp(places[0], parts[1], ramp.initial / first)
    raise o.error(
        "only a linear_schedule that ends where the second schedule starts has an equal here",
        "schedules",
        "that is WarmUp(steps, schedule, fraction)",
    )


READERS: Mapping[str, Callable[[Native], Any]] = {
    "constant_schedule": lambda o: Constant(o["value"]),
    "linear_schedule": _polynomial,
    "polynomial_schedule": _polynomial,
    "exponential_decay": _exponential,
    "cosine_decay_schedule": lambda o: _cosine(
        o["init_value"], o.whole("decay_steps"), o["alpha"], o["exponent"]
    ),
    "piecewise_constant_schedule": _piecewise,
    "warmup_constant_schedule": lambda o: Linear(
        o["init_value"], o["peak_value"], o["warmup_steps"]
    ),
    "warmup_cosine_decay_schedule": _warm_cosine,
    "warmup_exponential_decay_schedule": lambda o: _warmed(o, _exponential(o, "peak_value")),
    "sgdr_schedule": _restarts,
    "linear_onecycle_schedule": _one_cycle,
    "cosine_onecycle_schedule": _one_cycle,
    "join_schedules": _joined,
    "lambda": lambda o: o["formula"].schedule,
}

# -- writing -------------------------------------------------------------------------------------


def write(schedule: Schedule, steps: int | None) -> Draft | Obstacle:
    """Return the call for a schedule; for a run of so many steps, if they are known."""
    match schedule:
        case Cosine():
            return _write_cosine(schedule, steps)
        case WarmRestarts():
            return _write_restarts(schedule, steps or _LISTED)
    writer = _WRITERS.get(type(schedule))
    if writer is None:
        return Obstacle(f"optax has no schedule like {type(schedule).__name__}")
    return writer(schedule)


def _ends(s: Any) -> dict[str, Any]:
    return {"init_value": s.initial, "end_value": s.final, "transition_steps": s.steps}


def _write_exponential(s: Any) -> Draft:
    last = {} if s.final is None else {"end_value": s.final}
    rate = {"transition_steps": s.steps, "decay_rate": s.rate}
    return Draft("exponential_decay", {"init_value": s.initial, **rate, **last})


def _write_stairs(s: Any) -> Draft:
    rate = {"transition_steps": s.every, "decay_rate": s.factor, "staircase": True}
    return Draft("exponential_decay", {"init_value": s.initial, **rate})


def _write_levels(s: Any) -> Draft | Obstacle:
    scales: dict[int, float] = {}
    levels = s.levels
    for place, before, after in zip(s.milestones, levels[:-1], levels[1:], strict=True):
        if s.factor is None and (before == 0 or after / before < 0):
            return Obstacle("optax's piecewise_constant_schedule multiplies by positive factors")
        scale = s.factor if s.factor is not None else after / before
        scales[place] = scales.get(place, 1.0) * scale
    return Draft(
        "piecewise_constant_schedule",
        {"init_value": s.initial, "boundaries_and_scales": scales},
    )


def _write_cosine(s: Any, steps: int | None) -> Draft | Obstacle:
    if s.initial == 0:
        return Obstacle("optax's cosine_decay_schedule starts above zero")
    alpha = {"alpha": s.final / s.initial} if s.final else {}
    options = {"init_value": s.initial, "decay_steps": s.steps}
    draft = Draft("cosine_decay_schedule", {**options, **alpha})
    if s.after == "hold":
        return draft
    if steps is not None and steps <= s.steps + 1:
        return draft.adding(f"for runs of at most {s.steps + 1} steps")
    return Obstacle(
        f"optax's cosine_decay_schedule stays down after {s.steps} steps, where this schedule "
        "climbs again",
        draft,
    )


def _write_restarts(s: Any, steps: int) -> Draft | Obstacle:
    if s.initial == 0 and s.final:
        return Obstacle("optax scales a wave by its peak, so one from 0 ends at 0")
    waves: list[dict[str, Any]] = []
    length, covered = s.first, 0
    while covered < steps:
        wave = {"init_value": s.initial, "peak_value": s.initial, "warmup_steps": 0}
        last = {"end_value": s.final} if s.final else {}
        waves.append({**wave, "decay_steps": length, **last})
        covered, length = covered + length, length * s.multiplier
    draft = Draft("sgdr_schedule", {"cosine_kwargs": waves})
    return draft.adding(f"the restarts are listed; these cover {covered} steps")


def _write_warm_up(s: Any) -> Draft | Obstacle:
    first = s.schedule.at(1)
    ramp = Draft("linear_schedule", _ends(Linear(s.fraction * first, first, s.steps)))
    if isinstance(s.schedule, Constant):
        return ramp
    inner = write(s.schedule, None)
    if isinstance(inner, Obstacle):
        return Obstacle(inner.reason)
    parts = {"schedules": [ramp, inner], "boundaries": [s.steps]}
    return Draft("join_schedules", parts, inner.notes)


def _formula(told: str, schedule: Any) -> Draft:
    return Draft("lambda", {"formula": Formula(f"lambda count: {told}", schedule, 1.0)})


def _write_table(s: Any) -> Draft:
    count = len(s.values)
    place = {"error": "count", "hold": f"jnp.minimum(count, {count - 1})"}
    where = place.get(s.after, f"count % {count}")
    return _formula(f"jnp.array({value_text(list(s.values))})[{where}]", s)


_WRITERS: Mapping[type[Schedule], Callable[[Any], Draft | Obstacle]] = {
    Constant: lambda s: Draft("constant_schedule", {"value": s.value}),
    Linear: lambda s: Draft("linear_schedule", _ends(s)),
    Polynomial: lambda s: Draft("polynomial_schedule", {**_ends(s), "power": s.power}),
    Exponential: _write_exponential,
    Step: _write_stairs,
    MultiStep: _write_levels,
    WarmUp: _write_warm_up,
    InverseTime: lambda s: _formula(
        f"{value_text(s.initial)} / (1 + {value_text(s.rate)} * count)", s
    ),
    Power: lambda s: _formula(
        f"{value_text(s.initial)} / (count + 1) ** {value_text(s.exponent)}", s
    ),
    Table: _write_table,
}


def text(draft: Draft) -> str:
    """Return what is to be typed."""
    if draft.name == "lambda":
        return str(draft.arguments["formula"])
    if draft.name == "join_schedules":
        inner = ", ".join(text(part) for part in draft.arguments["schedules"])
        return f"optax.join_schedules([{inner}], {value_text(draft.arguments['boundaries'])})"
    return f"optax.{draft.name}({arguments_text(draft.arguments)})"
