"""torch.optim.lr_scheduler 2.13: its schedulers as our schedules, and ours as its calls.

A torch scheduler takes its first value from the optimizer; here that is the option ``lr``.
"""

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

__all__ = ["ABSENT", "EXTRA", "FURTHER", "READERS", "text", "warnings", "write"]

ABSENT = {
    "ReduceLROnPlateau": "its values depend on the losses of the run, so it is no schedule",
    "ChainedScheduler": "schedules are multiplied here: schedule * schedule",
}
_STEPS = {"steps": None}  # how many values of a Python function to tabulate
EXTRA: Mapping[str, Mapping[str, Any]] = {"LambdaLR": _STEPS, "MultiplicativeLR": _STEPS}
FURTHER: Mapping[str, Mapping[str, Any]] = {
    "SequentialLR": {"lr": None, "schedulers": REQUIRED, "milestones": REQUIRED}
}

# -- reading -------------------------------------------------------------------------------------


def _constant(o: Native) -> Schedule:
    low = o.number("lr") * o.number("factor")
    if not o["total_iters"]:
        return Constant(low)
    return MultiStep(low, milestones=[o["total_iters"]], values=[o["lr"]])


def _linear(o: Native) -> Schedule:
    rate, start, end = (o.number(name) for name in ("lr", "start_factor", "end_factor"))
    if not (0 < start <= 1 and 0 <= end <= 1):
        raise o.error("start_factor must be in (0, 1] and end_factor in [0, 1]", "start_factor")
    return Linear(rate * start, rate * end, o["total_iters"])


def _function(o: Native) -> Callable[[int], float]:
    if not callable(o["lr_lambda"]):
        raise o.error("lr_lambda must be a function of the step count", "lr_lambda")
    if o["steps"] is None:
        raise o.error("a Python function becomes a table", "steps", "say how long: steps=200")
    function: Callable[[int], float] = o["lr_lambda"]
    return function


def _lambda(o: Native) -> Schedule:
    if isinstance(o["lr_lambda"], Formula) and o["steps"] is None:
        found: Schedule = o["lr_lambda"].schedule
        return found
    function = _function(o)
    return Table([o.number("lr") * function(k) for k in range(o.whole("steps"))])


def _multiplicative(o: Native) -> Schedule:
    function, values = _function(o), [o.number("lr")]
    for k in range(1, o.whole("steps")):
        values.append(values[-1] * function(k))
    return Table(values)


def _one_cycle(o: Native) -> Schedule:
    total = o["total_steps"]
    if total is None:
        if o["epochs"] is None or o["steps_per_epoch"] is None:
            raise o.error("give total_steps, or epochs and steps_per_epoch", "total_steps")
        total = o.whole("epochs") * o.whole("steps_per_epoch")
    high = o.number("max_lr")
    first = high / o.number("div_factor")
    last = first / o.number("final_div_factor")
    part = o.number("pct_start") * total
    phases = [(part - 1, first, high)]
    if o.flag("three_phase"):
        phases.append((2 * part - 2, high, first))
        phases.append((total - 1, first, last))
    else:
        phases.append((total - 1, high, last))
    return Table([_in_phases(phases, k, o["anneal_strategy"]) for k in range(total)])


def _in_phases(phases: list[tuple[float, float, float]], k: int, how: str) -> float:
    before = 0.0
    for place, (end, low, high) in enumerate(phases):
        if k <= end or place == len(phases) - 1:
            share = (k - before) / (end - before)
            if how == "linear":
                return (high - low) * share + low
            return high + (low - high) / 2 * (math.cos(math.pi * share) + 1)
        before = end
    raise AssertionError


def _cyclic(o: Native) -> Schedule:
    if o["mode"] != "triangular" or o["scale_fn"] is not None:
        raise o.error(
            f"mode={o['mode']!r} never repeats",
            "mode",
            "only 'triangular' has an equal here; a table of its values does for one run",
        )
    up = o.whole("step_size_up")
    down = up if o["step_size_down"] is None else o.whole("step_size_down")
    low, high = o.number("base_lr"), o.number("max_lr")
    shares = [*(k / up for k in range(up)), *((down - k) / down for k in range(down))]
    return Table([low + (high - low) * share for share in shares], after="repeat")


def _sequential(o: Native) -> Schedule:
    parts, places = list(o["schedulers"]), list(o["milestones"])
    ramp = parts[0] if parts else None
    if (
        not isinstance(ramp, Linear)
        or (len(parts), len(places)) != (2, 1)
        or ramp.steps != places[0]
        or ramp.final != parts[1].at(1)
    ):
        raise o.error(
            "only a LinearLR that ends where the second scheduler starts has an equal here",
            "schedulers",
            "that is WarmUp(steps, schedule, fraction)",
        )
    return WarmUp(places[0], parts[1], ramp.initial / ramp.final)


READERS: Mapping[str, Callable[[Native], Any]] = {
    "ConstantLR": _constant,
    "LinearLR": _linear,
    "ExponentialLR": lambda o: Exponential(o["lr"], o["gamma"]),
    "PolynomialLR": lambda o: Polynomial(o["lr"], 0.0, o["total_iters"], o["power"]),
    "StepLR": lambda o: Step(o["lr"], o["gamma"], o["step_size"]),
    "MultiStepLR": lambda o: MultiStep(o["lr"], o["gamma"], sorted(o["milestones"])),
    "CosineAnnealingLR": lambda o: Cosine(o["lr"], o["T_max"], o["eta_min"], after="climb"),
    "CosineAnnealingWarmRestarts": lambda o: WarmRestarts(
        o["lr"], o["T_0"], o["T_mult"], o["eta_min"]
    ),
    "LambdaLR": _lambda,
    "MultiplicativeLR": _multiplicative,
    "OneCycleLR": _one_cycle,
    "CyclicLR": _cyclic,
    "SequentialLR": _sequential,
}


def warnings(name: str, native: Native) -> list[str]:
    """Return what a scheduler does beside changing the learning rate."""
    if name in {"OneCycleLR", "CyclicLR"} and native["cycle_momentum"]:
        low, high = native["base_momentum"], native["max_momentum"]
        told = (
            f"torch's {name} also moves momentum (or beta1) between {low:g} and {high:g}, which is "
            "not part of this schedule; cycle_momentum=False leaves it alone"
        )
        return [told]
    return []


# -- writing -------------------------------------------------------------------------------------


def write(schedule: Schedule, steps: int | None) -> Draft | Obstacle:
    """Return the call for a schedule; for a run of so many steps, if they are known."""
    writer = _WRITERS.get(type(schedule))
    if writer is None:
        return Obstacle(f"torch has no scheduler like {type(schedule).__name__}")
    if isinstance(schedule, Cosine):
        return _write_cosine(schedule, steps)
    return writer(schedule)


def _write_linear(s: Any) -> Draft | Obstacle:
    rate = max(s.initial, s.final)
    if not (s.initial > 0 and s.final >= 0):
        return Obstacle("torch's LinearLR starts above zero, and does not go below")
    factors = {"start_factor": s.initial / rate, "end_factor": s.final / rate}
    return Draft("LinearLR", {"lr": rate, **factors, "total_iters": s.steps})


def _write_polynomial(s: Any) -> Draft | Obstacle:
    if s.final != 0:
        return Obstacle("torch's PolynomialLR ends at zero")
    return Draft("PolynomialLR", {"lr": s.initial, "total_iters": s.steps, "power": s.power})


def _write_exponential(s: Any) -> Draft | Obstacle:
    draft = Draft("ExponentialLR", {"lr": s.initial, "gamma": s.rate ** (1 / s.steps)})
    if s.final is not None:
        return Obstacle("torch's ExponentialLR does not stop at a final value", draft)
    return draft


def _write_levels(s: Any) -> Draft | Obstacle:
    levels = np.array(s.levels)
    if s.factor is not None:
        factor = s.factor
    elif np.all(levels[:-1] != 0) and np.ptp(ratios := levels[1:] / levels[:-1]) <= 1e-15:
        factor = float(ratios[0])
    else:
        return Obstacle("torch's MultiStepLR multiplies by the same factor at every milestone")
    if len(s.milestones) == 1 and factor > 1:
        options = {"factor": 1 / factor, "total_iters": s.milestones[0]}
        return Draft("ConstantLR", {"lr": float(levels[-1]), **options})
    return Draft(
        "MultiStepLR", {"lr": s.initial, "milestones": list(s.milestones), "gamma": factor}
    )


def _write_cosine(s: Any, steps: int | None) -> Draft | Obstacle:
    draft = Draft("CosineAnnealingLR", {"lr": s.initial, "T_max": s.steps, "eta_min": s.final})
    if s.after == "climb":
        return draft
    if steps is not None and steps <= s.steps + 1:
        return draft.adding(f"for runs of at most {s.steps + 1} steps")
    return Obstacle(
        f"torch's CosineAnnealingLR climbs again after T_max = {s.steps} steps, where this "
        "schedule stays down",
        draft,
    )


def _write_warm_up(s: Any) -> Draft | Obstacle:
    if s.fraction <= 0:
        return Obstacle("torch's LinearLR cannot start at zero (fraction must be above 0)")
    first = s.schedule.at(1)
    ramp = _write_linear(Linear(s.fraction * first, first, s.steps))
    if isinstance(s.schedule, Constant) or isinstance(ramp, Obstacle):
        return ramp
    inner = write(s.schedule, None)
    if isinstance(inner, Obstacle):
        return Obstacle(inner.reason)
    if inner.arguments["lr"] != first:
        return Obstacle("torch's SequentialLR needs both schedulers to have one base value")
    parts = {"schedulers": [ramp, inner], "milestones": [s.steps]}
    return Draft("SequentialLR", {"lr": first, **parts}, inner.notes)


def _formula(text: str, schedule: Any, base: float) -> Draft:
    return Draft("LambdaLR", {"lr": base, "lr_lambda": Formula(text, schedule, base)})


def _write_table(s: Any) -> Draft:
    count, values = len(s.values), value_text(list(s.values))
    place = {"error": "k", "hold": f"min(k, {count - 1})", "repeat": f"k % {count}"}[s.after]
    return _formula(f"lambda k: {values}[{place}]", s, 1.0)


_WRITERS: Mapping[type[Schedule], Callable[[Any], Draft | Obstacle]] = {
    Constant: lambda s: Draft("ConstantLR", {"lr": s.value, "factor": 1.0}),
    Linear: _write_linear,
    Polynomial: _write_polynomial,
    Exponential: _write_exponential,
    Step: lambda s: Draft("StepLR", {"lr": s.initial, "step_size": s.every, "gamma": s.factor}),
    MultiStep: _write_levels,
    Cosine: lambda s: _write_cosine(s, None),
    WarmRestarts: lambda s: Draft(
        "CosineAnnealingWarmRestarts",
        {"lr": s.initial, "T_0": s.first, "T_mult": s.multiplier, "eta_min": s.final},
    ),
    WarmUp: _write_warm_up,
    InverseTime: lambda s: _formula(f"lambda k: 1 / (1 + {value_text(s.rate)} * k)", s, s.initial),
    Power: lambda s: _formula(f"lambda k: (k + 1) ** -{value_text(s.exponent)}", s, s.initial),
    Table: _write_table,
}


def text(draft: Draft) -> str:
    """Return the call of a scheduler, whose optimizer is called ``optimizer``."""
    module = "torch.optim.lr_scheduler"
    if draft.name == "SequentialLR":
        texts = [text(part) for part in draft.arguments["schedulers"]]
        places = value_text(draft.arguments["milestones"])
        return f"{module}.SequentialLR(optimizer, [{', '.join(texts)}], milestones={places})"
    options = {name: value for name, value in draft.arguments.items() if name != "lr"}
    return f"{module}.{draft.name}(optimizer, {arguments_text(options)})"
