"""Deciding whether two linear rules report the same points on every quadratic.

Along an eigendirection a linear rule is z ← M(λ) z + B(λ) β from z = S θ₀, reporting C z. Two rules
with n and m slots, and a constant that carries β, are one system of dimension n + m + 1 whose
output is the difference of the reports. By the theorem of Cayley and Hamilton an output that is
zero at the steps 0 ... n + m is zero at every step; of rules that repeat after p steps, at the
steps 0 ... p(n + m + 1) - 1. The outputs are compared as rational functions of λ and of all
symbols, exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from convex_analyzer.conventions.exact import exactly
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.theory.iteration import Iteration, linearise

__all__ = ["Decision", "decide"]

_MOST = 100  # steps in rational functions, whose degree grows with each
_OPEN = 12  # steps that are compared when no number of them is enough


@dataclass(frozen=True)
class Decision:
    """What the comparison of outputs has shown.

    Attributes
    ----------
    equal
        Whether the outputs agree at all steps that were compared.
    complete
        Whether that is enough for all steps.
    compared
        The last step that was compared.
    difference
        Where they differ: second minus first, in λ, θ₀ and β; None if they agree.
    slots
        Number of slots of each.
    """

    equal: bool
    complete: bool
    compared: int
    difference: Any
    slots: tuple[int, int]


def decide(first: Optimizer, second: Optimizer) -> Decision | None:
    """Return what can be proved; None if a rule is not linear, or leaves rational functions."""
    from sympy.polys.polyerrors import CoercionFailed

    try:
        if first.random or second.random:
            return None
        return _decide(exactly(first), exactly(second))
    except (ConvexAnalyzerError, CoercionFailed, TypeError):
        return None


def _decide(first: Optimizer, second: Optimizer) -> Decision | None:
    import sympy

    lam = sympy.Symbol("lambda")
    symbols = {lam}
    for rule in (first, second):
        for value in rule.numbers().values():
            symbols |= value.free_symbols if is_symbolic(value) else set()
    field = sympy.QQ.frac_field(*sorted(symbols, key=str))
    runs = [_Run(rule, lam, field) for rule in (first, second)]
    if not all(run.is_linear for run in runs):
        return None
    slots = (runs[0].slots, runs[1].slots)
    cycles = [rule.cycle for rule in (first, second)]
    known = [cycle for cycle in cycles if cycle is not None]
    enough = math.lcm(*known) * (sum(slots) + 1) if len(known) == 2 else None
    steps = _OPEN if enough is None or enough > _MOST else enough - 1
    for k in range(steps + 1):
        gap = [b - a for a, b in zip(runs[0].output, runs[1].output, strict=True)]
        if any(gap):
            theta, beta = sympy.symbols("theta_0 beta")
            parts = [field.to_sympy(part) for part in gap]
            difference = sympy.factor(parts[0] * theta + parts[1] * beta)
            return Decision(
                equal=False, complete=True, compared=k, difference=difference, slots=slots
            )
        for run in runs:
            run.advance(k + 1)
    complete = enough is not None and steps == enough - 1
    return Decision(equal=True, complete=complete, compared=steps, difference=None, slots=slots)


class _Run:
    """One rule, followed from a start at rest: what multiplies θ₀ and β in each slot."""

    def __init__(self, rule: Optimizer, lam: Any, field: Any) -> None:
        self.rule, self.lam, self.field = rule, lam, field
        self.repeats = rule.cycle == 1
        self.iteration = self._at(1)
        self.slots = len(self.iteration.slots)
        self.state = [self._row(self.iteration.start), self._row(self.iteration.start_offset)]

    @property
    def is_linear(self) -> bool:
        """Whether no step has met a reason why it is not."""
        return self.iteration.is_linear

    def _at(self, t: int) -> Iteration:
        return linearise(self.rule.at(t), self.lam, t)

    def _row(self, entries: Any) -> list[Any]:
        import sympy

        return [self.field.from_sympy(sympy.sympify(entry)) for entry in entries]

    @property
    def output(self) -> list[Any]:
        """What multiplies θ₀ and β in the reported point."""
        report = self._row(self.iteration.report)
        return [
            sum((c * z for c, z in zip(report, part, strict=True)), self.field.zero)
            for part in self.state
        ]

    def advance(self, t: int) -> None:
        """Take step t."""
        if t > 1 and not self.repeats:
            self.iteration = self._at(t)
            if not self.iteration.is_linear:
                raise TypeError
        matrix = [self._row(row) for row in self.iteration.matrix]
        offset = self._row(self.iteration.offset)
        moved = [
            [
                sum((m * z for m, z in zip(row, part, strict=True)), self.field.zero)
                for row in matrix
            ]
            for part in self.state
        ]
        moved[1] = [value + push for value, push in zip(moved[1], offset, strict=True)]
        self.state = moved
