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
                yield from _matrix_points(relation, sampler)
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
    lowest = min(exponents)
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


# -- matrices ----------------------------------------------------------------------------------


def _matrix_points(relation: Any, sampler: Sampler) -> Iterator[Point]:
    """Yield points on a matrix equation, solved for a matrix or vector in which it is linear."""
    import sympy

    left, right = compiled(relation.lhs), compiled(relation.rhs)
    for unknown in sorted(
        relation.atoms(sympy.MatrixSymbol), key=lambda m: (m.shape[1] != 1, m.name)
    ):
        if unknown.shape[1] != 1 and sampler.kinds.get(unknown.name, "matrix") != "matrix":
            continue
        for order in (2, 3):
            for point in sampler.points(5, order):
                try:
                    solved = _solved(left, right, unknown, point, order)
                except (Undefined, TypeError):
                    continue
                if solved is not None:
                    yield solved


def _solved(left: Any, right: Any, unknown: Any, point: Point, order: int) -> Point | None:
    columns = 1 if unknown.shape[1] == 1 else order
    places = [(i, j) for i in range(order) for j in range(columns)]

    def residual(values: dict[tuple[int, int], int]) -> list[Any]:
        rows = tuple(tuple(values.get((i, j), 0) for j in range(columns)) for i in range(order))
        full = {**point, unknown: rows}
        a, b = left(full), right(full)
        if not isinstance(a, tuple) and not isinstance(b, tuple):
            return [a - b]
        a = a if isinstance(a, tuple) else tuple((a,) * len(b[0]) for _ in b)
        b = b if isinstance(b, tuple) else tuple((b,) * len(a[0]) for _ in a)
        return [x - y for r, s in zip(a, b, strict=True) for x, y in zip(r, s, strict=True)]

    zero = residual({})
    columns_of = [[x - z for x, z in zip(residual({p: 1}), zero, strict=True)] for p in places]
    solution = _linear(columns_of, [-z for z in zero])
    if solution is None:
        return None
    values = dict(zip(places, solution, strict=True))
    full = {
        **point,
        unknown: tuple(tuple(values[i, j] for j in range(columns)) for i in range(order)),
    }
    return full if all(is_zero(x) for x in residual(values)) else None


def _linear(columns: list[list[Any]], right: list[Any]) -> list[Any] | None:
    """Solve a linear system exactly; free unknowns are 1; None: no solution or not rational."""
    rows = [[Fraction(c[i]) for c in columns] + [Fraction(right[i])] for i in range(len(right))]
    count, place, pivots = len(columns), 0, []
    for j in range(count):
        pivot = next((i for i in range(place, len(rows)) if rows[i][j]), None)
        if pivot is None:
            continue
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [x / rows[place][j] for x in rows[place]]
        for i, row in enumerate(rows):
            if i != place and row[j]:
                rows[i] = [x - row[j] * y for x, y in zip(row, rows[place], strict=True)]
        pivots.append(j)
        place += 1
    if any(row[-1] for row in rows[place:]):
        return None
    free = [j for j in range(count) if j not in pivots]
    values = [Fraction(1)] * count
    for i, j in enumerate(pivots):
        values[j] = rows[i][-1] - sum((rows[i][f] for f in free), Fraction(0))
    return [v.numerator if v.denominator == 1 else v for v in values]
