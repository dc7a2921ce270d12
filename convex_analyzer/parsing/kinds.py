"""What a declared symbol may be: the words for it, and the SymPy object that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["MATRICES", "SCALARS", "kind_of", "made"]

#: Assumptions of SymPy by kind of scalar.
SCALARS: Mapping[str, Mapping[str, bool]] = {
    "complex": {"complex": True},
    "real": {"real": True},
    "positive": {"positive": True},
    "negative": {"negative": True},
    "nonnegative": {"nonnegative": True},
    "nonpositive": {"nonpositive": True},
    "nonzero": {"real": True, "nonzero": True},
    "integer": {"integer": True},
    "natural": {"integer": True, "nonnegative": True},
    "positive integer": {"integer": True, "positive": True},
    "unit interval": {"positive": True},  # 0 < x < 1: the upper end is a constraint
    "closed unit interval": {"nonnegative": True},
}
#: Kinds of matrices; what SymPy does not know of them stands in the name of the kind.
MATRICES: tuple[str, ...] = (
    "matrix",
    "symmetric matrix",
    "positive definite matrix",
    "positive semidefinite matrix",
    "orthogonal matrix",
    "diagonal matrix",
    "identity matrix",
)
_OTHERS = ("vector", "function", "sequence")
_SAME: Mapping[str, str] = {
    "scalar": "real",
    "real number": "real",
    "number": "real",
    "non-negative": "nonnegative",
    "non-zero": "nonzero",
    "positive real": "positive",
    "real positive": "positive",
    "constant": "real",
    "nonzero real": "nonzero",
    "real nonzero": "nonzero",
    "whole": "integer",
    "natural number": "natural",
    "nonnegative integer": "natural",
    "non-negative integer": "natural",
    "integer positive": "positive integer",
    "positive natural": "positive integer",
    "in (0, 1)": "unit interval",
    "in [0, 1]": "closed unit interval",
    "fraction": "unit interval",
    "symmetric": "symmetric matrix",
    "sym": "symmetric matrix",
    "spd": "positive definite matrix",
    "spd matrix": "positive definite matrix",
    "positive definite": "positive definite matrix",
    "symmetric positive definite": "positive definite matrix",
    "symmetric positive definite matrix": "positive definite matrix",
    "positive semidefinite": "positive semidefinite matrix",
    "psd": "positive semidefinite matrix",
    "orthogonal": "orthogonal matrix",
    "diagonal": "diagonal matrix",
    "identity": "identity matrix",
    "square matrix": "matrix",
    "general matrix": "matrix",
    "real vector": "vector",
    "column vector": "vector",
    "real function": "function",
    "scalar function": "function",
    "real sequence": "sequence",
}


def kind_of(words: str) -> str | None:
    """Return the one word for a kind, or None for words that name none.

    Examples
    --------
    >>> kind_of("a symmetric matrix"), kind_of("non-negative"), kind_of("purple")
    ('symmetric matrix', 'nonnegative', None)
    >>> kind_of("real and positive"), kind_of("a positive constant")
    ('positive', 'positive')
    """
    plain = " ".join(words.lower().split())
    for article in ("a ", "an ", "is ", "are "):
        plain = plain.removeprefix(article)
    if plain.endswith((" constant", " number", " scalar")) and plain not in _SAME:
        plain = plain.rpartition(" ")[0]
    plain = plain.replace(" and ", " ")
    plain = _SAME.get(plain, plain)
    plain = _SAME.get(plain.removesuffix("s"), plain)
    return plain if plain in SCALARS or plain in MATRICES or plain in _OTHERS else None


def made(name: str, kind: str) -> Any:
    """Return the SymPy object of a declared symbol: n by n, n by 1, or a scalar."""
    import sympy

    size = sympy.Symbol("n", integer=True, positive=True)
    if kind in SCALARS:
        return sympy.Symbol(name, **SCALARS[kind])
    if kind == "identity matrix":
        return sympy.Identity(size)
    if kind in MATRICES:
        return sympy.MatrixSymbol(name, size, size)
    if kind == "vector":
        return sympy.MatrixSymbol(name, size, 1)
    return sympy.Function(name, real=True)
