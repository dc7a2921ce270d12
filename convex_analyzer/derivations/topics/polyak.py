"""Polyak's pair: critical damping at both ends of the spectrum, solved for α and μ."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.linear import gradient_line, polynomial_line, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting, positively, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.derivations.topics.cases import critical_borders
from convex_analyzer.errors import NotDerivableError


def _build(optimizer: Any) -> Derivation:
    import sympy

    s = Setting(optimizer)
    s.require_slots(2)
    d = tidy(s.determinant)
    if s.eigenvalue in d.free_symbols or not d.is_Symbol:
        raise NotDerivableError(
            f"{s.name}: the product of its roots is {d}. Polyak's argument needs one momentum for "
            "all λ, so that inside the band every direction has the rate √μ; derive('best_step', "
            f"{s.name}) gives what is published"
        )
    chain = Chain(f"Polyak's pair for {s.name}")
    chain.lines += [gradient_line(s), step_line(s), polynomial_line(s)]
    (lower, upper), _ = critical_borders(s)
    low, high, kappa = sympy.symbols("m L kappa", positive=True)
    rho = sympy.Symbol("rho", positive=True)
    w = sympy.Dummy("w", positive=True)
    discriminant = s.trace**2 - 4 * s.determinant
    for end, border, sign in ((low, lower, 1), (high, upper, -1)):
        meet = discriminant.subs(s.rate, border / end).subs(s.eigenvalue, end)
        half = s.trace.subs(s.rate, border / end).subs(s.eigenvalue, end) / 2
        chain.say(
            f"roots meet at {end}",
            sympy.Eq(s.rate * end, border, evaluate=False),
            "D = 0, the border of the band in which every root has modulus √μ",
            f"put into D: 0, and the double root is {'−' * (sign < 0)}√μ: normal forms",
            is_zero(meet.subs(d, w**2)) and is_zero(half.subs(d, w**2) - sign * w),
        )
    ratio = sympy.cancel((upper / lower).subs(d, w**2))
    chain.equal(
        "quotient of the two",
        kappa,
        tidy(ratio).subs(w, sympy.sqrt(d)),
        "κ = L/m",
        given=upper / lower,
    )
    root = sympy.Dummy("root", positive=True)  # √κ
    solved = [
        value
        for value in sympy.solve(sympy.numer(sympy.together(ratio - root**2)), w)
        if 0 < value.subs(root, 3) < 1
    ]
    if len(solved) != 1:
        return chain.done("Stops here: the quotient is not solved for √μ.")
    momentum = positively(tidy(solved[0]))
    chain.say(
        "solved for √μ",
        sympy.Eq(sympy.sqrt(d), momentum.subs(root, sympy.sqrt(kappa)), evaluate=False),
        "the solution between 0 and 1",
        "put into the line above: normal form; between 0 and 1 at κ = 9",
        is_zero(ratio.subs(w, momentum) - root**2),
    )
    chain.equal(
        "best momentum",
        d,
        (momentum**2).subs(root, sympy.sqrt(kappa)),
        "squared",
        given=chain.lines[-1].statement.rhs ** 2,
    )
    p, q = sympy.symbols("p q", positive=True)  # √m, √L
    rate = tidy((lower / low).subs(d, w**2).subs(w, momentum.subs(root, q / p)).subs(low, p**2))
    ends = {p: sympy.sqrt(low), q: sympy.sqrt(high)}
    chain.equal(
        "best learning rate",
        s.rate,
        rate.subs(ends),
        "√μ put into the condition at m, with κ = L/m",
        given=(lower / low).subs(d, w**2).subs(w, momentum.subs(root, sympy.sqrt(high / low))),
        more=(
            "the condition at L gives the same",
            is_zero(
                rate
                - (upper / high).subs(d, w**2).subs(w, momentum.subs(root, q / p)).subs(high, q**2)
            ),
        ),
    )
    chain.equal(
        "rate",
        rho,
        momentum.subs(root, sympy.sqrt(kappa)),
        "every direction between the borders has modulus √μ: the product of its roots is μ",
        given=sympy.sqrt(d.subs(d, w**2)).subs(w, momentum.subs(root, sympy.sqrt(kappa))),
        more=(
            "its square is the product of the roots",
            is_zero(chain.lines[-2].statement.rhs - momentum.subs(root, sympy.sqrt(kappa)) ** 2),
        ),
    )
    return chain.done()


TOPIC = Topic(
    "polyak",
    "the best pair of learning rate and momentum of a heavy ball, and why √κ takes κ's place",
    _build,
    ("HeavyBall",),
)
