"""Points at which a statement about rational functions holds: found exactly, or proved absent.

Space is cut into cells on which no polynomial of the statement changes its sign (cylindrical
algebraic decomposition; Collins 1975, with the projection of McCallum 1998 and all coefficients),
and one point of each cell is tried: a statement that holds at none of them holds nowhere.
"""

from __future__ import annotations

import functools
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from convex_analyzer.errors import NotDerivableError

__all__ = ["Found", "find", "polynomial_form", "simplest_between"]

_DIGITS = 60  # of irrational points
_ZERO = Fraction(1, 10**35)  # what is zero, at points of so many digits
_SMALL = ("1/2", "1/3", "2/3", "1/4", "1", "2", "3/4", "9/10", "4", "1/10", "9", "1/100", "99/100",
          "0", "100", "-1/2", "3")  # fmt: skip
_NEVER = "the statement is no statement about rational functions"

Number = Fraction  # rounded to 60 digits where a border is irrational
Test = Callable[[Sequence[Number]], bool]


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


class _OutOfTimeError(Exception):
    """The budget is spent."""


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
        Seconds; when they are spent without a point the result is not complete.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> find(sympy.And(x * y > 1, x + y < 2, x > 0), [x, y])
    Found(point=None, is_complete=True, is_inside=False, tried=23)
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
        self.end = time.monotonic() + budget
        self.tried = 0
        self.test = _compiled(statement, variables)
        self.levels: list[list[Any]] = []
        self.exact = True  # nothing happened that the theorem does not cover
        self.given = [relation.lhs for relation in statement.atoms(_relational())]

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
        except (_OutOfTimeError, NotDerivableError):
            return Found(None, is_complete=False, is_inside=False, tried=self.tried)
        return Found(None, is_complete=self.exact, is_inside=False, tried=self.tried)

    def found(self, point: tuple[Number, ...]) -> Found:
        inside = all(_value(p, self.variables, point) != 0 for p in self.given)
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
        found = find(at, self.variables[1:], (), self.end - time.monotonic())
        self.tried += found.tried
        self.exact = self.exact and found.is_complete
        return None if found.point is None else (value, *found.point)

    def count(self) -> None:
        self.tried += 1
        if time.monotonic() > self.end:
            raise _OutOfTimeError

    def samples(
        self, polynomials: list[Any], prefix: tuple[Number, ...]
    ) -> tuple[list[Number], list[Number]]:
        """Return a point of each interval between the roots of polynomials, and the roots."""
        roots: list[Number] = []
        for polynomial in polynomials:
            coefficients = _at(polynomial, self.variables, prefix)
            if not coefficients:  # on a line above a point it is zero: harmless for the last letter
                last = len(prefix) == len(self.variables) - 1 <= 2
                self.exact = self.exact and last
                continue
            roots += _real_roots(coefficients)
        borders = _distinct(roots)
        edges: list[Any] = [-math.inf, *borders, math.inf]
        return [simplest_between(a, b) for a, b in itertools.pairwise(edges)], borders

    def split(self, polynomials: list[Any]) -> list[Any]:
        """Return the irreducible factors."""
        import sympy

        found: dict[Any, None] = {}
        for polynomial in polynomials:
            self.count()
            if polynomial.free_symbols:
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
                found.append(sympy.discriminant(polynomial, unknown))
        for one, other in itertools.combinations(having, 2):
            self.count()
            found.append(sympy.resultant(one, other, unknown))
        return [sympy.expand(polynomial) for polynomial in found]


# -- numbers ---------------------------------------------------------------------------------------


def simplest_between(low: Any, high: Any) -> Fraction:
    """Return the fraction of the smallest denominator strictly between two numbers.

    Examples
    --------
    >>> simplest_between(Fraction(7, 10), Fraction(9, 10)), simplest_between(0, math.inf)
    (Fraction(3, 4), Fraction(1, 1))
    """
    if low < 0 < high:
        return Fraction(0)
    if high <= 0:
        return -simplest_between(-high, -low)
    whole = math.floor(low)
    if whole + 1 < high:
        return Fraction(whole + 1)
    if low == whole:
        rest = high - whole
        return whole + Fraction(1, math.floor(1 / rest) + 1)
    return whole + 1 / simplest_between(1 / (high - whole), 1 / (low - whole))


def is_rounded(value: Number) -> bool:
    """Return whether a fraction stands for an irrational number, to 60 digits."""
    return bool(value.denominator > 10 ** (_DIGITS // 2))


def _distinct(roots: list[Number]) -> list[Number]:
    found: list[Number] = []
    for root in sorted(roots):
        if not found or root - found[-1] > _ZERO * (1 + abs(root)):
            found.append(root)
        elif not is_rounded(root):
            found[-1] = root
    return found


def _value(polynomial: Any, variables: Sequence[Any], point: Sequence[Number]) -> Number:
    return (_at(polynomial, variables, point) or [Fraction(0)])[0]


def _at(polynomial: Any, variables: Sequence[Any], prefix: Sequence[Number]) -> list[Number]:
    """Return the coefficients in the next variable, from the highest power down."""
    place = len(prefix)
    powers: dict[int, Number] = {}
    for monomial, number in _terms(polynomial, tuple(variables)):
        term = number
        for value, power in zip(prefix, monomial, strict=False):
            term *= value**power
        at = monomial[place] if place < len(monomial) else 0
        powers[at] = powers.get(at, Fraction(0)) + term
    if any(is_rounded(value) for value in prefix):
        powers = {k: v if abs(v) > _ZERO else Fraction(0) for k, v in powers.items()}
    top = max((k for k, v in powers.items() if v != 0), default=-1)
    return [powers.get(k, Fraction(0)) for k in range(top, -1, -1)]


@functools.lru_cache(maxsize=4096)
def _terms(polynomial: Any, variables: tuple[Any, ...]) -> list[tuple[tuple[int, ...], Fraction]]:
    import sympy

    terms = sympy.Poly(polynomial, *variables).terms()
    return [(monomial, Fraction(int(c.p), int(c.q))) for monomial, c in terms]


def _real_roots(coefficients: list[Number]) -> list[Number]:
    """Return the real roots: rational ones exactly, others to 60 digits."""
    import sympy

    if len(coefficients) < 2:
        return []
    if any(is_rounded(c) for c in coefficients):
        return _by_numbers(coefficients)
    whole = sympy.Poly([sympy.Rational(c) for c in coefficients], sympy.Dummy("x"))
    found: list[Number] = []
    for factor, _ in whole.factor_list()[1]:
        found += _by_numbers([Fraction(int(c.p), int(c.q)) for c in factor.all_coeffs()])
    return found


def _by_numbers(coefficients: list[Number]) -> list[Number]:
    import mpmath

    if len(coefficients) == 2:
        return [_short(-coefficients[1] / coefficients[0])]
    with mpmath.workdps(_DIGITS):
        given = [mpmath.mpf(c.numerator) / c.denominator for c in coefficients]
        try:
            roots = mpmath.polyroots(given, maxsteps=200, extraprec=200)
        except mpmath.libmp.libhyper.NoConvergence as error:
            raise NotDerivableError("the roots of a border could not be found") from error
        real = [root.real for root in roots if abs(root.imag) <= 1e-25 * (1 + abs(root))]
        return [Fraction(str(root)) for root in real]


def _short(value: Number) -> Number:
    return Fraction(round(value * 10**_DIGITS), 10**_DIGITS) if is_rounded(value) else value


# -- statements ------------------------------------------------------------------------------------


def _relational() -> Any:
    from sympy.core.relational import Relational

    return Relational


def _compiled(statement: Any, variables: list[Any]) -> Test:
    import sympy

    if statement in (sympy.true, sympy.false):
        holds = statement == sympy.true
        return lambda _point: holds
    if isinstance(statement, (sympy.And, sympy.Or)):
        parts = [_compiled(part, variables) for part in statement.args]
        if isinstance(statement, sympy.And):
            return lambda point: all(part(point) for part in parts)
        return lambda point: any(part(point) for part in parts)
    if isinstance(statement, sympy.Not):
        inner = _compiled(statement.args[0], variables)
        return lambda point: not inner(point)
    if not isinstance(statement, _relational()):
        raise NotDerivableError(f"{_NEVER}: {statement}")
    holds_for = _SIGNS[statement.rel_op]

    def holds_at(point: Sequence[Number]) -> bool:
        value = _value(statement.lhs, variables, point)
        return bool(holds_for((value > 0) - (value < 0)))

    return holds_at


_SIGNS: dict[str, Callable[[int], bool]] = {
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    "==": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
}


def polynomial_form(statement: Any, positive: Sequence[Any] = ()) -> Any:
    """Rewrite relations between rational functions as polynomials against zero.

    Absolute values, maxima and minima are split into cases. A relation between values that are
    undefined at a point does not hold there.

    Parameters
    ----------
    statement
        A Boolean.
    positive
        Symbols that are positive: they are divided out.

    Raises
    ------
    NotDerivableError
        There are roots or other functions in it.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> polynomial_form(sympy.Lt(x, 2 / y), [y])
    x*y - 2 < 0
    """
    import sympy

    if statement in (sympy.true, sympy.false, True, False):
        return sympy.true if statement in (sympy.true, True) else sympy.false
    if isinstance(statement, (sympy.And, sympy.Or)):
        parts = (polynomial_form(part, positive) for part in statement.args)
        return type(statement)(*parts, evaluate=False)
    if isinstance(statement, sympy.Not):
        return sympy.Not(polynomial_form(statement.args[0], positive), evaluate=False)
    if not isinstance(statement, _relational()):
        raise NotDerivableError(f"{_NEVER}: {statement}")
    cases = _cases(statement)
    return cases if cases is None else _polynomial(cases, positive)


def _cases(relation: Any) -> Any:
    """Return a relation without absolute values, maxima and minima."""
    import sympy

    kinds = (sympy.Abs, sympy.Max, sympy.Min)
    for part in sorted(relation.atoms(*kinds), key=sympy.count_ops):
        first, *others = part.args
        rest = part.func(*others) if others else -first
        wanted = sympy.Ge if isinstance(part, (sympy.Abs, sympy.Max)) else sympy.Le
        takes = wanted(first, 0 if not others else rest, evaluate=False)
        return sympy.Or(
            sympy.And(_cases(takes), _cases(relation.subs(part, first)), evaluate=False),
            sympy.And(
                sympy.Not(_cases(takes), evaluate=False),
                _cases(relation.subs(part, rest)),
                evaluate=False,
            ),
            evaluate=False,
        )
    return relation


def _polynomial(statement: Any, positive: Sequence[Any]) -> Any:
    import sympy

    if not isinstance(statement, _relational()):
        if statement in (sympy.true, sympy.false):
            return statement
        parts = (_polynomial(part, positive) for part in statement.args)
        return statement.func(*parts, evaluate=False)
    top, bottom = sympy.fraction(sympy.together(statement.lhs - statement.rhs))
    if sympy.expand(top) == 0:
        return sympy.true if statement.rel_op in ("==", ">=", "<=") else sympy.false
    number, factors = sympy.factor_list(top)
    product: Any = sympy.sign(number) if number else sympy.Integer(0)
    for factor, count in factors:
        product *= 1 if factor in positive else factor ** (1 if count % 2 else 2)
    below, defined = sympy.Integer(1), []
    for factor, count in sympy.factor_list(bottom)[1]:
        if factor not in positive:
            below *= factor if count % 2 else 1
            defined.append(sympy.Ne(factor, 0, evaluate=False))
    below *= sympy.sign(sympy.factor_list(bottom)[0])
    relation = type(statement)(sympy.expand(product * below), 0, evaluate=False)
    if not _is_polynomial(relation.lhs):
        raise NotDerivableError(f"{_NEVER}: {statement}")
    return sympy.And(relation, *defined, evaluate=False) if defined else relation


def _is_polynomial(expression: Any) -> bool:
    symbols = sorted(expression.free_symbols, key=str)
    return bool(expression.is_number or expression.is_polynomial(*symbols))
