"""Points of cells: simple fractions, and roots of polynomials, rational or to 60 digits."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.clock import spend
from convex_analyzer.errors import NotDerivableError

__all__ = ["Number", "coefficients_at", "distinct", "is_rounded", "real_roots", "simplest_between",
           "value_at"]  # fmt: skip

Number = Fraction  # rounded to 60 digits where a border is irrational

_DIGITS = 60  # of irrational points
_ZERO = Fraction(1, 10**35)  # what is zero, at points of so many digits


def simplest_between(low: Any, high: Any) -> Fraction:
    """Return the fraction of the smallest denominator strictly between two numbers.

    Examples
    --------
    >>> simplest_between(Fraction(7, 10), Fraction(9, 10)), simplest_between(0, math.inf)
    (Fraction(3, 4), Fraction(1, 1))
    """
    if low < 0 < high:
        return Fraction(0)
    if high <= 0:
        return -simplest_between(-high, -low)
    whole = math.floor(low)
    if whole + 1 < high:
        return Fraction(whole + 1)
    if low == whole:
        rest = high - whole
        return Fraction(whole) + Fraction(1, math.floor(1 / rest) + 1)
    return Fraction(whole) + 1 / simplest_between(1 / (high - whole), 1 / (low - whole))


def is_rounded(value: Number) -> bool:
    """Return whether a fraction stands for an irrational number, to 60 digits."""
    return bool(value.denominator > 10 ** (_DIGITS // 2))


def distinct(roots: list[Number]) -> list[Number]:
    """Return roots in order, each once; of rounded and exact ones the exact."""
    found: list[Number] = []
    for root in sorted(roots):
        if not found or root - found[-1] > _ZERO * (1 + abs(root)):
            found.append(root)
        elif not is_rounded(root):
            found[-1] = root
    return found


def value_at(polynomial: Any, variables: Sequence[Any], point: Sequence[Number]) -> Number:
    """Return the value of a polynomial at a point."""
    return (coefficients_at(polynomial, variables, point) or [Fraction(0)])[0]


def coefficients_at(
    polynomial: Any, variables: Sequence[Any], prefix: Sequence[Number]
) -> list[Number]:
    """Return the coefficients in the next variable, from the highest power down."""
    place = len(prefix)
    powers: dict[int, Number] = {}
    terms = _terms(polynomial, tuple(variables))
    spend(10 * len(terms) * (1 + place))
    for monomial, number in terms:
        term = number
        for value, power in zip(prefix, monomial, strict=False):
            term *= value**power
        at = monomial[place] if place < len(monomial) else 0
        powers[at] = powers.get(at, Fraction(0)) + term
    if any(is_rounded(value) for value in prefix):
        powers = {k: v if abs(v) > _ZERO else Fraction(0) for k, v in powers.items()}
    top = max((k for k, v in powers.items() if v != 0), default=-1)
    return [powers.get(k, Fraction(0)) for k in range(top, -1, -1)]


@functools.lru_cache(maxsize=4096)
def _terms(polynomial: Any, variables: tuple[Any, ...]) -> list[tuple[tuple[int, ...], Fraction]]:
    import sympy

    terms = sympy.Poly(polynomial, *variables).terms()
    return [(monomial, Fraction(int(c.p), int(c.q))) for monomial, c in terms]


def real_roots(coefficients: list[Number]) -> list[Number]:
    """Return the real roots: rational ones exactly, others to 60 digits."""
    import sympy

    if len(coefficients) < 2:
        return []
    if len(coefficients) == 3:
        return _of_degree_two(*coefficients)
    if len(coefficients) == 2:
        return _by_numbers(coefficients)
    if any(is_rounded(c) for c in coefficients):
        return _by_numbers(coefficients)
    spend(1000 * len(coefficients))
    whole = sympy.Poly([sympy.Rational(c) for c in coefficients], sympy.Dummy("x"))
    found: list[Number] = []
    for factor, _ in whole.factor_list()[1]:
        found += _by_numbers([Fraction(int(c.p), int(c.q)) for c in factor.all_coeffs()])
    return found


def _of_degree_two(a: Number, b: Number, c: Number) -> list[Number]:
    square = b * b - 4 * a * c
    if any(is_rounded(value) for value in (a, b, c)) and abs(square) < _ZERO:
        square = Fraction(0)
    if square < 0:
        return []
    whole = square.numerator * square.denominator
    root = Fraction(math.isqrt(whole), square.denominator)
    if root * root != square:
        scale = 10 ** (_DIGITS + 10)
        root = Fraction(math.isqrt(whole * scale * scale), square.denominator * scale)
    return [_short((-b + sign * root) / (2 * a)) for sign in (-1, 1)]


def _by_numbers(coefficients: list[Number]) -> list[Number]:
    import mpmath

    if len(coefficients) == 2:
        return [_short(-coefficients[1] / coefficients[0])]
    spend(1000 * len(coefficients) ** 2)
    with mpmath.workdps(_DIGITS):
        given = [mpmath.mpf(c.numerator) / c.denominator for c in coefficients]
        try:
            roots = mpmath.polyroots(given, maxsteps=200, extraprec=200)
        except mpmath.libmp.libhyper.NoConvergence as error:
            raise NotDerivableError("the roots of a border could not be found") from error
        real = [root.real for root in roots if abs(root.imag) <= 1e-25 * (1 + abs(root))]
        return [Fraction(str(root)) for root in real]


def _short(value: Number) -> Number:
    return Fraction(round(value * 10**_DIGITS), 10**_DIGITS) if is_rounded(value) else value
