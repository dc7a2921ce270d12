"""Claims on the factor per step: along an eigenvalue, and at the published best setting."""

from __future__ import annotations

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
from convex_analyzer.derivations.setting import tidy
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.tables import format_number
from convex_analyzer.theory.exact import ExactAnalysis, exact_analysis
from convex_analyzer.theory.region_words import printed

__all__ = [
    "DIGITS",
    "SAME",
    "SPECTRA",
    "held_by",
    "number_words",
    "outcome_of",
    "published_words",
    "rate",
]

DIGITS = 50
SAME = 1e-30
_LONGEST = 40  # characters of an exact number that is printed
SPECTRA = (4, 2, 9, 100)  # κ at which tuned settings are compared exactly, m = 1


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
        text=f"claimed {number_words(claimed)}, derived {format_number(largest, 6)}",
        optimizer=rule_at(setting, values),
        eigenvalues=tuple(float(v) for v in along),
        outcome=outcome_of(largest),
        rate=largest,
    )


def outcome_of(largest: float) -> str:
    """Return what a run with this largest root does."""
    if abs(largest - 1) < 1e-12:
        return "stays"
    return "converges" if largest < 1 else "diverges"


def number_words(value: Any) -> str:
    """Write a number as it is, with its decimals."""
    if not value.is_finite:
        return "nothing (a division by zero)"
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
    given = held_by(setting)
    value = claim.subs({low: 1, kappa: high})
    if sympy.simplify(claim.subs({low: 2 * low, high: 2 * high}, simultaneous=True) - claim) != 0:
        raise InputError(
            "a rate at the best setting depends on L/m alone, and the claim does not: it changes "
            "when m and L are doubled",
            argument="rate",
            value=text,
        )
    made: list[Counterexample] = []
    best_at = {k: exact_analysis([1, k], setting.cls, given) for k in SPECTRA}
    for k, analysis in best_at.items():
        claimed = value.subs(high, k)
        if abs(sympy.N(claimed - analysis.rate, DIGITS)) > SAME:
            made.append(_other_tuned(setting, analysis, k, claimed, claim))
            break
    proved = bool(made) or _proved_tuned(setting, value, given, budget)
    first = best_at[SPECTRA[0]]
    settings, code = published_words(setting, given)
    return ClaimCheck(
        rule=setting.region.rule,
        about="rate",
        claim=text,
        verdict="false" if made else "true",
        status="proved" if proved else "plausible",
        truth=f"{settings}; then ρ = {number_words(first.rate)} at κ = {SPECTRA[0]}, "
        f"{number_words(best_at[9].rate)} at κ = 9",
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
    return f"exact roots at {len(SPECTRA)} condition numbers, at which it agrees"


def held_by(setting: ClaimSetting) -> dict[str, Any]:
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
        text=f"claimed {number_words(claimed)}, derived {number_words(analysis.rate)}",
        optimizer=rule_at(setting, settings),
        eigenvalues=(1.0, float(k)),
        outcome=outcome_of(float(analysis.rate)),
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


def published_words(setting: ClaimSetting, given: dict[str, Any]) -> tuple[str, str]:
    """Return the published best setting as text and as LaTeX."""
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
