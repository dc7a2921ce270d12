"""Proving that two statements hold at the same points, or that one implies the other.

Each statement is a condition on the signs of some polynomials. All combinations of signs that tell
the two apart are shown to be impossible: by linear arithmetic, or, with one variable left, by the
cells between the roots.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from math import prod
from typing import Any

from convex_analyzer.derivations.judging.clock import OutOfTime, spend
from convex_analyzer.derivations.judging.field import sign_rows
from convex_analyzer.derivations.judging.linear import Row, infeasible
from convex_analyzer.derivations.judging.normal import Normalizer
from convex_analyzer.derivations.judging.polynomials import Poly, TooLarge
from convex_analyzer.derivations.judging.signs import Assignment, Conditions, Truth

__all__ = ["same_statement"]

_MOST_COMBINATIONS = 3000


def same_statement(
    before: Any, after: Any, normal: Normalizer, direction: str, *, anywhere: bool = False
) -> str | None:
    """Return how it was proved that two statements agree, or None.

    Parameters
    ----------
    direction
        ``<=>``; ``=>``: the second holds where the first does; ``<=``: the other way round.
    anywhere
        Whether points where a denominator is zero count, too: the statements exclude them.
    """
    conditions = Conditions(normal)
    try:
        first = conditions.truth(before)
        split = len(conditions.atoms)
        second = conditions.truth(after)
    except TooLarge:
        return None
    if anywhere:
        conditions.nonzero.clear()
    for key in conditions.nonzero & conditions.open.keys():
        conditions.open[key] = conditions.open[key] - {0}
    if prod(len(signs) for signs in conditions.open.values()) > _MOST_COMBINATIONS:
        return None
    apart = list(_apart(conditions, first, second, direction))
    if not apart:
        return _described(conditions.atoms[:split], conditions.atoms[split:])
    try:
        if _all_infeasible(apart, normal):
            return "no point lies in one solution set and not in the other"
        if _one_variable(conditions, first, second, normal, direction):
            return "equal solution sets" if direction == "<=>" else "the solution set is contained"
    except (OutOfTime, TooLarge):
        return None
    return None


def _described(first: list[Any], second: list[Any]) -> str:
    if not first or not second:
        return "the signs of all factors are known"
    if len(first) == len(second) == 1 and first[0][1] == second[0][1]:
        if first[0][0] == "==":
            return "nonzero multiple of the same equation"
        return "positive multiple of the same inequality"
    if all(atom[0] == "==" for atom in first + second):
        return "equations with the same solutions"
    return "the same conditions on the signs of the same factors"


def _differ(a: bool, b: bool, direction: str) -> bool:
    if direction == "=>":
        return a and not b
    return b and not a if direction == "<=" else a != b


def _apart(
    conditions: Conditions, first: Truth, second: Truth, direction: str
) -> Iterator[Assignment]:
    """Yield the combinations of signs that tell two statements apart."""
    keys = list(conditions.open)
    for values in itertools.product(*(sorted(conditions.open[k]) for k in keys)):
        spend(5 + len(keys))
        assignment = dict(zip(keys, values, strict=True))
        if _differ(first(assignment), second(assignment), direction):
            yield assignment


def _all_infeasible(apart: list[Assignment], normal: Normalizer) -> bool:
    """Whether no combination of signs that tells the two apart can occur.

    Signs are fixed one polynomial after the other, and what is impossible already is left out.
    """
    keys = list(apart[0])
    known = normal.field.rows(*map(dict, keys))
    wanted = [tuple(assignment[key] for key in keys) for assignment in apart]
    return not _occurs(wanted, keys, known, normal)


def _occurs(
    wanted: list[tuple[int, ...]], keys: list[Any], rows: list[Row], normal: Normalizer
) -> bool:
    """Whether one of the wanted combinations of signs may occur together with some rows."""
    normal.field.clock.check()
    if infeasible(rows):
        return False
    if not keys:
        return True
    first, *rest = keys
    for sign in sorted({signs[0] for signs in wanted}):
        here = [signs[1:] for signs in wanted if signs[0] == sign]
        if _occurs(here, rest, rows + sign_rows(dict(first), sign), normal):
            return True
    return False


# -- one variable ------------------------------------------------------------------------------


def _one_variable(
    conditions: Conditions, first: Truth, second: Truth, normal: Normalizer, direction: str
) -> bool:
    """Whether two statements in one variable agree on every cell between the roots."""
    polynomials = {key: dict(key) for key in conditions.open}
    facts = [(p, strict) for p, strict in normal.field.facts]
    used = {i for p in polynomials.values() for m in p for i, _ in m}
    single = _common_monomial(list(polynomials.values()))
    if single is None:
        return False
    facts = [(p, s) for p, s in facts if {i for m in p for i, _ in m} <= used]
    flat = {key: _flat(p, single) for key, p in polynomials.items()}
    domain = [(_flat(p, single), strict) for p, strict in facts if _fits(p, single)]
    signs = normal.field.monomial_signs(single)
    for sample in _cells([*flat.values(), *(p for p, _ in domain)], signs, normal):
        assignment = {key: sample(p) for key, p in flat.items()}
        if any(sample(p) < 0 or (strict and sample(p) == 0) for p, strict in domain):
            continue
        if any(assignment[key] == 0 for key in conditions.nonzero if key in assignment):
            continue
        if sample({1: 1}) not in signs:
            continue
        if _differ(first(assignment), second(assignment), direction):
            return False
    return True


def _common_monomial(polynomials: list[Poly]) -> Any:
    """Return the monomial of which all polynomials are polynomials, or None."""
    monomials = [m for p in polynomials for m in p if m]
    if not monomials:
        return None
    least = min(monomials, key=lambda m: sum(abs(e) for _, e in m))
    return least if all(_fits(p, least) for p in polynomials) else None


def _fits(polynomial: Poly, single: Any) -> bool:
    return all(_degree(m, single) is not None for m in polynomial)


def _degree(monomial: Any, single: Any) -> int | None:
    if not monomial:
        return 0
    powers, unit = dict(monomial), dict(single)
    if powers.keys() != unit.keys():
        return None
    ratios = {Fraction(powers[i]) / Fraction(unit[i]) for i in unit}
    (ratio, *others) = ratios
    if others or ratio.denominator != 1 or ratio < 0:
        return None
    return int(ratio)


def _flat(polynomial: Poly, single: Any) -> dict[int, Any]:
    return {_degree(m, single) or 0: c for m, c in polynomial.items()}


def _cells(polynomials: list[dict[int, Any]], signs: Any, normal: Normalizer) -> Iterator[Any]:
    """Yield, for every cell between roots and every root, a function that gives signs there."""
    import sympy

    x = sympy.Symbol("x")
    everything = [*polynomials, {1: 1}]
    roots: set[Fraction] = set()
    for terms in everything:
        if max(terms) == 0:
            continue
        if max(terms) > 8:
            raise TooLarge
        normal.field.clock.check()
        spend(2000 * max(terms))
        polynomial = sympy.Poly({(d,): sympy.Rational(str(c)) for d, c in terms.items()}, x)
        roots |= {_decimal(root) for root, _ in polynomial.real_roots(multiple=False)}
    marks = sorted(roots)
    close = [b - a for a, b in itertools.pairwise(marks)]
    if close and min(close) < Fraction(1, 10**30):
        raise TooLarge
    inner = [(a + b) / 2 for a, b in itertools.pairwise(marks)]
    samples = [marks[0] - 1, *inner, marks[-1] + 1] if marks else [Fraction(1)]
    del signs
    for sample in samples:
        yield lambda p, at=sample: _sign_at(p, at)
    for k, mark in enumerate(marks):
        low, high = samples[k], samples[k + 1]
        yield lambda p, at=mark, a=low, b=high: _sign_near(p, at, a, b)


def _decimal(root: Any) -> Fraction:
    if root.is_Rational:
        return Fraction(int(root.p), int(root.q))
    return Fraction(str(root.evalf(45)))


def _value(terms: dict[int, Any], at: Fraction) -> Fraction:
    return sum((Fraction(c) * at**d for d, c in terms.items()), Fraction(0))


def _sign_at(terms: dict[int, Any], at: Fraction) -> int:
    value = _value(terms, at)
    return (value > 0) - (value < 0)


def _sign_near(terms: dict[int, Any], at: Fraction, low: Fraction, high: Fraction) -> int:
    """Return the sign at a root that is known to 45 digits: 0 if it is a root of this one."""
    value = _value(terms, at)
    size = sum(abs(Fraction(c) * at**d) for d, c in terms.items())
    if abs(value) <= size / 10**38:
        return 0
    return (value > 0) - (value < 0)
