"""A line becomes a function of a point: SymPy's tree is read once, evaluated often."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging import matrices
from convex_analyzer.derivations.judging.functions import (
    applied,
    false_at_poles,
    is_known,
)
from convex_analyzer.derivations.judging.values import (
    Diverges,
    Undefined,
    Unknown,
    agree,
    context,
    plus,
    power,
    real,
    sign_of,
    times,
    to_mp,
)

__all__ = ["Point", "compiled", "is_boolean"]

Point = dict[Any, Any]
Function = Callable[[Point], Any]

_LONGEST_SUM = 60  # terms


def is_boolean(value: Any) -> bool:
    """Whether a line states something, instead of naming a value.

    A SymPy symbol is an instance of Boolean, too, and does not count.
    """
    from sympy import Symbol
    from sympy.logic.boolalg import Boolean

    return isinstance(value, bool) or (isinstance(value, Boolean) and not isinstance(value, Symbol))


@functools.lru_cache(maxsize=4096)
def compiled(expression: Any, *, complex_numbers: bool = False) -> Function:
    """Return a function of a point ``{symbol: value}``; it raises `Undefined` where there is none.

    Roots of negative numbers have no value, unless complex numbers are asked for or i occurs.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> compiled(sympy.sqrt(x) / 3)({x: Fraction(1, 4)})
    Fraction(1, 6)
    """
    import sympy

    if isinstance(expression, bool):
        return lambda point: expression
    unreal = complex_numbers or bool(expression.has(sympy.I))
    return _Compiler(unreal).build(expression)


def _times(a: Any, b: Any) -> Any:
    if isinstance(a, tuple) or isinstance(b, tuple):
        return matrices.multiply(a, b)
    return times(a, b)


def _plus(a: Any, b: Any) -> Any:
    if isinstance(a, tuple) or isinstance(b, tuple):
        return matrices.add(a, b)
    return plus(a, b)


class _Compiler:
    """Reads one tree."""

    def __init__(self, complex_numbers: bool) -> None:
        import sympy

        self.sympy, self.complex_numbers = sympy, complex_numbers

    def build(self, e: Any) -> Function:
        sp = self.sympy
        if e.is_Symbol or isinstance(e, (sp.MatrixSymbol, sp.core.function.AppliedUndef)):
            return self._variable(e)
        if e.is_number and not e.args:
            return self._constant(e)
        method = _METHODS.get(type(e).__name__)
        if method is not None:
            built: Function = getattr(self, method)(e)
            return built
        if e.is_Add or isinstance(e, sp.MatAdd):
            return self._fold(e.args, _plus)
        if e.is_Mul or isinstance(e, sp.MatMul):
            return self._fold(e.args, _times)
        if e.is_Pow or isinstance(e, (sp.MatPow, sp.Inverse)):
            return self._power(e)
        if e.is_Relational:
            return self._relation(e)
        if isinstance(e, sp.MatrixBase):
            return self._entries(e)
        if isinstance(e, sp.Function) and len(e.args) == 1:
            return self._function(e)
        raise Undefined(f"{type(e).__name__} is not evaluated")

    def _variable(self, e: Any) -> Function:
        def look_up(point: Point) -> Any:
            try:
                return point[e]
            except KeyError:
                raise Undefined(f"{e} has no value") from None

        if not isinstance(e, self.sympy.core.function.AppliedUndef):
            return look_up
        arguments = [self.build(a) for a in e.args]

        def entry(point: Point) -> Any:
            if e in point:  # one value was put in, to solve an equation
                return point[e]
            return point[e.func](*(argument(point) for argument in arguments))

        return entry

    def _constant(self, e: Any) -> Function:
        if e.is_Rational:
            number = int(e) if e.is_Integer else Fraction(int(e.p), int(e.q))
            return lambda point: number
        if e.has(self.sympy.oo, self.sympy.zoo, self.sympy.nan):
            raise Undefined("infinite")
        if e is self.sympy.I:
            unit = context().mpc(0, 1)
            return lambda point: unit
        if type(e).__name__ == "Float":
            exact = Fraction(str(e))
            return lambda point: exact
        if e is self.sympy.E:
            value = context().e + 0
        elif e is self.sympy.pi:
            value = context().pi + 0
        else:
            parts = e.evalf(70).as_real_imag()
            value = context().mpc(*[context().mpf(str(part)) for part in parts])
        return lambda point: value

    def _fold(self, arguments: tuple[Any, ...], join: Callable[[Any, Any], Any]) -> Function:
        parts = [self.build(a) for a in arguments]
        first, rest = parts[0], parts[1:]

        def fold(point: Point) -> Any:
            result = first(point)
            for part in rest:
                result = join(result, part(point))
            return result

        return fold

    def _power(self, e: Any) -> Function:
        base = self.build(e.args[0])
        exponent = self.build(e.args[1]) if len(e.args) > 1 else (lambda point: -1)
        complex_numbers = self.complex_numbers

        def raise_(point: Point) -> Any:
            b, x = base(point), exponent(point)
            if isinstance(b, tuple):
                return matrices.power(b, x)
            return power(b, x, complex_numbers=complex_numbers)

        return raise_

    def _relation(self, e: Any) -> Function:
        left, right, op = self.build(e.lhs), self.build(e.rhs), e.rel_op

        def compare(point: Point) -> bool:
            a, b = left(point), right(point)
            if op in ("==", "!="):
                return agree(a, b) is (op == "==")
            if isinstance(a, tuple) or isinstance(b, tuple):
                raise Undefined("matrices have no order")
            a, b = real(a), real(b)
            if agree(a, b):
                return op in ("<=", ">=")
            return (sign_of(plus(b, -a)) > 0) is (op in ("<", "<="))

        return compare

    def _entries(self, e: Any) -> Function:
        rows = [[self.build(entry) for entry in row] for row in e.tolist()]
        return lambda point: matrices.simple(
            tuple(tuple(entry(point) for entry in row) for row in rows)
        )

    def _function(self, e: Any) -> Function:
        """Return a function of one number that mpmath knows by the same name."""
        argument, name = self.build(e.args[0]), type(e).__name__
        if not is_known(name):
            raise Undefined(f"{name} is not evaluated")

        def apply(point: Point) -> Any:
            value = applied(name, argument(point))
            return value if self.complex_numbers else real(value)

        return apply

    # -- nodes with a rule of their own ----------------------------------------------------------

    def _absolute(self, e: Any) -> Function:
        inner = self.build(e.args[0])
        return lambda point: abs(inner(point))

    def _sign(self, e: Any) -> Function:
        inner = self.build(e.args[0])
        return lambda point: sign_of(inner(point))

    def _extreme(self, e: Any) -> Function:
        parts = [self.build(a) for a in e.args]
        choose = max if type(e).__name__ == "Max" else min
        return lambda point: choose((real(part(point)) for part in parts), key=to_mp)

    def _part(self, e: Any) -> Function:
        inner, name = self.build(e.args[0]), type(e).__name__

        def part(point: Point) -> Any:
            value = inner(point)
            if isinstance(value, (int, Fraction)):
                return 0 if name == "im" else value
            if name == "conjugate":
                return value.conjugate()
            return value.real if name == "re" else value.imag

        return part

    def _whole(self, e: Any) -> Function:
        inner, name = self.build(e.args[0]), type(e).__name__

        def whole(point: Point) -> int:
            value = real(inner(point))
            return int(context().floor(to_mp(value)) if name == "floor" else -((-value) // 1))

        return whole

    def _counted(self, e: Any) -> Function:
        """Return a factorial or a binomial coefficient."""
        parts = [self.build(a) for a in e.args]
        count = math.factorial if type(e).__name__ == "factorial" else math.comb

        def counted(point: Point) -> int:
            numbers = [part(point) for part in parts]
            if not all(isinstance(n, int) and 0 <= n < 200 for n in numbers):
                raise Undefined("only of whole numbers")
            return int(count(*numbers))

        return counted

    def _sum(self, e: Any) -> Function:
        """Return a sum or a product; of several indices the inner one comes first."""
        if any(len(limit) != 3 for limit in e.limits):
            raise Undefined("a sum without bounds")
        if any(limit[2] is self.sympy.oo for limit in e.limits):
            return self._endless(e)
        result = self.build(e.function)
        for index, low, high in e.limits:
            result = self._summed(result, index, low, high, plus=type(e).__name__ == "Sum")
        return result

    def _summed(self, body: Function, index: Any, low: Any, high: Any, *, plus: bool) -> Function:
        bottom, top = self.build(low), self.build(high)
        join, empty = (_plus, 0) if plus else (_times, 1)

        def add_up(point: Point) -> Any:
            start, stop = bottom(point), top(point)
            if not isinstance(start, int) or not isinstance(stop, int):
                raise Undefined("a sum between numbers that are not whole")
            if stop - start > _LONGEST_SUM:
                raise Unknown("a sum that is too long")
            result: Any = empty
            for i in range(start, stop + 1):
                term = body({**point, index: i})
                result = term if i == start else join(result, term)
            return result

        return add_up

    def _endless(self, e: Any) -> Function:
        """Return an endless sum by its closed form, where SymPy knows it."""
        closed = e.doit(deep=False)
        if isinstance(closed, self.sympy.Piecewise):  # where it converges
            known = [piece for piece in closed.args if not piece[0].has(self.sympy.Sum)]
            if known:
                return self._piecewise(self.sympy.Piecewise(*known, evaluate=False), endless=True)
        if closed.has(self.sympy.Sum):
            raise Unknown("an endless sum without a closed form")
        return self.build(closed)

    def _piecewise(self, e: Any, *, endless: bool = False) -> Function:
        pieces = [(self.build(value), self.build(condition)) for value, condition in e.args]

        def choose(point: Point) -> Any:
            for value, condition in pieces:
                if condition(point):
                    return value(point)
            if endless:
                raise Diverges("the sum does not converge")
            raise Undefined("no case applies")

        return choose

    def _logic(self, e: Any) -> Function:
        parts, name = [false_at_poles(self.build(a)) for a in e.args], type(e).__name__
        if name == "Not":
            return lambda point: not parts[0](point)
        if name == "And":
            return lambda point: all(part(point) for part in parts)
        if name == "Or":
            return lambda point: any(part(point) for part in parts)
        if name == "Implies":
            return lambda point: (not parts[0](point)) or parts[1](point)
        return lambda point: len({bool(part(point)) for part in parts}) == 1

    def _truth(self, e: Any) -> Function:
        value = bool(e)
        return lambda point: value

    def _identity(self, e: Any) -> Function:
        size = self.build(e.args[0])
        return lambda point: matrices.identity(size(point))

    def _zeros(self, e: Any) -> Function:
        rows, columns = (self.build(a) for a in e.args[:2])
        return lambda point: matrices.simple(
            tuple((0,) * columns(point) for _ in range(rows(point)))
        )

    def _of_matrix(self, e: Any) -> Function:
        inner, name = self.build(e.args[0]), type(e).__name__
        if name == "Inverse":
            return lambda point: matrices.power(inner(point), -1)
        apply = {
            "Transpose": matrices.transpose,
            "Determinant": matrices.determinant,
            "Trace": matrices.trace,
        }[name]
        return lambda point: apply(inner(point))

    def _element(self, e: Any) -> Function:
        inner, row, column = (self.build(a) for a in e.args)

        def element(point: Point) -> Any:
            value = inner(point)
            if not isinstance(value, tuple):
                return value
            try:
                return value[row(point)][column(point)]
            except IndexError:
                raise Undefined("no such entry") from None

        return element

    def _done(self, e: Any) -> Function:
        """Carry out a derivative, a limit or an integral that was only written down."""
        result = e.doit()
        if type(result) is type(e):
            raise Undefined(f"{type(e).__name__} without a closed form")
        return self.build(result)


_METHODS: Mapping[str, str] = {
    "Abs": "_absolute",
    "sign": "_sign",
    **dict.fromkeys(("Max", "Min"), "_extreme"),
    **dict.fromkeys(("re", "im", "conjugate"), "_part"),
    **dict.fromkeys(("floor", "ceiling"), "_whole"),
    **dict.fromkeys(("factorial", "binomial"), "_counted"),
    **dict.fromkeys(("Sum", "Product"), "_sum"),
    "Piecewise": "_piecewise",
    **dict.fromkeys(("And", "Or", "Not", "Implies", "Equivalent"), "_logic"),
    **dict.fromkeys(("BooleanTrue", "BooleanFalse"), "_truth"),
    "Identity": "_identity",
    "ZeroMatrix": "_zeros",
    **dict.fromkeys(("Transpose", "Determinant", "Trace", "Inverse"), "_of_matrix"),
    "MatrixElement": "_element",
    **dict.fromkeys(("Derivative", "Limit", "Integral"), "_done"),
}
