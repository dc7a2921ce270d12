"""Functions of one number: exactly where it is simple, else to sixty digits, else not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.clock import spend
from convex_analyzer.derivations.judging.values import (
    Pole,
    Singular,
    Undefined,
    Unknown,
    context,
    is_zero,
    not_tiny,
    to_mp,
)

__all__ = ["applied", "false_at_poles", "is_known"]

_LARGEST_EXPONENT = 10**6
_GROWING = frozenset({"exp", "sinh", "cosh", "gamma"})
_PLAIN = {
    *("exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
    *("gamma", "erf"),
}
_EXACT: Mapping[tuple[str, Any], int] = {
    **{(name, 0): 1 for name in ("exp", "cos", "cosh")},
    **{(name, 0): 0 for name in ("sin", "tan", "asin", "atan", "sinh", "tanh", "erf")},
    ("log", 1): 0,
}


def is_known(name: str) -> bool:
    """Whether a function can be evaluated."""
    return name in _PLAIN


def applied(name: str, x: Any) -> Any:
    """Return the value of a function that mpmath knows by the same name.

    Raises
    ------
    Pole
        The logarithm of zero.
    Unknown
        The value is too small or too large to be told from others.
    Undefined
        There is none.

    Examples
    --------
    >>> applied("exp", 0), applied("log", 1)
    (1, 0)
    """
    exact = _EXACT.get((name, x)) if isinstance(x, (int, Fraction)) else None
    if exact is not None:
        return exact
    if name == "log" and is_zero(x):
        raise Pole("the logarithm of zero")
    if name in _GROWING and abs(x) > _LARGEST_EXPONENT:
        raise Unknown("too large")
    spend(60)
    try:
        value = getattr(context(), name)(to_mp(x))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise Undefined(name) from None
    return not_tiny(value) if name == "exp" else value


def false_at_poles(part: Callable[[dict[Any, Any]], Any]) -> Callable[[dict[Any, Any]], Any]:
    """Return a part of a statement, which does not hold where it divides by zero."""

    def holds(point: dict[Any, Any]) -> Any:
        try:
            return part(point)
        except Singular:  # whoever inverts a matrix takes it for invertible
            raise
        except Pole:
            return False

    return holds
