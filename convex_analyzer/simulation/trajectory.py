"""What a simulation returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count, format_number

__all__ = ["Trajectory"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(Result):
    """Recorded runs.

    Attributes
    ----------
    recorded
        Step indices of the rows of `loss` (and of `theta`, unless only losses were asked for),
        shape (K,).
    theta
        Reported points, shape (K, ..., d); with ``record="loss"`` the last one only, (1, ..., d).
    loss
        J at the reported points, shape (K, ...).
    diverged_at
        For each run the first step whose state left the range ±1e150, or -1; shape (...). An int
        for a single run; None for a single run that did not diverge. Rows from there on are NaN
        (theta) and infinite (loss).
    state
        The state after the last step: theta and the memory, each (..., d).
    noise
        What was added to the gradients; None if they were exact.
    optimizer
        What was run.
    steps
        How many steps were asked for.
    """

    schema: ClassVar[str] = "convex_analyzer.trajectory/1"

    recorded: npt.NDArray[np.int64]
    theta: Array
    loss: Array
    diverged_at: Any
    optimizer: Optimizer
    steps: int
    state: tuple[Array, ...] = field(default=(), repr=False)
    noise: Any = None

    @property
    def has_diverged(self) -> bool:
        """Whether any run diverged."""
        if self.diverged_at is None:
            return False
        return bool(np.any(np.asarray(self.diverged_at) >= 0))

    def summary(self) -> Table:
        """Return a table of the ends of the runs."""
        runs = int(np.prod(self.loss.shape[1:], dtype=int))
        lost = 0 if self.diverged_at is None else int(np.sum(np.asarray(self.diverged_at) >= 0))
        rows = [
            ("steps", format_count(self.steps)),
            ("runs", format_count(runs)),
            ("diverged", format_count(lost)),
            ("first loss", _range(self.loss[0])),
            ("last loss", _range(self.loss[-1])),
        ]
        return Table((str(self.optimizer), "simulated"), tuple(rows), left=2)

    def __repr__(self) -> str:
        return f"<Trajectory {self.optimizer}: {self.steps} steps, {len(self.recorded)} recorded>"


def _range(values: Any) -> str:
    finite = np.asarray(values)[np.isfinite(values)]
    if not finite.size:
        return "not finite: diverged"
    low, high = float(finite.min()), float(finite.max())
    return format_number(low) if low == high else f"{format_number(low)} … {format_number(high)}"
