"""Lines about where a rule converges and what suits it best, with their proofs."""

from __future__ import annotations

import itertools
from typing import Any

from convex_analyzer.derivations.chain import is_zero
from convex_analyzer.derivations.lines import Line
from convex_analyzer.derivations.positivity import is_positive, on_interval, on_unit_interval
from convex_analyzer.derivations.setting import Setting, tidy, verdict
from convex_analyzer.errors import InputError
from convex_analyzer.notation import symbol_of
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.tables import format_number
from convex_analyzer.theory.stability import jury_conditions
from convex_analyzer.theory.symbolic import exactly
from convex_analyzer.theory.tuning import worst_rate

__all__ = ["best_lines", "roots_say_the_same", "stability_lines"]


def stability_lines(s: Setting) -> tuple[list[Line], str]:
    """State Jury's conditions, and the published interval of αλ; say why if there is none."""
    import sympy

    conditions = [tidy(c) for c in jury_conditions(s.coefficients)]
    independent = _schur_cohn(s)
    binding = [c for c in conditions if c.free_symbols] or conditions[:1]
    binding += [c for c in conditions if c.is_number and not c > 0]
    lines = [
        Line(
            "all roots inside the unit circle",
            sympy.And(*[sympy.Gt(c, 0, evaluate=False) for c in binding], evaluate=False),
            "Jury's conditions (Jury 1964)",
            "p(±1) expanded directly; and against the moduli of the roots at 60 points",
            verdict(roots_say_the_same(s, conditions)[0] and independent),
        )
    ]
    name = s.optimizer.__name__
    if "learning_rate" not in s.hyper:
        return lines, f"{name} has no hyper-parameter learning_rate, so no interval of it is stated"
    try:
        limit = s.rule.published_limit()
    except (AttributeError, TypeError):
        return lines, f"The published limit of {name} is not written in symbols: not checked here"
    if limit is None:
        return lines, ""
    return [*lines, _limit_line(s, conditions, tidy(exactly(limit)))], ""


def _limit_line(s: Setting, conditions: list[Any], limit: Any) -> Line:
    import sympy

    product = s.hyper["learning_rate"] * s.eigenvalue
    ranges = s.ranges_text(limit, *conditions)
    check = "inside, every condition has positive coefficients only; from the limit on, one fails"
    outcome = "proved"
    if not _limit_is_exact(s, conditions, limit):
        outcome, check = _try_points(s, conditions, limit)
    return Line(
        "stability",
        sympy.And(
            sympy.Lt(0, product, evaluate=False),
            sympy.Lt(product, limit, evaluate=False),
            evaluate=False,
        ),
        "the conditions solved for αλ" + (f", for {ranges}" if ranges else ""),
        check,
        outcome,
    )


def _schur_cohn(s: Setting) -> bool:
    """Check p(1) and p(-1) by substitution into the determinant."""
    import sympy

    polynomial = (s.z * sympy.eye(s.matrix.rows) - s.matrix).det()
    at = [polynomial.subs(s.z, 1), (-1) ** s.matrix.rows * polynomial.subs(s.z, -1)]
    first_two = jury_conditions(s.coefficients)[:2]
    return all(sympy.expand(a - b) == 0 for a, b in zip(at, first_two, strict=True))


def roots_say_the_same(
    s: Setting, conditions: list[Any], *, within: bool = False
) -> tuple[bool, str]:
    """Compare the conditions, at exact points, with the moduli of numerical roots.

    Parameters
    ----------
    s
        The rule.
    conditions
        What must be positive.
    within
        Whether hyper-parameters that are fractions stay below one.
    """
    import random

    import numpy as np
    import sympy

    symbols = [*s.hyper.values(), s.eigenvalue]
    small = set(s.fractions.values()) if within else set()
    coefficients = sympy.lambdify(symbols, s.coefficients, "math")
    signs = sympy.lambdify(symbols, conditions, "math")
    rng = random.Random(0)
    met = {True: 0, False: 0}
    for _ in range(60):
        point = [rng.randint(1, 31 if symbol in small else 79) / 32 for symbol in symbols]
        largest = max(abs(np.roots(coefficients(*point))))
        if abs(largest - 1) < 1e-6:
            continue
        inside = bool(largest < 1)
        if all(value > 0 for value in signs(*point)) != inside:
            return (
                False,
                f"roots of modulus {largest:.6g} at {dict(zip(symbols, point, strict=True))}",
            )
        met[inside] += 1
    return True, f"against the roots at {met[True]} stable and {met[False]} unstable points"


def _limit_is_exact(s: Setting, conditions: list[Any], limit: Any) -> bool:
    """Prove that 0 < αλ < limit is sufficient, and that one condition fails everywhere else."""
    import sympy

    inside = {symbol: on_unit_interval(symbol.name) for symbol in s.fractions.values()}
    edge = limit.subs(inside)
    beyond = sympy.Dummy("y", positive=True)

    def at(product: Any) -> list[Any]:
        alpha = s.hyper["learning_rate"]
        return [c.subs(alpha, product / s.eigenvalue).subs(inside) for c in conditions]

    after = zip(at(limit), at(limit + beyond), strict=True)
    return (
        is_positive(edge)
        and all(is_positive(condition) for condition in at(on_interval(limit, "y")))
        and any(is_zero(a) and is_positive(-b) for a, b in after)
        and any(is_positive(-condition) for condition in at(-beyond))
    )


_SHARES = ("-1/2", "1/100", "1/3", "9/10", "999/1000", "1001/1000", "11/10", "3")


def _try_points(s: Setting, conditions: list[Any], limit: Any) -> tuple[str, str]:
    """Look for a point, in exact arithmetic, where a published limit is wrong."""
    import random

    import sympy

    rng = random.Random(0)
    alpha, fractions = s.hyper["learning_rate"], list(s.fractions.values())
    for _ in range(20):
        point = {s.eigenvalue: sympy.Rational(rng.randint(1, 20), 10)}
        for symbol in s.hyper.values():
            if symbol != alpha:
                top = 19 if symbol in fractions else 60
                point[symbol] = sympy.Rational(rng.randint(1, top), 20)
        edge = limit.subs(point)
        for share in map(sympy.Rational, _SHARES):
            product = share * edge
            whole = {**point, alpha: product / s.eigenvalue.subs(point)}
            holds = all(condition.subs(whole).evalf(30) > 0 for condition in conditions)
            if holds != bool(0 < share < 1) or not edge > 0:
                return "refuted", _counterexample(s, point, product, holds=holds)
    return "plausible", f"holds at {20 * len(_SHARES)} exact points inside and outside; not proved"


def _counterexample(s: Setting, point: dict[Any, Any], product: Any, *, holds: bool) -> str:
    values = [f"{symbol_of(n)} = {point[v]}" for n, v in s.hyper.items() if v in point]
    values = [f"αλ = {format_number(product, 6)}", *values]
    what = "every condition holds" if holds else "a condition fails"
    return f"at {', '.join(values)} {what}"


def best_lines(s: Setting) -> tuple[list[Line], str]:
    """State the published best setting; check that both ends of the spectrum limit it equally."""
    import sympy

    low, high = sympy.symbols("m L", positive=True)
    name = s.optimizer.__name__
    try:
        published = s.optimizer.published_optimum(low, high, {})
    except (AttributeError, TypeError):
        return [], f"The published best setting of {name} is not written in symbols"
    if not published:
        return [], f"No best setting is published for {name}; it is found numerically"
    values = {s.hyper[n]: exactly(v) for n, v in published.items()}
    reason = "for eigenvalues in [m, L], as published"
    if _ends_agree(s, values, low, high):
        outcome, check, reason = "proved", _check_text(s), f"{reason}: {_EQUALLY}"
    else:
        outcome, check = _try_neighbours(s.optimizer, published, (low, high))
    lines = [
        Line(
            f"best {field.replace('_', ' ')}",
            sympy.Eq(s.hyper[field], values[s.hyper[field]], evaluate=False),
            reason,
            check,
            outcome,
        )
        for field in published
    ]
    return lines, ""


_EQUALLY = "both ends contract equally fast"
_ENDS = ((1.0, 10.0), (1.0, 1000.0), (0.3, 1.7))
_NUDGES = (0.9, 0.99, 0.999, 1.0, 1.001, 1.01, 1.1)


def _try_neighbours(
    optimizer: type[Optimizer], published: dict[str, Any], ends: tuple[Any, Any]
) -> tuple[str, str]:
    """Look, in numbers, for a setting near a published best one that is faster."""
    import numpy as np

    nudges = np.array(list(itertools.product(_NUDGES, repeat=len(published))))
    domains = optimizer.hyperparameters()
    for m, L in _ENDS:
        eigenvalues = np.unique(np.concatenate([[m, L], np.geomspace(m, L, 33)]))
        at = dict(zip(ends, (m, L), strict=True))
        best = {name: float(value.subs(at)) for name, value in published.items()}
        near = {name: value * nudges[:, [i]] for i, (name, value) in enumerate(best.items())}
        allowed = np.all([domains[n].valid.contains(v[:, 0]) for n, v in near.items()], axis=0)
        try:
            rule = optimizer(**best)
            rate = float(worst_rate(rule, eigenvalues))
        except (InputError, TypeError):
            return "undecided", f"it leaves open, or no numbers at all, at m = {m:g}, L = {L:g}"
        rates = np.where(allowed, worst_rate(rule.unchecked(**near), eigenvalues), np.inf)
        first = int(np.argmin(rates))
        if rates[first] < rate - 1e-5 * abs(1 - rate):
            setting = {name: float(value[first, 0]) for name, value in near.items()}
            return "refuted", _faster(m, L, setting, rate, float(rates[first]))
    return "plausible", f"no neighbour is faster on {len(_ENDS)} spectra; not proved"


def _faster(m: float, L: float, near: dict[str, float], rate: float, other: float) -> str:
    setting = ", ".join(f"{symbol_of(n)} = {format_number(v, 5)}" for n, v in near.items())
    return (
        f"at m = {m:g}, L = {L:g} its worst factor is {format_number(rate, 5)}, and "
        f"that of {setting} is {format_number(other, 5)}"
    )


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
        return is_zero(both)
    p, r = sympy.symbols("p r", positive=True)
    forms: list[dict[Any, Any]] = [
        {low: p**2, high: (p + r) ** 2},
        {low: p**2, high: p**2 * ((r + 2) ** 2 - 1) / 3},
    ]
    for form in forms:
        numbers = {k: sympy.cancel(v.subs(form)) for k, v in values.items()}
        if any(not p.exp.is_Integer for v in numbers.values() for p in v.atoms(sympy.Pow)):
            continue  # this form leaves roots
        at_low, at_high = (
            s.matrix.subs(numbers).subs(s.eigenvalue, form[end]) for end in (low, high)
        )
        trace, determinant = at_low.trace(), at_low.det()
        rate = trace / 2
        double = is_zero(trace**2 - 4 * determinant)
        opposite = rate**2 + at_high.trace() * rate + at_high.det()  # p(-ρ) at L
        if double and is_zero(opposite):
            return True
    return False
