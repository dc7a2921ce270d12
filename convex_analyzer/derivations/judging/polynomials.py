"""Polynomials as plain dictionaries: exponents may be negative or fractions, terms are few.

A monomial is a sorted tuple of (generator, exponent); a polynomial maps monomials to rationals. A
quotient keeps its denominator as factors, so that equal ones meet without being expanded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.clock import spend

__all__ = [
    "ONE",
    "ZERO",
    "Monomial",
    "Poly",
    "Quotient",
    "TooLarge",
    "constant",
    "generator",
    "monomial_product",
    "normalised",
    "poly_power",
    "poly_product",
    "poly_sum",
    "scaled",
]

Monomial = tuple[tuple[int, Any], ...]
Poly = dict[Monomial, Any]

_MOST_TERMS = 1500
_HIGHEST_POWER = 24


class TooLarge(Exception):  # noqa: N818  # a signal that is always caught, no error of a user
    """A normal form has too many terms to be worth it."""


def constant(number: Any) -> Poly:
    """Return a number as a polynomial."""
    return {(): number} if number else {}


def generator(index: int, exponent: Any = 1) -> Poly:
    """Return a power of one generator."""
    return {((index, exponent),): 1} if exponent else {(): 1}


def monomial_product(a: Monomial, b: Monomial) -> Monomial:
    """Return the product of two monomials.

    Examples
    --------
    >>> monomial_product(((0, 1), (2, 1)), ((0, -1), (1, 3)))
    ((1, 3), (2, 1))
    """
    if not a or not b:
        return a or b
    powers = dict(a)
    for index, exponent in b:
        total = powers.get(index, 0) + exponent
        if total:
            powers[index] = total
        else:
            del powers[index]
    return tuple(sorted(powers.items()))


def poly_sum(a: Poly, b: Poly, factor: Any = 1) -> Poly:
    """Return a + factor*b."""
    spend(1 + len(b))
    total = dict(a)
    for monomial, coefficient in b.items():
        value = total.get(monomial, 0) + factor * coefficient
        if value:
            total[monomial] = value
        else:
            total.pop(monomial, None)
    return total


def scaled(a: Poly, factor: Any, monomial: Monomial = ()) -> Poly:
    """Return a times a number and a monomial."""
    return {monomial_product(m, monomial): c * factor for m, c in a.items()} if factor else {}


def poly_product(a: Poly, b: Poly) -> Poly:
    """Return the product."""
    if len(a) * len(b) > _MOST_TERMS * 8:
        raise TooLarge
    spend(2 + 3 * len(a) * len(b))
    total: Poly = {}
    for m, c in a.items():
        for n, d in b.items():
            key = monomial_product(m, n)
            value = total.get(key, 0) + c * d
            if value:
                total[key] = value
            else:
                del total[key]
    if len(total) > _MOST_TERMS:
        raise TooLarge
    return total


def poly_power(a: Poly, exponent: int) -> Poly:
    """Return a whole power that is not negative."""
    if exponent == 0:
        return {(): 1}
    if len(a) == 1:
        ((monomial, coefficient),) = a.items()
        return {tuple((i, e * exponent) for i, e in monomial): coefficient**exponent}
    if exponent > _HIGHEST_POWER:
        raise TooLarge
    result: Poly = {(): 1}
    for _ in range(exponent):
        result = poly_product(result, a)
    return result


def _key(a: Poly) -> tuple[tuple[Monomial, Any], ...]:
    return tuple(sorted(a.items(), key=lambda item: (len(item[0]), item[0])))


def normalised(a: Poly) -> tuple[Any, Monomial, Poly]:
    """Return (number, monomial, rest) with a as their product; no generator divides the rest.

    The rest has whole coefficients without a common divisor, the first one positive.

    Examples
    --------
    >>> normalised({((0, 1),): -2, ((0, 2),): 4})
    (Fraction(-2, 1), ((0, 1),), {(): 1, ((0, 1),): -2})
    """
    from math import gcd, lcm

    lowest: dict[int, Any] = {}
    for position, monomial in enumerate(a):
        powers = dict(monomial)
        for index in set(lowest) | set(powers) if position else powers:
            here = powers.get(index, 0)
            lowest[index] = min(lowest.get(index, 0), here) if position else here
    common = tuple(sorted((i, e) for i, e in lowest.items() if e))
    inverse = tuple((i, -e) for i, e in common)
    rest = {monomial_product(m, inverse): c for m, c in a.items()}
    bottom = lcm(*(Fraction(c).denominator for c in rest.values()))
    top = gcd(*(int(c * bottom) for c in rest.values()))
    content = Fraction(top, bottom)
    first = _key(rest)[0][1]
    if first < 0:
        content = -content
    return content, common, {m: int(c / content) for m, c in rest.items()}


@dataclass(frozen=True)
class Quotient:
    """A numerator over factors.

    Attributes
    ----------
    top
        Expanded.
    bottom
        Normalised polynomials with two terms or more, as sorted items, with their multiplicities.
    """

    top: Poly
    bottom: Mapping[tuple[tuple[Monomial, Any], ...], int]

    @property
    def is_zero(self) -> bool:
        """Whether the numerator has no terms."""
        return not self.top

    def number(self) -> Any:
        """Return the rational number that it is, or None."""
        if self.bottom or any(self.top):
            return None
        return self.top.get((), 0)

    def whole(self) -> Poly | None:
        """Return the polynomial that it is, or None."""
        return None if self.bottom else self.top

    def __add__(self, other: Quotient) -> Quotient:
        if self.bottom == other.bottom:
            return Quotient(poly_sum(self.top, other.top), self.bottom)
        joined = dict(self.bottom)
        for key, count in other.bottom.items():
            joined[key] = max(joined.get(key, 0), count)
        return Quotient(poly_sum(self._over(joined), other._over(joined)), joined)

    def _over(self, joined: Mapping[tuple[tuple[Monomial, Any], ...], int]) -> Poly:
        top = self.top
        for key, count in joined.items():
            missing = count - self.bottom.get(key, 0)
            if missing:
                top = poly_product(top, poly_power(dict(key), missing))
        return top

    def __neg__(self) -> Quotient:
        return Quotient(scaled(self.top, -1), self.bottom)

    def __sub__(self, other: Quotient) -> Quotient:
        return self + (-other)

    def __mul__(self, other: Quotient) -> Quotient:
        top = poly_product(self.top, other.top)
        if not self.bottom and not other.bottom:
            return Quotient(top, self.bottom)
        joined = dict(self.bottom)
        for key, count in other.bottom.items():
            joined[key] = joined.get(key, 0) + count
        return Quotient(top, joined)

    def inverse(self) -> Quotient:
        """Return one over it.

        Raises
        ------
        ZeroDivisionError
            It is zero.
        """
        if not self.top:
            raise ZeroDivisionError
        number, common, rest = normalised(self.top)
        top: Poly = {tuple((i, -e) for i, e in common): 1 / Fraction(number)}
        for key, count in self.bottom.items():
            top = poly_product(top, poly_power(dict(key), count))
        return Quotient(top, {} if len(rest) == 1 else {_key(rest): 1})

    def __pow__(self, exponent: int) -> Quotient:
        if exponent < 0:
            return self.inverse() ** -exponent
        if exponent == 0:
            return ONE
        bottom = {key: count * exponent for key, count in self.bottom.items()}
        return Quotient(poly_power(self.top, exponent), bottom)


ZERO = Quotient({}, {})
ONE = Quotient({(): 1}, {})
