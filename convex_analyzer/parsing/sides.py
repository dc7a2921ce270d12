r"""``LHS = ...`` and ``... = RHS``: the sides of the claim that stands above."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convex_analyzer.parsing.statements import Statement
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["Sides", "claimed", "names_side", "no_side", "sides_of"]

_NAME = (
    r"(?:\\(?:text|mbox|mathrm|textrm|operatorname)\s*\{\s*)?(?:the\s+)?"
    r"(?:([LRlr])\.?[ ]?[Hh]\.?[ ]?[Ss]\b\.?|([Ll]eft|[Rr]ight)[- ]hand[- ][Ss]ide)(?:\s*\})?"
)
_FIRST = re.compile(rf"\s*{_NAME}\s*(?:(?=&?\s*=)|:\s*(?!=))")
_LAST = re.compile(rf"(?<![<>=])=\s*&?\s*{_NAME}[\s.,;]*$")


@dataclass(frozen=True)
class Sides:
    """Which side of a claim a row begins or ends with.

    Attributes
    ----------
    first, last
        "lhs", "rhs", or "" for neither.
    start, end
        What is left of the row, from its relation on.
    name
        Where the last side is named.
    """

    first: str
    last: str
    start: int
    end: int
    name: int


def sides_of(text: str, symbols: Symbols) -> Sides:
    r"""Return which sides a row begins and ends with, and where the rest of it stands.

    Examples
    --------
    >>> sides_of("LHS = a + b", Symbols()), sides_of(r"\text{R.H.S.} = 2a", Symbols()).first
    (Sides(first='lhs', last='', start=4, end=11, name=11), 'rhs')
    >>> sides_of("= b + a = RHS", Symbols()).last, sides_of("a + b", Symbols()).first
    ('rhs', '')
    """
    if "LHS" in symbols or all(letter in symbols for letter in "LHS"):
        return Sides("", "", 0, len(text), len(text))
    first = _FIRST.match(text)
    start = first.end() if first else 0
    last = _LAST.search(text, start)
    end = last.start() if last else len(text)
    name = end + len(text[end:]) - len(text[end:].lstrip("=& ")) if last else end
    return Sides(_which(first), _which(last), start, end, name)


def claimed(statements: Sequence[Statement]) -> dict[str, Any]:
    """Return both sides of the equation that the first line claims; empty: it claims none."""
    first = statements[0] if statements else None
    if first is not None and len(statements) == 1 and getattr(first.value, "rel_op", "") == "==":
        return {"lhs": first.value.lhs, "rhs": first.value.rhs}
    if len(statements) == 2 and statements[1].relation == "=" and statements[1].left is not None:
        return {"lhs": statements[1].left, "rhs": statements[1].value}
    return {}


def no_side(name: str, at: int) -> tuple[str, int, str]:
    """Return message, place and hint where a side of no claim is named."""
    message = f"no equation stands on the first line of which this is the {name.upper()}"
    return message, at, "write what is claimed on the first line"


def names_side(words: str) -> bool:
    """Return whether words are the name of a side.

    Examples
    --------
    >>> names_side("RHS"), names_side("left-hand side"), names_side("the last")
    (True, True, False)
    """
    return bool(re.fullmatch(_NAME, words.strip(" ,.:;")))


def _which(found: re.Match[str] | None) -> str:
    return "" if found is None else f"{(found[1] or found[2])[0].lower()}hs"
