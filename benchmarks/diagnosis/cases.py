"""Candidates: a drawn task, network and optimizer with one cause planted, mild to gross.

``candidate(label, rng)`` draws one; ``proofs.prove`` decides whether it becomes a case.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.diagnosis import tasks
from benchmarks.diagnosis.draws import (
    Rng,
    blank_plan,
    draw_rule,
    draw_task,
    exact_minimum,
    geometric,
    sharpness,
    sound_plan,
)
from benchmarks.diagnosis.healthy import healthy
from benchmarks.diagnosis.lab import Fault, Network, Plan, Rule, Schedule, Start
from benchmarks.diagnosis.runs import trace
from benchmarks.diagnosis.signs import flat_stretch
from benchmarks.diagnosis.trial import Candidate


def candidate(label: str, rng: Rng) -> Candidate:
    """A run that should show ``label``."""
    return _MAKERS[label](rng)


_FAULTS = (
    "factor", "block factor", "no bias gradient", "coordinate", "coordinate", "transposed block",
    "reversed units", "stale", "not zeroed", "no slope", "slope of output", "shifted labels",
    "half the rows",
)  # fmt: skip


def _incorrect(rng: Rng) -> Candidate:
    name = str(rng.choice(_FAULTS))
    deep = name in {"no slope", "slope of output", "transposed block", "reversed units"}
    activation = str(rng.choice(["tanh", "sigmoid"])) if "slope" in name else None
    _, plan = sound_plan(rng, depths=(1, 2) if deep else (0, 1, 1, 2), activation=activation)
    if name == "shifted labels" and plan.network.loss != "softmax":
        name = "block factor"
    blocks = len(plan.network.shapes)
    block = 2 * int(rng.integers(blocks // 2))
    amount = float(rng.choice([-1.0, 0.0, 0.5, 0.95, 1.1, 2.0, 5.0]))
    if name == "factor":
        amount = float(rng.choice([0.5, 2.0, 0.95, 1.05, 3.0]))
    fault = Fault(name, amount, block, int(rng.integers(plan.network.size)))
    if name != "not zeroed":
        return Candidate("incorrect_gradient", name, 0.5, plan.but(fault=fault))
    slower = plan.but(fault=fault, rate=plan.rate * geometric(rng, 0.01, 1))
    return Candidate("incorrect_gradient", name, 0.5, slower)


def _local(rng: Rng) -> Candidate:
    maker = [tasks.xor, tasks.xor, tasks.wave, tasks.parity][int(rng.integers(4))]
    task = maker(rng)
    width = int(rng.integers(2, 4)) if maker is not tasks.parity else int(rng.integers(2, 6))
    activation = str(rng.choice(["relu", "tanh", "relu"]))
    network = Network((task.rows.shape[1], width, 1), activation, "half_mse")
    rule = draw_rule(rng, ("adam", "momentum"))
    plan = blank_plan(rng, task, network, rule, int(rng.integers(700, 1600)))
    plan = plan.but(start=Start(scale=float(rng.uniform(0.8, 2.0))))
    rate = geometric(rng, 0.01, 0.05) if rule.name == "adam" else geometric(rng, 0.01, 0.1)
    plan = plan.but(rate=rate)
    runs = trace(plan, seeds=[plan.seed + 100 * j for j in range(8)])
    best = float(np.nanmin(runs.tail))
    stuck = np.flatnonzero((runs.tail > 2 * best) & (runs.swing < 1e-4))
    if len(stuck):
        plan = plan.but(seed=plan.seed + 100 * int(stuck[0]))
    return Candidate("local_optimum", f"{activation} {width} units", 0.5, plan)


def _symmetry(rng: Rng) -> Candidate:
    makers = (tasks.blobs, tasks.rings, tasks.moons, tasks.spirals, tasks.wave, tasks.surface)
    _, plan = sound_plan(rng, depths=(1, 1, 2), makers=makers, steps=(300, 900))
    kind = str(rng.choice(["zeros", "constant", "duplicated", "duplicated"]))
    width = min(plan.network.layers[1:-1])
    groups = int(rng.integers(1, max(2, 2 * width // 3 + 1)))
    start = Start(kind, scale=float(rng.uniform(0.05, 0.5)) if kind == "constant" else 1.0,
                  groups=groups)  # fmt: skip
    severity = 1.0 if kind != "duplicated" else 1.0 - groups / width
    remedy = plan.but(start=Start())
    return Candidate("symmetry", f"{kind} {groups}", severity, plan.but(start=start), remedy)


def _slow(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    _, plan = sound_plan(rng, steps=(200, 600))
    factor = geometric(rng, 10, 1000, severity)
    batch = int(rng.choice([16, 32])) if rng.uniform() < 0.3 and len(plan.rows) > 60 else None
    slow = plan.but(rate=plan.rate / factor, batch=batch)
    return Candidate("slow_progress", f"{plan.rule.name} /{factor:.0f}", severity, slow, plan)


def _instability(rng: Rng) -> Candidate:
    """Rates beyond the limit: blow-ups, nets that saturate or jump about, late ones."""
    severity = float(rng.uniform())
    kinds = ["quadratic", "momentum", "network", "network", "late", "adaptive", "batches"]
    variety = str(rng.choice(kinds))
    if variety in {"quadratic", "momentum"}:
        rules = ("sgd",) if variety == "quadratic" else ("momentum", "nesterov")
        _, plan = sound_plan(rng, rules=rules, depths=(0,), makers=tasks.LINES, steps=(100, 300))
        edge = _limit(plan.rule) / sharpness(plan)
        plan = plan.but(rate=edge * geometric(rng, 1.02, 2, severity))
    elif variety == "late":
        _, plan = sound_plan(rng, rules=("sgd", "momentum"), steps=(200, 500))
        factor = geometric(rng, 50, 3000, severity)
        plan = plan.but(rate=0.5 * plan.rate, schedule=Schedule("ramp", factor=factor))
    elif variety == "adaptive":
        makers = (*tasks.CURVES, *tasks.LINES)
        _, plan = sound_plan(rng, ("adam", "rmsprop"), (1, 2), makers=makers, steps=(150, 400))
        plan = plan.but(rate=geometric(rng, 0.5, 30, severity))
    else:
        _, plan = sound_plan(rng, rules=("sgd", "momentum"), depths=(1, 2), steps=(150, 400))
        batch = int(rng.choice([8, 16, 32])) if variety == "batches" else None
        plan = plan.but(rate=plan.rate * geometric(rng, 10, 300, severity), batch=batch)
    return Candidate("instability", variety, severity, _seen_early(rng, plan))


def _seen_early(rng: Rng, plan: Plan) -> Plan:
    """Mostly the run is stopped before the loss is beyond all numbers, as somebody would."""
    if not plan.full_batch or rng.uniform() < 0.25:
        return plan
    loss = trace(plan).loss[:, 0]
    level = loss[0] * 10 ** rng.uniform(0.8, 12)
    over = np.flatnonzero(~(loss < level))
    steps = max(int(over[0]) + 1, 40) if len(over) else plan.steps
    return plan.but(steps=min(steps, plan.steps))


def _oscillation(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    variety = str(rng.choice(["step", "step", "momentum", "momentum", "network", "nesterov step"]))
    if variety == "momentum":
        depths = (0,) if rng.uniform() < 0.6 else (1,)
        makers = tasks.LINES if depths == (0,) else tasks.EASY_CLASSES
        _, plan = sound_plan(
            rng, rules=("momentum",), depths=depths, makers=makers, steps=(150, 500)
        )
        beta = 1 - geometric(rng, 0.05, 0.005, severity)
        rate = geometric(rng, 0.01, 0.3) / sharpness(plan)
        plan = plan.but(rule=Rule("momentum", momentum=beta), rate=rate)
        calm = plan.but(
            rule=Rule("momentum", momentum=0.6),
            rate=min(0.4 * rate / (1 - beta), 0.8 / sharpness(plan)),
        )
        return Candidate("oscillation", f"momentum {beta:.3f}", severity, plan, calm)
    if variety == "network":
        _, plan = sound_plan(rng, rules=("sgd",), depths=(1, 2), steps=(150, 400))
        plan = plan.but(rate=plan.rate * geometric(rng, 3, 25, severity))
        return Candidate("oscillation", "step of a network", severity, plan,
                         plan.but(rate=plan.rate / 8))  # fmt: skip
    rules = ("sgd",) if variety == "step" else ("nesterov",)
    task, plan = sound_plan(rng, rules=rules, depths=(0,), makers=tasks.LINES, steps=(60, 250))
    mu = plan.rule.momentum
    limit = 2.0 if variety == "step" else 2 * (1 + mu) / (1 + 2 * mu)
    share = 0.6 + 0.39 * severity if variety == "step" else 0.85 + 0.14 * severity
    if variety == "step" and share < 0.9:
        round_rows = tasks.whitened(task).rows  # else the first direction is gone at once
        narrow = Network(
            (round_rows.shape[1], *plan.network.layers[1:]), "linear", plan.network.loss
        )
        plan = plan.but(rows=round_rows, network=narrow, task=f"{task.name}, whitened")
    plan = plan.but(rate=share * limit / sharpness(plan))
    calm = plan.but(rate=plan.rate / 4)
    return Candidate("oscillation", f"{variety} {share * limit:.2f}", severity, plan, calm)


def _fluctuation(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    rules = ("sgd", "sgd", "momentum", "adam", "rmsprop", "nesterov")
    makers = (*tasks.LINES, *tasks.LINES, *tasks.CURVES, *tasks.EASY_CLASSES, tasks.rings)
    _, plan = sound_plan(rng, rules=rules, depths=(0, 1), makers=makers, steps=(400, 1000))
    batch = int(rng.choice([1, 2, 4, 8]))
    if batch * 4 > len(plan.rows):
        batch = 1
    strength = geometric(rng, 0.15, 1.5, severity)
    if plan.rule.name in {"adam", "rmsprop"}:
        strength *= 2
    return Candidate("fluctuation", f"{plan.rule.name} batch {batch}", severity,
                     plan.but(batch=batch, rate=plan.rate * strength),
                     batch_monitor=rng.uniform() < 0.1)  # fmt: skip


def _units(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    activation = str(rng.choice(["relu", "relu", "tanh", "sigmoid"]))
    makers = (tasks.rings, tasks.spirals, tasks.moons, tasks.blobs, tasks.wave, tasks.surface)
    _, plan = sound_plan(rng, depths=(1, 1, 2, 3), activation=activation, makers=makers,
                   steps=(250, 700))  # fmt: skip
    good = plan.but(start=Start())
    if activation == "relu":
        share = 0.4 + 0.6 * float(rng.choice([severity, severity, 1.0]))
        start = Start(bias=-float(rng.uniform(5, 15)), share=share)
        variety = f"dead share {share:.2f}"
    elif rng.uniform() < 0.3:
        share = 0.5 + 0.5 * severity
        start = Start(bias=float(rng.choice([-1, 1])) * float(rng.uniform(6, 14)), share=share)
        variety = f"saturated by bias, share {share:.2f}"
    else:
        scale = geometric(rng, 10, 60, severity)
        start = Start(scale=scale)
        variety = f"saturated by weights x{scale:.0f}"
    return Candidate("dead_or_saturated_units", variety, severity, plan.but(start=start), good)


def _conditioning(rng: Rng) -> Candidate:
    classes = rng.uniform() < 0.25
    task = tasks.scaled_blobs(rng) if classes else draw_task(rng, tasks.RAW)
    collinear = task.name.startswith(("powers", "NIST"))
    rule = draw_rule(rng, ("sgd", "sgd", "momentum", "nesterov"))
    loss = "softmax" if classes else "half_mse"
    network = Network((task.rows.shape[1], task.targets.shape[1]), "linear", loss)
    plan = blank_plan(rng, task, network, rule, int(rng.integers(200, 700)))
    if classes or rng.uniform() < 0.7:
        plan = plan.but(start=Start("zeros"))
    share = float(rng.uniform(0.45, 0.93))
    plan = plan.but(rate=share * _limit(rule) / sharpness(plan))
    better = tasks.whitened(task) if collinear else tasks.standardised(task)
    narrow = Network((better.rows.shape[1], better.targets.shape[1]), "linear", loss)
    normal = plan.but(network=narrow, rows=better.rows, targets=better.targets)
    normal = normal.but(rate=0.5 * _limit(rule) / sharpness(normal))
    floor = None if classes else exact_minimum(plan)
    return Candidate("ill_conditioning", task.name, 0.5, plan, normal, floor=floor)


def _limit(rule: Rule) -> float:
    mu = rule.momentum
    return {"sgd": 2.0, "momentum": 2 * (1 + mu)}.get(rule.name, 2 * (1 + mu) / (1 + 2 * mu))


def _flat(rng: Rng) -> Candidate:
    severity = float(rng.uniform())
    share = 0.5 + 0.7 * severity  # of the run before the fall; beyond 1 it ends on the flat part
    if rng.uniform() < 0.25:
        task = draw_task(rng, (tasks.moons, tasks.blobs))
        one = (task.targets[:, :1] > 0.5).astype(float)
        network = Network((task.rows.shape[1], int(rng.integers(4, 9)), 1), "tanh", "logistic_mse")
        plan = blank_plan(rng, task, network, draw_rule(rng, ("sgd", "momentum")), 3000)
        bias = float(rng.choice([-1, 1]) * rng.uniform(4, 7))
        start = Start(output_bias=bias, scale=float(rng.uniform(0.2, 0.6)))
        plan = plan.but(targets=one, rate=geometric(rng, 0.3, 2), start=start)
        return Candidate("plateau", "saturated logistic output", severity, _cut(plan, share))
    deep = rng.uniform() < 0.5
    makers = (tasks.blobs, tasks.moons, tasks.patches) if deep else (tasks.xor, tasks.parity)
    activation = str(rng.choice(["tanh", "sigmoid"])) if deep else "tanh"
    depths = (2, 3) if deep else (1, 2)
    _, plan = sound_plan(rng, ("sgd", "momentum", "nesterov"), depths, activation, makers=makers)
    scale = geometric(rng, 0.08, 0.6) if activation == "tanh" else 1.0
    damping = 1.0 if plan.rule.name == "sgd" else 1 - plan.rule.momentum
    rate = geometric(rng, 0.15, 1.2) * damping
    plan = plan.but(start=Start(scale=scale), rate=rate, steps=2500 if deep else 5000)
    return Candidate("saddle", f"start x{scale:.2f}, {activation}", severity, _cut(plan, share))


def _cut(plan: Plan, share: float) -> Plan:
    """The plan with so many steps that its flat stretch ends at this share of them."""
    loss = trace(plan).loss[:, 0]
    end = flat_stretch(loss, float(loss[0] - loss.min()))[2]
    return plan.but(steps=int(np.clip(end / share, 60, 3000)))


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
    "healthy": healthy,
}
