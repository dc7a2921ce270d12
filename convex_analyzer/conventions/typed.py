"""Values as they are typed in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convex_analyzer.domains import is_schedule
from convex_analyzer.ops import is_symbolic

__all__ = ["Formula", "arguments_text", "scaled", "tidy", "value_text"]


class Formula:
    """A function of the step count with the text that defines it, from 0 on.

    Parameters
    ----------
    text
        A lambda expression.
    schedule
        The schedule whose values it gives, over its base value.
    base
        What the values are to be multiplied by.
    """

    def __init__(self, text: str, schedule: Any, base: float) -> None:
        self.text, self.schedule, self.base = text, schedule, base

    def __call__(self, k: int) -> float:
        """Return the factor of the step after k others."""
        return float(self.schedule.value_after(k) / self.base)

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def tidy(value: Any) -> Any:
    """Return a product without the last digit that rounding spoilt; anything but a float as it is.

    Examples
    --------
    >>> 1 - 0.9, tidy(1 - 0.9)
    (0.09999999999999998, 0.1)
    """
    return float(f"{value:.15g}") if isinstance(value, float) else value


_SCALED = ("initial", "final", "value", "values")  # what a schedule is made of, in its own units


def scaled(value: Any, factor: Any) -> Any:
    """Return a number or a schedule times a number, a schedule as one of its own class.

    Examples
    --------
    >>> from convex_analyzer.schedules import Step
    >>> scaled(Step(0.5, 0.1, 30), 0.1)
    Step(initial=0.05, factor=0.1, every=30)
    """
    if not is_schedule(value):
        return tidy(value * factor)
    changes: dict[str, Any] = {}
    for field in value.fields():
        held = getattr(value, field.name)
        if field.name in _SCALED and held is not None:
            several = isinstance(held, tuple)
            each = [tidy(entry * factor) for entry in (held if several else (held,))]
            changes[field.name] = each if several else each[0]
        elif field.name in {"schedule", "first"} and is_schedule(held):
            changes[field.name] = scaled(held, factor)
        else:
            changes[field.name] = held
    return type(value)(**changes) if changes else value * factor


def value_text(value: Any) -> str:
    """Write a value so that Python reads it back; symbols by their names.

    Examples
    --------
    >>> value_text((0.9, 0.999)), value_text(100.0), value_text(1e-08)
    ('(0.9, 0.999)', '100.0', '1e-08')
    """
    if isinstance(value, tuple):
        inner = ", ".join(map(value_text, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {value_text(entry)}' for key, entry in value.items())}}}"
    return str(value) if is_symbolic(value) else repr(value)


def arguments_text(arguments: Mapping[str, Any]) -> str:
    """Write keyword arguments."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in arguments.items())
