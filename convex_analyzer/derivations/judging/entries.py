"""Matrix expressions for n = 2, entry by entry: what the normal form of words does not decide."""

from __future__ import annotations

import functools
import operator
from typing import Any

from convex_analyzer.derivations.judging.letters import cofactors
from convex_analyzer.derivations.judging.normal import Normalizer
from convex_analyzer.derivations.judging.polynomials import ONE, ZERO, Quotient, TooLarge

__all__ = ["Entries"]

Rows = tuple[tuple[Quotient, ...], ...]
_LARGEST_POWER = 6


class Entries:
    """Evaluates expressions with generic 2 by 2 matrices of symbols.

    Parameters
    ----------
    normal
        Makes the scalars.
    reflected
        Whether orthogonal matrices are reflections instead of rotations; each is a rational
        function of one parameter.
    """

    def __init__(self, normal: Normalizer, *, reflected: bool = False) -> None:
        self.normal, self.reflected, self.sympy = normal, reflected, normal.sympy

    def value(self, e: Any) -> Rows | Quotient:
        """Return the entries of a matrix expression, or the value of a scalar one.

        Raises
        ------
        TooLarge
            It holds what is not known here, or becomes too long.
        """
        self.normal.field.clock.check()
        name = type(e).__name__
        if name == "MatrixSymbol":
            return self._generic(e)
        if name in ("Identity", "ZeroMatrix"):
            one = ONE if name == "Identity" else ZERO
            return ((one, ZERO), (ZERO, one)) if e.shape[1] != 1 else ((ZERO,), (ZERO,))
        if not e.has(self.sympy.MatrixSymbol):
            return self.normal.scalar(e)
        if name in ("Add", "MatAdd"):
            return functools.reduce(self._plus, map(self.value, e.args))
        if name in ("Mul", "MatMul"):
            return functools.reduce(self._times, map(self.value, e.args))
        if name in ("Pow", "MatPow", "Inverse"):
            return self._power(self.value(e.args[0]), e.args[1] if len(e.args) > 1 else None)
        return self._of_matrix(name, self.value(e.args[0]))

    def _of_matrix(self, name: str, inner: Rows | Quotient) -> Rows | Quotient:
        """Return a transpose, a trace or a determinant."""
        if not isinstance(inner, tuple):
            if name in ("Trace", "Transpose", "Determinant"):
                return inner
            raise TooLarge
        if name == "Transpose":
            return tuple(zip(*inner, strict=True))
        if name == "Trace":
            return inner[0][0] + inner[1][1]
        if name == "Determinant":
            return cofactors(inner)
        raise TooLarge

    def _generic(self, matrix: Any) -> Rows:
        kind, name = self.normal.kinds.get(matrix.name, "matrix"), matrix.name

        def entry(suffix: str) -> Quotient:
            return self.normal.symbol(self.sympy.Symbol(f"{name}{suffix}", real=True))

        if matrix.shape[1] == 1:
            return ((entry("1"),), (entry("2"),))
        if kind == "orthogonal matrix":
            t = entry("t")
            scale = (ONE + t * t).inverse()
            c, s = (ONE - t * t) * scale, (t + t) * scale
            return ((c, s), (s, -c)) if self.reflected else ((c, -s), (s, c))
        if kind == "diagonal matrix":
            return ((entry("11"), ZERO), (ZERO, entry("22")))
        below = entry("21") if kind == "matrix" else entry("12")
        return ((entry("11"), entry("12")), (below, entry("22")))

    def _plus(self, a: Rows | Quotient, b: Rows | Quotient) -> Rows | Quotient:
        if isinstance(a, tuple) and isinstance(b, tuple):
            pairs = zip(a, b, strict=True)
            return tuple(tuple(x + y for x, y in zip(r, s, strict=True)) for r, s in pairs)
        if isinstance(a, tuple) or isinstance(b, tuple):
            raise TooLarge
        return a + b

    def _times(self, a: Rows | Quotient, b: Rows | Quotient) -> Rows | Quotient:
        if not isinstance(a, tuple):
            if not isinstance(b, tuple):
                return a * b
            return tuple(tuple(a * x for x in row) for row in b)
        if not isinstance(b, tuple):
            return tuple(tuple(x * b for x in row) for row in a)
        columns = list(zip(*b, strict=True))
        rows = tuple(
            tuple(
                functools.reduce(operator.add, (x * y for x, y in zip(r, c, strict=True)))
                for c in columns
            )
            for r in a
        )
        return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows

    def _power(self, base: Rows | Quotient, exponent: Any) -> Rows | Quotient:
        from convex_analyzer.derivations.judging.powers import raised

        if not isinstance(base, tuple):
            return raised(self.normal.field, base, self.normal.scalar(exponent))
        if exponent is not None and not (exponent.is_Integer and abs(exponent) <= _LARGEST_POWER):
            raise TooLarge
        count = -1 if exponent is None else int(exponent)
        if count < 0:
            whole = cofactors(base).inverse()
            (a, b), (c, d) = base
            base = ((d * whole, -(b * whole)), (-(c * whole), a * whole))
        result: Rows | Quotient = ((ONE, ZERO), (ZERO, ONE))
        for _ in range(abs(count)):
            result = self._times(result, base)
        return result
