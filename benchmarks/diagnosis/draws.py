"""What candidates are drawn from: a task, a network for it, an optimizer with a sound rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.diagnosis import tasks
from benchmarks.diagnosis.lab import Network, Plan, Rule
from benchmarks.diagnosis.tasks import Maker, Task

Rng = np.random.Generator


def geometric(rng: Rng, low: float, high: float, at: float | None = None) -> float:
    """Log-uniform between low and high, or at a given share of the way."""
    share = rng.uniform() if at is None else at
    return float(low * (high / low) ** share)


def draw_task(rng: Rng, makers: Sequence[Maker]) -> Task:
    return makers[int(rng.integers(len(makers)))](rng)


def draw_network(
    rng: Rng, task: Task, depths: Sequence[int], activation: str | None = None, widest: int = 12
) -> Network:
    hidden = [int(rng.integers(4, widest + 1)) for _ in range(int(rng.choice(depths)))]
    layers = (task.rows.shape[1], *hidden, task.targets.shape[1])
    chosen = activation or str(rng.choice(["tanh", "relu", "sigmoid"], p=[0.45, 0.4, 0.15]))
    loss = "softmax" if task.classification else "half_mse"
    return Network(layers, chosen if hidden else "linear", loss)


def blank_plan(rng: Rng, task: Task, network: Network, rule: Rule, steps: int, **more: Any) -> Plan:
    """With a learning rate of 1: set by what follows."""
    return Plan(
        network=network, rows=task.rows, targets=task.targets, rule=rule, rate=1.0, steps=steps,
        task=task.name, seed=int(rng.integers(1, 10**6)) * 1000, **more,
    )  # fmt: skip


def sharpness(plan: Plan) -> float:
    return max(plan.network.sharpness(plan.first(), plan.rows, plan.targets), 1e-12)


def draw_rule(rng: Rng, names: Sequence[str]) -> Rule:
    name = str(rng.choice(names))
    momentum = 0.9 if name == "adam" else float(rng.choice([0.5, 0.8, 0.9]))
    return Rule(name, momentum=momentum)


def good_rate(rng: Rng, plan: Plan) -> float:
    """A rate that somebody would choose: near 1/λmax in the long run, or Adam's usual ones."""
    if plan.rule.name in {"adam", "rmsprop"}:
        return geometric(rng, 0.005, 0.04) * (0.4 if plan.rule.name == "rmsprop" else 1.0)
    damping = 1.0 if plan.rule.name == "sgd" else 1 - plan.rule.momentum
    return float(rng.uniform(0.4, 1.2)) * damping / sharpness(plan)


def sound_plan(
    rng: Rng,
    rules: Sequence[str] = ("sgd", "momentum", "nesterov", "rmsprop", "adam"),
    depths: Sequence[int] = (0, 1, 1, 2),
    activation: str | None = None,
    steps: tuple[int, int] = (250, 700),
    makers: Sequence[Maker] | None = None,
) -> tuple[Task, Plan]:
    """A sound run on a random task, full batch."""
    pool = makers or (*tasks.EASY_CLASSES, *tasks.CLASSES, *tasks.CURVES, *tasks.LINES)
    task = draw_task(rng, pool)
    fits = [d for d in depths if d > 0] or list(depths)
    linear = task.name.startswith(("correlated linear", "NIST"))
    network = draw_network(rng, task, (0,) if linear and 0 in depths else fits, activation)
    if not linear and 0 in depths and task.classification and rng.uniform() < 0.3:
        network = draw_network(rng, task, (0,))
    plan = blank_plan(rng, task, network, draw_rule(rng, rules), int(rng.integers(*steps)))
    return task, plan.but(rate=good_rate(rng, plan))


def exact_minimum(plan: Plan) -> float | None:
    """The exact minimum of a linear regression."""
    if len(plan.network.layers) > 2 or plan.network.loss != "half_mse":
        return None
    design = np.column_stack([plan.rows, np.ones(len(plan.rows))])
    scale = np.abs(design).max(axis=0)
    answer = np.linalg.lstsq(design / scale, plan.targets, rcond=1e-14)[0]
    gap = design / scale @ answer - plan.targets
    return float(0.5 * (gap**2).sum(1).mean())
