"""Mini-batches: gradients from some rows of the data at a time."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.domains import Flag, WholeNumber, is_schedule
from convex_analyzer.errors import InputError
from convex_analyzer.noise.streams import BLOCK_RUNS, ROWS, Drawn, Noise, stream
from convex_analyzer.problems.least_squares import LeastSquares

__all__ = ["MiniBatch"]

Array = npt.NDArray[np.float64]

_WALKED = 10**6  # steps whose batch sizes are looked at one by one


class _Batch(Drawn):
    """A least-squares problem on some of its rows, weighted to estimate the whole.

    `rows` has shape (S,) when all runs see the same batch, else (runs, S). Value, gradient and
    Hessian are those of the batch; the inverse of the Hessian stays that of all data, because a
    batch smaller than d has none.
    """

    def __init__(self, problem: Any, rows: npt.NDArray[Any]) -> None:
        super().__init__(problem)
        self._X: Array = problem.X[rows]
        self._y: Array = problem.y[rows]
        self._weight = float(problem.factor) * len(problem.y) / rows.shape[-1]
        self._penalised = np.full(problem.dimension, problem.l2)
        self._penalised[: int(problem.intercept)] = 0.0

    def _product(self, vectors: Array) -> Array:
        """Return weight X_Bᵀ X_B v + l2 v."""
        return self._back(self._forth(vectors)) + self._penalised * vectors

    def _forth(self, vectors: Array) -> Array:
        if self._X.ndim == 2:
            return np.asarray((self._X @ vectors.T).T)
        return np.asarray((self._X @ vectors[:, :, None])[:, :, 0])

    def _back(self, residual: Array) -> Array:
        if self._X.ndim == 2:
            return np.asarray(self._weight * (self._X.T @ residual.T).T)
        return np.asarray(self._weight * (residual[:, None, :] @ self._X)[:, 0])

    def gradient(self, theta: Any) -> Array:
        """Return the mini-batch gradient, whose mean is that of the problem."""
        gradient = self._back(self._forth(theta) - self._y)
        return np.asarray(gradient + self._penalised * theta)

    def hessian_vector(self, theta: Any, vector: Any) -> Array:
        """Return the product with the mini-batch Hessian."""
        del theta
        return self._product(vector)

    def value(self, theta: Any) -> Array:
        """Return the mini-batch loss."""
        residual = self._forth(theta) - self._y
        penalty = (self._penalised * theta * theta).sum(axis=-1)
        return np.asarray((self._weight * (residual * residual).sum(axis=-1) + penalty) / 2)


@dataclass(frozen=True)
class MiniBatch(Noise):
    """Gradients from some rows of the data at a time.

    The mini-batch gradient is an unbiased estimate of the gradient of the problem, whatever its
    loss convention: the rows' sum is weighted by N/S. (With a loss that is a sum over the data,
    lecture 000 applies the rate of batch descent to one example; that is a rate N times smaller.)

    Parameters
    ----------
    size
        S rows per step: 1 is online learning, N is batch descent. A schedule grows the batch.
    replacement
        False: epochs; the rows are shuffled anew before each pass, and its last batch may be
        smaller. True: every step draws its rows independently, with replacement, so that the
        variance of the gradient is that of one row over S.
    independent
        False: all runs of a simulation see the same batches, so that their differences are not
        noise. True: every run has its own, as variances over runs ask for.

    Examples
    --------
    >>> MiniBatch(32)
    MiniBatch(size=32, replacement=False, independent=False)
    """

    size: Any = 1
    replacement: bool = False
    independent: bool = False

    def __post_init__(self) -> None:
        if not is_schedule(self.size):
            object.__setattr__(self, "size", WholeNumber(1).check("MiniBatch", "size", self.size))
        for name in ("replacement", "independent"):
            Flag().check("MiniBatch", name, getattr(self, name))

    def check(self, problem: Any, steps: int) -> None:
        """Refuse a problem without data, and a batch that is empty or larger than the data."""
        if not isinstance(problem, LeastSquares):
            raise InputError(
                "mini-batches need data, and this problem has none",
                argument="noise",
                hint="make it with least_squares(X, y), or use noise=AdditiveNoise(variance)",
            )
        rows = len(problem.y)
        smallest, largest = self._extent(steps, rows)
        if smallest < 1:
            raise InputError(
                "MiniBatch: size falls below 1, and a batch has at least one row", argument="size"
            )
        if largest > rows and not self.replacement:
            raise InputError(
                f"MiniBatch: a batch of {largest} is larger than the data, which have {rows} rows",
                argument="size",
                hint="draw with replacement=True, or take all rows: that is batch descent",
            )

    def describe(self) -> str:
        """Return in words what the gradients are.

        Examples
        --------
        >>> MiniBatch(32).describe()
        'batches of 32 rows, each row once per epoch'
        """
        sizes = "changing sizes" if is_schedule(self.size) else f"{self.size:,} rows"
        sizes = "1 row" if sizes == "1 rows" else sizes
        how = "drawn with replacement" if self.replacement else "each row once per epoch"
        return f"batches of {sizes}, {how}"

    def _extent(self, steps: int, rows: int) -> tuple[int, int]:
        """Return the smallest and the largest batch of a run."""
        if not is_schedule(self.size):
            return int(self.size), int(self.size)
        self.size.check_length(steps)
        low, high = self.size.extent()
        if np.ndim(low) or np.ndim(self.size.at(1)):
            raise InputError(
                "MiniBatch: size must be the same in all runs, got one schedule for each",
                argument="size",
            )
        if (low < 1 or not high <= rows) and steps <= _WALKED:  # a run may end before it gets there
            sizes = [self.size_at(t) for t in range(1, max(steps, 1) + 1)]
            return min(sizes), max(sizes)
        return math.floor(low), math.ceil(min(high, 2.0**62))

    def size_at(self, t: int) -> int:
        """Return the number of rows of step t."""
        return round(float(self.size.at(t))) if is_schedule(self.size) else int(self.size)

    def drawn(self, problem: Any, t: int, first: int, runs: int, seed: int) -> Any:
        """Return the problem on this step's rows; if these are all, the problem itself."""
        total = len(problem.y)
        if not self.replacement and self.size_at(t) >= total:
            return problem
        return _Batch(problem, self.rows(total, t, first, runs, seed))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        size = self.size.to_dict() if is_schedule(self.size) else self.size
        return {
            "name": "MiniBatch",
            "size": size,
            "replacement": self.replacement,
            "independent": self.independent,
        }

    def rows(self, total: int, t: int, first: int, runs: int, seed: int) -> npt.NDArray[Any]:
        """Return the row numbers of step t: (S,), or (runs, S) when runs are independent."""
        size = self.size_at(t)
        blocks = range(first, first + runs, BLOCK_RUNS) if self.independent else range(1)
        found = []
        for low in blocks:
            count = min(BLOCK_RUNS, first + runs - low) if self.independent else 1
            if self.replacement:
                generator = stream(seed, t, low // BLOCK_RUNS, ROWS)
                found.append(generator.integers(total, size=(count, size)))
            else:
                found.append(self._of_epoch(total, t, low // BLOCK_RUNS, count, seed))
        chosen: npt.NDArray[Any] = np.concatenate(found)
        return chosen if self.independent else chosen[0]

    def _of_epoch(self, total: int, t: int, block: int, count: int, seed: int) -> npt.NDArray[Any]:
        epoch, start = self._position(total, t)
        order = _shuffled(seed, epoch, block, count, total)
        return order[:, start : start + self.size_at(t)]

    def _position(self, total: int, t: int) -> tuple[int, int]:
        """Return the epoch of step t and the number of its rows that earlier steps have seen."""
        if not is_schedule(self.size):
            per_epoch = -(-total // int(self.size))
            return (t - 1) // per_epoch, (t - 1) % per_epoch * int(self.size)
        return _positions(self, total)(t)


class _Orders:
    """The orders of the rows in an epoch, kept while its steps use them.

    A new epoch empties the store; what does not fit into it is drawn again when asked for. Drawing
    takes longer than a step: 256 runs of 1000 rows about 5 ms.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._epoch: tuple[int, int, int] | None = None
        self._kept: dict[tuple[int, ...], npt.NDArray[np.int32]] = {}

    def __call__(
        self, seed: int, epoch: int, block: int, count: int, total: int
    ) -> npt.NDArray[np.int32]:
        """Return the order of the rows for every run of a block, shape (count, total)."""
        key = (seed, epoch, block, count, total)
        order = self._kept.get(key)
        if order is not None:
            return order
        rows = np.broadcast_to(np.arange(total, dtype=np.int32), (count, total))
        order = stream(seed, epoch, block, ROWS).permuted(rows, axis=1)
        if self._epoch != (seed, epoch, total):
            self._epoch, self._kept = (seed, epoch, total), {}
        if sum(kept.nbytes for kept in self._kept.values()) + order.nbytes <= self._most:
            self._kept[key] = order
        return order


_shuffled = _Orders(128 * 2**20)


class _Positions:
    """Where each step's batch begins when its size changes; found by walking, and remembered."""

    def __init__(self, noise: MiniBatch, total: int) -> None:
        self._noise, self._total = noise, total
        self._known = [(0, 0)]  # of step 1

    def __call__(self, t: int) -> tuple[int, int]:
        while len(self._known) < t:
            epoch, start = self._known[-1]
            start += self._noise.size_at(len(self._known))
            self._known.append((epoch, start) if start < self._total else (epoch + 1, 0))
        return self._known[t - 1]


@functools.lru_cache(maxsize=16)
def _positions(noise: MiniBatch, total: int) -> _Positions:
    return _Positions(noise, total)
