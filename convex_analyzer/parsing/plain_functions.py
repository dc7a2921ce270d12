"""The functions that a statement may call, by every name that people use."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FUNCTION_NAMES"]

_ONE = ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "sqrt",
        "sign", "Abs", "det", "inv", "trace", "transpose", "norm", "conjugate", "re", "im",
        "floor", "ceiling", "cbrt")  # fmt: skip
_RELATIONS = ("Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not", "Implies", "Equivalent")
_MORE = ("Max", "Min", "Sum", "Product", "diff", "Matrix", "Rational", "root")

#: What each name of a function means.
FUNCTION_NAMES: Mapping[str, str] = {
    **{name: name for name in (*_ONE, *_RELATIONS, *_MORE)},
    "abs": "Abs",
    "ln": "log",
    "sgn": "sign",
    "tr": "trace",
    "max": "Max",
    "min": "Min",
    "sum": "Sum",
    "prod": "Product",
    "product": "Product",
    "Derivative": "diff",
    "matrix": "Matrix",
    "R": "Rational",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "ceil": "ceiling",
    "implies": "Implies",
    "iff": "Equivalent",
    "inverse": "inv",
    "Determinant": "det",
    "StrictLessThan": "Lt",
    "LessThan": "Le",
    "StrictGreaterThan": "Gt",
    "GreaterThan": "Ge",
    "Unequality": "Ne",
    "Equality": "Eq",
    "sigmoid": "sigmoid",
    "relu": "relu",
}
