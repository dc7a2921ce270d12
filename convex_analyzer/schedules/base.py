"""What a schedule is: a function of the step index, written once.

A subclass declares its parameters as annotated fields and writes ``value_after(k)``, which counts
the steps taken, from k = 0 as libraries do, and ``ends()``. The base class makes it a frozen
dataclass, validates the fields, and gives the index from 1 that update rules use, tables, equality,
JSON and text.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np

from convex_analyzer.domains import Setting, domains_of, is_schedule
from convex_analyzer.errors import InputError
from convex_analyzer.ops import is_symbolic
from convex_analyzer.schedules.arithmetic import is_plain
from convex_analyzer.schedules.settings import Inner
from convex_analyzer.tables import format_number

__all__ = ["Schedule"]

_LEAST = math.ulp(0.0)  # the smallest positive number


@dataclass_transform(frozen_default=True, eq_default=False)
class Schedule:
    """Base class of every schedule.

    Attributes
    ----------
    aliases
        Other names that the command line accepts.
    source
        Where the schedule is published, or which libraries have it under which name.

    Examples
    --------
    >>> class Halving(Schedule):
    ...     initial: float
    ...
    ...     def value_after(self, k):
    ...         return self.initial / 2**k
    ...
    ...     def ends(self):
    ...         return self.initial, 0.0
    >>> Halving(0.8).at(1), Halving(0.8).at(3)
    (0.8, 0.2)
    >>> Halving(0.8)
    Halving(initial=0.8)
    """

    is_schedule: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[str] = ""
    __array_ufunc__: ClassVar[None] = None  # an array times a schedule comes to __rmul__
    _domains: ClassVar[dict[str, Setting]]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for name, setting in self.domains().items():
            value = getattr(self, name)
            if is_schedule(value) and not isinstance(setting, Inner):
                raise InputError(
                    f"{owner}: {name} must be a number, got the schedule {value}",
                    argument=name,
                    value=value,
                    hint="schedules are combined by multiplying them",
                )
            object.__setattr__(self, name, setting.check(owner, name, value))
        self._check()

    def _check(self) -> None:
        """Refuse combinations of fields that have no meaning; for subclasses."""

    # -- what a subclass says ------------------------------------------------------------------

    def value_after(self, k: Any) -> Any:
        """Return the value after k steps, which is that of step k + 1.

        Parameters
        ----------
        k
            An int; or an array of ints, with an axis of length one for each axis of the fields.
        """
        raise InputError(f"{type(self).__name__} must define value_after(self, k)", argument="k")

    def ends(self) -> tuple[Any, ...]:
        """Return values between which all others lie; None among them counts for nothing."""
        raise InputError(f"{type(self).__name__} must define ends(self)", argument="ends")

    @property
    def period(self) -> int | None:
        """After how many steps the values repeat: 1 if constant, None if they do not."""
        return None

    @property
    def limit(self) -> Any:
        """The value as the steps go to infinity; None if there is none, or symbols hide it."""
        return None

    @property
    def length(self) -> int | None:
        """How many steps are covered; None if all are."""
        return None

    # -- what it can be asked ------------------------------------------------------------------

    def at(self, t: Any) -> Any:
        """Return the value of step t, which counts from 1.

        Parameters
        ----------
        t
            An int, or an array of ints.

        Returns
        -------
        number or array
            For an array of step indices its shape is followed by that of values per run.

        Raises
        ------
        InputError
            A step index that is not a whole number from 1, or beyond the end of a table.
        """
        if isinstance(t, int) and t >= 1:
            value = self.value_after(t - 1)
            return value.item() if isinstance(value, np.generic) else value
        index = np.asarray(t)
        if index.dtype.kind not in "iu" or (index.size and index.min() < 1):
            raise InputError(
                f"{type(self).__name__}: steps count from 1 in whole numbers, got {t!r}",
                argument="t",
                value=t,
            )
        if index.ndim == 0:
            return self.at(int(index))
        numbers = self.numbers()
        if not all(map(is_plain, numbers)):
            values = np.empty(index.shape, dtype=object)
            for place, step in np.ndenumerate(index):
                values[place] = self.at(int(step))
            return values
        shape = np.broadcast_shapes(*map(np.shape, numbers))
        k = (index.astype(np.int64) - 1).reshape(index.shape + (1,) * len(shape))
        return np.broadcast_to(self.value_after(k), index.shape + shape).copy()

    def table(self, steps: int) -> Any:
        """Return the values of the steps 1 ... steps, first axis first.

        Raises
        ------
        InputError
            The schedule covers fewer steps.
        """
        self.check_length(steps)
        return self.at(np.arange(1, steps + 1))

    def check_length(self, steps: int) -> None:
        """Refuse a run that is longer than the schedule.

        Raises
        ------
        InputError
            The schedule covers fewer steps; names both lengths.
        """
        if self.length is not None and steps > self.length:
            raise InputError(
                f"the schedule {self} covers {self.length} steps, but the run has {steps}",
                argument="steps",
                value=steps,
                hint="give it more values, or say what follows the last: Table(..., after='hold')",
            )

    def extent(self) -> tuple[Any, Any]:
        """Return the smallest and the largest value, which a hyper-parameter must allow.

        An end at zero is open, that is, given as the next number beside it: decays approach zero
        or stop there, and a step of size zero is a pause that any positive rate may make. Of
        symbols, which have no order, the first and the last are returned.
        """
        ends = [end for end in self.ends() if end is not None]
        symbols = [end for end in ends if not is_plain(end)]
        if symbols:
            known = symbols + [end for end in ends if is_plain(end) and np.any(end)]
            return known[0], known[-1]
        low = float(min(np.min(end) for end in ends))
        high = float(max(np.max(end) for end in ends))
        return (_LEAST if low == 0 < high else low), (-_LEAST if low < 0 == high else high)

    # -- fields and copies ---------------------------------------------------------------------

    @classmethod
    def fields(cls) -> tuple[dataclasses.Field[Any], ...]:
        """Return the declared fields, in order."""
        return dataclasses.fields(cls)  # type: ignore[arg-type]  # the base makes it a dataclass

    @classmethod
    def domains(cls) -> dict[str, Setting]:
        """Return what every field may be, in order."""
        if "_domains" not in vars(cls):
            cls._domains = domains_of(cls)
        return cls._domains

    def _held(self) -> dict[str, Any]:
        """Return all fields by name."""
        return {field.name: getattr(self, field.name) for field in self.fields()}

    def transformed(self, function: Callable[[Any], Any]) -> Self:
        """Return an unchecked copy with the function applied to every continuous value."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        for name, setting in self.domains().items():
            value = getattr(self, name)
            if is_schedule(value):
                copy.__dict__[name] = value.transformed(function)
            elif setting.is_continuous and value is not None:
                several = isinstance(value, tuple)
                copy.__dict__[name] = tuple(map(function, value)) if several else function(value)
        return copy

    def numbers(self) -> list[Any]:
        """Return every continuous value, those of inner schedules included."""
        found: list[Any] = []

        def note(value: Any) -> Any:
            found.append(value)
            return value

        self.transformed(note)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: the name of the class and its fields."""
        domains = self.domains()
        encoded = {
            name: domains[name].encode(value) if name in domains else value
            for name, value in self._held().items()
        }
        return {"name": type(self).__name__, **encoded}

    @staticmethod
    def from_dict(
        data: Mapping[str, Any], extra: Mapping[str, type[Schedule]] | None = None
    ) -> Schedule:
        """Return the schedule that `to_dict` described.

        Parameters
        ----------
        data
            What `to_dict` returned.
        extra
            Further classes by name.

        Raises
        ------
        InputError
            No such schedule, or fields that it does not have.
        """
        from convex_analyzer.schedules import from_dict

        return from_dict(data, extra)

    def __mul__(self, other: Any) -> Schedule:
        from convex_analyzer.schedules.combined import Product

        if not (is_schedule(other) or is_plain(other) or is_symbolic(other)):
            return NotImplemented
        return Product(self, other)

    def __rmul__(self, other: Any) -> Schedule:
        from convex_analyzer.schedules.combined import Product

        if not (is_plain(other) or is_symbolic(other)):
            return NotImplemented
        return Product(other, self)

    # -- equality and text ---------------------------------------------------------------------

    def _key(self) -> tuple[Any, ...]:
        return (type(self), *map(_hashable, self._held().values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        given = {name: value for name, value in self._held().items() if value is not None}
        inner = ", ".join(f"{name}={_literal(value)}" for name, value in given.items())
        return f"{type(self).__name__}({inner})"

    def __str__(self) -> str:
        parts: list[str] = []
        skipped = False
        for field in self.fields():
            value = getattr(self, field.name)
            if field.default is not dataclasses.MISSING and _hashable(value) == field.default:
                skipped = True
            else:
                parts.append(f"{field.name}={_short(value)}" if skipped else _short(value))
        return f"{type(self).__name__}({', '.join(parts)})"


def _hashable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ("array", value.shape, value.tobytes())
    return tuple(map(_hashable, value)) if isinstance(value, tuple) else value


def _literal(value: Any) -> str:
    """Write a value so that the parser of optimizers reads it back."""
    if isinstance(value, np.ndarray):
        return repr(value.tolist())
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return str(value) if is_symbolic(value) else repr(value)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.size} values"
    if isinstance(value, tuple):
        shown = list(map(_short, value))
        return f"[{', '.join(shown if len(shown) <= 4 else [*shown[:2], '…', shown[-1]])}]"
    return format_number(value) if isinstance(value, float) else str(value)
