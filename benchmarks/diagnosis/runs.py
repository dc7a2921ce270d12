"""Training: the loop, what is logged of a run, and cheap unlogged runs for counterfactuals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from benchmarks.diagnosis.lab import Array, Plan, claimed

_PROBED_ROWS = 64
_SNAPSHOTS = 5


class Moment(NamedTuple):
    """One step of a stack of runs; ``theta`` is where it begins."""

    t: int
    theta: Array
    loss: Array  # of the batch, (runs,)
    gradient: Array  # as claimed, (runs, d)
    update: Array
    rate: Array  # (runs, 1)
    rows: Array
    targets: Array
    memory: dict[str, Array]  # what a faulty gradient remembers


class _Batches:
    """Shuffled epochs, an order of its own for every seed."""

    def __init__(self, plan: Plan, seeds: Sequence[int]) -> None:
        self._plan = plan
        self._rngs = [np.random.default_rng([seed, 1]) for seed in seeds]
        self._orders: Array = np.empty((len(seeds), 0), int)
        self._at = 0

    def next(self) -> tuple[Array, Array]:
        plan = self._plan
        if plan.batch is None or plan.full_batch:
            return plan.rows, plan.targets
        if self._at + plan.batch > self._orders.shape[1]:
            self._orders = np.array([rng.permutation(len(plan.rows)) for rng in self._rngs])
            self._at = 0
        chosen = self._orders[:, self._at : self._at + plan.batch]
        self._at += plan.batch
        return plan.rows[chosen], plan.targets[chosen]


def descend(plan: Plan, theta: Array, rates: Array, seeds: Sequence[int]) -> Iterator[Moment]:
    """Step by step, until the end or until nothing is finite."""
    batches = _Batches(plan, seeds)
    held: dict[str, Array] = {}
    memory: dict[str, Array] = {}
    for t in range(plan.steps):
        rows, targets = batches.next()
        rate = rates * plan.schedule(t, plan.steps)
        loss, gradient = claimed(plan.network, plan.fault, theta, rows, targets, memory)
        update = plan.rule.update(gradient, rate, t, held)
        yield Moment(t, theta, loss, gradient, update, rate, rows, targets, memory)
        theta = theta + update
        if t % 8 == 0 and not np.isfinite(theta.sum(axis=-1)).any():
            return


@dataclass(frozen=True, eq=False)
class Trace:
    """Full losses of unlogged runs, (points, runs), and where they ended, (runs, d)."""

    loss: Array
    theta: Array
    stride: int = 1  # steps between two points

    @property
    def tail(self) -> Array:
        """Mean of the last tenth, per run."""
        return self.loss[-max(1, len(self.loss) // 10) :].mean(axis=0)

    @property
    def swing(self) -> Array:
        """Standard deviation over the last fifth after removing its trend, per run."""
        late = self.loss[-max(4, len(self.loss) // 5) :]
        line = np.linspace(-1, 1, len(late))[:, None]
        slope = (line * (late - late.mean(0))).sum(0) / (line**2).sum()
        return (late - late.mean(0) - line * slope).std(0)


def trace(
    plan: Plan,
    rates: Sequence[float] | None = None,
    seeds: Sequence[int] | None = None,
    theta: Array | None = None,
    points: int = 400,
) -> Trace:
    """Run the plan at several rates, seeds or starts at once, without a log."""
    count = max(len(rates or ()), len(seeds or ()), 1 if theta is None else len(theta))
    own = list(seeds) if seeds is not None else [plan.seed] * count
    begin = np.array([plan.first(seed) for seed in own]) if theta is None else theta
    column = np.asarray(plan.rate if rates is None else rates, float).reshape(-1, 1)
    every = 1 if plan.full_batch else max(1, plan.steps // points)
    losses = []
    last = begin
    with np.errstate(all="ignore"):
        for now in descend(plan, begin, column, own):
            if now.t % every == 0:
                exact = plan.full_batch
                losses.append(now.loss if exact else _value(plan, now.theta))
            last = now.theta + now.update
        losses.append(_value(plan, last))
    missing = plan.steps // every + 1 - len(losses)
    curve = np.concatenate([np.array(losses), np.full((max(missing, 0), count), np.nan)])
    return Trace(curve, last, every)


def _value(plan: Plan, theta: Array) -> Array:
    return plan.network.value(theta, plan.rows, plan.targets)


@dataclass(frozen=True, eq=False)
class Log:
    """The fields of one run, as they are written, and its last parameters."""

    fields: dict[str, Array]
    theta: Array

    def __getitem__(self, name: str) -> Array:
        return self.fields[name]

    @property
    def loss(self) -> Array:
        return self.fields["loss_full"]

    @property
    def trace(self) -> Trace:
        return Trace(self.loss[:, None], self.theta[None])


SERIES = (
    "loss_batch", "grad_norm", "grad_cos", "update_norm", "pred_decrease", "curv_along_grad", "lr",
)  # fmt: skip


def record(plan: Plan) -> Log:
    """One run with everything logged; what follows a blow-up is NaN."""
    series: dict[str, list[Any]] = {name: [] for name in (*SERIES, "layer_grad_norm")}
    losses, lengths, shots = [], [], []
    wanted = {round(x) for x in np.linspace(0, plan.steps, _SNAPSHOTS)}
    previous: Array | None = None
    theta = plan.first()
    memory: dict[str, Array] = {}
    exact = plan.full_batch and plan.fault is None
    with np.errstate(all="ignore"):
        for now in descend(plan, theta[None], np.array([[plan.rate]]), [plan.seed]):
            if now.t in wanted and np.isfinite(now.theta).all():
                shots.append(_snapshot(plan, now.t, now.theta[0], memory))
            losses.append(now.loss[0] if exact else float(_value(plan, now.theta[0])))
            lengths.append(np.linalg.norm(now.theta))
            _note(plan, now, previous, series)
            previous = now.gradient[0]
            theta = now.theta[0] + now.update[0]
            memory = {name: held.copy() for name, held in now.memory.items()}
        if np.isfinite(theta).all():
            shots.append(_snapshot(plan, plan.steps, theta, memory))
        losses.append(float(_value(plan, theta)))
        lengths.append(np.linalg.norm(theta))
        return Log(_assemble(plan, losses, lengths, series, shots), theta)


def _note(plan: Plan, now: Moment, previous: Array | None, series: dict[str, list[Any]]) -> None:
    gradient, update = now.gradient[0], now.update[0]
    norm = float(np.linalg.norm(gradient))
    cosine = np.nan
    if previous is not None:
        cosine = float(gradient @ previous / (norm * np.linalg.norm(previous) + 1e-300))
    curvature = np.nan
    if now.t % 5 == 0 and 0 < norm < np.inf:
        rows = now.rows if plan.full_batch else now.rows[0]
        targets = now.targets if plan.full_batch else now.targets[0]
        unit = gradient / norm
        curvature = float(unit @ plan.network.hessian_vector(now.theta[0], rows, targets, unit))
    values = (
        float(now.loss[0]), norm, cosine, float(np.linalg.norm(update)),
        float(-(gradient @ update)), curvature, float(now.rate.ravel()[0]),
    )  # fmt: skip
    for name, value in zip(SERIES, values, strict=True):
        series[name].append(value)
    blocks = plan.network.blocks
    series["layer_grad_norm"].append([float(np.linalg.norm(gradient[b])) for b in blocks])


def _snapshot(plan: Plan, t: int, theta: Array, memory: dict[str, Array]) -> dict[str, Any]:
    network = plan.network
    inputs, sums = network.forward(theta, _probe(plan))
    return {
        "t": t,
        "theta": theta.astype(np.float32),
        "acts": [_half(a) for a in inputs[1:-1]],
        "sums": [_half(z) for z in sums[:-1]],
        "check": gradient_check(plan, theta, memory, seed=t),
    }


def gradient_check(plan: Plan, theta: Array, memory: dict[str, Array], seed: int) -> Array:
    """Claimed derivative and central difference along 12 directions, (12, 2).

    Six directions are dense, six lie in one weight or bias each.
    """
    network = plan.network
    rng = np.random.default_rng([seed, 2])
    directions = np.zeros((12, network.size))
    directions[:6] = rng.normal(size=(6, network.size))
    for j in range(6):
        block = network.blocks[j % len(network.blocks)]
        directions[6 + j, block] = rng.normal(size=block.stop - block.start)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    gradient = claimed(network, plan.fault, theta[None], plan.rows, plan.targets, dict(memory))[1][
        0
    ]
    h = 6e-6 * max(1.0, float(np.abs(theta).max()))
    ends = network.value(
        np.stack([theta + h * directions, theta - h * directions]), plan.rows, plan.targets
    )
    return np.column_stack([directions @ gradient, (ends[0] - ends[1]) / (2 * h)])


def _probe(plan: Plan) -> Array:
    count = len(plan.rows)
    if count <= _PROBED_ROWS:
        return plan.rows
    return plan.rows[np.random.default_rng(7).choice(count, _PROBED_ROWS, replace=False)]


def _half(values: Array) -> Array:
    return np.clip(np.nan_to_num(values), -6e4, 6e4).astype(np.float16)


def _assemble(
    plan: Plan,
    losses: list[Any],
    lengths: list[Any],
    series: dict[str, list[Any]],
    shots: list[dict[str, Any]],
) -> dict[str, Array]:
    fields = {"loss_full": _padded(losses, plan.steps + 1)}
    for name, values in series.items():
        fields[name] = _padded(values, plan.steps).astype(np.float32)
    fields["param_norm"] = _padded(lengths, plan.steps + 1).astype(np.float32)
    fields["snap_steps"] = np.array([shot["t"] for shot in shots])
    fields["snap_theta"] = np.array([shot["theta"] for shot in shots])
    fields["gradcheck_claimed_vs_fd"] = np.array([shot["check"] for shot in shots])
    for k in range(len(plan.network.layers) - 2):
        fields[f"act_layer{k + 1}"] = np.array([shot["acts"][k] for shot in shots])
        fields[f"preact_layer{k + 1}"] = np.array([shot["sums"][k] for shot in shots])
    fields["input_sample"] = _probe(plan).astype(np.float32)
    seeds = [plan.seed + 1 + j for j in range(5)]
    fields["restart_final_loss"] = trace(plan, seeds=seeds, points=4).loss[-1]
    return fields


def _padded(values: list[Any], length: int) -> Array:
    known = np.array(values, dtype=float)
    missing = length - len(known)
    return np.concatenate([known, np.full((missing, *known.shape[1:]), np.nan)])
