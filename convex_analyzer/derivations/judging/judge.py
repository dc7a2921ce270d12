"""`judge`: whether this line follows from that one."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from convex_analyzer.derivations.judging.clock import Clock, OutOfTime, spend, spent
from convex_analyzer.derivations.judging.evaluation import is_boolean
from convex_analyzer.derivations.judging.judgement import Judgement, exhibit
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.prove import prove_statements, prove_values
from convex_analyzer.derivations.judging.recurrences import fails_at, recurrence_of
from convex_analyzer.derivations.judging.refute import Trial, try_statements, try_values
from convex_analyzer.derivations.judging.values import Undefined
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["DIRECTIONS", "judge"]

#: How a line may be joined to the one above it: which way a claim is to follow.
DIRECTIONS = {"=>": "=>", "<==": "<=", "<=": "<=", "<=>": "<=>", None: "<=>", "=": "<=>"}
_READING = 60  # units of work for each part of a line


def judge(
    before: Any, after: Any, symbols: Symbols, budget: float = 2.0, direction: str = "<=>"
) -> Judgement:
    """Judge whether a line follows from the one above it.

    Parameters
    ----------
    before, after
        SymPy expressions (are they equal?) or statements (do they hold at the same points?).
    symbols
        What is declared, with all constraints.
    budget
        Seconds; asked between the steps of the work.
    direction
        Of statements: ``<=>``, or ``=>`` where the second need only follow from the first, or
        ``<=`` where the first need only follow from the second.

    Returns
    -------
    Judgement
        Refuted with a counterexample, proved with how, plausible or undecided.

    Examples
    --------
    >>> symbols = Symbols.of({"a, l": "positive", "k": "natural"})
    >>> a, l, k = symbols["a"], symbols["l"], symbols["k"]
    >>> judge((1 - a*l)*(1 - a*l)**k, (1 - a*l)**(k + 1), symbols).status
    'proved'
    >>> print(judge(abs(1 - a*l) < 1, a < 1/l, symbols).counterexample)
    At a = 1, l = 1: the line above gives true, this line gives false.
    """
    begun = spent()
    found, work = _cached(_fixed(before), _fixed(after), symbols, budget, direction)
    spend(begun + work - spent())  # as much when it is remembered
    return found


def _fixed(line: Any) -> Any:
    """Return a line that has a hash: a matrix that cannot be changed."""
    return line.as_immutable() if hasattr(line, "as_immutable") else line


@functools.lru_cache(maxsize=2048)
def _cached(
    before: Any, after: Any, symbols: Symbols, budget: float, direction: str
) -> tuple[Judgement, int]:
    begun = spent()
    spend(_READING * sum(1 for line in (before, after) for _ in _parts(line)))
    return _work(before, after, symbols, budget, direction), spent() - begun


def _parts(line: Any) -> Iterable[Any]:
    from sympy import preorder_traversal

    return () if isinstance(line, bool) else preorder_traversal(line)


def _work(before: Any, after: Any, symbols: Symbols, budget: float, direction: str) -> Judgement:
    clock = Clock(budget)
    states, follows = is_boolean(before), is_boolean(after)
    if states != follows:
        what = "a statement follows a value" if follows else "a value follows a statement"
        return Judgement("undecided", f"{what}: the two cannot be compared")
    shapes = [getattr(line, "shape", ()) for line in (before, after)]
    if not states and shapes[0] != shapes[1] and 0 not in (before, after):
        plain = [s if s not in ((), (1, 1)) else () for s in shapes]
        if plain[0] != plain[1]:
            return Judgement("refuted", f"shapes differ: {_shape(plain[0])} and {_shape(plain[1])}")
    sampler = Sampler(symbols, [before, after])
    share = clock.share(0.5 * budget)
    try:
        if states:
            trial = _try_statements(before, after, sampler, share, direction)
        else:
            trial = try_values(before, after, sampler, share)
    except (Undefined, OutOfTime) as error:
        trial = Trial(None, 0, 0)
        problem = str(error)
    else:
        problem = ""
    if trial.point is not None:
        shown = exhibit(trial.point, before, after, symbols)
        return Judgement("refuted", trial.reason, shown, trial.points)
    prove = prove_statements if states else prove_values
    real = states or trial.telling > 0  # the normal form knows real numbers only
    if before == after:
        found: str | None = "the same as the line above"
    else:
        found = None if not real else prove(before, after, sampler, clock, direction)
    found = _with_hole(found, trial, (before, after), symbols)
    return _verdict(found, trial, states, sampler, problem)


def _try_statements(
    before: Any, after: Any, sampler: Sampler, clock: Clock, direction: str
) -> Trial:
    """Run a recurrence against its claimed solution, or try two statements at points."""
    claim = recurrence_of(before, after)
    if claim is None or direction == "<=":
        return try_statements(before, after, sampler, clock, direction=direction)
    failed = fails_at(claim, sampler)
    return Trial(failed[0] if failed else None, failed[1] if failed else 12, 1)


def _with_hole(
    found: str | None, trial: Trial, lines: tuple[Any, Any], symbols: Symbols
) -> str | None:
    """Return how a line was proved, and where only one of the two has a value."""
    if found is None or trial.hole is None:
        return found
    where = exhibit(trial.hole, *lines, symbols).point
    shown = ", ".join(f"{x} = {v}" for x, v in where)
    return f"{found}, where both are defined: not at {shown}"


def _verdict(
    found: str | None, trial: Trial, states: bool, sampler: Sampler, problem: str
) -> Judgement:
    if trial.points == 0:
        why = problem or "no point satisfies all assumptions and gives both lines a value"
        return Judgement("undecided", why)
    if found is not None and found.startswith("for n = 2"):
        return Judgement("plausible", found, None, trial.points)
    if found is not None:
        return Judgement("proved", found, None, trial.points)
    if states and trial.telling == 0:
        why = "neither line holds at any of the points that were tried"
        return Judgement("undecided", why, None, trial.points)
    what = "same truth value" if states else "agrees"
    orders = ", for n = 2, 3" if sampler.has_order else ""
    return Judgement(
        "plausible", f"{what} at {trial.points} exact points{orders}", None, trial.points
    )


def _shape(shape: tuple[Any, ...]) -> str:
    return " × ".join(map(str, shape)) if shape else "a number"
