"""Candidates: a drawn task, network and optimizer with one cause planted, mild to gross.

``candidate(label, rng)`` draws one; ``proofs.prove`` decides whether it becomes a case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.diagnosis import tasks
from benchmarks.diagnosis.lab import Fault, Network, Plan, Rule, Schedule, Start
from benchmarks.diagnosis.proofs import Candidate
from benchmarks.diagnosis.runs import trace
from benchmarks.diagnosis.tasks import Maker, Task

Rng = np.random.Generator


def candidate(label: str, rng: Rng) -> Candidate:
    """A run that should show ``label``."""
    return _MAKERS[label](rng)


def _geometric(rng: Rng, low: float, high: float, at: float | None = None) -> float:
    """Log-uniform between low and high, or at a given share of the way."""
    share = rng.uniform() if at is None else at
    return float(low * (high / low) ** share)


def _pick(rng: Rng, makers: Sequence[Maker]) -> Task:
    return makers[int(rng.integers(len(makers)))](rng)


def _network(
    rng: Rng, task: Task, depths: Sequence[int], activation: str | None = None, widest: int = 12
) -> Network:
    hidden = [int(rng.integers(4, widest + 1)) for _ in range(int(rng.choice(depths)))]
    layers = (task.rows.shape[1], *hidden, task.targets.shape[1])
    chosen = activation or str(rng.choice(["tanh", "relu", "sigmoid"], p=[0.45, 0.4, 0.15]))
    loss = "softmax" if task.classification else "half_mse"
    return Network(layers, chosen if hidden else "linear", loss)


def _plan(rng: Rng, task: Task, network: Network, rule: Rule, steps: int, **more: Any) -> Plan:
    """With a learning rate of 1: set by what follows."""
    return Plan(
        network=network, rows=task.rows, targets=task.targets, rule=rule, rate=1.0, steps=steps,
        task=task.name, seed=int(rng.integers(1, 10**6)) * 1000, **more,
    )  # fmt: skip


def _sharpness(plan: Plan) -> float:
    return max(plan.network.sharpness(plan.first(), plan.rows, plan.targets), 1e-12)


def _rule(rng: Rng, names: Sequence[str]) -> Rule:
    name = str(rng.choice(names))
    momentum = 0.9 if name == "adam" else float(rng.choice([0.5, 0.8, 0.9]))
    return Rule(name, momentum=momentum)


def _good_rate(rng: Rng, plan: Plan) -> float:
    """A rate that somebody would choose: near 1/λmax in the long run, or Adam's usual ones."""
    if plan.rule.name in {"adam", "rmsprop"}:
        return _geometric(rng, 0.005, 0.04) * (0.4 if plan.rule.name == "rmsprop" else 1.0)
    damping = 1.0 if plan.rule.name == "sgd" else 1 - plan.rule.momentum
    return float(rng.uniform(0.4, 1.2)) * damping / _sharpness(plan)


def _any(
    rng: Rng,
    rules: Sequence[str] = ("sgd", "momentum", "nesterov", "rmsprop", "adam"),
    depths: Sequence[int] = (0, 1, 1, 2),
    activation: str | None = None,
    steps: tuple[int, int] = (250, 700),
    makers: Sequence[Maker] | None = None,
) -> tuple[Task, Plan]:
    """A sound run on a random task, full batch."""
    pool = makers or (*tasks.EASY_CLASSES, *tasks.CLASSES, *tasks.CURVES, *tasks.LINES)
    task = _pick(rng, pool)
    fits = [d for d in depths if d > 0] or list(depths)
    linear = task.name.split(",")[0] in {"correlated linear regression"} or "NIST" in task.name
    network = _network(rng, task, (0,) if linear and 0 in depths else fits, activation)
    if not linear and 0 in depths and task.classification and rng.uniform() < 0.3:
        network = _network(rng, task, (0,))
    plan = _plan(rng, task, network, _rule(rng, rules), int(rng.integers(*steps)))
    return task, plan.but(rate=_good_rate(rng, plan))


def _floor(plan: Plan) -> float | None:
    """The exact minimum of a linear regression."""
    if len(plan.network.layers) > 2 or plan.network.loss != "half_mse":
        return None
    design = np.column_stack([plan.rows, np.ones(len(plan.rows))])
    scale = np.abs(design).max(axis=0)
    answer = np.linalg.lstsq(design / scale, plan.targets, rcond=1e-14)[0]
    gap = design / scale @ answer - plan.targets
    return float(0.5 * (gap**2).sum(1).mean())


_FAULTS = (
    "factor", "block factor", "no bias gradient", "coordinate", "transposed block",
    "reversed units", "stale", "not zeroed", "no slope", "slope of output", "shifted labels",
    "half the rows",
)  # fmt: skip


def _incorrect(rng: Rng) -> Candidate:
    name = str(rng.choice(_FAULTS))
    deep = name in {"no slope", "slope of output", "transposed block", "reversed units"}
    activation = str(rng.choice(["tanh", "sigmoid"])) if "slope" in name else None
    _, plan = _any(rng, depths=(1, 2) if deep else (0, 1, 1, 2), activation=activation)
    if name == "shifted labels" and plan.network.loss != "softmax":
        name = "block factor"
    blocks = len(plan.network.shapes)
    block = 2 * int(rng.integers(blocks // 2))
    amount = float(rng.choice([-1.0, 0.0, 0.5, 2.0, 1.1, 5.0]))
    if name == "factor":
        amount = float(rng.choice([0.5, 2.0, 0.9, 3.0]))
    gross = {"block factor", "shifted labels", "transposed block", "not zeroed", "no slope"}
    severity = 0.8 if name in gross and amount <= 0 or name in {"shifted labels"} else 0.4
    if name in {"coordinate", "half the rows"} or amount in {0.9, 1.1}:
        severity = 0.1
    fault = Fault(name, amount, block, int(rng.integers(plan.network.size)))
    if not plan.full_batch or name not in {"not zeroed"}:
        return Candidate("incorrect_gradient", name, severity, plan.but(fault=fault))
    slower = plan.but(fault=fault, rate=plan.rate * _geometric(rng, 0.01, 1))
    return Candidate("incorrect_gradient", name, severity, slower)


def _local(rng: Rng) -> Candidate:
    maker = [tasks.xor, tasks.wave, tasks.parity][int(rng.integers(3))]
    task = maker(rng)
    width = int(rng.integers(2, 4)) if maker is not tasks.parity else int(rng.integers(2, 6))
    activation = str(rng.choice(["relu", "tanh", "relu"]))
    network = Network((task.rows.shape[1], width, 1), activation, "half_mse")
    rule = _rule(rng, ("adam", "momentum"))
    plan = _plan(rng, task, network, rule, int(rng.integers(1200, 2600)))
    plan = plan.but(start=Start(scale=float(rng.uniform(0.8, 2.0))))
    rate = _geometric(rng, 0.01, 0.05) if rule.name == "adam" else _geometric(rng, 0.01, 0.1)
    plan = plan.but(rate=rate)
    runs = trace(plan, seeds=[plan.seed + 100 * j for j in range(12)])
    best = float(np.nanmin(runs.tail))
    stuck = np.flatnonzero((runs.tail > 2 * best) & (runs.swing < 1e-4))
    if len(stuck):
        plan = plan.but(seed=plan.seed + 100 * int(stuck[0]))
    return Candidate("local_optimum", f"{activation} {width} units", 0.5, plan)


def _symmetry(rng: Rng) -> Candidate:
    makers = (tasks.blobs, tasks.rings, tasks.moons, tasks.spirals, tasks.wave, tasks.surface)
    _, plan = _any(rng, depths=(1, 1, 2), makers=makers, steps=(300, 900))
    kind = str(rng.choice(["zeros", "constant", "duplicated", "duplicated"]))
    width = min(plan.network.layers[1:-1])
    groups = int(rng.integers(1, max(2, width // 2 + 1)))
    start = Start(kind, scale=float(rng.uniform(0.05, 0.5)) if kind == "constant" else 1.0,
                  groups=groups)  # fmt: skip
    severity = 1.0 if kind != "duplicated" else 1.0 - groups / width
    remedy = plan.but(start=Start())
    return Candidate("symmetry", f"{kind} {groups}", severity, plan.but(start=start), remedy)


def _slow(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    _, plan = _any(rng, steps=(200, 600))
    factor = _geometric(rng, 10, 1000, severity)
    batch = int(rng.choice([16, 32])) if rng.uniform() < 0.3 and len(plan.rows) > 60 else None
    slow = plan.but(rate=plan.rate / factor, batch=batch)
    return Candidate("slow_progress", f"{plan.rule.name} /{factor:.0f}", severity, slow, plan)


def _instability(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    variety = str(rng.choice(["quadratic", "momentum", "network", "late", "adaptive", "batches"]))
    if variety in {"quadratic", "momentum"}:
        rules = ("sgd",) if variety == "quadratic" else ("momentum", "nesterov")
        task, plan = _any(rng, rules=rules, depths=(0,), makers=tasks.LINES, steps=(60, 250))
        mu = plan.rule.momentum
        limit = {"sgd": 2.0, "momentum": 2 * (1 + mu), "nesterov": 2 * (1 + mu) / (1 + 2 * mu)}
        edge = limit[plan.rule.name] / _sharpness(plan)
        plan = plan.but(rate=edge * _geometric(rng, 1.02, 4, severity))
        return Candidate("instability", variety, severity, plan, floor=_floor(plan))
    if variety == "late":
        _, plan = _any(rng, rules=("sgd", "momentum"), steps=(200, 500))
        factor = _geometric(rng, 30, 1000, severity)
        plan = plan.but(rate=0.5 * plan.rate, schedule=Schedule("ramp", factor=factor))
        return Candidate("instability", variety, severity, plan)
    if variety == "adaptive":
        _, plan = _any(rng, rules=("adam", "rmsprop"), depths=(1, 2), steps=(150, 400))
        plan = plan.but(rate=_geometric(rng, 0.5, 8, severity))
        return Candidate("instability", variety, severity, plan)
    _, plan = _any(rng, rules=("sgd", "momentum"), depths=(1, 2), steps=(150, 400))
    batch = int(rng.choice([8, 16, 32])) if variety == "batches" else None
    plan = plan.but(rate=plan.rate * _geometric(rng, 5, 100, severity), batch=batch)
    return Candidate("instability", variety, severity, plan)


def _oscillation(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    variety = str(rng.choice(["step", "step", "momentum", "momentum", "network", "nesterov step"]))
    if variety == "momentum":
        depths = (0,) if rng.uniform() < 0.6 else (1,)
        makers = tasks.LINES if depths == (0,) else tasks.EASY_CLASSES
        _, plan = _any(rng, rules=("momentum",), depths=depths, makers=makers, steps=(150, 500))
        beta = 1 - _geometric(rng, 0.05, 0.005, severity)
        rate = _geometric(rng, 0.01, 0.3) / _sharpness(plan)
        plan = plan.but(rule=Rule("momentum", momentum=beta), rate=rate)
        calm = plan.but(rule=Rule("momentum", momentum=0.6), rate=min(0.4 * rate / (1 - beta), 0.8 / _sharpness(plan)))
        return Candidate("oscillation", f"momentum {beta:.3f}", severity, plan, calm)
    if variety == "network":
        _, plan = _any(rng, rules=("sgd",), depths=(1, 2), steps=(150, 400))
        plan = plan.but(rate=plan.rate * _geometric(rng, 3, 25, severity))
        return Candidate("oscillation", "step of a network", severity, plan,
                         plan.but(rate=plan.rate / 8))  # fmt: skip
    rules = ("sgd",) if variety == "step" else ("nesterov",)
    makers = (*tasks.LINES, tasks.blobs) if variety == "step" else tasks.LINES
    _, plan = _any(rng, rules=rules, depths=(0,), makers=makers, steps=(60, 250))
    mu = plan.rule.momentum
    limit = 2.0 if variety == "step" else 2 * (1 + mu) / (1 + 2 * mu)
    share = 0.6 + 0.39 * severity if variety == "step" else 0.85 + 0.14 * severity
    plan = plan.but(rate=share * limit / _sharpness(plan))
    calm = plan.but(rate=plan.rate / 4)
    return Candidate("oscillation", f"{variety} {share * limit:.2f}", severity, plan, calm)


def _fluctuation(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    rules = ("sgd", "sgd", "momentum", "adam", "rmsprop", "nesterov")
    _, plan = _any(rng, rules=rules, steps=(500, 1300))
    batch = int(rng.choice([1, 2, 4, 8]))
    if batch * 4 > len(plan.rows):
        batch = 1
    strength = _geometric(rng, 0.15, 1.5, severity)
    if plan.rule.name in {"adam", "rmsprop"}:
        strength *= 2
    return Candidate("fluctuation", f"{plan.rule.name} batch {batch}", severity,
                     plan.but(batch=batch, rate=plan.rate * strength),
                     batch_monitor=rng.uniform() < 0.1)  # fmt: skip


def _units(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    activation = str(rng.choice(["relu", "relu", "tanh", "sigmoid"]))
    makers = (*tasks.CLASSES, tasks.wave, tasks.surface)
    _, plan = _any(rng, depths=(1, 1, 2, 3), activation=activation, makers=makers,
                   steps=(250, 700))  # fmt: skip
    good = plan.but(start=Start())
    if activation == "relu":
        share = 0.5 + 0.5 * float(rng.choice([severity, 1.0]))
        start = Start(bias=-float(rng.uniform(5, 15)), share=share)
        variety = f"dead share {share:.2f}"
    elif rng.uniform() < 0.3:
        share = 0.5 + 0.5 * severity
        start = Start(bias=float(rng.choice([-1, 1])) * float(rng.uniform(6, 14)), share=share)
        variety = f"saturated by bias, share {share:.2f}"
    else:
        scale = _geometric(rng, 6, 50, severity)
        start = Start(scale=scale)
        variety = f"saturated by weights x{scale:.0f}"
    rate = plan.but(start=Start(), rate=plan.rate)
    plan = rate.but(start=start)
    return Candidate("dead_or_saturated_units", variety, severity, plan, good)


def _conditioning(rng: Rng) -> Candidate:
    task = _pick(rng, tasks.RAW)
    collinear = task.name.startswith(("powers", "NIST"))
    rule = _rule(rng, ("sgd", "sgd", "momentum", "nesterov"))
    network = Network((task.rows.shape[1], task.targets.shape[1]), "linear", "half_mse")
    plan = _plan(rng, task, network, rule, int(rng.integers(200, 700)))
    if rng.uniform() < 0.7:
        plan = plan.but(start=Start("zeros"))
    share = float(rng.uniform(0.45, 0.93))
    plan = plan.but(rate=share * _limit(rule) / _sharpness(plan))
    better = tasks.whitened(task) if collinear else tasks.standardised(task)
    narrow = Network((better.rows.shape[1], better.targets.shape[1]), "linear", "half_mse")
    normal = plan.but(network=narrow, rows=better.rows, targets=better.targets)
    normal = normal.but(rate=0.5 * _limit(rule) / _sharpness(normal))
    return Candidate("ill_conditioning", task.name, 0.5, plan, normal, floor=_floor(plan))


def _limit(rule: Rule) -> float:
    mu = rule.momentum
    return {"sgd": 2.0, "momentum": 2 * (1 + mu)}.get(rule.name, 2 * (1 + mu) / (1 + 2 * mu))


def _flat(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    if rng.uniform() < 0.35:
        task = _pick(rng, (tasks.moons, tasks.blobs))
        one = (task.targets[:, :1] > 0.5).astype(float)
        network = Network((task.rows.shape[1], int(rng.integers(4, 9)), 1), "tanh", "logistic_mse")
        plan = _plan(rng, task, network, _rule(rng, ("sgd", "momentum")), int(rng.integers(400, 1200)))
        bias = float(rng.choice([-1, 1])) * (3.5 + 2 * severity)
        plan = plan.but(targets=one, rate=_geometric(rng, 0.3, 2), start=Start(output_bias=bias))
        return Candidate("plateau", "saturated logistic output", severity, plan)
    deep = rng.uniform() < 0.5
    makers = (tasks.blobs, tasks.moons, tasks.patches) if deep else (tasks.xor, tasks.parity, tasks.wave)
    activation = str(rng.choice(["tanh", "sigmoid"])) if deep else "tanh"
    task, plan = _any(rng, rules=("sgd", "momentum", "nesterov"), depths=(2, 3) if deep else (1, 2),
                      activation=activation, makers=makers, steps=(400, 1500))  # fmt: skip
    scale = _geometric(rng, 0.5, 0.05, severity)
    start = Start(scale=scale) if activation == "tanh" else Start(scale=1.0)
    damping = 1.0 if plan.rule.name == "sgd" else 1 - plan.rule.momentum
    plan = plan.but(start=start, rate=_geometric(rng, 0.1, 1.0) * damping)
    return Candidate("saddle", f"small start {scale:.2f}, {activation}", severity, plan)


def _healthy(rng: Rng) -> Candidate:
    variety = str(rng.choice(list(_HEALTHY)))
    return _HEALTHY[variety](rng, variety)


def _done(variety: str, plan: Plan, *, batch_monitor: bool = False) -> Candidate:
    return Candidate("healthy", variety, 0.0, plan, batch_monitor=batch_monitor, floor=_floor(plan))


def _plain(rng: Rng, variety: str) -> Candidate:
    return _done(variety, _any(rng)[1])


def _batches(rng: Rng, variety: str) -> Candidate:
    """Mini-batches with a sound rate; monitored on the batch in two of the three varieties."""
    _, plan = _any(rng, makers=(*tasks.EASY_CLASSES, *tasks.LINES, tasks.surface), steps=(400, 1000))
    batch = int(rng.choice([8, 16, 32]))
    strength = float(rng.uniform(0.1, 0.5))
    if plan.rule.name in {"adam", "rmsprop"}:
        strength = float(rng.uniform(0.3, 1))
    if variety == "epoch sawtooth":
        plan = plan.but(rows=plan.rows[:64], targets=plan.targets[:64])
    plan = plan.but(batch=batch, rate=plan.rate * strength)
    return _done(variety, plan, batch_monitor=variety != "mini-batches")


def _drop(rng: Rng, variety: str) -> Candidate:
    _, plan = _any(rng, rules=("sgd", "momentum", "adam"), steps=(500, 1000))
    kind = "drop" if variety == "learning-rate drop" else "cosine"
    schedule = Schedule(kind, at=float(rng.uniform(0.4, 0.75)), factor=float(rng.choice([0.1, 0.03])))
    batch = int(rng.choice([8, 16, 32])) if rng.uniform() < 0.7 else None
    plan = plan.but(batch=batch, schedule=schedule, rate=plan.rate * (0.6 if batch else 1.0))
    return _done(variety, plan)


def _adam_spikes(rng: Rng, variety: str) -> Candidate:
    _, plan = _any(rng, rules=("adam",), depths=(1, 2), steps=(700, 1500))
    rule = Rule("adam", momentum=0.9, beta2=float(rng.choice([0.95, 0.99, 0.999])))
    return _done(variety, plan.but(rule=rule, rate=_geometric(rng, 0.03, 0.15)))


def _edge(rng: Rng, variety: str) -> Candidate:
    _, plan = _any(rng, rules=("sgd",), depths=(1, 2), activation="tanh", steps=(300, 900))
    return _done(variety, plan.but(rate=plan.rate * float(rng.uniform(1.5, 4))))


def _long(rng: Rng, variety: str) -> Candidate:
    _, plan = _any(rng, depths=(1, 2), makers=tasks.EASY_CLASSES, steps=(1000, 2200))
    return _done(variety, plan)


def _descending(rng: Rng, variety: str) -> Candidate:
    _, plan = _any(rng, depths=(0, 1), makers=tasks.EASY_CLASSES, steps=(120, 300))
    return _done(variety, plan)


def _regression(rng: Rng, variety: str) -> Candidate:
    _, plan = _any(rng, depths=(0,), makers=tasks.LINES, steps=(150, 500))
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

_MAKERS: dict[str, Callable[[Rng], Candidate]] = {
    "incorrect_gradient": _incorrect,
    "local_optimum": _local,
    "symmetry": _symmetry,
    "slow_progress": _slow,
    "instability": _instability,
    "oscillation": _oscillation,
    "fluctuation": _fluctuation,
    "dead_or_saturated_units": _units,
    "ill_conditioning": _conditioning,
    "plateau": _flat,
    "saddle": _flat,
    "healthy": _healthy,
}
