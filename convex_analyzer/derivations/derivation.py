"""`Derivation` and `check_derivation`: a person's derivation, judged line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from convex_analyzer.derivations.exercises import Exercise, exercise
from convex_analyzer.derivations.judging.lines import CheckedDerivation, check_lines
from convex_analyzer.errors import InputError
from convex_analyzer.parsing.declaring import to_paste
from convex_analyzer.parsing.derivation_text import read_derivation
from convex_analyzer.parsing.statements import Statement, equal_signs
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["Derivation", "check_derivation", "judged", "symbols"]

_BUDGET = 2.0  # seconds for one line


def symbols(declared: Any = None, /, **kinds: str) -> Symbols:
    """Return declared symbols.

    Parameters
    ----------
    declared
        Text such as ``"a, l > 0; k natural"``, a table of kinds by name, or what was declared
        before; None: nothing.
    **kinds
        Further names with their kinds.

    Raises
    ------
    InputError
        An unknown kind, or one name twice.

    Examples
    --------
    >>> symbols("a, l > 0; k natural", mu="unit interval").names
    ('a', 'l', 'k', 'mu')
    """
    found = _symbols(declared)
    return found.declare(kinds) if kinds else found


def _symbols(declared: Any) -> Symbols:
    """Return declared symbols from text, a table of kinds, or what was declared before."""
    if declared is None:
        return Symbols()
    if isinstance(declared, Symbols):
        return declared
    if isinstance(declared, str):
        return Symbols().parse(declared)
    if isinstance(declared, Mapping):
        return Symbols.of(declared)
    raise InputError(
        f"symbols must be text or a table, got {type(declared).__name__}",
        argument="symbols",
        hint='for instance "a, l > 0; k natural", or {"a, l": "positive", "k": "natural"}',
    )


class Derivation:
    r"""A derivation, written line by line.

    Parameters
    ----------
    title
        What is to be shown.
    given
        The first line; None when the first `step` is it.
    over
        What the names stand for: ``"A symmetric, α > 0, k natural"``, or a table of kinds.
    notation
        The source whose letters are used, such as ``lecture004``; empty for our own.

    Examples
    --------
    >>> d = Derivation("one step of gradient descent", given="x - a*l*x", over="a, l > 0; x real")
    >>> _ = d.step("(1 - a*l)*x", why="factor")
    >>> _ = d.step(r"x(1 + \alpha\lambda)", why="reorder")
    >>> [line.status for line in d.check().lines]
    ['given', 'proved', 'unreadable']
    """

    def __init__(
        self, title: str = "", *, given: Any = None, over: Any = None, notation: str = ""
    ) -> None:
        self.title = title
        symbols = _symbols(over)
        self.symbols = symbols.in_notation(notation) if notation else symbols
        self._lines: list[str] = []
        if given is not None:
            self.step(given)

    def step(self, line: Any, why: str = "") -> Derivation:
        """Add a line: text, LaTeX, or a SymPy object; returns the derivation itself."""
        text = line if isinstance(line, str) else str(line)
        if not text.strip() or "\n" in text.strip():
            raise InputError("a step is one line of text", argument="line", value=line)
        note = re.sub(r"\s+", " ", why).strip()
        self._lines.append(f"{text.strip()}  # {note}" if note else text.strip())
        return self

    @property
    def text(self) -> str:
        """All lines, with their reasons."""
        return "\n".join(self._lines)

    def check(self, budget: float = _BUDGET) -> CheckedDerivation:
        """Judge every line against the one above it, each within a time in seconds."""
        if not self._lines:
            raise InputError("there is no line to check", argument="given")
        return check_derivation(self.text, symbols=self.symbols, budget=budget)

    def __repr__(self) -> str:
        return f"Derivation({self.title!r}, {len(self._lines)} lines)"


def check_derivation(
    text: str | Iterable[str],
    *,
    symbols: Any = None,
    given: str | None = None,
    exercise_name: str | Exercise | None = None,
    notation: str = "",
    budget: float = _BUDGET,
) -> CheckedDerivation:
    r"""Judge a derivation: each line against the one above, refuted first, then proved.

    A line is ``proved``, ``refuted`` with small numbers at which the two lines differ,
    ``plausible`` (equal at every point tried, and not proved) or ``undecided``; a line equal to the
    last right one ``recovers``, and one that cannot be read is ``unreadable``.

    Parameters
    ----------
    text
        Lines of plain text or LaTeX, a pasted ``align`` block, or a list of lines. ``# why`` after
        a line is its reason; ``symbols: a, l > 0; k natural`` as the first line declares names.
    symbols
        What the names stand for, if the text does not say.
    given
        What the first line has to follow from; None: the first line is given.
    exercise_name
        An exercise, whose symbols, first line and named slips are used. The text may then declare
        nothing.
    notation
        The source whose letters are used, such as ``lecture004``.
    budget
        Seconds for one line.

    Raises
    ------
    InputError
        The text is empty or too long, or its header cannot be read.

    Examples
    --------
    >>> checked = check_derivation('''symbols: a, l > 0; x real
    ... x - a*l*x
    ... (1 + a*l)*x    # factor
    ... ''')
    >>> checked.first_wrong, str(checked.lines[1].counterexample)
    (2, 'At a = 1, l = 1, x = 1: the line above gives 0, this line gives 2.')
    >>> checked.lines[1].hint(level=4).split(': ')[-1]
    '(1 - a*l)*x would follow.'
    """
    return judged(text, symbols, given, exercise_name, notation, budget)[0]


def judged(
    text: str | Iterable[str],
    symbols: Any = None,
    given: str | None = None,
    exercise_name: str | Exercise | None = None,
    notation: str = "",
    budget: float = _BUDGET,
) -> tuple[CheckedDerivation, tuple[Statement, ...]]:
    """Return the judged lines and the statements that were read; see `check_derivation`."""
    task = exercise(exercise_name) if isinstance(exercise_name, str) else exercise_name
    declared = task.symbols if task is not None and symbols is None else _symbols(symbols)
    if notation:
        declared = declared.in_notation(notation)
    whole = text if isinstance(text, str) else "\n".join(text)
    found = read_derivation(whole, declared, headers=task is None)
    if not found.statements:
        raise InputError("there is no line to check", argument="text")
    start = None
    if given is not None:
        from convex_analyzer.parsing.expressions import read_expression

        start = read_expression(given, found.symbols).value
    elif task is not None:
        start = task.values[0]
    known = task.known_slips if task is not None else ()
    statements = _as_chains(found.statements, start)
    checked = check_lines(statements, found.symbols, given=start, budget=budget, known=known)
    if any("no names at all" in line.reason for line in checked.lines):
        checked = replace(checked, undeclared=to_paste(whole))
    return checked, statements


def _as_chains(statements: tuple[Statement, ...], start: Any) -> tuple[Statement, ...]:
    """Return statements, with a = b cut into a, = b where it is a chain and no equation to solve.

    It is one where quantities are derived: what is given is none that is true or false, or the
    equation stands alone.
    """
    from convex_analyzer.derivations.judging.evaluation import is_boolean

    quantities = start is not None and not is_boolean(start)
    if not quantities and not (start is None and len(statements) == 1):
        return statements
    parts = [part for each in statements for part in _cut(each)]
    return tuple(replace(part, number=number) for number, part in enumerate(parts, 1))


def _cut(statement: Statement) -> tuple[Statement, ...]:
    """Return the two sides of an equation that is written with a sign, else the statement."""
    import sympy

    signs = equal_signs(statement.text)
    if not isinstance(statement.value, sympy.Equality) or len(signs) != 1:
        return (statement,)
    if statement.left is not None or statement.relation not in (None, "="):
        return (statement,)
    before, after = statement.text[: signs[0]], statement.text[signs[0] + 1 :]
    left, right = statement.value.args
    column = statement.column + signs[0] + 1 + len(after) - len(after.lstrip(" &"))
    first = replace(statement, text=before.rstrip(" &"), value=left)
    last = {"text": after.lstrip(" &"), "value": right, "relation": "=", "left": left}
    return first, replace(statement, column=column, notes=(), **last)
