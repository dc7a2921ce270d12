"""What a claim on a rule may speak of: its letters, the ranges they run through, and its roots."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.positivity import is_positive
from convex_analyzer.derivations.setting import tidy
from convex_analyzer.domains import Interval
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.notation import symbol_of
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.tables import join_words
from convex_analyzer.theory.inequalities import Range, reduced
from convex_analyzer.theory.region_words import printed
from convex_analyzer.theory.regions import Region, stability_region

__all__ = ["ClaimSetting", "is_statement", "plain_symbols", "reals", "shown"]

_SPELLINGS = {
    "alpha": ("learning_rate", "lr"),
    "lambda": ("eigenvalue",),
    "m": ("lambda_min",),
    "L": ("lambda_max",),
    "kappa": ("condition_number",),
}


def reals(expression: Any) -> Any:
    """Return an expression in symbols of which only the names are left, all of them real."""
    import sympy

    symbols: set[Any] = getattr(expression, "free_symbols", set())
    return expression.xreplace({s: sympy.Symbol(s.name, real=True) for s in symbols})


def plain_symbols(*names: str) -> tuple[Any, ...]:
    """Return real symbols."""
    import sympy

    return tuple(sympy.Symbol(name, real=True) for name in names)


@dataclass(frozen=True, eq=False)
class ClaimSetting:
    """A linear rule, as a claim sees it.

    Attributes
    ----------
    optimizer
        A class, or an instance: then only its learning rate is open.
    given
        Assumptions as text; the symbols in it lose their usual ranges.
    notation
        The source in whose letters claims are written; empty: our own.
    """

    optimizer: Any
    given: str = ""
    notation: str = ""
    _read: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def cls(self) -> type[Optimizer]:
        """The class."""
        return self.optimizer if isinstance(self.optimizer, type) else type(self.optimizer)

    @functools.cached_property
    def region(self) -> Region:
        """Where the rule is stable, in s = αλ and its parameters."""
        return stability_region(self.optimizer)

    @functools.cached_property
    def letters(self) -> dict[str, str]:
        """The letter of each open hyper-parameter, by its name."""
        opened = self.region.opened
        named = {"learning_rate": opened.learning_rate, **opened.parameters}
        return {name: symbol.name for name, symbol in named.items()}

    @functools.cached_property
    def symbols(self) -> Symbols:
        """What claims are read with."""
        table = dict.fromkeys(self.letters.values(), "real")
        table |= {"lambda": "positive", "m": "positive", "L": "positive", "kappa": "positive"}
        table[self.letters["learning_rate"]] = "positive"
        spellings = {own: _SPELLINGS.get(own, (name,)) for name, own in self.letters.items()}
        spellings |= {name: words for name, words in _SPELLINGS.items() if name in table}
        declared = Symbols.of(table, aliases=spellings)
        return declared.in_notation(self.notation) if self.notation else declared

    def read(self, text: Any, argument: str) -> Any:
        """Return what a text says, as a SymPy object in real symbols."""
        if not isinstance(text, str):
            raise InputError(
                f"{argument} must be a claim as text, got {text!r}", argument=argument, value=text
            )
        return reals(read_expression(text, self.symbols).value)

    @functools.cached_property
    def assumed(self) -> Any:
        """The assumptions, as a SymPy statement."""
        import sympy

        if not self.given:
            return sympy.true
        found = self.read(self.given, "given")
        if not is_statement(found):
            raise InputError(
                f"given must be a statement, such as 'mu < 1', got {self.given!r}", argument="given"
            )
        return found

    # -- ranges ----------------------------------------------------------------------------------

    def left_out(self, mentioned: set[Any]) -> dict[Any, Any]:
        """Return what is zero by default and not spoken of: it is zero."""
        if not isinstance(self.optimizer, type):
            return {}
        names = {symbol.name for symbol in mentioned | self.assumed.free_symbols}
        found = {}
        for name, symbol in self.region.opened.parameters.items():
            default = getattr(self.cls, name, None)
            zero = isinstance(default, (int, float)) and default == 0
            if zero and symbol.name not in names:
                found[reals(symbol)] = Fraction(0)
        return found

    def range_of(self, name: str) -> Interval:
        """Return the usual range of a hyper-parameter: where textbooks state what holds."""
        domain = self.cls.hyperparameters().get(name)
        if domain is None:
            return Interval(-math.inf, math.inf)
        return domain.usual if domain.usual.low >= 0 and domain.usual.high <= 1 else domain.valid

    def ranges(self, present: set[Any]) -> tuple[Any, tuple[str, ...]]:
        """Return the assumptions on the symbols that occur: a statement, and words."""
        import sympy

        parts, words = [], []
        spoken = self.assumed.free_symbols
        for name, letter in self.letters.items():
            (symbol,) = plain_symbols(letter)
            if symbol not in present:
                continue
            if name == "learning_rate":
                parts.append(sympy.Gt(symbol, 0, evaluate=False))
                continue
            one = self.range_of(name)
            if symbol in spoken or not (math.isfinite(one.low) or math.isfinite(one.high)):
                continue
            parts += _inside(symbol, one)
            words.append(_range_words(symbol_of(name) or letter, one))
        if spoken:
            parts.append(self.assumed)
            words.append(" ".join(self.given.split()))
        kept = dict.fromkeys(["α > 0", "λ > 0", *words])
        return sympy.And(*parts, evaluate=False), tuple(kept)

    # -- truths ----------------------------------------------------------------------------------

    def product(self, eigenvalue: Any) -> Any:
        """Return what s stands for, along an eigenvalue."""
        return reals(self.region.product).subs(plain_symbols("lambda")[0], eigenvalue)

    def at(self, expression: Any, eigenvalue: Any) -> Any:
        """Return an expression in s along an eigenvalue."""
        return reals(expression).subs(plain_symbols("s")[0], self.product(eigenvalue))

    def polynomial(self, eigenvalue: Any) -> list[Any]:
        """Return the characteristic polynomial, from the highest power down."""
        return [self.at(c, eigenvalue) for c in self.region.polynomial]

    def stable(self, eigenvalue: Any) -> Any:
        """Return the statement that every root lies inside the unit circle.

        Raises
        ------
        NotDerivableError
            The conditions are not written down in symbols.
        """
        import sympy

        if not self.region.is_symbolic:
            raise NotDerivableError(
                f"{self.region.rule}: with so many slots the conditions are not written down in "
                "symbols; give the other hyper-parameters as numbers: pass an instance"
            )
        parts = []
        for condition in self.region.full:
            product = sympy.Mul(*(f.as_expr() for f in condition.factors))
            parts.append(sympy.Gt(self.at(product, eigenvalue), 0, evaluate=False))
            parts += [
                sympy.Ne(self.at(f.as_expr(), eigenvalue), 0, evaluate=False)
                for f in condition.nonzero
            ]
        return sympy.And(*parts, evaluate=False)

    @functools.cached_property
    def is_one_interval(self) -> bool:
        """Whether what is stable at two eigenvalues is so between them."""
        import sympy

        s = self.region.s
        products = [sympy.Mul(*(f.as_expr() for f in c.factors)) for c in self.region.full]
        apart = [f.as_expr() for c in self.region.full for f in c.nonzero]
        return all(sympy.degree(p, s) <= 1 for p in products) and not any(p.has(s) for p in apart)

    @functools.cached_property
    def ends_at_zero(self) -> bool:
        """Whether what is stable at one eigenvalue is so at every smaller one."""
        import sympy

        def harmless(condition: Any) -> bool:
            start = sympy.Mul(*(f.as_expr() for f in condition.factors)).subs(self.region.s, 0)
            return bool(start == 0 or _sign(start, self.fractions) > 0)

        return self.is_one_interval and all(harmless(c) for c in self.region.full if c.factors)

    @functools.cached_property
    def fractions(self) -> set[Any]:
        """Parameters that usually run through (0, 1) at most."""
        named = self.region.opened.parameters.items()
        return {p for name, p in named if self.range_of(name).high <= 1}

    # -- words -----------------------------------------------------------------------------------

    def stable_text(self, zero: dict[Any, Any]) -> tuple[str, str]:
        """Return where the rule is stable, solved for s, as text and as LaTeX."""
        import sympy

        s, name = self.region.s, self.region.product
        back = {p: sympy.Integer(0) for p in self.region.parameters.values() if reals(p) in zero}
        above: list[Any] = []
        below: list[Any] = []
        others: list[Any] = []
        for expression, rest in self.binding(back):
            slope = sympy.diff(expression, s)
            sign = 0 if slope.has(s) else _sign(slope, self.fractions)
            if rest is not None or not sign:
                others.append(sympy.Gt(expression, 0, evaluate=False) if rest is None else rest)
                continue
            (above if sign > 0 else below).append(_in_factors(-expression.subs(s, 0) / slope))
        above = [end for end in above if end != 0 and _sign(-end, self.fractions) <= 0]
        chain = [above[0] if above else sympy.Integer(0), name]
        chain += below[:1] if len(below) <= 1 else [sympy.Min(*below)]
        texts = [" < ".join(shown(part) for part in chain)]
        codes = [" < ".join(sympy.latex(part) for part in chain)]
        others += [sympy.Gt(name, end, evaluate=False) for end in above[1:]]
        others = [relation.subs(s, name) for relation in others if relation != sympy.true]
        texts += [shown(relation) for relation in others]
        codes += [sympy.latex(relation) for relation in others]
        return join_words(texts), r"\;\wedge\;".join(codes)

    def binding(self, zero: dict[Any, Any]) -> list[tuple[Any, Any]]:
        """Return the conditions that the ranges do not imply: expressions, or other relations."""
        import sympy

        conditions = list(self.region.full)
        if not self.assumed.free_symbols and conditions:
            named = {"s": self.region.s, **self.region.parameters}
            ranges = {p: _as_range(self.range_of(name)) for name, p in named.items() if name != "s"}
            ranges[self.region.s] = (sympy.QQ.zero, None, True, True)
            conditions = reduced(conditions, ranges)
        found: list[tuple[Any, Any]] = []
        for condition in conditions:
            expression = sympy.Mul(*(f.as_expr() for f in condition.factors)).subs(zero)
            if condition.factors and not (expression.is_number and expression.is_positive):
                found.append((expression, None))
            for factor in condition.nonzero:
                apart = sympy.Ne(factor.as_expr().subs(zero), 0, evaluate=False)
                found.append((apart.lhs, apart))
        return found


def shown(expression: Any) -> str:
    """Write an expression or relation in one line, constants first: 1 − α λ.

    Examples
    --------
    >>> import sympy
    >>> shown(sympy.Ge(1 - sympy.Symbol("alpha"), 0, evaluate=False))
    '1 − α ≥ 0'
    """
    import sympy

    text = printed(sympy.sstr(expression, order="rev-lex"))
    return text.replace(">=", "≥").replace("<=", "≤").replace(" & ", " and ").replace("|", "or")


def _in_factors(expression: Any) -> Any:
    """Factor, also where SymPy would multiply a number into a sum: 2(1 + μ)."""
    import sympy

    whole = tidy(expression)
    number, rest = whole.as_content_primitive()
    if whole.is_Add and number not in (1, -1) and rest.is_Add:
        return sympy.Mul(number, rest, evaluate=False)
    return whole


def is_statement(value: Any) -> bool:
    """Return whether a value is a relation, or several."""
    from sympy.logic.boolalg import Boolean

    return isinstance(value, Boolean) and not value.is_Symbol


def _inside(symbol: Any, one: Interval) -> list[Any]:
    import sympy

    found = []
    if math.isfinite(one.low):
        relation = sympy.Gt if one.open_low else sympy.Ge
        found.append(relation(symbol, sympy.Rational(Fraction(one.low)), evaluate=False))
    if math.isfinite(one.high):
        relation = sympy.Lt if one.open_high else sympy.Le
        found.append(relation(symbol, sympy.Rational(Fraction(one.high)), evaluate=False))
    return found


def _range_words(letter: str, one: Interval) -> str:
    low = f"{one.low:g} {'<' if one.open_low else '≤'} " if math.isfinite(one.low) else ""
    high = f" {'<' if one.open_high else '≤'} {one.high:g}" if math.isfinite(one.high) else ""
    if not high:
        return f"{letter} {'>' if one.open_low else '≥'} {one.low:g}"
    return f"{low}{letter}{high}"


def _as_range(one: Interval) -> Range:
    import sympy

    low, high = (
        sympy.QQ.convert(Fraction(end)) if math.isfinite(end) else None
        for end in (one.low, one.high)
    )
    return low, high, one.open_low, one.open_high


def _sign(expression: Any, fractions: set[Any]) -> int:
    """Return the sign of an expression in positive symbols, 0 if it is not known."""
    import sympy

    new = {p: sympy.Dummy(str(p), positive=True) for p in expression.free_symbols}
    new = {p: 1 / (1 + dummy) if p in fractions else dummy for p, dummy in new.items()}
    value = sympy.sympify(expression).subs(new)
    return 1 if is_positive(value) else -1 if is_positive(-value) else 0
