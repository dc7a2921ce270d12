"""Claims that are equalities: the rate, the best setting, the point of rest."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.claim_conditions import Frame, frame_of, rule_at, searched
from convex_analyzer.derivations.claim_results import ClaimCheck, Counterexample
from convex_analyzer.derivations.claim_setting import (
    ClaimSetting,
    is_statement,
    plain_symbols,
    reals,
    shown,
)
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.tables import format_number
from convex_analyzer.theory.exact import ExactAnalysis, exact_analysis
from convex_analyzer.theory.region_words import printed
from convex_analyzer.theory.symbolic import exactly

__all__ = ["best", "fixed_point", "rate"]

_DIGITS = 50
_SAME = 1e-30
_LONGEST = 40  # characters of an exact number that is printed
_SPECTRA = (4, 2, 9, 3, 100)  # κ at which tuned settings are compared exactly, m = 1


# -- the rate ------------------------------------------------------------------------------------


def rate(setting: ClaimSetting, text: str, budget: float) -> ClaimCheck:
    """Judge a claimed factor per step."""
    import sympy

    claim = setting.read(text, "rate")
    if isinstance(claim, sympy.Eq):  # rho = ...
        claim = claim.rhs
    if is_statement(claim):
        raise InputError(f"rate must be a value, such as 'sqrt(mu)', got {text!r}", argument="rate")
    if claim.free_symbols & set(plain_symbols("m", "L", "kappa")):
        return _tuned_rate(setting, text, claim, budget)
    (eigenvalue,) = plain_symbols("lambda")
    marker = sympy.Eq(claim, 0, evaluate=False)
    frame, relation = frame_of(setting, marker)
    value = relation.lhs if hasattr(relation, "lhs") else claim.subs(frame.substituted)
    if isinstance(value, (bool, sympy.logic.boolalg.BooleanAtom)):
        value = claim.subs(frame.substituted)
    polynomial = [c.subs(frame.substituted) for c in setting.polynomial(frame.eigenvalues[0])]
    truth = is_largest(polynomial, value, setting)
    wrong = searched(sympy.And(frame.universe, sympy.Not(truth)), frame, budget)
    words, code = _rate_words(setting, eigenvalue, frame)
    made = []
    if wrong.point is not None:
        made.append(_other_rate(setting, frame, wrong.point, value, polynomial))
        right = searched(sympy.And(frame.universe, truth), frame, budget)
        if right.point is not None:
            at = dict(zip(frame.variables, map(sympy.Rational, right.point), strict=True))
            where = ", ".join(f"{printed(v)} = {printed(x)}" for v, x in at.items())
            words += f"; the claim is right at some settings, such as {where}, with λ = 1"
    settled = wrong.point is not None or wrong.is_complete
    return ClaimCheck(
        rule=setting.region.rule,
        about="rate",
        claim=text,
        verdict="false" if made else "true",
        status="proved" if settled else "plausible",
        truth=words,
        claim_latex=sympy.latex(claim),
        truth_latex=code,
        assumptions=frame.words,
        how="exact cells of the claim and of the characteristic polynomial" if settled
        else f"{wrong.tried} exact points, at which it agrees",
        counterexamples=tuple(made),
    )  # fmt: skip


def is_largest(polynomial: list[Any], size: Any, setting: ClaimSetting) -> Any:
    """Return the statement that the largest root of a monic polynomial has this modulus."""
    import sympy

    def relation(kind: Any, left: Any, right: Any) -> Any:
        return kind(left, right, evaluate=False)

    positive = relation(sympy.Ge, size, 0)
    if len(polynomial) == 2:
        return sympy.And(positive, relation(sympy.Eq, polynomial[1] ** 2, size**2), evaluate=False)
    if len(polynomial) > 3:
        raise NotDerivableError(
            f"{setting.region.rule} has {len(polynomial) - 1} slots; rates are compared for one or "
            "two"
        )
    trace, product = -polynomial[1], polynomial[2]
    at = [size**2 - sign * trace * size + product for sign in (1, -1)]
    return sympy.And(
        positive,
        relation(sympy.Le, trace**2, 4 * size**2),
        *(relation(sympy.Ge, value, 0) for value in at),
        relation(sympy.Le, product**2, size**4),
        sympy.Or(
            *(relation(sympy.Eq, value, 0) for value in at),
            relation(sympy.Eq, product, size**2),
            evaluate=False,
        ),
        evaluate=False,
    )


def _rate_words(setting: ClaimSetting, eigenvalue: Any, frame: Frame) -> tuple[str, str]:
    import sympy

    zero = {v: 0 for v in frame.substituted if frame.substituted[v] == 0}
    polynomial = [sympy.expand(c.subs(zero)) for c in setting.polynomial(eigenvalue)]
    if len(polynomial) == 2:
        factor = tidy(-polynomial[1])
        return f"|{shown(factor)}|", rf"\left|{sympy.latex(factor)}\right|"
    trace, product = -polynomial[1], tidy(polynomial[2])
    half = sympy.factor(4 * product)
    words = (
        f"√({shown(product)}) where T² ≤ {shown(half)}, else (|T| + √(T² − {shown(half)}))/2, "
        f"with T = {shown(trace)}"
    )
    code = (
        rf"\sqrt{{{sympy.latex(product)}}} \text{{ where }} T^2 \le {sympy.latex(half)},"
        rf"\text{{ else }} \tfrac12\left(|T| + \sqrt{{T^2 - {sympy.latex(half)}}}\right),"
        rf"\ T = {sympy.latex(trace)}"
    )
    return words, code


def _other_rate(
    setting: ClaimSetting, frame: Frame, point: Any, value: Any, polynomial: list[Any]
) -> Counterexample:
    import sympy

    values = dict(zip(frame.variables, map(sympy.Rational, point), strict=True))
    roots = sympy.Poly([c.subs(values) for c in polynomial], sympy.Symbol("z")).nroots(n=30)
    largest = max(float(abs(root)) for root in roots)
    claimed = sympy.sympify(value).subs(values)
    along = [v.subs(frame.substituted).subs(values) for v in frame.eigenvalues]
    where = {**values, **dict(zip(frame.eigenvalues, along, strict=True))}
    return Counterexample(
        shows="not equal",
        point={v.name: x for v, x in where.items()},
        text=f"claimed {_shown(claimed)}, derived {format_number(largest, 6)}",
        optimizer=rule_at(setting, values),
        eigenvalues=tuple(float(v) for v in along),
        outcome=_outcome_of(largest),
        rate=largest,
    )


def _outcome_of(largest: float) -> str:
    if abs(largest - 1) < 1e-12:
        return "stays"
    return "converges" if largest < 1 else "diverges"


def _shown(value: Any) -> str:
    number = complex(value.evalf(15))
    if number.imag:
        return printed(value)
    decimal = format_number(number.real, 6)
    exact = printed(value)
    if exact == decimal or len(exact) > _LONGEST:
        return decimal
    return exact if "/" not in exact and "sqrt" not in exact else f"{exact} ≈ {decimal}"


# -- tuned -----------------------------------------------------------------------------------------


def _tuned_rate(setting: ClaimSetting, text: str, claim: Any, budget: float) -> ClaimCheck:
    """Judge a claimed rate at the published best setting of a spectrum."""
    import sympy

    low, high, kappa = plain_symbols("m", "L", "kappa")
    if claim.free_symbols - {low, high, kappa}:
        raise InputError(
            "a rate at the best setting is written in m, L and kappa alone", argument="rate"
        )
    given = _held(setting)
    value = claim.subs({low: 1, kappa: high})
    made: list[Counterexample] = []
    best_at = {k: exact_analysis([1, k], setting.cls, given) for k in _SPECTRA}
    for k, analysis in best_at.items():
        claimed = value.subs(high, k)
        if abs(sympy.N(claimed - analysis.rate, _DIGITS)) > _SAME:
            made.append(_other_tuned(setting, analysis, k, claimed, claim))
            break
    proved = bool(made) or _proved_tuned(setting, value, given, budget)
    first = best_at[_SPECTRA[0]]
    settings, code = _published_words(setting, given)
    return ClaimCheck(
        rule=setting.region.rule,
        about="rate",
        claim=text,
        verdict="false" if made else "true",
        status="proved" if proved else "plausible",
        truth=f"{settings}; then ρ = {_shown(first.rate)} at κ = {_SPECTRA[0]}, "
        f"{_shown(best_at[9].rate)} at κ = 9",
        claim_latex=sympy.latex(claim),
        truth_latex=code,
        assumptions=("eigenvalues in [m, L]", "κ = L/m", "the published best setting"),
        how=_tuned_how(made=bool(made), proved=proved),
        counterexamples=tuple(made),
    )


def _tuned_how(*, made: bool, proved: bool) -> str:
    if made:
        return "exact roots"
    if proved:
        return "exact cells in κ: all roots at both ends lie in the disc, and one on its circle"
    return f"exact roots at {len(_SPECTRA)} condition numbers, at which it agrees"


def _held(setting: ClaimSetting) -> dict[str, Any]:
    """Return what an instance holds fixed, beside the learning rate."""
    if isinstance(setting.optimizer, type):
        return {}
    return {n: v for n, v in setting.optimizer.numbers().items() if n != "learning_rate"}


def _other_tuned(
    setting: ClaimSetting, analysis: ExactAnalysis, k: int, claimed: Any, claim: Any
) -> Counterexample:
    import sympy

    names = {s.name for s in claim.free_symbols}
    point = {"kappa": sympy.Integer(k)} if names == {"kappa"} else {
        "m": sympy.Integer(1), "L": sympy.Integer(k)}  # fmt: skip
    settings = {plain_symbols(setting.letters[n])[0]: v
                for n, v in analysis.settings.items() if n in setting.letters}  # fmt: skip
    return Counterexample(
        shows="not equal",
        point=point,
        text=f"claimed {_shown(claimed)}, derived {_shown(analysis.rate)}",
        optimizer=rule_at(setting, settings),
        eigenvalues=(1.0, float(k)),
        outcome=_outcome_of(float(analysis.rate)),
        rate=float(analysis.rate),
    )


def _published(setting: ClaimSetting, given: dict[str, Any]) -> dict[str, Any]:
    """Return the published best setting on [1, L], in symbols."""
    import sympy

    high = sympy.Symbol("L", positive=True)
    try:
        found = setting.cls.published_optimum(sympy.Integer(1), high, given)
    except (AttributeError, TypeError):
        found = None
    if not found:
        raise NotDerivableError(
            f"no best setting of {setting.region.rule} is published in closed form, so there is no "
            "tuned rate to compare with"
        )
    return {name: sympy.sympify(value) for name, value in found.items()}


def _published_words(setting: ClaimSetting, given: dict[str, Any]) -> tuple[str, str]:
    import sympy

    low, high = sympy.symbols("m L", positive=True)
    try:
        found = setting.cls.published_optimum(low, high, given) or {}
    except (AttributeError, TypeError):
        found = {}
    if not found:
        return "the published best setting", r"\text{the published best setting}"
    named = {setting.letters[n]: sympy.sympify(v) for n, v in found.items() if n in setting.letters}
    words = [f"{printed(sympy.Symbol(k))} = {shown(v)}" for k, v in named.items()]
    codes = [rf"{sympy.latex(sympy.Symbol(k))} = {sympy.latex(v)}" for k, v in named.items()]
    return ", ".join(words), r",\ ".join(codes)


def _proved_tuned(setting: ClaimSetting, value: Any, given: dict[str, Any], budget: float) -> bool:
    """Prove a tuned rate for all κ; False means "not proved"."""
    import sympy

    if len(setting.region.polynomial) > 3 or not setting.is_one_interval:
        return False
    try:
        best_there = _published(setting, given)
    except NotDerivableError:
        return False
    high, root = plain_symbols("L")[0], sympy.Symbol("q", positive=True)
    back = {plain_symbols(setting.letters[n])[0]: reals(v) for n, v in best_there.items()}
    ends = [[sympy.sympify(c.subs(back)) for c in setting.polynomial(e)]
            for e in (sympy.Integer(1), high)]  # fmt: skip
    bases = {
        power.base
        for expression in (value, *ends[0], *ends[1])
        for power in sympy.sympify(expression).atoms(sympy.Pow)
        if power.exp.is_Rational and not power.exp.is_Integer
    }
    substitution: dict[Any, Any] = {}
    if len(bases) == 1 and high in next(iter(bases)).free_symbols:
        (base,) = bases
        if sympy.degree(base, high) != 1:
            return False
        slope, constant = sympy.Poly(base, high).all_coeffs()
        substitution = {high: (root**2 - constant) / slope}
    elif bases:
        return False

    def turned(expression: Any) -> Any:
        whole = sympy.sympify(expression).subs(substitution)
        return sympy.cancel(sympy.powdenest(whole, force=True))

    size, rows = turned(value), [[turned(c) for c in end] for end in ends]
    inside = [sympy.And(*_in_disc(row, size), evaluate=False) for row in rows]
    touched = sympy.Or(*(is_largest(row, size, setting) for row in rows), evaluate=False)
    variable = root if substitution else high
    one = turned(high)
    universe = sympy.And(
        sympy.Gt(one, 1, evaluate=False), sympy.Gt(variable, 0, evaluate=False), evaluate=False
    )
    truth = sympy.And(*inside, touched, evaluate=False)
    frame = Frame((), sympy.true, (reals(variable),), {}, ())
    statement = sympy.And(universe, sympy.Not(truth), evaluate=False)
    try:
        found = searched(reals(statement), frame, budget)
    except NotDerivableError:
        return False
    return found.point is None and found.is_complete


def _in_disc(polynomial: list[Any], size: Any) -> list[Any]:
    """Return that all roots lie in the closed disc: of one or two slots."""
    import sympy

    if len(polynomial) == 2:
        return [sympy.Le(polynomial[1] ** 2, size**2, evaluate=False)]
    trace, product = -polynomial[1], polynomial[2]
    at = [size**2 - sign * trace * size + product for sign in (1, -1)]
    return [
        sympy.Le(trace**2, 4 * size**2, evaluate=False),
        sympy.Le(product**2, size**4, evaluate=False),
        *(sympy.Ge(v, 0, evaluate=False) for v in at),
    ]


# -- the best setting ----------------------------------------------------------------------------


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
    fixed = _held(setting) | _halves(setting, claimed)
    made = []
    for k in _SPECTRA:
        tuned = exact_analysis([1, k], setting.cls, fixed)
        values = {plain_symbols(setting.letters[n])[0]: exactly(v)
                  for n, v in fixed.items() if n in setting.letters}  # fmt: skip
        values |= {
            plain_symbols(setting.letters[n])[0]: v.subs({low: 1, high: k}).subs(values)
            for n, v in claimed.items()
        }
        here = _exact_at(setting, values, k)
        if sympy.N(here.rate - tuned.rate, _DIGITS) > _SAME:
            made.append(_slower(setting, values, here, tuned, k))
            break
    settings, code = _published_words(setting, fixed)
    proved = bool(made) or _proved_best(setting, claimed, budget)
    how = f"exact roots at {len(_SPECTRA)} condition numbers: as fast as the published setting"
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
        f"{printed(sympy.Symbol(setting.letters.get(n, n)))} = {_shown(v)}"
        for n, v in tuned.settings.items()
        if sympy.Symbol(setting.letters.get(n, n), real=True) in values
    )
    return Counterexample(
        shows="not equal",
        point={"m": sympy.Integer(1), "L": sympy.Integer(k)},
        text=f"the claimed setting has ρ = {_shown(here.rate)}, and {other} has ρ = "
        f"{_shown(tuned.rate)}",
        optimizer=rule_at(setting, values),
        eigenvalues=(1.0, float(k)),
        outcome=_outcome_of(float(here.rate)),
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


# -- the point of rest -----------------------------------------------------------------------------


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
            text = f"claimed {_shown(values[0])}, derived {_shown(values[1])}"
            return Counterexample("not equal", {s.name: v for s, v in at.items()}, text)
    raise NotDerivableError("the two values differ, at no small numbers")
