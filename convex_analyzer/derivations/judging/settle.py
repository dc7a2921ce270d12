"""Letting SymPy settle what was read as written: ``Add(k, 1)`` unevaluated becomes ``k + 1``."""

from __future__ import annotations

from typing import Any

__all__ = ["ordered", "settled"]


def settled(e: Any) -> Any:
    """Return an expression expanded, with the usual order and sums of its parts.

    Examples
    --------
    >>> import sympy
    >>> k = sympy.Symbol("k")
    >>> settled(sympy.Add(k, 1, 1, evaluate=False))
    k + 2
    """
    import sympy

    if not e.args:
        return e
    return sympy.expand(e.func(*map(settled, e.args)))


def ordered(e: Any) -> Any:
    """Return an expression or statement with terms and factors in the usual order, not expanded.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> ordered(sympy.Mul((x + 1) ** 39, x + 1, evaluate=False))
    (x + 1)**40
    """
    from sympy.core.relational import Relational

    if not getattr(e, "args", None):
        return e
    parts = [ordered(part) for part in e.args]
    if isinstance(e, Relational):
        return e.func(*parts, evaluate=False)
    return e.func(*parts)
