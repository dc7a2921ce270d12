"""What a workaround would do: the change, what it predicts, and the formula behind the number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from convex_analyzer.errors import InputError
from convex_analyzer.notation import KINDS

__all__ = ["NO_SPEED", "Remedy", "nothing"]

NO_SPEED = "no speed prediction"


@dataclass(frozen=True)
class Remedy:
    """A workaround and its predicted effect.

    Attributes
    ----------
    change
        What to do, with numbers: "α from 0.0008 to 0.016".
    prediction
        One sentence: factor, new step count, transient warning, floor; begins with "no speed
        prediction" where there is none, and then says why.
    factor
        Speed-up (steps before over steps after), or by what a noise floor is multiplied; None
        where neither can be predicted.
    steps_before, steps_after
        To the goal that the prediction names; None if unknown.
    formula
        Where the number comes from.
    kind
        What sort of statement it is: see `convex_analyzer.notation.KINDS`.
    settings
        The new hyper-parameters by name.
    confirmed
        With a known problem: what was predicted and what a run measured, by name; else None.
    alternatives
        Other workarounds of the same problem.
    """

    change: str
    prediction: str
    factor: float | None = None
    steps_before: int | None = None
    steps_after: int | None = None
    formula: str = ""
    kind: str = "heuristic"
    settings: Mapping[str, Any] = field(default_factory=dict)
    confirmed: Mapping[str, Any] | None = None
    alternatives: tuple[Remedy, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"unknown kind {self.kind!r}", argument="kind")

    @property
    def predicts(self) -> bool:
        """Whether anything is predicted at all."""
        return not self.prediction.startswith(NO_SPEED)


def nothing(change: str, why: str, **known: Any) -> Remedy:
    """Return a remedy without a prediction, and why there is none.

    Examples
    --------
    >>> nothing("fix the gradient", "a wrong gradient has no rate").prediction
    'no speed prediction: a wrong gradient has no rate'
    """
    return Remedy(change, f"{NO_SPEED}: {why}", **known)
