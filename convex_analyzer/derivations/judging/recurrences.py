"""Recurrences and their solutions: refuted by running them, proved by induction.

A statement such as ``x(k+1) = r*x(k) and x(0) = c`` gives a sequence; a line ``x(k) = r**k*c`` is
its solution if it has the right first values and satisfies the recurrence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convex_analyzer.derivations.judging.evaluation import Point, compiled
from convex_analyzer.derivations.judging.normal import Normalizer
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.settle import settled
from convex_analyzer.derivations.judging.values import Undefined, agree

__all__ = ["Recurrence", "fails_at", "proved_by_induction", "recurrence_of"]

_LONGEST_RUN = 6
_MOST_POINTS = 12
_HIGHEST_ORDER = 3


@dataclass(frozen=True)
class Recurrence:
    """A sequence given by a recurrence, and a claim about its general term.

    Attributes
    ----------
    function
        The sequence.
    index
        The symbol k.
    order
        The recurrence gives the value at k + order.
    step
        That value, an expression in earlier ones.
    first
        Known first values by index.
    closed
        What the claim says the value at k is.
    """

    function: Any
    index: Any
    order: int
    step: Any
    first: tuple[tuple[int, Any], ...]
    closed: Any

    def at(self, k: Any) -> Any:
        """Return what the claim says the value at another index is."""
        return self.closed.subs(self.index, k)


def recurrence_of(before: Any, after: Any) -> Recurrence | None:
    """Return the recurrence in a statement and the claim in the next, or None."""
    import sympy
    from sympy.core.function import AppliedUndef

    if not isinstance(after, sympy.Eq) or not isinstance(after.lhs, AppliedUndef):
        return None
    function, (index, *others) = after.lhs.func, after.lhs.args
    if others or not index.is_Symbol or not index.is_integer:
        return None
    if any(f.args != (sympy.Integer(0),) for f in after.rhs.atoms(AppliedUndef)):
        return None  # a closed form names first values only
    first, found = {}, None
    for part in before.args if isinstance(before, sympy.And) else (before,):
        if not isinstance(part, sympy.Eq) or not isinstance(part.lhs, AppliedUndef):
            return None
        if part.lhs.func != function:
            return None
        place = part.lhs.args[0]
        if place.is_Integer and not part.rhs.has(function):
            first[int(place)] = part.rhs
            continue
        order = settled(place - index)
        if not order.is_Integer or not 1 <= int(order) <= _HIGHEST_ORDER or found is not None:
            return None
        found = (int(order), part.rhs)
    if found is None or not _reaches_back(found[1], function, index, found[0]):
        return None
    known = tuple(sorted(first.items()))
    return Recurrence(function, index, found[0], found[1], known, after.rhs)


def _reaches_back(step: Any, function: Any, index: Any, order: int) -> bool:
    """Whether a step uses values at k, ..., k + order - 1 only."""
    from sympy.core.function import AppliedUndef

    for node in step.atoms(AppliedUndef):
        shift = settled(node.args[0] - index)
        if node.func != function or not shift.is_Integer or not 0 <= int(shift) < order:
            return False
    return True


def fails_at(claim: Recurrence, sampler: Sampler) -> tuple[Point, int] | None:
    """Return a point and how many were tried, if running the recurrence contradicts the claim."""
    closed = compiled(claim.closed)
    for tried, point in enumerate(sampler.points(_MOST_POINTS), 1):
        try:
            values = _run(claim, point)
            for k in range(_LONGEST_RUN):
                here = {**point, claim.index: k, claim.function: values.__getitem__}
                if not agree(closed(here), values[k]):
                    return here, tried
        except Undefined:
            continue
    return None


def _run(claim: Recurrence, point: Point) -> list[Any]:
    """Return the first values of the sequence at a point."""
    first, step = dict(claim.first), compiled(claim.step)
    values: list[Any] = []
    for k in range(_LONGEST_RUN + claim.order):
        if k in first:
            values.append(compiled(first[k])(point))
        elif k < claim.order:
            values.append(point[claim.function](k))
        else:
            here = {**point, claim.index: k - claim.order, claim.function: values.__getitem__}
            values.append(step(here))
    return values


def proved_by_induction(claim: Recurrence, normal: Normalizer) -> str | None:
    """Return how the claim was proved, or None."""
    import sympy
    from sympy.core.function import AppliedUndef

    zero = sympy.Integer(0)
    start = dict(claim.first)
    for k in range(claim.order):
        value = start.get(k, claim.function(sympy.Integer(k)))
        known = {claim.function(zero): start[0]} if 0 in start else {}
        gap = normal.scalar(claim.at(sympy.Integer(k)).subs(known)) - normal.scalar(value)
        if not normal.field.is_zero(gap):
            return None
    earlier = {node: claim.at(node.args[0]) for node in claim.step.atoms(AppliedUndef)}
    following = claim.at(claim.index + claim.order)
    gap = normal.scalar(following) - normal.scalar(claim.step.xreplace(earlier))
    return f"induction on {claim.index}" if normal.field.is_zero(gap) else None
