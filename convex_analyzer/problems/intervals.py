"""A rigorous range of a SymPy expression over a box, by interval arithmetic.

Every operation widens: the true range lies inside what is returned. What is not known here has no
range (None), which callers take as "measure it instead".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["largest_size"]


def largest_size(expression: Any, box: Mapping[Any, tuple[float, float]]) -> float | None:
    """Return an upper bound of |expression| over a box; None where none is known.

    Infinite where the box seems to hold a singularity, or values beyond float64.

    Parameters
    ----------
    expression
        A SymPy expression.
    box
        Lower and upper end of each symbol.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> largest_size(6 * x - 1, {x: (-1.0, 2.0)})
    11.0
    """
    from mpmath import iv

    try:
        value = _range(expression, {s: iv.mpf(list(ends)) for s, ends in box.items()}, iv)
    except NotImplementedError:
        return None
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.inf
    size = max(abs(float(value.a)), abs(float(value.b)))
    return min(math.inf, size)  # NaN is not smaller


def _tanh(x: Any, iv: Any) -> Any:
    return iv.mpf([_tanh_end(x.a, iv).a, _tanh_end(x.b, iv).b])  # monotone


def _tanh_end(x: Any, iv: Any) -> Any:
    return 1 - 2 / (iv.exp(2 * iv.mpf(x)) + 1)


def _cosh(x: Any, iv: Any) -> Any:
    return (iv.exp(x) + iv.exp(-x)) / 2


def _sinh(x: Any, iv: Any) -> Any:
    return (iv.exp(x) - iv.exp(-x)) / 2


_FUNCTIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "exp": lambda x, iv: iv.exp(x),
    "log": lambda x, iv: iv.log(x),
    "sin": lambda x, iv: iv.sin(x),
    "cos": lambda x, iv: iv.cos(x),
    "tan": lambda x, iv: iv.tan(x),
    "tanh": _tanh,
    "sinh": _sinh,
    "cosh": _cosh,
    "Abs": lambda x, iv: abs(x),
}


def _range(node: Any, box: Mapping[Any, Any], iv: Any) -> Any:
    if node.is_Symbol:
        return box[node]
    if node.is_Rational:
        return iv.mpf(int(node.p)) / int(node.q)
    if node.is_number:
        return _number(node, iv)
    if node.is_Add or node.is_Mul:
        parts = [_range(part, box, iv) for part in node.args]
        total = parts[0]
        for part in parts[1:]:
            total = total + part if node.is_Add else total * part
        return total
    if node.is_Pow:
        return _power(node, box, iv)
    name = type(node).__name__
    if name not in _FUNCTIONS or len(node.args) != 1:
        raise NotImplementedError(name)
    inner = _range(node.args[0], box, iv)
    if name == "log" and not inner.a > 0:
        raise ValueError
    return _FUNCTIONS[name](inner, iv)


def _number(node: Any, iv: Any) -> Any:
    """Return a few digits more than float64 has, and an interval around them."""
    value = node.evalf(25)
    if not value.is_Float:
        raise NotImplementedError
    low, high = float(value), float(value)
    wide = 4e-16 * abs(low)
    return iv.mpf([low - wide, high + wide])


def _power(node: Any, box: Mapping[Any, Any], iv: Any) -> Any:
    base, power = node.args
    inner = _range(base, box, iv)
    if power.is_Integer:
        n = abs(int(power))
        value = inner**n
        if n % 2 == 0:  # an even power is not negative, which a product of intervals may forget
            value = iv.mpf([max(value.a, 0), value.b])
        if int(power) > 0:
            return value
        if value.a <= 0 <= value.b:
            raise ZeroDivisionError
        return 1 / value
    if not inner.a > 0:
        raise ValueError
    return iv.exp(_range(power, box, iv) * iv.log(inner))
