"""Memory slots that are sums: each new value is a times the old one, plus a share of the gradient.

What several topics about velocities, moving averages and first steps have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convex_analyzer.derivations.running import OpenRun, Plane

__all__ = ["Average", "averages_of", "root_free", "signed"]


@dataclass(frozen=True)
class Average:
    """One slot: new = kept · old + push(g).

    Attributes
    ----------
    place
        Its index in the state; θ is 0.
    symbol
        What it is called.
    kept
        a.
    push
        What the gradient adds.
    start
        Its value before the first step.
    """

    place: int
    symbol: Any
    kept: Any
    push: Any
    start: Any

    def after(self, count: Any, power: Any = None) -> Any:
        """Return the value after so many steps of one gradient; `power` stands for a^count."""
        if self.kept == 1:
            return self.start + count * self.push
        power = self.kept**count if power is None else power
        return self.start * power + self.push * (1 - power) / (1 - self.kept)


def averages_of(run: OpenRun, gradient: Any, t: Any) -> tuple[list[Average], list[str]]:
    """Return the slots that are such sums, and the names of those that are not.

    Parameters
    ----------
    run
        The rule.
    gradient
        A symbol for the gradient of the step.
    t
        The step index, a number or a symbol.
    """
    import sympy

    state = [run.theta, *run.slots]
    after = run.step(t, Plane(gradient), state)
    before = run.start()
    found, others = [], []
    for place, slot in enumerate(run.slots, 1):
        value = sympy.expand(after[place])
        kept = sympy.diff(value, slot)
        push = sympy.expand(value - kept * slot)
        linear = not (kept.free_symbols & {*state, gradient, t} or push.free_symbols & {*state, t})
        if linear and kept != 0 and push != 0 and not kept.has(sympy.Derivative):
            found.append(Average(place, slot, kept, sympy.factor(push), before[place]))
        else:
            others.append(str(slot))
    return found, others


def root_free(expression: Any) -> Any:
    """Simplify below roots first, then the whole: products of positive factors leave their root."""
    import sympy

    def is_root(part: Any) -> bool:
        return bool(part.is_Pow and part.exp.is_Rational and not part.exp.is_Integer)

    inside = sympy.sympify(expression).replace(
        is_root, lambda p: sympy.factor(sympy.cancel(p.base)) ** p.exp
    )
    return sympy.factor(sympy.cancel(sympy.together(inside)))


def signed(expression: Any, number: Any) -> Any:
    """Write g/|g| as sign(g), for a real number g that is not zero."""
    import sympy

    sign = sympy.Dummy("sign")
    inside = sympy.cancel(sympy.together(expression.subs(sympy.Abs(number), number * sign)))
    even = inside.replace(
        lambda p: p.is_Pow and p.base == sign, lambda p: sign if p.exp % 2 else sympy.Integer(1)
    )
    top, bottom = sympy.fraction(even)
    if bottom.has(sign):
        turned = sympy.expand(bottom * sign).subs(sign**2, 1)
        if not turned.has(sign):
            even = sympy.expand(top * sign).subs(sign**2, 1) / turned
    return sympy.factor(even).subs(sign, sympy.sign(number))
