"""Linear forms: a value together with its linear part.

Run on forms, an update rule returns, in one pass and for all eigenvalues at once, the iteration
matrix, the part of the linear term b, the channel through which each gradient evaluation injects
noise, and a proof of linearity: whatever is not linear leaves a reason in the trace.

The same objects are dual numbers. Started at a point other than zero, the coefficients are first
derivatives there, and a rule that is not linear gets its local analysis.

Coefficients may be floats, arrays, double-doubles, exact polynomials or SymPy expressions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.ops import is_symbolic
from convex_analyzer.precise import DoubleDouble, Polynomial

__all__ = ["LINEAR_TERM", "Direction", "Form", "Trace", "curved", "draw_of", "noise_of", "vanishes"]


class Trace:
    """Collects the reasons why a rule is not linear, in the order in which they occurred.

    Attributes
    ----------
    reasons
        Why the rule is not linear.
    undecided
        Branches whose two sides meet exactly at the point: the rule has no derivative there.
    """

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.undecided: list[str] = []

    def nonlinear(self, reason: str) -> None:
        """Note a reason, once."""
        if reason not in self.reasons:
            self.reasons.append(reason)


def vanishes(value: Any) -> bool:
    """Tell whether a coefficient is exactly zero; exact zeros stop infinite derivatives."""
    if isinstance(value, DoubleDouble):
        return bool(np.all(value.high == 0))
    if isinstance(value, Polynomial) or is_symbolic(value):
        return bool(value == 0)
    return bool(np.all(np.asarray(value) == 0))


class Form:
    """A value plus named linear coefficients.

    Parameters
    ----------
    value
        The value at the point.
    parts
        Coefficient by name of what it multiplies: a slot of the state, or something whose name no
        slot can have: ``"linear term"``, ``"noise 1"``, ``"λ theta"``.
    trace
        Where reasons for non-linearity are noted.

    Examples
    --------
    >>> x = Form(0.0, {"x": 1.0}, Trace())
    >>> (3 * x - x / 2).parts
    {'x': 2.5}
    """

    __array_ufunc__ = None  # ndarray * Form comes to __rmul__
    __slots__ = ("parts", "trace", "value")
    __hash__ = None  # type: ignore[assignment]  # == compares values, elementwise

    def __init__(self, value: Any, parts: dict[str, Any], trace: Trace) -> None:
        self.value = value
        self.parts = parts
        self.trace = trace

    def _lift(self, other: Any) -> Form:
        return other if isinstance(other, Form) else Form(other, {}, self.trace)

    def __add__(self, other: Any) -> Form:
        other = self._lift(other)
        parts = dict(self.parts)
        for name, coefficient in other.parts.items():
            parts[name] = parts[name] + coefficient if name in parts else coefficient
        return Form(self.value + other.value, parts, self.trace)

    __radd__ = __add__

    def __neg__(self) -> Form:
        return self * -1

    def __pos__(self) -> Form:
        return self

    def __sub__(self, other: Any) -> Form:
        return self + self._lift(other) * -1

    def __rsub__(self, other: Any) -> Form:
        return self._lift(other) + self._scale(-1)

    def _scale(self, factor: Any) -> Form:
        parts = {name: coefficient * factor for name, coefficient in self.parts.items()}
        return Form(_times(self.value, factor), parts, self.trace)

    def __mul__(self, other: Any) -> Form:
        if not isinstance(other, Form):
            return self._scale(other)
        if not other.parts:
            return self._scale(other.value)
        if not self.parts:
            return other._scale(self.value)
        self.trace.nonlinear("a product of two terms that depend on the state")
        # The product rule; an exactly zero factor kills the other's (maybe infinite) derivative.
        left = {} if vanishes(other.value) else self._scale(other.value).parts
        right = {} if vanishes(self.value) else other._scale(self.value).parts
        both = Form(0, left, self.trace) + Form(0, right, self.trace)
        return Form(self.value * other.value, both.parts, self.trace)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Form:
        if not isinstance(other, Form):
            return Form(
                self.value / other, {n: c / other for n, c in self.parts.items()}, self.trace
            )
        inverse = other._apply(lambda v: 1 / v, lambda v: -1 / v**2, "a division by the state")
        return self * inverse

    def __rtruediv__(self, other: Any) -> Form:
        return self._lift(other) / self

    def __pow__(self, exponent: Any) -> Form:
        if exponent == 2:  # the commonest power, and exact at zero
            return self * self
        if exponent == 1:
            return self
        return self._apply(
            lambda v: v**exponent, lambda v: exponent * v ** (exponent - 1), f"the power {exponent}"
        )

    def _apply(
        self, function: Callable[[Any], Any], derivative: Callable[[Any], Any], reason: str
    ) -> Form:
        """Apply a smooth function by the chain rule."""
        if self.parts:
            self.trace.nonlinear(reason)
        live = {name: c for name, c in self.parts.items() if not vanishes(c)}
        value = self.value
        if isinstance(value, DoubleDouble):
            value = value.to_float()  # a rule that is not linear is only analysed locally
        elif isinstance(value, Polynomial) and value.degree == 0:
            value = float(value.coefficients[0])
        elif not is_symbolic(value):
            value = np.float64(value)
        with np.errstate(all="ignore"):
            slope = _plain(derivative(value)) if live else None
            parts = {name: c * slope for name, c in live.items()}
            return Form(_plain(function(value)), parts, self.trace)

    # -- the functions of convex_analyzer.ops ------------------------------------------------

    def _op_sqrt(self, x: Form) -> Form:
        from convex_analyzer.ops import sqrt

        return x._apply(sqrt, lambda v: 1 / (2 * sqrt(v)), "a square root of the state")

    def _op_exp(self, x: Form) -> Form:
        from convex_analyzer.ops import exp

        return x._apply(exp, exp, "an exponential of the state")

    def _op_log(self, x: Form) -> Form:
        from convex_analyzer.ops import log

        return x._apply(log, lambda v: 1 / v, "a logarithm of the state")

    def _op_sign(self, x: Form) -> Form:
        from convex_analyzer.ops import sign

        return x._apply(sign, lambda v: _unless_zero(0 * v, v), "the sign of the state")

    def _op_absolute(self, x: Form) -> Form:
        from convex_analyzer.ops import absolute, sign

        return x._apply(
            absolute, lambda v: _unless_zero(sign(v), v), "an absolute value of the state"
        )

    def _op_maximum(self, x: Any, y: Any) -> Form:
        return self._choose(self._lift(x), self._lift(y), lambda a, b: a >= b, "a maximum")

    def _op_minimum(self, x: Any, y: Any) -> Form:
        return self._choose(self._lift(x), self._lift(y), lambda a, b: a <= b, "a minimum")

    def _choose(self, x: Form, y: Form, first: Callable[[Any, Any], Any], name: str) -> Form:
        self.trace.nonlinear(f"{name} of terms that depend on the state")
        chosen = self._op_where(first(x.value, y.value), x, y)
        if not is_symbolic(x.value, y.value) and np.any(x.value == y.value):
            tie = x.value == y.value  # there the derivative exists only if both sides agree
            for part in chosen.parts:
                same = np.all(x.parts.get(part, 0) == y.parts.get(part, 0))
                if not same:
                    chosen.parts[part] = np.where(tie, np.nan, chosen.parts[part])
        return chosen

    def _op_where(self, condition: Any, x: Any, y: Any) -> Form:
        from convex_analyzer.ops import where

        if isinstance(condition, Form):  # true where it is not zero, as everywhere in Python
            condition = condition != 0
        x, y = self._lift(x), self._lift(y)
        if isinstance(condition, bool):
            return self._lift(x if condition else y)
        names = list(dict.fromkeys([*x.parts, *y.parts]))
        parts = {n: where(condition, x.parts.get(n, 0), y.parts.get(n, 0)) for n in names}
        return Form(where(condition, x.value, y.value), parts, self.trace)

    def _op_dot(self, x: Any, y: Any) -> Form:
        self.trace.nonlinear("an inner product over all coordinates")
        return self._lift(x) * self._lift(y)

    def _op_outer(self, x: Any, y: Any) -> Form:
        self.trace.nonlinear("an outer product of two vectors")
        return self._lift(x) * self._lift(y)

    def _op_matvec(self, matrix: Any, x: Any) -> Form:
        self.trace.nonlinear("a product with a matrix that is part of the state")
        return self._lift(matrix) * self._lift(x)

    def _op_column(self, x: Form) -> Form:
        self.trace.nonlinear("one number for all coordinates")
        return x

    # -- comparisons: decided by the value, and noted ----------------------------------------

    def _compare(self, other: Any, decide: Callable[[Any, Any], Any]) -> Any:
        self.trace.nonlinear("a branch on the state")
        mine, theirs = self.value, self._lift(other).value
        if not is_symbolic(mine, theirs) and np.any(mine == theirs):
            self.trace.undecided = ["a branch that is undecided there"]
        return decide(mine, theirs)

    def __lt__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: a < b)

    def __le__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: a <= b)

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: a > b)

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: a >= b)

    def __eq__(self, other: object) -> Any:
        return self._compare(other, lambda a, b: a == b)

    def __ne__(self, other: object) -> Any:
        return self._compare(other, lambda a, b: a != b)

    def __bool__(self) -> bool:
        self.trace.nonlinear("a branch on the state")
        return bool(np.all(self.value))

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NotDerivableError(
            "the rule turns a state into a plain number (float, np. or math. inside step); "
            "use arithmetic and convex_analyzer.ops only"
        )

    def __repr__(self) -> str:
        return f"Form({self.value!r}, {self.parts!r})"


_NUMBERS = (DoubleDouble, np.ndarray, np.float64, float, int)


def _times(value: Any, factor: Any) -> Any:
    """Return the product; nothing times a number, which nearly all values are, stays nothing."""
    nothing = value.__class__ is int and value == 0 and factor.__class__ in _NUMBERS
    return value if nothing else value * factor


def _plain(value: Any) -> Any:
    """Return a NumPy scalar as a float, which exact polynomials can be multiplied by."""
    return float(value) if isinstance(value, (np.generic, np.ndarray)) and not value.ndim else value


def _unless_zero(slope: Any, value: Any) -> Any:
    """Return the slope, and NaN at zero, where a kink has none."""
    if is_symbolic(value):
        return slope
    return np.where(np.asarray(value) == 0, np.nan, slope)


LINEAR_TERM = "linear term"  # b along the direction; the space keeps it apart from slots


def noise_of(call: int) -> str:
    """Return the name of the error of a gradient evaluation, counted from 1."""
    return f"noise {call}"


def draw_of(draw: int) -> str:
    """Return the name of a random number that the rule draws, counted from 1."""
    return f"draw {draw}"


@functools.cache
def curved(name: str) -> str:
    """Return the name of a slot's part after a multiplication by λ."""
    return name if " " in name else f"λ {name}"


def _renamed(product: Any) -> Any:
    if not isinstance(product, Form):
        return product
    parts: dict[str, Any] = {}
    for name, coefficient in product.parts.items():
        bent = curved(name)
        parts[bent] = parts[bent] + coefficient if bent in parts else coefficient
    return Form(product.value, parts, product.trace)


class Direction:
    """The problem along one eigendirection, or along many at once: J = λ x²/2 + β x.

    What `step` receives in place of a problem when a rule is analysed. Parts that have been
    multiplied by λ go by another name (`curved`), so that 1 - αλ is kept as 1 and -αλ: what is left
    of it when the 1 is taken away again then has all its digits.

    Parameters
    ----------
    eigenvalue
        λ: a number, an array, or a symbol.
    trace
        Collects reasons for non-linearity.
    noisy
        Whether each gradient evaluation has a channel for its error.

    Attributes
    ----------
    calls
        Number of gradient evaluations so far; each has a noise channel.
    draws
        Variances of the random numbers drawn so far; each has a channel ("draw 1", ...).
    """

    def __init__(self, eigenvalue: Any, trace: Trace, *, noisy: bool = True) -> None:
        self.eigenvalue = eigenvalue
        self.trace = trace
        self.noisy = noisy
        self.calls = 0
        self.draws: list[Any] = []

    def gradient(self, theta: Form) -> Form:
        """Return λθ + b, with a noise channel of its own for this evaluation where these count."""
        self.calls += 1
        parts = {LINEAR_TERM: 1, noise_of(self.calls): 1} if self.noisy else {LINEAR_TERM: 1}
        curvature: Form = _renamed(theta * self.eigenvalue)
        return curvature + Form(0, parts, self.trace)

    def hessian_vector(self, theta: Any, vector: Any) -> Any:
        """Return λ times the vector."""
        del theta  # the Hessian of a quadratic is the same everywhere
        return _renamed(vector * self.eigenvalue)

    def inverse_hessian_vector(self, theta: Any, vector: Any, damping: Any = 0) -> Any:
        """Return the vector divided by λ + damping."""
        del theta
        undamped = isinstance(damping, (int, float)) and damping == 0
        return _renamed(vector / (self.eigenvalue if undamped else self.eigenvalue + damping))

    def normal(self, theta: Any, variance: Any = 1.0) -> Form:
        """Return a draw of mean zero: a channel of its own, whose variance is kept in `draws`."""
        del theta
        self.draws.append(variance)
        return Form(0, {draw_of(len(self.draws)): 1}, self.trace)

    def uniform(self, theta: Any) -> Form:
        """Return a half, the mean of a draw that only decisions need; a decision is a reason."""
        del theta
        self.trace.nonlinear("a random decision")
        return Form(0.5, {}, self.trace)
