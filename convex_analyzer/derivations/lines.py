"""`Derivation`: numbered lines, each with a reason and the check that it passed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from convex_analyzer.parsing.names import LETTERS
from convex_analyzer.results import Result
from convex_analyzer.sheets import Sheet
from convex_analyzer.tables import Table

__all__ = ["Derivation", "Line"]


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes
    ----------
    title
        What the line states, in a few words.
    statement
        SymPy relation or expression.
    reason
        Why it follows from the lines above.
    check
        What the machine did to check it.
    verdict
        ``given``: a definition; ``proved``; ``refuted``, with a counterexample in `check`;
        ``plausible``: it held wherever it was tried; ``undecided``.
    """

    title: str
    statement: Any
    reason: str
    check: str
    verdict: str

    @property
    def text(self) -> str:
        """The statement as plain text, on one line."""
        return re.sub(r"\s+", " ", str(self.statement)).replace("[ ", "[")

    @property
    def formula(self) -> str:
        """The statement as it is written in a sentence: α·λ < 2·μ + 2.

        Examples
        --------
        >>> import sympy
        >>> a, x = sympy.symbols("alpha x")
        >>> Line("", sympy.Eq(x, 2 * a**2), "", "", "given").formula
        'x = 2·α^2'
        """
        import sympy

        parts = [self.statement]
        if isinstance(self.statement, sympy.And):
            parts = list(self.statement.args)
        return " and ".join(map(_written, parts))

    @property
    def latex(self) -> str:
        """The statement as LaTeX."""
        import sympy

        return str(sympy.latex(self.statement))

    def to_dict(self) -> dict[str, str]:
        """Return plain data."""
        return {
            "title": self.title,
            "statement": self.text,
            "latex": self.latex,
            "reason": self.reason,
            "check": self.check,
            "verdict": self.verdict,
        }


def _written(statement: Any) -> str:
    import sympy

    if isinstance(statement, sympy.Equality):
        return f"{_written(statement.lhs)} = {_written(statement.rhs)}"
    text = re.sub(r"\s+", " ", str(statement)).replace("[ ", "[").replace("Matrix", "")
    text = re.sub(r"[A-Za-z]+", lambda found: LETTERS.get(found[0], found[0]), text)
    return text.replace("**", "^").replace("*", "·")


@dataclass(frozen=True, eq=False, repr=False)
class Derivation(Result):
    """A derivation, made by `convex_analyzer.derivations.derive.derive`.

    Attributes
    ----------
    title
        What is derived.
    lines
        The lines.
    stopped
        Where it ends short of what was asked, and why; empty if it does not.
    """

    schema: ClassVar[str] = "convex_analyzer.derivation/1"

    title: str
    lines: tuple[Line, ...] = field(default=())
    stopped: str = ""

    @property
    def proved(self) -> bool:
        """Whether every line passed its check; definitions have none."""
        return all(line.verdict in {"proved", "given"} for line in self.lines)

    def summary(self) -> Table:
        """Return the lines as a table."""
        rows = tuple(
            (f"{i}", line.title, line.text, line.verdict, line.check)
            for i, line in enumerate(self.lines, 1)
        )
        notes = (self.stopped,) if self.stopped else ()
        return Table(("", "line", "statement", "verdict", "check"), rows, self.title, notes, left=5)

    def sheet(self) -> Sheet:
        """Return the lines as ``print`` shows them; `summary` and JSON have the checks too."""
        rows = tuple(
            (f"{i}", line.title, line.formula, line.verdict) for i, line in enumerate(self.lines, 1)
        )
        done = "Every line passed its check." if self.proved else "Not every line is proved."
        return Sheet(
            ("", "line", "statement", "verdict"), rows, "", (), 4,
            "derivation", self.title, self.stopped or done,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": self.schema,
            "title": self.title,
            "lines": [line.to_dict() for line in self.lines],
            "stopped": self.stopped,
        }
