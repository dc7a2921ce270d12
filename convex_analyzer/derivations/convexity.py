"""Is a function convex? A proof in lines, or two points and a chord that refute it.

Tried in this order: rules of composition (sums, maxima, log Σ exp of convex terms, ...), the
Hessian (all principal minors non-negative on the box), a search for a counterexample. A function of
Python can only be searched, so it is at best ``plausible``.

Sources: lecture 001, slides 8-11; Boyd and Vandenberghe 2004, chapter 3.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.derivations.convexity_box import box_of, box_words, pairs_of
from convex_analyzer.derivations.convexity_rules import Composer
from convex_analyzer.derivations.convexity_search import Counterexample, Target, rounding_of, search
from convex_analyzer.derivations.convexity_signs import Box, is_smooth, sign_on
from convex_analyzer.derivations.lines import Derivation, Line
from convex_analyzer.errors import InputError
from convex_analyzer.problems.calls import ScalarCall
from convex_analyzer.problems.checks import whole_number
from convex_analyzer.problems.local_formula import plain_expression
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count

__all__ = ["ConvexityVerdict", "is_convex"]

Array = npt.NDArray[np.float64]

_BLOCK = 4  # variables whose principal minors are all computed
_BUDGET = 6000
_WIDE = 72  # characters of an expression that are shown
_LONG = 80  # operations, beyond which simplifying takes too long


@dataclass(frozen=True, eq=False)
class ConvexityVerdict(Result):
    """Whether a function is convex.

    Attributes
    ----------
    verdict
        ``proved``, ``refuted`` (with a counterexample), ``plausible`` (no segment contradicts it)
        or ``undecided`` (f is undefined in between).
    words
        The answer in a sentence.
    function, over
        What was asked, as text.
    derivation
        The proof; None where there is none.
    counterexample
        Two points and a weight; None unless refuted.
    segments
        How many segments were looked at.
    """

    schema: ClassVar[str] = "convex_analyzer.convexity/1"

    verdict: str
    words: str
    function: str
    over: str
    derivation: Derivation | None
    counterexample: Counterexample | None
    segments: int

    def __bool__(self) -> bool:
        """Whether convexity is proved."""
        return self.verdict == "proved"

    def summary(self) -> Table:
        """Return the proof, or the counterexample, as a table."""
        if self.derivation is not None:
            table = self.derivation.summary()
            cut = tuple(tuple(_shown(cell) for cell in row) for row in table.rows)
            return Table(table.columns, cut, table.title, (self.words,), table.left)
        rows = (
            ("function", _shown(self.function)),
            ("over", _shown(self.over)),
            ("verdict", self.verdict),
        )
        return Table(("quantity", "value"), rows, "convexity", (self.words,), left=2)


def is_convex(
    f: Any,
    over: Any = None,
    *,
    variables: Sequence[Any] | None = None,
    dimension: int | None = None,
    seed: int = 0,
    budget: int = _BUDGET,
) -> ConvexityVerdict:
    """Prove that a function is convex, or find two points whose chord runs below it.

    Parameters
    ----------
    f
        A SymPy expression, a formula as text, or a callable that takes an array of shape (d,).
    over
        The box: a mapping from names to pairs (low, high), or a sequence of pairs; None stands for
        all of space (for formulas: for wherever they are defined).
    variables
        Symbols or names of an expression, in order; all that occur when left out.
    dimension
        d, for a callable without `over`.
    seed, budget
        Of the search for a counterexample: its segments, and how many values it may compute.

    Raises
    ------
    InputError
        The box does not fit, or f raises or returns no number anywhere on it.

    Examples
    --------
    >>> is_convex("log(1 + exp(x - 2*y)) + y**2").verdict
    'proved'
    >>> verdict = is_convex("x**3")
    >>> verdict.counterexample.x, verdict.counterexample.y
    ((-2.0,), (0.0,))
    """
    whole_number(seed, "seed")
    whole_number(budget, "budget")
    if isinstance(f, str):
        from convex_analyzer.parsing.formulas import parse_formula

        formula = parse_formula(f, None if variables is None else [str(v) for v in variables])
        return _of_expression(formula.expression, over, formula.symbols, seed, budget)
    if hasattr(f, "free_symbols"):
        f = plain_expression(f)
        symbols = None if variables is None else _symbols_of(f, variables)
        return _of_expression(f, over, symbols, seed, budget)
    if not callable(f):
        raise InputError(
            f"f must be a SymPy expression, text or a callable, got {type(f).__name__}",
            argument="f",
            value=f,
        )
    return _of_callable(f, over, dimension, seed, budget)


# -- expressions ----------------------------------------------------------------------------------


def _symbols_of(f: Any, variables: Sequence[Any]) -> list[Any]:
    """Return the symbols of the given names, as they occur in f."""
    import sympy

    given = [variables] if isinstance(variables, str) else list(variables)
    found = {str(symbol): symbol for symbol in f.free_symbols}
    return [found.get(str(name), sympy.Symbol(str(name))) for name in given]


def _shown(name: str) -> str:
    """Return the text of an expression, cut where it would fill the screen."""
    return name if len(name) <= _WIDE else f"{name[: _WIDE - 1]}…"


def _of_expression(
    f: Any, over: Any, symbols: Sequence[Any] | None, seed: int, budget: int
) -> ConvexityVerdict:
    import sympy

    given = list(symbols) if symbols is not None else sorted(f.free_symbols, key=str)
    real = {symbol: sympy.Symbol(symbol.name, real=True) for symbol in given}
    stray = sorted(str(symbol) for symbol in f.free_symbols - set(given))
    if stray or not given:
        what = f"f has symbols that are no variables: {', '.join(stray)}" if stray else (
            "f has no variables"
        )  # fmt: skip
        raise InputError(what, argument="variables", hint="give numbers for parameters")
    expression = sympy.nsimplify(f.xreplace(real), rational=True)
    if not (expression.is_finite is not False and not expression.has(sympy.I)):
        raise InputError(f"f must be real and finite, got {f}", argument="f")
    if over is None and any(symbol.is_nonnegative for symbol in given):
        over = {s.name: (0, sympy.oo) for s in given if s.is_nonnegative}
    box = box_of(list(real.values()), over, expression)
    by_rules = _by_rules(expression, box)
    if by_rules:
        return _proved(expression, box, by_rules)
    found = _searched(
        sympy.sstr(expression), box, _target(expression, box, seed, budget), expression
    )
    by_hessian = [] if found.verdict == "refuted" else _by_hessian(expression, box)
    return _proved(expression, box, by_hessian) if by_hessian else found


def _proved(expression: Any, box: Box, lines: list[Line]) -> ConvexityVerdict:
    import sympy

    name, over = sympy.sstr(expression), box_words(box)
    length = f" in {len(lines)} lines" if len(lines) > 1 else ""
    words = f"{_shown(name)} is convex over {over}: proved{length}."
    derivation = Derivation(f"Why {_shown(name)} is convex", tuple(lines))
    return ConvexityVerdict("proved", words, name, over, derivation, None, 0)


def _by_rules(expression: Any, box: Box) -> list[Line]:
    composer = Composer(box)
    if "convex" not in composer.curvature(expression):
        return []
    reason, check = "affine: its second derivatives are 0", "degree 1"
    return composer.lines or [Line("affine", expression, reason, check, "proved")]


def _by_hessian(expression: Any, box: Box) -> list[Line]:
    """Prove that all principal minors of the Hessian are non-negative, block by block."""
    import sympy

    if not is_smooth(expression, box):
        return []
    symbols = [symbol for symbol, _, _ in box]
    hessian = sympy.hessian(expression, symbols).applyfunc(_short)
    what = "second derivative" if len(symbols) == 1 else "Hessian"
    statement = hessian[0, 0] if len(symbols) == 1 else hessian
    lines = [Line(what, statement, "differentiation", "f is smooth inside the box", "proved")]
    for block in _blocks(hessian):
        if len(block) > _BLOCK:
            return []
        for size in range(1, len(block) + 1):
            for rows in itertools.combinations(block, size):
                minor = _short(hessian.extract(list(rows), list(rows)).det())
                sign = sign_on(minor, box)
                if sign not in {"+", "+0", "0"}:
                    return []
                lines.append(_minor_line(minor, rows, symbols, strict=sign == "+"))
    return lines


def _short(expression: Any) -> Any:
    """Simplify and factor what is not too long for that."""
    import sympy

    if expression.count_ops() > _LONG:
        return sympy.factor_terms(expression)
    return sympy.factor(sympy.simplify(expression))


def _minor_line(minor: Any, rows: Sequence[int], symbols: list[Any], *, strict: bool) -> Line:
    import sympy

    relation = sympy.Gt if strict else sympy.Ge
    names = ", ".join(str(symbols[i]) for i in rows)
    title = "it is not negative" if len(symbols) == 1 else f"principal minor of {names}"
    reason = "a symmetric matrix is ⪰ 0 exactly when all principal minors are (Sylvester)"
    if len(symbols) == 1:
        reason = "f″ ≥ 0 makes f convex"
    check = "signs of coefficients, Sturm's theorem or interval arithmetic"
    return Line(title, relation(minor, 0, evaluate=False), reason, check, "proved")


def _blocks(hessian: Any) -> list[list[int]]:
    """Return the sets of variables that a Hessian couples."""
    left, found = set(range(hessian.rows)), []
    while left:
        block, border = set(), {left.pop()}
        while border:
            i = border.pop()
            block.add(i)
            border |= {j for j in left if hessian[i, j] != 0}
            left -= border
        found.append(sorted(block))
    return found


# -- searching ------------------------------------------------------------------------------------


def _target(expression: Any, box: Box, seed: int, budget: int) -> Target:
    import sympy

    symbols = [symbol for symbol, _, _ in box]
    call = sympy.lambdify(symbols, expression, "numpy")

    def value(points: Array) -> Array:
        with np.errstate(all="ignore"):
            return _real(call(*points.T), len(points))

    low, high = (np.array([float(row[k]) for row in box]) for k in (1, 2))
    if expression.has(sympy.Abs, sympy.Max, sympy.Min, sympy.sign, sympy.Heaviside):
        return Target(value, low, high, max(budget, 600), seed)
    entries = sympy.hessian(expression, symbols)
    second = sympy.lambdify(symbols, list(entries), "numpy")

    def hessian(points: Array) -> Array:
        with np.errstate(all="ignore"):
            parts = [_real(part, len(points)) for part in second(*points.T)]
        return np.stack(parts, axis=1).reshape(len(points), len(symbols), len(symbols))

    return Target(value, low, high, max(budget, 600), seed, hessian)


def _real(found: Any, count: int) -> Array:
    """Return values as real numbers of shape (count,), NaN where they are none."""
    with np.errstate(all="ignore"):
        numbers = np.broadcast_to(np.asarray(found, dtype=complex), (count,))
    return np.where(numbers.imag == 0, numbers.real, np.nan)


def _searched(
    name: str, box: Box | str, target: Target, expression: Any = None
) -> ConvexityVerdict:
    over = box if isinstance(box, str) else box_words(box)
    found, looked = search(target)
    if not looked:
        raise InputError(
            f"{_shown(name)} is undefined wherever it was tried over {_shown(over)}",
            argument="over",
            hint="give the box on which it is defined",
        )
    if found is not None and (expression is None or _is_exact(expression, box, found)):
        words = f"{_shown(name)} is not convex over {_shown(over)}: {found.words}."
        return ConvexityVerdict("refuted", words, name, over, None, found, looked)
    words = (
        f"No segment of {format_count(looked)} over {_shown(over)} contradicts that "
        f"{_shown(name)} is convex; that is no proof."
    )
    return ConvexityVerdict("plausible", words, name, over, None, None, looked)


def _is_exact(expression: Any, box: Any, found: Counterexample) -> bool:
    """Confirm a counterexample in exact numbers, to 30 digits."""
    import sympy

    symbols = [symbol for symbol, _, _ in box]

    def at(point: Sequence[Any]) -> Any:
        try:
            return expression.subs(dict(zip(symbols, point, strict=True)))
        except ValueError:  # max of something infinite
            return sympy.nan

    x, y = ([sympy.Rational(repr(v)) for v in point] for point in (found.x, found.y))
    middle = [(a + b) / 2 for a, b in zip(x, y, strict=True)]
    gap = (at(middle) - (at(x) + at(y)) / 2).evalf(30)
    return bool(gap.is_comparable and gap > 0)


def _of_callable(
    f: Callable[..., Any], over: Any, dimension: int | None, seed: int, budget: int
) -> ConvexityVerdict:
    if over is None and dimension is None:
        raise InputError(
            "dimension is missing: how many numbers does f take?",
            argument="dimension",
            hint="is_convex(f, dimension=3), or over=[(low, high), ...]",
        )
    if isinstance(over, Mapping):
        over = list(over.values())
    d = dimension if dimension is not None else len(list(over))
    whole_number(d, "dimension", 1)
    pairs = [(-math.inf, math.inf)] * d if over is None else pairs_of(over, d)
    low, high = np.array(pairs, dtype=float).T
    if not np.all(low < high):
        raise InputError("over: every low must be below its high", argument="over")
    call = ScalarCall(f, d)

    def value(points: Array) -> Array:
        return np.array([call.near(point) for point in points])

    text = "all of space"
    if over is not None:
        text = ", ".join(f"({a:g}, {b:g})" for a, b in pairs)
    name = getattr(f, "__name__", "f")
    name = "f" if name == "<lambda>" else name
    rounding = rounding_of(value, low, high, seed)
    return _searched(name, text, Target(value, low, high, budget, seed, rounding=rounding))
