"""What a row of the recap table is, and what testing it says."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from convex_analyzer.notation import DIAGNOSIS_VERDICTS

__all__ = ["Finding", "Row", "Sign", "beyond"]


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
    """A row as the lecture prints it (lecture 001, slide 41), or one beside that table.

    Attributes
    ----------
    order
        Its place in the table.
    name
        Identifier.
    problem, diagnostic, workaround
        The three cells of the lecture.
    explains
        Names of the rows that are this one's consequences: where this row is present, they are
        its effects and not the cause.
    lecture
        Whether the row stands on the lecture's last slide.
    fault
        False for what looks ill and is not, and for "healthy".
    """

    order: int
    name: str
    problem: str
    diagnostic: str
    workaround: str
    explains: tuple[str, ...] = ()
    lecture: bool = True
    fault: bool = True


@dataclass(frozen=True)
class Sign:
    """What the log of a run says about one row, taken by itself.

    Attributes
    ----------
    strength
        Chance that the problem is there, judged by this row alone, in [0, 1]; None when the
        evidence cannot show it.
    evidence
        A sentence with numbers.
    kind
        What sort of statement that is: see `convex_analyzer.notation.KINDS`.
    used
        Fields of the evidence that were used.
    lacks
        What would sharpen the answer, in words; empty if nothing.
    """

    strength: float | None
    evidence: str = ""
    kind: str = "heuristic"
    used: tuple[str, ...] = ()
    lacks: str = ""

    @property
    def verdict(self) -> str:
        """In the vocabulary of the table."""
        if self.strength is None:
            return "not tested"
        if self.strength >= 0.7:
            return "present"
        return "possible" if self.strength >= 0.3 else "absent"

    def scaled(self, factor: float) -> Sign:
        """Return the same sign with a strength reduced by a factor in [0, 1]."""
        return self if self.strength is None else replace(self, strength=self.strength * factor)


def beyond(value: float, threshold: float, spread: float) -> float:
    """Return the chance that a measured value is beyond a threshold that is not sharp.

    A logistic curve of the logarithm: ½ at the threshold, 0.9 at ``threshold·spread``, 0.1 at
    ``threshold/spread``. With ``spread`` below 1 the chance falls as the value grows.

    Examples
    --------
    >>> beyond(0.2, 0.2, 2), round(beyond(0.4, 0.2, 2), 3), round(beyond(0.1, 0.2, 2), 3)
    (0.5, 0.9, 0.1)
    >>> round(beyond(0.4, 0.2, 1 / 2), 3)
    0.1
    """
    if not value > 0:
        return 0.0 if spread > 1 else 1.0
    if math.isinf(value):
        return 1.0 if spread > 1 else 0.0
    power = math.log(value / threshold) * math.log(9) / math.log(spread)
    if power < -700:
        return 0.0
    return 1 / (1 + math.exp(-power))
