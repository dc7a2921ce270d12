"""What a workaround would do: the change, what it predicts, and the formula behind the number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from convex_analyzer.errors import InputError
from convex_analyzer.notation import KINDS

__all__ = ["NO_SPEED", "Remedy", "best_first", "nothing"]

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


def best_first(remedy: Remedy) -> Remedy:
    """Return the remedy, or, where it is predicted to be slower, the fastest beside it.

    What is slower comes last; where nothing is faster, that is the answer.

    Examples
    --------
    >>> worse = Remedy("α from 1 to 2", "20 → 40 steps", 0.5, alternatives=(
    ...     Remedy("momentum", "20 → 10 steps", 2.0),))
    >>> best_first(worse).change, best_first(worse).alternatives[-1].change
    ('momentum', 'α from 1 to 2')
    """
    if remedy.factor is None or remedy.factor >= 1:
        return remedy
    last = replace(remedy, alternatives=())
    better = [each for each in remedy.alternatives if each.factor is not None and each.factor > 1]
    if not better:
        text = f"what the table suggests would be slower here: {remedy.change}"
        return nothing("leave α and μ", text, alternatives=(*remedy.alternatives, last))
    best = max(better, key=lambda each: each.factor or 0.0)
    rest = tuple(each for each in remedy.alternatives if each is not best)
    return replace(best, alternatives=(*rest, last))
