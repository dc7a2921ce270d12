"""Jury's conditions, one by one, each solved for αλ where it is linear in it."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.conditions import roots_say_the_same
from convex_analyzer.derivations.linear import gradient_line, polynomial_line, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.positivity import is_positive, on_unit_interval
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.theory.stability import jury_conditions


def _build(optimizer: Any) -> Derivation:
    import sympy

    s = Setting(optimizer)
    chain = Chain(f"Jury's conditions for {s.name}")
    chain.lines += [gradient_line(s), step_line(s), polynomial_line(s)]
    conditions = [tidy(c) for c in jury_conditions(s.coefficients)]
    size = s.matrix.rows
    p = sympy.Function("p")
    polynomial = chain.lines[-1].statement.lhs
    for name, sign, point, condition in (
        ("p at 1", 1, 1, conditions[0]),
        ("p at −1", (-1) ** size, -1, conditions[1]),
    ):
        left = p(point) if sign == 1 else sympy.Mul(-1, p(point), evaluate=False)
        value = sign * polynomial.subs(s.z, point).doit()
        chain.equal(name, left, condition, f"z = {point} put into the polynomial", given=value)
    if size == 2:  # 1 + d > 0 is half the sum of the two above
        conditions = [*conditions[:2], tidy(1 - s.determinant)]
        product = sympy.Symbol("r_1") * sympy.Symbol("r_2")
        chain.equal(
            "product of the roots",
            1 - product,
            conditions[2],
            "r₁r₂ is the last coefficient; it must stay below 1",
            given=1 - s.matrix.det(),
        )
    same, sampled = roots_say_the_same(s, conditions)
    binding = [c for c in conditions if c.free_symbols or not c > 0]
    chain.say(
        "all roots inside the unit circle",
        sympy.And(*[sympy.Gt(c, 0, evaluate=False) for c in binding], evaluate=False),
        "Jury's conditions (Jury 1964)" if size > 1 else "−1 < z < 1, at both ends",
        sampled,
        same,
    )
    return chain.done(solve_for_product(s, chain, binding))


def solve_for_product(s: Setting, chain: Chain, conditions: list[Any]) -> str:
    """Add the interval of αλ; return why there is none."""
    import sympy

    if s.rate is None:
        return f"{s.name} has no hyper-parameter learning_rate to solve the conditions for."
    product = sympy.Symbol("s", positive=True)
    inside = {symbol: on_unit_interval(symbol.name) for symbol in s.fractions.values()}
    lower, upper, plain = [], [], []
    for condition in conditions:
        there = sympy.together(condition.subs(s.rate, product / s.eigenvalue))
        top, bottom = sympy.fraction(there)
        if not is_positive(bottom.subs(inside)) or sympy.degree(top, product) > 1:
            return f"Stops here: {condition} > 0 is not linear in αλ, or has no certain denominator"
        slope, rest = top.coeff(product, 1), top.coeff(product, 0)
        if s.eigenvalue in (slope.free_symbols | rest.free_symbols):
            return f"Stops here: in {condition} > 0 α and λ do not occur as αλ alone."
        if slope == 0:
            plain.append(condition)
        elif is_positive(slope.subs(inside)):
            lower.append(tidy(-rest / slope))
        elif is_positive(-slope.subs(inside)):
            upper.append(tidy(-rest / slope))
        else:
            return f"Stops here: the sign of {slope}, which multiplies αλ, is not known."
    lower = [bound for bound in lower if not _below_zero(bound, inside)] or [sympy.Integer(0)]
    upper = _binding(upper, inside)
    shown = s.rate * s.eigenvalue
    parts = [sympy.Lt(bound, shown, evaluate=False) for bound in lower]
    parts += [sympy.Lt(shown, bound, evaluate=False) for bound in upper]
    # a condition without αλ that holds throughout the declared ranges needs no saying
    parts += [sympy.Gt(c, 0, evaluate=False) for c in plain if not is_positive(c.subs(inside))]
    holds, check = roots_say_the_same(s, [part.gts - part.lts for part in parts], within=True)
    ranges = s.ranges_text(*conditions)
    chain.say(
        "stability",
        sympy.And(*parts, evaluate=False) if len(parts) > 1 else parts[0],
        "each condition solved for αλ" + (f", for {ranges}" if ranges else ""),
        check,
        holds,
    )
    return ""


def _below_zero(bound: Any, inside: dict[Any, Any]) -> bool:
    return is_zero(bound) or is_positive(-bound.subs(inside))


def _binding(bounds: list[Any], inside: dict[Any, Any]) -> list[Any]:
    """Leave out upper bounds that another one lies below, throughout the declared ranges."""
    kept: list[Any] = []
    for i, bound in enumerate(bounds):
        lower = (other for j, other in enumerate(bounds) if j != i)
        equal_before = any(is_zero(bound - other) for other in bounds[:i])
        if not equal_before and not any(is_positive((bound - o).subs(inside)) for o in lower):
            kept.append(bound)
    return kept


TOPIC = Topic(
    "jury",
    "Jury's conditions on the roots, and the interval of αλ that solves them",
    _build,
    ("HeavyBall",),
)
