"""The best learning rate on a spectrum [m, L], and the rate that it gives."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.conditions import best_lines
from convex_analyzer.derivations.linear import gradient_line, polynomial_line, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.positivity import is_positive
from convex_analyzer.derivations.setting import Setting, positively, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError


def _build(optimizer: Any) -> Derivation:
    s = Setting(optimizer)
    s.require_slots(1, 2)
    chain = Chain(f"The best setting of {s.name}")
    chain.lines += [gradient_line(s), step_line(s)]
    if s.matrix.rows == 1:
        return _one_factor(s, chain)
    chain.lines.append(polynomial_line(s))
    best, unknown = best_lines(s)
    chain.lines += best
    if best:
        _rate(s, chain)
    return chain.done(f"Stops here: {unknown}." if unknown else "")


def _one_factor(s: Setting, chain: Chain) -> Derivation:
    import sympy

    if s.rate is None:
        raise NotDerivableError(f"{s.name} has no hyper-parameter learning_rate to choose")
    low, high, kappa = sympy.symbols("m L kappa", positive=True)
    f = sympy.Function("f")
    factor = s.matrix[0, 0]
    slope = sympy.diff(factor, s.rate)
    if s.eigenvalue not in factor.free_symbols or not is_zero(sympy.diff(factor, s.eigenvalue, 2)):
        return chain.done(
            f"Stops here: the factor {tidy(factor)} is not affine in λ, so it is not its values "
            "at m and L that have to be balanced."
        )
    at = {end: tidy(factor.subs(s.eigenvalue, end)) for end in (low, high)}
    for title, end in (("slowest at m", low), ("slowest at L", high)):
        chain.equal(
            title,
            f(end),
            at[end],
            "f is affine in λ, so |f| is largest at an end of [m, L]",
            given=factor.subs(s.eigenvalue, end),
            more=("second derivative in λ is 0", is_zero(sympy.diff(factor, s.eigenvalue, 2))),
        )
    if not (is_positive(-slope) and sympy.diff(slope, s.rate) == 0):
        return chain.done("Stops here: f does not fall along a line as α grows.")
    condition = sympy.Eq(at[low], sympy.Mul(-1, at[high], evaluate=False), evaluate=False)
    both = sympy.expand(at[low] + at[high])
    chain.say(
        "equally slow at both ends",
        condition,
        "as α grows f(m) and f(L) fall, f(L) faster: where f(m) = −f(L), neither can gain",
        "slopes in α at m, at L and their difference are negative: coefficients of one sign",
        all(
            is_positive(-sympy.expand(value))
            for value in (
                slope.subs(s.eigenvalue, low),
                slope.subs(s.eigenvalue, low + kappa) - slope.subs(s.eigenvalue, low),
            )
        ),
    )
    best = tidy(sympy.solve(both, s.rate)[0])
    holds = is_zero(both.subs(s.rate, best))
    chain.say(
        "best learning rate",
        sympy.Eq(s.rate, best, evaluate=False),
        "solved for α",
        "put into the line above: both sides equal" + _neighbours(at, s.rate, best, (low, high)),
        holds,
    )
    rho = sympy.Symbol("rho", positive=True)
    rate = positively(tidy(at[low].subs(s.rate, best)))
    chain.equal("rate", rho, rate, "ρ = f(m) at the best α", given=at[low].subs(s.rate, best))
    if rate.free_symbols == {low, high}:
        inside = positively(tidy(rate.subs(high, kappa * low)))
        chain.equal(
            "by the condition number",
            rho,
            inside,
            "κ = L/m",
            using={high: kappa * low},
        )
    return chain.done()


def _neighbours(at: Any, rate: Any, best: Any, ends: Any) -> str:
    """Compare with larger and smaller learning rates, at exact numbers."""
    import sympy

    point = dict(zip(ends, (sympy.Integer(1), sympy.Integer(9)), strict=True))
    free = set().union(*(v.free_symbols for v in at.values())) - {rate, *ends}
    point |= {symbol: sympy.Rational(1, 5) for symbol in free}
    center = best.subs(point)

    def worst(alpha: Any) -> Any:
        return max(abs(v.subs(point).subs(rate, alpha)) for v in at.values())

    scaled = [worst(center * sympy.Rational(n, 20)) for n in (17, 19, 21, 23)]
    return "; slower at 0.85 … 1.15 times it" if min(scaled) > worst(center) else ""


def _rate(s: Setting, chain: Chain) -> None:
    """Add the rate at the published pair: half the sum of the roots where they meet, at m."""
    import sympy

    low, high = sympy.symbols("m L", positive=True)
    known = {
        line.statement.lhs: line.statement.rhs
        for line in chain.lines
        if line.title.startswith("best ") and line.verdict == "proved"
    }
    if not known:
        return
    p, r = sympy.symbols("p r", positive=True)
    half = s.trace.subs(known).subs(s.eigenvalue, low) / 2
    for form in ({low: p**2, high: r**2}, {low: 3 * p**2 / (r**2 - 1), high: p**2}):
        inside = sympy.cancel(half.subs(form))
        if not any(
            power.exp.is_Rational and not power.exp.is_Integer for power in inside.atoms(sympy.Pow)
        ):
            break
    else:
        return
    back = (
        {p: sympy.sqrt(low), r: sympy.sqrt(high)}
        if form[low] == p**2
        else {p: sympy.sqrt(high), r: sympy.sqrt(3 * high / low + 1)}
    )
    rate = positively(tidy(inside)).subs(back)
    other = sympy.cancel(s.determinant.subs(known).subs(s.eigenvalue, low).subs(form))
    chain.equal(
        "rate",
        sympy.Symbol("rho", positive=True),
        rate,
        "the double root at m, half the sum of the roots",
        given=half,
        more=("its square is their product there", is_zero(inside**2 - other)),
    )


TOPIC = Topic(
    "best_step",
    "the best learning rate (and momentum) on eigenvalues in [m, L], and its rate",
    _build,
    ("GradientDescent",),
)
