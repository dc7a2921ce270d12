"""Rows: options of a library on one side, fields of one of our rules on the other.

A row is read in both directions, so that `from_library` and `to_library` cannot disagree. What one
row cannot say (wrappers, schedules) is a function of its library.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from convex_analyzer.domains import is_schedule
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.tables import join_words

__all__ = ["Draft", "Native", "Obstacle", "Row", "Switch", "Through", "defaults", "off", "same"]

REQUIRED = "required"
_PAIR = re.compile(r"(\w+)\[(\d)\]")


@functools.cache
def defaults(library: str) -> dict[str, Any]:
    """Return version, optimizers and schedules of a library, with the defaults of their options.

    Examples
    --------
    >>> defaults("torch")["version"], defaults("torch")["optimizers"]["SGD"]["lr"]
    ('2.13.0', 0.001)
    """
    folder = importlib.resources.files("convex_analyzer.conventions")
    text = folder.joinpath("defaults.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)[library]
    return found


# -- options ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Native:
    """The options of one call, completed by the library's defaults.

    Parameters
    ----------
    label
        How errors call it: ``"torch 2.13.0: SGD"``.
    given
        What the caller wrote.
    known
        All options of the call with their defaults.
    elsewhere
        Options that other versions of the library have, and what became of them.
    """

    label: str
    given: Mapping[str, Any]
    known: Mapping[str, Any]
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import difflib

        for name in self.given:
            if name in self.known:
                continue
            near = difflib.get_close_matches(name, self.known, n=1, cutoff=0.6)
            guess = f"did you mean {near[0]}? " if near else ""
            options = join_words(list(self.known)) or "none"
            raise InputError(
                f"{self.label} has no option {name!r}",
                argument=name,
                value=self.given[name],
                hint=self.elsewhere.get(name, f"{guess}it has {options}"),
            )
        missing = [
            name
            for name, value in self.known.items()
            if value == REQUIRED and name not in self.given
        ]
        if missing:
            raise InputError(f"{self.label} needs {join_words(missing)}", argument=missing[0])

    def __getitem__(self, option: str) -> Any:
        """Return an option; of a pair one half, ``native["betas[0]"]``."""
        pair = _PAIR.fullmatch(option)
        if pair is None:
            return self.given.get(option, self.known[option])
        values = self[pair[1]]
        if not isinstance(values, (tuple, list)) or len(values) != 2:
            raise self.error(f"{pair[1]} must be a pair of numbers, got {values!r}", pair[1])
        return values[int(pair[2])]

    def error(self, message: str, argument: str = "", hint: str = "") -> InputError:
        """Return an error about this call."""
        return InputError(f"{self.label}: {message}", argument=argument or None, hint=hint)

    @contextmanager
    def told_as(self, fields: Mapping[str, str | Through]) -> Iterator[None]:
        """Let errors of our classes speak of this call and its options."""
        try:
            yield
        except InputError as error:
            text = str(error)
            if text.startswith(self.label):
                raise
            option = fields.get(error.argument or "", error.argument)
            option = option.option if isinstance(option, Through) else option
            owner, colon, rest = text.partition(": ")
            told = rest if colon and " " not in owner else text
            if error.argument and option:
                told = re.sub(rf"\b{re.escape(error.argument)}\b", option, told, count=1)
            raise InputError(f"{self.label}: {told}", argument=option, value=error.value) from error

    def flag(self, option: str) -> bool:
        """Return an option that must be True or False (or None, which counts as False)."""
        value = self[option]
        if value is not None and not isinstance(value, bool):
            raise self.error(f"{option} must be True or False, got {value!r}", option)
        return bool(value)

    def whole(self, option: str) -> int:
        """Return an option that must be a whole number from 1."""
        value = self[option]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise self.error(f"{option} must be a whole number, got {value!r}", option)
        if value < 1:
            raise self.error(f"{option} must be at least 1, got {value!r}", option)
        return int(value)

    def number(self, option: str) -> float:
        """Return an option that must be one number."""
        value = self[option]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(f"{option} must be a number, got {value!r}", option)
        return float(value)


@dataclass(frozen=True)
class Through:
    """An option that is no field of ours, but a function of one."""

    option: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]  # ValueError, with the reason, if there is no such option


@dataclass(frozen=True)
class Switch:
    """What an option must be for a row to hold, and the value that is written for it."""

    holds: Callable[[Any], bool]
    value: Any


def off(value: Any) -> bool:
    """Tell whether an option is left out: None, False or the number zero."""
    return value is None or (isinstance(value, (int, float)) and value == 0)


@dataclass(frozen=True)
class Draft:
    """A call of a library as data: name and options that are not at their default.

    Attributes
    ----------
    name
        Of the optimizer or schedule.
    arguments
        What `from_library` takes.
    notes
        What is to be known when typing it.
    reported
        Where the library's parameters are not the reported point, how to get that from them.
    """

    name: str
    arguments: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    reported: str = ""

    def adding(self, *notes: str, reported: str = "") -> Draft:
        """Return a copy with further notes."""
        return dataclasses.replace(
            self, notes=(*self.notes, *notes), reported=reported or self.reported
        )

    def replacing(self, option: str, value: Any) -> Draft:
        """Return a copy with another value of an option."""
        return dataclasses.replace(self, arguments={**self.arguments, option: value})


@dataclass(frozen=True)
class Obstacle:
    """Why a rule cannot be written, and the call that comes nearest.

    Attributes
    ----------
    reason
        A part of a sentence.
    nearest
        None if nothing comes near.
    misses
        How many settings the nearest call changes.
    """

    reason: str
    nearest: Draft | None = None
    misses: int = 1


@dataclass(frozen=True)
class Row:
    """One optimizer of a library, or one setting of its flags, as one of our rules.

    Parameters
    ----------
    name
        What the library calls it.
    rule
        Our class.
    fields
        Option of each of our fields; two fields may share a pair, ``"betas[0]"``.
    fixed
        Our fields that have one value in this row.
    when
        Options that choose the row: a value, or a `Switch`.
    free
        Our fields that make no difference in this row.
    why
        For a field that the library fixes: why that cannot be made good.
    instead
        For a field that the library fixes: settings of ours that come nearest.
    reported
        How to get the reported point, where the library's parameters are another one.
    """

    name: str
    rule: type[Optimizer]
    fields: Mapping[str, str | Through]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    when: Mapping[str, Any] = field(default_factory=dict)
    free: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, Callable[[Any], dict[str, Any]]] = field(default_factory=dict)
    reported: str = ""

    def chosen(self, native: Native) -> bool:
        """Tell whether the options choose this row."""
        for option, wanted in self.when.items():
            value = native[option]
            if isinstance(wanted, Switch):
                if not wanted.holds(value):
                    return False
            elif isinstance(wanted, bool):
                if native.flag(option) is not wanted:
                    return False
            elif value != wanted:
                return False
        return True

    def read(self, native: Native) -> Optimizer:
        """Return our rule."""
        values = dict(self.fixed)
        for name, option in self.fields.items():
            if isinstance(option, Through):
                values[name] = option.read(native[option.option])
            else:
                values[name] = native[option]
        return self.rule(**values)

    def misfits(self, rule: Optimizer) -> dict[str, Any]:
        """Return what our fields would have to be, where they are something else."""
        needed = {
            each.name: self.fixed.get(each.name, each.default)
            for each in rule.fields()
            if each.name not in self.fields and each.name not in self.free
        }
        values = rule.values
        return {name: value for name, value in needed.items() if not same(values[name], value)}

    def write(self, rule: Optimizer, known: Mapping[str, Any], library: str) -> Draft | Obstacle:
        """Return the call, or why a field has a value that the library does not have."""
        misfits = self.misfits(rule)
        if misfits:
            return self._obstacle(rule, misfits, known, library)
        options: dict[str, Any] = {}
        for name, option in self.fields.items():
            value = rule.values[name]
            if isinstance(option, Through):
                try:
                    options[option.option] = option.write(value)
                except ValueError as error:
                    return Obstacle(str(error))
            elif pair := _PAIR.fullmatch(option):
                options.setdefault(pair[1], [None, None])[int(pair[2])] = value
            else:
                options[option] = value
        for option, wanted in self.when.items():
            if option not in options:
                options[option] = wanted.value if isinstance(wanted, Switch) else wanted
        first = next(iter(known), None)
        arguments = {
            name: tuple(options[name]) if isinstance(options[name], list) else options[name]
            for name in known
            if name in options and (name == first or not same(options[name], known[name]))
        }
        return Draft(self.name, arguments, reported=self.reported)

    def _obstacle(
        self, rule: Optimizer, misfits: dict[str, Any], known: Mapping[str, Any], library: str
    ) -> Obstacle:
        reasons, changes = [], dict(misfits)
        for name, needed in misfits.items():
            told = self.why.get(name)
            reasons.append(told or f"{library}'s {self.name} has {name} = {needed!r} only")
            if name in self.instead:
                changes |= self.instead[name](rule)
        try:
            nearest = self.write(rule.replace(**changes), known, library)
        except InputError:
            nearest = Obstacle("")
        kept = nearest if isinstance(nearest, Draft) else None
        return Obstacle("; ".join(reasons), kept, len(misfits))


def same(a: Any, b: Any) -> bool:
    """Tell whether two values of options are equal; lists and tuples alike."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if is_schedule(a) or is_schedule(b) or isinstance(a, Optimizer) or isinstance(b, Optimizer):
        return bool(a == b)
    return type(a == b) is bool and bool(a == b)
