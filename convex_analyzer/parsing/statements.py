"""`Statement`: one claim of a derivation, with its place in the student's own text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from convex_analyzer.errors import ParseError

__all__ = ["Statement", "Unreadable", "equal_signs"]

_BRACKET = re.compile(r"[({\[]|[)}\]]|(?<![<>=!:])=(?![=>])")


def equal_signs(text: str) -> tuple[int, ...]:
    r"""Return where = joins two sides: not within brackets, as in the bounds of a sum.

    Examples
    --------
    >>> equal_signs(r"\sum_{i=0}^{k} u^i = v"), equal_signs("x <= 2"), equal_signs("x = y = 2")
    ((19,), (), (2, 6))
    """
    depth = 0
    found: list[int] = []
    for match in _BRACKET.finditer(text):
        if match[0] != "=":
            depth += 1 if match[0] in "({[" else -1
        elif depth == 0:
            found.append(match.start())
    return tuple(found)


@dataclass(frozen=True)
class Statement:
    """One claim.

    Attributes
    ----------
    number
        Counted from 1 through the derivation.
    line
        Line of the text, from 1; several statements of a chain share one.
    column
        Where it begins in that line, from 0.
    text
        As written, without remarks and the marks of an align block; on one line.
    value
        A SymPy expression or relation, as written: nothing is simplified. A product of shape
        (1, 1) stays a matrix expression where it stands alone, and is a Trace among scalars.
    relation
        How it follows from what stands before: ``=``, ``<``, ``<=``, ``>``, ``>=`` continue a
        chain (the claim is then: `left` relation `value`); ``=>``, ``<=>`` and ``<==`` (follows
        from) join two claims; None: the text does not say.
    left
        The left side of `relation` in a chain, else None.
    reason
        What the text gives as the reason.
    notes
        How something was read that could surprise: ``f(x) is read as the product f*x``.
    latex
        Whether it was read as LaTeX: in a pasted block also what has no backslash, where xy is a
        product.
    """

    number: int
    line: int
    column: int
    text: str
    value: Any
    relation: str | None = None
    left: Any = None
    reason: str = ""
    notes: tuple[str, ...] = field(default=(), compare=False)
    latex: bool = field(default=False, compare=False)

    @property
    def is_readable(self) -> bool:
        """Whether it has a value."""
        return True


@dataclass(frozen=True)
class Unreadable(Statement):
    """A statement that cannot be read: `value` is None.

    Attributes
    ----------
    error
        Why, with the column in the line as the student wrote it.
    """

    error: ParseError | None = None

    @property
    def is_readable(self) -> bool:
        """Whether it has a value."""
        return False
