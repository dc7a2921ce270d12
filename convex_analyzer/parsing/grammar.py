"""What a formula may contain, and how large it may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CONSTANTS", "FUNCTIONS", "Function", "Grammar"]


@dataclass(frozen=True)
class Function:
    """One function that a formula may call.

    Attributes
    ----------
    build
        Takes the SymPy module and the arguments.
    least, most
        Number of arguments.
    """

    build: Callable[..., Any]
    least: int = 1
    most: int = 1


def _named(name: str, least: int = 1, most: int = 1) -> Function:
    return Function(lambda sp, *arguments: getattr(sp, name)(*arguments), least, most)


_SEVERAL = 8  # arguments of Max and Min: SymPy compares each with each
_MAXIMUM, _MINIMUM = _named("Max", 2, _SEVERAL), _named("Min", 2, _SEVERAL)

FUNCTIONS: Mapping[str, Function] = {
    **{name: _named(name) for name in ("sin", "cos", "tan", "asin", "acos", "atan")},
    **{name: _named(name) for name in ("sinh", "cosh", "tanh", "exp", "log", "sqrt", "sign")},
    "ln": _named("log"),
    "abs": _named("Abs"),
    **dict.fromkeys(("Max", "max", "maximum"), _MAXIMUM),
    **dict.fromkeys(("Min", "min", "minimum"), _MINIMUM),
    "relu": Function(lambda sp, x: sp.Max(sp.Integer(0), x)),
    "sigmoid": Function(lambda sp, x: 1 / (1 + sp.exp(-x))),
    "softplus": Function(lambda sp, x: sp.log(1 + sp.exp(x))),
}
CONSTANTS: Mapping[str, str] = {"pi": "pi", "π": "pi", "e": "E"}


@dataclass(frozen=True)
class Grammar:
    """What a formula may contain, and how large it may be.

    Attributes
    ----------
    functions
        By name.
    constants
        Names of SymPy constants by name.
    longest
        Characters.
    deepest
        Levels of brackets and calls.
    largest_power
        Size of an integer power of something that is no number.
    most_bits
        Size of the numerator and the denominator of a number: 1023 bits are the range of float64.
    """

    functions: Mapping[str, Function] = field(default_factory=lambda: FUNCTIONS)
    constants: Mapping[str, str] = field(default_factory=lambda: CONSTANTS)
    longest: int = 10_000
    deepest: int = 40
    largest_power: int = 1000
    most_bits: int = 1023
