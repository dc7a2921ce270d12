"""Powers in the normal form: roots by sign, symbolic exponents collected."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.field import Factors, Field, Generator
from convex_analyzer.derivations.judging.polynomials import (
    ONE,
    Poly,
    Quotient,
    TooLarge,
    constant,
    generator,
    poly_product,
    scaled,
)

__all__ = ["inside_of", "raised"]

_LARGEST_NUMBER = 10**15


def raised(field: Field, base: Quotient, exponent: Quotient) -> Quotient:
    """Return base to the exponent.

    Raises
    ------
    TooLarge
        It has no normal form: the sign of the base decides, and is not known.
    """
    number = exponent.number()
    if number is not None and Fraction(number).denominator == 1:
        return base ** int(number)
    power = exponent.whole()
    if power is None:
        power = _as_generator(field, exponent)
    top = field.reduced(base.top)
    if not top:
        return Quotient({}, {}) if number is not None and number > 0 else _opaque()
    parts = _Parts(field, power)
    parts.include(field.factors(top), 1)
    for bottom, count in base.bottom.items():
        parts.include(field.factors(dict(bottom)), -count)
    return parts.result()


def inside_of(base: Any) -> Poly:
    """Return the base of a power as a polynomial."""
    kind, what = base
    if kind == "prime":
        return constant(what)
    return generator(what) if kind == "gen" else dict(what)


def _opaque() -> Quotient:
    raise TooLarge


def _as_generator(field: Field, exponent: Quotient) -> Poly:
    """Return an exponent that is no polynomial as one generator."""
    free = field.free(exponent.top) | frozenset().union(
        *(field.free(dict(k)) for k in exponent.bottom)
    )
    signs = frozenset((-1, 0, 1))
    return generator(field.index(Generator(("quotient", field.key(exponent)), signs, free)))


class _Parts:
    """Collects the powers of the factors of one base."""

    def __init__(self, field: Field, power: Poly) -> None:
        self.field, self.power = field, power
        self.value = ONE
        self.inside: Poly = {(): 1}  # what stays under a square root, of unknown sign
        self.negative = False
        symbols = [i for m in power for i, _ in m]
        integers = all(Fraction(c).denominator == 1 for c in power.values())
        self.whole = integers and all(field.generators[i].whole for i in symbols) and all(
            e > 0 and e % 1 == 0 for m in power for _, e in m
        )  # fmt: skip

    def include(self, parts: Factors, side: int) -> None:
        """Take in a product of factors, or one over it."""
        number = Fraction(parts.number)
        self._number(abs(number), side)
        if number < 0:
            self.negative = not self.negative
        for index, exponent in parts.monomial:
            self._generator(index, exponent * side)
        for key, count in parts.rest:
            self._factor(("poly", key), dict(key), count * side)

    def result(self) -> Quotient:
        """Return the product of all powers."""
        field = self.field
        if self.negative and self.whole:
            self._minus_one()
            self.negative = False
        if self.negative:
            self.inside = scaled(self.inside, -1)
        if self.inside == {(): 1}:
            return self.value
        half = self.power.get((), 0)
        if len(self.power) > 1 or Fraction(half).denominator != 2:
            raise TooLarge
        rest = int(half - Fraction(1, 2))
        inside = Quotient(self.inside, {})
        return self.value * field.root(self.inside) * inside**rest

    def _minus_one(self) -> None:
        for monomial, coefficient in self.power.items():
            if coefficient % 2 == 0:
                continue
            if monomial == ():
                self.value = -self.value
            else:
                odd = tuple((i, 1) for i, _ in monomial)  # k² is odd when k is
                free = self.field.free({odd: 1})
                self.value = self.value * self.field.sign_generator(("minus", odd), free)

    def _number(self, number: Fraction, side: int) -> None:
        from sympy import factorint

        if number.numerator > _LARGEST_NUMBER or number.denominator > _LARGEST_NUMBER:
            raise TooLarge
        for part, sign in ((number.numerator, side), (number.denominator, -side)):
            if part == 1:
                continue
            for prime, count in factorint(part).items():
                p = int(prime)
                self._emit(("prime", p), self.field.prime(p), sign * count, signed=True)

    def _generator(self, index: int, exponent: Any) -> None:
        """Take in a generator to a power; powers of powers multiply."""
        field = self.field
        new = field.generators[index]
        match new.key:
            case ("pow", base, monomial) if new.signs <= {0, 1} or self.whole:
                inner = {monomial: exponent}
                own = base[1] if base[0] == "gen" else None
                if base[0] == "prime":
                    own = field.prime(base[1])
                power = poly_product(inner, self.power)
                self._power(base, own, power, signed=new.signs <= {0, 1})
                return
            case ("exp", monomial):
                for m, c in poly_product({monomial: exponent}, self.power).items():
                    fresh = Generator(("exp", m), frozenset((1,)), field.free({m: 1}))
                    self.value = self.value * Quotient(generator(field.index(fresh), c), {})
                return
            case ("root", key) if exponent % 1 == 0:
                self._factor(("poly", key), dict(key), Fraction(exponent) / 2)
                return
            case ("minus", _) | ("sign", _) if self.whole and all(
                (exponent * c) % 2 == 0 for c in self.power.values()
            ):
                return
        if new.signs <= {0, 1} or self.whole:
            self._emit(("gen", index), index, exponent, signed=new.signs <= {0, 1})
        else:
            self._unsigned(generator(index), exponent)

    def _factor(self, key: Any, factor: Poly, count: Any) -> None:
        signs = self.field.signs(factor)
        if signs <= {-1, 0} and not self.whole and Fraction(count).denominator == 1:
            if count % 2:
                self.negative = not self.negative
            factor = scaled(factor, -1)
            key, signs = ("poly", tuple((m, -c) for m, c in key[1])), frozenset((0, 1))
        if signs <= {0, 1} or self.whole or Fraction(count).denominator == 2:
            self._emit(key, None, count, signed=signs <= {0, 1} or Fraction(count).denominator == 2)
        else:
            self._unsigned(factor, count)

    def _unsigned(self, factor: Poly, count: Any) -> None:
        """Take in a factor of unknown sign under a square root: pairs leave it as |factor|."""
        half = self.power.get((), 0)
        if len(self.power) > 1 or Fraction(half).denominator != 2 or count % 1:
            raise TooLarge
        pairs, single = divmod(int(count), 2)
        size = Quotient(factor, {}) * self.field.sign(factor)
        self.value = self.value * size ** int(pairs * 2 * half)
        if single:
            self.inside = poly_product(self.inside, factor)

    def _emit(self, base: Any, own: int | None, count: Any, *, signed: bool) -> None:
        self._power(base, own, scaled(self.power, count), signed=signed)

    def _power(self, base: Any, own: int | None, power: Poly, *, signed: bool) -> None:
        """Multiply by a base to a polynomial exponent."""
        for monomial, coefficient in power.items():
            plain = int(coefficient) if Fraction(coefficient).denominator == 1 else coefficient
            if monomial == () and own is not None:
                factor = Quotient(generator(own, plain), {})
            elif monomial == ():
                factor = self._numeric(dict(base[1]), plain)
            else:
                factor = Quotient(
                    generator(self._symbolic(base, monomial, signed=signed), plain), {}
                )
            self.value = self.value * factor

    def _numeric(self, factor: Poly, exponent: Any) -> Quotient:
        whole = exponent // 1
        rest = exponent - whole
        value = Quotient(factor, {}) ** int(whole)
        if rest == 0:
            return value
        if rest != Fraction(1, 2):
            raise TooLarge
        return value * self.field.root(factor)

    def _symbolic(self, base: Any, monomial: Any, *, signed: bool) -> int:
        """Return the generator base**monomial, with what is known of its size."""
        field = self.field
        inside = inside_of(base)
        free = field.free(inside) | field.free({monomial: 1})
        zero = 0 in field.signs(inside)
        signs = frozenset((0, 1) if zero else (1,)) if signed else frozenset((-1, 0, 1))
        if not zero and not signed:
            signs = frozenset((-1, 1))
        count = len(field.generators)
        index = field.index(Generator(("pow", base, monomial), signs, free))
        if index == count and signed and base[0] != "prime":
            self._bounded(index, inside, monomial)
        return index

    def _bounded(self, index: int, inside: Poly, monomial: Any) -> None:
        """Note that a power of what lies in [0, 1] stays there."""
        field = self.field
        exponent = field.monomial_signs(monomial)
        below = field.signs({**scaled(inside, -1), (): 1 - inside.get((), 0)})
        if exponent <= {0, 1} and below <= {0, 1}:
            strict = exponent == {1} and below == {1}
            field.assume({(): 1, ((index, 1),): -1}, strict=strict)
