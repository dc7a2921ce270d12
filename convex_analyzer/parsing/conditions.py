"""Conditions behind a claim: ``x^2 > 0 for x != 0`` is judged only where x != 0 is declared."""

from __future__ import annotations

import re
from typing import Any

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["unused_condition", "unused_reason"]

_CONDITION = re.compile(r"\s*(?:if|for|when|provided|assuming|where)\b(?:\s+(?:all|that)\b)?")
_REASON = re.compile(r"\s*(?:since|because|as)\b")


def unused_condition(reason: str, symbols: Symbols, *, latex: bool) -> str:
    """Return the condition that a reason states and the symbols do not; empty: there is none.

    Examples
    --------
    >>> symbols = Symbols.of({"a": "positive", "x": "real"})
    >>> [unused_condition(s, symbols, latex=False) for s in ("for x != 0", "if a > 0", "for all x")]
    ['x != 0', '', '']
    """
    return _unknown(_CONDITION, reason, symbols, latex)


def unused_reason(reason: str, symbols: Symbols, *, latex: bool) -> str:
    """Return what ``since x > 0`` states and the symbols do not; empty: there is none."""
    return _unknown(_REASON, reason, symbols, latex)


def _unknown(pattern: re.Pattern[str], reason: str, symbols: Symbols, latex: bool) -> str:
    words = reason.split(";", maxsplit=1)[0]
    begins = pattern.match(words)
    if begins is None:
        return ""
    said = words[begins.end() :].strip(" ,.()")
    try:
        value = read_expression(said, symbols, latex=latex).value
    except ParseError:
        return ""
    return "" if _follows(value, symbols) else said


def _follows(value: Any, symbols: Symbols) -> bool:
    """Return whether a relation is declared, or follows from what is; so for a quantity."""
    import sympy

    if isinstance(value, sympy.And):
        return all(_follows(part, symbols) for part in value.args)
    claims = (sympy.core.relational.Relational, sympy.Or, sympy.Not)
    if not isinstance(value, claims):
        return True
    known = {*symbols.constraints, *(c.reversed for c in symbols.constraints)}
    return value in known or value.doit() == sympy.true
