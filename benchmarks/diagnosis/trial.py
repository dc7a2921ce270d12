"""A candidate, its proof, and the counterfactual questions that several proofs ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.diagnosis.lab import Array, Plan
from benchmarks.diagnosis.runs import Trace, trace


@dataclass(frozen=True, eq=False)
class Candidate:
    """A run with a planted cause, and the same run without it."""

    label: str
    variety: str
    severity: float  # 0 mild .. 1 gross, as drawn
    plan: Plan
    remedy: Plan | None = None
    batch_monitor: bool = False
    floor: float | None = None  # the exact minimum, where it is known


@dataclass(frozen=True)
class Proof:
    """The label, what would be equally right, why, and the numbers."""

    label: str
    why: str
    accept: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    severity: float | None = None  # as measured, 0 mild .. 1 gross; None: as drawn


def calm(run: Trace, initial: float, k: int = 0) -> bool:
    """Ended finite, below its beginning and without swings."""
    tail, swing = float(run.tail[k]), float(run.swing[k])
    return bool(np.isfinite(tail) and tail < 0.9 * initial and swing < 0.05 * initial)


def best_rate(plan: Plan, factors: tuple[float, ...], initial: float) -> tuple[float, float]:
    """Lowest tail among calm runs at other rates, and its factor; infinity without one."""
    run = trace(plan, rates=[plan.rate * f for f in factors])
    tails = [(float(run.tail[k]), f) for k, f in enumerate(factors) if calm(run, initial, k)]
    return min(tails, default=(np.inf, np.nan))


def first_below(curve: Array, level: float) -> float:
    below = np.flatnonzero(curve < level)
    return float(below[0]) if len(below) else np.inf
