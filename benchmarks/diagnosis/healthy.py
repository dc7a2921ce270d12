"""Healthy candidates, those included that look ill and are not."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.diagnosis import tasks
from benchmarks.diagnosis.draws import Rng, exact_minimum, geometric, sound_plan
from benchmarks.diagnosis.lab import Plan, Rule, Schedule
from benchmarks.diagnosis.runs import trace
from benchmarks.diagnosis.trial import Candidate


def healthy(rng: Rng) -> Candidate:
    variety = str(rng.choice(list(_HEALTHY)))
    return _HEALTHY[variety](rng, variety)


def _done(variety: str, plan: Plan, *, batch_monitor: bool = False) -> Candidate:
    return Candidate(
        "healthy", variety, 0.0, plan, batch_monitor=batch_monitor, floor=exact_minimum(plan)
    )


def _plain(rng: Rng, variety: str) -> Candidate:
    return _done(variety, sound_plan(rng)[1])


def _batches(rng: Rng, variety: str) -> Candidate:
    """Mini-batches with a sound rate; monitored on the batch in two of the three varieties."""
    _, plan = sound_plan(
        rng, makers=(*tasks.EASY_CLASSES, *tasks.LINES, tasks.surface), steps=(400, 1000)
    )
    batch = int(rng.choice([8, 16, 32]))
    strength = float(rng.uniform(0.1, 0.5))
    if plan.rule.name in {"adam", "rmsprop"}:
        strength = float(rng.uniform(0.3, 1))
    if variety == "epoch sawtooth":
        plan = plan.but(rows=plan.rows[:64], targets=plan.targets[:64])
    plan = plan.but(batch=batch, rate=plan.rate * strength)
    return _done(variety, plan, batch_monitor=variety != "mini-batches")


def _drop(rng: Rng, variety: str) -> Candidate:
    _, plan = sound_plan(rng, rules=("sgd", "momentum", "adam"), steps=(500, 1000))
    kind = "drop" if variety == "learning-rate drop" else "cosine"
    schedule = Schedule(
        kind, at=float(rng.uniform(0.4, 0.75)), factor=float(rng.choice([0.1, 0.03]))
    )
    batch = int(rng.choice([8, 16, 32])) if rng.uniform() < 0.7 else None
    plan = plan.but(batch=batch, schedule=schedule, rate=plan.rate * (0.6 if batch else 1.0))
    return _done(variety, plan)


def _adam_spikes(rng: Rng, variety: str) -> Candidate:
    makers = (*tasks.CURVES, *tasks.LINES, tasks.spirals)
    _, plan = sound_plan(rng, ("adam",), (1, 2), makers=makers, steps=(500, 1100))
    rule = Rule("adam", momentum=0.9, beta2=float(rng.choice([0.9, 0.95, 0.99])))
    return _done(variety, plan.but(rule=rule, rate=geometric(rng, 0.02, 0.12)))


def _edge(rng: Rng, variety: str) -> Candidate:
    """A rate that the sharpness of a smaller one would exceed: training settles at 2/α."""
    makers = (*tasks.CURVES, *tasks.LINES, tasks.spirals)
    _, plan = sound_plan(rng, ("sgd",), (1, 2), "tanh", makers=makers, steps=(300, 800))
    settled = trace(plan.but(rate=0.5 * plan.rate)).theta[0]
    sharp = plan.network.sharpness(settled, plan.rows, plan.targets)
    first = plan.network.sharpness(plan.first(), plan.rows, plan.targets)
    rate = min(2 / (float(rng.uniform(0.3, 0.9)) * sharp), 1.9 / first)
    return _done(variety, plan.but(rate=rate))


def _long(rng: Rng, variety: str) -> Candidate:
    _, plan = sound_plan(rng, depths=(1, 2), makers=tasks.EASY_CLASSES, steps=(900, 1800))
    return _done(variety, plan)


def _descending(rng: Rng, variety: str) -> Candidate:
    _, plan = sound_plan(rng, depths=(0, 1), makers=tasks.EASY_CLASSES, steps=(120, 300))
    return _done(variety, plan)


def _regression(rng: Rng, variety: str) -> Candidate:
    _, plan = sound_plan(rng, depths=(0,), makers=tasks.LINES, steps=(150, 500))
    return _done(variety, plan)


_HEALTHY: dict[str, Callable[[Rng, str], Candidate]] = {
    "plain": _plain,
    "mini-batches": _batches,
    "mini-batch monitoring": _batches,
    "epoch sawtooth": _batches,
    "learning-rate drop": _drop,
    "cosine": _drop,
    "adam spikes": _adam_spikes,
    "edge of stability": _edge,
    "trained until saturated": _long,
    "still descending": _descending,
    "regression with a floor": _regression,
}
