"""Declared ranges: one line per hyper-parameter, from which everything else follows.

A field such as ``momentum: UnitInterval = 0.9`` carries its `Domain` in the annotation. Validation,
the error message, the hint, the CLI's parsing and help, the JSON round trip and the Hypothesis
strategy are all read from it.

Two ranges each: outside `valid` a value is an error; outside `usual` it is legal, analysed, and
remarked on (momentum 1 never settles, but one may well ask what it does).
"""

from __future__ import annotations

import math
import typing
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from convex_analyzer.errors import InputError
from convex_analyzer.ops import is_symbolic
from convex_analyzer.precise import DoubleDouble, Polynomial

__all__ = [
    "Domain",
    "Interval",
    "NonNegative",
    "Positive",
    "Real",
    "UnitInterval",
    "domain_of",
]


@dataclass(frozen=True)
class Interval:
    """A range of real numbers; each end open or closed."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def contains(self, values: Any) -> Any:
        """Elementwise membership; NaN is in no interval."""
        array = np.asarray(values, dtype=float)
        above = array > self.low if self.open_low else array >= self.low
        below = array < self.high if self.open_high else array <= self.high
        return above & below

    def __str__(self) -> str:
        left = "(" if self.open_low else "["
        right = ")" if self.open_high else "]"
        low, high = (f"{end:g}".replace("inf", "∞") for end in (self.low, self.high))
        return f"{left}{low}, {high}{right}"


@dataclass(frozen=True)
class Domain:
    """What values a hyper-parameter may take.

    Parameters
    ----------
    sentence
        How the valid range reads after "must be": "positive", "in [0, 1]".
    valid
        Values that have a meaning; anything else is an InputError.
    usual
        Values that people use; others are legal and get a hint.
    """

    sentence: str
    valid: Interval
    usual: Interval

    def check(self, owner: str, name: str, value: Any) -> Any:
        """Return the value in its stored form, or raise.

        Numbers become float; arrays become read-only float arrays whose last axis has length one
        (one value per run); SymPy expressions and the exact numbers of the theory pass unchanged.

        Raises
        ------
        InputError
            Not a real number, outside the valid range, or an array that would act per coordinate.
        """
        if is_symbolic(value) or isinstance(value, (DoubleDouble, Polynomial)):
            return value
        array = self._as_float(owner, name, value)
        if array.ndim and array.shape[-1] != 1:
            raise InputError(
                f"{owner}: {name} has shape {array.shape}, "
                "but values per run need a last axis of 1",
                argument=name,
                value=value,
                hint=f"pass {name}[:, None] to give one value to each run",
            )
        inside = self.valid.contains(array)
        if not np.all(inside):
            worst = array if array.ndim == 0 else array[~inside].flat[0]
            raise InputError(
                f"{owner}: {name} must be {self.sentence}, got {float(worst):g}",
                argument=name,
                value=value,
            )
        if array.ndim == 0:
            return float(array)
        array.flags.writeable = False
        return array

    def _as_float(self, owner: str, name: str, value: Any) -> Any:
        kind = "a number" if not isinstance(value, (list, tuple, np.ndarray)) else "real numbers"
        failure = InputError(
            f"{owner}: {name} must be {kind}, got {value!r}", argument=name, value=value
        )
        if isinstance(value, (bool, np.bool_, str, bytes)) or value is None:
            raise failure
        try:
            array = np.array(value)
            if array.dtype.kind not in "iuf":
                array = array.astype(float) if array.dtype.kind == "O" else array
            if array.dtype.kind not in "iuf":
                raise failure
            return np.array(array, dtype=float)
        except (TypeError, ValueError) as error:
            raise failure from error

    def hint(self, owner: str, name: str, value: Any) -> str | None:
        """Return a remark when a legal value is unusual, else None."""
        if is_symbolic(value) or isinstance(value, (DoubleDouble, Polynomial)):
            return None
        if np.all(self.usual.contains(value)):
            return None
        return f"{owner}: {name} is usually in {self.usual}, got {_short(value)}"

    def parse(self, owner: str, name: str, text: str) -> Any:
        """Read a value as the command line gives it: ``0.1`` or a fraction ``1/3``."""
        number, bar, divisor = text.partition("/")
        try:
            value = float(number) / float(divisor) if bar else float(number)
        except (ValueError, ZeroDivisionError):
            raise InputError(
                f"{owner}: {name} must be a number, got {text!r}", argument=name, value=text
            ) from None
        return self.check(owner, name, value)

    def encode(self, value: Any) -> Any:
        """Return the JSON form of a stored value."""
        if isinstance(value, np.ndarray):
            return {"array": value.tolist()}
        return {"symbol": str(value)} if is_symbolic(value) else value

    def decode(self, value: Any) -> Any:
        """Inverse of `encode` for numbers and arrays."""
        if isinstance(value, dict) and "array" in value:
            return np.array(value["array"], dtype=float)
        if isinstance(value, dict):
            raise InputError(f"a symbolic value cannot be read back: {value!r}", value=value)
        return value

    def strategy(self) -> Any:
        """Return a Hypothesis strategy for usual values (Hypothesis must be installed)."""
        from hypothesis import strategies

        low, high = max(self.usual.low, -1e3), min(self.usual.high, 1e3)
        return strategies.floats(
            low, high, exclude_min=self.usual.open_low, exclude_max=self.usual.open_high
        )

    def invalid(self) -> list[Any]:
        """Return values that must be refused; tests of messages use them."""
        bad: list[Any] = [math.nan, "0.1", None, True, 1j, np.array([0.1, 0.2])]
        if math.isfinite(self.valid.low):
            bad.append(self.valid.low - 1.0)
        if math.isfinite(self.valid.high):
            bad.append(self.valid.high + 1.0)
        return bad


def _short(value: Any) -> str:
    return f"{value:g}" if np.ndim(value) == 0 else "several values"


def domain_of(annotation: Any) -> Domain | None:
    """Return the domain that an annotation carries, or None."""
    if typing.get_origin(annotation) is Annotated:
        for extra in annotation.__metadata__:
            if isinstance(extra, Domain):
                return extra
    return None


_ABOVE_ZERO = Interval(0.0, math.inf, open_low=True, open_high=True)
_FROM_ZERO = Interval(0.0, math.inf, open_high=True)
_UNIT = Interval(0.0, 1.0)
_LINE = Interval(-math.inf, math.inf, open_low=True, open_high=True)

Positive = Annotated[Any, Domain("positive", _ABOVE_ZERO, _ABOVE_ZERO)]
NonNegative = Annotated[Any, Domain("non-negative", _FROM_ZERO, _FROM_ZERO)]
UnitInterval = Annotated[Any, Domain("in [0, 1]", _UNIT, Interval(0.0, 1.0, open_high=True))]
Real = Annotated[Any, Domain("a finite number", _LINE, Interval(0.0, 1.0, open_high=True))]
