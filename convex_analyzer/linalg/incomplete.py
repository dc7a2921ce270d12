"""Incomplete Cholesky factors with the pattern of the matrix, and what stops them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from convex_analyzer.errors import InputError
from convex_analyzer.tables import format_number

__all__ = ["IncompleteFactor", "incomplete_cholesky"]

_SMALLEST = 1e-14  # of a diagonal entry: a smaller pivot is rounding


@dataclass(frozen=True)
class IncompleteFactor:
    """A lower triangular factor L with L Lᵀ ≈ A, or where its construction broke down.

    Attributes
    ----------
    lower
        A scipy.sparse array, shape (d, d); None after a breakdown.
    row
        The row whose pivot was not positive, or None.
    pivot
        That pivot, relative to the diagonal entry; None when nothing broke down.
    shift
        The diagonal was multiplied by 1 + shift.
    """

    lower: Any
    row: int | None
    pivot: float | None
    shift: float

    @property
    def breakdown(self) -> str | None:
        """What went wrong, in a sentence; None when nothing did."""
        if self.row is None or self.pivot is None:
            return None
        return (
            f"the incomplete factorisation breaks down in row {self.row} (pivot "
            f"{format_number(self.pivot, 3)} of the diagonal); a shift of the diagonal helps"
        )


def incomplete_cholesky(matrix: Any, shift: float = 0.0) -> IncompleteFactor:
    """Return the incomplete Cholesky factor without fill, IC(0).

    Entries outside the pattern of A are dropped as they arise. It exists for every M-matrix
    (Meijerink & van der Vorst 1977) and every H-matrix with positive diagonal (Manteuffel 1980),
    but not for every positive definite matrix; a larger `shift` always works in the end.

    Parameters
    ----------
    matrix
        Symmetric, scipy.sparse, shape (d, d).
    shift
        At least 0: factor A + shift·diag(A) instead.

    Raises
    ------
    InputError
        A negative shift.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> incomplete_cholesky(csr_array([[4.0, 2.0], [2.0, 5.0]])).lower.toarray()
    array([[2., 0.],
           [1., 2.]])
    """
    from scipy.sparse import csr_array, tril

    if not (math.isfinite(shift) and shift >= 0):
        raise InputError(f"shift must be at least 0, got {shift!r}", argument="shift", value=shift)
    lower = csr_array(tril(matrix, format="csr"))
    lower.sort_indices()
    starts, columns = lower.indptr.tolist(), lower.indices.tolist()
    values = lower.data.tolist()
    rows: list[dict[int, float]] = []
    pivots: list[float] = []
    for i in range(lower.shape[0]):
        entries = dict(zip(columns[starts[i] : starts[i + 1]], values[starts[i] : starts[i + 1]],
                           strict=True))  # fmt: skip
        diagonal = entries.pop(i, 0.0)
        row: dict[int, float] = {}
        for k, entry in entries.items():  # ascending
            other = rows[k]
            short, long = (row, other) if len(row) < len(other) else (other, row)
            dropped = sum(value * long[j] for j, value in short.items() if j in long)
            row[k] = (entry - dropped) / pivots[k]
        pivot = diagonal * (1 + shift) - sum(value * value for value in row.values())
        if not pivot > _SMALLEST * abs(diagonal):
            share = pivot / abs(diagonal) if diagonal else -math.inf
            return IncompleteFactor(None, i, share, shift)
        rows.append(row)
        pivots.append(math.sqrt(pivot))
    data = [v for row, p in zip(rows, pivots, strict=True) for v in (*row.values(), p)]
    index = [j for i, row in enumerate(rows) for j in (*row, i)]
    count = [0]
    for row in rows:
        count.append(count[-1] + len(row) + 1)
    return IncompleteFactor(csr_array((data, index, count), shape=lower.shape), None, None, shift)
