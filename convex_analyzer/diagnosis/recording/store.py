"""Everything a recorder keeps: tables by step, snapshots, checks, probes, notes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.recording.probing import Probe
from convex_analyzer.diagnosis.recording.snapshots import Arrangement, Snapshots
from convex_analyzer.diagnosis.recording.tables import Table
from convex_analyzer.diagnosis.recording.trees import Sampler
from convex_analyzer.errors import InputError

__all__ = ["EXTRA", "MAIN", "PROBED", "Settings", "Store"]

Array = NDArray[np.float64]

MAIN = (
    "loss", "learning_rate", "gradient_norm", "gradient_cosine", "update_norm", "parameter_norm",
    "predicted_decrease", "update_curvature",
)  # fmt: skip
EXTRA = ("full_loss", "validation_loss", "accuracy")
PROBED = (
    "curvature", "curvature_error", "update_curvature", "update_curvature_error", "sharpness",
)  # fmt: skip
_RARE = 4096  # most rows of what is measured now and then
_LAYER_BYTES = 8_000_000
_TINY = 32  # parameters up to which every iterate is kept
_MOST_RESTARTS, _MOST_REASONS = 10_000, 4


@dataclass(frozen=True)
class Settings:
    """What is known of the run as a whole; fields as in `Evidence`."""

    batch_size: int | None = None
    rows: int | None = None
    momentum: float | None = None
    classes: int | None = None
    optimizer: str | None = None
    optimizer_name: str = ""

    @property
    def mini_batches(self) -> bool:
        """Whether a step does not see all rows, as far as is known."""
        return self.batch_size is not None and (self.rows is None or self.batch_size < self.rows)


class Store:
    """The tables of a run."""

    def __init__(self, capacity: int, snapshots: int, snapshot_bytes: int, rows: int) -> None:
        self.capacity = capacity
        self.steps_made = 0
        self.full_batch = False
        self.main = Table(MAIN, capacity)
        self.extra = Table(EXTRA, capacity)
        self.probes = Table(PROBED, _RARE, pairs=False)
        self.layers: Table | None = None
        self.iterates: Table | None = None
        self.snapshots = Snapshots(snapshots, snapshot_bytes, rows)
        self.sampler: Sampler | None = None
        self.arrangement: Arrangement | None = None
        self.array_names: list[str] = []
        self.array_shapes: list[tuple[int, ...]] = []
        self.alive: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self.outgoing = False
        self.kept_share: tuple[int, int] = (0, 0)
        self.checks: list[tuple[int, Array]] = []
        self.restarts: list[float] = []
        self.reasons: list[str] = []

    @property
    def nbytes(self) -> int:
        """Bytes of all tables, snapshots and checks."""
        tables = (self.main, self.extra, self.probes, self.layers, self.iterates)
        held = sum(table.nbytes for table in tables if table is not None)
        return held + self.snapshots.nbytes + sum(rows.nbytes for _, rows in self.checks)

    def begin(self, sampler: Sampler, outgoing: bool) -> None:
        """Learn which arrays there are."""
        self.sampler = sampler
        names = [part.name for part in sampler.parts]
        shapes = [part.shape or () for part in sampler.parts]
        self.kept_share = (sampler.kept, sampler.dimension)
        if self.array_names and shapes != self.array_shapes:
            raise InputError(
                f"the file holds a run with arrays of shapes {self.array_shapes}, these are "
                f"{shapes}",
                argument="parameters",
            )
        self.arrange(names, shapes, outgoing)
        if self.iterates is None and sampler.exact and sampler.dimension <= _TINY:
            self.iterates = self.iterates_table(sampler.dimension)

    def arrange(self, names: list[str], shapes: list[tuple[int, ...]], outgoing: bool) -> None:
        """Set up what depends on the arrays; once, also when they are known from a file."""
        if self.array_names:
            return
        self.array_names, self.array_shapes, self.outgoing = names, shapes, outgoing
        self.arrangement = Arrangement(names, shapes, outgoing)
        self.alive = np.zeros(len(names), dtype=np.bool_)
        most = max(16, _LAYER_BYTES // (9 * (len(names) + 1)))
        columns = tuple(str(i) for i in range(len(names)))
        self.layers = Table(columns, min(self.capacity, most))

    def iterates_table(self, dimension: int) -> Table:
        """Return a table for iterates of this many numbers."""
        columns = tuple(str(i) for i in range(dimension))
        return Table(columns, min(self.capacity, _LAYER_BYTES // (9 * (dimension + 1))))

    def frozen(self, leaves: list[Any]) -> None:
        """Take note of arrays that have a gradient: the others are frozen."""
        if not self.alive.all():
            self.alive |= [leaf is not None for leaf in leaves]

    def probed(self, probe: Probe) -> None:
        """Keep what a probe has found, and why it has not found the rest."""
        found = {name: getattr(probe, name) for name in PROBED}
        known = {name: value for name, value in found.items() if math.isfinite(value)}
        if known:
            self.probes.add(probe.step, known)
        for reason in probe.reasons:
            if len(self.reasons) < _MOST_REASONS:
                self.reasons.append(f"step {probe.step}: {reason}")

    def checked(self, step: int, rows: Array) -> None:
        """Keep a gradient check; of many every other one goes."""
        self.checks.append((step, rows))
        if len(self.checks) > max(2 * self.snapshots.most, 8):
            self.checks = self.checks[:-1:2] + self.checks[-1:]

    def restarted(self, loss: float) -> None:
        """Keep the final loss of another run."""
        if len(self.restarts) < _MOST_RESTARTS:
            self.restarts.append(loss)
