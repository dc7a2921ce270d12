"""What a simulation is asked to keep, and where it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError

__all__ = ["LIMIT", "Sink", "checked_points", "common_runs", "rows_to_record"]

Array = npt.NDArray[np.float64]

LIMIT = 1e150  # beyond this squares overflow: the run has diverged
_AUTO_ROWS = 1001  # rows of theta that "auto" keeps
_MOST_ELEMENTS = 4_000_000_000  # elements (32 GB) of a record at most
_AUTO_ELEMENTS = 8_000_000  # elements (64 MB) of theta that "auto" keeps at most


def checked_points(start: Any, dimension: int) -> Array:
    """Return the start as an array of shape (..., d), or say what is wrong with it."""
    try:
        points = np.asarray(start, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"start must hold numbers, got {start!r}", argument="start") from None
    if points.ndim < 1 or points.shape[-1] != dimension:
        raise InputError(
            f"start must have shape (..., {dimension}), got {points.shape}", argument="start"
        )
    largest = max(points.max(initial=0.0), -points.min(initial=0.0))  # NaN stays NaN
    if largest <= LIMIT:
        return points
    if not np.all(np.isfinite(points)):
        raise InputError("start has entries that are not finite", argument="start")
    if largest > LIMIT:
        raise InputError(
            f"start has entries beyond {LIMIT:.0e}, whose squares leave the range of float64",
            argument="start",
        )
    return points


def common_runs(points: Array, hyper: dict[str, Array]) -> tuple[int, ...]:
    """Return the common leading shape of the starts and of the values per run."""
    try:
        return np.broadcast_shapes(points.shape[:-1], *(v.shape[:-1] for v in hyper.values()))
    except ValueError:
        each = ", ".join(f"{name} {value.shape[:-1]}" for name, value in hyper.items())
        raise InputError(
            f"the runs do not match: start has {points.shape[:-1]}, {each}",
            argument="start",
            hint="give one start per setting, or one for all, or an axis of its own to each",
        ) from None


def rows_to_record(record: Any, steps: int, elements: int) -> tuple[npt.NDArray[np.int64], bool]:
    """Return the steps to record, and whether theta is kept at each of them."""
    if isinstance(record, str):
        if record in {"path", "loss"}:
            _refuse_too_many((steps + 1) * (elements if record == "path" else 1), record)
            return np.arange(steps + 1), record == "path"
        if record != "auto":
            raise InputError(
                f"record must be 'auto', 'path', 'loss' or step indices, got {record!r}",
                argument="record",
            )
        rows = max(2, min(_AUTO_ROWS, _AUTO_ELEMENTS // max(1, elements)))
        if steps < rows:
            return np.arange(steps + 1), True
        return np.unique(np.linspace(0, steps, rows).round().astype(np.int64)), True
    try:
        given = np.unique(np.asarray(record, dtype=float).ravel())
    except (TypeError, ValueError):
        given = np.empty(0)
    chosen = given[given == np.floor(given)].astype(np.int64)
    if not chosen.size or chosen.size < given.size or chosen[0] < 0 or chosen[-1] > steps:
        raise InputError(
            f"record must name steps from 0 to {steps}", argument="record", value=record
        )
    return chosen, True


def _refuse_too_many(numbers: int, record: str) -> None:
    """Refuse a record that no machine would hold, before it is allocated."""
    if numbers > _MOST_ELEMENTS:
        raise InputError(
            f"record={record!r} would keep {numbers:.1e} numbers ({numbers / 1.25e8:.0f} GB)",
            argument="record",
            hint="record 'auto' keeps an even selection; or name the steps to keep",
        )


@dataclass
class Sink:
    """Where a tile writes what is recorded."""

    rows: npt.NDArray[np.int64]
    theta: Array
    loss: Array
    keep_theta: bool
    next: int = 0

    def wants(self, t: int) -> bool:
        """Tell whether step t is to be recorded next."""
        return self.next < len(self.rows) and self.rows[self.next] == t

    def upcoming(self, steps: int) -> int:
        """Return the next step to record, or the last one."""
        return int(self.rows[self.next]) if self.next < len(self.rows) else steps

    def write(self, point: Array, loss: Array) -> None:
        """Fill the next row."""
        if self.keep_theta:
            self.theta[self.next] = point
        self.loss[self.next] = loss
        self.next += 1
