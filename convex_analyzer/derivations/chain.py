"""A derivation under construction: every line is held against the one above as it is added.

Two routes, neither of which made the line: substitution of exact numbers for every symbol, and a
normal form of the difference. Both must agree for ``proved``; numbers alone are ``plausible``; one
number that differs is ``refuted``, and is printed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping
from typing import Any

from convex_analyzer.derivations.lines import Derivation, Line

__all__ = ["Chain", "agree", "is_zero", "normal_form", "sample"]

_POINTS = 6
_DIGITS = 40
_ABOVE_ONE = frozenset({"L", "N", "kappa"})  # m < L and 1 < κ are meant wherever they occur


class Chain:
    """Lines so far.

    Parameters
    ----------
    title
        What is derived.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.lines: list[Line] = []

    def say(self, title: str, statement: Any, reason: str, check: str, holds: Any) -> None:
        """Add a line that was checked by the caller (`holds`: a truth value, or a verdict)."""
        verdict = holds if isinstance(holds, str) else "proved" if bool(holds) else "refuted"
        self.lines.append(Line(title, statement, reason, check, verdict))

    def equal(
        self,
        title: str,
        left: Any,
        right: Any,
        reason: str,
        *,
        given: Any = None,
        using: Mapping[Any, Any] | None = None,
        more: tuple[str, bool] | None = None,
    ) -> None:
        """Add left = right, where right must equal `given`.

        Parameters
        ----------
        title, reason
            Of the line.
        left, right
            The two sides.
        given
            What the lines above say that the left side is; its own right side when left out.
        using
            Equations (symbol to expression) that the step uses, put into both before comparing.
        more
            A further check: its name, and whether it passed.
        """
        import sympy

        above = self.lines[-1].statement.rhs if given is None else given
        verdict, check = agree(above, right, using)
        if more is not None:
            check = f"{check}; {more[0]}"
            verdict = verdict if more[1] else "refuted"
        self.lines.append(
            Line(title, sympy.Eq(left, right, evaluate=False), reason, check, verdict)
        )

    def done(self, stopped: str = "") -> Derivation:
        """Return the derivation; `stopped` says where it ends short, and why."""
        return Derivation(self.title, tuple(self.lines), stopped)


def agree(a: Any, b: Any, using: Mapping[Any, Any] | None = None) -> tuple[str, str]:
    """Compare two expressions, or matrices of one shape; return the verdict and how it was reached.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", positive=True)
    >>> agree((1 - x) * (1 + x), 1 - x**2)[0], agree(sympy.sqrt(x**2), -x)[0]
    ('proved', 'refuted')
    """
    import sympy

    pairs = list(zip(_entries(a), _entries(b), strict=True))
    if using:
        pairs = [(x.subs(using), y.subs(using)) for x, y in pairs]
    symbols = set().union(*(s.free_symbols for pair in pairs for s in pair))
    tried = 0
    for point in itertools.islice(_points(symbols), _POINTS):
        for x, y in pairs:
            left, right = _value(x, point), _value(y, point)
            if left.has(sympy.nan, sympy.zoo, sympy.oo) or right.has(sympy.nan, sympy.zoo):
                continue
            tried += 1
            if not _same_number(left, right):
                where = ", ".join(f"{s} = {v}" for s, v in sorted(point.items(), key=str))
                return "refuted", f"at {where}: {left} against {right}"
    if tried and all(is_zero(x - y) for x, y in pairs):
        return "proved", f"normal form of the difference is 0; equal at {_POINTS} exact points"
    return "plausible", f"equal at {tried} exact points; no normal form decides it"


def _entries(value: Any) -> list[Any]:
    import sympy

    if isinstance(value, sympy.MatrixBase | sympy.MatrixExpr):
        return list(value.doit())
    return [sympy.sympify(value)]


def _points(symbols: Iterable[Any]) -> Iterable[dict[Any, Any]]:
    rng = random.Random(0)
    ordered = sorted(symbols, key=str)
    while True:
        yield {symbol: sample(symbol, rng) for symbol in ordered}


def sample(symbol: Any, rng: random.Random) -> Any:
    """Draw a small exact number that a symbol may be."""
    import sympy

    if symbol.is_integer:
        return sympy.Integer(rng.randint(2, 5))
    number = sympy.Rational(rng.randint(1, 12), 13)
    if symbol.name in _ABOVE_ONE:
        return number + 1
    return number if symbol.is_positive or rng.random() < 0.5 else -number


def _value(expression: Any, point: Mapping[Any, Any]) -> Any:
    """Put numbers in; what has an index (x[3]) or an argument (g(1/2)) gets one of its own."""
    import sympy

    given = expression.subs(point).doit()
    unknown = given.atoms(sympy.Indexed, sympy.core.function.AppliedUndef)
    numbers = {u: sample(sympy.Symbol("u", real=True), random.Random(str(u))) for u in unknown}
    return given.xreplace(numbers)


def _same_number(a: Any, b: Any) -> bool:
    difference = a - b
    if difference.is_Rational:
        return bool(difference == 0)
    size = max(1, abs(complex(a)), abs(complex(b)))
    return bool(abs(complex(difference.evalf(_DIGITS))) < 1e-30 * size)


def is_zero(expression: Any) -> bool:
    """Tell whether the normal form of an expression is zero."""
    return bool(normal_form(expression) == 0)


def normal_form(expression: Any) -> Any:
    """Return a quotient of polynomials in symbols, roots and powers f^k, in lowest terms.

    Examples
    --------
    >>> import sympy
    >>> x, k = sympy.symbols("x k", positive=True)
    >>> normal_form((1 - x) ** (k + 1) - (1 - x) * (1 - x) ** k)
    0
    """
    import sympy

    given = sympy.sympify(expression)
    stands: dict[Any, Any] = {}

    def stand_in(power: Any) -> Any:
        base, exponent = sympy.factor(power.base), sympy.expand(power.exp)
        out = sympy.Integer(1)
        for term in sympy.Add.make_args(exponent):
            if term.is_number:
                out *= base**term
                continue
            count, rest = term.as_coeff_Mul()
            out *= stands.setdefault((base, rest), sympy.Dummy("f")) ** count
        return out

    given = given.replace(lambda p: p.is_Pow and not p.exp.is_number, stand_in)
    given = given.replace(
        lambda e: isinstance(e, sympy.Abs) and e.args[0].is_real,
        lambda e: e.args[0] * sympy.sign(e.args[0]),
    )
    out = sympy.cancel(sympy.expand(sympy.cancel(sympy.together(given))))
    signs = [s for s in out.atoms(sympy.sign) if s.args[0].is_nonzero]
    return _without_squares(out, signs) if signs else out


def _without_squares(expression: Any, signs: list[Any]) -> Any:
    """Use that the square of a sign is 1."""
    import sympy

    top, bottom = sympy.fraction(expression)
    for sign in signs:
        letter = sympy.Dummy("s")
        top = sympy.rem(sympy.expand(top).subs(sign, letter), letter**2 - 1, letter)
        top = top.subs(letter, sign)
    return top / bottom
