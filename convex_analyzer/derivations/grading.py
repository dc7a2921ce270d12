"""`grade`: points for an answer to an exercise.

An answer earns the share of its lines without a slip; one slip costs one mark, and what follows
from it costs nothing more. A line that repeats an earlier one in another order counts neither way,
and a line that was never judged, or says nothing, counts as wrong. An answer earns all of that only
if its last line is the exercise's last line, in value and in form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from convex_analyzer.derivations.derivation import judged
from convex_analyzer.derivations.exercises import Exercise, exercise, load_exercise
from convex_analyzer.derivations.forms import (
    form_of,
    is_isolated,
    levels,
    likeness,
    says_nothing,
    size,
    wraps,
)
from convex_analyzer.derivations.judging.judge import DIRECTIONS, judge
from convex_analyzer.derivations.judging.lines import CheckedDerivation, CheckedLine
from convex_analyzer.errors import InputError
from convex_analyzer.parsing.statements import Statement
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number

__all__ = ["PLAUSIBLE", "SHORT", "Mark", "find_exercise", "grade", "mark"]

PLAUSIBLE = {
    "full": "a line that held at every point tried counts as right, and is flagged",
    "half": "such a line counts half, and is flagged",
    "none": "such a line counts as wrong, and is flagged",
}
SHORT = {
    "half": "of an exercise of three lines or more, the last line alone earns half, and is flagged",
    "full": "the last line alone earns all",
}
_UNFINISHED = 0.5  # the most that an answer earns which does not arrive
_COPIED = 2  # the level of `forms` up to which a line is a copy: at 3 SymPy derives by itself
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
    short: str = "half",
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
    short
        What the last line alone earns: see `SHORT`.
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
                answer, task, plausible=plausible, short=short, notation=notation,
                seconds=seconds,
            )  # fmt: skip
        return float(found["points"])
    return mark(answer, task, plausible=plausible, short=short, notation=notation).points


def mark(
    answer: str,
    task: str | Path | Exercise,
    *,
    plausible: str = "full",
    short: str = "half",
    notation: str = "",
) -> Mark:
    """Return points and judged lines of an answer; the arguments are those of `grade`."""
    for name, value, known in (("plausible", plausible, PLAUSIBLE), ("short", short, SHORT)):
        if value not in known:
            raise InputError(
                f"{name} must be one of {', '.join(known)}, got {value!r}",
                argument=name,
                value=value,
            )
    chosen = find_exercise(task)
    try:
        checked, statements = judged(answer, exercise_name=chosen, notation=notation)
    except InputError as error:
        nothing = CheckedDerivation(())
        return Mark(
            chosen.name, 0.0, chosen.points, arrived=False, checked=nothing, note=str(error)
        )
    pairs = list(zip(checked.lines, statements, strict=True))
    empty = _empty(pairs, chosen)
    own = _own(pairs, chosen)
    arrived, why = _arrived(checked, statements, chosen)
    share = _share(own, empty, plausible, len(chosen.lines))
    flagged = {*checked.flagged, *empty}
    if not arrived:
        share = min(share, _UNFINISHED)
    elif own and short == "half" and len(chosen.lines) > 2 and len(_own(pairs, chosen, 1)) < 2:
        share, why = min(share, _UNFINISHED), "arrived, but no steps are shown"
        flagged.add(own[0].number)
    if not own:
        share, why = 0.0, "nothing is derived: the first line was given"
    points = round(share * chosen.points, 6)
    return Mark(chosen.name, points, chosen.points, arrived, checked, tuple(sorted(flagged)), why)


def _own(
    pairs: Sequence[tuple[CheckedLine, Statement]], task: Exercise, most: int = _COPIED
) -> list[CheckedLine]:
    """Return the lines that count: not those that write an earlier right line in another way.

    What counts as another way is what still tells the exercise's own lines apart, up to the level
    `most`.
    """
    lines = [[form_of(each, level) for each in task.values] for level in range(most + 1)]
    apart = [level for level in levels(task.values, pairs=True) if level <= most] or [0]
    seen = {(level, forms[0]) for level, forms in enumerate(lines)}
    given = lines[0][0]
    wrapped = size(given) > 2 and not any(wraps(each, given) for each in lines[0][1:])
    own: list[CheckedLine] = []
    values = []
    for line, each in pairs:
        forms = {(n, form_of(each.value, n)) for n in range(most + 1)} if _is_read(each) else set()
        same = {n for n, form in forms & seen if n in apart or lines[n].count(form) == 1}
        copies = bool(same) or (wrapped and any(n == 0 and wraps(f, given) for n, f in forms))
        holds = line.status in {"proved", "plausible", "recovers", "undecided"}
        reached = _is_read(each) and each.value == task.values[-1] and each.value not in values
        if not (holds and copies) or reached:
            own.append(line)
        if holds:
            seen |= forms
        values.append(each.value if _is_read(each) else None)
    return own


def _is_read(statement: Statement) -> bool:
    return statement.is_readable and statement.value is not None


def _empty(pairs: Sequence[tuple[CheckedLine, Statement]], task: Exercise) -> set[int]:
    """Return the numbers of lines that are true or false by themselves, or leave the chain.

    An answer that goes on with => and comes back with <= proves nothing through a line that is
    neither what is given nor what is to be shown.
    """
    found = {
        line.number
        for line, each in pairs
        if _is_read(each) and says_nothing(each.value) and not says_nothing(task.values[-1])
    }
    ways = {DIRECTIONS.get(each.relation) for _, each in pairs if each.left is None}
    if not {"=>", "<="} <= ways:
        return found
    for line, each in pairs:
        if not _is_read(each) or line.status == "refuted":
            continue
        ends = (task.values[0], task.values[-1])
        if all(judge(end, each.value, task.symbols).status == "refuted" for end in ends):
            found.add(line.number)
    return found


def _share(lines: Sequence[CheckedLine], empty: set[int], plausible: str, most: int) -> float:
    """Return the share of the lines that count as right; each slip costs 1 / `most` at least."""
    worth = {"proved": 1.0, "recovers": 1.0}
    worth["plausible"] = {"full": 1.0, "half": 0.5, "none": 0.0}[plausible]
    values = [0.0 if x.number in empty else worth.get(x.status, 0.0) for x in lines]
    if not values:
        return 0.0
    lost = len(values) - sum(values)
    return max(0.0, min(1 - lost / len(values), 1 - lost / most))


def _arrived(
    checked: CheckedDerivation, statements: Sequence[Statement], task: Exercise
) -> tuple[bool, str]:
    """Return whether the last line that can be read is the exercise's, in value and in form."""
    readable = [
        (line, each.value)
        for line, each in zip(checked.lines, statements, strict=True)
        if _is_read(each)
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
    if not _in_form(found, task.values):
        return False, "the last line is right, but not brought to the form that was asked for"
    return True, "arrived"


def _in_form(found: Any, lines: Sequence[Any]) -> bool:
    """Return whether a line has the form of the last of the lines rather than of an earlier one."""
    *earlier, goal = lines
    if _operations(found) > _LONGER * _operations(goal) + 1:
        return False
    for level in levels(lines):
        form = form_of(found, level)
        if form == form_of(goal, level):
            return True
        if level <= _COPIED and form in [form_of(each, level) for each in earlier]:
            return False
    letter = is_isolated(goal)
    if letter is not None:
        if is_isolated(found, letter) is None:
            return False
        if all(is_isolated(each, letter) is None for each in earlier):
            return True
    form, aim, before = form_of(found, 1), form_of(goal, 1), [form_of(x, 1) for x in earlier]
    if size(form) <= _LONGER * size(aim) and size(form) < min(map(size, before)):
        return True
    return likeness(form, aim) > max(likeness(form, each) for each in before)


def _operations(value: Any) -> int:
    try:
        return int(value.count_ops())
    except (AttributeError, TypeError):  # of matrices SymPy does not count them
        return len(str(value)) // 3
