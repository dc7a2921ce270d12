"""Claims on rules that are not linear: what holds next to the minimum, at numbers."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np

from convex_analyzer.derivations.claim_results import ClaimCheck, Counterexample
from convex_analyzer.derivations.claim_setting import is_statement, plain_symbols, reals, shown
from convex_analyzer.derivations.setting import tidy
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.notation import SYMBOLS
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.tables import format_number
from convex_analyzer.theory.modes import modes
from convex_analyzer.theory.region_words import printed
from convex_analyzer.theory.stability import stable_learning_rates

__all__ = ["check"]

_FRACTIONS = ("9/10", "1/2", "99/100")
_SMALL = ("1/100", "1", "1/10")
_MARGIN = Fraction(1, 1000)  # from a limit, at which its two sides are tried
_LINES = 27


def check(
    optimizer: Any, text: str, given: str, notation: str, error: NotDerivableError
) -> ClaimCheck:
    """Judge where a rule that is not linear is stable next to the minimum.

    Raises
    ------
    NotDerivableError
        There is no local analysis either.
    """
    import sympy

    cls = optimizer if isinstance(optimizer, type) else type(optimizer)
    letters = _letters(optimizer)
    if given or "learning_rate" not in letters:
        raise error
    table = dict.fromkeys((*letters.values(), "lambda"), "positive")
    symbols = Symbols.of(table, aliases={letter: (name,) for name, letter in letters.items()})
    symbols = symbols.in_notation(notation) if notation else symbols
    claim = reals(read_expression(text, symbols).value)
    if not is_statement(claim):
        raise InputError(f"stable must be a condition, got {text!r}", argument="stable")
    used = {n: letter for n, letter in letters.items()
            if plain_symbols(letter)[0] in claim.free_symbols and n != "learning_rate"}  # fmt: skip
    found: dict[str, Counterexample] = {}
    shown, points = "", 0
    for values in _values(cls, used):
        rule = _rule(optimizer, values)
        stable = stable_learning_rates(rule, np.array([1.0]))
        if not shown:
            shown = _words(stable, values, letters)
        at = {plain_symbols(letters[n])[0]: sympy.Rational(v) for n, v in values.items()}
        for alpha in _rates(stable, claim, at, letters):
            points += 1
            here = claim.subs({**at, plain_symbols(letters["learning_rate"])[0]: alpha,
                               plain_symbols("lambda")[0]: 1})  # fmt: skip
            holds = bool(here == sympy.true)
            inside = any(low < alpha < high for low, high in stable)
            if holds != inside:
                kind = "not sufficient" if holds else "not necessary"
                found.setdefault(kind, _shown(rule, values, letters, alpha, kind))
    sufficient, necessary = ("not sufficient" not in found), ("not necessary" not in found)
    verdict = {(True, True): "both", (True, False): "sufficient", (False, True): "necessary"}
    return ClaimCheck(
        rule=cls.__name__,
        about="stable",
        claim=text,
        verdict=verdict.get((sufficient, necessary), "neither"),
        status="proved" if len(found) == 2 else "plausible",
        truth=f"{shown}{_published(optimizer, letters)}",
        claim_latex=sympy.latex(claim),
        truth_latex=rf"\text{{{shown.translate(_PLAIN)}}}",
        assumptions=("α > 0", "λ > 0", "next to the minimum, once the memory has settled"),
        how=f"the rule is not linear: its local map at {points} points, a thousandth from each end",
        counterexamples=tuple(found[k] for k in ("not sufficient", "not necessary") if k in found),
    )


_PLAIN = str.maketrans({"α": "alpha", "λ": "lambda", "ε": "epsilon", "β": "beta", "γ": "gamma",
                        "₁": "1", "₂": "2"})  # fmt: skip


def _letters(optimizer: Any) -> dict[str, str]:
    """Return the letters of the hyper-parameters that are open."""
    usual = {symbol.name: symbol.sympy for symbol in SYMBOLS}
    cls: type[Optimizer] = optimizer if isinstance(optimizer, type) else type(optimizer)
    names = list(cls.hyperparameters())
    if not isinstance(optimizer, type):
        names = [name for name in names if name == "learning_rate"]
    return {name: usual.get(name, name) for name in names}


def _values(cls: type[Optimizer], used: dict[str, str]) -> list[dict[str, Fraction]]:
    pools = []
    for name in used:
        usual = cls.hyperparameters()[name].usual
        is_share = usual.low >= 0 and usual.high <= 1 and name.startswith(("beta", "decay", "mom"))
        pools.append(_FRACTIONS if is_share else _SMALL)
    rows = itertools.islice(itertools.product(*pools), _LINES)
    return [dict(zip(used, map(Fraction, row), strict=True)) for row in rows]


def _rule(optimizer: Any, values: dict[str, Fraction]) -> Optimizer:
    numbers = {name: float(value) for name, value in values.items()}
    if isinstance(optimizer, type):
        made: Optimizer = optimizer(learning_rate=1.0, **numbers)
        return made
    replaced: Optimizer = optimizer.unchecked(learning_rate=1.0, **numbers)
    return replaced


def _rates(stable: Any, claim: Any, at: dict[Any, Any], letters: dict[str, str]) -> list[Fraction]:
    """Return learning rates on both sides of every end, of the truth and of the claim."""
    import sympy

    (alpha,) = plain_symbols(letters["learning_rate"])
    (eigenvalue,) = plain_symbols("lambda")
    ends = {Fraction(end) for piece in stable for end in piece if 0 < end < math.inf}
    for relation in claim.subs({**at, eigenvalue: 1}).atoms(sympy.core.relational.Relational):
        top, _ = sympy.fraction(sympy.together(relation.lhs - relation.rhs))
        if top.is_polynomial(alpha) and top.has(alpha):
            roots = sympy.Poly(top, alpha).nroots(n=30)
            ends |= {Fraction(str(r)) for r in roots if r.is_real and r > 0}
    chosen = {e * (1 + side * _MARGIN) for e in ends for side in (-1, 1)}
    chosen |= {e * share for e in ends for share in (Fraction(1, 2), Fraction(3, 2))}
    ordered = sorted(chosen or {Fraction(1)})
    short = [Fraction(float(value)).limit_denominator(10**6) for value in ordered]
    inner = [(a + b) / 2 for a, b in itertools.pairwise(short)]
    return [v for v in (*inner, *short) if all(abs(v / e - 1) > _MARGIN / 2 for e in ends)]


def _words(stable: Any, values: dict[str, Fraction], letters: dict[str, str]) -> str:
    import sympy

    pieces = [f"{format_number(low)} < α λ < {format_number(high)}" for low, high in stable]
    at = ", ".join(f"{printed(sympy.Symbol(letters[n]))} = {v}" for n, v in values.items())
    told = " or ".join(pieces) or "nowhere"
    return f"{told} at {at}" if at else told


def _published(optimizer: Any, letters: dict[str, str]) -> str:
    """Return the published limit in symbols, where it is written so."""
    import sympy

    if not isinstance(optimizer, type):
        return ""
    rule: type[Optimizer] = optimizer
    blank = rule.__new__(rule)
    for field in rule.fields():
        letter, default = letters.get(field.name), field.default
        is_open = letter is not None and not (isinstance(default, float) and default == 0)
        value = sympy.Symbol(letter, positive=True) if letter and is_open else default
        object.__setattr__(blank, field.name, value)
    try:
        limit = blank.published_limit()
    except (AttributeError, TypeError):
        return ""
    return "" if limit is None else f" (published: α λ < {shown(tidy(limit))})"


def _shown(
    rule: Optimizer,
    values: dict[str, Fraction],
    letters: dict[str, str],
    alpha: Fraction,
    kind: str,
) -> Counterexample:
    import sympy

    point = {letters[n]: sympy.Rational(v) for n, v in values.items()}
    point |= {"lambda": sympy.Integer(1), letters["learning_rate"]: sympy.Rational(alpha)}
    told = "holds" if kind == "not sufficient" else "fails"
    does = "leaves the minimum" if kind == "not sufficient" else "returns to the minimum"
    smallest = min((float(v) for v in values.values()), default=1.0)
    there = rule.unchecked(learning_rate=float(alpha))
    largest = float(np.abs(modes(there, np.array([1.0]), local=True).roots).max())
    return Counterexample(
        shows=kind,
        point=point,
        text=f"the claim {told}, and a small error {does}",
        optimizer=there,
        eigenvalues=(1.0,),
        outcome="diverges" if kind == "not sufficient" else "converges",
        rate=largest,
        start=1e-9 * smallest,
    )
