"""A derivation under construction: every line is held against the one above as it is added.

Two routes, neither of which made the line: substitution of exact numbers for every symbol, and a
normal form of the difference. Both must agree for ``proved``; numbers alone are ``plausible``; one
number that differs is ``refuted``, and is printed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.lines import Derivation, Line
from convex_analyzer.derivations.vanishing import vanishes

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
    pairs = list(zip(_entries(a), _entries(b), strict=True))
    if using:
        pairs = [(x.subs(using), y.subs(using)) for x, y in pairs]
    symbols = set().union(*(s.free_symbols for pair in pairs for s in pair))
    tried = 0
    for point in itertools.islice(_points(symbols), _POINTS):
        for x, y in pairs:
            same = _same_at(x, y, point)
            if same is None:
                continue
            tried += 1
            if not same:
                left, right = _value(x, point), _value(y, point)
                where = ", ".join(f"{s} = {v}" for s, v in sorted(point.items(), key=str))
                return "refuted", f"at {where}: {left} against {right}"
    if tried and all(_no_difference(x, y) for x, y in pairs):
        return "proved", f"normal form of the difference is 0; equal at {_POINTS} exact points"
    return "plausible", f"equal at {tried} exact points; no normal form decides it"


def _no_difference(x: Any, y: Any) -> bool:
    (a, b), _ = named_powers([x, y])
    return is_zero(a - b)


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


def _same_at(x: Any, y: Any, point: Mapping[Any, Any]) -> bool | None:
    """Compare at a point; None where a side is undefined."""
    from mpmath import mp

    with mp.workdps(_DIGITS):
        try:
            numbers = {s: Fraction(int(v.p), int(v.q)) for s, v in point.items()}
            a, b = (_arithmetic(e, numbers) for e in (x, y))
        except _NoArithmeticError:
            a, b = _value(x, point).evalf(_DIGITS), _value(y, point).evalf(_DIGITS)
            if not (a.is_finite and b.is_finite):
                return None
            a, b = complex(a), complex(b)
            return abs(a - b) <= 1e-12 * max(1, abs(a), abs(b))
        except (ZeroDivisionError, OverflowError):
            return None
        if isinstance(a, Fraction) and isinstance(b, Fraction):
            return a == b
        a, b = _real(a), _real(b)
        return bool(abs(a - b) <= mp.mpf(10) ** -30 * max(1, abs(a), abs(b)))


class _NoArithmeticError(Exception):
    """Something other than + - * / powers and roots."""


def _real(number: Any) -> Any:
    from mpmath import mp

    if isinstance(number, Fraction):
        return mp.mpf(number.numerator) / number.denominator
    return number


def _arithmetic(e: Any, point: Mapping[Any, Any]) -> Any:
    """Evaluate: fractions stay fractions, roots have 40 digits."""
    if e in point:
        return point[e]
    if e.is_Rational:
        return Fraction(int(e.p), int(e.q))
    if e.is_Add or e.is_Mul:
        values = [_arithmetic(part, point) for part in e.args]
        if not all(isinstance(value, Fraction) for value in values):
            values = [_real(value) for value in values]
        out = values[0]
        for value in values[1:]:
            out = out + value if e.is_Add else out * value
        return out
    if e.is_Pow:
        base, exponent = _arithmetic(e.base, point), _arithmetic(e.exp, point)
        if isinstance(base, Fraction) and isinstance(exponent, Fraction):
            return _power(base, exponent)
        return _real(base) ** _real(exponent)
    return _of_function(e, point)


def _of_function(e: Any, point: Mapping[Any, Any]) -> Any:
    """Evaluate |x| and sign(x); give x[3] or g(1/2) a number of its own, always the same."""
    import sympy

    name = type(e).__name__
    if name in {"Max", "Min"}:
        choose = max if name == "Max" else min
        return choose((_arithmetic(part, point) for part in e.args), key=_real)
    if name == "Piecewise":
        return _of_cases(e, point)
    if not isinstance(e, sympy.Indexed | sympy.core.function.AppliedUndef | sympy.Abs | sympy.sign):
        raise _NoArithmeticError
    values = [_arithmetic(part, point) for part in (e.indices if name == "Indexed" else e.args)]
    if not all(isinstance(value, Fraction) for value in values):
        raise _NoArithmeticError
    if name in {"Abs", "sign"}:
        (value,) = values
        return abs(value) if name == "Abs" else Fraction((value > 0) - (value < 0))
    base = str(e.base) if name == "Indexed" else name
    drawn = sample(sympy.Symbol("u", real=True), random.Random(f"{base}{values}"))
    return Fraction(int(drawn.p), int(drawn.q))


def _of_cases(e: Any, point: Mapping[Any, Any]) -> Any:
    for value, condition in e.args:
        if _holds(condition, point):
            return _arithmetic(value, point)
    raise _NoArithmeticError


def _holds(condition: Any, point: Mapping[Any, Any]) -> bool:
    """Whether a condition holds at a point; rounded numbers that are equal decide nothing."""
    if condition in (True, False):
        return bool(condition)
    if type(condition).__name__ in {"And", "Or", "Not"}:
        truths = [_holds(part, point) for part in condition.args]
        return {"And": all, "Or": any}.get(type(condition).__name__, lambda t: not t[0])(truths)
    if not condition.is_Relational:
        raise _NoArithmeticError
    gap = _arithmetic(condition.lhs - condition.rhs, point)
    if not isinstance(gap, Fraction) and abs(gap) < 1e-30:
        raise _NoArithmeticError
    signs = {"<": gap < 0, "<=": gap <= 0, ">": gap > 0, ">=": gap >= 0}
    return bool(signs.get(condition.rel_op, (gap == 0) is (condition.rel_op == "==")))


def _power(base: Fraction, exponent: Fraction) -> Any:
    from mpmath import mp

    if exponent.denominator == 1:
        return base**exponent.numerator
    number = _real(base)
    return (mp.mpc(number) if number < 0 else number) ** _real(exponent)


def named_powers(expressions: list[Any]) -> tuple[list[Any], dict[Any, Any]]:
    """Put a letter for each number to a symbol, such as 0.96^ψ; return what each stands for.

    Expanding would split such a power by the primes of its base.

    Examples
    --------
    >>> import sympy
    >>> psi = sympy.Symbol("psi", positive=True)
    >>> power = sympy.Rational(24, 25) ** psi
    >>> (written,), back = named_powers([power**2 - power])
    >>> len(written.free_symbols), written.subs(back) == power**2 - power
    (1, True)
    """
    import sympy

    stands: dict[Any, Any] = {}

    def stand_in(power: Any) -> Any:
        count, rest = power.exp.as_coeff_Mul()
        whole = power.base**rest
        return stands.setdefault(whole, sympy.Dummy("power", positive=True)) ** count

    def is_such(part: Any) -> bool:
        return bool(part.is_Pow and part.base.is_Rational and not part.exp.is_number)

    named = [sympy.sympify(e).replace(is_such, stand_in) for e in expressions]
    return named, {letter: whole for whole, letter in stands.items()}


def is_zero(expression: Any) -> bool:
    """Tell whether the normal form of an expression is zero."""
    import sympy

    fast = vanishes(expression)
    if fast is not None:
        return fast
    top = sympy.fraction(sympy.together(sympy.sympify(expression)))[0]
    return bool(sympy.expand(sympy.expand(top)) == 0 or normal_form(top) == 0)


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
