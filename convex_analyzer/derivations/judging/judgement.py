"""`Judgement`: what is known of a line, and `Counterexample`: numbers that anyone can redo."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from convex_analyzer.derivations.judging.evaluation import Point, compiled
from convex_analyzer.derivations.judging.values import Undefined, context, is_zero
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.results import Result
from convex_analyzer.tables import Table

__all__ = ["STATUSES", "Counterexample", "Judgement", "exhibit"]

#: Of a pair of lines.
STATUSES = ("proved", "refuted", "plausible", "undecided")


@dataclass(frozen=True)
class Counterexample:
    """Exact numbers that satisfy every assumption and tell two lines apart.

    Attributes
    ----------
    point
        Pairs of a printed letter and its value.
    before, after
        What the two lines give there: numbers, matrices, "true" or "false".
    """

    point: tuple[tuple[str, str], ...]
    before: str
    after: str

    def sentence(self, first: str = "the line above", second: str = "this line") -> str:
        """Return the counterexample in words.

        Examples
        --------
        >>> Counterexample((("α", "1"), ("λ", "2")), "1", "-1").sentence("line 2", "line 3")
        'At α = 1, λ = 2: line 2 gives 1, line 3 gives −1.'
        """
        where = ", ".join(f"{name} = {value}" for name, value in self.point)
        text = f"{first} gives {self.before}, {second} gives {self.after}."
        text = f"At {where}: {text}" if where else text[:1].upper() + text[1:]
        return text.replace("-", "−")

    def __str__(self) -> str:
        return self.sentence()


@dataclass(frozen=True, eq=False, repr=False)
class Judgement(Result):
    """Whether one line follows from another.

    Attributes
    ----------
    status
        ``proved``; ``refuted``: a counterexample is given, or the two cannot be compared;
        ``plausible``: it held at every point that was tried; ``undecided``: no point was found.
    reason
        How it was proved, or why not.
    counterexample
        Only of what is refuted.
    points
        How many exact points were tried.
    """

    schema: ClassVar[str] = "convex_analyzer.judgement/1"

    status: str
    reason: str
    counterexample: Counterexample | None = None
    points: int = 0

    def summary(self) -> Table:
        """Return the judgement as a table of one row."""
        shown = "" if self.counterexample is None else self.counterexample.sentence()
        row = (self.status, self.reason, f"{self.points}", shown)
        return Table(("status", "reason", "points", "counterexample"), (row,), left=4)


def exhibit(point: Point, before: Any, after: Any, symbols: Symbols) -> Counterexample:
    """Return a point as a counterexample, its values written exactly."""
    letters = {d.object: d.letter or d.name for d in symbols}
    order = {d.object: i for i, d in enumerate(symbols)}
    shown = []
    for key in sorted(point, key=lambda k: (order.get(k, len(order)), str(k))):
        if callable(point[key]):
            continue  # a sequence: the values that are asked for come below
        if key in order or (getattr(key, "is_Symbol", False) and key.name != "n"):
            shown.append((letters.get(key, str(key)), written(point[key])))
        elif getattr(key, "args", None) and key.is_Function:
            shown.append((str(key), written(point[key])))
    for function, values in _sequences(point, before, after):
        shown += [(f"{function}({i})", written(v)) for i, v in values]
    return Counterexample(tuple(shown), _value(before, point), _value(after, point))


def _sequences(point: Point, *lines: Any) -> list[tuple[str, list[tuple[Any, Any]]]]:
    """Return the values of undefined functions that the lines ask for."""
    from sympy.core.function import AppliedUndef

    found: dict[str, dict[Any, Any]] = {}
    for line in lines:
        for node in line.atoms(AppliedUndef) if hasattr(line, "atoms") else ():
            if node in point or node.func not in point:
                continue
            try:
                index = compiled(node.args[0])(point)
                found.setdefault(str(node.func), {})[index] = point[node.func](index)
            except (Undefined, KeyError):
                continue
    return [(name, sorted(values.items(), key=str)) for name, values in found.items()]


def written(value: Any) -> str:
    """Return a value as text, exactly where it can be.

    Examples
    --------
    >>> written(Fraction(1, 2)), written(((1, 0), (0, 1))), written(True)
    ('1/2', '[[1, 0], [0, 1]]', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        if len(value[0]) == 1:
            return "(" + ", ".join(written(row[0]) for row in value) + ")"
        return "[" + ", ".join("[" + ", ".join(map(written, row)) + "]" for row in value) + "]"
    if isinstance(value, (int, Fraction)):
        return str(value)
    return _surd(value) or f"≈ {context().nstr(value, 8)}"


def _surd(value: Any) -> str:
    """Return a + b√c in that form, or nothing."""
    arithmetic = context()
    if hasattr(value, "imag") and is_zero(value.imag, value):
        value = value.real
    if hasattr(value, "imag") and value.imag != 0:
        return ""
    if value != 0 and not 1e-9 < abs(value) < 1e9:
        return ""
    try:
        found = arithmetic.findpoly(value, 2, maxcoeff=2000, tol=arithmetic.mpf(10) ** -45)
    except ValueError:  # of a number that is zero but for rounding
        return "0" if is_zero(value, arithmetic.mpf(1)) else ""
    import sympy

    if found and len(found) == 2:
        return str(sympy.Rational(-int(found[1]), int(found[0])))
    if not found or len(found) != 3:
        return ""
    x = sympy.Symbol("x")
    roots = sympy.roots(sympy.Poly([int(c) for c in found], x))
    near = [r for r in roots if abs(arithmetic.mpf(str(r.evalf(50))) - value) < 1e-30]
    return str(near[0]) if near else ""


def _value(line: Any, point: Point) -> str:
    try:
        return written(compiled(line)(point))
    except Undefined as error:
        return f"nothing ({error})"
