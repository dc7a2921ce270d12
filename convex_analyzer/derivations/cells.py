"""Points at which a statement about rational functions holds: found exactly, or proved absent.

Space is cut into cells on which no polynomial of the statement changes its sign (cylindrical
algebraic decomposition; Collins 1975, with the projection of McCallum 1998 and all coefficients),
and one point of each cell is tried: a statement that holds at none of them holds nowhere.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.cell_numbers import (
    Number,
    coefficients_at,
    distinct,
    is_rounded,
    real_roots,
    simplest_between,
    value_at,
)
from convex_analyzer.derivations.cell_statements import compiled, polynomial_form, relational
from convex_analyzer.derivations.judging.clock import Clock, OutOfTime, spend
from convex_analyzer.errors import NotDerivableError

__all__ = ["Found", "find"]

_SMALL = ("1/2", "1/3", "2/3", "1/4", "1", "2", "3/4", "9/10", "4", "1/10", "9", "1/100", "99/100",
          "0", "100", "-1/2", "3")  # fmt: skip
# Units of work.
_FACTORED = 3_000
_ELIMINATED = 5_000


@dataclass(frozen=True)
class Found:
    """What came of a search.

    Attributes
    ----------
    point
        Values of the variables, in order, or None.
    is_complete
        Whether, without a point, it is proved that there is none.
    is_inside
        Whether the statement holds all around the point, not just there.
    tried
        Number of points.
    """

    point: tuple[Number, ...] | None
    is_complete: bool
    is_inside: bool
    tried: int


def find(
    statement: Any, variables: Sequence[Any], positive: Sequence[Any] = (), budget: float = 2.0
) -> Found:
    """Find a simple point at which a statement holds, or prove that there is none.

    Parameters
    ----------
    statement
        A Boolean of relations between rational functions, and absolute values, maxima, minima.
    variables
        Its symbols, real; the last one is solved for first, so the least simple come last.
    positive
        Those among them that the statement says to be positive: they are divided out.
    budget
        Seconds of work; when they are spent without a point the result is not complete.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> none = find(sympy.And(x * y > 1, x + y < 2, x > 0), [x, y])
    >>> none.point, none.is_complete
    (None, True)
    >>> find(sympy.And(x**2 < 2, x > 1), [x]).point
    (Fraction(4, 3),)
    """
    import sympy

    statement = polynomial_form(statement, positive)
    if statement == sympy.false:
        return Found(None, is_complete=True, is_inside=False, tried=0)
    return _Search(statement, list(variables), budget).run()


class _Search:
    """One search."""

    def __init__(self, statement: Any, variables: list[Any], budget: float) -> None:
        self.variables = variables
        self.statement = statement
        self.clock = Clock(budget)
        self.tried = 0
        self.test = compiled(statement, variables)
        self.levels: list[list[Any]] = []
        self.exact = True  # nothing happened that the theorem does not cover
        self.given = [relation.lhs for relation in statement.atoms(relational())]

    def run(self) -> Found:
        try:
            last = self.split(self.given)
            for pool in self.pools():
                point = self.line(pool, [p for p in last if p.has(self.variables[-1])])
                if point is not None:
                    return self.found(point)
            self.exact, self.levels = True, [last]
            for place in range(len(self.variables) - 1, 0, -1):
                self.levels.insert(0, self.split(self.projected(self.levels[0], place)))
            for place, level in enumerate(self.levels):
                level[:] = [p for p in level if p.has(self.variables[place])]
            for inside in (True, False):
                point = self.search((), inside=inside)
                if point is not None:
                    return self.found(point)
        except (OutOfTime, NotDerivableError):
            return Found(None, is_complete=False, is_inside=False, tried=self.tried)
        return Found(None, is_complete=self.exact, is_inside=False, tried=self.tried)

    def found(self, point: tuple[Number, ...]) -> Found:
        inside = all(value_at(p, self.variables, point) != 0 for p in self.given)
        return Found(point, is_complete=True, is_inside=inside, tried=self.tried)

    def pools(self) -> Iterator[tuple[Number, ...]]:
        """Yield small values of all variables but the last, the simplest first."""
        outer = len(self.variables) - 1
        size = {0: 1, 1: len(_SMALL), 2: 8}.get(outer, 4)
        small = [Fraction(text) for text in _SMALL[:size]]
        places = itertools.product(range(size), repeat=outer)
        for chosen in sorted(places, key=sum):
            yield tuple(small[i] for i in chosen)

    def line(self, prefix: tuple[Number, ...], polynomials: list[Any]) -> tuple[Number, ...] | None:
        """Return a point on one line, preferably one around which the statement holds."""
        gaps, borders = self.samples(polynomials, prefix)
        for value in (*gaps, *borders):
            self.count()
            if self.test((*prefix, value)):
                return (*prefix, value)
        return None

    def search(self, prefix: tuple[Number, ...], *, inside: bool) -> tuple[Number, ...] | None:
        place = len(prefix)
        gaps, borders = self.samples(self.levels[place], prefix)
        for value in gaps if inside else sorted([*gaps, *borders]):
            self.count()
            point = (*prefix, value)
            if place == len(self.variables) - 1:
                if self.test(point):
                    return point
                continue
            if place == 0 and not inside and not is_rounded(value) and value in borders:
                deeper = self.slice(value)
            else:
                deeper = self.search(point, inside=inside)
            if deeper is not None:
                return deeper
        return None

    def slice(self, value: Number) -> tuple[Number, ...] | None:
        """Search where the first letter has a value: a problem of its own, with its own borders."""
        import sympy

        at = self.statement.subs(self.variables[0], sympy.Rational(value))
        found = find(at, self.variables[1:], (), self.clock.left)
        self.tried += found.tried
        self.exact = self.exact and found.is_complete
        return None if found.point is None else (value, *found.point)

    def count(self) -> None:
        self.tried += 1
        self.clock.check()

    def samples(
        self, polynomials: list[Any], prefix: tuple[Number, ...]
    ) -> tuple[list[Number], list[Number]]:
        """Return a point of each interval between the roots of polynomials, and the roots."""
        roots: list[Number] = []
        for polynomial in polynomials:
            coefficients = coefficients_at(polynomial, self.variables, prefix)
            if not coefficients:  # on a line above a point it is zero: harmless for the last letter
                last = len(prefix) == len(self.variables) - 1 <= 2
                self.exact = self.exact and last
                continue
            roots += real_roots(coefficients)
        borders = distinct(roots)
        edges: list[Any] = [-math.inf, *borders, math.inf]
        return [simplest_between(a, b) for a, b in itertools.pairwise(edges)], borders

    def split(self, polynomials: list[Any]) -> list[Any]:
        """Return the irreducible factors."""
        import sympy

        found: dict[Any, None] = {}
        for polynomial in polynomials:
            self.count()
            if polynomial.free_symbols:
                spend(_FACTORED)
                for factor, _ in sympy.factor_list(polynomial)[1]:
                    found[factor] = None
        return list(found)

    def projected(self, polynomials: list[Any], place: int) -> list[Any]:
        """Return polynomials without a variable whose signs fix how the roots lie."""
        import sympy

        unknown, found, having = self.variables[place], [], []
        for polynomial in polynomials:
            self.count()
            if not polynomial.has(unknown):
                found.append(polynomial)
                continue
            poly = sympy.Poly(polynomial, unknown)
            having.append(polynomial)
            found += poly.all_coeffs()
            if poly.degree() > 1:
                spend(_ELIMINATED * int(poly.degree()))
                found.append(sympy.discriminant(polynomial, unknown))
        for one, other in itertools.combinations(having, 2):
            self.count()
            spend(_ELIMINATED)
            found.append(sympy.resultant(one, other, unknown))
        return [sympy.expand(polynomial) for polynomial in found]
