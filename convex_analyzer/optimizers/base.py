"""What an optimizer is: an update rule, written once.

A subclass declares its hyper-parameters as annotated fields and writes one method, ``step``, in
plain arithmetic. The base class makes it a frozen dataclass, validates the fields, reads the names
of the memory from the signature of ``step`` and gives value equality, JSON and text.

Contract of ``step(self, problem, t, theta, *memory)``:

- only arithmetic, functions of `convex_analyzer.ops`, and what `problem` offers
  (``gradient(theta)``, ``hessian_vector(theta, v)``, ``inverse_hessian_vector(theta, v, damping)``,
  and for rules that say ``random = True`` the draws ``normal(theta)`` and ``uniform(theta)``);
- branches on values through ``ops.where`` (on flags of the rule with ``if``); no clock, no random
  state, no ``np.``;
- ``t`` counts from 1; a rule that depends on it says so through ``period``;
- returns the new theta and the new memory, in the order in which they came.

A hyper-parameter may be a schedule or hold one value per run; `step` sees the number of its step.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np

from convex_analyzer.domains import Domain, Setting, domains_of, is_schedule
from convex_analyzer.errors import InputError
from convex_analyzer.notation import symbol_of
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.literals import meant
from convex_analyzer.tables import format_number

__all__ = ["Optimizer", "as_state", "how_to_name", "same_value"]


def how_to_name(given: Any) -> str:
    """Return the hint for a name that was given where an optimizer is asked for."""
    return "ca.optimizers.find(name) is the class of a name" if isinstance(given, str) else ""


def _by_any_name(init: Callable[..., None]) -> Callable[..., None]:
    """Return an ``__init__`` that knows a hyper-parameter by the names of other sources, too."""

    @functools.wraps(init)
    def construct(self: Any, *values: Any, **settings: Any) -> None:
        known = self.__dataclass_fields__
        for key in [key for key in settings if key not in known]:
            names = [field.name for field in dataclasses.fields(self)]
            name = meant(type(self).__name__, key, names)
            if name in settings:
                raise InputError(f"{name} is given twice, once as {key}", argument=key)
            settings[name] = settings.pop(key)
        init(self, *values, **settings)

    return construct


@dataclass_transform(frozen_default=True, eq_default=False)
class Optimizer:
    """Base class of every optimizer.

    Attributes
    ----------
    memory
        Names of the state slots after theta, read from the signature of `step`.
    period
        After how many steps the rule repeats: 1 for a rule that does not look at ``t``, None for
        one that never repeats.
    settles
        Whether a rule that never repeats tends to one map as t grows (bias corrections do).
    random
        Whether the rule draws random numbers (from the problem).
    optimum_for
        For what class of functions `published_optimum` is the best; tuned settings are taken from
        it in any case.
    aliases
        Other names that the command line accepts.
    source
        Where the rule is published: paper and equation, or lecture and slide.

    Examples
    --------
    >>> class Plain(Optimizer):
    ...     learning_rate: float
    ...
    ...     def step(self, problem, t, theta):
    ...         return theta - self.learning_rate * problem.gradient(theta)
    >>> Plain(0.1)
    Plain(learning_rate=0.1)
    """

    memory: ClassVar[tuple[str, ...]] = ()
    period: ClassVar[int | None] = 1
    settles: ClassVar[bool] = False
    random: ClassVar[bool] = False
    optimum_for: ClassVar[str] = "quadratics"
    aliases: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[str] = ""
    _fields: ClassVar[tuple[str, ...]]
    _domains: ClassVar[dict[str, Setting]]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "__repr__" not in vars(cls):
            cls.__repr__ = Optimizer.__repr__  # type: ignore[method-assign]  # not the dataclass's
        dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
        cls.__init__ = _by_any_name(cls.__init__)  # type: ignore[method-assign]  # lr, mu, β
        if "step" in vars(cls) and "memory" not in vars(cls):
            slots = list(inspect.signature(cls.step).parameters.values())[4:]
            cls.memory = tuple(slot.name for slot in slots if slot.kind is not slot.VAR_POSITIONAL)

    def step(self, problem: Any, t: int, theta: Any, *memory: Any) -> Any:
        """Return the new theta, followed by the new memory.

        Parameters
        ----------
        problem
            Offers ``gradient(theta)`` and Hessian products.
        t
            Index of this step, from 1.
        theta
            Parameters, shape (runs, d).
        *memory
            One array like `theta` for each name in `memory`.

        Raises
        ------
        InputError
            The class defines no step of its own.
        """
        raise InputError(
            f"{type(self).__name__} has no step",
            argument="step",
            hint="define step(self, problem, t, theta), which returns the new theta",
        )

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        """Return the memory before the first step; zeros unless a rule says otherwise."""
        del problem
        return tuple(theta * 0 for _ in self.memory)

    def report(self, theta: Any, *memory: Any) -> Any:
        """Return the point that the method reports; theta unless a rule says otherwise."""
        del memory
        return theta

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return the published best hyper-parameters for eigenvalues in [smallest, largest].

        Parameters
        ----------
        smallest, largest
            Ends of the spectrum, positive.
        given
            Hyper-parameters that the caller fixes.

        Returns
        -------
        dict or None
            Values of the others; None when nothing is published for this case.
        """
        del smallest, largest, given
        return None

    def published_limit(self) -> Any:
        """Return the published supremum of stable (learning rate x eigenvalue), or None."""
        return None

    def __post_init__(self) -> None:
        for name, domain in self.domains().items():
            value = domain.check(type(self).__name__, name, getattr(self, name))
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        """Refuse combinations of fields that have no meaning; for subclasses."""

    @classmethod
    def fields(cls) -> tuple[dataclasses.Field[Any], ...]:
        """Return the declared fields, in order."""
        return dataclasses.fields(cls)  # type: ignore[arg-type]  # the base makes it a dataclass

    @classmethod
    def domains(cls) -> dict[str, Setting]:
        """Return what every field with a declared range may be, in order."""
        if "_domains" not in vars(cls):
            cls._domains = domains_of(cls)
        return cls._domains

    @classmethod
    def hyperparameters(cls) -> dict[str, Domain]:
        """Return the continuous hyper-parameters and their domains, in order.

        These may differ per run, be scheduled, and be tuned; counts, flags and choices may not.
        """
        return {name: kind for name, kind in cls.domains().items() if isinstance(kind, Domain)}

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        if "_fields" not in vars(cls):  # asked for at every step of a run
            cls._fields = tuple(field.name for field in cls.fields())
        return cls._fields

    @property
    def values(self) -> dict[str, Any]:
        """All fields by name."""
        return {name: getattr(self, name) for name in self._names()}

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other hyper-parameters, validated."""
        return type(self)(**{**self.values, **changes})

    def unchecked(self, **changes: Any) -> Self:
        """Return a copy that holds any kind of number (symbols, double-doubles), not validated."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(changes)
        return copy

    def transformed(self, function: Callable[[Any], Any]) -> Self:
        """Return an unchecked copy with the function applied to every continuous hyper-parameter.

        Also to those of an optimizer inside this one, and to the values inside schedules.
        """
        changes: dict[str, Any] = {}
        for name, value in self.values.items():
            if isinstance(value, Optimizer) or is_schedule(value):
                changes[name] = value.transformed(function)
            elif name in self.hyperparameters():
                changes[name] = function(value)
        return self.unchecked(**changes)

    def numbers(self) -> dict[str, Any]:
        """Return every continuous value by name, those of inner optimizers and schedules too."""
        found: dict[str, Any] = {}
        for name, value in self.values.items():
            if isinstance(value, Optimizer):
                found |= {f"{name}.{inner}": number for inner, number in value.numbers().items()}
            elif is_schedule(value):
                inside = _values_in(value)
                found |= {f"{name} {place}": number for place, number in enumerate(inside, 1)}
            elif name in self.hyperparameters():
                found[name] = value
        return found

    def schedules(self) -> list[Any]:
        """Return every schedule, those of inner optimizers too."""
        found = []
        for value in self.values.values():
            if isinstance(value, Optimizer):
                found += value.schedules()
            elif is_schedule(value):
                found.append(value)
        return found

    # -- dependence on the step index ----------------------------------------------------------

    @property
    def is_scheduled(self) -> bool:
        """Whether any hyper-parameter, also of an inner optimizer, is a schedule."""
        return bool(self.schedules())

    def at(self, t: int) -> Self:
        """Return the rule of step t: schedules are replaced by their value there."""
        changes = {}
        for name, value in self.__dict__.items():
            if is_schedule(value) or (isinstance(value, Optimizer) and value.is_scheduled):
                changes[name] = value.at(t)
        return self.unchecked(**changes) if changes else self

    @property
    def cycle(self) -> int | None:
        """After how many steps the rule repeats, its schedules and inner optimizers included."""
        periods = [self.period]
        for value in self.values.values():
            if isinstance(value, Optimizer):
                periods.append(value.cycle)
            elif is_schedule(value):
                periods.append(value.period)
        known = [period for period in periods if period is not None]
        return math.lcm(*known) if len(known) == len(periods) else None

    def hints(self) -> list[str]:
        """Return remarks on legal but unusual hyper-parameters."""
        remarks = [
            domain.hint(type(self).__name__, name, getattr(self, name))
            for name, domain in self.domains().items()
        ]
        inner = [value.hints() for value in self.values.values() if isinstance(value, Optimizer)]
        return [*filter(None, remarks), *(remark for remarks in inner for remark in remarks)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: the name of the class and its fields."""
        domains = self.domains()

        def encode(name: str, value: Any) -> Any:
            if isinstance(value, Optimizer):
                return value.to_dict()
            return domains[name].encode(value) if name in domains else value

        encoded = {name: encode(name, value) for name, value in self.values.items()}
        return {"name": type(self).__name__, **encoded}

    def _key(self) -> tuple[Any, ...]:
        def plain(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return ("array", value.shape, value.tobytes())
            return value

        return (type(self), *(plain(value) for value in self.values.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Optimizer) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{type(self).__name__}({inner})"

    @property
    def told(self) -> dict[str, Any]:
        """The fields worth telling: those that the reader could not assume."""
        return {
            field.name: getattr(self, field.name)
            for field in self.fields()
            if field.default is dataclasses.MISSING
            or field.name in {"learning_rate", "momentum"}
            or not same_value(getattr(self, field.name), field.default)
        }

    def __str__(self) -> str:
        told = self.told.items()
        texts = ((name, _text(value, name != "learning_rate")) for name, value in told)
        inner = ", ".join(f"{symbol_of(name)} = {text}" for name, text in texts)
        return f"{type(self).__name__}({inner})"


def same_value(value: Any, default: Any) -> bool:
    """Tell whether a field holds its default."""
    return type(value) is type(default) and bool(value == default) and np.ndim(value) == 0


def _values_in(schedule: Any) -> list[Any]:
    """Return the continuous values that a schedule is made of."""
    found: list[Any] = []

    def note(value: Any) -> Any:
        found.append(value)
        return value

    schedule.transformed(note)
    return found


def _text(value: Any, bounded: bool = True) -> str:
    """Return a setting as it is printed; one that is `bounded` by 1 shows how near it comes."""
    if isinstance(value, np.ndarray):
        return f"{value.size} values"
    if isinstance(value, (bool, int, str, Optimizer)) or is_symbolic(value) or is_schedule(value):
        return str(value)
    below_one = 1 - value
    if bounded and 0 < below_one < 1e-4:  # printed as 1 it would hide what matters
        return f"1 − {format_number(below_one, 3)}"
    return format_number(value)


def as_state(optimizer: Optimizer, returned: Any) -> tuple[Any, ...]:
    """Bring what `step` returned into a tuple of the right length, or say what is wrong.

    Raises
    ------
    InputError
        The number of values does not match theta and the memory.
    """
    state = tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)
    expected = 1 + len(optimizer.memory)
    if len(state) != expected:
        names = ", ".join(("theta", *optimizer.memory))
        raise InputError(
            f"{type(optimizer).__name__}: step returned {len(state)} value(s), "
            f"but it must return {expected}: {names}",
            argument="step",
        )
    if any(value is None for value in state):
        raise InputError(f"{type(optimizer).__name__}: step returned None; is a return missing?")
    return state
