"""`Derivation`: numbered lines, each with a reason and the check that it passed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

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
        """The statement as it is written in a sentence: α·λ < 2 + 2·μ.

        Examples
        --------
        >>> import sympy
        >>> a, A = sympy.Symbol("alpha"), sympy.MatrixSymbol("A", 2, 2)
        >>> Line("", sympy.Eq(A.T, sympy.Identity(2) - a * A), "", "", "given").formula
        'Aᵀ = I - α·A'
        """
        from convex_analyzer.parsing.latex_math import to_plain

        return to_plain(self.statement)

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
