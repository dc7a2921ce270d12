"""Statements about rational functions as statements about the signs of polynomials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convex_analyzer.derivations.cell_numbers import Number, value_at
from convex_analyzer.errors import NotDerivableError

__all__ = ["Test", "compiled", "polynomial_form", "relational"]

Test = Callable[[Sequence[Number]], bool]

_NEVER = "the statement is no statement about rational functions"


def relational() -> Any:
    """Return SymPy's class of relations."""
    from sympy.core.relational import Relational

    return Relational


def compiled(statement: Any, variables: list[Any]) -> Test:
    """Return a function that tells whether a statement of polynomials holds at a point."""
    import sympy

    if statement in (sympy.true, sympy.false):
        holds = statement == sympy.true
        return lambda _point: holds
    if isinstance(statement, (sympy.And, sympy.Or)):
        parts = [compiled(part, variables) for part in statement.args]
        if isinstance(statement, sympy.And):
            return lambda point: all(part(point) for part in parts)
        return lambda point: any(part(point) for part in parts)
    if isinstance(statement, sympy.Not):
        inner = compiled(statement.args[0], variables)
        return lambda point: not inner(point)
    if not isinstance(statement, relational()):
        raise NotDerivableError(f"{_NEVER}: {statement}")
    holds_for = _SIGNS[statement.rel_op]

    def holds_at(point: Sequence[Number]) -> bool:
        value = value_at(statement.lhs, variables, point)
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
    if not isinstance(statement, relational()):
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

    if not isinstance(statement, relational()):
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
