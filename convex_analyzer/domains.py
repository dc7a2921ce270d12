"""Declared ranges: one line per hyper-parameter, from which everything else follows.

A field such as ``momentum: UnitInterval = 0.9`` carries its `Domain` in the annotation. Validation,
the error message, the hint, the CLI's parsing and help, the JSON round trip and the Hypothesis
strategy are all read from it.

Two ranges each: outside `valid` a value is an error; outside `usual` it is legal, analysed, and
remarked on (momentum 1 never settles, but one may well ask what it does).
"""

from __future__ import annotations

import abc
import dataclasses
import math
import typing
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from convex_analyzer.errors import InputError
from convex_analyzer.ops import is_symbolic
from convex_analyzer.precise import DoubleDouble, Polynomial

__all__ = [
    "BelowOne",
    "Choice",
    "Domain",
    "Flag",
    "Interval",
    "NonNegative",
    "Positive",
    "Real",
    "Setting",
    "UnitInterval",
    "Whole",
    "WholeFromZero",
    "WholeNumber",
    "domain_of",
    "domains_of",
    "is_schedule",
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

    def holds(self, value: float) -> bool:
        """Membership of one float, without the cost of arrays."""
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)

    def __str__(self) -> str:
        left = "(" if self.open_low else "["
        right = ")" if self.open_high else "]"
        low, high = (f"{end:g}".replace("inf", "∞") for end in (self.low, self.high))
        return f"{left}{low}, {high}{right}"


def is_schedule(value: Any) -> bool:
    """Tell whether a value is a schedule: a function of the step index that knows its range."""
    return bool(getattr(value, "is_schedule", False))


class Setting(abc.ABC):
    """What values a field of an optimizer may take: the part that all kinds share.

    Attributes
    ----------
    sentence
        How the valid range reads after "must be": "positive", "in [0, 1]".
    is_continuous
        Whether the value may differ per run, be scheduled and be tuned.
    """

    is_continuous: ClassVar[bool] = False
    sentence: str

    @abc.abstractmethod
    def check(self, owner: str, name: str, value: Any) -> Any:
        """Return the value in its stored form, or raise InputError."""

    def hint(self, owner: str, name: str, value: Any) -> str | None:
        """Return a remark when a legal value is unusual, else None."""
        del owner, name, value
        return None

    def parse(self, owner: str, name: str, text: str) -> Any:
        """Read a value as the command line gives it."""
        return self.check(owner, name, text)

    def encode(self, value: Any) -> Any:
        """Return the JSON form of a stored value."""
        return value

    def decode(self, value: Any) -> Any:
        """Inverse of `encode`."""
        return value

    @abc.abstractmethod
    def strategy(self) -> Any:
        """Return a Hypothesis strategy for usual values (Hypothesis must be installed)."""

    @abc.abstractmethod
    def invalid(self) -> list[Any]:
        """Return values that must be refused; tests of messages use them."""

    def _refuse(self, owner: str, name: str, value: Any) -> InputError:
        return InputError(
            f"{owner}: {name} must be {self.sentence}, got {value!r}", argument=name, value=value
        )


@dataclass(frozen=True)
class Domain(Setting):
    """What values a continuous hyper-parameter may take.

    Parameters
    ----------
    sentence
        How the valid range reads after "must be": "positive", "in [0, 1]".
    valid
        Values that have a meaning; anything else is an InputError.
    usual
        Values that people use; others are legal and get a hint.
    """

    is_continuous: ClassVar[bool] = True

    sentence: str
    valid: Interval
    usual: Interval

    def check(self, owner: str, name: str, value: Any) -> Any:
        """Return the value in its stored form, or raise.

        Numbers become float; arrays become read-only float arrays whose last axis has length one
        (one value per run); SymPy expressions and the exact numbers of the theory pass unchanged;
        of a schedule the range is checked.

        Raises
        ------
        InputError
            Not a real number, outside the valid range, or an array that would act per coordinate.
        """
        if type(value) is float and self.valid.holds(value):
            return value
        if is_symbolic(value) or isinstance(value, (DoubleDouble, Polynomial)):
            return value
        if is_schedule(value):
            for end in value.extent():
                self.check(owner, name, end)
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
        if is_schedule(value):
            remarks = (self.hint(owner, name, end) for end in value.extent())
            return next((remark for remark in remarks if remark), None)
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
        if is_schedule(value):
            return {"schedule": value.to_dict()}
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


@dataclass(frozen=True)
class WholeNumber(Setting):
    """Whole numbers from `low` on: history lengths, periods, numbers of inner steps."""

    low: int = 1
    usual_high: int = 20

    @property
    def sentence(self) -> str:  # type: ignore[override]  # follows from low
        """How the range reads after "must be"."""
        return f"a whole number, at least {self.low}"

    def check(self, owner: str, name: str, value: Any) -> int:
        """Return the value as an int."""
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))
        if isinstance(value, (float, np.floating)) and float(value).is_integer():
            whole = True
        if not whole or value < self.low:
            raise self._refuse(owner, name, value)
        return int(value)

    def parse(self, owner: str, name: str, text: str) -> int:
        """Read a whole number."""
        try:
            return self.check(owner, name, float(text))
        except ValueError:
            raise self._refuse(owner, name, text) from None

    def strategy(self) -> Any:
        """Return a Hypothesis strategy for usual values."""
        from hypothesis import strategies

        return strategies.integers(self.low, self.usual_high)

    def invalid(self) -> list[Any]:
        """Return values that must be refused."""
        return [self.low - 1, self.low + 0.5, math.nan, math.inf, "two", None, True]


@dataclass(frozen=True)
class Flag(Setting):
    """True or False: a convention that is on or off."""

    sentence: str = "True or False"

    def check(self, owner: str, name: str, value: Any) -> bool:
        """Return the value as a bool."""
        if not isinstance(value, (bool, np.bool_)):
            raise self._refuse(owner, name, value)
        return bool(value)

    def parse(self, owner: str, name: str, text: str) -> bool:
        """Read true or false."""
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in words:
            raise self._refuse(owner, name, text)
        return words[text.lower()]

    def strategy(self) -> Any:
        """Return a Hypothesis strategy."""
        from hypothesis import strategies

        return strategies.booleans()

    def invalid(self) -> list[Any]:
        """Return values that must be refused."""
        return ["true", None, 2, 0.0]


@dataclass(frozen=True)
class Choice(Setting):
    """One of a few words: a convention with more than two forms."""

    words: tuple[str, ...]

    @property
    def sentence(self) -> str:  # type: ignore[override]  # follows from the words
        """How the range reads after "must be"."""
        return f"one of {', '.join(map(repr, self.words))}"

    def check(self, owner: str, name: str, value: Any) -> str:
        """Return the word."""
        if not isinstance(value, str) or value not in self.words:
            raise self._refuse(owner, name, value)
        return value

    def strategy(self) -> Any:
        """Return a Hypothesis strategy."""
        from hypothesis import strategies

        return strategies.sampled_from(self.words)

    def invalid(self) -> list[Any]:
        """Return values that must be refused."""
        return ["neither of them", None, 1]


def _short(value: Any) -> str:
    return f"{value:g}" if np.ndim(value) == 0 else "several values"


def domain_of(annotation: Any) -> Setting | None:
    """Return the domain that an annotation carries, or None."""
    if annotation is bool:
        return Flag()
    if typing.get_origin(annotation) is Annotated:
        for extra in annotation.__metadata__:
            if isinstance(extra, Setting):
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
BelowOne = Annotated[
    Any,
    Domain("in [0, 1)", Interval(0.0, 1.0, open_high=True), Interval(0.0, 1.0, open_high=True)),
]
Whole = Annotated[int, WholeNumber(1)]
WholeFromZero = Annotated[int, WholeNumber(0)]


def domains_of(cls: Any) -> dict[str, Setting]:
    """Return what each field of a dataclass may be that has a range; a float is any real number."""
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = [field.name for field in dataclasses.fields(cls)]
    found = {name: domain_of(Real if hints[name] is float else hints[name]) for name in fields}
    return {name: setting for name, setting in found.items() if setting is not None}
