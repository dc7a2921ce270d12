"""Elementwise functions that an update rule may use on any kind of number.

A rule is run on arrays (simulation), on linear forms (theory) and on SymPy symbols (derivation).
Arithmetic works on all three by itself; everything else goes through this module, which asks in
this order: does the value know the operation itself (forms and double-doubles do), is it a SymPy
object, does it name an array namespace (other array libraries), and otherwise uses NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "absolute",
    "column",
    "dot",
    "exp",
    "is_symbolic",
    "log",
    "matvec",
    "maximum",
    "minimum",
    "norm",
    "outer",
    "sign",
    "sqrt",
    "where",
]


def is_symbolic(*values: Any) -> bool:
    """Tell whether any value is a SymPy object, without importing SymPy.

    Examples
    --------
    >>> import sympy
    >>> is_symbolic(1.0, sympy.Symbol("x")), is_symbolic(1.0)
    (True, False)
    """
    return any(hasattr(value, "free_symbols") for value in values)


_PLAIN = frozenset((np.ndarray, np.float64, float, int, bool))  # what NumPy is asked for at once


def _apply(name: str, sympy_name: str, *values: Any) -> Any:
    if all(type(value) in _PLAIN for value in values):
        return getattr(np, name)(*values)
    for value in values:
        own = getattr(value, f"_op_{name}", None)
        if own is not None:
            return own(*values)
    if is_symbolic(*values):
        import sympy

        return getattr(sympy, sympy_name)(*values)
    for value in values:
        namespace = getattr(value, "__array_namespace__", None)
        if namespace is not None and not isinstance(value, np.ndarray):
            return getattr(namespace(), "abs" if name == "absolute" else name)(*values)
    return getattr(np, name)(*values)


def sqrt(x: Any) -> Any:
    """Square root, elementwise.

    Examples
    --------
    >>> float(sqrt(9.0))
    3.0
    """
    return _apply("sqrt", "sqrt", x)


def exp(x: Any) -> Any:
    """Exponential, elementwise."""
    return _apply("exp", "exp", x)


def log(x: Any) -> Any:
    """Natural logarithm, elementwise."""
    return _apply("log", "log", x)


def sign(x: Any) -> Any:
    """Sign, elementwise: -1, 0 or 1."""
    return _apply("sign", "sign", x)


def absolute(x: Any) -> Any:
    """Absolute value, elementwise."""
    return _apply("absolute", "Abs", x)


def maximum(x: Any, y: Any) -> Any:
    """Larger of two, elementwise."""
    return _apply("maximum", "Max", x, y)


def minimum(x: Any, y: Any) -> Any:
    """Smaller of two, elementwise."""
    return _apply("minimum", "Min", x, y)


def where(condition: Any, x: Any, y: Any) -> Any:
    """Choose `x` where the condition holds and `y` elsewhere.

    In a rule, branches on values must be written with this function: a Python ``if`` on a state
    would be decided once for a whole batch of runs.
    """
    if type(condition) is np.ndarray and type(x) in _PLAIN and type(y) in _PLAIN:
        return np.where(condition, x, y)
    for value in (condition, x, y):
        own = getattr(value, "_op_where", None)
        if own is not None:
            return own(condition, x, y)
    if is_symbolic(condition, x, y):
        import sympy

        return sympy.Piecewise((x, condition), (y, True))
    return _apply("where", "Piecewise", condition, x, y)


def dot(x: Any, y: Any) -> Any:
    """Inner product over the parameter axis, which stays as an axis of length one.

    Parameters
    ----------
    x, y
        Arrays of shape (..., d).

    Returns
    -------
    array of shape (..., 1)

    Examples
    --------
    >>> dot(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([11.])
    """
    for value in (x, y):
        own = getattr(value, "_op_dot", None)
        if own is not None:
            return own(x, y)
    return (x * y).sum(axis=-1, keepdims=True)


def norm(x: Any) -> Any:
    """Euclidean norm over the parameter axis, which stays as an axis of length one.

    Examples
    --------
    >>> norm(np.array([[3.0, 4.0]]))
    array([[5.]])
    """
    return sqrt(dot(x, x))


def column(value: Any) -> Any:
    """Give one number per run, shape (...), an axis of length one, shape (..., 1).

    Examples
    --------
    >>> column(np.array([1.0, 2.0])).shape
    (2, 1)
    """
    own = getattr(value, "_op_column", None)
    return own(value) if own is not None else value[..., None]


def outer(x: Any, y: Any) -> Any:
    """Outer product over the parameter axis.

    Parameters
    ----------
    x, y
        Arrays of shape (..., d).

    Returns
    -------
    array of shape (..., d, d)

    Examples
    --------
    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[3., 4.],
           [6., 8.]])
    """
    for value in (x, y):
        own = getattr(value, "_op_outer", None)
        if own is not None:
            return own(x, y)
    return x[..., :, None] * y[..., None, :]


def matvec(matrix: Any, x: Any) -> Any:
    """Matrix times vector over the parameter axes.

    Parameters
    ----------
    matrix
        Shape (..., d, d).
    x
        Shape (..., d).

    Examples
    --------
    >>> matvec(np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([3.0, 4.0]))
    array([4., 6.])
    """
    for value in (matrix, x):
        own = getattr(value, "_op_matvec", None)
        if own is not None:
            return own(matrix, x)
    return (matrix * x[..., None, :]).sum(axis=-1)
