"""Lines about where a rule converges and what suits it best, with their proofs."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.lines import Line
from convex_analyzer.derivations.positivity import is_positive, on_interval, on_unit_interval
from convex_analyzer.derivations.setting import Setting, tidy, verdict
from convex_analyzer.theory.stability import jury_conditions

__all__ = ["best_lines", "stability_lines"]


def stability_lines(s: Setting) -> list[Line]:
    """State Jury's conditions, and the interval of αλ that they amount to."""
    import sympy

    conditions = [tidy(c) for c in jury_conditions(s.coefficients)]
    independent = _schur_cohn(s)
    lines = [
        Line(
            "all roots inside the unit circle",
            sympy.And(*[sympy.Gt(c, 0, evaluate=False) for c in conditions], evaluate=False),
            "Jury's conditions (Jury 1964)",
            "p(±1) expanded directly; and against the moduli of the roots at 60 points",
            verdict(_agrees_with_roots(s, conditions) and independent),
        )
    ]
    limit = s.rule.published_limit()
    if limit is None:
        return lines
    limit = sympy.sympify(limit)
    alpha = s.hyper.get("learning_rate")
    product = alpha * s.eigenvalue if alpha is not None else None
    lines.append(
        Line(
            "stability",
            sympy.And(
                sympy.Lt(0, product, evaluate=False),
                sympy.Lt(product, tidy(limit), evaluate=False),
                evaluate=False,
            ),
            "the conditions solved for αλ" + (", for 0 < μ < 1" if "momentum" in s.hyper else ""),
            "inside, every condition has positive coefficients only; at the limit a root is −1",
            verdict(_limit_is_exact(s, conditions, limit)),
        )
    )
    return lines


def _schur_cohn(s: Setting) -> bool:
    """Check p(1) and p(-1) by substitution into the determinant."""
    import sympy

    polynomial = (s.z * sympy.eye(s.matrix.rows) - s.matrix).det()
    at = [polynomial.subs(s.z, 1), (-1) ** s.matrix.rows * polynomial.subs(s.z, -1)]
    first_two = jury_conditions(s.coefficients)[:2]
    return all(sympy.expand(a - b) == 0 for a, b in zip(at, first_two, strict=True))


def _agrees_with_roots(s: Setting, conditions: list[Any]) -> bool:
    """Compare the conditions, exactly, with the moduli of numerical roots."""
    import random

    import numpy as np
    import sympy

    symbols = [*s.hyper.values(), s.eigenvalue]
    coefficients = sympy.lambdify(symbols, s.coefficients, "math")
    signs = sympy.lambdify(symbols, conditions, "math")
    rng = random.Random(0)
    for _ in range(60):
        point = [rng.randint(1, 79) / 32 for _ in symbols]
        largest = max(abs(np.roots(coefficients(*point))))
        if abs(largest - 1) < 1e-6:
            continue
        if all(value > 0 for value in signs(*point)) != bool(largest < 1):
            return False
    return True


def _limit_is_exact(s: Setting, conditions: list[Any], limit: Any) -> bool:
    """Prove that 0 < αλ < limit is sufficient, and that the limit is attained."""
    import sympy

    alpha = s.hyper["learning_rate"]
    inside: dict[Any, Any] = {}
    if "momentum" in s.hyper:
        inside[s.hyper["momentum"]] = on_unit_interval("w")
    edge = sympy.sympify(limit).subs(inside)
    sufficient = all(
        is_positive(
            condition.subs({alpha: sympy.Symbol("p", positive=True) / s.eigenvalue})
            .subs(sympy.Symbol("p", positive=True), on_interval(limit, "y"))
            .subs(inside)
        )
        for condition in conditions
    )
    polynomial = (s.z * sympy.eye(s.matrix.rows) - s.matrix).det()
    beyond = sympy.Symbol("y", positive=True)
    at_minus_one = (polynomial.subs(s.z, -1) * (-1) ** s.matrix.rows).subs(inside)
    attained = sympy.simplify(at_minus_one.subs(alpha, edge / s.eigenvalue)) == 0
    necessary = is_positive(-at_minus_one.subs(alpha, (edge + beyond) / s.eigenvalue))
    at_one = polynomial.subs(s.z, 1).subs(inside)
    negative = is_positive(-at_one.subs(alpha, -beyond / s.eigenvalue))
    return sufficient and attained and necessary and negative


def best_lines(s: Setting) -> tuple[list[Line], str]:
    """State the published best setting; check that both ends of the spectrum limit it equally."""
    import sympy

    low, high = sympy.symbols("m L", positive=True)
    published = s.optimizer.published_optimum(low, high, {})
    if not published:
        return (
            [],
            f"No best setting is published for {s.optimizer.__name__}; it is found numerically.",
        )
    values = {s.hyper[n]: sympy.sympify(v) for n, v in published.items()}
    lines = [
        Line(
            f"best {name.replace('_', ' ')}",
            sympy.Eq(s.hyper[name], sympy.sympify(value), evaluate=False),
            "for eigenvalues in [m, L], as published: both ends contract equally fast",
            _check_text(s),
            verdict(_ends_agree(s, values, low, high)),
        )
        for name, value in published.items()
    ]
    return lines, ""


def _check_text(s: Setting) -> str:
    if s.matrix.rows == 1:
        return "the factors at m and at L are opposite numbers"
    return "a double root ρ at m, and the root −ρ at L: exact identities in m and L"


def _ends_agree(s: Setting, values: Any, low: Any, high: Any) -> bool:
    """Prove that the largest roots at both ends have one modulus.

    Square roots become rational in other unknowns: √m, √L, or √(3κ + 1).
    """
    import sympy

    if s.matrix.rows == 1:
        factor = s.matrix[0, 0].subs(values)
        both = factor.subs(s.eigenvalue, low) + factor.subs(s.eigenvalue, high)
        return bool(sympy.simplify(both) == 0)
    p, r = sympy.symbols("p r", positive=True)
    forms: list[dict[Any, Any]] = [
        {low: p**2, high: (p + r) ** 2},
        {low: p**2, high: p**2 * ((r + 2) ** 2 - 1) / 3},
    ]
    for form in forms:
        numbers = {k: sympy.simplify(v.subs(form)) for k, v in values.items()}
        at_low, at_high = (
            s.matrix.subs(numbers).subs(s.eigenvalue, form[end]) for end in (low, high)
        )
        trace, determinant = at_low.trace(), at_low.det()
        rate = trace / 2
        double = sympy.simplify(trace**2 - 4 * determinant) == 0
        opposite = rate**2 + at_high.trace() * rate + at_high.det()  # p(-ρ) at L
        if double and sympy.simplify(opposite) == 0:
            return True
    return False
