"""What a row of the recap table is, and what testing it says."""

from __future__ import annotations

from dataclasses import dataclass

from convex_analyzer.notation import DIAGNOSIS_VERDICTS

__all__ = ["Finding", "Row"]


@dataclass(frozen=True)
class Finding:
    """The outcome of one row.

    Attributes
    ----------
    verdict
        ``present``, ``possible``, ``absent`` or ``not tested``.
    evidence
        A sentence with numbers.
    kind
        What sort of statement the evidence is: see `convex_analyzer.notation.KINDS`.
    prediction
        What the workaround would do here; empty where nothing can be predicted.
    needs
        For ``not tested``: what would be needed.
    """

    verdict: str
    evidence: str
    kind: str = "exact"
    prediction: str = ""
    needs: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in DIAGNOSIS_VERDICTS:
            message = f"unknown verdict {self.verdict!r}"
            raise ValueError(message)


@dataclass(frozen=True)
class Row:
    """A row as the lecture prints it (lecture 001, slide 41).

    Attributes
    ----------
    order
        Its place in the table.
    name
        Identifier.
    problem, diagnostic, workaround
        The three cells of the lecture.
    """

    order: int
    name: str
    problem: str
    diagnostic: str
    workaround: str
