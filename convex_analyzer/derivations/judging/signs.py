"""A statement as a condition on the signs of finitely many polynomials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.field import Field, Signs
from convex_analyzer.derivations.judging.normal import Normalizer
from convex_analyzer.derivations.judging.polynomials import (
    Poly,
    Quotient,
    TooLarge,
    constant,
    generator,
    poly_product,
    poly_sum,
    scaled,
)

__all__ = ["Assignment", "Conditions", "Truth"]

Assignment = Mapping[Any, int]  # polynomial -> its sign
Sign = Callable[[Assignment], int]
Truth = Callable[[Assignment], bool]

_HOLDS: Mapping[str, frozenset[int]] = {
    "<": frozenset((-1,)),
    "<=": frozenset((-1, 0)),
    "==": frozenset((0,)),
    "!=": frozenset((-1, 1)),
    ">": frozenset((1,)),
    ">=": frozenset((0, 1)),
}
_MOST_CASES = 3


class Conditions:
    """Collects the polynomials whose signs decide some statements."""

    def __init__(self, normal: Normalizer) -> None:
        self.normal, self.field = normal, normal.field
        self.open: dict[Any, Signs] = {}  # polynomial -> the signs that it may have
        self.nonzero: set[Any] = set()  # denominators
        self.atoms: list[tuple[Any, ...]] = []  # canonical form of each relation

    def truth(self, statement: Any) -> Truth:
        """Return a function of the signs that says whether a statement holds.

        Raises
        ------
        TooLarge
            It is no combination of relations between scalars.
        """
        import sympy

        if isinstance(statement, bool) or statement in (sympy.true, sympy.false):
            value = bool(statement)
            return lambda signs: value
        if statement.is_Relational:
            return self._relation(statement)
        name = type(statement).__name__
        if name not in ("And", "Or", "Not", "Implies"):
            raise TooLarge
        parts = [self.truth(part) for part in statement.args]
        if name == "And":
            return lambda signs: all(part(signs) for part in parts)
        if name == "Or":
            return lambda signs: any(part(signs) for part in parts)
        if name == "Not":
            return lambda signs: not parts[0](signs)
        return lambda signs: not parts[0](signs) or parts[1](signs)

    def _relation(self, relation: Any, depth: int = 0) -> Truth:
        """Return the truth of a relation; an absolute value is split by the sign inside."""
        import sympy

        split = sorted(
            relation.atoms(sympy.Abs, sympy.Max, sympy.Min), key=lambda a: (len(str(a)), str(a))
        )
        if not split:
            gap = self.normal.scalar(relation.lhs) - self.normal.scalar(relation.rhs)
            sign, domain = self.sign(gap), self._domain(gap)
            holds = _HOLDS[relation.rel_op]
            self.atoms.append((relation.rel_op, self._canonical(relation), len(domain)))
            return lambda signs: sign(signs) in holds and all(d(signs) >= 0 for d in domain)
        if depth >= _MOST_CASES:
            raise TooLarge
        part = split[0]
        if isinstance(part, sympy.Abs):
            test, first, second = part.args[0], part.args[0], -part.args[0]
        else:
            if len(part.args) > 2:
                raise TooLarge
            first, second = part.args
            test = first - second if isinstance(part, sympy.Max) else second - first
        inside = self.sign(self.normal.scalar(test))
        upper = self._relation(_with(relation, part, first), depth + 1)
        lower = self._relation(_with(relation, part, second), depth + 1)
        return lambda signs: upper(signs) if inside(signs) >= 0 else lower(signs)

    def _domain(self, value: Quotient) -> list[Sign]:
        """Return the signs of what stands under roots and could be negative."""
        parts = [value.top, *map(dict, value.bottom)]
        used = {i for p in parts for m in p for i, _ in m}
        rules = [self.field.generators[i] for i in used]
        inside = [g.rule[1] for g in rules if g.rule and g.key[0] == "root"]
        return [self._of(p) for p in inside if -1 in self.field.signs(p)]

    def _canonical(self, relation: Any) -> Any:
        """Return what is equal for multiples of one relation: the factors of unknown sign."""
        value = self.normal.scalar(relation.lhs) - self.normal.scalar(relation.rhs)
        top = self.field.reduced(value.top)
        if not top:
            return 0
        parts = self.field.factors(top)
        loose = [(k, c) for k, c in parts.rest if len(self.field.signs(dict(k))) > 1]
        return tuple(sorted(loose, key=repr))

    # -- signs ----------------------------------------------------------------------------------

    def sign(self, value: Quotient) -> Sign:
        """Return the sign of a quotient as a function of the open signs."""
        parts = [(self.field.reduced(value.top), 1)]
        for bottom, count in value.bottom.items():
            parts.append((dict(bottom), count))
            for factor, _ in self.field.factors(dict(bottom)).rest:
                self.nonzero.add(factor)
        signs = [(self._of(polynomial), count) for polynomial, count in parts]

        def product(assignment: Assignment) -> int:
            result = 1
            for sign, count in signs:
                result *= sign(assignment) ** count
            return result

        return product

    def _of(self, polynomial: Poly) -> Sign:
        """Return the sign of a polynomial, by its factors."""
        if not polynomial:
            return lambda assignment: 0
        parts = self.field.factors(polynomial)
        signs: list[tuple[Sign, int]] = []
        start = 1 if parts.number > 0 else -1
        for index, exponent in parts.monomial:
            count = int(exponent) if exponent % 1 == 0 else 1
            signs.append((self._single(generator(index)), abs(count)))
            if exponent < 0:
                self.nonzero.add(_key(generator(index)))
        signs += [(self._single(dict(key)), count) for key, count in parts.rest]

        def product(assignment: Assignment) -> int:
            result = start
            for sign, count in signs:
                result *= sign(assignment) ** count
            return result

        return product

    def _single(self, polynomial: Poly) -> Sign:
        """Return the sign of an irreducible polynomial: known, by its root, or open."""
        known = self.field.signs(polynomial)
        if len(known) == 1:
            (value,) = known
            return lambda assignment: value
        index = self._root_in(polynomial)
        if index is not None:
            return self._with_root(polynomial, index)
        key = _key(polynomial)
        self.open.setdefault(key, known)
        return lambda assignment: assignment[key]

    def _root_in(self, polynomial: Poly) -> int | None:
        used = {i for m in polynomial for i, _ in m}
        for index in sorted(used, reverse=True):
            key = self.field.generators[index].key
            halves = {dict(m).get(index, 0) for m in polynomial} <= {0, 1, Fraction(1, 2)}
            if isinstance(key, tuple) and key[0] in ("root", "prime") and len(polynomial) > 1:
                return index if halves else None
        return None

    def _with_root(self, polynomial: Poly, index: int) -> Sign:
        """Return the sign of a + b√r from the signs of a, b, r and a² - b²r."""
        a: Poly = {}
        b: Poly = {}
        for monomial, coefficient in polynomial.items():
            rest = tuple(pair for pair in monomial if pair[0] != index)
            (b if len(rest) < len(monomial) else a)[rest] = coefficient
        rule = self.field.generators[index].rule
        inside = constant(rule[1]) if rule and rule[0] == "prime" else dict(rule[1] if rule else ())
        norm = poly_sum(poly_product(a, a), poly_product(poly_product(b, b), inside), -1)
        signs = [self._of(self.field.reduced(p)) for p in (a, b, inside, norm)]

        def sign(assignment: Assignment) -> int:
            of_a, of_b, of_r = (s(assignment) for s in signs[:3])
            side = of_b * abs(of_r)
            if side == 0 or of_a == side:
                return of_a
            return side if of_a == 0 else of_a * signs[3](assignment)

        return sign


def _with(relation: Any, part: Any, choice: Any) -> Any:
    sides = [side.xreplace({part: choice}) for side in relation.args]
    return relation.func(*sides, evaluate=False)


def _key(polynomial: Poly) -> Any:
    return tuple(sorted(polynomial.items(), key=lambda item: (len(item[0]), item[0])))


def assumed(field: Field, normal: Normalizer, constraints: Any) -> None:
    """Tell a field what the constraints say: each as a polynomial that is not negative."""
    for constraint in constraints:
        try:
            value = normal.scalar(constraint.lhs) - normal.scalar(constraint.rhs)
        except TooLarge:
            continue
        side = {"<": -1, "<=": -1, ">": 1, ">=": 1, "==": 0}.get(constraint.rel_op)
        if side is None:
            continue
        flip = 1
        for bottom, count in value.bottom.items():
            signs = field.signs(dict(bottom))
            if count % 2 and signs not in ({1}, {-1}):
                flip = 0
                break
            flip *= -1 if signs == {-1} and count % 2 else 1
        top = _lifted(field, value.top)
        if flip == 0 or top is None:
            continue
        strict = constraint.rel_op in ("<", ">")
        for direction in (side,) if side else (-1, 1):
            field.assume(scaled(top, direction * flip), strict=strict)


def _lifted(field: Field, polynomial: Poly) -> Poly | None:
    """Return a polynomial without the common monomial, if that is positive."""
    if not polynomial:
        return None
    parts = field.factors(polynomial)
    if len(parts.monomial) == 0 or field.monomial_signs(parts.monomial) != {1}:
        return polynomial
    inverse = tuple((i, -e) for i, e in parts.monomial)
    return scaled(polynomial, 1, inverse)
