"""Exercises of one's own: folders of TOML files beside those that come with the package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from convex_analyzer.derivations.exercises import Exercise, exercise_names, load_exercise
from convex_analyzer.errors import InputError

__all__ = ["exercise_file", "exercise_files", "find_in", "ready"]

_OWN = Path(__file__).parent


def exercise_files(folders: Iterable[str | Path] = ()) -> dict[str, Path]:
    """Return the files of all exercises by name: those of the package, then one's own.

    Parameters
    ----------
    folders
        Folders with TOML files; a name of the package that occurs there is replaced.

    Raises
    ------
    InputError
        A folder is missing, or has no exercise.

    Examples
    --------
    >>> exercise_files()["q15"].name
    'q15.toml'
    """
    found = {name: _OWN / f"{name}.toml" for name in exercise_names()}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}", argument="folders", value=str(folder))
        files = sorted(folder.glob("*.toml"), key=lambda file: _order(file.stem))
        if not files:
            raise InputError(f"{folder} has no exercise (.toml)", argument="folders")
        found |= {file.stem: file for file in files}
    return found


def _order(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def exercise_file(name: str, folders: Sequence[str | Path] = ()) -> Path:
    """Return the file of an exercise by its name, or the file that is named itself.

    Raises
    ------
    InputError
        There is none of that name.

    Examples
    --------
    >>> exercise_file("q7").name
    'q7.toml'
    """
    if name.endswith(".toml"):
        return Path(name)
    files = exercise_files(folders)
    if name not in files:
        import difflib

        near = difflib.get_close_matches(name, files, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "exercises list names them all"
        raise InputError(
            f"no exercise is called {name[:60]!r}", argument="name", value=name, hint=hint
        )
    return files[name]


def find_in(name: str, folders: Sequence[str | Path] = ()) -> Exercise:
    """Return an exercise by its name or file, its lines read."""
    return ready(load_exercise(exercise_file(name, folders)))


def ready(found: Exercise) -> Exercise:
    """Read the correct lines and the slips of an exercise; what cannot be read names its line.

    Raises
    ------
    InputError
        A line cannot be read.
    """
    from convex_analyzer.parsing.expressions import read_expression

    lines = [(f"line {number}", text) for number, text in enumerate(found.lines, 1)]
    slips = [(f"slip {number}", slip.text) for number, slip in enumerate(found.slips, 1)]
    for where, text in (*lines, *slips):
        try:
            read_expression(text, found.symbols)
        except InputError as error:
            raise InputError(
                f"{found.name}: {where} cannot be read: {error}", argument="lines"
            ) from None
    return found
