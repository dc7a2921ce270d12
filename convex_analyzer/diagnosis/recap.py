"""`recap`: the nine rows of the lecture's last slide, each tested on the evidence at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.ranking import symptom_modules
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, join_words

__all__ = ["Recap", "recap"]


@dataclass(frozen=True, eq=False, repr=False)
class Recap(Result):
    """The filled table.

    Attributes
    ----------
    subject
        Which optimizer was diagnosed.
    rows
        Pairs of row and finding, in the lecture's order.
    """

    schema: ClassVar[str] = "convex_analyzer.recap/1"

    subject: str
    rows: tuple[tuple[Row, Finding], ...] = field(default=())

    @property
    def tested(self) -> tuple[tuple[Row, Finding], ...]:
        """Rows that this input can test."""
        return tuple(pair for pair in self.rows if pair[1].verdict != "not tested")

    @property
    def untested(self) -> tuple[tuple[Row, Finding], ...]:
        """Rows that it cannot."""
        return tuple(pair for pair in self.rows if pair[1].verdict == "not tested")

    @property
    def present(self) -> tuple[tuple[Row, Finding], ...]:
        """Rows whose problem is there."""
        return tuple(pair for pair in self.rows if pair[1].verdict == "present")

    def untested_sentence(self) -> str:
        """Return one line that folds the rows which this input cannot test."""
        if not self.untested:
            return ""
        parts = [f"{row.problem} (needs {finding.needs})" for row, finding in self.untested]
        return f"Not tested: {join_words(parts)}."

    def summary(self) -> Table:
        """Return the table; untested rows are folded into a note."""
        rows = tuple(
            (row.problem, row.diagnostic, found.evidence, found.verdict, _workaround(row, found))
            for row, found in self.tested
        )
        columns = ("problem", "diagnostic", "evidence here", "verdict", "workaround")
        notes = (self.untested_sentence(),) if self.untested else ()
        return Table(columns, rows, f"recap for {self.subject}", notes, left=5)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, all nine rows."""
        return {
            "schema": self.schema,
            "subject": self.subject,
            "rows": [
                {
                    "name": row.name,
                    "problem": row.problem,
                    "diagnostic": row.diagnostic,
                    "evidence": found.evidence,
                    "kind": found.kind,
                    "verdict": found.verdict,
                    "workaround": row.workaround,
                    "prediction": found.prediction,
                    "needs": found.needs,
                }
                for row, found in self.rows
            ],
        }


def _workaround(row: Row, found: Finding) -> str:
    return f"{row.workaround}: {found.prediction}" if found.prediction else row.workaround


def recap(comparison: Comparison, entry: Entry | None = None) -> Recap:
    """Fill the recap table of lecture 001 (slide 41) for one optimizer of a comparison.

    Parameters
    ----------
    comparison
        Theory and runs.
    entry
        The optimizer under diagnosis; the first one when left out.

    Examples
    --------
    >>> from convex_analyzer.comparison import compare
    >>> table = recap(compare([[1.0, 0.0], [0.0, 1000.0]]))
    >>> [row.name for row, finding in table.present]
    ['oscillation', 'ill_conditioning']
    """
    subject = entry or comparison.entries[0]
    prospect = Prospect(comparison, subject)
    rows = [module for module in symptom_modules() if module.ROW.lecture]
    pairs = tuple((module.ROW, module.test(prospect)) for module in rows)
    return Recap(str(subject.optimizer), pairs)
