"""Exercises: one TOML file each, with correct lines and the slips that people make."""

from __future__ import annotations

import functools
import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.notations import greek_letters
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["Exercise", "Slip", "exercise", "exercise_names", "load_exercise"]

_KEYS = {"title", "source", "points", "lines", "constraints", "symbols", "slips", "statement",
         "hints"}  # fmt: skip
_NEEDED = ("title", "lines", "symbols")
_LONGEST_FILE = 100_000  # bytes


@dataclass(frozen=True)
class Slip:
    """A wrong line that people write.

    Attributes
    ----------
    line
        Which line it stands for, from 1.
    text
        The wrong line.
    name
        What the slip is.
    """

    line: int
    text: str
    name: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    name
        Of the file: ``q15``.
    title
        What is to be shown.
    symbols
        What may occur.
    lines
        A correct derivation; the first line is what is given.
    slips
        Wrong lines with their names.
    points
        For a derivation without slips.
    source
        Lecture or book.
    statement
        The task in words; by default the title and the first line.
    hints
        The most that a hint may say, from 0 (none) to 4 (the repair).
    """

    name: str
    title: str
    symbols: Symbols
    lines: tuple[str, ...]
    slips: tuple[Slip, ...] = ()
    points: float = 1.0
    source: str = ""
    statement: str = ""
    hints: int = 4

    @property
    def given(self) -> str:
        """The first line."""
        return self.lines[0]

    @functools.cached_property
    def values(self) -> tuple[Any, ...]:
        """The correct lines as SymPy objects."""
        from convex_analyzer.parsing.expressions import read_expression

        return tuple(read_expression(line, self.symbols).value for line in self.lines)

    @functools.cached_property
    def known_slips(self) -> tuple[tuple[Any, str], ...]:
        """Pairs of a wrong line, as a SymPy object, and its name."""
        from convex_analyzer.parsing.expressions import read_expression

        return tuple(
            (read_expression(slip.text, self.symbols).value, slip.name) for slip in self.slips
        )


def exercise_names() -> tuple[str, ...]:
    """Return the names of all exercises that come with the package.

    Examples
    --------
    >>> exercise_names()[:3]
    ('q1', 'q2', 'q3')
    """
    names = (path.stem for path in Path(__file__).parent.glob("*.toml"))
    return tuple(sorted(names, key=lambda n: [int(p) if p.isdigit() else p for p in _parts(n)]))


def _parts(name: str) -> list[str]:
    return re.split(r"(\d+)", name)


@functools.cache
def exercise(name: str) -> Exercise:
    """Return an exercise that comes with the package.

    Raises
    ------
    InputError
        There is none of that name.

    Examples
    --------
    >>> exercise("q15").lines
    ('sqrt((s/2)**2 + (4*u - s**2)/4)', 'sqrt(u)')
    """
    if name not in exercise_names():
        raise InputError(
            f"no exercise is called {name!r}", argument="name", value=name,
            hint=f"they run from {exercise_names()[0]} to {exercise_names()[-1]}",
        )  # fmt: skip
    return load_exercise(Path(__file__).parent / f"{name}.toml")


def load_exercise(path: str | Path) -> Exercise:
    """Read an exercise from a TOML file.

    Raises
    ------
    InputError
        The file is no exercise: says what is missing or wrong.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
        if len(data) > _LONGEST_FILE:
            raise InputError(f"{file.name}: larger than {_LONGEST_FILE} bytes", argument="path")
        table = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{file.name}: {reason}", argument="path") from None
    except (UnicodeDecodeError, RecursionError):
        raise InputError(f"{file.name} is not a TOML file: no text", argument="path") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file.name} is not a TOML file: {error}", argument="path") from None
    missing = [key for key in _NEEDED if key not in table]
    if missing:
        raise InputError(f"{file.name}: {', '.join(missing)} is missing", argument="path")
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        known = ", ".join(sorted(_KEYS))
        raise InputError(
            f"{file.name}: {unknown[0]} is not known", argument="path", hint=f"known are {known}"
        )
    return _made(file.stem, table)


def _made(name: str, table: dict[str, Any]) -> Exercise:
    lines = table["lines"]
    texts = isinstance(lines, list) and all(isinstance(line, str) for line in lines)
    if not texts or len(lines) < 2:
        raise InputError(f"{name}: lines must be two texts or more", argument="lines")
    if not isinstance(table["symbols"], dict):
        raise InputError(f"{name}: symbols must be a table of names and kinds", argument="symbols")
    constraints = table.get("constraints", [])
    pairs = [*table["symbols"].items(), *((text, "") for text in _listed(constraints))]
    if not isinstance(constraints, list) or not all(
        isinstance(part, str) for pair in pairs for part in pair
    ):
        raise InputError(f"{name}: symbols and constraints are texts", argument="symbols")
    if not isinstance(table.get("slips", []), list):
        raise InputError(f"{name}: slips must be [[slips]] tables", argument="slips")
    slips = []
    for entry in table.get("slips", ()):
        try:
            slip = Slip(int(entry["line"]), str(entry["text"]), str(entry["name"]))
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f"{name}: a slip needs line, text and name", argument="slips"
            ) from None
        if not 2 <= slip.line <= len(lines):
            raise InputError(
                f"{name}: a slip stands for one of the lines 2 to {len(lines)}, got {slip.line}",
                argument="slips",
            )
        slips.append(slip)
    symbols = Symbols.of(table["symbols"], constraints)
    symbols = Symbols.of(table["symbols"], constraints, greek_letters(symbols))
    title, statement = str(table["title"]), str(table.get("statement", ""))
    return Exercise(
        name, title, symbols, tuple(lines), tuple(slips), _points(name, table),
        str(table.get("source", "")), statement or f"{title}: start from {lines[0]}",
        _hints(name, table),
    )  # fmt: skip


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _points(name: str, table: dict[str, Any]) -> float:
    points = table.get("points", 1)
    number = isinstance(points, int | float) and not isinstance(points, bool)
    if not number or not math.isfinite(points) or points <= 0:
        raise InputError(f"{name}: points must be a number above 0", argument="points")
    return float(points)


def _hints(name: str, table: dict[str, Any]) -> int:
    hints = table.get("hints", 4)
    if type(hints) is not int or not 0 <= hints <= 4:
        raise InputError(f"{name}: hints must be 0, 1, 2, 3 or 4", argument="hints")
    return hints
