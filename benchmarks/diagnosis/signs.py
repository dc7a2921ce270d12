"""What can be measured on a finished run: the numbers that proofs compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.diagnosis.lab import Array, Plan, claimed
from benchmarks.diagnosis.runs import Log

# |z| beyond which the slope is below 5 % of its largest (exact: 4.357 and 2.178)
_SATURATED = {"sigmoid": 4.357, "tanh": 2.178}


@dataclass(frozen=True)
class Signs:
    """Plain numbers about a run."""

    initial: float
    tail: float
    finite: bool
    check_error: float  # largest disagreement of a gradient check
    back_and_forth: float  # share of gradient cosines below -0.3 while there is a gradient
    dead: float  # largest share of units of one layer that no row activates, at the end
    saturated: float  # largest share of (row, unit) pairs of one layer on a flat part, at the end
    twins: int  # hidden units that are copies of another one at the end
    rate_by_sharpness: float  # effective rate times λmax at the start; 0 for adaptive rules
    condition: float


def signs_of(plan: Plan, log: Log) -> Signs:
    loss = log.loss
    finite = bool(np.isfinite(loss).all())
    dead, saturated = _units(plan, log.theta) if finite else (0.0, 0.0)
    return Signs(
        initial=float(loss[0]),
        tail=float(log.trace.tail[0]),
        finite=finite,
        check_error=_check_error(log),
        back_and_forth=_back_and_forth(log),
        dead=dead,
        saturated=saturated,
        twins=_twins(plan, log.theta) if finite else 0,
        rate_by_sharpness=_rate_by_sharpness(plan),
        condition=_condition(plan.rows),
    )


def _check_error(log: Log) -> float:
    """Largest disagreement relative to the snapshot's largest derivative, where it is not tiny."""
    worst = 0.0
    for check in log["gradcheck_claimed_vs_fd"]:
        size = np.abs(check).max()
        if np.isfinite(size) and size > 1e-7:
            worst = max(worst, float(np.abs(check[:, 0] - check[:, 1]).max() / size))
    return worst


def gradient_error(plan: Plan, log: Log) -> float:
    """Largest distance of the claimed from the exact gradient over the snapshots, relative."""
    worst = 0.0
    for theta in log["snap_theta"]:
        at = theta.astype(float)[None]
        memory: dict[str, Array] = {}
        if plan.fault is not None and plan.fault.name in {"stale", "not zeroed"}:
            return _check_error(log)  # what the memory held is gone: the logged check tells
        claim = claimed(plan.network, plan.fault, at, plan.rows, plan.targets, memory)[1][0]
        exact = plan.network.value_and_gradient(at, plan.rows, plan.targets)[1][0]
        size = float(np.linalg.norm(exact))
        if size > 1e-8 and np.isfinite(claim).all():
            worst = max(worst, float(np.linalg.norm(claim - exact)) / size)
    return worst


def _back_and_forth(log: Log) -> float:
    norms, cosines = log["grad_norm"], log["grad_cos"]
    alive = np.isfinite(cosines) & np.isfinite(norms) & (norms > 1e-6 * np.nanmax(norms))
    return float((cosines[alive] < -0.3).mean()) if alive.any() else 0.0


def _units(plan: Plan, theta: Array) -> tuple[float, float]:
    sums = plan.network.forward(theta, plan.rows)[1][:-1]
    dead = saturated = 0.0
    for z in sums:
        if plan.network.activation == "relu":
            dead = max(dead, float((z <= 0).all(axis=0).mean()))
        elif plan.network.activation in _SATURATED:
            flat = np.abs(z) > _SATURATED[plan.network.activation]
            saturated = max(saturated, float(flat.mean()))
    return dead, saturated


def _twins(plan: Plan, theta: Array) -> int:
    """Units with the same incoming and outgoing weights as an earlier one of their layer."""
    parts = plan.network.parts(theta)
    copies = 0
    for k in range(len(parts) // 2 - 1):
        units = np.vstack([parts[2 * k], parts[2 * k + 1], parts[2 * k + 2].T]).T
        size = max(float(np.abs(units).max()), 1e-300)
        gaps = np.abs(units[:, None] - units[None]).max(-1) < 1e-7 * size
        copies += int(np.triu(gaps, 1).any(axis=0).sum())
    return copies


def _rate_by_sharpness(plan: Plan) -> float:
    if plan.rule.name in {"adam", "rmsprop"}:
        return 0.0
    rate = plan.rate / (1 - plan.rule.momentum if plan.rule.name != "sgd" else 1.0)
    return rate * plan.network.sharpness(plan.first(), plan.rows, plan.targets)


def _condition(rows: Array) -> float:
    """κ of the Gram matrix of [rows, 1], from singular values."""
    values = np.linalg.svd(np.column_stack([rows, np.ones(len(rows))]), compute_uv=False)
    return float((values[0] / values[-1]) ** 2) if values[-1] > 0 else float("inf")


def peaks(loss: Array, prominence: float = 0.02) -> int:
    """How often the loss rises by 2 % of its whole range after having fallen as much."""
    known = loss[np.isfinite(loss)]
    need = prominence * float(np.ptp(known))
    if need == 0:
        return 0
    count, low, high, falling = 0, known[0], known[0], True
    for value in known:
        low, high = min(low, value), max(high, value)
        if falling and value > low + need:
            count, falling, high = count + 1, False, value
        elif not falling and value < high - need:
            falling, low = True, value
    return count


def flat_stretch(loss: Array, fall: float) -> tuple[float, int, int]:
    """Longest stretch that changes by less than 2 % of the fall and lies above its last tenth.

    Returns its share of the steps, its begin and its end.
    """
    high = loss > loss[0] - 0.9 * fall
    best = (0, 0)
    begin = 0
    for end in range(len(loss)):
        while begin < end and (abs(loss[end] - loss[begin]) > 0.02 * fall or not high[end]):
            begin += 1
        if high[end] and end - begin > best[1] - best[0]:
            best = (begin, end)
    return (best[1] - best[0]) / max(len(loss) - 1, 1), best[0], best[1]


def fall_time(loss: Array, level: float, fall: float) -> int:
    """Points in which the curve goes from a quarter to three quarters of a fall from ``level``."""
    quarter = np.flatnonzero(loss < level - 0.25 * fall)
    rest = np.flatnonzero(loss < level - 0.75 * fall)
    if not len(quarter) or not len(rest):
        return 10**9
    return int(rest[0] - quarter[0])
