"""Numbers that lines are evaluated with: exact rationals, and 60 digits where a root is irrational.

A value is an `int`, a `Fraction`, an mpmath number (real, or complex where the text has i), a bool,
or a matrix: a tuple of rows.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from math import isqrt
from typing import Any

from convex_analyzer.derivations.judging.clock import spend

__all__ = [
    "Diverges",
    "NotReal",
    "Pole",
    "Singular",
    "Undefined",
    "Unknown",
    "agree",
    "context",
    "is_zero",
    "not_tiny",
    "plus",
    "power",
    "real",
    "sign_of",
    "times",
    "to_mp",
]

_DIGITS = 60
_CLOSE = 40  # digits to which irrational values must agree to count as equal
_MOST_BITS = 20_000
_SMALLEST = 1e-25  # of an exponential: 15 digits remain above the tolerance


class Undefined(Exception):  # noqa: N818  # a signal that is always caught, no error of a user
    """A value does not exist at this point: a pole, the root of a negative number, too large."""


class NotReal(Undefined):
    """The root of a negative number."""


class Pole(Undefined):
    """Something is divided by zero, or the logarithm of zero is taken."""


class Singular(Pole):
    """A matrix that has no inverse is inverted."""


class Unknown(Undefined):
    """There is a value, which is too small, too large or too much work to be had."""


class Diverges(Undefined):
    """An endless sum that has no value here."""


@functools.cache
def context() -> Any:
    """Return the arithmetic of 60 digits."""
    import mpmath

    arithmetic = mpmath.MPContext()
    arithmetic.dps = _DIGITS
    return arithmetic


@functools.cache
def _tolerance() -> Any:
    return context().mpf(10) ** -_CLOSE


def to_mp(value: Any) -> Any:
    """Return a number in the arithmetic of 60 digits."""
    if isinstance(value, Fraction):
        return context().mpf(value.numerator) / value.denominator
    return context().mpf(value) if isinstance(value, int) else value


def real(value: Any) -> Any:
    """Return a number that is meant to be real without its rounded imaginary part.

    Raises
    ------
    Undefined
        It is not real.
    """
    if isinstance(value, (int, Fraction)) or not hasattr(value, "imag"):
        return value
    if value.imag != 0 and abs(value.imag) > _tolerance() * max(1, abs(value)):
        raise NotReal("not real")
    return value.real


def is_zero(value: Any, scale: Any = 1) -> bool:
    """Whether a number is zero, to 40 digits of `scale` if it is irrational."""
    if isinstance(value, (int, Fraction)):
        return value == 0
    return bool(abs(value) <= _tolerance() * max(1, abs(scale)))


def plus(a: Any, b: Any) -> Any:
    """Return the sum of two numbers; a Fraction and an mpmath number do not add by themselves."""
    spend(2)
    try:
        return a + b
    except TypeError:
        return to_mp(a) + to_mp(b)


def times(a: Any, b: Any) -> Any:
    """Return the product of two numbers."""
    spend(2)
    try:
        return a * b
    except TypeError:
        return to_mp(a) * to_mp(b)


def agree(left: Any, right: Any) -> bool:
    """Whether two values are equal.

    Examples
    --------
    >>> agree(Fraction(1, 2), power(4, Fraction(-1, 2))), agree(((1, 0), (0, 1)), 1)
    (True, False)
    """
    if isinstance(left, tuple) or isinstance(right, tuple):
        if left == 0 or right == 0:  # people write 0 for the zero matrix
            full = right if left == 0 else left
            return all(is_zero(x) for row in full for x in row)
        if not isinstance(left, tuple) or not isinstance(right, tuple):
            return False
        if len(left) != len(right) or len(left[0]) != len(right[0]):
            return False
        pairs = zip(left, right, strict=True)
        return all(agree(a, b) for p, q in pairs for a, b in zip(p, q, strict=True))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, Fraction)) and isinstance(right, (int, Fraction)):
        return left == right
    spend(20)
    left, right = to_mp(left), to_mp(right)
    return is_zero(left - right, max(abs(left), abs(right)))


def sign_of(value: Any) -> int:
    """Return the sign of a real number, 0 within rounding."""
    value = real(value)
    if is_zero(value):
        return 0
    return 1 if value > 0 else -1


def _root(value: Fraction, degree: int) -> Fraction | None:
    """Return the exact root of a non-negative rational, or None."""
    parts = []
    for part in (value.numerator, value.denominator):
        guess = isqrt(part) if degree == 2 else round(part ** (1 / degree)) if part < 1e15 else 0
        if guess**degree != part:
            return None
        parts.append(guess)
    return Fraction(parts[0], parts[1])


def power(base: Any, exponent: Any, *, complex_numbers: bool = False) -> Any:
    """Return base to the exponent, exactly where it is rational.

    Raises
    ------
    Undefined
        A pole, a root of a negative number, or too large.

    Examples
    --------
    >>> power(Fraction(4, 9), Fraction(1, 2)), power(2, -3), power(0, 0)
    (Fraction(2, 3), Fraction(1, 8), 1)
    """
    spend(3)
    exponent = real(exponent)
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        exponent = exponent.numerator
    if isinstance(exponent, int):
        return _whole_power(base, exponent)
    if is_zero(base):
        if sign_of(exponent) > 0:
            return 0
        raise Pole("zero to a power that is not positive")
    if isinstance(base, (int, Fraction)) and isinstance(exponent, Fraction) and base > 0:
        if exponent.denominator > 12:
            return to_mp(base) ** to_mp(exponent)
        root = _root(Fraction(base), exponent.denominator)
        if root is not None:
            return _whole_power(root, exponent.numerator)
    spend(40)
    large = to_mp(base)
    if not complex_numbers and (getattr(large, "imag", 0) != 0 or large < 0):
        raise NotReal("root of a negative number")
    if abs(exponent) > _MOST_BITS:
        raise Unknown("too large")
    return not_tiny(large ** to_mp(exponent))


def not_tiny(value: Any) -> Any:
    """Return a rounded number, unless it is so small that rounding would make it zero.

    Raises
    ------
    Unknown
        It is not zero, and less than 10⁻²⁵.
    """
    if 0 < abs(value) < _SMALLEST:
        raise Unknown("too small to be told from zero")
    return value


def _whole_power(base: Any, exponent: int) -> Any:
    if exponent < 0:
        if is_zero(base):
            raise Pole("division by zero")
        base = Fraction(1, base) if isinstance(base, int) else 1 / base
        exponent = -exponent
    if isinstance(base, (int, Fraction)) and exponent > 1 and base not in (-1, 0, 1):
        size = max(abs(base.numerator), base.denominator).bit_length()
        if exponent * size > _MOST_BITS:
            raise Unknown("too large")
    return base**exponent
