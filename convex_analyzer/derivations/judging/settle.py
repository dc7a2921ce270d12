"""Letting SymPy settle what was read as written: ``Add(k, 1)`` unevaluated becomes ``k + 1``."""

from __future__ import annotations

from typing import Any

__all__ = ["settled"]


def settled(e: Any) -> Any:
    """Return an expression with the usual order and sums of its parts.

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
