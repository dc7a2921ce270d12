"""The normal form of a scalar: a quotient over generators that are rationally independent.

Symbols, roots, powers with symbolic exponents, absolute values, exponentials and inner products
become generators; the rest is rational arithmetic. Two lines are equal if the numerator of their
difference is empty.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.field import ANY, Field, Generator, Signs
from convex_analyzer.derivations.judging.polynomials import (
    ONE,
    ZERO,
    Poly,
    Quotient,
    TooLarge,
    constant,
    generator,
)
from convex_analyzer.derivations.judging.powers import raised
from convex_analyzer.derivations.judging.settle import settled

__all__ = ["HELD", "Normalizer"]

HELD = "a sum that is not to be merged"  # no declared name has spaces

_LONGEST_SUM = 24


class Normalizer:
    """Turns SymPy expressions into quotients over one field."""

    def __init__(self, field: Field, kinds: Mapping[str, str] | None = None) -> None:
        import sympy

        self.sympy, self.field, self.kinds = sympy, field, kinds or {}
        self.sums: dict[Any, Any] = {}  # what `words` knows of sums that are inverted
        self._known: dict[Any, Quotient] = {}

    def scalar(self, e: Any) -> Quotient:
        """Return the normal form of a scalar.

        Raises
        ------
        TooLarge
            It is too long, or holds what has no normal form.
        """
        found = self._known.get(e)
        if found is None:
            self.field.clock.check()
            try:
                found = self._known[e] = self._scalar(e)
            except ZeroDivisionError:
                raise TooLarge from None
        return found

    def _scalar(self, e: Any) -> Quotient:
        sp = self.sympy
        if e.is_Rational:
            return _number(Fraction(int(e.p), int(e.q)))
        if e.is_Symbol:
            return self.symbol(e)
        if e.is_Add or e.is_Mul:
            join = operator.add if e.is_Add else operator.mul
            return functools.reduce(join, map(self.scalar, e.args))
        if e.is_Pow:
            return raised(self.field, self.scalar(e.base), self.scalar(e.exp))
        if isinstance(e, sp.core.function.AppliedUndef):
            return self._applied(e)
        method = _METHODS.get(type(e).__name__)
        if method is not None:
            value: Quotient = getattr(self, method)(e)
            return value
        if getattr(e, "shape", None) == (1, 1):
            return self._of_matrix(e)
        if isinstance(e, sp.Function) or e.is_number:
            return self.opaque(e)
        raise TooLarge

    def _applied(self, e: Any) -> Quotient:
        """Return the value of a sequence or function that is only declared."""
        if e.func.__name__ == HELD:
            return self.scalar(e.args[0])
        return self.symbol(e.func(*map(settled, e.args)))

    def symbol(self, e: Any) -> Quotient:
        """Return a symbol as a generator."""
        new = Generator(
            ("symbol", e), signs_of(e), frozenset(e.free_symbols), whole=bool(e.is_integer)
        )
        return Quotient(generator(self.field.index(new)), {})

    def opaque(self, e: Any, signs: Signs = ANY) -> Quotient:
        """Return a function as a generator, equal for equal arguments."""
        if e.is_number and not e.args:
            signs = frozenset((1,)) if e.is_positive else ANY
            if not e.is_real:
                raise TooLarge
        name = getattr(e.func, "__name__", str(e.func))
        arguments = tuple(self.field.key(self.scalar(a)) for a in e.args)
        key = (name, str(e) if not e.args else arguments)
        free = frozenset(e.free_symbols)
        new = Generator(key, signs, free, whole=bool(e.is_integer))
        return Quotient(generator(self.field.index(new)), {})

    # -- functions ------------------------------------------------------------------------------

    def _absolute(self, e: Any) -> Quotient:
        inner = self.scalar(e.args[0])
        return inner * self.sign_of(inner)

    def sign_of(self, value: Quotient) -> Quotient:
        """Return a quotient of square 1 that has the sign of a value, wherever it is not zero."""
        field = self.field
        top = field.reduced(value.top)
        if not top:
            return ONE
        result = ONE
        for polynomial, count in [(top, 1), *((dict(k), c) for k, c in value.bottom.items())]:
            parts = field.factors(polynomial)
            result = result * Quotient(
                constant(1 if parts.number > 0 or count % 2 == 0 else -1), {}
            )
            for index, exponent in parts.monomial:
                if (exponent * count) % 2 and exponent % 1 == 0:
                    result = result * field.sign(generator(index))
            for factor, times in parts.rest:
                if times * count % 2:
                    result = result * field.sign(dict(factor))
        return result

    def _sign(self, e: Any) -> Quotient:
        inner = self.scalar(e.args[0])
        top = self.field.reduced(inner.top)
        if not top:
            return ZERO
        if 0 in self.field.signs(top):
            self.field.zeros_assumed.add(e.args[0])
        return self.sign_of(inner)

    def _exponential(self, e: Any) -> Quotient:
        exponent = self.scalar(e.args[0])
        whole = exponent.whole()
        if whole is None:
            return self.opaque(e, frozenset((1,)))
        result = ONE
        for monomial, coefficient in whole.items():
            free = self.field.free({monomial: 1})
            new = Generator(("exp", monomial), frozenset((1,)), free)
            result = result * Quotient(generator(self.field.index(new), coefficient), {})
        return result

    def _logarithm(self, e: Any) -> Quotient:
        """Return the logarithm, split where every factor is known to be positive."""
        inner = self.scalar(e.args[0])
        field = self.field
        parts = [(field.factors(field.reduced(inner.top)), 1)] if inner.top else []
        parts += [(field.factors(dict(k)), -c) for k, c in inner.bottom.items()]
        total = ZERO
        for part, side in parts:
            if part.number <= 0:
                return self.opaque(e)
            if part.number != 1:
                number = self.sympy.Rational(
                    Fraction(part.number).numerator, Fraction(part.number).denominator
                )
                for prime, count in self.sympy.factorint(number).items():
                    total = total + self._log_of(constant(int(prime))) * _number(count * side)
            for index, exponent in part.monomial:
                if field.generators[index].signs != {1}:
                    return self.opaque(e)
                total = total + self._log_of_generator(index) * _number(exponent * side)
            for factor, times in part.rest:
                if field.signs(dict(factor)) != {1}:
                    return self.opaque(e)
                total = total + self._log_of(dict(factor)) * _number(times * side)
        return total

    def _log_of_generator(self, index: int) -> Quotient:
        key = self.field.generators[index].key
        match key:
            case ("exp", monomial):
                return Quotient({monomial: 1}, {})
            case ("pow", ("gen", base), monomial):
                return self._log_of(generator(base)) * Quotient({monomial: 1}, {})
        return self._log_of(generator(index))

    def _log_of(self, argument: Poly) -> Quotient:
        key = ("log", tuple(sorted(argument.items())))
        new = Generator(key, ANY, self.field.free(argument))
        return Quotient(generator(self.field.index(new)), {})

    def _circular(self, e: Any) -> Quotient:
        """Return sine or cosine: even and odd are used, and sin² = 1 - cos²."""
        sp, inner = self.sympy, self.scalar(e.args[0])
        if inner.is_zero:
            return ZERO if isinstance(e, sp.sin) else ONE
        key, mirrored = self.field.key(inner), self.field.key(-inner)
        flip = repr(mirrored) < repr(key)
        least = mirrored if flip else key
        free = frozenset(e.free_symbols)
        cosine = Quotient(generator(self.field.index(Generator(("cos", least), ANY, free))), {})
        if isinstance(e, sp.cos):
            return cosine
        rest = (ONE - cosine * cosine).top
        new = Generator(("sin", least), ANY, free, ("square", rest))
        sine = Quotient(generator(self.field.index(new)), {})
        return -sine if flip else sine

    def _extreme(self, e: Any) -> Quotient:
        """Return Max or Min of two by (a + b ± |a - b|)/2, of more one after the other."""
        side = 1 if type(e).__name__ == "Max" else -1
        result = self.scalar(e.args[0])
        for argument in e.args[1:]:
            other = self.scalar(argument)
            difference = result - other
            distance = difference * self.sign_of(difference)
            result = (result + other + distance * _number(side)) * _number(Fraction(1, 2))
        return result

    def _factorial(self, e: Any) -> Quotient:
        """Return (k + c)! as k! times its further factors."""
        inner = self.scalar(e.args[0])
        whole = inner.whole()
        if whole is None or not any(whole):
            return self.opaque(e, frozenset((1,)))
        shift = whole.get((), 0)
        if not isinstance(shift, int) and Fraction(shift).denominator != 1:
            return self.opaque(e, frozenset((1,)))
        if abs(shift) > 8:
            raise TooLarge
        base = inner - _number(shift)
        key = ("factorial", self.field.key(base))
        new = Generator(key, frozenset((1,)), frozenset(e.free_symbols), whole=True)
        result = Quotient(generator(self.field.index(new)), {})
        for j in range(1, int(shift) + 1):
            result = result * (base + _number(j))
        for j in range(int(shift) + 1, 1):
            result = result * (base + _number(j)).inverse()
        return result

    # -- sums, derivatives, matrices ------------------------------------------------------------

    def _sum(self, e: Any) -> Quotient:
        from convex_analyzer.derivations.judging.sums import summed

        return summed(self, e)

    def _done(self, e: Any) -> Quotient:
        result = e.doit()
        if type(result) is type(e):
            raise TooLarge
        return self.scalar(result)

    def _of_matrix(self, e: Any) -> Quotient:
        from convex_analyzer.derivations.judging.words import Words

        return Words(self).scalar(e)


def _number(value: Any) -> Quotient:
    return Quotient(constant(value), {})


def signs_of(e: Any) -> Signs:
    """Return which signs SymPy's assumptions leave to a symbol."""
    signs = set()
    if e.is_positive is not False:
        signs.add(1)
    if e.is_negative is not False:
        signs.add(-1)
    if e.is_zero is not False:
        signs.add(0)
    return frozenset(signs)


_METHODS: Mapping[str, str] = {
    "Abs": "_absolute",
    "sign": "_sign",
    "exp": "_exponential",
    "log": "_logarithm",
    **dict.fromkeys(("sin", "cos"), "_circular"),
    **dict.fromkeys(("Max", "Min"), "_extreme"),
    "factorial": "_factorial",
    "Sum": "_sum",
    **dict.fromkeys(("Derivative", "Limit", "Integral"), "_done"),
    **dict.fromkeys(("Trace", "Determinant", "MatrixElement"), "_of_matrix"),
}
