"""An independent opinion on two lines: mpmath at random points, nothing of the judge is used.

Expressions are compared at random points; statements also on their borders, which are found by
bisection along one variable. A counterexample is evaluated at its own point.
"""

from __future__ import annotations

import ast
import functools
import itertools
import operator
import random
from collections.abc import Iterator
from typing import Any

import mpmath
import sympy

from convex_analyzer.parsing.symbols import Symbols

MP = mpmath.MPContext()
MP.dps = 50
_CLOSE = MP.mpf(10) ** -30
N = sympy.Symbol("n", integer=True, positive=True)


class NowhereError(Exception):
    """No value here."""


class UnknownError(Exception):
    """Something that this oracle does not know: it has no opinion."""


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, MP.matrix) or isinstance(b, MP.matrix):
        if not isinstance(a, MP.matrix) or not isinstance(b, MP.matrix):
            return False
        same = (a.rows, a.cols) == (b.rows, b.cols)
        return same and all(_close(x, y) for x, y in zip(a, b, strict=True))
    return bool(abs(a - b) <= _CLOSE * max(1, abs(a), abs(b)))


def value(e: Any, point: dict[Any, Any]) -> Any:
    """Evaluate by walking the tree."""
    if isinstance(e, bool) or e is sympy.true or e is sympy.false:
        return bool(e)
    if e in point:
        return point[e]
    if e.is_Rational:
        return _fraction(e.p, e.q)
    if isinstance(e, (sympy.Sum, sympy.Product)):
        ((index, low, high),) = e.limits
        start, stop = (int(value(b, point)) for b in (low, high))
        terms = [value(e.function, {**point, index: MP.mpf(i)}) for i in range(start, stop + 1)]
        return MP.fsum(terms) if isinstance(e, sympy.Sum) else MP.fprod(terms)
    if isinstance(e, sympy.Derivative):
        return value(e.doit(), point)
    if isinstance(e, sympy.Identity):
        return MP.eye(int(point[N]))
    if isinstance(e, sympy.MatrixBase):
        return MP.matrix([[value(x, point) for x in row] for row in e.tolist()])
    if not e.args and e.is_number:
        return MP.mpf(str(e.evalf(60)))
    return _combined(e, [value(a, point) for a in e.args])


@functools.cache
def _fraction(p: int, q: int) -> Any:
    return MP.mpf(p) / q


def _combined(e: Any, parts: list[Any]) -> Any:
    name = type(e).__name__
    if e.is_Relational:
        return _related(e.rel_op, *parts)
    if name not in _RULES:
        raise UnknownError(name)
    return _RULES[name](parts)


def _product(parts: list[Any]) -> Any:
    product = functools.reduce(operator.mul, parts)
    small = isinstance(product, MP.matrix) and product.rows == product.cols == 1
    return product[0] if small else product


def _trace(parts: list[Any]) -> Any:
    (m,) = parts
    return sum(m[i, i] for i in range(m.rows)) if isinstance(m, MP.matrix) else m


def _sign(parts: list[Any]) -> Any:
    return MP.mpf(0) if abs(parts[0]) < _CLOSE else MP.sign(parts[0])


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, MP.matrix):
        return base ** int(exponent)
    if abs(base) < _CLOSE:
        if exponent < 0:
            raise ZeroDivisionError  # a pole: not compared
        return MP.mpf(1) if exponent == 0 else MP.mpf(0)
    result = base**exponent
    if isinstance(result, MP.mpc):
        if abs(result.imag) > _CLOSE:
            raise NowhereError
        return result.real
    return result


_RULES = {
    **dict.fromkeys(("Add", "MatAdd"), lambda parts: functools.reduce(operator.add, parts)),
    **dict.fromkeys(("Mul", "MatMul"), _product),
    **dict.fromkeys(("Pow", "MatPow"), lambda parts: _power(*parts)),
    "Inverse": lambda parts: parts[0] ** -1,
    "Transpose": lambda parts: parts[0].T if isinstance(parts[0], MP.matrix) else parts[0],
    "Determinant": lambda parts: MP.det(parts[0]),
    "Trace": _trace,
    "Abs": lambda parts: abs(parts[0]),
    "sign": _sign,
    "Max": max,
    "Min": min,
    "And": all,
    "Or": any,
    "Not": lambda parts: not parts[0],
    "exp": lambda parts: MP.exp(parts[0]),
    "sin": lambda parts: MP.sin(parts[0]),
    "cos": lambda parts: MP.cos(parts[0]),
    "log": lambda parts: _logarithm(parts[0]),
}


def _logarithm(argument: Any) -> Any:
    if argument <= 0:
        raise NowhereError
    return MP.log(argument)


def _related(op: str, a: Any, b: Any) -> bool:
    same = _close(a, b)
    if op in ("==", "!="):
        return same is (op == "==")
    if same:
        return op in ("<=", ">=")
    return bool(a < b) is (op in ("<", "<="))


# -- points ------------------------------------------------------------------------------------


class Points:
    """Random points that satisfy the assumptions."""

    def __init__(self, symbols: Symbols, seed: int) -> None:
        self.symbols, self.draws = symbols, random.Random(seed)
        self.matrices = any(d.is_matrix or d.is_vector for d in symbols)

    def draw(self) -> dict[Any, Any] | None:
        """Return a point, or None if a constraint fails."""
        point: dict[Any, Any] = {N: 3} if self.matrices else {}
        for d in self.symbols:
            if d.is_function or d.kind == "identity matrix":
                continue
            point[d.object] = self._scalar(d.object) if d.is_scalar else self._matrix(d.kind)
        try:
            return point if all(value(c, point) for c in self.symbols.constraints) else None
        except (NowhereError, ZeroDivisionError):
            return None

    def _scalar(self, symbol: Any) -> Any:
        draws = self.draws
        if symbol.is_integer:
            return MP.mpf(draws.randint(1 if symbol.is_positive else 0, 7))
        size = MP.mpf(
            draws.choice((draws.random(), draws.random(), 4 * draws.random(), 20 * draws.random()))
        )
        if symbol.is_nonnegative:
            return size
        return size if draws.random() < 0.5 else -size

    def _matrix(self, kind: str) -> Any:
        draws = self.draws
        general = MP.matrix([[draws.uniform(-2, 2) for _ in range(3)] for _ in range(3)])
        if kind == "vector":
            return MP.matrix([draws.uniform(-2, 2) for _ in range(3)])
        if kind == "symmetric matrix":
            return general + general.T
        if kind.startswith("positive"):
            return general * general.T + MP.eye(3)
        if kind == "diagonal matrix":
            return MP.diag([draws.uniform(-2, 2) for _ in range(3)])
        if kind == "orthogonal matrix":
            return MP.qr(general)[0]
        return general

    def some(self, count: int, tries: int) -> Iterator[dict[Any, Any]]:
        """Yield up to `count` points."""
        for _ in range(tries):
            point = self.draw()
            if point is not None:
                yield point
                count -= 1
                if count == 0:
                    return


def borders(statement: Any, points: Points, count: int) -> Iterator[dict[Any, Any]]:
    """Yield points where the two sides of a relation are equal."""
    if isinstance(statement, bool):
        return
    for relation in [r for r in sympy.preorder_traversal(statement) if r.is_Relational]:
        unknowns = [s for s in relation.free_symbols if s in {d.object for d in points.symbols}]
        for unknown in sorted((s for s in unknowns if not s.is_integer), key=str):
            found = 0
            for base in points.some(3 * count, 300):
                point = _border(relation, unknown, base, points)
                if point is not None:
                    yield point
                    found += 1
                    if found >= count:
                        break


def _border(relation: Any, unknown: Any, base: dict[Any, Any], points: Points) -> Any:
    def gap(x: Any) -> Any:
        at = {**base, unknown: x}
        return value(relation.lhs, at) - value(relation.rhs, at)

    grid = [MP.mpf(2) ** k for k in range(-9, 10, 2)]
    if not unknown.is_nonnegative:
        grid = [-x for x in reversed(grid)] + grid
    try:
        values = [(x, gap(x)) for x in grid]
        pairs = [(a, b) for (a, f), (b, g) in itertools.pairwise(values) if f * g < 0]
        if not pairs:
            return None
        root = _root(gap, *points.draws.choice(pairs))
        point = {**base, unknown: root}
        if abs(gap(point[unknown])) > _CLOSE:
            return None  # a pole, no root
        return point if all(value(c, point) for c in points.symbols.constraints) else None
    except (NowhereError, ZeroDivisionError, TypeError, OverflowError):
        return None


def _root(gap: Any, low: Any, high: Any) -> Any:
    """Return where a function changes its sign: false position, with the Illinois correction.

    Source: M. Dowell and P. Jarratt, A modified regula falsi method, BIT 11 (1971).
    """
    below, above, last, x = gap(low), gap(high), 0, low
    for _ in range(80):
        x = (low * above - high * below) / (above - below)
        here = gap(x)
        if abs(here) < _CLOSE**1.5:
            break
        if (here > 0) == (above > 0):
            high, above = x, here
            below, last = (below / 2 if last == 1 else below), 1
        else:
            low, below = x, here
            above, last = (above / 2 if last == -1 else above), -1
    return x


# -- opinions ----------------------------------------------------------------------------------


def same(before: Any, after: Any, symbols: Symbols, seed: int = 0) -> bool | None:
    """Whether two lines agree; None: there were too few points, or it does not know them."""
    try:
        return _same(before, after, symbols, seed)
    except UnknownError:
        return None


@functools.lru_cache(maxsize=256)
def _trials(before: Any, symbols: Symbols, seed: int) -> tuple[dict[Any, Any], ...]:
    points = Points(symbols, seed)
    return (*points.some(80, 2000), *borders(before, points, 4))


def _same(before: Any, after: Any, symbols: Symbols, seed: int) -> bool | None:
    states = isinstance(before, (sympy.logic.boolalg.Boolean, bool)) and not before.is_Symbol
    hits = 0
    if states:
        trials = [*_trials(before, symbols, seed), *borders(after, Points(symbols, seed + 1), 4)]
    else:
        trials = list(Points(symbols, seed).some(5, 400))
    for point in trials:
        try:
            a = value(before, point)
        except (NowhereError, ZeroDivisionError):
            continue
        try:
            b = value(after, point)
        except ZeroDivisionError:
            continue
        except NowhereError:
            return False  # not real where the line above is
        hits += 1
        if (a is not b) if states else not _close(a, b):
            return False
    return True if hits >= 3 else None


def confirms(shown: Any, before: Any, after: Any, symbols: Symbols) -> bool | None:
    """Whether a counterexample, read back from its text, tells two lines apart; None: unknown."""
    letters = {d.letter or d.name: d.object for d in symbols}
    if any(letter not in letters for letter, _ in shown.point):
        return None
    try:
        return _confirms(shown, before, after, symbols, letters)
    except UnknownError:
        return None


def _confirms(shown: Any, before: Any, after: Any, symbols: Symbols, letters: Any) -> bool:
    point: dict[Any, Any] = {}
    for letter, text in shown.point:
        known = letters[letter]
        if text.startswith(("[", "(")) and "," in text:
            entries = (
                [_read(x) for x in _split(text)]
                if text[0] == "("
                else [[_read(x) for x in _split(row)] for row in _rows(text)]
            )
            point[known] = MP.matrix(entries)
            point[N] = point[known].rows
        else:
            point[known] = _read(text)
    if not all(_admitted(s, v) for s, v in point.items()):
        return False
    try:
        if not all(value(c, point) for c in symbols.constraints if c.free_symbols <= point.keys()):
            return False
        a = value(before, point)
    except (NowhereError, ZeroDivisionError):
        return False
    try:
        b = value(after, point)
    except (NowhereError, ZeroDivisionError):
        return True
    return (a is not b) if isinstance(a, bool) else not _close(a, b)


def _admitted(symbol: Any, number: Any) -> bool:
    if isinstance(number, MP.matrix) or symbol == N:
        return True
    return not (
        (symbol.is_positive and number <= 0)
        or (symbol.is_nonnegative and number < 0)
        or (symbol.is_zero is False and number == 0)
        or (symbol.is_integer and number != MP.floor(number))
    )


def _split(text: str) -> list[str]:
    return text.strip("()[] ").split(", ")


def _rows(text: str) -> list[str]:
    return text[1:-1].split("], [")


def _read(text: str) -> Any:
    text = text.removeprefix("≈ ")
    if "/" in text and "(" not in text:
        top, bottom = text.split("/")
        return MP.mpf(top) / MP.mpf(bottom)
    try:
        return MP.mpf(text)
    except ValueError:
        return _surd(ast.parse(text, mode="eval").body)


def _surd(node: ast.AST) -> Any:
    match node:
        case ast.Constant(value=number):
            return MP.mpf(number)
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return {"sqrt": MP.sqrt, "exp": MP.exp, "log": MP.log}[name](_surd(inner))
        case ast.UnaryOp(operand=inner):
            return -_surd(inner)
        case ast.BinOp(left=a, op=op, right=b):
            x, y = _surd(a), _surd(b)
            return {ast.Add: x + y, ast.Sub: x - y, ast.Mult: x * y}.get(type(op), x / y)
    raise ValueError("no number")
