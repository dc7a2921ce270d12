"""Objects from plain data: what schedules and optimizers share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from convex_analyzer.errors import InputError
from convex_analyzer.tables import join_words

__all__ = ["missing_fields", "name_in", "named", "rebuilt"]

T = TypeVar("T")


def name_in(data: Any, kind: str) -> str:
    """Return the name of the class that plain data describe.

    Raises
    ------
    InputError
        They describe none.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str):
        raise InputError(
            f"this describes no {kind}: {data!r}", value=data, hint="to_dict() writes what is read"
        )
    return str(data["name"])


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def named(name: str, classes: Mapping[str, type[T]], kind: str, hint: str) -> type[T]:
    """Return the class of this name or alias; case, underscores and hyphens do not matter.

    Raises
    ------
    InputError
        There is none; the message names the nearest, or else gives the hint.
    """
    import difflib

    names: dict[str, type[T]] = {}
    for cls in classes.values():
        aliases: tuple[str, ...] = getattr(cls, "aliases", ())
        names.update({_plain(alias): cls for alias in aliases if _plain(alias) not in names})
    names.update({_plain(key): cls for key, cls in classes.items()})
    if _plain(name) in names:
        return names[_plain(name)]
    near = difflib.get_close_matches(_plain(name), names, n=1, cutoff=0.5)
    guess = f"did you mean {names[near[0]].__name__}?" if near else hint
    raise InputError(f"there is no {kind} called {name!r}", argument=kind, hint=guess)


def missing_fields(cls: Any, given: Mapping[str, Any]) -> list[str]:
    """Return the fields that have no default and are not given."""
    return [
        field.name
        for field in cls.fields()
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and field.name not in given
    ]


def rebuilt(cls: type[T], data: Mapping[str, Any], decode: Callable[[str, Any], Any]) -> T:
    """Return an instance with the fields that the data give.

    Parameters
    ----------
    cls
        A schedule or an optimizer.
    data
        What ``to_dict`` returned.
    decode
        Called with the name and the JSON form of each field.

    Raises
    ------
    InputError
        Fields that the class does not have, or that it needs.
    """
    names = [field.name for field in cls.fields()]  # type: ignore[attr-defined]  # both have it
    given = {name: value for name, value in data.items() if name != "name"}
    if unknown := [name for name in given if name not in names]:
        raise InputError(
            f"{cls.__name__} has no field {join_words(unknown)}",
            value=data,
            hint=f"it has {join_words(names) or 'none'}",
        )
    if missing := missing_fields(cls, given):
        raise InputError(f"{cls.__name__} needs {join_words(missing)}", value=data)
    return cls(**{name: decode(name, value) for name, value in given.items()})
