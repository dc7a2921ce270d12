"""Points on equations that are linear in what they are solved for: systems, and matrices."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.evaluation import Point, compiled
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.values import Undefined, is_zero

__all__ = ["joint_points", "matrix_points"]

_MOST_CHOICES = 6  # of which unknowns a system is solved for
_BASES = 6


def joint_points(statement: Any, sampler: Sampler) -> Iterator[Point]:
    """Yield points that solve all equations of a conjunction, solved as a linear system."""
    import sympy

    if not isinstance(statement, sympy.And) or sampler.has_matrices:
        return
    equations = [part for part in statement.args if isinstance(part, sympy.Eq)]
    if len(equations) < 2:
        return
    sides = [(compiled(e.lhs), compiled(e.rhs)) for e in equations]
    free = {s for e in equations for s in e.free_symbols}
    unknowns = [s for s in sampler.scalars if s in free]
    choices = itertools.combinations(unknowns, len(equations))
    for chosen in itertools.islice(choices, _MOST_CHOICES):
        for point in sampler.points(_BASES):

            def residual(
                values: Sequence[Any], point: Point = point, chosen: Any = chosen
            ) -> list[Any]:
                full = {**point, **dict(zip(chosen, values, strict=True))}
                return [left(full) - right(full) for left, right in sides]

            try:
                solution = _affine(residual, len(chosen))
            except (Undefined, TypeError):
                continue
            if solution is not None:
                full = {**point, **dict(zip(chosen, solution, strict=True))}
                if sampler.admits(full):
                    yield full


def _affine(residual: Callable[[Sequence[Any]], list[Any]], count: int) -> list[Any] | None:
    """Return where a residual vanishes, if it is affine; None: it is not, or has no solution."""
    zero = residual([0] * count)
    units = [[int(i == j) for j in range(count)] for i in range(count)]
    columns = [[x - z for x, z in zip(residual(u), zero, strict=True)] for u in units]
    solution = _linear(columns, [-z for z in zero])
    if solution is None or not all(is_zero(x) for x in residual(solution)):
        return None
    return solution


def matrix_points(relation: Any, sampler: Sampler) -> Iterator[Point]:
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

    def flat(values: Sequence[Any]) -> list[Any]:
        return residual(dict(zip(places, values, strict=True)))

    solution = _affine(flat, len(places))
    if solution is None:
        return None
    values = dict(zip(places, solution, strict=True))
    rows = tuple(tuple(values[i, j] for j in range(columns)) for i in range(order))
    return {**point, unknown: rows}


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
