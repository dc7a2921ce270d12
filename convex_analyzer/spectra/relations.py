"""Near-dependencies among columns as short equations: ``x3 ≈ 2·x7 − x1``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.tables import format_number

__all__ = ["Relation", "relations_among"]

Array = npt.NDArray[np.float64]

_SHOWN = 5  # terms of an equation that are written out
_WORSE = 2.0  # a shorter equation may leave this many times what the whole one leaves
_FAR_WORSE = 5.0  # times what rounding leaves, which is not worth a longer equation
_PRUNED = 40  # terms up to which each one is tried without


@dataclass(frozen=True)
class Relation:
    """One column as a combination of others.

    Attributes
    ----------
    column
        The column on the left.
    terms
        Columns on the right, largest part first.
    coefficients
        Their coefficients, in the units of the data.
    constant
        What is added; 0 without an intercept.
    unexplained
        |left - right| / |left|, about the mean when there is an intercept; 0 for an exact one.
    condition_index
        σmax/σ of the direction that it comes from; infinite for an exact one.
    is_exact
        Whether the two sides agree to rounding.
    """

    column: str
    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
    constant: float
    unexplained: float
    condition_index: float
    is_exact: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that take part, the left one first."""
        return (self.column, *self.terms)

    @property
    def explained(self) -> float:
        """R² of the equation."""
        return 1 - self.unexplained**2

    @property
    def equation(self) -> str:
        """The equation in one line.

        Examples
        --------
        >>> Relation("x3", ("x7", "x1"), (2.0, -1.0), 0.0, 0.01, 80.0, False).equation
        'x3 ≈ 2·x7 − x1'
        """
        parts: list[str] = []
        for name, value in list(zip(self.terms, self.coefficients, strict=True))[:_SHOWN]:
            size = format_number(abs(value), 3)
            parts.append(_signed(name if size == "1" else f"{size}·{name}", value, bool(parts)))
        more = len(self.terms) - _SHOWN
        if more > 0:
            parts.append(f" + {more} more")
        if self.constant:
            size = format_number(abs(self.constant), 3)
            parts.append(_signed(size, self.constant, bool(parts)))
        sign = "=" if self.is_exact else "≈"
        return f"{self.column} {sign} {''.join(parts) or '0'}"

    def __str__(self) -> str:
        if self.is_exact:
            return f"{self.equation} (exactly, up to rounding)"
        rest = 100 * self.unexplained**2
        share = f"all but {format_number(rest, 1)}" if rest < 1 else format_number(100 - rest, 3)
        return f"{self.equation} (explains {share} % of its variation)"


def _signed(text: str, value: float, follows: bool) -> str:
    minus = value < 0
    if follows:
        return f" {'−' if minus else '+'} {text}"
    return f"−{text}" if minus else text


def relations_among(
    columns: Array,
    labels: Sequence[str],
    directions: Array,
    indices: Array,
    floor: float,
    *,
    sizes: Array,
    means: Array,
) -> tuple[Relation, ...]:
    """Return one equation for each weak direction, strongest first.

    As many columns as there are weak directions are chosen as left sides, by QR with pivoting of
    the weak singular vectors (Golub, Klema & Stewart 1976); none of them appears on the right. The
    right side is then shortened as long as what it leaves unexplained at most doubles.

    Parameters
    ----------
    columns
        Unit length, shape (n, d).
    labels
        Their names.
    directions
        Right singular vectors of small singular values, shape (d, r).
    indices
        Their condition indices, shape (r,).
    floor
        Relative size of a residual that is rounding.
    sizes, means
        Length that each column had, and its mean that was taken off, shape (d,).
    """
    if not directions.shape[1]:
        return ()
    from scipy.linalg import qr

    count = directions.shape[1]
    pivots = np.asarray(qr(directions.T, mode="r", pivoting=True)[1][:count], dtype=int)
    rest = np.setdiff1d(np.arange(len(labels)), pivots)
    tall = len(columns) > len(labels)
    factor: Array = np.asarray(np.linalg.qr(columns, mode="r")) if tall else columns
    found = []
    for left in pivots:
        kept, weights, residual = _shortest(factor, int(left), rest, floor)
        scaled = weights * sizes[left] / sizes[kept]
        order = np.argsort(-np.abs(weights), kind="stable")
        constant = float(means[left] - scaled @ means[kept])
        size = float(abs(means[left]) + np.abs(scaled) @ np.abs(means[kept]))
        noise = 3 * residual * float(sizes[left]) / math.sqrt(len(columns))
        exact = residual <= floor
        found.append(
            Relation(
                labels[left],
                tuple(labels[k] for k in kept[order]),
                tuple(float(v) for v in scaled[order]),
                constant if abs(constant) > max(1e-9 * size, noise) else 0.0,
                0.0 if exact else residual,
                _index_of(left, directions, indices),
                exact,
            )
        )
    return tuple(sorted(found, key=lambda relation: (relation.unexplained, relation.column)))


def _index_of(left: int, directions: Array, indices: Array) -> float:
    """Return the largest index among the directions in which the column has a real part."""
    parts = np.abs(directions[left])
    return float(np.max(indices[parts >= 0.3 * parts.max()], initial=1.0))


def _shortest(
    factor: Array, left: int, rest: npt.NDArray[np.intp], floor: float
) -> tuple[npt.NDArray[np.intp], Array, float]:
    """Return the columns, coefficients and residual of a short fit to one column."""
    target = factor[:, left]
    weights, whole = _fit(factor, rest, target)
    goal = max(_WORSE * whole, _FAR_WORSE * floor)
    order = rest[np.argsort(-np.abs(weights), kind="stable")]
    low, high = 0, len(order)  # the fit with `high` leading columns is good enough
    while high - low > 1:
        middle = (low + high) // 2
        if _fit(factor, order[:middle], target)[1] <= goal:
            high = middle
        else:
            low = middle
    kept = order[:high]
    for name in reversed(kept.tolist()) if len(kept) <= _PRUNED else ():
        fewer = kept[kept != name]
        if _fit(factor, fewer, target)[1] <= goal:
            kept = fewer
    weights, residual = _fit(factor, kept, target)
    return kept, weights, residual


def _fit(factor: Array, kept: npt.NDArray[np.intp], target: Array) -> tuple[Array, float]:
    if not len(kept):
        return np.zeros(0), math.sqrt(float(target @ target))
    weights: Array = np.asarray(np.linalg.lstsq(factor[:, kept], target, rcond=None)[0])
    return weights, float(np.linalg.norm(target - factor[:, kept] @ weights))
