"""Points on the solution set of an equation, and on the border of an inequality.

Random points never lie there; so one variable is solved for, with the others fixed at small values.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import lcm
from typing import Any

from convex_analyzer.derivations.judging.clock import Clock, OutOfTime
from convex_analyzer.derivations.judging.evaluation import Point, compiled
from convex_analyzer.derivations.judging.field import Field
from convex_analyzer.derivations.judging.linear_systems import joint_points, matrix_points
from convex_analyzer.derivations.judging.normal import Normalizer
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.polynomials import Poly, TooLarge
from convex_analyzer.derivations.judging.values import (
    Undefined,
    context,
    is_zero,
    plus,
    power,
    real,
    sign_of,
    times,
    to_mp,
)

__all__ = ["border_points", "relations_of"]

_MOST_CASES = 8
_BASES = 12  # values of the other variables that are tried per variable


def relations_of(statement: Any) -> list[Any]:
    """Return the equations and inequalities inside a statement."""
    from sympy import preorder_traversal

    if isinstance(statement, bool):
        return []
    return [part for part in preorder_traversal(statement) if part.is_Relational]


def border_points(statements: list[Any], sampler: Sampler, clock: Clock) -> Iterator[Point]:
    """Yield admissible points where the two sides of some relation are equal.

    Rational points come as they are found; irrational ones after all of them.
    """
    late: list[Point] = []
    seen = set()
    for relation in [r for s in statements for r in relations_of(s)]:
        if relation in seen:
            continue
        seen.add(relation)
        try:
            if sampler.has_matrices and _is_matrix(relation):
                yield from matrix_points(relation, sampler)
                continue
            for case in _cases(relation.lhs - relation.rhs):
                for point in _scalar_points(case, sampler, clock):
                    rational = all(not hasattr(v, "_mpf_") for v in point.values())
                    if rational:
                        yield point
                    else:
                        late.append(point)
        except (TooLarge, Undefined, OutOfTime):
            continue
    for statement in statements:
        yield from joint_points(statement, sampler)
    yield from late


def _is_matrix(relation: Any) -> bool:
    return any(getattr(side, "is_Matrix", False) for side in (relation.lhs, relation.rhs))


def _cases(e: Any) -> list[Any]:
    """Return an expression without absolute values and extremes: one for each choice."""
    import sympy

    cases = [e]
    for part in sorted(e.atoms(sympy.Abs, sympy.Max, sympy.Min), key=str):
        inner = part.args[0]
        choices = [inner, -inner] if isinstance(part, sympy.Abs) else list(part.args)
        cases = [case.xreplace({part: choice}) for case in cases for choice in choices]
        if len(cases) > _MOST_CASES:
            return cases[:_MOST_CASES]
    return cases


def _scalar_points(e: Any, sampler: Sampler, clock: Clock) -> Iterator[Point]:
    import sympy

    field = Field(clock)
    normal = Normalizer(field, sampler.kinds)
    top = field.reduced(normal.scalar(e).top)
    if not top:
        return
    unknowns = [s for s in sampler.scalars if s in e.free_symbols and not s.is_integer]
    unknowns += sorted(e.atoms(sympy.core.function.AppliedUndef), key=str)
    unknowns += [s for s in sampler.scalars if s in e.free_symbols and s.is_integer]
    for unknown in unknowns:
        column = _collected(field, top, normal, unknown)
        if column is None:
            continue
        coefficients, step = column
        for point in sampler.points(_BASES):
            for root in _roots(coefficients, field, point):
                try:
                    value = power(root, step) if step != 1 else root
                except Undefined:
                    continue
                full = {**point, unknown: value}
                if sampler.admits(full):
                    yield full


def _collected(
    field: Field, top: Poly, normal: Normalizer, unknown: Any
) -> tuple[dict[int, Poly], int] | None:
    """Return the coefficients by power of a root of the unknown, and which root; None: not one."""
    ((own, _),) = next(iter(normal.symbol(unknown).top))
    others = {i for m in top for i, _ in m if i != own}
    if any(unknown in field.generators[i].free for i in others) or not others | {own}:
        return None
    exponents = {dict(m).get(own, 0) for m in top}
    if exponents == {0}:
        return None
    step = lcm(*(Fraction(e).denominator for e in exponents))
    lowest = min(0, *exponents)
    found: dict[int, Poly] = {}
    for monomial, coefficient in top.items():
        rest = tuple(pair for pair in monomial if pair[0] != own)
        degree = int((dict(monomial).get(own, 0) - lowest) * step)
        found.setdefault(degree, {})[rest] = coefficient
    return found, step


def _roots(coefficients: dict[int, Poly], field: Field, point: Point) -> list[Any]:
    """Return the real roots of a polynomial whose coefficients depend on the point."""
    try:
        numbers = {d: numeric(field, p, point) for d, p in coefficients.items()}
    except (Undefined, KeyError, ZeroDivisionError):
        return []
    numbers = {d: v for d, v in numbers.items() if not is_zero(v)}
    if not numbers:
        return []
    low, high = min(numbers), max(numbers)
    degree = high - low
    roots: list[Any] = [0] if low else []
    if degree == 0:
        return roots
    if degree == 1:
        return [*roots, _divided(-numbers[low], numbers[high])]
    if degree == 2:
        a, b, c = (numbers.get(low + i, 0) for i in (2, 1, 0))
        below = plus(times(b, b), -times(4 * a, c))
        if sign_of(below) < 0:
            return roots
        root = power(below, Fraction(1, 2))
        return [*roots, _divided(plus(-b, root), 2 * a), _divided(plus(-b, -root), 2 * a)]
    if degree > 12:
        return roots
    return roots + _many_roots([numbers.get(low + i, 0) for i in range(degree, -1, -1)])


def _many_roots(numbers: list[Any]) -> list[Any]:
    arithmetic = context()
    numbers = _once(numbers)
    try:
        found = arithmetic.polyroots([to_mp(x) for x in numbers], maxsteps=100, extraprec=200)
    except (arithmetic.NoConvergence, ZeroDivisionError):
        return []
    reals = [r.real for r in found if abs(r.imag) < arithmetic.mpf(10) ** -45 * (1 + abs(r))]
    exact = []
    for r in reals:
        near = Fraction(int(arithmetic.nint(r * 720)), 720)  # a simple fraction, if it is one
        total: Any = 0
        for x in numbers:
            total = plus(times(total, near), x)
        exact.append(near if isinstance(total, (int, Fraction)) and total == 0 else r)
    return exact


def _once(numbers: list[Any]) -> list[Any]:
    """Return a polynomial with each of its roots once, for double roots are found badly."""
    if not all(isinstance(x, (int, Fraction)) for x in numbers):
        return numbers
    import sympy

    exact = [sympy.Rational(x.numerator, x.denominator) for x in numbers]
    found = sympy.Poly(exact, sympy.Symbol("x")).sqf_part().all_coeffs()
    return [Fraction(int(c.p), int(c.q)) for c in found]


def _divided(a: Any, b: Any) -> Any:
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        value = Fraction(a) / Fraction(b)
        return value.numerator if value.denominator == 1 else value
    return to_mp(a) / to_mp(b)


def numeric(field: Field, polynomial: Poly, point: Point) -> Any:
    """Return the value of a polynomial at a point.

    Raises
    ------
    Undefined
        A generator has no value there, or none that is known how to compute.
    """
    total: Any = 0
    for monomial, coefficient in polynomial.items():
        term: Any = coefficient
        for index, exponent in monomial:
            term = times(term, power(_generator_value(field, index, point), exponent))
        total = plus(total, term)
    return real(total)


def _generator_value(field: Field, index: int, point: Point) -> Any:
    match field.generators[index].key:
        case ("symbol", symbol):
            return compiled(symbol)(point)
        case ("prime", p):
            return p
        case ("root", key):
            return power(numeric(field, dict(key), point), Fraction(1, 2))
        case ("pow", (kind, base), monomial):
            inside = base if kind == "prime" else None
            if kind == "gen":
                inside = _generator_value(field, base, point)
            elif kind == "poly":
                inside = numeric(field, dict(base), point)
            return power(inside, numeric(field, {monomial: 1}, point))
        case ("sign", key):
            return sign_of(numeric(field, dict(key), point))
        case ("minus", monomial):
            return power(-1, numeric(field, {monomial: 1}, point))
        case ("exp", monomial):
            return context().exp(to_mp(numeric(field, {monomial: 1}, point)))
    raise Undefined("this generator has no value here")
