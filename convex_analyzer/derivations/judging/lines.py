"""`check_lines`: each line against the one above; one slip costs one mark."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from convex_analyzer.derivations.judging.evaluation import is_boolean
from convex_analyzer.derivations.judging.judge import DIRECTIONS, judge
from convex_analyzer.derivations.judging.judgement import Counterexample, Judgement
from convex_analyzer.derivations.judging.refute import DIVISIONS
from convex_analyzer.derivations.judging.repair import Repair, repair
from convex_analyzer.derivations.judging.slips import name_slip
from convex_analyzer.errors import InputError
from convex_analyzer.parsing.statements import Statement
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.results import Result
from convex_analyzer.tables import Table

__all__ = ["LINE_STATUSES", "CheckedDerivation", "CheckedLine", "check_lines"]

#: Of a line: those of a judgement, and what only a line can be.
LINE_STATUSES = (
    "given",
    "proved",
    "plausible",
    "refuted",
    "recovers",
    "undecided",
    "unreadable",
)
_CHAIN = {"<", "<=", ">", ">=", "!="}


@dataclass(frozen=True)
class CheckedLine:
    """One line of a person's derivation, judged.

    Attributes
    ----------
    number
        From 1 through the derivation.
    line, column
        Where it stands in the text: line from 1, column from 0.
    text
        As written.
    status
        ``given`` (the first line), ``proved``, ``plausible`` (held at every point tried),
        ``refuted``, ``recovers`` (wrong after a wrong line, but equal to the last right one),
        ``undecided`` or ``unreadable``.
    reason
        How it was proved, or why not.
    against
        Number of the line that it was judged against; None: none.
    counterexample
        Of a line that is refuted.
    points
        How many exact points were tried.
    """

    number: int
    line: int
    column: int
    text: str
    status: str
    reason: str
    against: int | None = None
    counterexample: Counterexample | None = None
    points: int = 0
    _work: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    @functools.cached_property
    def repair(self) -> Repair | None:
        """The smallest proved edit of the line, if it is refuted and one is found."""
        if self.status != "refuted" or not self._work:
            return None
        before, value, symbols, direction, _ = self._work
        return repair(self.text, before, symbols, 2.0, direction, value)

    @functools.cached_property
    def slip(self) -> tuple[str, str] | None:
        """Kind of the slip and a sentence about it, of a line that is refuted."""
        if self.status != "refuted":
            return None
        if not self._work or self.counterexample is None:
            return "shapes", self.reason
        before, value, symbols, _, known = self._work
        kind, sentence = name_slip(before, value, symbols, self.repair, known)
        if kind != "known" and self.reason in DIVISIONS:
            return "divided by zero", self.reason
        return kind, sentence

    def hint(self, level: int = 1) -> str:
        """Return a hint; each level says more.

        Parameters
        ----------
        level
            1 where, 2 a counterexample, 3 what kind of slip, 4 the repair.

        Raises
        ------
        InputError
            There is no such level.
        """
        if level not in (1, 2, 3, 4):
            raise InputError(
                f"hint: level must be 1, 2, 3 or 4, got {level!r}", argument="level", value=level
            )
        if self.status == "unreadable":
            return f"Line {self.number} cannot be read: {self.reason}."
        if self.status != "refuted":
            return f"Line {self.number} needs no hint: it is {self.status}."
        above = f"line {self.against}" if self.against else "what is given"
        parts = [f"Line {self.number} does not follow from {above}."]
        if level >= 2:
            shown = self.counterexample
            here = f"line {self.number}"
            parts.append(shown.sentence(above, here) if shown else f"{self.reason}.".capitalize())
        if level >= 3 and self.slip is not None:
            parts.append(f"The slip: {self.slip[1]}.")
        if level >= 4:
            parts.append(self._repaired())
        return " ".join(parts)

    def _repaired(self) -> str:
        if self.repair is None:
            return "No single edit makes it right: derive the line once more."
        column = self.column + self.repair.column + 1
        return f"Column {column}: {self.repair.text} would follow."

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        shown = self.counterexample
        return {
            "number": self.number,
            "line": self.line,
            "column": self.column,
            "text": self.text,
            "status": self.status,
            "reason": self.reason,
            "against": self.against,
            "points": self.points,
            "counterexample": None
            if shown is None
            else {"point": dict(shown.point), "before": shown.before, "after": shown.after},
        }


@dataclass(frozen=True, eq=False, repr=False)
class CheckedDerivation(Result):
    """A person's derivation, judged line by line.

    Attributes
    ----------
    lines
        In order.
    undeclared
        Where no name is declared: the declarations that the text needs, to paste; else empty.
    """

    schema: ClassVar[str] = "convex_analyzer.checked_derivation/1"

    lines: tuple[CheckedLine, ...]
    undeclared: str = ""

    @property
    def first_wrong(self) -> int | None:
        """Number of the first line that is refuted or cannot be read."""
        wrong = (x.number for x in self.lines if x.status in ("refuted", "unreadable"))
        return next(wrong, None)

    @property
    def score(self) -> float:
        """Share of the judged lines without a slip, from 0 to 1.

        A line that is refuted or unreadable costs one mark, what follows from it costs nothing
        more. Lines that are undecided count neither way; plausible ones count as right.
        """
        judged = [x for x in self.lines if x.status not in ("given", "undecided")]
        wrong = sum(x.status in ("refuted", "unreadable") for x in judged)
        if not judged:
            return 0.0 if not self.lines or len(self.lines) > 1 else 1.0
        return 1 - wrong / len(judged)

    @property
    def flagged(self) -> tuple[int, ...]:
        """Numbers of the lines that a person should look at: plausible or undecided."""
        return tuple(x.number for x in self.lines if x.status in ("plausible", "undecided"))

    def summary(self) -> Table:
        """Return the lines as a table."""
        rows = tuple((f"{x.number}", x.text, x.status, x.reason) for x in self.lines)
        notes = tuple(x.hint(2) for x in self.lines if x.status == "refuted")
        if self.undeclared:
            said = f'Declare the names: symbols="{self.undeclared}", or as the first line symbols: '
            notes = (*notes, f"{said}{self.undeclared}")
        return Table(("", "line", "status", "reason"), rows, "", notes, left=4)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": self.schema,
            "lines": [line.to_dict() for line in self.lines],
            "first_wrong": self.first_wrong,
            "score": self.score,
        }


def check_lines(
    statements: Iterable[Statement],
    symbols: Symbols,
    *,
    given: Any = None,
    budget: float = 2.0,
    known: Sequence[tuple[Any, str]] = (),
) -> CheckedDerivation:
    """Judge every line against the one above it.

    After a wrong line the student's own line is carried forward, so that what follows is judged on
    its own merits; a line that does not follow from a wrong one, but from the last right one,
    recovers.

    Parameters
    ----------
    statements
        As read, in order.
    symbols
        What is declared.
    given
        What the first line must follow from, as a SymPy object; None: the first line is given.
    budget
        Seconds for one line.
    known
        Pairs of a wrong line (a SymPy object) and the name of that slip.

    Examples
    --------
    >>> from convex_analyzer.parsing.expressions import read_expression
    >>> symbols = Symbols.of({"x, y": "real"})
    >>> texts = ["(x - y)**2", "x**2 + 2*x*y + y**2", "(x + y)**2", "x**2 - 2*x*y + y**2"]
    >>> lines = [
    ...     Statement(i, i, 0, text, read_expression(text, symbols).value)
    ...     for i, text in enumerate(texts, 1)
    ... ]
    >>> checked = check_lines(lines, symbols)
    >>> [line.status for line in checked.lines]
    ['given', 'refuted', 'proved', 'recovers']
    >>> checked.first_wrong, checked.lines[1].repair.text
    (2, 'x**2 - 2*x*y + y**2')
    """
    checker = _Checker(symbols, given, budget, known)
    return CheckedDerivation(tuple(checker.check(statement) for statement in statements))


class _Checker:
    """Remembers the line above, and the last right one."""

    def __init__(
        self, symbols: Symbols, given: Any, budget: float, known: Sequence[tuple[Any, str]]
    ) -> None:
        self.symbols, self.budget, self.known = symbols, budget, tuple(known)
        self.above: tuple[Any, int | None] | None = None if given is None else (given, None)
        self.right: tuple[Any, int | None] | None = self.above
        # the last line that was decided, of those that state something and of those that do not
        self.decided: dict[bool, tuple[Any, int | None]] = {}
        if given is not None:
            self.decided[is_boolean(given)] = (given, None)
        self.wrong = False

    def check(self, statement: Statement) -> CheckedLine:
        """Judge one line."""
        if not statement.is_readable or statement.value is None:
            error = getattr(statement, "error", None)
            return self.line(statement, "unreadable", str(error or "it cannot be read"))
        if self.above is None:
            self.above = self.right = (statement.value, statement.number)
            self.decided[is_boolean(statement.value)] = self.above
            if statement.left is None:
                return self.line(statement, "given", "the first line")
        if statement.left is not None and statement.relation in _CHAIN:
            return self.bound(statement)
        before = statement.left if statement.left is not None else self.above[0]
        direction = DIRECTIONS.get(statement.relation, "<=>")
        verdict = judge(before, statement.value, self.symbols, self.budget, direction)
        if verdict.status == "undecided" and statement.left is None:
            before, verdict = self.further_up(statement, before, verdict, direction)
        return self.settled(statement, before, verdict, direction)

    def further_up(
        self, statement: Statement, before: Any, verdict: Judgement, direction: str
    ) -> tuple[Any, Judgement]:
        """Judge a line that cannot be held against the one above against the last of its kind."""
        known = self.decided.get(is_boolean(statement.value))
        if known is None or known == self.above:
            return self.by_itself(statement, before, verdict)
        other = judge(known[0], statement.value, self.symbols, self.budget, direction)
        if other.status == "undecided":
            return before, verdict
        self.above = known
        return known[0], other

    def by_itself(
        self, statement: Statement, before: Any, verdict: Judgement
    ) -> tuple[Any, Judgement]:
        """Accept below a value the equation of that value with another form of it.

        Any other statement stays undecided: one that is true and says nothing of the value (m > 0)
        is no step, and one that sets the value to something is a condition.
        """
        import sympy

        if not isinstance(statement.value, sympy.Eq) or is_boolean(before):
            return before, verdict
        forms = [judge(before, side, self.symbols, self.budget) for side in statement.value.args]
        same = all(found.status == "proved" for found in forms)
        return (before, forms[-1]) if same else (before, verdict)

    def bound(self, statement: Statement) -> CheckedLine:
        """Judge a link of a chain that is an inequality: it must hold wherever it is defined."""
        import sympy

        kinds = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "!=": sympy.Ne}
        claim = kinds[str(statement.relation)](statement.left, statement.value, evaluate=False)
        verdict = judge(sympy.true, claim, self.symbols, self.budget, "<=>")
        return self.settled(statement, sympy.true, verdict, "<=>", text_is_whole=False)

    def settled(
        self,
        statement: Statement,
        before: Any,
        verdict: Judgement,
        direction: str,
        *,
        text_is_whole: bool = True,
    ) -> CheckedLine:
        """Return the line, and remember what the next one is judged against."""
        against = self.above[1] if self.above else None
        status, reason = verdict.status, verdict.reason
        above = self.above[0] if self.above else None
        follows = statement.left is None or (statement.relation == "=" and statement.left == above)
        recovered = False
        if status == "refuted" and self.wrong and self.right is not None and follows:
            other = judge(self.right[0], statement.value, self.symbols, self.budget, direction)
            if other.status in ("proved", "plausible"):
                status = "recovers" if other.status == "proved" else "plausible"
                verdict, against, recovered = other, self.right[1], True
                where = f"line {against}" if against else "what is given"
                reason = f"follows from {where}: {other.reason}"
        here: tuple[Any, int | None] = (statement.value, statement.number)
        self.above = here
        if status == "refuted":
            self.wrong = True
        if recovered or not (self.wrong or status == "undecided"):
            self.right, self.wrong = here, False
        if status != "undecided":
            self.decided[is_boolean(statement.value)] = here
        work = (before, statement.value, self.symbols, direction, self.known)
        return CheckedLine(
            statement.number,
            statement.line,
            statement.column,
            statement.text,
            status,
            reason,
            against,
            verdict.counterexample if status == "refuted" else None,
            verdict.points,
            work if text_is_whole else (),
        )

    def line(self, statement: Statement, status: str, reason: str) -> CheckedLine:
        """Return a line that was not judged."""
        return CheckedLine(
            statement.number, statement.line, statement.column, statement.text, status, reason
        )
