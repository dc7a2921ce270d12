"""What two consecutive steps say together: cosines, updates, curvature along the update."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.recording.store import Store
from convex_analyzer.diagnosis.recording.trees import Sampler, inner, norm

__all__ = ["Consecutive"]

Array = NDArray[np.float64]
AnyArray = NDArray[Any]
Vectors = tuple[AnyArray | None, AnyArray | None, AnyArray | None]


class Consecutive:
    """The gradient and the parameters of the last step, as far as they are kept."""

    def __init__(self) -> None:
        self.step = -2
        self.gradient: AnyArray | None = None
        self.theta: AnyArray | None = None
        self.length = math.nan
        self.scale = 1.0
        self.whole: Array | None = None  # all parameters, where the next step is to be probed
        self.exact = False

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        kept = (self.gradient, self.theta, self.whole)
        return sum(array.nbytes for array in kept if array is not None)

    @property
    def final(self) -> tuple[int, AnyArray] | None:
        """The last step and its parameters, when all of them are kept."""
        return (self.step, self.theta) if self.exact and self.theta is not None else None

    def advance(
        self,
        store: Store,
        sampler: Sampler,
        row: dict[str, float],
        step: int,
        vectors: Vectors,
        scale: float,
    ) -> None:
        """Complete the row of the step before, and write that of this one.

        Parameters
        ----------
        store, sampler, row, step
            Where to, how the vectors were taken, what is known of this step already.
        vectors
            Gradient, parameters and update of this step; None where unknown.
        scale
            By what the gradient is too long.
        """
        gradient, theta, delta = vectors
        follows = step == self.step + 1
        if follows and theta is not None and self.theta is not None:
            self._moved(store, theta - self.theta, gradient, step, scale)
        if theta is not None:
            row["parameter_norm"] = norm(theta)
        length = math.nan
        if gradient is not None:
            parts = [part / scale for part in sampler.norms(gradient)]
            length = math.hypot(*parts)
            row["gradient_norm"] = length
            if follows and self.gradient is not None:
                cosine = _cosine(gradient, self.gradient, length * scale, self.length * self.scale)
                if cosine is not None:
                    row["gradient_cosine"] = cosine
            if store.layers is not None:
                store.layers.add(step, dict(zip(store.layers.columns, parts, strict=True)))
        if delta is not None:
            row["update_norm"] = norm(delta)
            if gradient is not None:
                row["predicted_decrease"] = -_dot(gradient, delta) / scale
        store.main.add(step, row)
        self.step, self.gradient, self.theta = step, gradient, theta
        self.length, self.scale, self.exact = length, scale, sampler.exact

    def _moved(
        self, store: Store, delta: AnyArray, gradient: AnyArray | None, step: int, scale: float
    ) -> None:
        length = norm(delta)
        row = {"update_norm": length}
        if self.gradient is not None:
            row["predicted_decrease"] = -_dot(self.gradient, delta) / self.scale
            if gradient is not None and length > 0 and store.full_batch:
                ahead, before = _dot(gradient, delta) / scale, row["predicted_decrease"]
                row["update_curvature"] = (ahead + before) / length / length
        store.main.add(step - 1, row)


def _dot(a: AnyArray, b: AnyArray) -> float:
    product = inner(a, b)
    if math.isfinite(product) and product != 0:
        return product
    return float(np.dot(a.astype(np.float64), b.astype(np.float64)))


def _cosine(a: AnyArray, b: AnyArray, length: float, other: float) -> float | None:
    """Return the cosine; None where one of the two is zero."""
    if length == 0 or other == 0:
        return None
    product = inner(a, b)
    if not 1e-30 < abs(product) < math.inf:  # squares that leave the range of single precision
        product = float(np.dot(a.astype(np.float64), b / np.float64(other))) * other
    return max(-1.0, min(1.0, product / length / other)) if math.isfinite(product) else math.nan
