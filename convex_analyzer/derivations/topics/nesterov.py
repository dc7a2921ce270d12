"""Nesterov's rule as a heavy ball whose momentum depends on the curvature."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, agree
from convex_analyzer.derivations.conditions import stability_lines
from convex_analyzer.derivations.linear import gradient_line, recurrence_line, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic


def _build(optimizer: Any) -> Derivation:
    import sympy

    s = Setting(optimizer)
    s.require_slots(2)
    chain = Chain(f"{s.name} as a heavy ball")
    chain.lines += [gradient_line(s), step_line(s), recurrence_line(s)]
    x = s.bases[0]
    mu, product = sympy.symbols("mu_lambda s_lambda")
    ball = (1 + mu - product) * x[s.k + 1] - mu * x[s.k]
    chain.say(
        "a heavy ball's recurrence",
        sympy.Eq(x[s.k + 2], ball, evaluate=False),
        "θ ← θ + v with v ← μv − αg, for a momentum and a product αλ of this direction's own",
        "two steps of a heavy ball in symbols",
        _ball(mu, product, x, s.k, ball),
    )
    t, d = s.trace, s.determinant
    chain.equal(
        "momentum of the direction", mu, tidy(d), "coefficient of x[k]", given=s.matrix.det()
    )
    chain.equal(
        "its αλ",
        product,
        tidy(1 + d - t),
        "coefficient of x[k+1]",
        given=1 + s.matrix.det() - s.matrix.trace(),
    )
    given = {mu: tidy(d), product: tidy(1 + d - t)}
    verdict, check = agree(ball.subs(given), s_recurrence(s))
    chain.say(
        "the same recurrence",
        sympy.Eq(x[s.k + 2], ball.subs(given), evaluate=False),
        "both put in: along each direction the rule is a heavy ball",
        f"against the recurrence above: {check}",
        verdict,
    )
    stable, unlimited = stability_lines(s)
    chain.lines += stable
    return chain.done(f"{unlimited}." if unlimited else "")


def s_recurrence(s: Setting) -> Any:
    """Return x[k+2] from the trace and determinant of the matrix."""
    x = s.bases[0]
    return s.matrix.trace() * x[s.k + 1] - s.matrix.det() * x[s.k]


def _ball(mu: Any, product: Any, x: Any, k: Any, ball: Any) -> bool:
    """Run two steps of a heavy ball and compare."""
    import sympy

    start, velocity = sympy.symbols("x0 v0")
    v1 = mu * velocity - product * start
    x1 = start + v1
    x2 = x1 + mu * v1 - product * x1
    return bool(sympy.expand(ball.subs({x[k + 1]: x1, x[k]: start}) - x2) == 0)


TOPIC = Topic(
    "nesterov",
    "a rule with a look-ahead is a heavy ball whose momentum depends on λ; where it is stable",
    _build,
    ("Nesterov",),
)
