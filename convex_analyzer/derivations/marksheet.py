"""`mark_folder`: the marks of a folder of submissions, and the files that learning platforms read.

Gradescope reads ``results.json`` with ``score``, ``max_score`` and ``tests``; PrairieLearn one with
``gradable``, a ``score`` from 0 to 1, ``message`` and ``tests``. Both are as their documentation of
external graders has them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from convex_analyzer.derivations.answers import answer_in, read_text
from convex_analyzer.derivations.exercises import load_exercise
from convex_analyzer.derivations.exercises.folders import ready
from convex_analyzer.derivations.grading import PLAUSIBLE, SHORT
from convex_analyzer.derivations.worker import Worker
from convex_analyzer.errors import InputError
from convex_analyzer.parsing.notations import source_named
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number

__all__ = [
    "MarkSheet",
    "MarkedAnswer",
    "gradescope",
    "mark_folder",
    "prairielearn",
    "submissions_in",
    "to_csv",
]

_MOST_FILES = 5000
_COLUMNS = ("name", "points", "of", "arrived", "first wrong line", "flagged", "note")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_WRONG = ("refuted", "unreadable")


@dataclass(frozen=True)
class MarkedAnswer:
    """What one submission earns.

    Attributes
    ----------
    name
        Of the file, without its suffix; with its folder where there are several.
    status
        ``marked``, ``timed out``, ``failed``, or ``no text``.
    points, of
        Points earned, and the most that can be earned.
    arrived
        Whether the last line is what was to be shown.
    first_wrong
        Number of the first line that is refuted or cannot be read.
    flagged
        Lines that a person should look at, or the whole answer (``all``).
    note
        One sentence.
    lines, hints
        The judged lines as plain data, and a hint for each that is wrong.
    """

    name: str
    status: str
    points: float
    of: float
    arrived: bool = False
    first_wrong: int | None = None
    flagged: str = ""
    note: str = ""
    lines: tuple[dict[str, Any], ...] = ()
    hints: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**self.__dict__, "lines": list(self.lines), "hints": list(self.hints)}


@dataclass(frozen=True, eq=False, repr=False)
class MarkSheet(Result):
    """The marks of a folder.

    Attributes
    ----------
    exercise, title
        Which exercise.
    plausible
        What a line counted that was not proved: see `PLAUSIBLE`.
    rows
        One for each submission.
    """

    schema: ClassVar[str] = "convex_analyzer.marks/1"

    exercise: str
    title: str
    plausible: str
    rows: tuple[MarkedAnswer, ...]

    @property
    def without_verdict(self) -> tuple[str, ...]:
        """Names of the submissions that a person has to mark."""
        return tuple(row.name for row in self.rows if row.status != "marked")

    def summary(self) -> Table:
        """Return the marks as a table."""
        rows = tuple(tuple(_cells(row)) for row in self.rows)
        return Table(_COLUMNS, rows, f"{self.exercise}: {self.title}", left=7)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": self.schema,
            "exercise": self.exercise,
            "title": self.title,
            "plausible": self.plausible,
            "rows": [row.to_dict() for row in self.rows],
        }


def _cells(row: MarkedAnswer) -> Iterable[str]:
    yield row.name
    yield format_number(row.points, 4)
    yield format_number(row.of, 4)
    yield "yes" if row.arrived else "no"
    yield "" if row.first_wrong is None else str(row.first_wrong)
    yield row.flagged
    yield row.note


def submissions_in(place: str | Path) -> tuple[tuple[str, Path], ...]:
    """Return names and files of the submissions: one file, or all in a folder and its folders.

    Hidden files and links are passed over; a link could lead out of the folder.

    Raises
    ------
    InputError
        There is no such place, or no submission in it.
    """
    root = Path(place)
    if root.is_file():
        return ((_CONTROL.sub("?", root.stem), root),)
    if not root.is_dir():
        raise InputError(f"there is no file or folder {root}", argument="submissions")
    files = []
    for file in sorted(root.rglob("*")):
        inside = file.relative_to(root)
        hidden = any(part.startswith((".", "__MACOSX")) for part in inside.parts)
        if hidden or not file.is_file() or any(p.is_symlink() for p in _up_to(file, root)):
            continue
        files.append(inside)
    if not files:
        raise InputError(f"{root} holds no submission", argument="submissions")
    if len(files) > _MOST_FILES:
        raise InputError(f"{root} holds more than {_MOST_FILES} files", argument="submissions")
    stems = [file.with_suffix("") for file in files]
    twice = {stem for stem in stems if stems.count(stem) > 1}
    names = [
        (file if stem in twice else stem).as_posix()
        for file, stem in zip(files, stems, strict=True)
    ]
    return tuple(
        (_CONTROL.sub("?", name), root / file) for name, file in zip(names, files, strict=True)
    )


def _up_to(file: Path, root: Path) -> list[Path]:
    return [file, *(p for p in file.parents if p != root and root in p.parents)]


def mark_folder(
    place: str | Path,
    task: str | Path,
    *,
    plausible: str = "full",
    short: str = "half",
    notation: str = "",
    seconds: float = 20.0,
    level: int = 2,
    tell: Callable[[int], None] | None = None,
) -> MarkSheet:
    """Mark every submission in a folder, each in a process with limited time and memory.

    Parameters
    ----------
    place
        A folder, or one file.
    task
        TOML file of the exercise.
    plausible
        What a line counts that was not proved: see `PLAUSIBLE`.
    short
        What the last line alone earns: see `SHORT`.
    notation
        The source whose letters the answers use.
    seconds
        For one answer; then it has no verdict, and the next gets a fresh process.
    level
        How much the hints say; never more than the exercise allows.
    tell
        Called with 1 after every answer.

    Raises
    ------
    InputError
        No submission, an unknown policy, or a file that is no exercise.
    """
    chosen = ready(load_exercise(task))
    for policy, value, known in (("plausible", plausible, PLAUSIBLE), ("short", short, SHORT)):
        if value not in known:
            raise InputError(f"{policy} must be one of {', '.join(known)}", argument=policy)
    if not 0 < seconds <= 3600:
        raise InputError("seconds must be above 0 and at most 3600", argument="seconds")
    if notation:
        notation = source_named(notation)
    options: dict[str, Any] = {"plausible": plausible, "short": short, "notation": notation}
    options["seconds"] = seconds
    rows = []
    with Worker() as worker:
        for name, file in submissions_in(place):
            try:
                text = answer_in(read_text(file), file.suffix)
            except InputError as error:
                note = _CONTROL.sub(" ", str(error).replace(f"{file}", "the file"))
                rows.append(
                    MarkedAnswer(name, "no text", 0.0, chosen.points, flagged="all", note=note)
                )
                continue
            found = worker.mark(text, Path(task), level=max(1, min(level, chosen.hints)), **options)
            rows.append(_row(name, found, chosen.points, show=chosen.hints > 0))
            if tell is not None:
                tell(1)
    return MarkSheet(chosen.name, chosen.title, plausible, tuple(rows))


def _row(name: str, found: dict[str, Any], of: float, *, show: bool) -> MarkedAnswer:
    wrong = [line["number"] for line in found["lines"] if line["status"] in _WRONG]
    flagged = ", ".join(map(str, found["flagged"]))
    if found["status"] != "marked" or len(wrong) == len(found["lines"]) == _count(found):
        flagged = "all"
    return MarkedAnswer(
        name,
        found["status"],
        float(found["points"]),
        of,
        bool(found["arrived"]),
        wrong[0] if wrong else None,
        flagged,
        _CONTROL.sub(" ", found["note"]),
        tuple(found["lines"]),
        tuple(found["hints"]) if show else (),
    )


def _count(found: dict[str, Any]) -> int:
    """Return how many lines cannot be read."""
    return sum(line["status"] == "unreadable" for line in found["lines"])


# -- files for others -----------------------------------------------------------------------------


def to_csv(sheet: MarkSheet) -> str:
    """Return the marks as CSV; no cell begins as a formula does."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in sheet.rows:
        number = ("" if row.first_wrong is None else row.first_wrong, row.flagged, row.note)
        cells = (row.name, row.points, row.of, "yes" if row.arrived else "no", *number)
        writer.writerow([_harmless(cell) for cell in cells])
    return stream.getvalue()


def _harmless(cell: Any) -> Any:
    risky = isinstance(cell, str) and cell.startswith(_FORMULA)
    return f"'{cell}" if risky else cell


def _told(row: MarkedAnswer) -> list[str]:
    """Return what is said of each judged line."""
    hints = iter(row.hints)
    told = []
    for line in row.lines:
        plain = f"Line {line['number']} is {line['status']}: {line['reason']}."
        told.append(next(hints, plain) if line["status"] in _WRONG else plain)
    return told


def gradescope(row: MarkedAnswer, title: str = "") -> dict[str, Any]:
    """Return the ``results.json`` of a Gradescope autograder.

    Examples
    --------
    >>> found = gradescope(MarkedAnswer("ada", "marked", 1.0, 2.0, note="arrived"))
    >>> found["score"], found["tests"][0]["max_score"]
    (1.0, 2.0)
    """
    output = "\n".join(_told(row))
    test = {
        "score": row.points,
        "max_score": row.of,
        "status": "passed" if row.points >= row.of else "failed",
        "name": title or row.name,
        "output": "\n".join(part for part in (output, row.note) if part),
        "output_format": "text",
    }
    extra = {"flagged": row.flagged, "status": row.status}
    return {
        "score": row.points,
        "output": row.note,
        "output_format": "text",
        "tests": [test],
        "extra_data": extra,
    }


def prairielearn(row: MarkedAnswer, title: str = "") -> dict[str, Any]:
    """Return the ``results.json`` of a PrairieLearn external grader.

    An answer without a line that can be read is not gradable, and costs no attempt.

    Examples
    --------
    >>> prairielearn(MarkedAnswer("ada", "marked", 1.0, 2.0, lines=({"status": "proved",
    ...     "number": 2, "text": "x", "reason": "collected"},)))["score"]
    0.5
    """
    if not any(line["status"] != "unreadable" for line in row.lines):
        errors = list(row.hints) or [row.note or "the answer cannot be read"]
        return {"gradable": False, "message": row.note, "format_errors": errors}
    whole = {"name": title or row.name, "points": row.points, "max_points": row.of}
    return {
        "gradable": True,
        "score": round(row.points / row.of, 6) if row.of else 0.0,
        "message": row.note,
        "output": "\n".join(_told(row)),
        "tests": [{**whole, "description": row.note, "message": row.note}],
    }
