"""Relations with a function on both sides that only grows: x³ < y³ says what x < y says.

Cubes and higher odd powers, exp, and logarithms of what is positive are one to one and keep the
order, so they may be taken off both sides. A sum of squares is zero where every part is.
"""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.judging.normal import Normalizer
from convex_analyzer.derivations.judging.polynomials import TooLarge

__all__ = ["undone"]


def undone(relation: Any, normal: Normalizer) -> Any:
    """Return a relation that holds at the same points, without the function; None: there is none.

    Examples
    --------
    >>> import sympy
    >>> from convex_analyzer.derivations.judging.clock import Clock
    >>> from convex_analyzer.derivations.judging.field import Field
    >>> x, y = sympy.symbols("x y", positive=True)
    >>> normal = Normalizer(Field(Clock(1.0)))
    >>> undone(sympy.Lt(x**3, y**3), normal), undone(sympy.Eq(2 * sympy.log(x), y), normal)
    (x < y, None)
    >>> undone(sympy.Lt(2 * sympy.log(x), sympy.log(y)), normal)
    x**2 < y
    """
    if not getattr(relation, "is_Relational", False):
        return None
    left, right = relation.args
    vector = _vanishing_square(relation)
    if vector is not None:
        return vector
    if any(getattr(side, "is_Matrix", False) for side in (left, right)):
        return None
    pair = _inside(left, right)
    if pair is None and relation.has(normal.sympy.log):
        pair = _without_logarithms(left, right, normal)
    return None if pair is None else relation.func(*pair, evaluate=False)


def _vanishing_square(relation: Any) -> Any:
    """Return v = 0 for vᵀv = 0, and for the norm of v."""
    import sympy

    if not isinstance(relation, sympy.Eq) or relation.rhs != 0:
        return None
    square = relation.lhs
    while square.is_Pow and square.exp.is_positive and square.exp.is_number:
        square = square.base
    if not isinstance(square, sympy.Trace) or not isinstance(square.arg, sympy.MatMul):
        return None
    parts = square.arg.args
    if len(parts) != 2 or parts[0] != sympy.Transpose(parts[1]):
        return None
    return sympy.Eq(parts[1], sympy.ZeroMatrix(*parts[1].shape), evaluate=False)


def _inside(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Return what an odd power or exp is taken of, on both sides."""
    import sympy

    if isinstance(left, sympy.exp) and isinstance(right, sympy.exp):
        return left.args[0], right.args[0]
    same = left.is_Pow and right.is_Pow and left.exp == right.exp and left.exp.is_Integer
    if same and left.exp > 0 and left.exp % 2 == 1:
        return left.base, right.base
    return None


def _without_logarithms(left: Any, right: Any, normal: Normalizer) -> tuple[Any, Any] | None:
    """Return exp of two sides that are sums of logarithms of what is positive, with factors."""
    sides = [_exponential(side, normal) for side in (left, right)]
    return None if sides[0] is None or sides[1] is None else (sides[0], sides[1])


def _exponential(side: Any, normal: Normalizer) -> Any:
    import sympy

    factors = []
    for term in sympy.Add.make_args(side):
        if term == 0:
            continue
        parts = [part for f in sympy.Mul.make_args(term) for part in sympy.Mul.make_args(f)]
        logs = [part for part in parts if isinstance(part, sympy.log)]
        rest = [part for part in parts if part not in logs]
        if len(logs) != 1 or any(part.has(sympy.log) for part in rest):
            return None
        inner = logs[0].args[0]
        if not _is_positive(inner, normal):
            return None
        power = sympy.Mul(*rest)
        factors.append(inner if power == 1 else sympy.Pow(inner, power, evaluate=False))
    return sympy.Mul(*factors, evaluate=False) if len(factors) > 1 else sympy.Mul(*factors)


def _is_positive(e: Any, normal: Normalizer) -> bool:
    """Whether a value is positive wherever the assumptions hold."""
    try:
        value = normal.scalar(e)
    except TooLarge:
        return False
    field = normal.field
    parts = [field.reduced(value.top), *map(dict, value.bottom)]
    return all(field.signs(part) == {1} for part in parts)
