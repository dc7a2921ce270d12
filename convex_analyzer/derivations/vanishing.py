"""Whether a quotient of polynomials in symbols, roots and powers f^k is zero: fast, and exactly.

Sums are brought over one denominator in a ring of polynomials, without SymPy's expressions, which
are a hundred times slower. The square of a root is what stands below it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

__all__ = ["signs_of_coefficients", "vanishes"]

_LARGEST_POWER = 40


def vanishes(expression: Any) -> bool | None:
    """Return whether an expression is zero; None: it is no such quotient, or roots decide it.

    Examples
    --------
    >>> import sympy
    >>> x, k = sympy.symbols("x k", positive=True)
    >>> vanishes((1 - x)**(k + 1) - (1 - x)**k * (1 - x)), vanishes(1 / x - x)
    (True, False)
    >>> y = sympy.Symbol("y", real=True)
    >>> vanishes(1 / abs(y) - abs(y) / y**2)
    True
    >>> vanishes(1 / (sympy.sqrt(1 + x) - 1) - (sympy.sqrt(1 + x) + 1) / x)
    True
    """
    import sympy
    from sympy.polys.polyerrors import BasePolynomialError

    given = sympy.sympify(expression)
    if given.is_Rational:
        return bool(given == 0)
    reader = _Reader()
    try:
        reader.look(given)
        reader.start()
        top, _ = reader.read(given)
        for root, power, (above, below) in reversed(reader.rules):
            top = _reduced(top, root, power, above, below)
    except (_UnknownError, ZeroDivisionError, BasePolynomialError):
        return None
    if not top:
        return True
    return None if reader.rules or reader.powers else False


def signs_of_coefficients(expression: Any) -> tuple[list[int], list[int]] | None:
    """Return the signs of those of numerator and denominator; None where it has roots or indices.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", positive=True)
    >>> signs_of_coefficients(1 - x / (1 + x))
    ([1], [1, 1])
    """
    import sympy
    from sympy.polys.polyerrors import BasePolynomialError

    reader = _Reader()
    try:
        given = sympy.sympify(expression)
        reader.look(given)
        if reader.roots or reader.powers or not all(e.is_Symbol for e in reader.letters):
            return None
        reader.start()
        top, bottom = reader.read(given)
    except (_UnknownError, ZeroDivisionError, BasePolynomialError):
        return None
    above, below = ([1 if c > 0 else -1 for c in part.values()] for part in (top, bottom))
    return above, below


class _UnknownError(Exception):
    """Something other than + - * / and powers."""


def _is_size(e: Any) -> bool:
    """Whether this is |x| of a real x: the root of x²."""
    return type(e).__name__ == "Abs" and bool(e.args[0].is_real)


class _Reader:
    """Turns a tree into a numerator and a denominator."""

    def __init__(self) -> None:
        self.letters: dict[Any, Any] = {}  # symbol, root or power -> element of the ring
        self.roots: dict[Any, int] = {}  # root (as base, degree) -> degree
        self.powers: set[Any] = set()  # of exponents that are no numbers
        self.rules: list[tuple[int, int, tuple[Any, Any]]] = []

    def look(self, e: Any) -> None:
        """Collect the generators."""
        from sympy import Indexed
        from sympy.core.function import AppliedUndef

        if e.is_Symbol or isinstance(e, Indexed | AppliedUndef):
            self.letters[e] = None
        elif e.is_Add or e.is_Mul:
            for part in e.args:
                self.look(part)
        elif e.is_Pow:
            self.look(e.base)
            self.look_at_power(e.base, e.exp)
        elif _is_size(e):
            self.look(e.args[0])
            self.roots[(e.args[0] ** 2, 2)] = 2
        elif not e.is_Rational:
            raise _UnknownError

    def look_at_power(self, base: Any, exponent: Any) -> None:
        """Collect a root, or powers whose exponents are no numbers."""
        if exponent.is_Rational:
            if abs(exponent.p) > _LARGEST_POWER or exponent.q > 4:
                raise _UnknownError
            if exponent.q != 1:
                self.roots[(base, int(exponent.q))] = int(exponent.q)
            return
        self.powers |= {(base, rest) for rest, _ in _terms(exponent) if rest != 1}

    def start(self) -> None:
        """Make the ring."""
        from sympy import QQ
        from sympy.polys.rings import ring

        keys = [
            *sorted(self.letters, key=str),
            *sorted(self.powers, key=str),
            *sorted(self.roots, key=lambda r: (len(str(r)), str(r))),
        ]
        self.ring, *elements = ring([f"g{i}" for i in range(len(keys))], QQ)
        self.letters = dict(zip(keys, elements, strict=True))
        place = {key: i for i, key in enumerate(keys)}
        for base, degree in list(self.roots):
            inside = self.read(base)
            self.rules.append((place[(base, degree)], degree, inside))

    def read(self, e: Any) -> tuple[Any, Any]:
        """Return the numerator and the denominator of an expression."""
        one = self.ring.one
        if e.is_Rational:
            return self.ring.ground_new(Fraction(int(e.p), int(e.q))), one
        if e in self.letters:
            return self.letters[e], one
        if _is_size(e):
            return self.letters[(e.args[0] ** 2, 2)], one
        if e.is_Add:
            total = self.read(e.args[0])
            for part in e.args[1:]:
                total = _sum(total, self.read(part))
            return total
        if e.is_Mul:
            top, bottom = one, one
            for part in e.args:
                above, below = self.read(part)
                top, bottom = top * above, bottom * below
            return top, bottom
        return self._read_power(e)

    def _read_power(self, e: Any) -> tuple[Any, Any]:
        one = self.ring.one
        if e.exp.is_Rational:
            if e.exp.q != 1:
                return _power((self.letters[(e.base, int(e.exp.q))], one), int(e.exp.p))
            return _power(self.read(e.base), int(e.exp.p))
        value = (one, one)
        for rest, count in _terms(e.exp):
            base = self.read(e.base) if rest == 1 else (self.letters[(e.base, rest)], one)
            above, below = _power(base, count)
            value = (value[0] * above, value[1] * below)
        return value


def _terms(exponent: Any) -> list[tuple[Any, int]]:
    """Return the terms of an exponent, each with its whole coefficient; a number has the rest 1."""
    import sympy

    found = []
    for term in sympy.Add.make_args(sympy.expand(exponent)):
        count, rest = term.as_coeff_Mul()
        if not count.is_Integer or abs(count) > _LARGEST_POWER:
            raise _UnknownError
        found.append((rest, int(count)))
    return found


def _power(value: tuple[Any, Any], count: int) -> tuple[Any, Any]:
    top, bottom = value if count >= 0 else value[::-1]
    if not bottom:
        raise ZeroDivisionError
    return top ** abs(count), bottom ** abs(count)


def _sum(a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
    if a[1] == b[1]:
        return a[0] + b[0], a[1]
    if a[1].is_ground and b[1].is_ground:
        return a[0] * b[1] + b[0] * a[1], a[1] * b[1]
    _, first, second = a[1].cofactors(b[1])
    return a[0] * second + b[0] * first, a[1] * second


def _reduced(top: Any, place: int, power: int, above: Any, below: Any) -> Any:
    """Use that the n-th power of a root is above/below; the top may gain factors of below."""
    highest = max((m[place] for m in top), default=0) // power
    if not highest:
        return top
    parts: dict[int, Any] = {}
    for monomial, coefficient in top.items():
        count, rest = divmod(monomial[place], power)
        kept = (*monomial[:place], rest, *monomial[place + 1 :])
        part = parts.setdefault(count, top.ring.zero)
        part[kept] = part.get(kept, top.ring.domain.zero) + coefficient
    total = top.ring.zero
    for count, part in parts.items():
        total = total + part * above**count * below ** (highest - count)
    return total
