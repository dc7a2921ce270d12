"""Small matrices of exact numbers: tuples of rows; a matrix with one entry is that entry."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.values import (
    Singular,
    Undefined,
    Unknown,
    is_zero,
    plus,
    times,
)

__all__ = [
    "add",
    "determinant",
    "identity",
    "multiply",
    "power",
    "simple",
    "trace",
    "transpose",
]

Matrix = tuple[tuple[Any, ...], ...]


def simple(matrix: Matrix) -> Any:
    """Return a matrix, or its entry when there is only one."""
    return matrix[0][0] if len(matrix) == 1 and len(matrix[0]) == 1 else matrix


def identity(n: int) -> Matrix:
    """Return the identity of order n."""
    return tuple(tuple(int(i == j) for j in range(n)) for i in range(n))


def add(a: Any, b: Any) -> Any:
    """Return the sum of two matrices; a number other than 0 has no sum with a matrix."""
    if not isinstance(a, tuple) or not isinstance(b, tuple):
        number = b if isinstance(a, tuple) else a
        if is_zero(number):
            return a if isinstance(a, tuple) else b
        raise Undefined("a number plus a matrix")
    if len(a) != len(b) or len(a[0]) != len(b[0]):
        raise Undefined("shapes differ")
    pairs = zip(a, b, strict=True)
    return tuple(tuple(plus(x, y) for x, y in zip(r, s, strict=True)) for r, s in pairs)


def multiply(a: Any, b: Any) -> Any:
    """Return a product; one factor may be a number.

    Examples
    --------
    >>> multiply(((1, 2),), ((3,), (4,))), multiply(2, ((1, 0), (0, 1)))
    (11, ((2, 0), (0, 2)))
    """
    if not isinstance(a, tuple):
        return tuple(tuple(times(a, x) for x in row) for row in b)
    if not isinstance(b, tuple):
        return tuple(tuple(times(x, b) for x in row) for row in a)
    if len(a[0]) != len(b):
        raise Undefined("shapes differ")
    columns = list(zip(*b, strict=True))
    return simple(tuple(tuple(_dot(row, column) for column in columns) for row in a))


def _dot(row: tuple[Any, ...], column: tuple[Any, ...]) -> Any:
    try:
        return sum(x * y for x, y in zip(row, column, strict=True))
    except TypeError:
        total: Any = 0
        for x, y in zip(row, column, strict=True):
            total = plus(total, times(x, y))
        return total


def transpose(a: Any) -> Any:
    """Return the transpose."""
    return tuple(zip(*a, strict=True)) if isinstance(a, tuple) else a


def trace(a: Any) -> Any:
    """Return the sum of the diagonal."""
    return sum(a[i][i] for i in range(len(a))) if isinstance(a, tuple) else a


def determinant(a: Any) -> Any:
    """Return the determinant, by cofactors: nothing is divided.

    Examples
    --------
    >>> determinant(((1, 2), (3, 4)))
    -2
    """
    if not isinstance(a, tuple):
        return a
    if len(a) != len(a[0]):
        raise Undefined("the determinant of a matrix that is not square")
    if len(a) == 1:
        return a[0][0]
    total: Any = 0
    for j, entry in enumerate(a[0]):
        minor = tuple(row[:j] + row[j + 1 :] for row in a[1:])
        total = plus(total, times((-1) ** j * entry, determinant(minor)))
    return total


def _inverse(a: Matrix) -> Matrix:
    size, whole = len(a), determinant(a)
    if is_zero(whole):
        raise Singular("a singular matrix")
    scale = Fraction(1) / whole if isinstance(whole, (int, Fraction)) else 1 / whole

    def cofactor(i: int, j: int) -> Any:
        minor = tuple(r[:j] + r[j + 1 :] for k, r in enumerate(a) if k != i)
        return times((-1) ** (i + j) * (determinant(minor) if minor and minor[0] else 1), scale)

    return tuple(tuple(cofactor(j, i) for j in range(size)) for i in range(size))


def power(a: Matrix, exponent: Any) -> Any:
    """Return a whole power of a square matrix."""
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        exponent = exponent.numerator
    if len(a) != len(a[0]):
        raise Undefined("a power of a matrix that is not square")
    if not isinstance(exponent, int) or abs(exponent) > 64:
        raise Unknown("this power of a matrix")
    base = _inverse(a) if exponent < 0 else a
    result: Any = identity(len(a))
    for _ in range(abs(exponent)):
        result = multiply(result, base)
    return result
