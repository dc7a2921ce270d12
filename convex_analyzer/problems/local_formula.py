"""A formula or a SymPy expression at a point: value, gradient and Hessian by exact derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.formulas import Formula, natural_order
from convex_analyzer.problems.calls import ScalarCall, point_words
from convex_analyzer.problems.checks import float_array
from convex_analyzer.problems.differences import kinks
from convex_analyzer.problems.hessians import curvature_breaks
from convex_analyzer.problems.local_expansion import Expansion, refuse_kinks
from convex_analyzer.problems.smooth import SymbolicProblem
from convex_analyzer.problems.steps import EPS
from convex_analyzer.tables import join_words

__all__ = ["expand_formula", "symbolic_problem"]

Array = npt.NDArray[np.float64]

_LARGEST = float(np.finfo(float).max)
_SHORT = 12  # characters: a shorter decimal is meant as written


def symbolic_problem(
    f: Any, at: Any, variables: Sequence[Any] | None, names: Sequence[str] | None
) -> SymbolicProblem:
    """Return a formula or a SymPy expression as a problem in real symbols.

    Variables that were found as x[0], x[2], ... are taken as the vector x of the point's length.
    """
    if isinstance(f, Formula):
        expression, symbols, name = f.expression, f.symbols, " ".join(f.text.split())
        symbols = _whole_vector(symbols, at) if variables is None else symbols
        shown = name if len(name) <= 60 else "formula"
        return SymbolicProblem(expression, symbols, names, shown)
    expression = plain_expression(f)
    symbols, real = _real(expression, variables)
    name = str(f)
    problem = SymbolicProblem(real, symbols, names, name if len(name) <= 60 else "formula")
    _hold_assumptions(expression, problem, at)
    return problem


def plain_expression(f: Any) -> Any:
    """Return a SymPy expression of plain symbols: entries of vectors and matrices become symbols.

    Raises
    ------
    InputError
        No expression, or one that holds what has no slope: unknown functions, whole matrices, two
        symbols of one name, symbols that are whole numbers or not real.

    Examples
    --------
    >>> import sympy
    >>> w = sympy.IndexedBase("w")
    >>> sorted(map(str, plain_expression(w[0] ** 2 + w[1]).free_symbols))
    ['w[0]', 'w[1]']
    """
    import sympy
    from sympy.core.function import AppliedUndef
    from sympy.matrices.expressions.matexpr import MatrixElement

    if getattr(f, "shape", None) == (1, 1):
        f = f[0, 0]
    if not isinstance(f, sympy.Expr) or getattr(f, "is_Matrix", False):
        raise InputError(f"f must be one expression, got {type(f).__name__}", argument="f")
    if f.has(sympy.Derivative):
        f = f.doit(integrals=False)
    entries = f.atoms(sympy.Indexed, MatrixElement)
    f = f.xreplace({entry: sympy.Symbol(str(entry), real=True) for entry in entries})
    unknown = sorted(str(call) for call in f.atoms(AppliedUndef))
    if unknown:
        raise InputError(
            f"f holds a function that is not known: {unknown[0]}",
            argument="f",
            hint="put its formula in its place, for instance with f.subs(...)",
        )
    names: set[str] = set()
    for symbol in f.free_symbols:
        what = "is a whole number" if symbol.is_integer else "is not real"
        if symbol.is_integer or symbol.is_real is False or not symbol.is_Symbol:
            raise InputError(
                f"f cannot be differentiated by {symbol}: it {what}",
                argument="f",
                hint=f"declare it as Symbol({str(symbol)!r}, real=True)",
            )
        if str(symbol) in names:
            raise InputError(
                f"f holds two different symbols named {symbol}, with different assumptions",
                argument="f",
                hint="make each symbol once, and use it everywhere",
            )
        names.add(str(symbol))
    return f


def _hold_assumptions(expression: Any, problem: SymbolicProblem, at: Any) -> None:
    """Refuse a point that contradicts what the symbols assume: √(x²) = x holds for x > 0 only."""
    numbers = dict(zip(map(str, problem.symbols), _exact_point(problem, at)[0], strict=True))
    for symbol in expression.free_symbols:
        for name in ("positive", "negative", "nonnegative", "nonpositive", "nonzero"):
            number = numbers[str(symbol)]
            if getattr(symbol, f"is_{name}") and getattr(number, f"is_{name}") is False:
                raise InputError(
                    f"at has {symbol} = {number}, but f assumes that {symbol} is {name}",
                    argument="at",
                    hint=f"declare it as Symbol({str(symbol)!r}, real=True)",
                )


def _real(f: Any, variables: Sequence[Any] | None) -> tuple[tuple[Any, ...], Any]:
    """Return the symbols in order and the expression, both with real symbols."""
    import sympy

    free = {str(symbol): symbol for symbol in f.free_symbols}
    wanted = sorted(free, key=natural_order) if variables is None else [str(v) for v in variables]
    missing = sorted(set(free) - set(wanted))
    if missing:
        raise InputError(
            f"f has symbols that are not among the variables: {', '.join(missing)}",
            argument="variables",
            hint="give them values, for instance f.subs({...})",
        )
    symbols = tuple(sympy.Symbol(name, real=True) for name in wanted)
    by_name = dict(zip(wanted, symbols, strict=True))
    return symbols, f.xreplace({old: by_name[name] for name, old in free.items()})


def _whole_vector(symbols: tuple[Any, ...], at: Any) -> tuple[Any, ...]:
    import sympy

    heads = {str(symbol).partition("[")[0] for symbol in symbols if "[" in str(symbol)}
    if len(heads) != 1 or any("[" not in str(symbol) for symbol in symbols):
        return symbols
    count = np.size(getattr(at, "x", at))
    last = max(int(str(symbol).partition("[")[2][:-1]) for symbol in symbols)
    head = heads.pop()
    if last >= count:
        return symbols
    return tuple(sympy.Symbol(f"{head}[{i}]", real=True) for i in range(count))


def expand_formula(problem: SymbolicProblem, at: Any) -> Expansion:
    """Return value, gradient and Hessian of an expression; exact where all is rational."""
    import sympy

    numbers, exact = _exact_point(problem, at)
    point = np.array([float(x) for x in numbers])
    place = dict(zip(problem.symbols, numbers, strict=True))
    _refuse_corners(problem, point)
    d, where = problem.dimension, f"at {point_words(point)}"
    value = _real_number(problem.expression.xreplace(place), f"f is undefined {where}")
    gradient = [
        _real_number(slope.xreplace(place), f"the slope along {label} is undefined {where}")
        for slope, label in zip(problem.slopes, problem.labels, strict=True)
    ]
    entries = {
        key: _real_number(
            bend.xreplace(place),
            f"the curvature along {problem.labels[key[0]]} is infinite or undefined {where}",
        )
        for key, bend in problem.curvatures.items()
    }
    rows = [[entries[max(i, j), min(i, j)] for j in range(d)] for i in range(d)]
    exact = exact and all(entry.is_Rational for entry in (*entries.values(), *gradient))
    floats = np.array([[float(entry) for entry in row] for row in rows])
    slopes = np.array([float(slope) for slope in gradient])
    size = float(np.max(np.abs(floats)))
    return Expansion(
        at=point,
        value=float(value),
        gradient=slopes,
        hessian=sympy.ImmutableMatrix(rows) if exact else floats,
        function=problem,
        gradient_error=0.0 if exact else EPS * (float(np.max(np.abs(slopes))) + size),
        hessian_error=0.0 if exact else EPS * size * d,
        method="exact derivatives",
        kind="exact" if exact else "numerical",
        exact_at=tuple(numbers) if exact else None,
        exact_gradient=tuple(gradient) if exact else None,
    )


def _exact_point(problem: SymbolicProblem, at: Any) -> tuple[list[Any], bool]:
    """Return the point in SymPy numbers, and whether all of them are what was meant."""
    at = at.x if hasattr(at, "x") and hasattr(at, "nfev") else at
    if isinstance(at, dict):
        given = {str(key): value for key, value in at.items()}
        wanted = [str(symbol) for symbol in problem.symbols]
        if set(given) != set(wanted):
            raise InputError(f"at must name {join_words(wanted)}", argument="at", value=at)
        entries = [given[name] for name in wanted]
    elif isinstance(at, np.ndarray) and at.ndim > 1:
        raise InputError(
            f"at must be one point, shape ({problem.dimension},), got shape {at.shape}",
            argument="at",
            hint="pass at.ravel()",
        )
    elif isinstance(at, (list, tuple)) or getattr(at, "is_Matrix", False) or np.ndim(at) == 1:
        entries = list(at)
    else:
        entries = [at]
    if len(entries) != problem.dimension:
        known = join_words([str(symbol) for symbol in problem.symbols])
        raise InputError(
            f"at must have one number for each of {known}, got {len(entries)}",
            argument="at",
            hint="variables= names them and their order",
        )
    numbers = [_exact_number(entry) for entry in entries]
    return [number for number, _ in numbers], all(exact for _, exact in numbers)


def _exact_number(entry: Any) -> tuple[Any, bool]:
    import sympy

    if getattr(entry, "is_number", False) and hasattr(entry, "evalf"):
        if not (entry.is_real and entry.is_finite):
            raise InputError(f"at must be real and finite, got {entry}", argument="at")
        return entry, not entry.has(sympy.Float)
    if isinstance(entry, (bool, str)):
        raise InputError(f"at must hold numbers, got {entry!r}", argument="at")
    if isinstance(entry, (int, np.integer, Fraction)):
        return sympy.Rational(entry.numerator, entry.denominator), True
    number = float(float_array(entry, "at").reshape(()))
    if number == int(number) and abs(number) < 2**53:
        return sympy.Integer(int(number)), True
    if len(repr(number)) <= _SHORT:
        return sympy.Rational(repr(number)), True
    return sympy.Float(number, 30), False


def _real_number(value: Any, otherwise: str) -> Any:
    import sympy

    bad = (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.DiracDelta)
    if value.has(*bad) or not value.is_number:
        raise InputError(otherwise, argument="at", hint="expand beside this point")
    number = value if value.is_Rational else value.evalf(20)
    if not (number.is_Float or number.is_Rational):
        if number.is_zero:
            return sympy.Integer(0)
        raise InputError(otherwise, argument="at", hint="expand where f is real")
    if not abs(number) < _LARGEST:
        raise InputError(
            otherwise.replace("infinite or undefined", "undefined").replace(
                "undefined", "beyond the range of float64"
            ),
            argument="at",
            hint="expand where it is smaller",
        )
    return number


def _refuse_corners(problem: SymbolicProblem, point: Array) -> None:
    """Refuse a point where slopes or curvatures jump; only some functions can do that."""
    import sympy

    place = dict(zip(problem.symbols, map(sympy.Float, point), strict=True))
    for relation in problem.expression.atoms(sympy.Eq, sympy.Ne):
        if (relation.lhs - relation.rhs).xreplace(place).is_zero:
            raise InputError(
                f"f is put together at {point_words(point)}, where {relation.lhs} = "
                f"{relation.rhs}: its pieces do not tell its slopes there",
                argument="at",
                hint="expand beside it, or pass f as a callable",
            )
    cornered = (sympy.Abs, sympy.sign, sympy.Max, sympy.Min, sympy.Heaviside, sympy.Piecewise)
    if not problem.expression.has(*cornered):
        return
    call = ScalarCall(problem.value, problem.dimension, "f")
    if not math.isfinite(call.at(point)):
        return  # said better by the values themselves
    refuse_kinks(call, point, problem.labels, kinks(call, point), curvature_breaks(call, point))
