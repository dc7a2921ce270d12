"""Rows of numbers by step whose memory is bounded, however long the run.

When a table is full the newer half of it stays as it is; of what is older pairs of consecutive
steps stay, k and k + 1, at a distance that doubles: losses of neighbouring steps can be compared
all along the run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Table"]

Array = NDArray[np.float64]

_FIRST = 512  # rows that are allocated at the beginning


class Table:
    """Columns of numbers, one row per step; a value may be missing, which is not the same as NaN.

    Parameters
    ----------
    columns
        Their names.
    capacity
        Most rows.
    pairs
        Whether pairs of consecutive steps stay when rows are dropped; else every other row goes.

    Examples
    --------
    >>> table = Table(("loss",), capacity=16)
    >>> for step in range(38):
    ...     table.add(step, {"loss": 1 / (step + 1)})
    >>> table.steps.astype(int).tolist()
    [0, 1, 16, 17, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37]
    """

    def __init__(self, columns: tuple[str, ...], capacity: int, *, pairs: bool = True) -> None:
        self.columns, self.capacity, self.pairs = columns, max(int(capacity), 8), pairs
        self._place = {name: i + 1 for i, name in enumerate(columns)}
        self._rows = np.empty((min(_FIRST, self.capacity), len(columns) + 1))
        self._known = np.zeros(self._rows.shape, dtype=np.bool_)
        self.count = 0
        self.stride = 1

    @property
    def nbytes(self) -> int:
        """Bytes that are allocated."""
        return int(self._rows.nbytes + self._known.nbytes)

    @property
    def steps(self) -> Array:
        """Steps of the rows, ascending."""
        return np.array(self._rows[: self.count, 0])

    def add(self, step: int, values: dict[str, float]) -> None:
        """Add a row, or fill in the last one if it is of this step."""
        last = self.count - 1
        if last < 0 or self._rows[last, 0] != step:
            if self.count == self.capacity:
                self._thin()
            elif self.count == len(self._rows):
                self._grow()
            last, self.count = self.count, self.count + 1
            self._rows[last, 0] = step
            self._known[last] = False
        row, known = self._rows[last], self._known[last]
        for name, value in values.items():
            place = self._place[name]
            row[place] = value
            known[place] = True

    def fill(self, name: str, steps: Array, values: Array) -> None:
        """Fill in a column at steps that have a row already."""
        at = np.searchsorted(self._rows[: self.count, 0], steps)
        self._rows[at, self._place[name]] = values
        self._known[at, self._place[name]] = True

    def series(self, name: str) -> tuple[Array, Array]:
        """Return the steps at which a column is known, and its values there."""
        place = self._place[name]
        known = self._known[: self.count, place]
        rows = self._rows[: self.count][known]
        return rows[:, 0].copy(), rows[:, place].copy()

    def _grow(self) -> None:
        size = min(2 * len(self._rows), self.capacity)
        for name in ("_rows", "_known"):
            old = getattr(self, name)
            new = np.zeros((size, old.shape[1]), dtype=old.dtype)
            new[: self.count] = old[: self.count]
            setattr(self, name, new)

    def _thin(self) -> None:
        """Drop old rows until a quarter of the table is free."""
        newer = self.capacity // 2
        while self.count > self.capacity - self.capacity // 4:
            place = np.arange(self.count)
            if self.pairs:
                keep = (self._rows[: self.count, 0] % self.stride <= 1) | (
                    place >= self.count - newer
                )
            else:
                keep = place % 2 == 0
            kept = int(keep.sum())
            if kept == self.count:
                self.stride = max(4, 2 * self.stride)
                continue
            for rows in (self._rows, self._known):
                rows[:kept] = rows[: self.count][keep]
            self.count = kept
