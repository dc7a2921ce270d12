"""`grade`: points for an answer to an exercise.

An answer earns the share of its lines without a slip; one slip costs one mark, and what follows
from it costs nothing more. It earns all of that only if its last line is the exercise's last line,
in value and in form: repeating the first line is true, and shows nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from convex_analyzer.derivations.derivation import judged
from convex_analyzer.derivations.exercises import Exercise, exercise, load_exercise
from convex_analyzer.derivations.judging.judge import judge
from convex_analyzer.derivations.judging.lines import CheckedDerivation, CheckedLine
from convex_analyzer.errors import InputError
from convex_analyzer.parsing.statements import Statement
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number

__all__ = ["PLAUSIBLE", "Mark", "find_exercise", "grade", "mark"]

PLAUSIBLE = {
    "full": "a line that held at every point tried counts as right, and is flagged",
    "half": "such a line counts half, and is flagged",
    "none": "such a line counts as wrong, and is flagged",
}
_UNFINISHED = 0.5  # the most that an answer earns which does not arrive
_LONGER = 1.5  # times the operations of the exercise's last line: still that form


@dataclass(frozen=True, eq=False, repr=False)
class Mark(Result):
    """What an answer earns, and why.

    Attributes
    ----------
    exercise
        Name of the exercise.
    points, of
        Points earned, and the most that can be earned.
    arrived
        Whether the last line is what was to be shown.
    checked
        The judged lines.
    flagged
        Numbers of the lines that a person should look at.
    note
        One sentence.
    """

    schema: ClassVar[str] = "convex_analyzer.mark/1"

    exercise: str
    points: float
    of: float
    arrived: bool
    checked: CheckedDerivation
    flagged: tuple[int, ...] = ()
    note: str = ""

    @property
    def share(self) -> float:
        """Points over the most that can be earned."""
        return self.points / self.of if self.of else 0.0

    def summary(self) -> Table:
        """Return the judged lines with the points."""
        table = self.checked.summary()
        title = f"{self.exercise}: {format_number(self.points, 3)} of {format_number(self.of, 3)}"
        return Table(table.columns, table.rows, title, (*table.notes, self.note), left=4)


def find_exercise(name: str | Path | Exercise) -> Exercise:
    """Return an exercise by its name, its TOML file, or as it is."""
    if isinstance(name, Exercise):
        return name
    if isinstance(name, Path) or str(name).endswith(".toml"):
        return load_exercise(name)
    return exercise(str(name))


def grade(
    answer: str,
    task: str | Path | Exercise,
    *,
    plausible: str = "full",
    notation: str = "",
    seconds: float | None = None,
) -> float:
    r"""Return the points for an answer: what a cell of an automatic grader returns.

    Parameters
    ----------
    answer
        The derivation, as text or LaTeX.
    task
        An exercise: ``q15``, a TOML file, or an `Exercise`.
    plausible
        What a line counts that held at every point tried but was not proved: see `PLAUSIBLE`.
    notation
        The source whose letters the answer uses.
    seconds
        Time for the whole answer, in a worker process of its own with limited memory; None: in
        this process, two seconds a line at most.

    Raises
    ------
    InputError
        No such exercise, or an unknown policy. An answer that cannot be read earns 0 points.

    Examples
    --------
    >>> grade("l*((1 - a*l)**k*z)**2/2\nl*(1 - a*l)**(2*k)*z**2/2", "q7")
    1.0
    >>> grade("l*((1 - a*l)**k*z)**2/2\nl*(1 - a*l)**k*z**2/2", "q7")
    0.0
    """
    if seconds is not None:
        from convex_analyzer.derivations.worker import Worker

        with Worker() as worker:
            found = worker.mark(
                answer, task, plausible=plausible, notation=notation, seconds=seconds
            )
        return float(found["points"])
    return mark(answer, task, plausible=plausible, notation=notation).points


def mark(
    answer: str, task: str | Path | Exercise, *, plausible: str = "full", notation: str = ""
) -> Mark:
    """Return points and judged lines of an answer; the arguments are those of `grade`."""
    if plausible not in PLAUSIBLE:
        raise InputError(
            f"plausible must be one of {', '.join(PLAUSIBLE)}, got {plausible!r}",
            argument="plausible",
            value=plausible,
        )
    chosen = find_exercise(task)
    try:
        checked, statements = judged(answer, exercise_name=chosen, notation=notation)
    except InputError as error:
        nothing = CheckedDerivation(())
        return Mark(
            chosen.name, 0.0, chosen.points, arrived=False, checked=nothing, note=str(error)
        )
    first = chosen.values[0]
    repeated = sum(1 for _ in itertools.takewhile(lambda each: each.value == first, statements))
    own = checked.lines[repeated:]
    arrived, why = _arrived(checked, statements, chosen)
    share = _share(own, plausible)
    if not arrived:
        share = min(share, _UNFINISHED)
    if not own:
        share, why = 0.0, "nothing is derived: the first line was given"
    points = round(share * chosen.points, 6)
    return Mark(chosen.name, points, chosen.points, arrived, checked, checked.flagged, why)


def _share(lines: Sequence[CheckedLine], plausible: str) -> float:
    """Return the share of the judged lines that count as right."""
    worth = {"proved": 1.0, "recovers": 1.0, "refuted": 0.0, "unreadable": 0.0}
    worth["plausible"] = {"full": 1.0, "half": 0.5, "none": 0.0}[plausible]
    values = [worth[line.status] for line in lines if line.status in worth]
    return sum(values) / len(values) if values else 0.0


def _arrived(
    checked: CheckedDerivation, statements: Sequence[Statement], task: Exercise
) -> tuple[bool, str]:
    """Return whether the last line that can be read is the exercise's, in value and in form."""
    readable = [
        (line, each.value)
        for line, each in zip(checked.lines, statements, strict=True)
        if each.is_readable and each.value is not None
    ]
    if not readable:
        return False, "there is no line that can be read"
    last, found = readable[-1]
    goal = task.values[-1]
    if last.status == "refuted":
        return False, f"line {last.number} does not follow"
    if found == goal:
        return True, "arrived"
    if judge(goal, found, task.symbols).status not in {"proved", "plausible"}:
        return False, f"the last line is not {task.lines[-1]}"
    if _operations(found) > _LONGER * _operations(goal) + 1 or found == task.values[0]:
        return False, "the last line is right, but not brought to the form that was asked for"
    return True, "arrived"


def _operations(value: Any) -> int:
    try:
        return int(value.count_ops())
    except (AttributeError, TypeError):  # of matrices SymPy does not count them
        return len(str(value)) // 3
