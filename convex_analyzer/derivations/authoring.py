"""Writing an exercise: a template, a self-test, and the slips that nobody would notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from convex_analyzer.derivations.exercises import Exercise
from convex_analyzer.derivations.judging.judge import judge
from convex_analyzer.errors import InputError
from convex_analyzer.results import Result
from convex_analyzer.tables import Table

__all__ = ["TEMPLATE", "Mutant", "MutantScore", "SelfTest", "mutant_score", "self_test"]

#: A complete small exercise, to be changed.
TEMPLATE = """\
# An exercise. Change everything, then run: convex-analyzer exercises new THIS_FILE
title = "One more step multiplies the error by 1 - a*l"
source = "my course"
points = 1
hints = 4          # the most that a hint says: 0 none, 1 where, 2 numbers, 3 the slip, 4 the repair
statement = "Show that one more step of gradient descent multiplies z by 1 - a*l."

# A correct derivation: the first line is given, the last is what is to be shown.
lines = [
    "(1 - a*l)*((1 - a*l)**k*z)",
    "(1 - a*l)**(k + 1)*z",
]
constraints = []   # relations between the letters: ["a*l < 2"]

# What the letters are: real, positive, nonnegative, natural, unit interval, vector,
# matrix, symmetric matrix, positive definite matrix, orthogonal matrix, ...
[symbols]
"a, l" = "positive"
k = "natural"
z = "real"

# Wrong lines that people write; each must be refuted.
[[slips]]
line = 2
text = "(1 - a*l)**(2*k)*z"
name = "exponents multiplied"
"""


@dataclass(frozen=True, eq=False, repr=False)
class SelfTest(Result):
    """Whether an exercise does what it should.

    Attributes
    ----------
    exercise
        Its name.
    rows
        Triples: which line or slip, its text, and what was found: ``proved``, ``refuted`` ...
    failures
        One sentence for each that is not as it should be.
    remarks
        What is not wrong, and worth knowing.
    """

    schema: ClassVar[str] = "convex_analyzer.self_test/1"

    exercise: str
    rows: tuple[tuple[str, str, str], ...]
    failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether every correct line holds and every slip is refuted."""
        return not self.failures

    def summary(self) -> Table:
        """Return what was tested as a table."""
        notes = (*self.failures, *self.remarks)
        return Table(("", "text", "found"), self.rows, self.exercise, notes, left=3)


def self_test(task: Exercise, budget: float = 5.0) -> SelfTest:
    """Judge the correct lines of an exercise, and its slips.

    A correct line must be proved; one that only held at every point tried is allowed and remarked
    on. A slip must be refuted.

    Examples
    --------
    >>> from convex_analyzer.derivations.exercises import exercise
    >>> self_test(exercise("q15")).passes
    True
    """
    rows, failures, remarks = [("line 1", task.lines[0], "given")], [], []
    for number in range(2, len(task.lines) + 1):
        before, value = task.values[number - 2 : number]
        found = judge(before, value, task.symbols, budget)
        rows.append((f"line {number}", task.lines[number - 1], found.status))
        if found.status == "refuted":
            shown = found.counterexample
            numbers = shown.sentence(f"line {number - 1}", f"line {number}") if shown else ""
            why = numbers or f"{found.reason}."
            failures.append(f"Line {number} does not follow from line {number - 1}. {why}")
        elif found.status == "undecided":
            failures.append(f"Line {number} has no verdict: {found.reason}.")
        elif found.status == "plausible":
            remarks.append(f"Line {number} is plausible, not proved: {found.reason}.")
        if before == value:
            failures.append(f"Line {number} repeats line {number - 1}.")
    for number, (slip, (value, _)) in enumerate(zip(task.slips, task.known_slips, strict=True), 1):
        found = judge(task.values[slip.line - 2], value, task.symbols, budget)
        rows.append((f"slip {number}", slip.text, found.status))
        if found.status != "refuted":
            failures.append(
                f"Slip {number} ({slip.name}) is not refuted for line {slip.line}: it is "
                f"{found.status}."
            )
    if not task.slips:
        remarks.append("No slip is listed: which wrong lines do people write?")
    return SelfTest(task.name, tuple(rows), tuple(failures), tuple(remarks))


@dataclass(frozen=True)
class Mutant:
    """A changed line that was not refuted.

    Attributes
    ----------
    line
        Which line was changed.
    kind
        What was changed.
    text
        The changed line.
    status
        ``plausible`` or ``undecided``.
    """

    line: int
    kind: str
    text: str
    status: str


@dataclass(frozen=True, eq=False, repr=False)
class MutantScore(Result):
    """How many one-edit slips an exercise would let pass.

    Attributes
    ----------
    exercise
        Its name.
    refuted
        Changed lines that are refuted.
    valid
        Changed lines that are proved: they say the same, or follow too; no slips.
    unnoticed
        Changed lines that are neither refuted nor proved.
    """

    schema: ClassVar[str] = "convex_analyzer.mutants/1"

    exercise: str
    refuted: int
    valid: int
    unnoticed: tuple[Mutant, ...] = ()

    @property
    def tried(self) -> int:
        """How many changed lines were judged."""
        return self.refuted + self.valid + len(self.unnoticed)

    @property
    def share(self) -> float:
        """Share of the slips that are refuted, from 0 to 1."""
        slips = self.refuted + len(self.unnoticed)
        return self.refuted / slips if slips else 1.0

    def summary(self) -> Table:
        """Return the mutants that nobody would notice."""
        rows = tuple((str(m.line), m.kind, m.text, m.status) for m in self.unnoticed)
        title = (
            f"{self.exercise}: {self.tried} changed lines, {self.refuted} refuted, {self.valid} "
            f"valid as well, {len(self.unnoticed)} unnoticed"
        )
        return Table(("line", "change", "text", "found"), rows, title, left=4)


def mutant_score(task: Exercise, budget: float = 1.0, most: int = 400) -> MutantScore:
    """Change each correct line in one place, in every way, and judge what comes out.

    Parameters
    ----------
    task
        The exercise.
    budget
        Seconds for one changed line.
    most
        Changed lines at most for each line, the likeliest slips first.

    Examples
    --------
    >>> from convex_analyzer.derivations.exercises import exercise
    >>> score = mutant_score(exercise("q15"))
    >>> score.refuted > 10, score.unnoticed
    (True, ())
    """
    from convex_analyzer.derivations.judging.edits import edits
    from convex_analyzer.parsing.expressions import is_latex, read_expression

    refuted = valid = 0
    unnoticed = []
    for number in range(2, len(task.lines) + 1):
        text, before = task.lines[number - 1], task.values[number - 2]
        latex = is_latex(text)
        tree = read_expression(text, task.symbols, latex=latex).tree
        for edit in edits(text, tree, task.symbols, latex=latex)[:most]:
            value = _value(edit.text, task, latex=latex)
            if value is None:
                continue  # a change that cannot be read is noticed at once
            found = judge(before, value, task.symbols, budget)
            if found.status == "refuted":
                refuted += 1
            elif found.status == "proved":
                valid += 1
            else:
                unnoticed.append(Mutant(number, edit.kind, edit.text, found.status))
    return MutantScore(task.name, refuted, valid, tuple(unnoticed))


def _value(text: str, task: Exercise, *, latex: bool) -> Any:
    from convex_analyzer.parsing.expressions import read_expression

    try:
        return read_expression(text, task.symbols, latex=latex).value
    except InputError:
        return None
