"""How many eigenvalues of an exact symmetric matrix are negative, zero and positive.

Sylvester's law of inertia, by a factorisation without fractions (Bareiss 1968): every number is a
minor of the integer matrix, so nothing is rounded and every division is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

__all__ = ["Inertia", "inertia", "shifted", "to_integers"]

Inertia = tuple[int, int, int]


def to_integers(matrix: Sequence[Sequence[Any]]) -> tuple[list[list[int]], int]:
    """Return integers N and a common denominator q with A = N/q.

    Parameters
    ----------
    matrix
        Rows of floats, integers or fractions: numbers whose ``as_integer_ratio`` is exact.
    """
    rows = [[Fraction(*entry.as_integer_ratio()) for entry in row] for row in matrix]
    common = math.lcm(*(entry.denominator for row in rows for entry in row))
    return [[int(entry * common) for entry in row] for row in rows], common


def shifted(matrix: list[list[int]], denominator: int, shift: Fraction) -> list[list[int]]:
    """Return the integers of q p (A - σ I), for A = N/q and σ = r/p."""
    top, bottom = shift.numerator * denominator, shift.denominator
    return [
        [entry * bottom - (top if i == j else 0) for j, entry in enumerate(row)]
        for i, row in enumerate(matrix)
    ]


def inertia(matrix: Sequence[Sequence[int]]) -> Inertia:
    """Return the numbers of negative, zero and positive eigenvalues of a symmetric integer matrix.

    Examples
    --------
    >>> inertia([[0, 1], [1, 0]]), inertia([[1, 1], [1, 1]])
    ((1, 0, 1), (0, 1, 1))
    """
    rows = [list(row) for row in matrix]
    negative = positive = 0
    before = 1
    for step in range(len(rows)):
        if not _bring_pivot(rows, step):
            return negative, len(rows) - step, positive
        pivot = rows[step][step]
        # Minors: the pivot of A itself is this one over the one before.
        if (pivot > 0) == (before > 0):
            positive += 1
        else:
            negative += 1
        _eliminate(rows, step, before)
        before = pivot
    return negative, 0, positive


def _bring_pivot(rows: list[list[int]], step: int) -> bool:
    """Bring a non-zero number onto the diagonal by a congruence; False when nothing is left."""
    size = len(rows)
    # The smallest number keeps the others small.
    found = [i for i in range(step, size) if rows[i][i]]
    if found:
        best = min(found, key=lambda i: abs(rows[i][i]))
        rows[step], rows[best] = rows[best], rows[step]
        for row in rows[step:]:
            row[step], row[best] = row[best], row[step]
        return True
    for i in range(step, size):
        for j in range(step, size):
            if rows[i][j]:  # row i becomes row i + row j, and columns alike: 2 a_ij on the diagonal
                rows[i] = [a + b for a, b in zip(rows[i], rows[j], strict=True)]
                for row in rows[step:]:
                    row[i] += row[j]
                return _bring_pivot(rows, step)
    return False


def _eliminate(rows: list[list[int]], step: int, before: int) -> None:
    """Replace what is right of and below the pivot by minors one larger."""
    pivot, top = rows[step][step], rows[step]
    size = len(rows)
    for i in range(step + 1, size):
        row, factor = rows[i], rows[i][step]
        for j in range(step + 1, i + 1):
            row[j] = (row[j] * pivot - factor * top[j]) // before
    for i in range(step + 1, size):
        for j in range(step + 1, i):
            rows[j][i] = rows[i][j]
