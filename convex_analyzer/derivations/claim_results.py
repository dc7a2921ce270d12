"""What a check of a claim returns: the verdict, the truth beside it, runs that show a failure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.results import Result
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.tables import Table, join_words
from convex_analyzer.theory.region_words import printed

__all__ = ["ClaimCheck", "Counterexample"]

_STEPS = (20, 20_000)
_FAR = 1e4  # by what a run has grown, or shrunk, when that is shown


@dataclass(frozen=True, eq=False)
class Counterexample(Result):
    """A point at which a claim fails, and a run that shows it.

    Attributes
    ----------
    shows
        ``"not sufficient"``, ``"not necessary"`` or ``"not equal"``.
    point
        Values by letter, as SymPy numbers.
    text
        What the claim says there, and what is so.
    optimizer
        The rule there; None where nothing is to be run.
    eigenvalues
        Of the quadratic to run it on.
    outcome
        ``"converges"``, ``"diverges"`` or ``"stays"``: what the run does.
    rate
        The largest root there, rounded.
    start
        Where the run starts, along each eigendirection.
    """

    schema: ClassVar[str] = "convex_analyzer.claim_counterexample/1"

    shows: str
    point: dict[str, Any]
    text: str
    optimizer: Optimizer | None = None
    eigenvalues: tuple[float, ...] = ()
    outcome: str = ""
    rate: float = math.nan
    start: float = 1.0

    @property
    def where(self) -> str:
        """The point, as it is printed."""
        import sympy

        parts = []
        for letter, value in self.point.items():
            short = value.is_Rational and value.q < 10**9
            shown = printed(value) if short or not value.is_Rational else f"{float(value):.10g}"
            parts.append(f"{printed(sympy.Symbol(letter))} {'=' if short else '≈'} {shown}")
        return ", ".join(parts)

    @property
    def problem(self) -> Quadratic:
        """The quadratic on which to run it."""
        return Quadratic.diagonal(list(self.eigenvalues))

    @property
    def steps(self) -> int:
        """So many steps show it."""
        log = abs(math.log(self.rate)) if 0 < self.rate < math.inf else 1.0
        wanted = math.ceil(2 * math.log(_FAR) / log) if log > 1e-9 else _STEPS[0] * 10
        return min(max(wanted, _STEPS[0]), _STEPS[1])

    def simulate(self, steps: int | None = None) -> Trajectory:
        """Run it."""
        start = np.full(len(self.eigenvalues), self.start)
        count = self.steps if steps is None else steps
        if self.optimizer is None:
            raise TypeError("nothing is to be run: the two sides are compared as numbers")
        return simulate(self.problem, self.optimizer, start, count, record="path")

    def confirms(self, steps: int | None = None) -> bool:
        """Run it, and tell whether it does what `outcome` says."""
        run = self.simulate(steps)
        if run.has_diverged:
            return self.outcome == "diverges"
        size = np.abs(run.theta).max(axis=1)
        tail, first = float(size[-max(len(size) // 10, 3) :].max()), float(size[0])
        if tail < 0.1 * float(size.max()):
            return self.outcome == "converges"
        return self.outcome == ("diverges" if tail > 10 * first else "stays")

    def summary(self) -> Table:
        """Return a table of one row."""
        return Table(("at", "so that"), ((self.where, self.text),), title=self.shows, left=2)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; numbers of the point as text."""
        return {**super().to_dict(), "point": {k: str(v) for k, v in self.point.items()}}


_WORDS = {
    "both": "sufficient and necessary",
    "sufficient": "sufficient, not necessary",
    "necessary": "necessary, not sufficient",
    "neither": "neither sufficient nor necessary",
    "true": "true",
    "false": "false",
}


@dataclass(frozen=True, eq=False)
class ClaimCheck(Result):
    """A claim beside what is derived; truthy if it says the same.

    Attributes
    ----------
    rule
        The optimizer.
    about
        ``"stable"``, ``"rate"``, ``"best"``, ``"monotone"``, ``"oscillates"``, ``"fixed_point"``.
    claim
        As it was written.
    verdict
        Of a condition: ``"both"`` (sufficient and necessary), ``"sufficient"``, ``"necessary"`` or
        ``"neither"``; of an equality ``"true"`` or ``"false"``.
    status
        ``"proved"``: every part of the verdict is; ``"plausible"``: what no counterexample speaks
        against is not proved.
    truth, claim_latex, truth_latex
        What is derived from the step of the rule, as text; both as LaTeX.
    assumptions
        Under which.
    how
        How it was decided.
    counterexamples
        One for each part that fails.
    border
        What is so exactly at the end of the claim, where that alone is the failure.
    """

    schema: ClassVar[str] = "convex_analyzer.claim/1"

    rule: str
    about: str
    claim: str
    verdict: str
    status: str
    truth: str
    claim_latex: str
    truth_latex: str
    assumptions: tuple[str, ...]
    how: str
    counterexamples: tuple[Counterexample, ...] = ()
    border: str = ""

    def __bool__(self) -> bool:
        return self.verdict in ("both", "true")

    @property
    def counterexample(self) -> Counterexample | None:
        """The first counterexample."""
        return self.counterexamples[0] if self.counterexamples else None

    def latex(self) -> str:
        """Return claim and truth as LaTeX."""
        claimed, derived = rf"\text{{claimed: }} {self.claim_latex}", self.truth_latex
        return rf"{claimed} \qquad \text{{derived: }} {derived}"

    def summary(self) -> Table:
        """Return the verdict, the truth and the counterexamples."""
        told = _WORDS[self.verdict]
        if self.status != "proved":
            told = f"{told} ({self.status})"
        rows = [
            ("claimed", self.claim),
            ("verdict", told),
            ("derived", self.truth),
            ("for", join_words(list(self.assumptions)) or "all values"),
            ("decided by", self.how),
        ]
        if self.border:
            rows.append(("at the border", self.border))
        rows += [(each.shows, f"at {each.where}: {each.text}") for each in self.counterexamples]
        return Table((self.rule, _ABOUT[self.about]), tuple(rows), left=2)

    def __repr__(self) -> str:
        return f"<ClaimCheck {self.rule}, {self.about} {self.claim!r}: {self.verdict}>"


_ABOUT = {
    "stable": "converges if and only if",
    "rate": "its factor per step",
    "best": "its best setting",
    "monotone": "converges without turning back if and only if",
    "oscillates": "turns back again and again if and only if",
    "fixed_point": "where it comes to rest",
}
