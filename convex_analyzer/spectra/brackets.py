"""How well a number is known: intervals, and the conditioning of a data matrix."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from convex_analyzer.tables import format_number

__all__ = ["Bracket", "DataConditioning"]


@dataclass(frozen=True)
class Bracket:
    """An interval that holds a number.

    Examples
    --------
    >>> 2.0 in Bracket(1.0, 3.0)
    True
    """

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __iter__(self) -> Iterator[float]:
        return iter((self.low, self.high))

    def __str__(self) -> str:
        half = (self.high - self.low) / 2
        if not math.isfinite(half):
            return f"≥ {format_number(self.low, 3)}"
        return f"{format_number(self.low + half, 10)} ± {format_number(half, 1)}"


@dataclass(frozen=True)
class DataConditioning:
    """The condition number of a data matrix X (2-norm), beside that of its Gram matrix.

    Attributes
    ----------
    condition_number
        κ(X) = σmax/σmin over the non-zero singular values.
    bracket
        An interval that holds it.
    gram_condition_number
        κ(XᵀX) = κ(X)².
    loses_everything
        Whether XᵀX in float64 would have no correct digit left in its smallest eigenvalue.
    """

    condition_number: float
    bracket: Bracket
    gram_condition_number: float
    loses_everything: bool
