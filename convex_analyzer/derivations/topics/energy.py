"""An exact invariant of every rule with two slots; at μ = 1 it is an energy that is kept."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain
from convex_analyzer.derivations.linear import gradient_line, recurrence_line, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.positivity import is_positive
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic


def _build(optimizer: Any) -> Derivation:
    import sympy

    s = Setting(optimizer)
    s.require_slots(2)
    chain = Chain(f"What {s.name} conserves")
    chain.lines += [gradient_line(s), step_line(s), recurrence_line(s)]
    t, d = s.trace, s.determinant
    x, k = s.bases[0], s.k
    energy = sympy.IndexedBase("I")

    def form(now: Any, before: Any) -> Any:
        return now**2 - tidy(t) * now * before + tidy(d) * before**2

    chain.equal(
        "a quadratic form",
        energy[k],
        form(x[k + 1], x[k]),
        "the characteristic polynomial, written with two successive errors",
        given=x[k] ** 2 * (s.z**2 - t * s.z + d).subs(s.z, x[k + 1] / x[k]),
    )
    following = chain.lines[2].statement.rhs
    chain.equal(
        "one step later",
        energy[k + 1],
        form(following, x[k + 1]),
        "the recurrence put in",
        given=form(x[k + 2], x[k + 1]).subs(x[k + 2], t * x[k + 1] - d * x[k]),
    )
    chain.equal(
        "it is multiplied by the product of the roots",
        energy[k + 1],
        sympy.Mul(tidy(d), form(x[k + 1], x[k]), evaluate=False),
        "multiplied out",
    )
    momentum = next(
        (s.fractions[n] for n in ("momentum", "decay", "beta1") if n in s.fractions), None
    )
    momentum = momentum or s.hyper.get("momentum")
    if momentum is None:
        return chain.done(f"Stops here: {s.name} has no hyper-parameter momentum to set to 1.")
    kept = tidy(d.subs(momentum, 1))
    chain.equal(
        "at μ = 1",
        energy[k + 1],
        kept * energy[k],
        "μ = 1 in the line above",
        given=d.subs(momentum, 1) * energy[k],
    )
    if kept != 1:
        return chain.done(
            f"Stops here: at μ = 1 the form is multiplied by {kept} in every step, so nothing is "
            "conserved."
        )
    _positive(s, chain, momentum)
    return chain.done()


def _positive(s: Setting, chain: Chain, momentum: Any) -> None:
    """Say for which αλ the conserved form is an energy: positive definite."""
    import sympy

    t = sympy.expand(s.trace.subs(momentum, 1))
    x, k = s.bases[0], s.k
    potential = tidy(2 - t)
    chain.equal(
        "an energy",
        sympy.IndexedBase("I")[k],
        (x[k + 1] - x[k]) ** 2 + potential * x[k + 1] * x[k],
        "kinetic part, and potential between two steps",
        given=x[k + 1] ** 2 - t * x[k + 1] * x[k] + x[k] ** 2,
    )
    if s.rate is None or potential != s.rate * s.eigenvalue * (potential / s.rate / s.eigenvalue):
        return
    scale = sympy.cancel(potential / (s.rate * s.eigenvalue))
    if not is_positive(scale):
        return
    top = sympy.cancel(4 / scale)
    shown = s.rate * s.eigenvalue
    chain.say(
        "positive unless at rest",
        sympy.And(
            sympy.Lt(0, shown, evaluate=False), sympy.Lt(shown, top, evaluate=False), evaluate=False
        ),
        "a² − tab + b² is positive definite if |t| < 2: the orbit is an ellipse, for ever",
        "the discriminant t² − 4 is negative inside, zero at both borders",
        all(
            (value < 0) == inside
            for share, inside in (("1/9", True), ("8/9", True), ("-1/9", False), ("10/9", False))
            for value in [
                ((t**2 - 4).subs(s.rate, top * sympy.Rational(share) / s.eigenvalue)).subs(
                    {y: sympy.Rational(1, 3) for y in s.hyper.values()}
                )
            ]
        ),
    )


TOPIC = Topic(
    "energy",
    "the invariant of two successive errors, and the energy that μ = 1 conserves",
    _build,
    ("HeavyBall",),
)
