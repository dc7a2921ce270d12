"""Claims that are conditions: stable, monotone, oscillates; which follows from which."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.cell_numbers import is_rounded
from convex_analyzer.derivations.cells import Found, find
from convex_analyzer.derivations.claim_results import ClaimCheck, Counterexample
from convex_analyzer.derivations.claim_setting import (
    ClaimSetting,
    is_statement,
    plain_symbols,
    reals,
    shown,
)
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.tables import format_number
from convex_analyzer.theory.region_words import printed
from convex_analyzer.theory.tuning import worst_rate

__all__ = ["Frame", "check", "frame_of", "rule_at", "searched"]

_CELLS = "exact cells of the claim and of Jury's conditions"


@dataclass(frozen=True)
class Frame:
    """The variables in which a claim is compared, and along which eigenvalues.

    Attributes
    ----------
    eigenvalues
        Symbols or 1: λ, or the ends m and L of a spectrum.
    universe
        The statement that all assumptions hold.
    variables
        In the order of the search.
    substituted
        What letters stand for: λ = 1 where only αλ matters.
    words
        The assumptions.
    """

    eigenvalues: tuple[Any, ...]
    universe: Any
    variables: tuple[Any, ...]
    substituted: dict[Any, Any]
    words: tuple[str, ...]


def check(setting: ClaimSetting, about: str, text: str, budget: float) -> ClaimCheck:
    """Judge a claimed condition."""
    import sympy

    claim = setting.read(text, about)
    if not is_statement(claim):
        raise InputError(
            f"{about} must be a condition, such as 'alpha < 2/lambda', got {text!r}",
            argument=about,
            value=text,
        )
    if about != "stable" and claim.free_symbols & set(plain_symbols("m", "L", "kappa")):
        raise InputError(f"{about} is claimed along one eigenvalue λ", argument=about)
    frame, claimed = frame_of(setting, claim)
    truth = _truth(setting, about, frame).subs(frame.substituted)
    universe = sympy.And(frame.universe, *_defined(claimed), evaluate=False)
    beyond = searched(sympy.And(universe, claimed, sympy.Not(truth)), frame, budget)
    short = searched(sympy.And(universe, truth, sympy.Not(claimed)), frame, budget)
    verdict = {
        (True, True): "both",
        (True, False): "sufficient",
        (False, True): "necessary",
        (False, False): "neither",
    }[beyond.point is None, short.point is None]
    whole = all(found.point is not None or found.is_complete for found in (beyond, short))
    made = [
        _counterexample(setting, about, frame, found, holds=holds)
        for found, holds in ((beyond, True), (short, False))
        if found.point is not None
    ]
    words, code = _truth_words(setting, about, frame)
    tried = beyond.tried + short.tried
    how = _CELLS if whole else f"{tried} exact points; the part without a counterexample is open"
    return ClaimCheck(
        rule=setting.region.rule,
        about=about,
        claim=text,
        verdict=verdict,
        status="proved" if whole else "plausible",
        truth=words,
        claim_latex=sympy.latex(claim),
        truth_latex=code,
        assumptions=frame.words,
        how=how,
        counterexamples=tuple(made),
        border=_border(beyond, short, made),
    )


def _border(beyond: Found, short: Found, made: list[Counterexample]) -> str:
    """Return what is to be said where a claim fails only on its border."""
    failing = [found for found in (beyond, short) if found.point is not None]
    if not failing or any(found.is_inside for found in failing):
        return ""
    strict = "strict" if beyond.point is not None else "not strict"
    return f"only the end itself is wrong: the inequality must be {strict}; {made[0].text}"


# -- variables -------------------------------------------------------------------------------------


def frame_of(setting: ClaimSetting, claim: Any) -> tuple[Frame, Any]:
    """Return the variables of a claim, and the claim in them."""
    import sympy

    eigenvalue, low, high, kappa = plain_symbols("lambda", "m", "L", "kappa")
    (alpha,) = plain_symbols(setting.letters["learning_rate"])
    ends = claim.free_symbols & {low, high, kappa}
    if ends and claim.has(eigenvalue):
        raise InputError(
            "a claim speaks either of one eigenvalue λ, or of a spectrum with the ends m and L",
            argument="claim",
        )
    params = [plain_symbols(setting.letters[name])[0] for name in setting.region.parameters]
    zero = setting.left_out(claim.free_symbols)
    if ends:
        along, extra, fixed = _ends(setting, claim)
    else:
        product = setting.region.product.has(setting.region.opened.learning_rate)
        free = product and _is_scaled(setting, claim)
        along, extra = (eigenvalue,), [] if free else [eigenvalue]
        fixed = {eigenvalue: sympy.Integer(1)} if free else {}
    mentioned = [p for p in params if p not in zero and p != alpha]
    named = {plain_symbols(letter)[0] for letter in setting.letters.values()} - set(zero)
    mentioned += [p for p in sorted(named & claim.free_symbols, key=str)
                  if p not in mentioned and p != alpha]  # fmt: skip
    substituted = {**{symbol: sympy.Integer(0) for symbol in zero}, **fixed}
    absorbed = {reals(p) for p in setting.region.absorbed} & named - {alpha}
    mentioned += [p for p in sorted(absorbed, key=str) if p not in mentioned]
    ranges, words = setting.ranges({alpha, *mentioned})
    parts = [ranges.subs(fixed), *(sympy.Gt(symbol, 0, evaluate=False) for symbol in extra)]
    if ends:
        words = ("0 < m ≤ λ ≤ L", *(w for w in words if w != "λ > 0"))
        if len(along) > 1:
            bottom = fixed.get(along[0], along[0])
            parts.append(sympy.Ge(along[1], bottom, evaluate=False))
    words += tuple(f"{printed(symbol)} = 0" for symbol in zero if symbol in params)
    variables = (*mentioned, *extra, alpha)
    universe = sympy.And(*parts, evaluate=False)
    return Frame(along, universe, variables, substituted, words), claim.subs(substituted)


def _ends(setting: ClaimSetting, claim: Any) -> tuple[tuple[Any, ...], list[Any], dict[Any, Any]]:
    """Return the eigenvalues that decide for a whole spectrum; m is 1 where it can be."""
    import sympy

    if not setting.is_one_interval:
        raise NotDerivableError(
            f"{setting.region.rule}: what is stable at m and at L need not be so between them; "
            "write the claim for one eigenvalue λ"
        )
    low, high, kappa = plain_symbols("m", "L", "kappa")
    free = _is_scaled(setting, claim)
    if claim.free_symbols & {low, kappa} or not setting.ends_at_zero:
        if free:
            return (low, high), [high], {low: sympy.Integer(1), kappa: high}
        return (low, high), [low, high], {kappa: high / low}
    return (high,), [] if free else [high], {high: sympy.Integer(1)} if free else {}


def _is_scaled(setting: ClaimSetting, claim: Any) -> bool:
    """Return whether the claim stays the same when curvatures are scaled, and α against them."""
    import sympy

    curvatures = plain_symbols("lambda", "m", "L")
    (alpha,) = plain_symbols(setting.letters["learning_rate"])
    both = sympy.And(claim, setting.assumed, evaluate=False)
    new = sympy.Symbol("lambda", positive=True)
    for relation in both.atoms(sympy.core.relational.Relational):
        scaled = {alpha: alpha / new, **{v: v * new for v in curvatures}}
        value = (relation.lhs - relation.rhs).subs(scaled, simultaneous=True)
        top, _ = sympy.fraction(sympy.together(sympy.expand_power_base(value, force=True)))
        if any(factor.has(new) and factor.as_base_exp()[0] != new
               for factor in sympy.Mul.make_args(sympy.factor(top))):  # fmt: skip
            return False
    return alpha not in setting.assumed.free_symbols


def _defined(claim: Any) -> list[Any]:
    """Return statements that no denominator of the claim vanishes."""
    import sympy

    found = []
    for relation in claim.atoms(sympy.core.relational.Relational):
        _, bottom = sympy.fraction(sympy.together(relation.lhs - relation.rhs))
        if bottom.free_symbols:
            found.append(sympy.Ne(bottom, 0, evaluate=False))
    return found


def searched(statement: Any, frame: Frame, budget: float) -> Found:
    """Search for a point; square roots of one letter become letters."""
    import sympy

    roots: dict[Any, Any] = {}
    statement = _open_powers(statement)
    for power in statement.atoms(sympy.Pow):
        if power.exp.is_Rational and not power.exp.is_Integer and power.base.is_Symbol:
            roots[power.base] = max(roots.get(power.base, 1), int(power.exp.q))
    new = {v: sympy.Symbol(f"{v.name}_root", positive=True) for v in roots}
    statement = statement.subs({v: new[v] ** q for v, q in roots.items()})
    for power in statement.atoms(sympy.Pow):
        if power.exp.is_Rational and not power.exp.is_Integer and power.base.free_symbols:
            raise NotDerivableError(
                f"roots are decided of single letters and their products, not of {power.base}; "
                "write the claim without that root"
            )
    statement = reals(sympy.And(statement, *(sympy.Ge(v, 0, evaluate=False) for v in new.values()),
                                evaluate=False))  # fmt: skip
    variables = [reals(new[v]) if v in new else v for v in frame.variables]
    found = find(statement, variables, [], budget)
    if found.point is None:
        return found
    powers = [roots.get(v, 1) for v in frame.variables]
    point = tuple(value**q for value, q in zip(found.point, powers, strict=True))
    return dataclasses.replace(found, point=point)


def _open_powers(statement: Any) -> Any:
    """Return a statement in which roots of products are products of roots: all are positive."""
    import sympy

    powers = [p for p in statement.atoms(sympy.Pow) if p.exp.is_Rational and not p.exp.is_Integer]
    known = {p: sympy.expand_power_base(sympy.factor(p.base) ** p.exp, force=True) for p in powers}
    return statement.xreplace(known)


# -- truths ----------------------------------------------------------------------------------------


def _truth(setting: ClaimSetting, about: str, frame: Frame) -> Any:
    import sympy

    stable = sympy.And(*(setting.stable(v) for v in frame.eigenvalues), evaluate=False)
    if about == "stable":
        return stable
    turning = turns(setting, frame.eigenvalues[0])
    if about == "oscillates":
        return turning
    return sympy.And(stable, sympy.Not(turning), evaluate=False)


def turns(setting: ClaimSetting, eigenvalue: Any) -> Any:
    """Return the statement that a root of largest modulus is complex or negative."""
    import sympy

    polynomial = setting.polynomial(eigenvalue)
    if len(polynomial) > 3:
        raise NotDerivableError(
            f"{setting.region.rule} has {len(polynomial) - 1} slots; whether it turns back is "
            "written down for one or two"
        )
    trace = -polynomial[1]
    negative = sympy.Lt(trace, 0, evaluate=False)
    if len(polynomial) == 2:
        return negative
    is_complex = sympy.Lt(trace**2 - 4 * polynomial[2], 0, evaluate=False)
    return sympy.Or(negative, is_complex, evaluate=False)


def _truth_words(setting: ClaimSetting, about: str, frame: Frame) -> tuple[str, str]:
    import sympy

    zero = {v: 0 for v in frame.substituted if frame.substituted[v] == 0}
    if about == "stable":
        words, code = setting.stable_text(zero)
        if len(frame.eigenvalues) == 1 and frame.eigenvalues[0].name == "lambda":
            return words, code
        return f"{words} at every λ from m to L", rf"{code},\ m \le \lambda \le L"
    (eigenvalue,) = plain_symbols("lambda")
    polynomial = [c.subs(zero) for c in setting.polynomial(eigenvalue)]
    trace = sympy.expand(-polynomial[1])
    parts = [sympy.Lt(trace, 0, evaluate=False)]
    if len(polynomial) == 3:
        square = sympy.factor(4 * polynomial[2])
        parts.insert(0, sympy.Lt(trace**2, square, evaluate=False))
    if about == "oscillates":
        texts = [shown(part) for part in parts]
        return " or ".join(texts), r"\;\vee\;".join(sympy.latex(part) for part in parts)
    stable, code = setting.stable_text(zero)
    parts = [part.func(part.lhs, part.rhs, evaluate=False).negated for part in parts]
    return (
        " and ".join([stable, *(shown(part) for part in parts)]),
        r"\;\wedge\;".join([code, *(sympy.latex(part) for part in parts)]),
    )


# -- counterexamples -------------------------------------------------------------------------------


def _counterexample(
    setting: ClaimSetting, about: str, frame: Frame, found: Found, *, holds: bool
) -> Counterexample:
    import sympy

    assert found.point is not None
    values = dict(zip(frame.variables, map(sympy.Rational, found.point), strict=True))
    along = [v.subs(frame.substituted).subs(values) for v in frame.eigenvalues]
    outer = {v: value for v, value in values.items() if v != frame.variables[-1]}
    point = {**outer, **dict(zip(frame.eigenvalues, along, strict=True))}
    point[frame.variables[-1]] = values[frame.variables[-1]]
    rule = rule_at(setting, values)
    numbers = tuple(float(v) for v in along)
    outcome, words, rate = _outcome(setting, values, along, rule)
    told = "holds" if holds else "fails"
    if about != "stable":
        here = (about == "oscillates") != holds
        words = ("it turns back again and again" if here else "it does not turn back"
                 if outcome == "converges" or about == "oscillates" else words)  # fmt: skip
    if any(is_rounded(Fraction(str(v))) for v in values.values()):
        told += " (to 60 digits)"
    return Counterexample(
        shows="not sufficient" if holds else "not necessary",
        point={v.name: value for v, value in point.items()},
        text=f"the claim {told}, and {words}",
        optimizer=rule,
        eigenvalues=numbers,
        outcome=outcome,
        rate=rate,
    )


def _outcome(
    setting: ClaimSetting, values: dict[Any, Any], along: list[Any], rule: Optimizer
) -> tuple[str, str, float]:
    """Return what a run does at a point, in one word and in more, and its largest root."""
    import numpy as np

    region = setting.region
    rate = float(worst_rate(rule, np.array([float(v) for v in along])))
    named = {setting.letters[name]: name for name in setting.letters}
    numbers = {named[v.name]: value for v, value in values.items() if v.name in named}
    wanted = {n: value for n, value in numbers.items() if n in region.parameters}
    wanted |= {n: 0 for n in region.parameters if n not in wanted}
    kinds: list[Any] = []
    for eigenvalue in along:
        at = setting.product(eigenvalue).subs(values)
        at = at.subs(dict.fromkeys(at.free_symbols, 0))
        kinds += region.boundary(at, **wanted)
    bad = [b for b in kinds if b.kind == "outside"] or [b for b in kinds if b.kind != "inside"]
    if not bad:
        return "converges", f"it converges (ρ = {format_number(rate, 4)})", rate
    if bad[0].kind in ("outside", "drift"):
        return "diverges", f"it diverges (ρ = {format_number(rate, 4)})", rate
    return "stays", f"it neither converges nor diverges: {bad[0].words}", 1.0


def rule_at(setting: ClaimSetting, values: dict[Any, Any]) -> Optimizer:
    """Return the rule at a point, in floats; also outside the valid ranges."""
    by_letter = {v.name: float(value) for v, value in values.items()}
    numbers = {
        name: by_letter[letter] for name, letter in setting.letters.items() if letter in by_letter
    }
    if not isinstance(setting.optimizer, type):
        set_so: Optimizer = setting.optimizer.unchecked(**numbers)
        return set_so
    cls: type[Optimizer] = setting.cls
    rule = cls.__new__(cls)
    for one in cls.fields():
        object.__setattr__(rule, one.name, numbers.get(one.name, one.default))
    return rule
