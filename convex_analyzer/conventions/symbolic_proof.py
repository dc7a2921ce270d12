"""Proving that two rules are one by a change of variables on the state, whatever the objective.

If a map T sends the first rule's starting state to the second's, its reported point to the same
point, and commutes with the steps, step₂(T z) = T step₁(z), then by induction the two report the
same points for ever. T is looked for in runs (each slot of the second rule as a combination of
slots of the first, with few terms), and then proved on symbols: the gradient is an unknown function
of the point where it is taken, so the proof holds for every objective, and under noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.conventions.exact import simplest, with_symbols
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.optimizers.base import Optimizer, as_state

__all__ = ["ChangeOfVariables", "find"]

Array = npt.NDArray[np.float64]

_MOST_SLOTS = 8  # of a rule; more would make a long search and a long proof
_STEPS = 12
_NOISE = 1e-9  # of a fit, relative


@dataclass(frozen=True)
class ChangeOfVariables:
    """A proved map between the states of two rules.

    Attributes
    ----------
    lines
        Each slot of the second rule in terms of the first's, as text.
    steps
        Up to which step it is proved; None for all.
    reports
        Whether the reported points agree under it.
    """

    lines: tuple[str, ...]
    steps: int | None
    reports: bool


def find(first: Optimizer, second: Optimizer) -> ChangeOfVariables | None:
    """Return a change of variables that is proved, or None."""
    try:
        rows = _fit(first, second)
        if rows is None:
            return None
        return _prove(first, second, rows)
    except (ConvexAnalyzerError, ArithmeticError, AttributeError, TypeError, ValueError):
        return None  # a rule that leaves the arithmetic of symbols


# -- looking for the map ---------------------------------------------------------------------------

Rows = list[
    dict[str, Any]
]  # of each slot of the second rule: coefficient by slot of the first, "1"


class _Trial:
    """A problem of three coupled directions, for the fit."""

    matrix = np.array([[2.0, 0.5, 0.3], [0.5, 1.0, -0.4], [0.3, -0.4, 1.5]])
    linear = np.array([0.3, -0.7, 0.2])
    dimension = 3

    def gradient(self, theta: Array) -> Array:
        return np.asarray(theta @ self.matrix + self.linear)

    def normal(self, theta: Array, variance: Any = 1.0) -> Array:
        return np.asarray(np.sqrt(variance) * np.cos(np.arange(theta.size)).reshape(theta.shape))


def _states(rule: Optimizer) -> list[Array] | None:
    """Return the values of every slot along a run, flat; None if slots have other shapes."""
    problem = _Trial()
    theta = np.array([[1.3, -0.8, 0.6], [-2.1, 0.4, 1.7], [0.2, 3.1, -0.9]])
    state = (theta, *rule.at(1).start(problem, theta))
    rows = []
    with np.errstate(all="ignore"):
        for t in range(1, _STEPS + 1):
            rows.append([np.broadcast_to(slot, theta.shape) for slot in state])
            here = rule.at(t)
            state = as_state(here, here.step(problem, t, *state))
    if any(np.ndim(slot) != 2 for row in rows for slot in row):
        return None
    found = [np.concatenate([row[place].ravel() for row in rows]) for place in range(len(rows[0]))]
    return found if all(np.isfinite(slot).all() for slot in found) else None


def _fit(first: Optimizer, second: Optimizer) -> Rows | None:
    names = ("theta", *first.memory)
    if max(len(names), 1 + len(second.memory)) > _MOST_SLOTS:
        return None
    known, wanted = _states(first), _states(second)
    if known is None or wanted is None:
        return None
    columns = {**dict(zip(names, known, strict=True)), "1": np.ones_like(known[0])}
    rows: Rows = []
    for name, target in zip(("theta", *second.memory), wanted, strict=True):
        row = _combination(target, columns, name)
        if row is None:
            return None
        rows.append(row)
    return rows


def _combination(target: Array, columns: dict[str, Array], likely: str) -> Any:
    """Return coefficients of the target in as few columns as possible, its namesake first."""
    size = float(np.abs(target).max())
    if size == 0:
        return {}
    names = sorted(
        set(columns) - {"1"}, key=lambda name: (name != likely, list(columns).index(name))
    )
    choices = [("1",), *((name,) for name in names), *((name, "1") for name in names)]
    choices += [("theta", name) for name in names if name != "theta"]
    choices.append(tuple(columns))
    for chosen in choices:
        table = np.stack([columns[name] for name in chosen], axis=1)
        scale = np.abs(table).max(axis=0)
        if not np.all(scale > 0):
            continue
        solved = np.linalg.lstsq(table / scale, target, rcond=None)[0] / scale
        if np.abs(table @ solved - target).max() <= _NOISE * size:
            return {
                name: _fraction(value)
                for name, value, reach in zip(chosen, solved, scale, strict=True)
                if abs(value) * reach > 100 * _NOISE * size
            }
    return None


def _fraction(value: float) -> Any:
    import sympy

    size = abs(Fraction(float(value)))
    room = size * Fraction(1, 10**9)
    found = simplest(size - room, size + room)
    return sympy.Rational(found.numerator, found.denominator) * (1 if value > 0 else -1)


# -- proving it ------------------------------------------------------------------------------------


class _Unknown:
    """An objective of which nothing is known: its gradient is a function of the point."""

    def __init__(self) -> None:
        import sympy

        self._gradient = sympy.Function("g", real=True)
        self._draw = sympy.Symbol("xi", real=True)
        self._draws = 0

    def gradient(self, theta: Any) -> Any:
        import sympy

        return self._gradient(sympy.expand(theta))

    def normal(self, theta: Any, variance: Any = 1) -> Any:
        import sympy

        del theta
        self._draws += 1
        if self._draws > 1:
            raise TypeError("several draws in one step")
        return sympy.sqrt(variance) * self._draw


class _Later:
    """A step index of which nothing is known but that it is one: arithmetic, no decisions."""

    def __init__(self, symbol: Any) -> None:
        self.symbol = symbol

    @property
    def free_symbols(self) -> set[Any]:
        """What makes `ops` take it for a symbol."""
        found: set[Any] = self.symbol.free_symbols
        return found

    def _sympy_(self) -> Any:
        return self.symbol

    def _no(self, *_: Any) -> Any:
        raise TypeError("a branch on the step index")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no
    __bool__ = __index__ = __int__ = __mod__ = __floordiv__ = __hash__ = _no

    def __add__(self, other: Any) -> Any:
        return _Later(self.symbol + other) if isinstance(other, int) else self.symbol + other

    def __sub__(self, other: Any) -> Any:
        return _Later(self.symbol - other) if isinstance(other, int) else self.symbol - other

    def __mul__(self, other: Any) -> Any:
        return self.symbol * other

    def __rpow__(self, base: Any) -> Any:
        return base**self.symbol

    def __pow__(self, exponent: Any) -> Any:
        return self.symbol**exponent

    def __truediv__(self, other: Any) -> Any:
        return self.symbol / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.symbol

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Any:
        return other - self.symbol


def _prove(first: Optimizer, second: Optimizer, rows: Rows) -> ChangeOfVariables | None:
    import sympy

    known: list[tuple[Any, Any]] = []
    rules = with_symbols(first, known), with_symbols(second, known)
    names = ("theta", *first.memory)
    start = sympy.Symbol("theta", real=True)

    def image(state: tuple[Any, ...]) -> tuple[Any, ...]:
        values = {**dict(zip(names, state, strict=True)), "1": sympy.Integer(1)}
        return tuple(
            sum((c * values[name] for name, c in row.items()), sympy.Integer(0)) for row in rows
        )

    begins = [
        (start, *(sympy.sympify(slot) for slot in rule.start(_Unknown(), start))) for rule in rules
    ]
    if not _all_zero(image(begins[0]), begins[1]):
        return None
    repeats = _repeats(first, second)
    try:
        index = _Later(sympy.Symbol("t", integer=True, positive=True))
        indices: list[Any] = [index] if repeats is None or repeats == 1 else []
        if indices and _commutes(rules, names, begins[0], image, index):
            return _found(rows, second, rules, names, begins[0], image, None)
    except TypeError:
        pass  # a branch on t
    last = repeats if repeats is not None else 3
    for t in range(1, last + 1):
        if not _commutes(rules, names, begins[0], image, t):
            return None
    bound = None if repeats is not None else last
    return _found(rows, second, rules, names, begins[0], image, bound)


def _repeats(first: Optimizer, second: Optimizer) -> int | None:
    """Return after how many steps both rules repeat, schedules (which are symbols) left aside."""
    import math

    periods = [_period(first), _period(second)]
    known = [period for period in periods if period is not None]
    return math.lcm(*known) if len(known) == 2 else None


def _period(rule: Optimizer) -> int | None:
    import math

    periods = [rule.period]
    periods += [_period(v) for v in rule.values.values() if isinstance(v, Optimizer)]
    known = [period for period in periods if period is not None]
    return math.lcm(*known) if len(known) == len(periods) else None


def _commutes(
    rules: tuple[Optimizer, Optimizer], names: tuple[str, ...], begin: Any, image: Any, t: Any
) -> bool:
    """Tell whether step₂(T z) = T step₁(z) for every state that the first rule can reach."""
    state = _symbols(rules[0], names, begin, t)
    here = as_state(rules[0], rules[0].step(_Unknown(), t, *state))
    there = as_state(rules[1], rules[1].step(_Unknown(), t, *image(state)))
    return _all_zero(image(here), there)


def _symbols(rule: Optimizer, names: tuple[str, ...], begin: Any, t: Any) -> tuple[Any, ...]:
    """Return a general state: real numbers, not negative where the rule never makes them so."""
    import sympy

    free = set(names[1:])  # those for which it is still to be seen
    while True:
        state = tuple(
            sympy.Symbol(name, nonnegative=True) if name in free else sympy.Symbol(name, real=True)
            for name in names
        )
        moved = as_state(rule, rule.step(_Unknown(), t, *state))
        signs = {
            name: sympy.sympify(value).is_nonnegative and sympy.sympify(first).is_nonnegative
            for name, value, first in zip(names, moved, begin, strict=True)
        }
        kept = {name for name in free if signs[name]}
        if kept == free:
            return state
        free = kept


def _found(
    rows: Rows, second: Optimizer, rules: Any, names: Any, begin: Any, image: Any, steps: int | None
) -> ChangeOfVariables:
    state = _symbols(rules[0], names, begin, 2)
    same = _all_zero((rules[0].report(*state),), (rules[1].report(*image(state)),))
    told = tuple(
        f"{name}₂ = {_text(row)}" for name, row in zip(("theta", *second.memory), rows, strict=True)
    )
    return ChangeOfVariables(told, steps, same)


def _text(row: dict[str, Any]) -> str:
    if not row:
        return "0"
    told = ""
    for name, coefficient in row.items():
        sign = " − " if coefficient < 0 else " + "
        size = abs(coefficient)
        factor = "" if size == 1 and name != "1" else f"{size}"
        thing = "" if name == "1" else f"{name}₁"
        told += sign + "·".join(filter(None, (factor, thing)))
    return f"−{told[3:]}" if told.startswith(" − ") else told[3:]


def _all_zero(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    return len(left) == len(right) and all(map(_equal, left, right))


def _equal(left: Any, right: Any) -> bool:
    """Tell whether two expressions are proved equal, by algebra that ends soon."""
    import sympy

    left, right = sympy.sympify(left), sympy.sympify(right)
    if left == right:
        return True
    gap = sympy.expand(left - right)
    if gap == 0:
        return True
    if gap.has(sympy.Piecewise) or not _zero_in_numbers(gap):
        return False
    return bool(sympy.expand(sympy.numer(sympy.together(_positive_rests(gap)))) == 0)


def _zero_in_numbers(gap: Any) -> bool:
    """Refuse at once what is not zero at one point."""
    import sympy

    values = {
        symbol: sympy.Rational(3 + 2 * place, 7 + place)
        for place, symbol in enumerate(sorted(gap.free_symbols, key=str))
    }
    functions = sorted(gap.atoms(sympy.core.function.AppliedUndef), key=str)
    slopes = {each: sympy.Rational(5 - 3 * place, 4) for place, each in enumerate(functions)}
    indices = {s: sympy.Integer(3) for s in gap.free_symbols if s.is_integer}
    number = gap.xreplace(slopes).xreplace({**values, **indices}).evalf(30)
    return bool(number.is_number and abs(number) < 1e-20)


def _positive_rests(gap: Any) -> Any:
    """Replace 1 - qᵗ with 0 < q < 1, which is positive, by a positive symbol."""
    import sympy

    powers = [
        power
        for power in gap.atoms(sympy.Pow)
        if power.base.is_Rational and 0 < power.base < 1 and power.exp.free_symbols
    ]
    for place, power in enumerate(sorted(powers, key=str)):
        rest = sympy.Symbol(f"c{place}", positive=True)
        gap = gap.xreplace({power: 1 - rest})
    return gap
