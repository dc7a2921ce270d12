"""Claims on the best setting for eigenvalues between two ends."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.claim_conditions import Frame, rule_at, searched
from convex_analyzer.derivations.claim_rates import (
    DIGITS,
    SAME,
    SPECTRA,
    held_by,
    number_words,
    outcome_of,
    published_words,
)
from convex_analyzer.derivations.claim_results import ClaimCheck, Counterexample
from convex_analyzer.derivations.claim_setting import (
    ClaimSetting,
    plain_symbols,
)
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.theory.exact import ExactAnalysis, exact_analysis
from convex_analyzer.theory.region_words import printed
from convex_analyzer.theory.symbolic import exactly

__all__ = ["best"]


_DOUBLED = {True: "is halved", False: "stays"}


def best(setting: ClaimSetting, text: str, budget: float) -> ClaimCheck:
    """Judge a claimed best setting for eigenvalues in [m, L]."""
    import sympy

    claim = setting.read(text, "best")
    parts = claim.args if isinstance(claim, sympy.And) else (claim,)
    by_letter = {plain_symbols(letter)[0]: name for name, letter in setting.letters.items()}
    claimed: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, sympy.Eq) or part.lhs not in by_letter:
            raise InputError(
                f"best must give settings, such as 'alpha = 2/(m + L)', got {text!r}",
                argument="best",
            )
        claimed[by_letter[part.lhs]] = part.rhs
    low, high, kappa = plain_symbols("m", "L", "kappa")
    claimed = {name: value.subs(kappa, high / low) for name, value in claimed.items()}
    doubled = {low: 2 * low, high: 2 * high}
    for name, value in claimed.items():
        scaled = value / 2 if name == "learning_rate" else value
        if sympy.simplify(value.subs(doubled, simultaneous=True) - scaled) != 0:
            raise InputError(
                f"when m and L are doubled the best {name} {_DOUBLED[name == 'learning_rate']}, "
                "and the claimed one does not",
                argument="best",
                value=text,
            )
    fixed = held_by(setting) | _halves(setting, claimed)
    made = []
    for k in SPECTRA:
        tuned = exact_analysis([1, k], setting.cls, fixed)
        values = {plain_symbols(setting.letters[n])[0]: exactly(v)
                  for n, v in fixed.items() if n in setting.letters}  # fmt: skip
        values |= {
            plain_symbols(setting.letters[n])[0]: v.subs({low: 1, high: k}).subs(values)
            for n, v in claimed.items()
        }
        here = _exact_at(setting, values, k)
        if sympy.N(here.rate - tuned.rate, DIGITS) > SAME:
            made.append(_slower(setting, values, here, tuned, k))
            break
    settings, code = published_words(setting, fixed)
    proved = bool(made) or _proved_best(setting, claimed, budget)
    how = f"exact roots at {len(SPECTRA)} condition numbers: as fast as the published setting"
    if proved:
        how = "exact cells: no other learning rate contracts both ends faster"
    if made:
        how = "exact roots"
    words = ["eigenvalues in [m, L]", *(f"{printed(sympy.Symbol(setting.letters[n]))} = {v}"
             for n, v in fixed.items() if n in setting.letters)]  # fmt: skip
    return ClaimCheck(
        rule=setting.region.rule,
        about="best",
        claim=text,
        verdict="false" if made else "true",
        status="proved" if proved else "plausible",
        truth=settings,
        claim_latex=sympy.latex(claim),
        truth_latex=code,
        assumptions=tuple(words),
        how=how,
        counterexamples=tuple(made),
    )


def _halves(setting: ClaimSetting, claimed: dict[str, Any]) -> dict[str, Any]:
    """Return one half for what a claim on a class leaves open though it speaks of it."""
    if not isinstance(setting.optimizer, type):
        return {}
    spoken = set().union(*(value.free_symbols for value in claimed.values()))
    return {
        name: Fraction(1, 2)
        for name, letter in setting.letters.items()
        if plain_symbols(letter)[0] in spoken and name not in claimed
    }


def _exact_at(setting: ClaimSetting, values: dict[Any, Any], k: int) -> ExactAnalysis:
    by_letter = {v.name: value for v, value in values.items()}
    cls = setting.cls
    rule = cls.__new__(cls)
    held = {} if isinstance(setting.optimizer, type) else setting.optimizer.values
    for one in cls.fields():
        letter = setting.letters.get(one.name, "")
        value = by_letter.get(letter, held.get(one.name, one.default))
        object.__setattr__(rule, one.name, value)
    return exact_analysis([1, k], rule)


def _slower(
    setting: ClaimSetting, values: dict[Any, Any], here: Any, tuned: Any, k: int
) -> Counterexample:
    import sympy

    other = ", ".join(
        f"{printed(sympy.Symbol(setting.letters.get(n, n)))} = {number_words(v)}"
        for n, v in tuned.settings.items()
        if sympy.Symbol(setting.letters.get(n, n), real=True) in values
    )
    return Counterexample(
        shows="not equal",
        point={"m": sympy.Integer(1), "L": sympy.Integer(k)},
        text=f"the claimed setting has ρ = {number_words(here.rate)}, and {other} has ρ = "
        f"{number_words(tuned.rate)}",
        optimizer=rule_at(setting, values),
        eigenvalues=(1.0, float(k)),
        outcome=outcome_of(float(here.rate)),
        rate=float(here.rate),
    )


def _proved_best(setting: ClaimSetting, claimed: dict[str, Any], budget: float) -> bool:
    """Prove that no other learning rate is faster, for rules of one slot."""
    import sympy

    if len(setting.region.polynomial) != 2 or set(claimed) != {"learning_rate"}:
        return False
    low, high = plain_symbols("m", "L")
    (alpha,) = plain_symbols(setting.letters["learning_rate"])
    value = claimed["learning_rate"].subs(low, 1)
    factors = [-setting.polynomial(end)[1] for end in (sympy.Integer(1), high)]
    there = [abs(factor.subs(alpha, value)) for factor in factors]
    statement = sympy.And(
        sympy.Gt(high, 1, evaluate=False),
        sympy.Gt(alpha, 0, evaluate=False),
        *(sympy.Lt(abs(factor), sympy.Max(*there, evaluate=False), evaluate=False)
          for factor in factors),
        evaluate=False,
    )  # fmt: skip
    try:
        found = searched(statement, Frame((), sympy.true, (high, alpha), {}, ()), budget)
    except NotDerivableError:
        return False
    return found.point is None and found.is_complete
