"""Generators: the symbols, roots, powers and functions that lines are rational expressions of.

Each generator has a sign, as far as the assumptions tell, and may obey a rule: the square of the
root of f is f, the square of a sign is 1. Signs of polynomials are proved by linear arithmetic over
their monomials.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from convex_analyzer.derivations.judging.clock import Clock, spend
from convex_analyzer.derivations.judging.linear import Row, infeasible
from convex_analyzer.derivations.judging.polynomials import (
    ONE,
    Monomial,
    Poly,
    Quotient,
    generator,
    monomial_product,
    normalised,
    poly_power,
    poly_product,
    poly_sum,
    scaled,
)

__all__ = ["ANY", "Factors", "Field", "Generator", "Signs"]

Signs = frozenset[int]
ANY: Signs = frozenset((-1, 0, 1))
_PLUS: Signs = frozenset((1,))
_UNIT = ("square", {(): 1})


@dataclass(frozen=True)
class Generator:
    """One generator.

    Attributes
    ----------
    key
        What it is: equal keys are equal generators.
    signs
        Which signs it may have.
    free
        SymPy symbols that it depends on.
    rule
        ``("prime", p)``, ``("square", polynomial)`` or None.
    whole
        Whether its values are integers.
    """

    key: Any
    signs: Signs
    free: frozenset[Any]
    rule: tuple[str, Any] | None = None
    whole: bool = False


@dataclass(frozen=True)
class Factors:
    """A number, a monomial, and irreducible polynomials with multiplicities."""

    number: Any
    monomial: Monomial
    rest: tuple[tuple[tuple[tuple[Monomial, Any], ...], int], ...]


def poly_key(a: Poly) -> tuple[tuple[Monomial, Any], ...]:
    """Return a polynomial as something hashable."""
    return tuple(sorted(a.items(), key=lambda item: (len(item[0]), item[0])))


class Field:
    """The generators of one judgement, and what is known of them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.generators: list[Generator] = []
        self.roots: dict[int, int] = {}  # generator -> common denominator of its exponents
        self.facts: list[tuple[Poly, bool]] = []  # polynomial >= 0, or > 0
        self.zeros_assumed: set[Any] = set()  # polynomials whose sign was squared to 1
        self._index: dict[Hashable, int] = {}
        self._signs: dict[Any, Signs] = {}
        self._factored: dict[Any, Factors] = {}

    def index(self, new: Generator) -> int:
        """Return the number of a generator, a new one if it was not met before."""
        found = self._index.get(new.key)
        if found is None:
            found = self._index[new.key] = len(self.generators)
            self.generators.append(new)
        return found

    def free(self, polynomial: Poly) -> frozenset[Any]:
        """Return the symbols that a polynomial depends on."""
        used = {i for monomial in polynomial for i, _ in monomial}
        return frozenset().union(*(self.generators[i].free for i in used))

    # -- rules ----------------------------------------------------------------------------------

    def reduced(self, polynomial: Poly) -> Poly:
        """Return a numerator with every rule applied; it may gain factors that are not zero."""
        for index in range(len(self.generators) - 1, -1, -1):
            rule = self.generators[index].rule
            if rule is None:
                continue
            lowest = min((e for m in polynomial for i, e in m if i == index and e < 0), default=0)
            if rule[0] == "square" and lowest < 0:
                lift = -int(lowest) + int(-lowest) % 2
                polynomial = scaled(polynomial, 1, ((index, lift),))
            polynomial = self._applied(polynomial, index, rule)
        return polynomial

    def _applied(self, polynomial: Poly, index: int, rule: tuple[str, Any]) -> Poly:
        if not any(i == index for m in polynomial for i, _ in m):
            return polynomial
        spend(15 * len(polynomial))
        total: Poly = {}
        for monomial, coefficient in polynomial.items():
            exponent = dict(monomial).get(index, 0)
            others = tuple(pair for pair in monomial if pair[0] != index)
            if rule[0] == "prime":
                whole = exponent // 1
                term: Poly = scaled(generator(index, exponent - whole), coefficient, others)
                term = scaled(term, Fraction(rule[1]) ** int(whole))
            else:
                half, rest = divmod(exponent, 2)
                term = poly_product(poly_power(rule[1], int(half)), {others: coefficient})
                term = scaled(term, 1, ((index, rest),) if rest else ())
            total = poly_sum(total, term)
        return total

    def is_zero(self, value: Quotient) -> bool:
        """Whether a quotient is zero wherever it is defined."""
        return not self.reduced(value.top) if value.top else True

    # -- factors --------------------------------------------------------------------------------

    def factors(self, polynomial: Poly) -> Factors:
        """Return the irreducible factors of a polynomial that is not zero."""
        key = poly_key(polynomial)
        if key not in self._factored:
            self._factored[key] = self._factor(polynomial)
        return self._factored[key]

    def _factor(self, polynomial: Poly) -> Factors:
        number, monomial, rest = normalised(polynomial)
        if len(rest) == 1:
            return Factors(number, monomial, ())
        scale = {i: self._scale(rest, i) for m in rest for i, _ in m}
        if self._irreducible(rest, scale):
            return Factors(number, monomial, ((poly_key(rest), 1),))
        from sympy import ZZ
        from sympy.polys.rings import ring

        self.clock.check()
        order = sorted(scale)
        domain, *_ = ring([f"g{i}" for i in order], ZZ)
        place = {i: k for k, i in enumerate(order)}
        terms = {}
        for m, c in rest.items():
            exponents = [0] * len(order)
            for i, e in m:
                exponents[place[i]] = int(e * scale[i])
            terms[tuple(exponents)] = ZZ(int(c))
        degree = max(sum(e) for e in terms)
        if len(terms) > 60 or degree > 16:
            return Factors(number, monomial, ((poly_key(rest), 1),))
        spend(300 + 20 * len(terms) * degree)
        content, found = domain.from_dict(terms).factor_list()
        number = number * int(content)
        parts = []
        for factor, count in found:
            back = {}
            for exponents, c in factor.items():
                pairs = zip(order, exponents, strict=True)
                m = tuple((i, _plain(Fraction(e, scale[i]))) for i, e in pairs if e)
                back[m] = int(c)
            scalar, inner, plain = normalised(back)
            number = number * scalar**count
            monomial = monomial_product(monomial, tuple((i, e * count) for i, e in inner))
            if len(plain) > 1:
                parts.append((poly_key(plain), count))
        return Factors(number, monomial, tuple(sorted(parts, key=repr)))

    def _scale(self, polynomial: Poly, index: int) -> int:
        bottoms = [Fraction(e).denominator for m in polynomial for i, e in m if i == index]
        return lcm(self.roots.get(index, 1), *bottoms)

    def _irreducible(self, rest: Poly, scale: dict[int, int]) -> bool:
        """Whether a generator shows that nothing can be factored: linear, one coefficient plain."""
        for index, by in scale.items():
            degrees = [dict(m).get(index, 0) * by for m in rest]
            if max(degrees) == 1 and min(degrees.count(0), degrees.count(1)) == 1:
                return True
        return False

    def key(self, value: Quotient) -> Hashable:
        """Return what is equal for quotients that are equal."""
        top = self.reduced(value.top)
        if not top:
            return 0
        whole = self.factors(top)
        number, monomial, counts = whole.number, whole.monomial, dict(whole.rest)
        if not value.bottom and top == value.top:
            return (poly_key(top),)
        for bottom, count in value.bottom.items():
            below = self.factors(dict(bottom))
            number = number / Fraction(below.number) ** count
            inverse = tuple((i, -e * count) for i, e in below.monomial)
            monomial = monomial_product(monomial, inverse)
            for factor, times in below.rest:
                counts[factor] = counts.get(factor, 0) - times * count
        above: Poly = {(): number}
        below_key = []
        for factor, count in counts.items():
            if count > 0:
                above = poly_product(above, poly_power(dict(factor), count))
            elif count < 0:
                below_key.append((factor, -count))
        above = scaled(above, 1, monomial)
        return (poly_key(above), *sorted(below_key, key=repr))

    # -- signs ----------------------------------------------------------------------------------

    def assume(self, polynomial: Poly, *, strict: bool) -> None:
        """Add the fact that a polynomial is >= 0, or > 0."""
        self.facts.append((polynomial, strict))
        self._signs.clear()

    def monomial_signs(self, monomial: Monomial) -> Signs:
        """Return which signs a monomial may have."""
        result = _PLUS
        for index, exponent in monomial:
            signs = self.generators[index].signs
            if exponent % 2 == 0:
                signs = frozenset(s * s for s in signs)
            elif exponent % 1:
                signs = frozenset(s for s in signs if s >= 0)
            result = frozenset(a * b for a in result for b in signs)
        return result

    def signs(self, polynomial: Poly) -> Signs:
        """Return which signs a polynomial may have, as far as can be proved."""
        if not polynomial:
            return frozenset((0,))
        if len(polynomial) == 1:
            ((monomial, coefficient),) = polynomial.items()
            side = 1 if coefficient > 0 else -1
            return frozenset(side * s for s in self.monomial_signs(monomial))
        key = poly_key(polynomial)
        if key not in self._signs:
            parts = self.factors(polynomial)
            if len(parts.rest) == 1 and parts.rest[0][1] == 1:
                result = self._proved(polynomial)
            else:
                result = frozenset((1 if parts.number > 0 else -1,))
                result = _product(result, self.monomial_signs(parts.monomial))
                for factor, count in parts.rest:
                    signs = self._proved(dict(factor))
                    signs = frozenset(s**count for s in signs)
                    result = _product(result, signs)
            self._signs[key] = result
        return self._signs[key]

    def _proved(self, polynomial: Poly) -> Signs:
        allowed = set()
        for sign in (-1, 0, 1):
            rows = sign_rows(polynomial, sign)
            if not infeasible([*rows, *self.rows(polynomial)]):
                allowed.add(sign)
        return frozenset(allowed) or ANY

    def rows(self, *polynomials: Poly) -> list[Row]:
        """Return what is known of the monomials that occur, as linear rows."""
        monomials = {m for p in polynomials for m in p if m}
        used = {i for m in monomials for i, _ in m}
        facts = self._linked(used)
        monomials |= {m for p, _ in facts for m in p if m}
        rows: list[Row] = [(p, strict) for p, strict in facts]
        rows += self._lifted(facts, {m for p in polynomials for m in p})
        for monomial in monomials:
            signs = self.monomial_signs(monomial)
            if signs <= {0, 1}:
                rows.append(({monomial: 1}, 0 not in signs))
            elif signs <= {-1, 0}:
                rows.append(({monomial: -1}, 0 not in signs))
        return rows

    def _linked(self, used: set[int]) -> list[tuple[Poly, bool]]:
        """Return the facts about these generators, and products of two of them."""
        facts = [(p, s) for p, s in self.facts if any(i in used for m in p for i, _ in m)]
        if len(facts) <= 4:
            pairs = [
                (poly_product(p, q), s and t)
                for k, (p, s) in enumerate(facts)
                for q, t in facts[k:]
                if len(p) * len(q) <= 9
            ]
            facts = facts + pairs
        return facts

    def _lifted(self, facts: list[tuple[Poly, bool]], monomials: set[Monomial]) -> list[Row]:
        """Return facts times one generator that is not negative, where no new monomial arises."""
        known = monomials | {()} | {m for p, _ in facts for m in p}
        rows = []
        for i in sorted({i for m in monomials for i, _ in m}):
            signs = self.generators[i].signs
            for p, strict in facts if signs <= {0, 1} else ():
                new = scaled(p, 1, ((i, 1),))
                if new.keys() <= known:
                    rows.append((new, strict and 0 not in signs))
        return rows

    # -- powers that are generators -------------------------------------------------------------

    def prime(self, p: int) -> int:
        """Return the generator whose fractional powers are those of a prime."""
        return self.index(Generator(("prime", p), _PLUS, frozenset(), ("prime", p)))

    def root(self, radicand: Poly) -> Quotient:
        """Return the square root of a polynomial."""
        signs = frozenset(abs(s) for s in self.signs(radicand) if s >= 0)
        new = Generator(
            ("root", poly_key(radicand)), signs, self.free(radicand), ("square", radicand)
        )
        return Quotient(generator(self.index(new)), {})

    def sign_generator(self, key: Any, free: Iterable[Any]) -> Quotient:
        """Return a generator whose square is 1."""
        new = Generator(key, frozenset((-1, 1)), frozenset(free), _UNIT, whole=True)
        return Quotient(generator(self.index(new)), {})

    def sign(self, polynomial: Poly) -> Quotient:
        """Return the sign of an irreducible polynomial as a quotient whose square is 1."""
        signs = self.signs(polynomial)
        if signs == {1} or signs == {0, 1}:
            return ONE
        if signs == {-1} or signs == {-1, 0}:
            return -ONE
        if len(polynomial) == 1:
            ((monomial, _),) = polynomial.items()
            if len(monomial) == 1 and self.generators[monomial[0][0]].rule == _UNIT:
                return Quotient(polynomial, {})  # a sign is its own sign
        return self.sign_generator(("sign", poly_key(polynomial)), self.free(polynomial))


def _product(a: Signs, b: Signs) -> Signs:
    return frozenset(x * y for x in a for y in b)


def _plain(exponent: Fraction) -> Any:
    return int(exponent) if exponent.denominator == 1 else exponent


def sign_rows(polynomial: Poly, sign: int) -> list[Row]:
    """Return the rows that say that a polynomial has this sign."""
    if sign:
        return [(polynomial if sign > 0 else scaled(polynomial, -1), True)]
    return [(polynomial, False), (scaled(polynomial, -1), False)]
