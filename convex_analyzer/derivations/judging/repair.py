"""`repair`: the smallest edit of a student's own text that is proved to be right."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from convex_analyzer.derivations.judging.clock import Clock, spend
from convex_analyzer.derivations.judging.edits import Edit, edits
from convex_analyzer.derivations.judging.evaluation import Point, compiled, is_boolean
from convex_analyzer.derivations.judging.judge import judge
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.recurrences import fails_at, recurrence_of
from convex_analyzer.derivations.judging.solutions import border_points
from convex_analyzer.derivations.judging.values import Undefined, agree
from convex_analyzer.errors import InputError
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["Repair", "repair"]

_SIEVE_POINTS = 12
_BORDER_POINTS = 24
_MOST_PROOFS = 25


@dataclass(frozen=True)
class Repair:
    """A proved edit.

    Attributes
    ----------
    text
        The student's line, changed in one place.
    column
        Where, from 0, in the text of the line.
    kind
        What was wrong there: "sign", "factor lost" ...
    reason
        How the changed line was proved.
    """

    text: str
    column: int
    kind: str
    reason: str


@functools.lru_cache(maxsize=1024)
def repair(
    text: str,
    before: Any,
    symbols: Symbols,
    budget: float = 2.0,
    direction: str = "<=>",
    value: Any = None,
) -> Repair | None:
    """Return the smallest edit of a wrong line that is proved to follow, or None.

    Parameters
    ----------
    text
        The line, as the student wrote it, plain text or LaTeX.
    before
        The line above it, as a SymPy object.
    symbols
        What is declared.
    budget
        Seconds.
    direction
        As in `convex_analyzer.derivations.judging.judge.judge`.
    value
        The line as it was read, which tells LaTeX without a backslash from plain text.

    Examples
    --------
    >>> symbols = Symbols.of({"u": "unit interval", "k": "natural", "i": "natural"})
    >>> from convex_analyzer.parsing.expressions import read_expression
    >>> above = read_expression("Sum(u**i, (i, 0, k))", symbols).value
    >>> repair("(1 - u**k)/(1 - u)", above, symbols).text
    '(1 - u**(k + 1))/(1 - u)'
    """
    from convex_analyzer.parsing.expressions import read_expression

    clock = Clock(budget)
    found = _read(text, symbols, value)
    if found is None:
        return None
    written, latex = found
    sieve = _Sieve(before, symbols, written.value)
    proofs = 0
    candidates = edits(text, written.tree, symbols, latex=latex)
    spend(50 * len(candidates))
    for edit in candidates:
        if clock.left < 0.05 or proofs >= _MOST_PROOFS:
            return None
        spend(400 + 18 * len(edit.text))
        try:
            value = read_expression(edit.text, symbols, latex=latex).value
        except InputError:
            continue
        if not sieve.lets_through(value):
            continue
        proofs += 1
        verdict = judge(before, value, symbols, min(0.6, clock.left), direction)
        if verdict.status == "proved" and not _trivial(value):
            return _repair(edit, verdict.reason)
    return None


def _read(text: str, symbols: Symbols, value: Any) -> tuple[Any, bool] | None:
    """Return a line as read, and whether as LaTeX; None: it cannot be read."""
    from convex_analyzer.parsing.expressions import is_latex, read_expression

    for latex in (is_latex(text), True):
        try:
            written = read_expression(text, symbols, latex=latex)
        except InputError:
            continue
        if value is None or written.value == value:
            return written, latex
    return None


def _repair(edit: Edit, reason: str) -> Repair:
    return Repair(edit.text, edit.column, edit.kind, reason)


def _trivial(value: Any) -> bool:
    """Whether a statement is one that always or never holds."""
    import sympy

    return value in (sympy.true, sympy.false)


class _Sieve:
    """A few points that nearly every wrong edit fails at."""

    def __init__(self, before: Any, symbols: Symbols, wrong: Any) -> None:
        self.states = is_boolean(before)
        self.points: list[tuple[Point, Any]] = []
        self.before = before
        self.solves = self.states and recurrence_of(before, wrong) is not None
        self.sampler = sampler = Sampler(symbols, [*_scalars_of(symbols), before, wrong])
        function = compiled(before)
        for point in _points(sampler, [before, wrong] if self.states else []):
            try:
                self.points.append((point, function(point)))
            except Undefined:
                continue

    def lets_through(self, value: Any) -> bool:
        """Whether a line has the right value at all points; the one that fails moves first."""
        if is_boolean(value) != self.states:
            return False
        if self.solves:  # points hold no solution: the recurrence is run
            claim = recurrence_of(self.before, value)
            return claim is not None and fails_at(claim, self.sampler) is None
        try:
            function = compiled(value)
        except Undefined:
            return False
        for k, (point, wanted) in enumerate(self.points):
            try:
                found = function(point)
            except Undefined:
                continue
            if (bool(found) != bool(wanted)) if self.states else not agree(found, wanted):
                self.points.insert(0, self.points.pop(k))
                return False
        return True


def _points(sampler: Sampler, statements: list[Any]) -> Iterator[Point]:
    """Yield points of all kinds; of statements also on the borders."""
    if statements:
        borders = border_points(statements, sampler, Clock(0.3))
        yield from itertools.islice(borders, _BORDER_POINTS)
        yield from sampler.points(2 * _SIEVE_POINTS)
    else:
        yield from sampler.points(_SIEVE_POINTS)


def _scalars_of(symbols: Symbols) -> list[Any]:
    return [d.object for d in symbols if not d.is_function and d.kind != "identity matrix"]
