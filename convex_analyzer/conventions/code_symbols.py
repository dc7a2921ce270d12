"""Someone's code on SymPy symbols: its first steps as expressions, beside those of the rule.

The gradient of each step is a symbol, and elsewhere an unknown function, so that what agrees does
so for every objective.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
from dataclasses import dataclass
from typing import Any

from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.theory.symbolic import exactly

__all__ = ["Expressions", "on_symbols"]

_STEPS = 4
_ROUNDED = 1e-12
_LONGEST = 300  # operations of an expression that is compared


@dataclass(frozen=True)
class Expressions:
    """What came of the comparison.

    Attributes
    ----------
    steps
        So many steps were run.
    differs_at
        The first that differs, or None.
    yours, ours
        The new θ there (or after the first step), as text.
    """

    steps: int
    differs_at: int | None
    yours: str
    ours: str


def on_symbols(code: Any, kind: str, state: Any, rule: Optimizer) -> Expressions | None:
    """Run code and rule on symbols; None if one of them does not take them."""
    import sympy

    if kind == "run" or rule.is_scheduled:
        return None
    theta = sympy.Symbol("theta", real=True)
    quiet = contextlib.redirect_stdout(io.StringIO())
    # NumPy's functions, or a branch on a value, do not take symbols: it is run on numbers then
    with contextlib.suppress(Exception, SystemExit), quiet:
        theirs = list(_theirs(code, kind, state, theta))
        ours = list(_ours(rule, theta))
        for step, (one, other) in enumerate(zip(theirs, ours, strict=True), 1):
            if not _equal(one, other):
                return Expressions(_STEPS, step, _text(one), _text(other))
        return Expressions(_STEPS, None, _text(theirs[0]), _text(ours[0]))
    return None


def _theirs(code: Any, kind: str, state: Any, theta: Any) -> Any:
    import sympy

    start = theta
    state = state(theta) if callable(state) else copy.deepcopy(state)
    for step in range(1, _STEPS + 1):
        gradient = _callable_symbol()(f"g{step}", real=True)
        pair = (theta, state, gradient) if kind == "update" else (gradient, theta, state)
        gradient.theta = theta
        theta, state = code(*pair)
        theta = _settled(sympy.sympify(theta))
        known = {start, *(sympy.Symbol(f"g{k}", real=True) for k in range(1, step + 1))}
        if theta.free_symbols - known:
            raise TypeError("a symbol of its own")
        yield theta


@functools.cache
def _callable_symbol() -> Any:
    """Return a kind of symbol that, called elsewhere than at θ, is an unknown function."""
    import sympy

    class GradientSymbol(sympy.Symbol):  # type: ignore[misc]  # SymPy has no types
        theta: Any = None

        def __call__(self, point: Any) -> Any:
            if sympy.expand(exactly(sympy.sympify(point)) - self.theta) == 0:
                return self
            return sympy.Function(self.name)(point)

    return GradientSymbol


class _Problem:
    """The unknown objective as the rule sees it."""

    def __init__(self, step: int, theta: Any) -> None:
        self.step, self.theta = step, theta

    def gradient(self, point: Any) -> Any:
        """Return a symbol at θ, an unknown function elsewhere."""
        import sympy

        if sympy.expand(exactly(sympy.sympify(point)) - self.theta) == 0:
            return sympy.Symbol(f"g{self.step}", real=True)
        return sympy.Function(f"g{self.step}")(point)


def _ours(rule: Optimizer, theta: Any) -> Any:
    import sympy

    exact = rule.transformed(lambda v: exactly(v) if isinstance(v, float) else v)
    memory = tuple(sympy.sympify(v) for v in rule.start(_Problem(1, theta), theta))
    for step in range(1, _STEPS + 1):
        returned = exact.step(_Problem(step, theta), step, theta, *memory)
        theta, *rest = as_state(exact, returned)
        theta, memory = _settled(sympy.sympify(theta)), tuple(_settled(v) for v in rest)
        yield _settled(sympy.sympify(exact.report(theta, *memory)))


def _settled(value: Any) -> Any:
    """Return an expression with fractions for decimals, expanded also inside g(...)."""
    import sympy
    from sympy.core.function import AppliedUndef

    exact = exactly(sympy.sympify(value))
    if exact.has(sympy.nan, sympy.zoo):
        raise ArithmeticError("a division by zero")
    exact = exact.replace(
        lambda part: isinstance(part, AppliedUndef),
        lambda part: part.func(*(sympy.expand(a) for a in part.args)),
    )
    named = {g: sympy.Symbol(g.name, real=True) for g in exact.free_symbols
             if isinstance(g, _callable_symbol())}  # fmt: skip
    exact = exact.xreplace(named)
    return sympy.expand(exact) if sympy.count_ops(exact) < _LONGEST else exact


def _equal(one: Any, other: Any) -> bool:
    """Return whether two expressions are equal, up to rounded decimals."""
    import sympy

    difference = sympy.expand(one - other)
    if difference == 0:
        return True
    if sympy.count_ops(difference) > _LONGEST:
        raise ArithmeticError("too long")
    terms = difference.as_coefficients_dict()
    if all(abs(c) < _ROUNDED for c in terms.values()):
        return True
    return _vanishes(difference) and bool(sympy.simplify(difference) == 0)


def _vanishes(expression: Any) -> bool:
    """Return whether an expression is zero where its symbols and functions are small numbers."""
    import sympy
    from sympy.core.function import AppliedUndef

    unknown = sorted(expression.atoms(AppliedUndef), key=str)
    flat = expression.xreplace({f: sympy.Dummy() for f in unknown})
    numbers = {s: sympy.Rational(7 + 3 * n, 11) for n, s in enumerate(
        sorted(flat.free_symbols, key=str))}  # fmt: skip
    return bool(abs(flat.subs(numbers).evalf(30)) < _ROUNDED)


def _text(expression: Any) -> str:
    import sympy

    short = {n: sympy.Float(n, 6) for n in expression.atoms(sympy.Rational) if n.q > 10**4}
    text = str(expression.xreplace(short))
    return text if len(text) <= 120 else f"{text[:117]}..."
