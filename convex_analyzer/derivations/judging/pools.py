"""Which numbers and matrices are tried, in which order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.values import context, sign_of

__all__ = ["SEQUENCE", "SPECIAL", "admissible", "generic", "is_negative", "matrix", "scalar"]


def _fractions(text: str) -> list[Any]:
    numbers = [Fraction(word) for word in text.split()]
    return [int(x) if x.denominator == 1 else x for x in numbers]


# Signs early, since √(g²) = g holds for positive g; 1/2 is its own complement, so it waits.
_REAL = _fractions("1 2 -1 3 -2 0 1/3 1/2 -1/3 3/2 -3 4 -1/2 2/3 5 -5")
_POSITIVE = _fractions("1 2 3 1/3 1/2 2/3 1/4 3/4 3/2 4 5 1/5 9/10 1/10 10 5/2 100 1/100")
_WHOLE = [1, 2, 0, 3, -1, 4, -2, 5, 6, 7]
SEQUENCE = (1, 2, -1, 3, 5, -2, 4, 7, -3, 6, 11, 8, -5)


def admissible(symbol: Any, value: Any) -> bool:
    """Whether a value satisfies the assumptions of a symbol."""
    whole = isinstance(value, int) or (isinstance(value, Fraction) and value.denominator == 1)
    if symbol.is_integer and not whole:
        return False
    if symbol.is_real is not True:
        return True
    sign = sign_of(value)
    return not (
        (symbol.is_positive and sign <= 0)
        or (symbol.is_negative and sign >= 0)
        or (symbol.is_nonnegative and sign < 0)
        or (symbol.is_nonpositive and sign > 0)
        or (symbol.is_zero is False and sign == 0)
    )


def is_negative(value: Any) -> bool:
    """Whether a value is a negative real number."""
    return not isinstance(value, complex) and getattr(value, "imag", 0) == 0 and value < 0


def scalar(symbol: Any, numbers: Sequence[Any] = ()) -> list[Any]:
    """Return values for a symbol, simple ones first.

    Parameters
    ----------
    symbol
        A SymPy symbol; its assumptions are respected.
    numbers
        Rationals that its constraints name: values at and around them are added.
    """
    if symbol.is_integer:
        values: list[Any] = list(_WHOLE)
    elif symbol.is_positive:
        values = list(_POSITIVE)
    elif symbol.is_nonnegative:
        values = [*_POSITIVE[:3], 0, *_POSITIVE[3:]]
    elif symbol.is_negative or symbol.is_nonpositive:
        values = [-v for v in _POSITIVE[:3]] + [0] + [-v for v in _POSITIVE[3:]]
    elif symbol.is_real is not True:
        unit = context().mpc(0, 1)
        values = [1, unit, 2, -1, 1 + unit, 2 - unit, 0]
    else:
        values = list(_REAL)
    ends = sorted({Fraction(int(n.p), int(n.q)) for n in numbers})
    for low, high in itertools.pairwise(ends):
        values += [low + (high - low) * Fraction(p, q) for p, q in ((1, 3), (1, 2), (3, 4))]
    for end in ends:
        values += [end, end + 1, end - 1, end + Fraction(1, 2), end - Fraction(1, 2), 2 * end]
    if symbol.is_real is not True:
        return values
    plain = [int(v) if Fraction(v).denominator == 1 else v for v in values]
    return [v for v in dict.fromkeys(plain) if admissible(symbol, v)]


def generic(symbol: Any, draws: random.Random) -> Any:
    """Return a value without anything special about it."""
    if symbol.is_integer:
        value: Any = draws.randint(2, 9)
    else:
        bottom = draws.choice((7, 9, 11, 13))
        value = Fraction(draws.randint(1, 4 * bottom), bottom)
        if draws.random() < 0.5:
            value = value / 4
    if symbol.is_negative or symbol.is_nonpositive:
        return -value
    if symbol.is_nonnegative or (symbol.is_integer and symbol.is_nonnegative is not False):
        return value
    return value if draws.random() < 0.5 else -value


Rows = tuple[tuple[Any, ...], ...]

_MIRRORS = (((1, 0), (0, -1)), ((-1, 0), (0, -1)), ((0, 1), (1, 0)))
_FLAT = (((1, 0), (0, 0)), ((1, 1), (1, 1)), ((0, 0), (0, 0)))
#: Matrices of order two that solve equations without being I or 0.
SPECIAL = {
    "matrix": (*_MIRRORS, ((0, 1), (0, 0)), ((0, -1), (1, 0)), *_FLAT),
    "symmetric matrix": (*_MIRRORS, *_FLAT),
    "positive semidefinite matrix": _FLAT,
    "positive definite matrix": (((1, 0), (0, 1)), ((2, 1), (1, 2)), ((1, 0), (0, 2))),
    "diagonal matrix": (*_MIRRORS[:2], _FLAT[0], _FLAT[2]),
    "orthogonal matrix": (*_MIRRORS, ((0, -1), (1, 0))),
    "identity matrix": (((1, 0), (0, 1)),),
    "vector": (((1,), (1,)), ((1,), (0,)), ((1,), (-1,)), ((0,), (1,)), ((0,), (0,))),
}

_TURNS = [Fraction(1, 2), Fraction(1, 3), Fraction(2), Fraction(-1, 2), Fraction(1), Fraction(0)]
_VECTORS = ((1, 2, 1), (1, 0, 2), (0, 1, -1), (2, -1, 1), (1, 1, 3), (-1, 3, 2), (1, -2, 0))
_SYMMETRIC = (
    (1, 1, 2, 0, 1, 3),
    (2, 1, 3, 1, 0, 1),
    (1, 2, 1, 1, -1, 2),
    (-1, 1, 2, 0, 2, 1),
    (0, 1, 1, 2, 1, -1),
    (2, 0, 1, 1, 1, 3),
)
_GENERAL = (
    (1, 2, 0, 0, 1, 1, 1, 0, 2),
    (1, 1, 2, 3, 2, 0, 0, 1, 1),
    (2, 0, 1, 1, 1, 0, 1, 2, 3),
    (0, 1, 1, 2, 1, -1, 1, 0, 1),
    (1, -1, 0, 2, 1, 1, 0, 3, 1),
)


def matrix(kind: str, order: int, place: int | None, draws: random.Random) -> Rows:
    """Return a small matrix or vector of a kind.

    Parameters
    ----------
    kind
        As in `convex_analyzer.parsing.symbols.Declaration`.
    order
        Rows.
    place
        Which of the prepared ones; None: one at random.
    """
    if kind == "vector":
        if place is None:
            return tuple((draws.randint(-4, 4),) for _ in range(order))
        return tuple((x,) for x in _VECTORS[place % len(_VECTORS)][:order])
    if kind == "orthogonal matrix":
        return _orthogonal(order, place if place is not None else draws.randrange(30))
    if kind == "diagonal matrix":
        shift = place if place is not None else draws.randrange(30)
        entries = [(1, 2, 3, -1, 5, 4)[(shift + i + shift // 6) % 6] for i in range(order)]
        return tuple(tuple(entries[i] if i == j else 0 for j in range(order)) for i in range(order))
    if kind == "identity matrix":
        return tuple(tuple(int(i == j) for j in range(order)) for i in range(order))
    if kind == "matrix":
        numbers = (
            [draws.randint(-3, 4) for _ in range(9)]
            if place is None
            else _GENERAL[place % len(_GENERAL)]
        )
        return tuple(tuple(numbers[3 * i + j] for j in range(order)) for i in range(order))
    chosen: Sequence[int] = (
        [draws.randint(-3, 4) for _ in range(6)]
        if place is None
        else _SYMMETRIC[place % len(_SYMMETRIC)]
    )
    spread = {(0, 0): 0, (0, 1): 1, (1, 1): 2, (0, 2): 3, (1, 2): 4, (2, 2): 5}
    rows = [[chosen[spread[min(i, j), max(i, j)]] for j in range(order)] for i in range(order)]
    if kind == "positive definite matrix" or kind == "positive semidefinite matrix":
        heavy = [sum(abs(x) for x in row) + 1 for row in rows]
        rows = [[heavy[i] if i == j else rows[i][j] for j in range(order)] for i in range(order)]
    return tuple(map(tuple, rows))


def _orthogonal(order: int, place: int) -> Rows:
    """Return a rational rotation, or a reflection: (1 - t², 2t)/(1 + t²) are cosine and sine."""
    t = _TURNS[place % len(_TURNS)]
    c, s = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    if order == 2:
        return ((c, -s), (s, c)) if place % 3 else ((c, s), (s, -c))
    turn = ((c, -s, 0), (s, c, 0), (0, 0, 1))
    v = _VECTORS[place % len(_VECTORS)]
    length = sum(x * x for x in v)
    mirror = [
        [Fraction(int(i == j)) - Fraction(2 * v[i] * v[j], length) for j in range(3)]
        for i in range(3)
    ]
    return tuple(
        tuple(sum(turn[i][k] * mirror[k][j] for k in range(3)) for j in range(3)) for i in range(3)
    )
