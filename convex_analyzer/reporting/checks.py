"""Checks of the fields of plain-data blocks: (where, value) -> the value as it is stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from convex_analyzer.errors import InputError
from convex_analyzer.spelling import visible

__all__ = [
    "Check",
    "apply",
    "html_page",
    "instance",
    "one_of",
    "refuse",
    "sequence",
    "share",
    "share_or_none",
    "string",
    "svg_bytes",
    "words",
]

Check: TypeAlias = Callable[[str, Any], Any]


def refuse(where: str, rule: str, value: object) -> InputError:
    """Make the error to raise: what must be, and what came."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return InputError(f"{where} must be {rule}, got {shown}", argument=where, value=value)


def apply(owner: object, **checks: Check) -> None:
    """Replace each named field of a frozen object by its checked value."""
    for name, check in checks.items():
        where = f"{type(owner).__name__}: {name}"
        object.__setattr__(owner, name, check(where, getattr(owner, name)))


def string(where: str, value: Any) -> str:
    """Text, with what nobody could see made visible."""
    if not isinstance(value, str):
        raise refuse(where, "text (a str)", value)
    return visible(str(value))


def words(where: str, value: Any) -> str:
    """Text that is not blank."""
    text = string(where, value)
    if not text.strip():
        raise refuse(where, "text that is not blank", value)
    return text


def share(where: str, value: Any) -> float:
    """Accept a number above 0 and at most 1."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and 0 < value <= 1):
        raise refuse(where, "a number above 0 and at most 1", value)
    return float(value)


def share_or_none(where: str, value: Any) -> float | None:
    """Accept a share, or None."""
    return None if value is None else share(where, value)


def one_of(*allowed: object) -> Check:
    """Accept these values, of the type of the first."""

    def check(where: str, value: Any) -> Any:
        if type(value) is not type(allowed[0]) or value not in allowed:
            raise refuse(where, f"one of {', '.join(map(repr, allowed))}", value)
        return value

    return check


def instance(kind: type) -> Check:
    """Accept objects of one class."""

    def check(where: str, value: Any) -> Any:
        if not isinstance(value, kind):
            raise refuse(where, f"a {kind.__name__}", value)
        return value

    return check


def sequence(check: Check, at_least: int = 1) -> Check:
    """Accept a tuple or list of at least so many items, each checked."""

    def checked(where: str, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise refuse(where, "a tuple or a list", value)
        if len(value) < at_least:
            raise refuse(where, f"a sequence of at least {at_least}", value)
        return tuple(check(f"{where}[{index}]", item) for index, item in enumerate(value))

    return checked


def svg_bytes(where: str, value: Any) -> bytes:
    """Accept the bytes of an SVG file in UTF-8."""
    if not isinstance(value, bytes) or b"<svg" not in value[:4096]:
        raise refuse(where, "the bytes of an SVG file", value)
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        raise refuse(where, "an SVG file in UTF-8", value) from None
    return value


def html_page(where: str, value: Any) -> str:
    """Accept the text of an HTML page, as it is but for the ends of lines."""
    if not isinstance(value, str) or "<" not in value:
        raise refuse(where, "the text of an HTML page", value)
    return value.replace("\r\n", "\n").replace("\r", "\n")
