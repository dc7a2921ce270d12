"""Claims on where a rule comes to rest."""

from __future__ import annotations

import itertools
from typing import Any

from convex_analyzer.derivations.claim_rates import (
    number_words,
)
from convex_analyzer.derivations.claim_results import ClaimCheck, Counterexample
from convex_analyzer.derivations.claim_setting import (
    ClaimSetting,
    is_statement,
    reals,
    shown,
)
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["fixed_point"]


def fixed_point(setting: ClaimSetting, text: str) -> ClaimCheck:
    """Judge where a rule comes to rest on J = λx²/2 + bx."""
    import sympy

    own = Setting(setting.optimizer)
    table = {s.name: "positive" for s in own.hyper.values()} | {"lambda": "positive", "b": "real"}
    symbols = Symbols.of({**table, "theta": "real", "x": "real"})
    if setting.notation:
        symbols = symbols.in_notation(setting.notation)
    claim = read_expression(text, symbols).value
    if isinstance(claim, sympy.Eq):
        claim = claim.rhs
    if is_statement(claim):
        raise InputError(
            f"fixed_point must be a value, such as '-b/lambda', got {text!r}",
            argument="fixed_point",
        )
    b = sympy.Symbol("b", real=True)
    slots = own.matrix.rows
    offset = sympy.Matrix([sympy.sympify(value) * b for value in own.iteration.offset])
    try:
        rest = (sympy.eye(slots) - own.matrix).LUsolve(offset)[0]
    except (ValueError, ZeroDivisionError) as error:
        raise NotDerivableError(f"{own.name} has no single point of rest") from error
    truth = tidy(sympy.cancel(reals(rest)))
    difference = sympy.simplify(reals(claim) - truth)
    made = [] if difference == 0 else [_elsewhere(reals(claim), truth)]
    return ClaimCheck(
        rule=own.name,
        about="fixed_point",
        claim=text,
        verdict="true" if difference == 0 else "false",
        status="proved",
        truth=f"θ = {shown(truth)} on J = λθ²/2 + bθ",
        claim_latex=sympy.latex(claim),
        truth_latex=rf"\theta = {sympy.latex(truth)}",
        assumptions=("λ > 0", "the rule converges"),
        how="(I − M)θ = B solved in symbols, from one step of the rule",
        counterexamples=tuple(made),
    )


def _elsewhere(claim: Any, truth: Any) -> Counterexample:
    """Return small numbers at which two values differ."""
    import sympy

    symbols = sorted(claim.free_symbols | truth.free_symbols, key=str)
    pool = [sympy.Rational(x) for x in ("1", "1/2", "2", "1/3")]
    for chosen in itertools.product(pool, repeat=len(symbols)):
        at = dict(zip(symbols, chosen, strict=True))
        values = claim.subs(at), truth.subs(at)
        if all(v.is_finite for v in values) and values[0] != values[1]:
            text = f"claimed {number_words(values[0])}, derived {number_words(values[1])}"
            return Counterexample("not equal", {s.name: v for s, v in at.items()}, text)
    raise NotDerivableError("the two values differ, at no small numbers")
